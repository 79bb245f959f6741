//! Each mistake in rules.json gives its code, at its place, and all of them come at once.

use std::collections::BTreeSet;
use std::path::Path;

use offlimits::config::Diagnostic;
use offlimits::rules::LINTS;
use offlimits::ruleset::RuleSet;

use super::schema;

pub(super) fn diagnostics(source: &str) -> Vec<Diagnostic> {
    match RuleSet::compile(source) {
        Ok(compiled) => compiled.warnings,
        Err(diagnostics) => diagnostics,
    }
}

/// A file with one rule, whose keys beyond the needed ones are `keys`.
fn rule(keys: &str) -> String {
    format!(r#"{{"lists":{{"l":["a"],"none":[]}},"rules":[{{"id":"R","title":"t","severity":"low",{keys}}}]}}"#)
}

#[test]
fn each_mistake_has_its_code_and_place() {
    let when = |cell: &str| rule(&format!(r#""when":{{{cell}}}"#));
    let channel = |keys: &str| {
        let (channel, when) = (format!(r#""c":{{"type":"sns",{keys}}}"#), r#""when":{"event":"x"}"#);
        format!(r#"{{"channels":{{{channel}}},"rules":[{{"id":"R","title":"t","severity":"low",{when}}}]}}"#)
    };
    let with = |keys: &str| rule(&format!(r#""when":{{"event":"x"}},{keys}"#));
    let cases = [
        ("»{".to_owned(), "syntax", ""),
        ("»[]".to_owned(), "wrong-type", ""),
        ("»{}".to_owned(), "missing-key", ""),
        // Of a file that is too new, nothing else is told.
        (r#"{"needs":»1000,"rulez":1}"#.to_owned(), "newer-rules", "/needs"),
        (r#"{"needs":»0,"rules":[{"id":"R","title":"t","severity":"low","when":{"event":"x"}}]}"#.to_owned(), "bad-number", "/needs"),
        (r#"{"rules":»[]}"#.to_owned(), "empty", "/rules"),
        (r#"{»"rulez":1,"rules":[{"id":"R","title":"t","severity":"low","when":{"event":"x"}}]}"#.to_owned(), "unknown-key", "/rulez"),
        (rule(r#""when":»[]"#), "empty", "/rules/0/when"),
        (rule(r#""when":»{}"#), "empty-row", "/rules/0/when"),
        (rule(r#""when":[{"event":"x"},»5]"#), "wrong-type", "/rules/0/when/1"),
        (rule(r#""when":{"event":"x"},»"when":{"event":"y"}"#), "repeated-key", "/rules/0/when"),
        (when(r#"»"evnt":"x""#), "unknown-field", "/rules/0/when/evnt"),
        (when(r#"»"requestParameters..x":"x""#), "bad-path", "/rules/0/when/requestParameters..x"),
        (when(r#""event":»"(""#), "bad-regex", "/rules/0/when/event"),
        (when(r#""event":»"(?!x)""#), "bad-regex", "/rules/0/when/event"),
        (when(r#""event":»"(a{1000}){1000}""#), "bad-regex", "/rules/0/when/event"),
        (when(r#""event":»"""#), "empty", "/rules/0/when/event"),
        (when(r#""event":»[]"#), "empty", "/rules/0/when/event"),
        (when(r#""event":["x",»null]"#), "wrong-type", "/rules/0/when/event/1"),
        (when(r#""read_only":»true"#), "wrong-type", "/rules/0/when/read_only"),
        (when(r#""mfa":»"Yes""#), "impossible-value", "/rules/0/when/mfa"),
        (when(r#""outcome":{"is":["failure",»"denied"]}"#), "impossible-value", "/rules/0/when/outcome/is/1"),
        (when(r#""event":{»"iz":"x"}"#), "unknown-operator", "/rules/0/when/event/iz"),
        (when(r#""event":»{}"#), "one-operator", "/rules/0/when/event"),
        (when(r#""event":»{"is":"x","not":"y"}"#), "one-operator", "/rules/0/when/event"),
        (when(r#""event":{"exists":»"yes"}"#), "wrong-type", "/rules/0/when/event/exists"),
        (when(r#""source_ip":{"cidr":»"10.0.0.0/33"}"#), "bad-network", "/rules/0/when/source_ip/cidr"),
        (when(r#""source_ip":{"cidr":["10.0.0.0/8",»"198.51.100.9/24"]}"#), "host-bits", "/rules/0/when/source_ip/cidr/1"),
        (when(r#""event":{"above":»"5"}"#), "wrong-type", "/rules/0/when/event/above"),
        (when(r#""time":{"within":»{"zone":"UTC"}}"#), "missing-key", "/rules/0/when/time/within"),
        (when(r#""time":{"within":»{"hours":"08:00-18:00"}}"#), "missing-key", "/rules/0/when/time/within"),
        (when(r#""time":{"outside":{"hours":»"8-18","zone":"UTC"}}"#), "bad-hours", "/rules/0/when/time/outside/hours"),
        (when(r#""time":{"outside":{"days":["Mon",»"Fry"],"zone":"UTC"}}"#), "bad-hours", "/rules/0/when/time/outside/days/1"),
        (when(r#""time":{"outside":{"days":"Mon","zone":»"Europe/Berln"}}"#), "unknown-zone", "/rules/0/when/time/outside/zone"),
        (r#"{"time_zone":»"Europe/Berln","rules":[{"id":"R","title":"t","severity":"low","when":{"event":"x"}}]}"#.to_owned(), "unknown-zone", "/time_zone"),
        (r#"{"sso_start_url":»"https://d-1.awsapps.com/start/#/","rules":[{"id":"R","title":"t","severity":"low","when":{"event":"x"}}]}"#.to_owned(), "bad-link", "/sso_start_url"),
        (r#"{"sso_start_url":»"http://d-1.awsapps.com/start","rules":[{"id":"R","title":"t","severity":"low","when":{"event":"x"}}]}"#.to_owned(), "bad-link", "/sso_start_url"),
        (r#"{"sso_role":»"Admin","rules":[{"id":"R","title":"t","severity":"low","when":{"event":"x"}}]}"#.to_owned(), "no-access-portal", "/sso_role"),
        (r#"{"sso_start_url":"https://d-1.awsapps.com/start","sso_role":»"Admin&x","rules":[{"id":"R","title":"t","severity":"low","when":{"event":"x"}}]}"#.to_owned(), "bad-name", "/sso_role"),
        (when(r#"»"country":{"is":"DE"}"#), "no-countries", "/rules/0/when/country"),
        (when(r#"»"account_name":{"is":"prod"}"#), "no-accounts", "/rules/0/when/account_name"),
        (when(r#"»"ou":"^Workloads""#), "no-accounts", "/rules/0/when/ou"),
        (r#"{"channels":{"a":{"type":"sns",»"units":["W"]}},"rules":[{"id":"R","title":"t","severity":"low","when":{"event":"x"}}]}"#.to_owned(), "no-accounts", "/channels/a/units"),
        (when(r#""event":»"@nope""#), "unknown-list", "/rules/0/when/event"),
        (when(r#""event":»"@none""#), "empty-list", "/rules/0/when/event"),
        (when(r#""event":{"same_as":»"nope"}"#), "unknown-field", "/rules/0/when/event/same_as"),
        (when(r#""event":{"same_as":{"field":"user","part":»"x"}}"#), "one-group", "/rules/0/when/event/same_as/part"),
        (when(r#""actor":{»"item":{".":"x"}}"#), "no-items", "/rules/0/when/actor/item"),
        (when(r#""actor":{»"count":{"above":1}}"#), "no-items", "/rules/0/when/actor/count"),
        (when(r#""resources":{"count":»5}"#), "one-operator", "/rules/0/when/resources/count"),
        (when(r#""resources":{"count":»{"above":1,"below":5}}"#), "one-operator", "/rules/0/when/resources/count"),
        (when(r#""resources":{"count":{»"more_than":5}}"#), "unknown-operator", "/rules/0/when/resources/count/more_than"),
        (when(r#""resources":{"count":{"above":»"5"}}"#), "bad-number", "/rules/0/when/resources/count/above"),
        (when(r#""resources":{"count":{"below":»0}}"#), "bad-number", "/rules/0/when/resources/count/below"),
        (when(r#""resources":{"count":{"is":[1,»1.5]}}"#), "bad-number", "/rules/0/when/resources/count/is/1"),
        (when(r#""resources":{"count":{"is":»[]}}"#), "empty", "/rules/0/when/resources/count/is"),
        (when(r#""resources":{"item":{»"a..b":"x"}}"#), "bad-path", "/rules/0/when/resources/item/a..b"),
        (with(r#""mode":»"quiet""#), "unknown-value", "/rules/0/mode"),
        (with(r#""since":»"0.2""#), "bad-version", "/rules/0/since"),
        (with(r#""needs_events":[»"reads"]"#), "unknown-value", "/rules/0/needs_events/0"),
        (with(r#""needs_events":»"data""#), "wrong-type", "/rules/0/needs_events"),
        (r#"{"include":[{"pack":"p.json","stage_new_since":»"v1","content":{"rules":[{"id":"P","title":"t","severity":"low","when":{"event":"x"}}]}}]}"#.to_owned(), "bad-version", "/include/0/stage_new_since"),
        (with(r#""notify":[»"nobody"]"#), "unknown-channel", "/rules/0/notify/0"),
        (with(r#""runbook":»"javascript:alert(1)""#), "bad-link", "/rules/0/runbook"),
        (with(r#""respond":»5"#), "wrong-type", "/rules/0/respond"),
        (with(r#""respond":»[]"#), "empty", "/rules/0/respond"),
        (with(r#""respond":[»5]"#), "wrong-type", "/rules/0/respond/0"),
        (with(r#""respond":[»""]"#), "empty", "/rules/0/respond/0"),
        (with(r#""respond":[»"{nope}"]"#), "unknown-field", "/rules/0/respond/0"),
        (with(r#""respond":["a",»"{event"]"#), "bad-step", "/rules/0/respond/1"),
        (with(r#""respond":[»{"run":"aws x"}]"#), "missing-key", "/rules/0/respond/0"),
        (with(r#""respond":[{"do":"a",»"rum":"aws x"}]"#), "unknown-key", "/rules/0/respond/0/rum"),
        (with(r#""respond":[{"do":»7}]"#), "wrong-type", "/rules/0/respond/0/do"),
        (with(r#""respond":[{"do":"a","run":»["aws"]}]"#), "wrong-type", "/rules/0/respond/0/run"),
        (with(r#""respond":[{"do":"a","run":»"aws x --y {nope}"}]"#), "unknown-field", "/rules/0/respond/0/run"),
        (with(r#""respond":[{"do":"a","run":»"aws x --y={user}"}]"#), "bad-step", "/rules/0/respond/0/run"),
        (with(r#""respond":[{"do":"a","run":»"aws x | sh"}]"#), "bad-step", "/rules/0/respond/0/run"),
        (with(r#""respond":[{"do":"a","when":{»"evnt":"x"}}]"#), "unknown-field", "/rules/0/respond/0/when/evnt"),
        (with(&format!(r#""respond":[{{"do":»"{}"}}]"#, "x".repeat(201))), "too-long", "/rules/0/respond/0/do"),
        (with(&format!(r#""respond":[{{"do":"a","run":»"{}"}}]"#, "x".repeat(501))), "too-long", "/rules/0/respond/0/run"),
        (with(&format!(r#""respond":»[{}"a"]"#, r#""a","#.repeat(12))), "too-many", "/rules/0/respond"),
        (with(r#""unless":[»{"when":{"user":"x"}}]"#), "missing-key", "/rules/0/unless/0"),
        (with(r#""unless":[{"when":{"user":"x"},"reason":"y","expires":»"2027-02-30"}]"#), "bad-date", "/rules/0/unless/0/expires"),
        (with(r#""unless":[{"when":{"user":"x"},"reason":"y","from":»"2027-03-31T22:00"}]"#), "bad-date", "/rules/0/unless/0/from"),
        (with(r#""unless":[{"when":{"user":"x"},"reason":"y","expires":»"2027-03-28T02:30[Europe/Berlin]"}]"#), "bad-date", "/rules/0/unless/0/expires"),
        (with(r#""unless":[{"when":{"user":"x"},"reason":"y","from":"2027-03-31T22:00Z","expires":»"2027-03-31T22:00+01:00"}]"#), "bad-date", "/rules/0/unless/0/expires"),
        (with(r#""throttle":{"window":»"soon"}"#), "bad-duration", "/rules/0/throttle/window"),
        (with(r#""throttle":»"never""#), "wrong-type", "/rules/0/throttle"),
        (with(r#""threshold":{"count":»1,"window":"10m"}"#), "bad-number", "/rules/0/threshold/count"),
        (with(r#""threshold":{"count":5,"window":»"25h"}"#), "bad-duration", "/rules/0/threshold/window"),
        (with(r#""threshold":{"count":5,"window":"1h","distinct":»"usr"}"#), "unknown-field", "/rules/0/threshold/distinct"),
        (channel(r#""incident":{"window":»"30s"}"#), "bad-duration", "/channels/c/incident/window"),
        (channel(r#""incident":{"by":[»"acount"]}"#), "unknown-field", "/channels/c/incident/by/0"),
        (channel(r#""incident":{"by":[»"account_name"]}"#), "no-accounts", "/channels/c/incident/by/0"),
        (channel(r#""incident":{»"for":"1h"}"#), "unknown-key", "/channels/c/incident/for"),
        (channel(r#""incident":»true"#), "wrong-type", "/channels/c/incident"),
        (with(r#""allow":[{"lint":»"data-evnt","reason":"r"}]"#), "unknown-value", "/rules/0/allow/0/lint"),
        (with(r#""allow":[»{"lint":"data-event"}]"#), "missing-key", "/rules/0/allow/0"),
        (with(r#""tests":[{"name":"x","event":»5,"expect":true}]"#), "wrong-type", "/rules/0/tests/0/event"),
        (r#"{"rules":[{"id":»"a b","title":"t","severity":"low","when":{"event":"x"}}]}"#.to_owned(), "bad-name", "/rules/0/id"),
        (r#"{"rules":[{"id":"R","title":»"{nope}","severity":"low","when":{"event":"x"}}]}"#.to_owned(), "unknown-field", "/rules/0/title"),
        (r#"{"rules":[{"id":"R","title":»"{","severity":"low","when":{"event":"x"}}]}"#.to_owned(), "bad-title", "/rules/0/title"),
        (r#"{"rules":[{"id":"R","title":"t","severity":»"hihg","when":{"event":"x"}}]}"#.to_owned(), "unknown-value", "/rules/0/severity"),
        (r#"{"lists":{"l":[»"@m"]},"rules":[{"id":"R","title":"t","severity":"low","when":{"event":"x"}}]}"#.to_owned(), "nested-list", "/lists/l/0"),
        (r#"{"channels":{"c":{"type":»"slak"}},"rules":[{"id":"R","title":"t","severity":"low","when":{"event":"x"}}]}"#.to_owned(), "unknown-value", "/channels/c/type"),
        (r#"{"channels":{"c":{"type":"sns","topic_arn":»"x"}},"rules":[{"id":"R","title":"t","severity":"low","when":{"event":"x"}}]}"#.to_owned(), "bad-arn", "/channels/c/topic_arn"),
        (r#"{"respond":{»"Q":["a"]},"rules":[{"id":"R","title":"t","severity":"low","when":{"event":"x"}}]}"#.to_owned(), "unknown-rule", "/respond/Q"),
        (r#"{"respond":{"R":»["a"]},"rules":[{"id":"R","title":"t","severity":"low","when":{"event":"x"},"respond":["b"]}]}"#.to_owned(), "repeated-key", "/respond/R"),
        (r#"{"respond":»["a"],"rules":[{"id":"R","title":"t","severity":"low","when":{"event":"x"}}]}"#.to_owned(), "wrong-type", "/respond"),
        (r#"{"channels":{"c":{"type":"sns","rules":[»"Q"]}},"rules":[{"id":"R","title":"t","severity":"low","when":{"event":"x"}}]}"#.to_owned(), "unknown-rule", "/channels/c/rules/0"),
    ];
    for (marked, code, pointer) in cases {
        let (source, place) = unmarked(&marked);
        let found: Vec<_> =
            diagnostics(&source).iter().map(|d| (d.code, d.pointer.clone(), (d.line, d.column))).collect();
        assert_eq!(found, [(code, pointer.to_owned(), place)], "{source}");
        schema::agrees(&source, &[code]);
        assert!(diagnostics(&source).iter().all(|d| !d.help.is_empty() && !d.message.is_empty()));
    }
}

#[test]
fn all_mistakes_come_at_once_in_the_order_of_the_file() {
    let source = r#"{
  "rules": [
    { "id": "A", "title": "t", "severity": "hihg", "when": { "evnt": "(", "event": "(" } },
    { "id": "B", "titel": "t", "severity": "low", "when": { "event": "x" } },
    { "id": "C", "title": "t", "severity": "low", "when": { "event": "x" } },
    { "id": "C", "title": "t", "severity": "low", "when": { "event": "x" } }
  ]
}"#;
    let found: Vec<_> = diagnostics(source).iter().map(|d| (d.line, d.column, d.code)).collect();
    let expected = [
        (3, 44, "unknown-value"),
        (3, 62, "unknown-field"),
        (3, 84, "bad-regex"),
        (4, 5, "missing-key"),
        (4, 18, "unknown-key"),
        (6, 13, "repeated-id"),
    ];
    assert_eq!(found, expected);
}

#[test]
fn help_names_the_remedy() {
    let help = |source: &str| diagnostics(source).remove(0).help;
    assert_eq!(help(&rule(r#""when":{"evnet":"x"}"#)), r#"did you mean "event"?"#);
    assert_eq!(
        help(&rule(r#""when":{"event":"@m"}"#)),
        r#"did you mean "@l"? Otherwise, to search for the character @, write "[@]m""#
    );
    assert_eq!(help(&rule(r#""when":{"read_only":true}"#)), r#"write {"is": true}"#);
    assert_eq!(
        help(&rule(r#""when":{"source_ip":{"cidr":"198.51.100.9/24"}}"#)),
        "write 198.51.100.0/24, or 198.51.100.9 for this address alone"
    );
    let allow = r#""when":{"event":"x"},"allow":[{"lint":"data-evnt","reason":"r"}]"#;
    assert_eq!(help(&rule(allow)), r#"did you mean "data-event"?"#);
}

#[test]
fn the_example_of_every_key_compiles() {
    let text = include_str!("../../docs/rules.md");
    let source = text.split("```json").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    assert_eq!(diagnostics(source), []);
}

/// Takes the mark » out of a source; it stands where a diagnostic must point. Returns line and column, too.
pub(super) fn unmarked(marked: &str) -> (String, (usize, usize)) {
    let at = marked.find('»').unwrap_or_else(|| panic!("no mark: {marked}"));
    let before = &marked[..at];
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (marked.replace('»', ""), (before.matches('\n').count() + 1, column))
}

/// Every code that stands in the source has a section in `docs/diagnostics.md`, and every section a code.
#[test]
fn every_code_is_documented() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let docs = std::fs::read_to_string(root.join("docs/diagnostics.md")).unwrap();
    let documented: BTreeSet<&str> = docs.lines().filter_map(|line| line.strip_prefix("### ")).collect();
    let reported =
        regex::Regex::new(r#"(?:\.(?:error|warning|note|warn|warn_of_file)\(|\bcode: |\bCODE: &str = )\s*"([a-z-]+)""#)
            .unwrap();
    let mut codes: BTreeSet<String> = LINTS.iter().map(ToString::to_string).collect();
    let mut folders = vec![root.join("src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                // What doctor finds wrong of a deployment is in docs/doctor.md.
                folders.extend(Some(path).filter(|folder| !folder.ends_with("cli/doctor")));
            } else if path.extension().is_some_and(|end| end == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                let code = text.split("#[cfg(test)]").next().unwrap_or_default();
                codes.extend(reported.captures_iter(code).map(|found| found[1].to_owned()));
            }
        }
    }
    let codes: BTreeSet<&str> = codes.iter().map(String::as_str).collect();
    let undocumented: Vec<_> = codes.difference(&documented).collect();
    assert!(undocumented.is_empty(), "add a section to docs/diagnostics.md for {undocumented:?}");
    let gone: Vec<_> = documented.difference(&codes).collect();
    assert!(gone.is_empty(), "docs/diagnostics.md has sections on what nothing reports: {gone:?}");
}
