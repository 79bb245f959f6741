//! What EventBridge delivers to a rule in which state, and what that leaves of an alternative.

use std::collections::BTreeSet;

use super::alternative::Alternative;
use super::field::PatternField;
use super::values::{Text, Texts, Values};
use crate::cloudtrail::event_rule::WITH_READ_ONLY;

/// The state of an EventBridge rule, as far as it is about calls that CloudTrail records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DeliveryState {
    /// `ENABLED`: all but read-only calls.
    Plain,
    /// `ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS`: read-only calls too.
    All,
}

impl DeliveryState {
    /// As CloudFormation writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Plain => "ENABLED",
            Self::All => WITH_READ_ONLY,
        }
    }
}

/// How the names of read-only calls begin for EventBridge. Source:
/// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail-management.html>
const VERBS: [&str; 3] = ["Describe", "Get", "List"];

/// The one service with calls that begin so and are delivered all the same, by that page.
const STS: &str = "sts.amazonaws.com";

/// Those calls.
const DELIVERED: [&str; 2] = ["GetFederationToken", "GetSessionToken"];

/// Calls of the same service that do not begin so, and are delivered.
const OTHERS_OF_STS: [&str; 5] =
    ["AssumeRole", "AssumeRoleWithSAML", "AssumeRoleWithWebIdentity", "AssumeRoot", "DecodeAuthorizationMessage"];

/// Whether EventBridge keeps the call back from a rule in the state `ENABLED`. It goes by the name, as far as its guide says: what
/// does not begin so comes, however little it changes, and of what does two calls of STS alone. Data events come, whatever they are
/// called.
pub fn is_held_back(source: Option<&str>, name: Option<&str>, is_management: bool) -> bool {
    let Some(name) = name.filter(|_| is_management) else { return false };
    VERBS.iter().any(|verb| name.starts_with(verb)) && !(source == Some(STS) && DELIVERED.contains(&name))
}

/// What is left of an alternative if it need only let calls pass that are held back: none, one, or one for STS and one for the others.
pub(super) fn held_back(alternative: Alternative) -> Vec<Alternative> {
    let (source, name) = (alternative.get(PatternField::Source), alternative.get(PatternField::Name));
    let mut left = Vec::new();
    let names = reading(&name.texts);
    // Few of them change something: of these no more is asked.
    let changes = alternative.get(PatternField::ReadOnly);
    let alternative = if changes.accepts(Some("true")) || changes.absent {
        alternative
    } else {
        Alternative::default().with(PatternField::ReadOnly, changes)
    };
    if names != Texts::OneOf(BTreeSet::new()) {
        if source.accepts(Some(STS)) {
            let exact = |text: &Text| matches!(text, Text::Exact(_));
            let of_sts = match names.clone() {
                Texts::OneOf(names) if names.iter().all(exact) => {
                    let is_held_back = |name: &Text| !DELIVERED.iter().any(|delivered| name.accepts(delivered));
                    Texts::OneOf(names.into_iter().filter(is_held_back).collect())
                }
                _ => of_sts(),
            };
            let source = Values::some(Texts::exact([STS]));
            left.push(
                alternative.clone().with(PatternField::Source, source).with(PatternField::Name, Values::some(of_sts)),
            );
        }
        let others = Values { texts: without_sts(source.texts), absent: source.absent };
        left.push(alternative.with(PatternField::Source, others).with(PatternField::Name, Values::some(names)));
    }
    left.retain(|alternative| !alternative.is_impossible());
    left
}

/// The names of all read-only calls of a source that are held back, or more.
pub(super) fn all_held_back(source: &Text) -> Texts {
    if source.accepts(STS) { of_sts() } else { reading(&Texts::Any) }
}

/// The service that alternatives of every service leave out, since its calls have an alternative of their own.
pub(super) const APART: &str = STS;

/// All names but those that are delivered, or more.
fn of_sts() -> Texts {
    Texts::NoneOf(DELIVERED.iter().chain(&OTHERS_OF_STS).map(|name| Box::from(*name)).collect())
}

/// Those of the names that begin as read-only calls do.
fn reading(names: &Texts) -> Texts {
    let Texts::OneOf(names) = names else {
        return Texts::OneOf(VERBS.iter().map(|verb| Text::Prefix((*verb).into())).collect());
    };
    let mut reading = BTreeSet::new();
    for name in names {
        for verb in VERBS {
            match name {
                Text::Exact(text) if text.starts_with(verb) => drop(reading.insert(name.clone())),
                Text::Prefix(text) if text.starts_with(verb) => drop(reading.insert(name.clone())),
                Text::Prefix(text) if verb.starts_with(&**text) => drop(reading.insert(Text::Prefix(verb.into()))),
                Text::Exact(_) | Text::Prefix(_) => {}
                // It may overlap with the verb, or be all that follows it.
                Text::Suffix(text) => {
                    reading.extend(overlapping(verb, text).map(Text::Exact));
                    reading.insert(Text::Between(verb.into(), "".into(), text.clone()));
                }
                Text::Contains(text) => {
                    if verb.contains(&**text) {
                        reading.insert(Text::Prefix(verb.into()));
                        continue;
                    }
                    reading.extend(overlapping(verb, text).map(Text::Prefix));
                    reading.insert(Text::Between(verb.into(), text.clone(), "".into()));
                }
                Text::Between(..) => drop(reading.insert(Text::Prefix(verb.into()))),
                Text::AnyCase(text) => {
                    if text.starts_with(&verb.to_ascii_lowercase()) {
                        reading.insert(name.clone());
                    }
                }
            }
        }
    }
    Texts::OneOf(reading).minimal()
}

/// The texts that begin with the verb, end with the text, and are shorter than both together.
fn overlapping(verb: &str, text: &str) -> impl Iterator<Item = Box<str>> {
    let places = (0..verb.len()).filter(|place| text.starts_with(&verb[*place..]));
    places.map(|place| format!("{}{text}", &verb[..place]).into()).collect::<Vec<_>>().into_iter()
}

/// The services but STS, or more.
fn without_sts(sources: Texts) -> Texts {
    let all_but = || Texts::NoneOf([STS.into()].into());
    match sources {
        Texts::OneOf(sources) => {
            let is_other = |source: &Text| !matches!(source, Text::Exact(source) if &**source == STS);
            let others: BTreeSet<Text> = sources.into_iter().filter(is_other).collect();
            if others.iter().any(|source| source.accepts(STS)) { all_but() } else { Texts::OneOf(others) }
        }
        other => other.and(all_but()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_calls_of_sts_come_and_data_events_do() {
        assert!(is_held_back(Some("ec2.amazonaws.com"), Some("GetPasswordData"), true));
        assert!(is_held_back(Some(STS), Some("GetCallerIdentity"), true));
        assert!(is_held_back(Some("ec2.amazonaws.com"), Some("GetSessionToken"), true));
        for name in DELIVERED {
            assert!(!is_held_back(Some(STS), Some(name), true), "{name}");
        }
        assert!(!is_held_back(Some("s3.amazonaws.com"), Some("GetObject"), false));
        assert!(!is_held_back(Some("kms.amazonaws.com"), Some("Decrypt"), true) && !is_held_back(None, None, true));
    }

    #[test]
    fn a_part_of_a_name_may_overlap_with_the_verb() {
        let of = |text: Text| reading(&Texts::OneOf([text].into()));
        for (asked, names) in [
            (Text::Contains("tUser".into()), ["GetUser", "ListUsers"]),
            (Text::Suffix("tUser".into()), ["GetUser", "ListXtUser"]),
            (Text::Contains("e".into()), ["DescribeX", "Get"]),
            (Text::Prefix("G".into()), ["Get", "GetX"]),
        ] {
            assert!(names.iter().all(|name| of(asked.clone()).accepts(name)), "{asked:?}: {:?}", of(asked.clone()));
        }
        assert!(!of(Text::Contains("Trail".into())).accepts("DeleteTrail"));
    }
}
