//! What people ask a deployed stack from the command line: its outputs, the lines of its log, and its ledger. Everything is read,
//! and nothing is written.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_cloudwatchlogs::config::retry::RetryConfig;
use aws_sdk_cloudwatchlogs::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use serde_json::Value;

use super::clients::Clients;
use super::{DynamoStore, FunctionSettings};
use crate::time::Timestamp;

/// CloudWatch looks through the log for seconds before it answers a page, and refuses who asks too often.
const LOG_ATTEMPT_TIMEOUT: Duration = Duration::from_secs(30);
const LOG_ATTEMPTS: u32 = 8;

/// Asks a deployed stack.
#[derive(Debug)]
pub struct StackReader {
    settings: Arc<FunctionSettings>,
    clients: Arc<Clients>,
}

/// One line of the function's log that is JSON.
#[derive(Debug, Clone, PartialEq)]
pub struct LogLine {
    /// When it was written.
    pub at: Timestamp,
    /// What it says: the members of its `fields`, or its own where it has none.
    pub fields: Value,
}

/// Why a service has not answered. The text quotes no credential.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ReadError(String);

impl StackReader {
    /// Asks with these settings: of them, the region, the credentials, the endpoints and the further roots are used.
    pub fn new(settings: FunctionSettings) -> Self {
        let clients = Arc::new(Clients::for_people(&settings));
        Self { settings: Arc::new(settings), clients }
    }

    /// The outputs of a stack, by their keys.
    ///
    /// # Errors
    /// The code and the message of `CloudFormation`, or why it did not answer.
    pub async fn outputs(&self, stack: &str) -> Result<BTreeMap<String, String>, ReadError> {
        let config = self.clients.config(&self.settings).map_err(|error| ReadError(error.to_string()))?;
        let client = aws_sdk_cloudformation::Client::new(config);
        let answer = client.describe_stacks().stack_name(stack).send().await.map_err(|error| read_error(&error))?;
        let outputs = answer.stacks.into_iter().flatten().flat_map(|stack| stack.outputs.unwrap_or_default());
        Ok(outputs.filter_map(|output| output.output_key.zip(output.output_value)).collect())
    }

    /// The lines of a log group since a time that are wanted, in the order of their times: `most` of them at most, the earliest.
    ///
    /// `pattern` is CloudWatch's, which spares reading the others; `is_wanted` decides, since the pattern may let more through.
    /// Source: <https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html>.
    ///
    /// # Errors
    /// The code and the message of CloudWatch, or why it did not answer.
    pub async fn log_lines(
        &self,
        log_group: &str,
        since: Timestamp,
        pattern: &str,
        is_wanted: impl Fn(&Value) -> bool,
        most: usize,
    ) -> Result<Vec<LogLine>, ReadError> {
        let config = self.clients.config(&self.settings).map_err(|error| ReadError(error.to_string()))?;
        let config = aws_sdk_cloudwatchlogs::config::Builder::from(config)
            .retry_config(RetryConfig::standard().with_max_attempts(LOG_ATTEMPTS))
            .timeout_config(TimeoutConfig::builder().operation_attempt_timeout(LOG_ATTEMPT_TIMEOUT).build());
        let client = aws_sdk_cloudwatchlogs::Client::from_conf(config.build());
        let (mut lines, mut next) = (Vec::new(), None);
        loop {
            let page = client
                .filter_log_events()
                .log_group_name(log_group)
                .start_time(i64::try_from(since.millis()).unwrap_or(i64::MAX))
                .filter_pattern(pattern)
                .set_next_token(next)
                .send()
                .await
                .map_err(|error| read_error(&error))?;
            for event in page.events.into_iter().flatten() {
                let at = event.timestamp.and_then(|millis| u64::try_from(millis).ok()).unwrap_or_default();
                let line = event.message.as_deref().and_then(|message| fields(message).filter(&is_wanted));
                lines.extend(line.map(|fields| LogLine { at: Timestamp::from_millis(at), fields }));
            }
            next = page.next_token;
            // A page may be empty, and others follow.
            if next.is_none() || lines.len() >= most {
                lines.truncate(most);
                lines.sort_by_key(|line| line.at);
                return Ok(lines);
            }
        }
    }

    /// The ledger's store in this table.
    pub fn store(&self, table: &str) -> DynamoStore {
        DynamoStore::new(table, Arc::clone(&self.settings), Arc::clone(&self.clients))
    }
}

/// What a line of the log says, if it is JSON: Lambda's own lines and ours are, and a panic's is not.
fn fields(message: &str) -> Option<Value> {
    let mut line: Value = serde_json::from_str(message).ok()?;
    let inner = line.get_mut("fields").filter(|fields| fields.is_object()).map(Value::take);
    Some(inner.unwrap_or(line)).filter(Value::is_object)
}

/// The error of a call: the service's code and message, or why there was no answer.
fn read_error<E>(error: &SdkError<E>) -> ReadError
where
    SdkError<E>: ProvideErrorMetadata + std::error::Error,
{
    ReadError(match (error.code(), error.message()) {
        (Some(code), Some(message)) => format!("{code}: {message}"),
        (Some(code), None) => code.to_owned(),
        (None, _) => format!("no answer: {}", DisplayErrorContext(error)),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::fields;

    #[test]
    fn a_line_is_read_in_both_of_its_shapes_and_any_other_text_is_none() {
        let inner = json!({"message": "finding", "rule": "R"});
        assert_eq!(fields(&json!({"level": "INFO", "fields": inner}).to_string()), Some(inner.clone()));
        assert_eq!(fields(&inner.to_string()), Some(inner));
        assert_eq!(fields(r#"{"fields": 7}"#), Some(json!({"fields": 7})));
        for text in ["", "START RequestId: 1", "7", "[1]", "{"] {
            assert_eq!(fields(text), None, "{text}");
        }
    }
}
