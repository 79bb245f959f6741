//! What rules need of those who deliver events: for whoever looks after a deployment.

use std::collections::BTreeSet;

use super::accepted::AcceptedCalls;
use super::catalogue::{CatalogueCall, Service};
use super::delivery::{calls_that, reason};
use super::view::{self, RowView, RuleView, SourceFiles};
use crate::rules::NeededEvents;
use crate::ruleset::{RuleSet, Sources};

/// What a rule needs.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RuleNeeds {
    /// The rule's id.
    pub rule: String,
    /// Whether a row of it can fire only where read-only calls are delivered, or the rule says so.
    pub read_only: bool,
    /// Whether a row of it can fire only where data events are recorded, or the rule says so.
    pub data: bool,
    /// The services whose data events its rows accept, if it needs any: `s3.amazonaws.com`. None, where that is not known.
    pub data_services: BTreeSet<&'static str>,
    /// The services of which its rows accept management events. A row that accepts every call counts for none.
    pub services: BTreeSet<&'static str>,
}

/// What each rule that is on needs, of rules that have compiled from `sources`.
pub fn needs(rules: &RuleSet, sources: &Sources) -> Vec<RuleNeeds> {
    let Some(files) = SourceFiles::parse(sources) else { return Vec::new() };
    view::rules(rules, &files).iter().filter(|view| view.rule.is_on()).map(of_rule).collect()
}

fn of_rule(view: &RuleView<'_>) -> RuleNeeds {
    let needs = |events| view.rule.needs_events.contains(&events) || calls_that(view, reason(events)).is_some();
    let data = needs(NeededEvents::Data);
    let services = |is_wanted: fn(&CatalogueCall) -> bool| -> BTreeSet<&'static str> {
        let accepted = view.rows.iter().flat_map(accepted);
        let wanted = accepted.filter(|(service, name)| service.call(name).is_some_and(is_wanted));
        wanted.map(|(service, _)| service.name).collect()
    };
    RuleNeeds {
        rule: view.rule.info.id.as_str().to_owned(),
        read_only: needs(NeededEvents::ReadOnly),
        data,
        data_services: if data { services(|call| call.data) } else { BTreeSet::new() },
        services: services(|call| !call.data),
    }
}

/// The known calls that a row accepts, unless it accepts every one.
fn accepted(row: &RowView<'_>) -> Vec<(&'static Service, &'static str)> {
    match AcceptedCalls::of_row(row) {
        AcceptedCalls::Every => Vec::new(),
        AcceptedCalls::Some(calls) => calls.known,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_rule_needs_what_its_rows_wait_for_and_what_it_says() {
        let rule = |id: &str, when: serde_json::Value, more: serde_json::Value| {
            let mut rule = json!({"id": id, "title": "t", "severity": "low", "when": when});
            rule.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            rule
        };
        let of = |service: &str, event: &str| json!({"service": {"is": service}, "event": {"is": event}});
        let rules = json!({"rules": [
            rule("READ", of("ec2.amazonaws.com", "DescribeInstances"), json!({})),
            rule("SAYS", of("sts.amazonaws.com", "GetCallerIdentity"), json!({"needs_events": ["read-only"]})),
            rule("DATA", of("s3.amazonaws.com", "GetObject"), json!({})),
            rule("WRITE", of("kms.amazonaws.com", "ScheduleKeyDeletion"), json!({})),
            rule("OFF", of("ec2.amazonaws.com", "DescribeInstances"), json!({"mode": "off"})),
            rule("EVERY", json!({"outcome": "failure"}), json!({})),
        ]});
        let sources = Sources::alone(rules.to_string());
        let rules = RuleSet::compile_sources(&sources).unwrap().rules;
        let found = needs(&rules, &sources);
        let shown: Vec<_> = found.iter().map(|needs| (needs.rule.as_str(), needs.read_only, needs.data)).collect();
        let expected = [
            ("READ", true, false),
            ("SAYS", true, false),
            ("DATA", false, true),
            ("WRITE", false, false),
            ("EVERY", false, false),
        ];
        assert_eq!(shown, expected);
        assert_eq!(found[2].data_services, ["s3.amazonaws.com"].into());
        assert_eq!(found[3].services, ["kms.amazonaws.com"].into());
        assert!(found[4].services.is_empty());
    }
}
