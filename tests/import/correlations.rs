//! `offlimits import sigma` on what counts: aggregations, correlations, and collections of documents.

use serde_json::{Value, json};

use crate::support;

/// What an import of these files says and writes; null, if it writes nothing.
fn import(files: &[(&str, &str)]) -> (i32, Value, String) {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        support::file(folder.path(), name, text);
    }
    let mut command = support::offlimits(["import", "sigma", "."]);
    command.current_dir(folder.path());
    let run = support::run(command);
    assert_eq!(run.misbehaviour(), None, "{}", run.shown());
    (run.code.unwrap(), serde_json::from_str(&run.stdout).unwrap_or(Value::Null), run.stderr)
}

const BASE: &str = "title: Sign-in failed\nname: failed\nlogsource: {product: aws, service: cloudtrail}\nlevel: low\ndetection:\n  selection: {eventName|cased: ConsoleLogin}\n  condition: selection\n";

fn correlation(keys: &str) -> String {
    format!(
        "title: Many\nlevel: high\ncorrelation:\n  type: event_count\n  rules: [failed]\n  timespan: 10m\n  condition: {{gte: 5}}\n{keys}"
    )
}

#[test]
fn aggregations_become_thresholds() {
    let rule = "title: Many calls\nlogsource: {product: aws, service: cloudtrail}\nlevel: LOW\nstatus: Test\ndetection:\n  selection: {eventName|startswith: List}\n  timeframe: 10m\n  condition: selection | count(eventName) by userIdentity.arn > 50\n";
    let (code, written, report) = import(&[("a.yml", rule)]);
    assert_eq!(code, 0, "{report}");
    let expected = json!({"count": 51, "window": "10m", "by": ["userIdentity.arn"], "distinct": "event"});
    assert_eq!((&written["rules"][0]["threshold"], &written["rules"][0]["severity"]), (&expected, &json!("low")));
    // One level further up.
    let (_, written, report) = import(&[(
        "a.yml",
        &rule
            .replace("  timeframe", "timeframe")
            .replace("\ntimeframe: 10m", "")
            .replace("level:", "timeframe: 10m\nlevel:"),
    )]);
    assert_eq!(written["rules"][0]["threshold"], expected, "{report}");
    for (from, to, said) in [
        ("> 50", "< 50", "a count \"< 50\" cannot be expressed"),
        ("> 50", "> 1000", "1000 is the most"),
        ("10m", "30d", "a window of 30d cannot be expressed"),
        ("  timeframe: 10m\n", "", "it counts, and has no timeframe"),
        ("| count(eventName) by userIdentity.arn > 50", "", "it has a timeframe, and its condition counts nothing"),
        ("count(eventName)", "sum(eventName)", "\"sum\""),
        ("> 50", "> 50 | near x", "cannot be expressed"),
    ] {
        let (code, written, report) = import(&[("a.yml", &rule.replace(from, to))]);
        assert_eq!((code, written), (2, Value::Null), "{to}: {report}");
        assert!(report.contains("0 of 1 Sigma rule") && report.contains(said), "{to}: {report}");
    }
}

#[test]
fn correlations_become_thresholds_across_files() {
    let (code, written, report) =
        import(&[("base.yml", BASE), ("many.yml", &correlation("  group-by: [sourceIPAddress]\n"))]);
    let rules = written["rules"].as_array().unwrap();
    assert_eq!((code, rules.len()), (0, 1), "the rule that is counted does not alert on each match: {report}");
    assert_eq!(rules[0]["id"], "many");
    assert_eq!(rules[0]["threshold"], json!({"count": 5, "window": "10m", "by": ["source_ip"]}));
    assert_eq!(rules[0]["when"], json!([{"event": {"is": "ConsoleLogin"}}]));
    assert!(
        report.contains("2 of 2 Sigma rules") && report.contains("alert only as the correlation \"Many\" counts"),
        "{report}"
    );
    // Where it says so, they do.
    let (_, written, _) = import(&[("base.yml", BASE), ("many.yml", &correlation("  generate: true\n"))]);
    assert_eq!(written["rules"].as_array().unwrap().len(), 2);
    // Any of several rules.
    let other = BASE.replace("failed", "other").replace("ConsoleLogin", "SwitchRole");
    let both = correlation("").replace("[failed]", "[failed, other]");
    let (_, written, report) = import(&[("a.yml", BASE), ("b.yml", &other), ("c.yml", &both)]);
    assert_eq!(written["rules"][0]["when"], json!([{"event": {"is": ["ConsoleLogin", "SwitchRole"]}}]), "{report}");
}

#[test]
fn a_correlation_that_cannot_be_expressed_never_alerts_on_each_match() {
    for (from, to, said) in [
        ("type: event_count", "type: temporal", "\"temporal\" cannot be expressed"),
        ("{gte: 5}", "{eq: 5}", "a count \"= 5\" cannot be expressed"),
        ("timespan: 10m", "timespan: 2d", "a window of 2d"),
        ("[failed]", "[failed, nowhere]", "\"nowhere\", which is not in these files"),
    ] {
        let (code, written, report) = import(&[("a.yml", BASE), ("b.yml", &correlation("").replace(from, to))]);
        assert_eq!((code, written), (2, Value::Null), "{to}: {report}");
        for said in [said, "0 of 2 Sigma rules", "alone it would alert on each"] {
            assert!(report.contains(said), "{said}: {report}");
        }
    }
    let filter = "title: f\nlogsource: {product: aws, service: cloudtrail}\nfilter: {rules: [failed], selection: {eventName: x}, condition: not selection}\n";
    let (_, written, report) = import(&[("a.yml", BASE), ("f.yml", filter)]);
    assert_eq!(written["rules"].as_array().map(Vec::len), Some(1));
    assert!(report.contains("a filter narrows other rules"), "{report}");
}

#[test]
fn what_is_not_cloudtrails_is_not_counted() {
    let windows = "action: global\ntitle: Not about AWS\nlevel: high\n---\nlogsource: {product: windows, service: sysmon}\ndetection: {selection: {EventID: 1}, condition: selection}\n";
    let correlated = "title: w\nname: w\nlogsource: {category: process_creation, product: windows}\ndetection: {a: {Image: x}, condition: a}\n---\ntitle: ws\ncorrelation: {type: temporal, rules: [w], timespan: 5m}\n";
    let filter =
        "title: f\nlogsource: {product: windows}\nfilter: {rules: any, selection: {a: b}, condition: not selection}\n";
    let inherited = "action: global\nlogsource: {product: aws, service: cloudtrail}\nlevel: high\n---\ntitle: one\ndetection: {selection: {eventName: A}, condition: selection}\n---\ntitle: two\ndetection: {selection: {eventName: B}, condition: selection}\n";
    let (code, written, report) = import(&[
        ("1.yml", windows),
        ("2.yml", correlated),
        ("3.yml", filter),
        ("4.yml", inherited),
        ("5.yml", "a: 1\n"),
    ]);
    assert_eq!(code, 0, "{report}");
    let ids: Vec<&str> = written["rules"].as_array().unwrap().iter().filter_map(|rule| rule["id"].as_str()).collect();
    assert_eq!((ids, &written["rules"][1]["severity"]), (vec!["one", "two"], &json!("high")));
    assert!(
        report.starts_with("2 of 2 Sigma rules for CloudTrail imported, 5 documents for other log sources skipped"),
        "{report}"
    );
}

#[test]
fn a_selector_without_selections_is_or_over_nothing() {
    let rule = |condition: &str| BASE.replace("condition: selection", &format!("condition: {condition}"));
    let (code, written, report) = import(&[("a.yml", &rule("selection and not 1 of filter_*"))]);
    assert_eq!((code, &written["rules"][0]["when"]), (0, &json!([{"event": {"is": "ConsoleLogin"}}])), "{report}");
    assert!(report.contains("no selection is called as in \"1 of filter_*\""), "{report}");
    for condition in ["selection and 1 of filter_*", "not 1 of filter_*", "selection and not all of filter_*"] {
        let (code, _, report) = import(&[("a.yml", &rule(condition))]);
        assert_eq!(code, 2, "{condition}: {report}");
    }
}
