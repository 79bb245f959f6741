//! What a rule says about the number of its alerts: repeats that are held back, and how many matches there must be.

use serde::{Deserialize, Serialize};

use super::field::Field;
use crate::cloudtrail::Record;
use crate::ids::StableId;
use crate::rules::Scope;

/// Repeats of a rule's findings that are held back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Throttle {
    /// Seconds for which they are held back, from the first finding on.
    pub window: u64,
    /// The fields whose values make two findings repeats of one another.
    pub by: Vec<Field>,
    /// What becomes of a repeat on a new target.
    pub new_targets: NewTargets,
}

/// What becomes of repeats on targets that nobody has been told of in their window.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NewTargets {
    /// The first three of severity `high` or more go out.
    #[default]
    Sent,
    /// They are no news: they wait for the roll-up like any other repeat.
    Wait,
}

impl NewTargets {
    /// The words of `rules.json` for them.
    pub const WORDS: [(&'static str, Self); 2] = [("send", Self::Sent), ("wait", Self::Wait)];

    /// Whether they go out.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so whether to leave it out")]
    pub(crate) fn are_sent(&self) -> bool {
        *self == Self::Sent
    }
}

/// How often a rule must match before it alerts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Threshold {
    /// The number of the match from which on the rule alerts: at least 2.
    pub count: u64,
    /// Seconds within which there must be so many, by `eventTime`.
    pub window: u64,
    /// The fields whose values must be equal for matches to be counted together; none: all are.
    pub by: Vec<Field>,
    /// The field whose different values are counted, instead of matches.
    pub distinct: Option<Field>,
}

impl Throttle {
    /// The window, in seconds, of a rule that names none.
    pub const DEFAULT_WINDOW: u64 = 300;
    /// The fields by which findings are repeats of one another, for a rule that names none: the same call by the same caller, with
    /// the same outcome. The caller chooses none of them for a call that is to succeed: `actor`, with the name of a session in
    /// it, would let each new name open an alert, and without `outcome` a call that fails would hide one that succeeds.
    pub const DEFAULT_BY: [&'static str; 4] = ["principal", "event", "account", "outcome"];

    /// The throttle of a rule that names none. Past its threshold every match is a finding: those that were counted together
    /// are repeats of one another.
    pub fn default_for(threshold: Option<&Threshold>) -> Self {
        match threshold {
            None => Self { window: Self::DEFAULT_WINDOW, by: Self::default_by(), new_targets: NewTargets::Sent },
            Some(threshold) => Self {
                window: threshold.window.max(Self::DEFAULT_WINDOW),
                by: threshold.by.clone(),
                new_targets: NewTargets::Sent,
            },
        }
    }

    /// The fields that [`Throttle::DEFAULT_BY`] names.
    pub(super) fn default_by() -> Vec<Field> {
        Self::DEFAULT_BY.iter().filter_map(|alias| Field::parse(alias).ok()).collect()
    }

    /// The group of a finding, which is equal for repeats of one another: a hash of the rule and of the values of `by`.
    pub fn group(&self, rule: &str, record: &Record) -> String {
        group("throttle", rule, &self.by, record)
    }
}

impl Threshold {
    /// The group of a match, which is equal for matches that are counted together: a hash of the rule and of the values of `by`.
    pub fn group(&self, rule: &str, record: &Record) -> String {
        group("threshold", rule, &self.by, record)
    }

    /// The values that count, if values are counted. A match without any counts for nothing.
    pub fn values(&self, record: &Record) -> Option<Vec<String>> {
        self.distinct.as_ref().map(|field| values(field, record))
    }
}

pub(super) fn group(what: &str, rule: &str, by: &[Field], record: &Record) -> String {
    let mut parts = vec![what.to_owned(), rule.to_owned()];
    for field in by {
        let values = values(field, record);
        // How many, so that the values of one field are not taken for another's.
        parts.push(values.len().to_string());
        parts.extend(values);
    }
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    StableId::hash(&parts).as_str().to_owned()
}

/// The set of values of a field, as text.
fn values(field: &Field, record: &Record) -> Vec<String> {
    let found = Scope::Record(record).values(field);
    let mut values: Vec<String> = found.iter().map(|value| value.text().into_owned()).collect();
    values.sort();
    values.dedup();
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group_of(by: &[&str], record: &str) -> String {
        let by = by.iter().map(|field| Field::parse(field).unwrap()).collect();
        Throttle { window: 1, by, new_targets: NewTargets::Sent }.group("R", &Record::parse(record).unwrap())
    }

    #[test]
    fn a_group_is_what_its_values_are() {
        let by = ["eventName", "requestParameters.ids"];
        let one = group_of(&by, r#"{"eventName":"A","requestParameters":{"ids":["1","2"]},"eventID":"x"}"#);
        assert_eq!(one, group_of(&by, r#"{"eventName":"A","requestParameters":{"ids":["2","1","2"]},"eventID":"y"}"#));
        for other in [r#"{"eventName":"A","requestParameters":{"ids":["1"]}}"#, r#"{"eventName":"A"}"#, "{}"] {
            assert_ne!(one, group_of(&by, other), "{other}");
        }
        assert_ne!(group_of(&by, r#"{"eventName":"A"}"#), group_of(&by, r#"{"requestParameters":{"ids":"A"}}"#));
    }

    #[test]
    fn the_usual_throttle_follows_the_threshold() {
        assert_eq!(Throttle::default_for(None).by.len(), 4);
        let by = vec![Field::parse("source_ip").unwrap()];
        let threshold = Threshold { count: 5, window: 600, by: by.clone(), distinct: None };
        assert_eq!(
            Throttle::default_for(Some(&threshold)),
            Throttle { window: 600, by, new_targets: NewTargets::Sent }
        );
    }
}
