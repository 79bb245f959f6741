//! What `check` is given for a `rules.json`.

use serde_json::{Value, json};

use super::make::{DEEP, MEGABYTE, gzip, gzip_bomb, nested, start_instances};
use crate::support;

#[test]
fn hostile_rules_are_checked() {
    let folder = tempfile::tempdir().unwrap();
    let event = support::repository("events/start-instances.json");
    let mut wrong = Vec::new();
    let cases = hostile_rules();
    assert!(cases.len() > 60, "{}", cases.len());
    for (name, bytes, codes) in cases {
        let rules = support::file(folder.path(), "hostile-rules.json", &bytes);
        let mut check = support::offlimits(["check"]);
        check.arg(&rules);
        let check = support::run(check);
        let told = check.stderr.contains("hostile-rules.json");
        if let Some(complaint) = check.misbehaviour() {
            wrong.push(format!("check: {name}: {complaint}"));
            continue;
        }
        if !check.code.is_some_and(|code| codes.contains(&code)) {
            wrong.push(format!("check: {name}: exit {:?}, not {codes:?}: {}", check.code, check.shown()));
        }
        if check.code != Some(0) && !told {
            wrong.push(format!("check: {name}: the file is not named: {}", check.shown()));
        }
        if check.stderr.contains('\u{1b}') {
            wrong.push(format!("check: {name}: an escape sequence reaches the terminal"));
        }
        // Nothing half-loaded ever runs: what check refuses, replay refuses.
        let replay = support::replay(&[&event], &rules);
        let expected = if check.code == Some(0) { 0 } else { 2 };
        if replay.misbehaviour().is_some() || replay.code != Some(expected) {
            wrong.push(format!("replay: {name}: exit {:?}, not {expected}: {}", replay.code, replay.shown()));
        }
    }
    assert!(wrong.is_empty(), "{} complaints:\n{}", wrong.len(), wrong.join("\n"));
}

/// A folder, nothing, and a name that is a file's parent are no rules: exit 2, named.
#[test]
fn rules_that_are_no_file_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let nowhere = folder.path().join("nowhere.json");
    for path in [folder.path(), &nowhere, &nowhere.join("deeper.json")] {
        let mut check = support::offlimits(["check"]);
        check.arg(path);
        let run = support::run(check);
        assert_eq!((run.code, run.misbehaviour()), (Some(2), None), "{}", run.shown());
        assert!(run.stderr.contains(path.to_str().unwrap()), "{}", run.shown());
    }
}

/// A file of rules, and the exit codes that `check` may end with.
#[expect(clippy::too_many_lines, reason = "a table")]
fn hostile_rules() -> Vec<(String, Vec<u8>, &'static [i32])> {
    const RIGHT: &[i32] = &[0];
    const WRONG: &[i32] = &[1];
    /// Not JSON: a mistake in the file, or a file that could not be read.
    const BROKEN: &[i32] = &[1, 2];
    const EITHER: &[i32] = &[0, 1];

    let rule = || json!({"id": "R", "title": "{event} by {actor}", "severity": "low", "when": {"event": "X"}});
    let whole = || json!({"rules": [rule()]});
    let text = whole().to_string();
    let event = |condition: Value| {
        let mut rules = whole();
        rules["rules"][0]["when"]["event"] = condition;
        rules.to_string()
    };
    let cell = |field: &str, condition: Value| {
        let mut rules = whole();
        rules["rules"][0]["when"] = json!({field: condition});
        rules.to_string()
    };
    let key = |key: &str, value: Value| {
        let mut rules = whole();
        rules["rules"][0][key] = value;
        rules.to_string()
    };
    let top = |key: &str, value: Value| {
        let mut rules = whole();
        rules[key] = value;
        rules.to_string()
    };

    let mut cases: Vec<(String, Vec<u8>, &'static [i32])> = Vec::new();
    let mut add = |name: &str, content: &[u8], codes| cases.push((name.to_owned(), content.to_vec(), codes));

    add("right", text.as_bytes(), RIGHT);
    add("empty", b"", BROKEN);
    add("white space", b" \n ", BROKEN);
    add("NUL bytes", &[0; 64], BROKEN);
    add("a NUL byte in a string", text.replace("{event}", "a\0b").as_bytes(), BROKEN);
    add("an escaped NUL in the id", key("id", json!("a\u{0}b")).as_bytes(), WRONG);
    add("an escape sequence in the id", key("id", json!("\u{1b}[2J")).as_bytes(), WRONG);
    add("byte order mark", format!("\u{feff}{text}").as_bytes(), RIGHT);
    add("UTF-16", &text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>(), BROKEN);
    add("invalid UTF-8", &[text.as_bytes(), b"\xff"].concat(), BROKEN);
    add("a lone surrogate in a pattern", text.replace("\"X\"", r#""\ud800""#).as_bytes(), EITHER);
    add("an event, not rules", start_instances().to_string().as_bytes(), WRONG);
    add("an unclosed brace", &text.as_bytes()[..text.len() - 1], BROKEN);
    add("text after the rules", format!("{text}x").as_bytes(), BROKEN);
    add("a comma too many", text.replace("]}", ",]}").as_bytes(), BROKEN);
    add("a comment", format!("// mine\n{text}").as_bytes(), BROKEN);
    add("gzip", &gzip(&text), EITHER);
    add("gzip bomb", &gzip_bomb(b"", b' ', 300), &[2]);
    for document in ["null", "[]", "{}", "5", "\"x\"", "[[]]", "true"] {
        add(&format!("the document is {document}"), document.as_bytes(), if document == "{}" { EITHER } else { WRONG });
    }
    add("rules stand twice", format!(r#"{{"rules":[],"rules":[{}]}}"#, rule()).as_bytes(), WRONG);
    add(
        "an id stands twice in a rule",
        text.replacen("\"id\":\"R\"", "\"id\":\"R\",\"id\":\"S\"", 1).as_bytes(),
        WRONG,
    );
    add(
        "a cell stands twice in a row",
        text.replace("\"event\":\"X\"", "\"event\":\"X\",\"event\":\"Y\"").as_bytes(),
        WRONG,
    );

    // Depth.
    add("arrays 100,000 deep", nested("[", "", "]", DEEP).as_bytes(), WRONG);
    add("when 100,000 deep", text.replace("{\"event\":\"X\"}", &nested("[", "", "]", DEEP)).as_bytes(), WRONG);
    add("not 100,000 deep", text.replace("\"X\"", &nested("{\"not\":", "\"X\"", "}", DEEP)).as_bytes(), WRONG);
    add("all 100,000 deep", text.replace("\"X\"", &nested("{\"all\":[", "\"X\"", "]}", DEEP)).as_bytes(), WRONG);
    add(
        "item 100,000 deep",
        text.replace("\"X\"", &nested("{\"item\":{\"a\":", "\"X\"", "}}", DEEP)).as_bytes(),
        WRONG,
    );
    add("not 100 deep", text.replace("\"X\"", &nested("{\"not\":", "\"X\"", "}", 100)).as_bytes(), EITHER);
    add(
        "an unknown key 100,000 deep",
        top("x", json!("PLACE")).replace("\"PLACE\"", &nested("[", "", "]", DEEP)).as_bytes(),
        WRONG,
    );

    // Regular expressions.
    for (name, pattern, codes) in [
        ("of a megabyte", "a".repeat(MEGABYTE), EITHER),
        ("that would fill the memory", "(a{1000}){1000}".to_owned(), WRONG),
        ("that would fill the memory thrice", "((a{1000}){1000}){1000}".to_owned(), WRONG),
        ("with Unicode classes, many times", r"[\pL\pN\p{Greek}]{5000}".to_owned(), WRONG),
        ("without case, many times", format!("(?i){}", "[a-z]{0,100}".repeat(1000)), EITHER),
        ("with an endless count", "a{99999999999999999999}".to_owned(), WRONG),
        ("with groups 100,000 deep", nested("(", "a", ")", DEEP), WRONG),
        ("with unclosed groups", "(".repeat(DEEP), WRONG),
        ("with empty alternatives", "|".repeat(DEEP), EITHER),
        ("with look-ahead", "(?!x)y".to_owned(), WRONG),
        ("with a back-reference", r"(a)\1".to_owned(), WRONG),
        ("that backtracks elsewhere", "(a+)+$".to_owned(), RIGHT),
        ("of nothing", String::new(), EITHER),
        ("with a NUL", "a\u{0}b".to_owned(), EITHER),
        ("with a flag that does not exist", "(?z)a".to_owned(), WRONG),
        ("of bytes that are no UTF-8", r"(?-u)\xff".to_owned(), WRONG),
        ("that is one backslash", "\\".to_owned(), WRONG),
    ] {
        add(&format!("a pattern {name}"), event(json!(pattern)).as_bytes(), codes);
    }
    add(
        "a part without a group",
        cell("region", json!({"same_as": {"field": "account", "part": "x"}})).as_bytes(),
        WRONG,
    );
    add(
        "a part with two groups",
        cell("region", json!({"same_as": {"field": "account", "part": "(x)(y)"}})).as_bytes(),
        WRONG,
    );

    // Operators with what they cannot take.
    for condition in [
        json!(null),
        json!(7),
        json!(true),
        json!([]),
        json!({}),
        json!({"is": null}),
        json!({"is": {}}),
        json!({"is": []}),
        json!({"is": "X", "not": "X"}),
        json!({"isnt": "X"}),
        json!({"not": null}),
        json!({"exists": "yes"}),
        json!({"cidr": "300.1.1.1/8"}),
        json!({"cidr": "10.0.0.0/33"}),
        json!({"cidr": "::/129"}),
        json!({"cidr": []}),
        json!({"cidr": 7}),
        json!({"above": "much"}),
        json!({"below": null}),
        json!({"all": []}),
        json!({"all": "X"}),
        json!({"same_as": "nowhere"}),
        json!({"same_as": {}}),
        json!({"item": {}}),
        json!({"item": []}),
        json!({"item": 7}),
        json!("@nowhere"),
        json!({"is": "@nowhere"}),
    ] {
        add(&format!("the condition {condition}"), event(condition.clone()).as_bytes(), WRONG);
    }
    // A list of conditions is a condition.
    add("a list in a list in a list", event(json!([[["X"]]])).as_bytes(), RIGHT);
    for number in ["1e999999", "-1e999999", "18446744073709551617"] {
        let above = event(json!({"above": "PLACE"})).replace("\"PLACE\"", number);
        add(&format!("above {number}"), above.as_bytes(), EITHER);
    }

    // Fields.
    for field in [
        "",
        ".",
        "..",
        "evnt",
        "requestParameters.",
        ".requestParameters",
        "requestParameters..a",
        "requestParameters[",
        "requestParameters[\"",
        "requestParameters[\"a\"",
        "requestParameters[0]",
        "requestParameters[*",
        "\u{0}",
        "e\u{301}vent",
    ] {
        add(&format!("the field {field:?}"), cell(field, json!("X")).as_bytes(), WRONG);
    }
    add(
        "a field of 100,000 names",
        cell(&format!("requestParameters{}", ".a".repeat(DEEP)), json!("X")).as_bytes(),
        EITHER,
    );
    add("a field of a megabyte", cell(&"x".repeat(MEGABYTE), json!("X")).as_bytes(), WRONG);
    add(
        "a field of 100,000 brackets",
        cell(&format!("requestParameters{}", "[*]".repeat(DEEP)), json!("X")).as_bytes(),
        EITHER,
    );

    // Every key of a rule, and of the file, holds what it cannot.
    let wrong_values =
        [json!(null), json!(7), json!(true), json!(""), json!([]), json!({}), json!([null]), json!([[]]), json!([{}])];
    for name in [
        "id",
        "title",
        "severity",
        "when",
        "unless",
        "notify",
        "throttle",
        "tags",
        "mode",
        "severity_when",
        "respond",
        "runbook",
        "description",
        "tests",
        "threshold",
    ] {
        for value in &wrong_values {
            let text = key(name, value.clone());
            add(&format!("{name} is {value}"), text.as_bytes(), EITHER);
        }
        // No key takes a number.
        add(&format!("{name} is 7, which is no {name}"), key(name, json!(7)).as_bytes(), WRONG);
    }
    for name in ["rules", "lists", "channels", "$schema", "nonsense"] {
        for value in &wrong_values {
            let text = top(name, value.clone());
            add(&format!("the file's {name} is {value}"), text.as_bytes(), EITHER);
        }
        add(
            &format!("the file's {name} is 7"),
            top(name, json!(7)).as_bytes(),
            if name == "$schema" { EITHER } else { WRONG },
        );
    }
    for (name, value) in [
        ("title", json!("{")),
        ("title", json!("}{")),
        ("title", json!("{}")),
        ("title", json!("{|}")),
        ("title", json!("{nowhere}")),
        ("title", json!("{event".repeat(1000))),
        ("unless", json!([{"when": {"event": "X"}, "reason": "r", "expires": "2027-02-30"}])),
        ("unless", json!([{"when": {"event": "X"}, "reason": "r", "expires": "99999-01-01"}])),
        ("unless", json!([{"when": {"event": "X"}, "reason": "r", "expires": "-1"}])),
        ("throttle", json!({"window": "999999999999999999999h", "by": ["actor"]})),
        ("throttle", json!({"window": "-5m", "by": ["actor"]})),
        ("throttle", json!({"window": "15m", "by": ["nowhere"]})),
        ("threshold", json!({"count": 1e300, "window": "10m"})),
        ("respond", json!(["{"])),
        ("respond", json!([{"do": "x", "run": "aws x; rm -r /"}])),
        ("respond", json!([{"do": "x", "run": "{event}"}])),
        ("respond", json!(vec!["x"; 100_000])),
        ("runbook", json!("javascript:alert(1)")),
        ("notify", json!(["nowhere"])),
        ("mode", json!("ALERT\u{0}")),
    ] {
        add(&format!("{name} is {value}"), key(name, value.clone()).as_bytes(), WRONG);
    }
    add("a title of a megabyte", key("title", json!("{event}".repeat(MEGABYTE / 7))).as_bytes(), EITHER);
    // Whatever a rule's own tests name, `check` does not wait for it.
    for event in ["/dev/zero", "/dev/stdin", "../../../../etc/passwd", "", "\u{0}", "."] {
        let tests = json!([{"name": "t", "event": event, "expect": true}]);
        add(&format!("a test of {event:?}"), key("tests", tests).as_bytes(), EITHER);
    }

    // Lists that lead to themselves, or nowhere.
    for lists in [
        json!({"a": ["@a"]}),
        json!({"a": ["@b"], "b": ["@a"]}),
        json!({"": ["x"]}),
        json!({"a": [1, null, {}]}),
        json!({"a": "x"}),
    ] {
        let mut rules = whole();
        rules["lists"] = lists.clone();
        rules["rules"][0]["when"]["event"] = json!("@a");
        add(&format!("lists {lists}"), rules.to_string().as_bytes(), EITHER);
    }

    // Many things at once. Each mistake is told, and that takes no longer for being many on one line.
    let many = |count: usize, make: &dyn Fn(usize) -> Value| {
        json!({"rules": (0..count).map(make).collect::<Vec<_>>()}).to_string()
    };
    let numbered = |index: usize| json!({"id": format!("R-{index}"), "title": "t", "severity": "low", "when": {"event": format!("^Event{index}$")}});
    add("100 rules", many(100, &numbered).as_bytes(), RIGHT);
    add("1,000 rules with one id", many(1_000, &|_| rule()).as_bytes(), WRONG);
    add(
        "1,000 rules with a wrong field each, on one line",
        many(
            1_000,
            &|index| json!({"id": format!("R-{index}"), "title": "t", "severity": "low", "when": {"evnt": "X"}}),
        )
        .as_bytes(),
        WRONG,
    );
    add(
        "1,000 unknown keys in a rule",
        key("x", json!(0))
            .replacen("\"x\":0", &(0..1_000).map(|n| format!("\"x{n}\":0")).collect::<Vec<_>>().join(","), 1)
            .as_bytes(),
        WRONG,
    );
    add("200 rows", key("when", json!(vec![json!({"event": "X"}); 200])).as_bytes(), EITHER);
    add(
        "200 literals",
        event(json!({"is": (0..200).map(|n| format!("Event{n}")).collect::<Vec<_>>()})).as_bytes(),
        EITHER,
    );
    cases
}
