//! What the calls of a sum acted on, and whether they succeeded.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use super::{COUNTED, SHOWN, hash, kept};
use crate::finding::Finding;
use crate::severity::Severity;

/// What something was done to, or tried on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetOutcome {
    /// Whether a call on it succeeded. One that did and one that did not are two.
    pub succeeded: bool,
    /// The highest severity of such a call.
    pub severity: Severity,
    /// Its name, id or ARN, cleaned and clipped; empty where the record names none.
    pub target: String,
}

impl TargetOutcome {
    /// Successes first, then the highest severities; the rest of the order is that of the names, so that it is the same however
    /// sums are merged.
    fn rank(&self) -> (Reverse<bool>, Reverse<Severity>, &str) {
        (Reverse(self.succeeded), Reverse(self.severity), &self.target)
    }

    fn hash(&self) -> u32 {
        hash(&format!("{}{}", u8::from(self.succeeded), self.target))
    }
}

/// The pairs of an outcome and a target: the first 20 by name, successes first and then the highest severities, and how many more.
/// Those are known by their hashes, as in [`DistinctValues`](super::DistinctValues).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetTally {
    shown: Vec<TargetOutcome>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    more: BTreeSet<u32>,
}

impl From<&Finding> for TargetTally {
    fn from(finding: &Finding) -> Self {
        let (mut tally, call) = (Self::default(), &finding.call);
        let names = call.targets.iter().map(String::as_str);
        for name in names.chain(call.targets.is_empty().then_some("")) {
            tally.add(TargetOutcome { succeeded: !call.failed, severity: finding.severity, target: kept(name) });
        }
        tally
    }
}

impl TargetTally {
    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.shown.is_empty()
    }

    /// Whether a call of one of the pairs succeeded. Those come first, so that none is left unnamed.
    pub fn any_succeeded(&self) -> bool {
        self.shown.iter().any(|pair| pair.succeeded)
    }

    /// The pairs that are named, in their order.
    pub fn shown(&self) -> &[TargetOutcome] {
        &self.shown
    }

    /// How many more there were.
    pub fn more(&self) -> usize {
        self.more.len()
    }

    /// Adds those of another sum.
    pub fn merge(&mut self, other: &Self) {
        other.shown.iter().for_each(|pair| self.add(pair.clone()));
        for hash_of_other in &other.more {
            if !self.shown.iter().any(|pair| pair.hash() == *hash_of_other) {
                self.count(*hash_of_other);
            }
        }
    }

    /// `succeeded: a, b; failed: c +12`: as many as fit into so many characters, and how many more; empty if there are none.
    pub fn summary(&self, limit: usize) -> String {
        let (mut text, mut named, mut last) = (String::new(), 0, None);
        for TargetOutcome { succeeded, target, .. } in &self.shown {
            let outcome = if *succeeded { "succeeded" } else { "failed" };
            let target = if target.is_empty() { "(no target is named)" } else { target };
            let before = text.len();
            let _ = match last {
                Some(last) if last == succeeded => write!(text, ", {target}"),
                Some(_) => write!(text, "; {outcome}: {target}"),
                None => write!(text, "{outcome}: {target}"),
            };
            if text.chars().count() + MORE_LENGTH > limit {
                text.truncate(before);
                break;
            }
            (named, last) = (named + 1, Some(succeeded));
        }
        let more = self.shown.len() - named + self.more.len();
        let or_more = if self.more.len() < COUNTED { "" } else { " or more" };
        if more > 0 {
            let _ = write!(text, " +{more}{or_more}");
        }
        text
    }

    fn add(&mut self, pair: TargetOutcome) {
        let same = |known: &TargetOutcome| (known.succeeded, &known.target) == (pair.succeeded, &pair.target);
        match self.shown.iter().position(same) {
            Some(place) if self.shown[place].severity >= pair.severity => return,
            Some(place) => drop(self.shown.remove(place)),
            None => {}
        }
        let place = self.shown.partition_point(|known| known.rank() < pair.rank());
        // It may be one that was not among the first when it came before.
        self.more.remove(&pair.hash());
        self.shown.insert(place, pair);
        if self.shown.len() > SHOWN
            && let Some(last) = self.shown.pop()
        {
            self.count(last.hash());
        }
    }

    fn count(&mut self, hash: u32) {
        if self.more.len() < COUNTED {
            self.more.insert(hash);
        }
    }
}

/// Characters that ` +219 or more` takes.
const MORE_LENGTH: usize = 13;

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(succeeded: bool, severity: Severity, number: usize) -> TargetOutcome {
        TargetOutcome { succeeded, severity, target: format!("t{number:03}") }
    }

    fn tally(pairs: impl IntoIterator<Item = TargetOutcome>) -> TargetTally {
        let mut tally = TargetTally::default();
        pairs.into_iter().for_each(|pair| tally.add(pair));
        tally
    }

    #[test]
    fn successes_come_first_then_severities_and_the_rest_is_counted() {
        use Severity::{High, Low};
        let failures = (0..300).map(|number| pair(false, if number == 299 { High } else { Low }, number % 150 + 150));
        let tally = tally(failures.chain([pair(true, Low, 7), pair(true, High, 8), pair(true, Low, 7)]));
        let summary = tally.summary(1000);
        assert!(summary.starts_with("succeeded: t008, t007; failed: t299, t150, t151, "), "{summary}");
        assert!(summary.ends_with(", t166 +132"), "{summary}");
        assert_eq!((tally.shown().len(), tally.more()), (20, 132));
        assert_eq!(tally.summary(52), "succeeded: t008, t007; failed: t299 +149");
        assert_eq!(TargetTally::default().summary(1000), "");
    }

    #[test]
    fn merging_in_any_order_gives_the_same() {
        let of = |range: std::ops::Range<usize>| {
            tally(range.map(|number| pair(number % 7 == 0, Severity::ALL[number % 5], number % 60)))
        };
        let (parts, all) = ([of(0..50), of(40..90), of(90..200)], of(0..200));
        for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
            let mut sum = TargetTally::default();
            order.iter().for_each(|part| sum.merge(&parts[*part]));
            assert_eq!(sum, all, "{order:?}");
        }
    }

    #[test]
    fn the_longest_are_bounded() {
        let long = |number: usize| TargetOutcome {
            target: kept(&format!("{number:03}{}", "x".repeat(999))),
            ..pair(true, Severity::Low, 0)
        };
        let tally = tally((0..1000).map(long));
        assert!(serde_json::to_string(&tally).unwrap().len() < 7000);
        let summary = tally.summary(1000);
        assert!(summary.chars().count() <= 1000 && summary.ends_with(" +213 or more"), "{summary}");
    }
}
