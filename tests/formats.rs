//! What `check` and `test` write for other people's programs: SARIF, GitHub's annotations, the XML of `JUnit`. The documents are also
//! written to `target/contract`, for the parsers of others in `tests/contract`.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::support::{self, Run, offlimits, run};

/// A warning, a note, and an error in a rule of many lines.
const WARNED: &str = r#"{ "rules": [
  { "id": "R", "title": "ü", "severity": "low", "when": { "identity": "^IAM", "service": "^ec2[.]", "event": { "is": "StrtInstances" } } }
] }"#;
const WRONG: &str = r#"{ "rules": [ {
  "id": "R", "title": "{nosuch, 100%}", "severity": "low", "when": { "event": "(" } } ] }"#;

fn contract(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("contract");
    fs::create_dir_all(&folder).unwrap();
    folder.join(name)
}

fn check(text: &str, arguments: &[&str]) -> Run {
    let folder = tempfile::tempdir().unwrap();
    support::file(folder.path(), "my, rules.json", text);
    let mut command = offlimits(["check", "my, rules.json"]);
    command.args(arguments).current_dir(folder.path());
    run(command)
}

#[test]
fn sarif_explains_each_code_as_the_tool_does() {
    for (name, text) in [("warned.sarif", WARNED), ("wrong.sarif", WRONG)] {
        let log = check(text, &["--format", "sarif"]).stdout;
        fs::write(contract(name), &log).unwrap();
        let log: Value = serde_json::from_str(&log).unwrap();
        let driver = &log["runs"][0]["tool"]["driver"];
        let rules = driver["rules"].as_array().unwrap();
        assert!(rules.len() >= 2, "{log}");
        for rule in rules {
            let code = rule["id"].as_str().unwrap();
            let explained = run(offlimits(["check", "--explain", code])).stdout;
            assert_eq!(rule["help"]["text"].as_str().unwrap(), explained.trim_end(), "{code}");
            // A sentence each, as code scanning shows it: <https://docs.github.com/en/code-security/reference/code-scanning/sarif-files/sarif-support>.
            let short = rule["shortDescription"]["text"].as_str().unwrap();
            assert!(!short.is_empty() && short.chars().count() <= 1024 && !short.contains('\n'), "{code}: {short}");
            let full = rule["fullDescription"]["text"].as_str().unwrap();
            assert!(full.chars().count() <= 1024 && explained.contains(full), "{code}: {full}");
            assert!(rule["help"]["markdown"].as_str().is_some_and(|text| explained.contains(text)), "{code}");
            // There is no address to name.
            assert_eq!(rule.get("helpUri"), None);
            let level = &rule["defaultConfiguration"]["level"];
            assert!(["error", "warning", "note"].iter().any(|known| level == known), "{code}");
        }
        assert_eq!(driver.get("informationUri"), None);
    }
}

/// Every code has what SARIF tells of it, not only those of two files.
#[test]
fn every_code_has_a_description_of_one_line() {
    let page = fs::read_to_string(support::repository("docs/diagnostics.md")).unwrap();
    let sections = page.split("\n### ").skip(1).map(|section| section.split_once('\n').unwrap());
    for (code, text) in sections {
        let first = text.trim().split("\n\n").next().unwrap_or_default();
        assert!(!first.is_empty() && !first.starts_with("```"), "{code} begins without a description");
    }
}

#[test]
fn annotations_are_one_line_each_and_escaped() {
    let lines = |text: &str| check(text, &["--format", "github"]).stdout;
    assert_eq!(
        lines(WARNED).lines().map(|line| line.split("::").nth(1).unwrap().to_owned()).collect::<Vec<_>>(),
        [
            "notice file=my%2C rules.json,line=2,col=59,endColumn=68,title=misses-assumed-role",
            "warning file=my%2C rules.json,line=2,col=118,endColumn=132,title=unknown-event",
        ]
    );
    let wrong = lines(WRONG);
    assert!(wrong.lines().count() >= 2 && wrong.lines().all(|line| line.starts_with("::error file=")), "{wrong}");
    assert!(wrong.contains("100%25") && wrong.contains(",title=unknown-field::"), "{wrong}");
    assert_eq!(check(WRONG, &["--format", "github"]).code, Some(1));
}

#[test]
fn junit_has_each_test_whatever_it_is_called() {
    let folder = tempfile::tempdir().unwrap();
    let hostile = "a ]]> <b> & \"c\" 'd' \u{1b}[31m \u{0}\u{7f}\u{ffff}\u{202e} é\r\n\tz";
    let rule = |id: &str, tests: Value| json!({"id": id, "title": "t", "severity": "low", "when": {"event": {"is": "StopLogging"}}, "tests": tests});
    let event = |name: &str| json!({"eventName": name});
    let rules = json!({"rules": [
        rule("A", json!([
            {"name": hostile, "event": event("StopLogging"), "expect": true},
            {"name": "fails", "event": event(hostile), "expect": true},
            {"name": "gone", "event": "no ]]>.json", "expect": true},
        ])),
        rule("B", json!([{"name": "one", "event": event("StopLogging"), "expect": true}])),
    ]});
    support::file(folder.path(), "rules.json", rules.to_string());
    let test = |more: &[&str]| {
        let mut command = offlimits(["test", "--format", "junit"]);
        command.args(more).current_dir(folder.path());
        run(command)
    };
    let run = test(&[]);
    assert_eq!(run.code, Some(2), "{}", run.shown());
    fs::write(contract("junit.xml"), &run.stdout).unwrap();
    fs::write(contract("junit.names.json"), json!([hostile, "fails", "gone", "one"]).to_string()).unwrap();
    for part in [
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"offlimits test\" tests=\"4\" failures=\"1\" errors=\"1\" skipped=\"0\">",
        "<testsuite name=\"A\" tests=\"3\" failures=\"1\" errors=\"1\" skipped=\"0\">",
        "name=\"a ]]&gt; &lt;b&gt; &amp; &quot;c&quot; &apos;d&apos; \u{fffd}[31m \u{fffd}\u{fffd}\u{fffd}\u{202e} é&#13;&#10;&#9;z\"/>",
        "<failure message=\"expected a match, and no row matches; row 0 is the nearest\" type=\"no-match\">",
        "<error message=\"cannot read its event: no ]]&gt;.json: ",
    ] {
        assert!(run.stdout.contains(part), "{part}\nin {}", run.stdout);
    }
    assert!(!run.stdout.contains("]]>") && !run.stdout.contains('\u{1b}'), "{}", run.stdout);
    // All tests are in it, also of a quiet run; what is missing and what no test notices are failures of their own.
    assert_eq!(test(&["--quiet"]).stdout, run.stdout);
    let more = test(&["--rule", "B", "--require-tests", "--mutate"]).stdout;
    assert!(more.contains("type=\"untested\"") && more.contains("a test notices: drop row 0 (/when/0)\"/>"), "{more}");
}
