//! Hours in a channel's filter: which findings it accepts, and what is told of mistakes.

use offlimits::channel::Refusal;
use offlimits::ruleset::RuleSet;
use serde_json::{Value, json};

use super::alerts::findings;

fn compile(channel: &Value) -> Result<RuleSet, Vec<String>> {
    let source = json!({
        "channels": { "c": channel },
        "rules": [{ "id": "r", "title": "t", "severity": "high", "when": { "event": { "is": "x" } } }]
    });
    RuleSet::compile(&source.to_string())
        .map(|compiled| compiled.rules)
        .map_err(|diagnostics| diagnostics.iter().map(ToString::to_string).collect())
}

#[test]
fn hours_are_those_of_the_event_in_the_zone_and_the_two_keys_part_the_week() {
    let office = json!({ "zone": "Europe/Berlin", "days": "Mon-Fri", "hours": "08:00-18:00" });
    let within = compile(&json!({ "type": "sns", "within": office })).unwrap();
    let outside = compile(&json!({ "type": "sns", "outside": office })).unwrap();
    let (_, mut finding) = findings().remove(1);
    for (time, is_office) in [
        ("2026-01-12T07:00:00Z", true),
        ("2026-01-12T06:59:59Z", false),
        ("2026-01-12T16:59:59Z", true),
        ("2026-01-12T17:00:00Z", false),
        // In summer the same hours come an hour earlier.
        ("2026-07-13T06:00:00Z", true),
        ("2026-07-13T16:00:00Z", false),
        ("2026-01-10T10:00:00Z", false),
        ("2026-01-12T10:00:00+05:00", false),
    ] {
        finding.call.event_time = Some(time.to_owned());
        let expected = (!is_office).then_some(Refusal::Filtered("within"));
        assert_eq!(within.channels()[0].refusal(&finding), expected, "{time}");
        let expected = is_office.then_some(Refusal::Filtered("outside"));
        assert_eq!(outside.channels()[0].refusal(&finding), expected, "{time}");
    }
    // Nobody is left untold of what has no time.
    for time in [None, Some("yesterday".to_owned())] {
        finding.call.event_time = time;
        assert_eq!((within.channels()[0].refusal(&finding), outside.channels()[0].refusal(&finding)), (None, None));
    }
}

#[test]
fn nights_and_lists_are_hours_too() {
    let (_, mut finding) = findings().remove(1);
    let night = json!({ "zone": "UTC", "days": ["Fri", "Sat-Sun"], "hours": ["22:00-06:00", "12:00-13:00"] });
    let rules = compile(&json!({ "type": "sns", "within": night })).unwrap();
    for (time, is_in) in [
        ("2026-01-09T22:00:00Z", true),
        ("2026-01-12T05:59:00Z", true),
        ("2026-01-12T22:00:00Z", false),
        ("2026-01-10T12:30:00Z", true),
    ] {
        finding.call.event_time = Some(time.to_owned());
        assert_eq!(rules.channels()[0].refusal(&finding).is_none(), is_in, "{time}");
    }
}

#[test]
fn mistakes_in_hours_are_told_with_their_place() {
    for (hours, place, part) in [
        (json!("08:00-18:00"), "/within:", "object"),
        (json!({ "hours": "08:00-18:00" }), "/within:", "zone"),
        (json!({ "zone": "UTC" }), "/within:", "hours"),
        (json!({ "zone": "Europe/Berln", "hours": "08:00-18:00" }), "/within/zone:", "Europe/Berlin"),
        (json!({ "zone": "UTC", "hours": "8-18" }), "/within/hours:", "invalid hours"),
        (json!({ "zone": "UTC", "hours": ["08:00-12:00", "x"] }), "/within/hours/1:", "invalid hours"),
        (json!({ "zone": "UTC", "days": "Monday" }), "/within/days:", "invalid days"),
        (json!({ "zone": "UTC", "days": [7] }), "/within/days/0:", "string"),
        (json!({ "zone": "UTC", "day": "Mon" }), "/within", "did you mean \"days\""),
    ] {
        let diagnostics = compile(&json!({ "type": "sns", "within": hours })).expect_err(&hours.to_string());
        let told = diagnostics.iter().any(|said| said.contains(&format!("/channels/c{place}")) && said.contains(part));
        let told = told || diagnostics.iter().any(|said| said.contains("/channels/c/within") && said.contains(part));
        assert!(told, "{hours}: {diagnostics:?}");
    }
}
