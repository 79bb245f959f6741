//! The answer to Lambda: whether everything has ended well, and what must come again.

use serde::Serialize;
use thiserror::Error;

use super::{Invariant, InvocationReport};

/// The result of one invocation: [`handle`](super::handle) returns it.
#[derive(Debug, PartialEq, Eq)]
pub struct Handled {
    /// What the invocation counted.
    pub report: InvocationReport,
    /// What Lambda gets: a response, or an error, which makes Lambda try again.
    pub answer: Result<Response, HandleError>,
}

/// What the function answers if it need not be tried again as a whole.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
#[expect(clippy::large_enum_variant, reason = "an invocation has one, and hands it on")]
pub enum Response {
    /// The answer to an event: the report.
    Report(InvocationReport),
    /// The answer to a batch of SQS messages: the ids of those that must come again, in order.
    Batch(Vec<String>),
    /// The answer to `{"offlimits":"test"}`: each channel, and how it went.
    Test {
        /// The channels, in the order of `rules.json`.
        test: Vec<ChannelReport>,
    },
}

/// How a test alert went on one channel.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct ChannelReport {
    /// The channel's name.
    pub channel: String,
    /// `delivered`, or why not.
    pub verdict: String,
}

/// Why Lambda must try again: something was neither delivered nor handed to a queue, or not read. Lambda tries an event twice
/// more, and then keeps it in the on-failure queue. Source:
/// <https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html>.
#[derive(Debug, PartialEq, Eq, Error)]
pub enum HandleError {
    /// Deliveries that did not complete.
    #[error("{failed} deliveries did not complete: {}", channels.join(", "))]
    Undelivered {
        /// How many deliveries.
        failed: usize,
        /// The names of their channels.
        channels: Vec<String>,
    },
    /// Records that could not be read: how many.
    #[error("{0} records could not be read")]
    Unreadable(usize),
}

/// The parts of an invocation that must come again.
#[derive(Debug, Default)]
pub(super) struct Unfinished {
    /// The names of the channels to which a delivery failed.
    pub(super) channels: Vec<String>,
    /// For each delivery that failed, each message that nobody has touched, and each record that could not be read, the id of the
    /// SQS message that brought it; `None` if no message did.
    pub(super) message_ids: Vec<Option<String>>,
}

/// The answer to `payload` (`FailureIsAnswered`): a batch of SQS messages is answered with those that must come again, so that
/// the others do not; anything else with an error, if there is anything unfinished.
pub(super) fn answer(
    payload: &str,
    report: &InvocationReport,
    Unfinished { channels, message_ids }: Unfinished,
) -> Result<Response, HandleError> {
    debug_assert!(
        message_ids.len() >= report.deliveries.failed + report.unreadable,
        "{}: {report:?}: {message_ids:?}",
        Invariant::FailureIsAnswered
    );
    let undone = message_ids.len().saturating_sub(report.unreadable);
    // What no message brought cannot be asked for by one: then all must come again.
    if is_batch(payload)
        && let Some(mut ids) = message_ids.into_iter().collect::<Option<Vec<String>>>()
    {
        ids.sort();
        ids.dedup();
        return Ok(Response::Batch(ids));
    }
    match (undone, report.unreadable) {
        (0, 0) => Ok(Response::Report(report.clone())),
        (0, unreadable) => Err(HandleError::Unreadable(unreadable)),
        (failed, _) => Err(HandleError::Undelivered { failed, channels }),
    }
}

/// Whether the payload is a batch of SQS messages.
fn is_batch(payload: &str) -> bool {
    #[derive(serde::Deserialize)]
    struct SqsEvent {
        #[serde(rename = "Records")]
        records: Vec<SqsRecord>,
    }
    #[derive(serde::Deserialize)]
    struct SqsRecord {
        #[serde(rename = "eventSource")]
        event_source: String,
    }
    serde_json::from_str::<SqsEvent>(payload).is_ok_and(|event| {
        !event.records.is_empty() && event.records.iter().all(|record| record.event_source == "aws:sqs")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const BATCH: &str = r#"{"Records":[{"eventSource":"aws:sqs"},{"eventSource":"aws:sqs"}]}"#;

    fn answered(payload: &str, failed: usize, ids: &[Option<&str>]) -> Result<Response, HandleError> {
        let mut report = InvocationReport { unreadable: ids.len() - failed, ..InvocationReport::default() };
        (report.deliveries.routed, report.deliveries.failed) = (failed, failed);
        let message_ids = ids.iter().map(|id| id.map(str::to_owned)).collect();
        answer(payload, &report, Unfinished { channels: vec!["soc".to_owned(); failed], message_ids })
    }

    #[test]
    fn a_batch_names_what_must_come_again_and_is_asked_for_whole_if_that_has_no_name() {
        let batch = |ids: &[&str]| Ok(Response::Batch(ids.iter().map(|id| (*id).to_owned()).collect()));
        assert_eq!(answered(BATCH, 0, &[]), batch(&[]));
        assert_eq!(answered(BATCH, 1, &[Some("b"), Some("a"), Some("b")]), batch(&["a", "b"]));
        assert_eq!(answered(BATCH, 0, &[Some("a"), None]), Err(HandleError::Unreadable(2)));
        let undelivered = Err(HandleError::Undelivered { failed: 1, channels: vec!["soc".to_owned()] });
        assert_eq!(answered(BATCH, 1, &[None]), undelivered);
    }

    #[test]
    fn an_event_is_answered_with_an_error_if_anything_is_unfinished() {
        assert!(matches!(answered("{}", 0, &[]), Ok(Response::Report(_))));
        assert_eq!(answered("{}", 0, &[None]), Err(HandleError::Unreadable(1)));
        let error = answered("{}", 2, &[None, None, None]).unwrap_err();
        assert_eq!(error.to_string(), "2 deliveries did not complete: soc, soc");
        for other in [r#"{"Records":[]}"#, r#"{"Records":[{"eventSource":"aws:sqs"},{"eventSource":"aws:s3"}]}"#] {
            assert!(matches!(answered(other, 0, &[]), Ok(Response::Report(_))), "{other}");
        }
    }
}
