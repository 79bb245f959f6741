//! The account's event history, in which CloudTrail keeps the records of its calls of 90 days: the records of ours are found there by
//! their user agents, and with them the ids by which the ledger knows the findings.
//!
//! <https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html>: an event is there some five minutes after its
//! call; two requests a second are answered.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use crate::aws::{ApiError, ApiInput, ApiService, AwsApi};
use crate::time::Timestamp;

/// How often the history is asked.
pub(super) const EVERY: Duration = Duration::from_secs(5);

/// Pages that are read at a time, of 50 events: other calls with the same key stand there, too.
const MOST_PAGES: usize = 20;

/// The account's event history.
#[derive(Debug)]
pub(super) struct EventHistory<'a> {
    pub(super) api: &'a AwsApi,
    pub(super) region: &'a str,
    /// The id of the access key of the calls.
    pub(super) access_key: &'a str,
    /// From when on.
    pub(super) since: Timestamp,
}

impl EventHistory<'_> {
    /// The records that are there of the calls with these user agents, by those.
    ///
    /// # Errors
    /// AWS refused, or did not answer.
    pub(super) async fn records(&self, user_agents: &[&str]) -> Result<BTreeMap<String, Value>, ApiError> {
        const OPERATION: &str = "LookupEvents";
        let mut input = json!({
            "LookupAttributes": [{ "AttributeKey": "AccessKeyId", "AttributeValue": self.access_key }],
            "StartTime": self.since.millis() / 1000, "MaxResults": 50,
        });
        let mut found = BTreeMap::new();
        for _ in 0..MOST_PAGES {
            let asked = ApiInput::Json(input.clone());
            let answer = self.api.ask(&ApiService::CLOUDTRAIL, self.region, OPERATION, &asked).await?;
            for event in answer.get("Events").and_then(Value::as_array).into_iter().flatten() {
                let text = event.get("CloudTrailEvent").and_then(Value::as_str).unwrap_or_default();
                let Ok(record) = serde_json::from_str::<Value>(text) else { continue };
                let agent = record.get("userAgent").and_then(Value::as_str).unwrap_or_default();
                // Some services write it in brackets. A call that was made twice has two records; the first is as good.
                if let Some(mark) = user_agents.iter().find(|mark| agent.contains(**mark)) {
                    found.entry((*mark).to_owned()).or_insert(record);
                }
            }
            match answer.get("NextToken").filter(|token| token.is_string()) {
                Some(next) if found.len() < user_agents.len() => input["NextToken"] = next.clone(),
                _ => break,
            }
        }
        Ok(found)
    }
}
