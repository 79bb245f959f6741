//! One mistake hides nothing of what can be read: warnings are told beside errors, and none that only seems to be one because
//! something could not be read.

use std::fs;

use serde_json::Value;

use crate::support;

/// What `check` says of a `rules.json` and the packs beside it: level, code, pointer.
fn told(root: &str, packs: &[(&str, &str)]) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let rules = support::file(folder.path(), "rules.json", root);
    for (name, text) in packs {
        fs::write(folder.path().join(name), text).unwrap();
    }
    let mut command = support::offlimits(["check", "--format", "json"]);
    command.arg(&rules);
    let run = support::run(command);
    let document: Value = serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{}", run.shown()));
    let found = document["diagnostics"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    found.map(|d| format!("{} {} {}", text(&d["level"]), text(&d["code"]), text(&d["pointer"]))).collect()
}

fn rule(id: &str, event: &str, more: &str) -> String {
    format!(
        r#"{{ "id": "{id}", "title": "t", "severity": "low"{more},
              "when": {{ "service": {{ "is": "ec2.amazonaws.com" }}, "event": {event} }} }}"#
    )
}

#[test]
fn one_broken_rule_of_eight_hides_no_warning_of_the_others() {
    let mut rules: Vec<String> =
        (0..7).map(|n| rule(&format!("R{n}"), &format!(r#"{{ "is": "Strt{n}" }}"#), "")).collect();
    rules.push(rule("R7", "\"*\"", ""));
    let found = told(&format!("{{ \"rules\": [ {} ] }}", rules.join(",\n")), &[]);
    let expected: Vec<String> = (0..7)
        .map(|n| format!("warning unknown-event /rules/{n}/when/event/is"))
        .chain(["error bad-regex /rules/7/when/event".to_owned()])
        .collect();
    assert_eq!(found, expected);
}

/// A rule whose cell names the list, or that is sent to the channel, may be the one that is broken.
#[test]
fn what_only_the_broken_part_uses_is_not_called_unused() {
    let good = rule("A", r#"{ "is": "StopInstances" }"#, r#", "notify": [ "a" ]"#);
    let channels = r#""channels": { "a": { "type": "sns" }, "b": { "type": "sns" } }"#;
    let root = |rest: &str| format!("{{ {channels}, \"lists\": {{ \"l\": [ \"^Run\" ] }}, {rest} }}");
    for (root, expected) in [
        // A rule.
        (
            root(&format!("\"rules\": [ {good}, {} ]", rule("B", "\"(\"", r#", "notify": [ "b" ]"#))),
            vec!["error bad-regex /rules/1/when/event"],
        ),
        // A list by a misspelt name.
        (
            root(&format!("\"rules\": [ {good}, {} ]", rule("B", "\"@ll\"", r#", "notify": [ "b" ]"#))),
            vec!["error unknown-list /rules/1/when/event"],
        ),
        // A channel: the rule is sent to it, and nobody says that nobody hears of it, nor that there is no such channel.
        (
            format!("{{ \"channels\": {{ \"a\": {{ \"type\": \"slak\" }} }}, \"rules\": [ {good} ] }}"),
            vec!["error unknown-value /channels/a/type"],
        ),
        // A pack that cannot be read, of which a filter names a rule.
        (
            format!(
                "{{ \"channels\": {{ \"a\": {{ \"type\": \"sns\" }}, \"p\": {{ \"type\": \"sns\", \"rules\": [ \"P\" ] }} }}, \
                 \"include\": [ \"nope.json\" ], \"rules\": [ {good} ] }}"
            ),
            vec!["error unreadable-pack /include/0"],
        ),
        // A list that holds what it must not: the rules that name it are not judged by what it holds.
        (
            format!(
                "{{ \"lists\": {{ \"l\": [ \"^Nope\", [] ] }}, \"rules\": [ {}, {} ] }}",
                good.replace("\"a\"", "\"topic\""),
                rule("B", "\"@l\"", "")
            ),
            vec!["error wrong-type /lists/l/1"],
        ),
        // An allowance that a lint would need which says nothing beside mistakes.
        (
            root(&format!(
                "\"rules\": [ {}, {} ]",
                rule(
                    "A",
                    r#"{ "is": "StopInstances" }"#,
                    r#", "allow": [ { "lint": "unrouted-rule", "reason": "r" } ]"#
                ),
                rule("B", "\"(\"", "")
            )),
            vec!["error bad-regex /rules/1/when/event"],
        ),
        // Keys of the top that stand there twice: which counts is not known.
        (
            format!("{{ \"rules\": [ {} ], \"rules\": [ {good} ] }}", rule("A", r#"{ "is": "Strt" }"#, "")),
            vec!["error repeated-key /rules"],
        ),
    ] {
        let found = told(&root, &[]);
        let codes: Vec<&str> =
            found.iter().map(String::as_str).filter(|line| !line.starts_with("error unknown-channel")).collect();
        let expected: Vec<&str> =
            expected.into_iter().filter(|line| !line.starts_with("error unknown-channel")).collect();
        assert_eq!(codes, expected, "{root}");
    }
}

/// What an override says wrongly of one rule, the others do not suffer from.
#[test]
fn a_rule_whose_override_is_broken_is_not_judged_and_the_others_are() {
    let pack = format!(
        "{{ \"rules\": [ {}, {} ] }}",
        rule("P", r#"{ "is": "Strt" }"#, ""),
        rule("Q", r#"{ "is": "Stp" }"#, "")
    );
    let root = r#"{ "include": [ { "pack": "p.json", "overrides": { "P": { "severity": "hihg" } } } ] }"#;
    assert_eq!(
        told(root, &[("p.json", &pack)]),
        ["error unknown-value /include/0/overrides/P/severity", "warning unknown-event /rules/1/when/event/is"]
    );
    // A pack that is no JSON hides nothing of another.
    let root = r#"{ "include": [ "broken.json", "p.json" ] }"#;
    let found = told(root, &[("p.json", &pack), ("broken.json", "{ \"rules\": [ ], }")]);
    assert_eq!(found.len(), 3, "{found:?}");
    assert!(found.iter().filter(|line| line.starts_with("warning unknown-event")).count() == 2, "{found:?}");
}
