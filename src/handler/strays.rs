//! What lies in the redelivery queue and is no delivery of ours: somebody else's event, or a test.
//!
//! SQS deletes what the function does not name in its answer, and nobody would ever learn of it. So it goes to the dead letters,
//! as it is and with the reason. In a queue of records it is nobody's business: there, what is not CloudTrail's is ignored.

use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::{Instant, timeout_at};

use super::App;
use super::answer::Unfinished;
use crate::cloudtrail::envelope::NotARecord;
use crate::deliver::Transport;
use crate::redelivery::{QueueError, Queues};
use crate::time::Timestamp;

/// The value of the member `offlimits` of a dead letter that was no delivery.
const MARK: &str = "stray";

/// A batch of messages, as Lambda brings it.
/// Source: <https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html>.
#[derive(Deserialize)]
struct Batch {
    #[serde(rename = "Records")]
    messages: Vec<Message>,
}

#[derive(Deserialize)]
struct Message {
    #[serde(rename = "messageId")]
    id: String,
    #[serde(rename = "eventSourceARN")]
    queue: String,
    body: String,
}

/// Hands what was `ignored` in a message of the redelivery queue to the dead letters, before `deadline`. What they do not take
/// stays where it is.
pub(super) async fn bury_strays<T: Transport, S, Q: Queues>(
    payload: &str,
    ignored: &[NotARecord],
    (app, deadline): (&App<T, S, Q>, Instant),
    unfinished: &mut Unfinished,
) {
    if !ignored.iter().any(|ignored| ignored.message_id.is_some()) {
        return;
    }
    let Ok(Batch { messages }) = serde_json::from_str(payload) else { return };
    for Message { id: message_id, queue, body } in messages {
        let reason = ignored.iter().find(|ignored| ignored.message_id.as_ref() == Some(&message_id));
        let Some(NotARecord { reason, .. }) = reason.filter(|_| app.queues.is_redelivery(&queue)) else { continue };
        tracing::error!(reason, "a message in the redelivery queue is no delivery");
        let letter = dead_letter(body, reason, app.transport.now().into());
        let taken = timeout_at(deadline, app.queues.dead_letter(letter)).await;
        if let Err(error) = taken.unwrap_or_else(|_| Err(QueueError::Unavailable("no answer in time".to_owned()))) {
            tracing::error!(reason = %error, "the dead-letter queue does not take it");
            unfinished.message_ids.push(Some(message_id));
        }
    }
}

/// The message as it lies among the dead letters. One that has lain there before stays as it is.
fn dead_letter(body: String, reason: &str, now: Timestamp) -> String {
    let is_letter = serde_json::from_str::<Value>(&body).is_ok_and(|letter| letter["offlimits"] == MARK);
    if is_letter {
        return body;
    }
    let reason = format!("it is no delivery of offlimits, but {reason}");
    json!({ "offlimits": MARK, "reason": reason, "died": now.millis(), "stray": body }).to_string()
}
