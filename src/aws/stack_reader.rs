//! What people ask a deployed stack from the command line: its outputs, the lines of its log, and its ledger. Everything is read,
//! and nothing is written.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::DynamoStore;
use super::api::{ApiError, ApiInput, AwsApi};
use super::service::ApiService;
use crate::time::Timestamp;

/// CloudWatch looks through the log for seconds before it answers a page.
const LOG_REQUEST: Duration = Duration::from_secs(30);

/// Asks a deployed stack.
#[derive(Debug)]
pub struct StackReader {
    api: AwsApi,
}

/// One line of the function's log that is JSON.
#[derive(Debug, Clone, PartialEq)]
pub struct LogLine {
    /// When it was written.
    pub at: Timestamp,
    /// What it says: the members of its `fields`, or its own where it has none.
    pub fields: Value,
}

impl StackReader {
    /// Asks in the region of these settings.
    pub const fn new(api: AwsApi) -> Self {
        Self { api }
    }

    /// The outputs of a stack, by their keys.
    ///
    /// # Errors
    /// The code and the message of `CloudFormation`, or why it did not answer.
    pub async fn outputs(&self, stack: &str) -> Result<BTreeMap<String, String>, ApiError> {
        const OPERATION: &str = "DescribeStacks";
        let input = ApiInput::Form(vec![("StackName", stack.to_owned())]);
        let answer = self.api.ask(&ApiService::CLOUDFORMATION, self.api.region()?, OPERATION, &input).await?;
        let stack = answer.pointer("/Stacks/0").ok_or(ApiError::Unexpected(OPERATION))?;
        let text = |output: &Value, key: &str| output.get(key).and_then(Value::as_str).map(str::to_owned);
        let outputs = stack.get("Outputs").and_then(Value::as_array).into_iter().flatten();
        Ok(outputs.filter_map(|output| text(output, "OutputKey").zip(text(output, "OutputValue"))).collect())
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
    ) -> Result<Vec<LogLine>, ApiError> {
        let api = self.api.clone().with_time_of_request(LOG_REQUEST);
        let mut input = json!({ "logGroupName": log_group, "startTime": since.millis(), "filterPattern": pattern });
        let mut lines = Vec::new();
        loop {
            let mut page =
                api.ask_here(&ApiService::CLOUDWATCH_LOGS, "FilterLogEvents", &ApiInput::Json(input.clone())).await?;
            for event in page.get("events").and_then(Value::as_array).into_iter().flatten() {
                let at = event.get("timestamp").and_then(Value::as_u64).unwrap_or_default();
                let message = event.get("message").and_then(Value::as_str);
                let line = message.and_then(|message| fields(message).filter(&is_wanted));
                lines.extend(line.map(|fields| LogLine { at: Timestamp::from_millis(at), fields }));
            }
            // A page may be empty, and others follow.
            match page.get_mut("nextToken").map(Value::take).filter(Value::is_string) {
                Some(next) if lines.len() < most => input["nextToken"] = next,
                _ => {
                    lines.truncate(most);
                    lines.sort_by_key(|line| line.at);
                    return Ok(lines);
                }
            }
        }
    }

    /// The ledger's store in this table.
    pub fn store(&self, table: &str) -> DynamoStore {
        DynamoStore::new(table, self.api.clone())
    }
}

/// What a line of the log says, if it is JSON: Lambda's own lines and ours are, and a panic's is not.
fn fields(message: &str) -> Option<Value> {
    let mut line: Value = serde_json::from_str(message).ok()?;
    let inner = line.get_mut("fields").filter(|fields| fields.is_object()).map(Value::take);
    Some(inner.unwrap_or(line)).filter(Value::is_object)
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
