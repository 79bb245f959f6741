//! What a sweep has found wrong, and what of it people have not been told yet.

use std::collections::BTreeSet;
use std::time::Duration;

use super::sources::Standing;
use crate::ledger::ToldFault;
use crate::time::Timestamp;

/// A fault that lasts is told again after so long.
const TOLD_AGAIN_AFTER: Duration = Duration::from_hours(24);
/// Faults that one message names.
const MOST_NAMED: usize = 20;

/// Something that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    /// What it is about: as long as that lasts, people are not told twice.
    pub(super) what: String,
    /// What is told of it: a clause without a full stop.
    pub(super) text: String,
}

impl Fault {
    pub(super) const fn new(what: String, text: String) -> Self {
        Self { what, text }
    }

    /// Those of the sources: who is silent, and whose patterns are others than ours.
    pub(super) fn of_sources(standing: &Standing, ours: Option<&str>) -> Vec<Self> {
        let silent = standing.silent.iter().map(|((account, region), last)| {
            let last = last.map_or("none has ever come".to_owned(), |last| format!("the last was of {last}"));
            Self::new(format!("{account} {region}"), format!("no probe comes from {account} {region} ({last})"))
        });
        let ours = ours.unwrap_or_default();
        let others = standing.other_patterns.iter().map(|((account, region), theirs)| {
            let text =
                format!("{account} {region} sends what the patterns {theirs} let pass, and the rules want {ours}");
            Self::new(format!("{account} {region} patterns"), text)
        });
        silent.chain(others).collect()
    }
}

/// Whether there is something to tell: a fault that nobody has been told of, or not for a day.
pub(super) fn has_news(faults: &[Fault], told: &[ToldFault], now: Timestamp) -> bool {
    let known: BTreeSet<&str> =
        told.iter().filter(|told| told.at.plus(TOLD_AGAIN_AFTER) > now).map(|told| told.what.as_str()).collect();
    faults.iter().any(|fault| !known.contains(fault.what.as_str()))
}

/// What people have been told of when all these are told.
pub(super) fn told_all(faults: &[Fault], now: Timestamp) -> Vec<ToldFault> {
    faults.iter().map(|fault| ToldFault { what: fault.what.clone(), at: now }).collect()
}

/// What was told of and lasts. What has passed and comes again is news.
pub(super) fn still_told(faults: &[Fault], told: Vec<ToldFault>) -> Vec<ToldFault> {
    told.into_iter().filter(|told| faults.iter().any(|fault| fault.what == told.what)).collect()
}

/// The message.
pub(super) fn message(faults: &[Fault]) -> String {
    let named: Vec<&str> = faults.iter().take(MOST_NAMED).map(|fault| fault.text.as_str()).collect();
    let more = match faults.len().saturating_sub(MOST_NAMED) {
        0 => String::new(),
        more => format!("; and {more} more, which the log and the command \"offlimits doctor\" name"),
    };
    format!("Calls may not be heard of: {}{more}. See docs/probe.md", named.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(names: &[&str]) -> Vec<Fault> {
        names.iter().map(|name| Fault::new((*name).to_owned(), format!("no probe comes from {name}"))).collect()
    }

    #[test]
    fn a_fault_is_told_once_a_day_and_again_when_it_comes_back() {
        let at = |hours: u64| Timestamp::from_millis(hours * 3_600_000);
        let (a, both) = (faults(&["a"]), faults(&["a", "b"]));
        assert!(!has_news(&[], &[], at(0)) && has_news(&a, &[], at(0)));
        let told = told_all(&a, at(0));
        assert!(!has_news(&a, &told, at(23)) && has_news(&a, &told, at(24)) && has_news(&both, &told, at(1)));
        assert_eq!(still_told(&both, told.clone()), told);
        assert_eq!(still_told(&faults(&["b"]), told), []);
    }

    #[test]
    fn a_message_names_twenty_and_counts_the_others() {
        assert_eq!(
            message(&faults(&["a", "b"])),
            "Calls may not be heard of: no probe comes from a; no probe comes from b. See docs/probe.md"
        );
        let many: Vec<String> = (0..2000).map(|number| number.to_string()).collect();
        let text = message(&faults(&many.iter().map(String::as_str).collect::<Vec<_>>()));
        assert!(text.contains("and 1980 more") && text.len() < 1000, "{text}");
    }
}
