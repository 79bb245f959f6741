//! Makes a call, and says how AWS answered.

use super::marked::MarkedCall;
use super::plan::PlannedCall;
use super::table::CallTable;
use crate::aws::{ApiError, AwsApi};
use crate::cli::stack_access::now;
use crate::time::Timestamp;

/// A call that has been made.
#[derive(Debug)]
pub(super) struct MadeCall<'p> {
    pub(super) planned: &'p PlannedCall<'p>,
    pub(super) sent: Timestamp,
    pub(super) answer: Answer,
}

/// How AWS answered.
#[derive(Debug)]
pub(super) enum Answer {
    /// It refused, with this code, as it should.
    Refused(String),
    /// It did what it was asked: there was nothing to do it to.
    Done,
    /// It was not reached, for this reason: nothing will be recorded.
    Unreached(String),
}

impl<'p> MadeCall<'p> {
    /// Makes a planned call.
    pub(super) async fn make(api: &AwsApi, table: &CallTable, region: &str, planned: &'p PlannedCall<'p>) -> Self {
        let MarkedCall { user_agent, .. } = &planned.marked;
        let sent = now();
        let answer = match table.api(planned.call) {
            None => Answer::Unreached("its service is not in the table".to_owned()),
            Some(service) => {
                let input = planned.marked.input(table, planned.call);
                // What AWS is too busy for is recorded, too.
                let api = api.clone().asking_once_as(user_agent.clone());
                match api.ask(&service, region, planned.call.call, &input).await {
                    Ok(_) | Err(ApiError::Unexpected(_)) => Answer::Done,
                    Err(ApiError::Refused { code, .. }) => Answer::Refused(code),
                    Err(error @ (ApiError::Client(_) | ApiError::NoAnswer(_))) => Answer::Unreached(error.to_string()),
                }
            }
        };
        Self { planned, sent, answer }
    }
}

impl Answer {
    /// In a word.
    pub(super) fn as_str(&self) -> &str {
        match self {
            Self::Refused(code) => code,
            Self::Done => "done",
            Self::Unreached(_) => "not reached",
        }
    }
}
