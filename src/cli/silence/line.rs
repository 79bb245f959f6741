//! A silence as it is printed.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use crate::aws::DynamoStore;
use crate::ledger::{Ledger, Silence, StoreError};
use crate::text::one_line;
use crate::time::Timestamp;

/// Characters of a text of an item: whoever can write to the table writes what they like.
const TEXT_LIMIT: usize = 300;

/// A silence, in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(in crate::cli) struct SilenceLine {
    pub(in crate::cli) id: String,
    pub(in crate::cli) rule: String,
    pub(in crate::cli) by: BTreeMap<String, String>,
    pub(in crate::cli) created: String,
    pub(in crate::cli) until: String,
    pub(in crate::cli) who: String,
    pub(in crate::cli) reason: String,
    /// Whether it runs: it has not ended, and may be as long as it is.
    pub(in crate::cli) runs: bool,
    /// Whether it is one that the function does not take for a silence, such as one that is too long: somebody wrote it by hand.
    pub(in crate::cli) void: bool,
}

impl SilenceLine {
    pub(super) fn new(id: &str, silence: &Silence, now: Timestamp) -> Self {
        let short = |text: &str| one_line(text, TEXT_LIMIT).into_owned();
        let runs = silence.runs(now);
        Self {
            id: short(id),
            rule: short(&silence.rule),
            by: silence.by.iter().map(|(field, value)| (short(field), short(value))).collect(),
            created: silence.created.to_string(),
            until: silence.ended.unwrap_or(silence.until).to_string(),
            who: short(&silence.who),
            reason: short(&silence.reason),
            runs,
            void: !runs && silence.ended.is_none() && now < silence.until,
        }
    }
}

/// `3f0a… silences CIS-4 (principal Admin) until 2026-11-29T04:00:00Z, for jana: the migration`
impl fmt::Display for SilenceLine {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, rule, by, until, who, reason, runs, void, .. } = self;
        let by: Vec<String> = by.iter().map(|(field, value)| format!("{field} {value}")).collect();
        let by = if by.is_empty() { String::new() } else { format!(" ({})", by.join(", ")) };
        let silences = match (runs, void) {
            (true, _) => "silences",
            (false, false) => "silenced",
            (false, true) => "is void and silences nothing: it was written for",
        };
        write!(formatter, "{id} {silences} {rule}{by} until {until}, for {who}: {reason}")
    }
}

/// The silences that run, by the table of a stack.
///
/// # Errors
/// The table does not answer.
pub(in crate::cli) async fn running(
    ledger: &Ledger<DynamoStore>,
    now: Timestamp,
) -> Result<Vec<SilenceLine>, StoreError> {
    let kept = ledger.kept_silences(now).await?;
    Ok(kept.iter().filter(|(_, silence)| silence.runs(now)).map(|(id, of)| SilenceLine::new(id, of, now)).collect())
}
