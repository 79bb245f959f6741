//! The calls that a rule can match, by its cells on who calls what: what else it asks of a call is not looked at.

use std::collections::{BTreeMap, BTreeSet};

use super::guardduty::PERSON;
use crate::cloudtrail::{ComputedAlias, Record, RecordError, without_version};
use crate::facts::DerivedField;
use crate::lint::{KnownCall, accepts};
use crate::rules::field::FieldTarget;
use crate::rules::{Cell, Row, Rule, Scope, Table};

/// What a rule can match.
#[derive(Debug, Default)]
pub(super) struct Reach<'c> {
    /// The calls that its rows name, by service and name; and whether it can match them when a person's role makes them.
    pub(super) calls: BTreeMap<(&'c str, &'c str), bool>,
    /// The services that a row names without naming calls.
    pub(super) services: BTreeSet<&'c str>,
    /// A row names neither calls nor services.
    pub(super) any_call: bool,
}

impl<'c> Reach<'c> {
    /// Every service that it names, or whose calls it names.
    pub(super) fn all_services(&self) -> BTreeSet<&'c str> {
        self.calls.keys().map(|(service, _)| *service).chain(self.services.iter().copied()).collect()
    }
}

/// Tells what rules can match.
pub(super) struct Reacher<'c> {
    calls: &'c [KnownCall],
    /// A person's role, who does nothing.
    person: Record<'static>,
}

impl<'c> Reacher<'c> {
    /// One that knows these calls.
    ///
    /// # Errors
    /// None, as long as the person's record is one.
    pub(super) fn new(calls: &'c [KnownCall]) -> Result<Self, RecordError> {
        Ok(Self { calls, person: Record::owned(PERSON)? })
    }

    /// What a rule can match.
    pub(super) fn of(&self, rule: &Rule) -> Reach<'c> {
        let mut reach = Reach::default();
        let excepted = rule.unless.iter().any(|exception| self.excepts_persons(&exception.when));
        for row in &rule.when.0 {
            let person = !excepted && self.may_be_person(row);
            let facts = facts(row);
            let (names_service, names_call) = (names(row, SERVICE), names(row, EVENT) || !facts.is_empty());
            if !names_service && !names_call {
                reach.any_call = true;
                continue;
            }
            let services = self.calls.iter().filter(|call| asks(row, SERVICE, call.service));
            if !names_call {
                reach.services.extend(services.map(|call| call.service));
                continue;
            }
            for call in
                services.filter(|call| asks(row, EVENT, call.name) && facts.iter().all(|fact| tells(fact, call)))
            {
                *reach.calls.entry((call.service, call.name)).or_default() |= person;
            }
        }
        reach
    }

    /// Whether every cell of the row about who calls is true of a person's role.
    fn may_be_person(&self, row: &Row) -> bool {
        row.0.iter().filter(|cell| is_identity(&cell.field.target)).all(|cell| cell.holds(Scope::Record(&self.person)))
    }

    /// Whether an exception covers whatever a person's role does.
    fn excepts_persons(&self, table: &Table) -> bool {
        let whatever = |row: &&Row| row.0.iter().all(|cell| is_identity(&cell.field.target));
        table.0.iter().filter(whatever).any(|row| self.may_be_person(row))
    }
}

const SERVICE: &str = "eventSource";
const EVENT: &str = "eventName";

/// No service and no call has this name: a condition that accepts it does not name what it accepts.
const NOBODY: &str = "-";

fn cells<'r>(row: &'r Row, key: &'static str) -> impl Iterator<Item = &'r Cell> {
    row.0.iter().filter(
        move |cell| matches!(&cell.field.target, FieldTarget::Path(path) if path.len() == 1 && &*path[0] == key),
    )
}

/// Whether a cell of the row names the values of a field that it accepts.
fn names(row: &Row, key: &'static str) -> bool {
    cells(row, key).any(|cell| accepts(&cell.condition, NOBODY) == Some(false))
}

/// Whether the row's cells accept this value of a field, as far as can be known.
fn asks(row: &Row, key: &'static str, value: &str) -> bool {
    cells(row, key).all(|cell| accepts(&cell.condition, value).unwrap_or(true))
}

/// The derived fields that must say something if the row is to match.
fn facts(row: &Row) -> Vec<&'static DerivedField> {
    let wanted = row.0.iter().filter(|cell| !cell.condition.holds_of_nothing());
    let derived = wanted.filter_map(|cell| match cell.field.target {
        FieldTarget::Derived(field) => Some(field),
        _ => None,
    });
    derived.collect()
}

/// Whether a derived field says something of such calls.
fn tells(field: &DerivedField, call: &KnownCall) -> bool {
    let name = without_version(call.name);
    field.calls.iter().any(|calls| calls.service == call.service && calls.events.contains(&name))
}

/// Whether a field tells who calls.
fn is_identity(target: &FieldTarget) -> bool {
    match target {
        FieldTarget::Path(path) => path.first().is_some_and(|first| &**first == "userIdentity"),
        FieldTarget::Computed(alias) => matches!(
            alias,
            ComputedAlias::Mfa
                | ComputedAlias::User
                | ComputedAlias::Role
                | ComputedAlias::Actor
                | ComputedAlias::Principal
                | ComputedAlias::ActingService
        ),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::known_calls;
    use crate::ruleset::RuleSet;

    fn with_reach<T>(keys: &str, test: impl FnOnce(Reach<'_>) -> T) -> T {
        let source = format!(r#"{{"rules":[{{"id":"R","title":"t","severity":"low",{keys}}}]}}"#);
        let compiled = RuleSet::compile(&source).unwrap();
        let calls: Vec<KnownCall> = known_calls().collect();
        test(Reacher::new(&calls).unwrap().of(&compiled.rules.rules()[0]))
    }

    #[test]
    fn a_row_reaches_the_calls_that_it_names() {
        let one = r#""when":{"service":{"is":"ec2.amazonaws.com"},"event":"^StopI"}"#;
        with_reach(one, |reach| {
            assert_eq!(reach.calls, [(("ec2.amazonaws.com", "StopInstances"), true)].into());
            assert!(reach.services.is_empty() && !reach.any_call);
        });
        with_reach(r#""when":{"event":{"is":"DeleteDetector"}}"#, |reach| {
            assert!(reach.all_services().contains("guardduty.amazonaws.com"));
        });
    }

    #[test]
    fn a_derived_field_reaches_the_calls_that_it_understands() {
        with_reach(r#""when":{"opened_to_world":{"exists":true}}"#, |reach| {
            assert!(reach.calls.contains_key(&("ec2.amazonaws.com", "AuthorizeSecurityGroupIngress")));
            assert!(!reach.calls.contains_key(&("ec2.amazonaws.com", "RunInstances")) && !reach.any_call);
        });
        with_reach(r#""when":{"event":{"is":"RunInstances"},"opened_to_world":{"exists":true}}"#, |reach| {
            assert!(reach.calls.is_empty());
        });
        with_reach(r#""when":{"event":{"is":"RunInstances"},"opened_to_world":{"exists":false}}"#, |reach| {
            assert!(reach.calls.contains_key(&("ec2.amazonaws.com", "RunInstances")));
        });
    }

    #[test]
    fn who_calls_tells_whether_a_persons_role_can_be_seen() {
        let reached = |cells: &str| {
            let keys =
                format!(r#""when":{{"service":{{"is":"ec2.amazonaws.com"}},"event":{{"is":"StopInstances"}},{cells}"#);
            with_reach(&keys, |reach| reach.calls[&("ec2.amazonaws.com", "StopInstances")])
        };
        assert!(reached(r#""role":"^AWSReservedSSO_"}"#));
        assert!(reached(r#""identity":{"not":{"is":"AWSService"}}}"#));
        assert!(reached(r#""requestParameters.x":"y"},"unless":[{"when":{"role":"^ci$"},"reason":"ours"}]"#));
        assert!(!reached(r#""identity":{"is":["IAMUser","Root"]}}"#));
        assert!(!reached(r#""user":{"exists":true}}"#));
        assert!(!reached(r#""region":"x"},"unless":[{"when":{"role":"^AWSReservedSSO_"},"reason":"people"}]"#));
    }

    #[test]
    fn what_names_no_call_is_told_apart() {
        with_reach(r#""when":{"service":{"is":"signin.amazonaws.com"},"error":{"exists":true}}"#, |reach| {
            assert_eq!(reach.services, ["signin.amazonaws.com"].into());
            assert!(reach.calls.is_empty() && !reach.any_call);
        });
        with_reach(r#""when":{"event":{"not":{"is":"HeadBucket"}},"outcome":"failure"}"#, |reach| {
            assert!(reach.any_call && reach.calls.is_empty() && reach.services.is_empty());
        });
    }
}
