//! `offlimits preview`: what people see of what would be sent, and how it ends where there is nothing to see.
//! `tests/report/test_preview.py` looks at the page.

use std::path::Path;

use serde_json::json;

use crate::support::{Run, file, offlimits, repository, run};

const STOP: &str = "events/stop-logging.json";

fn rules(folder: &Path) {
    let rules = json!({
        "channels": {
            "topic": { "type": "sns" }, "soc": { "type": "slack" }, "teams": { "type": "teams" }, "pager": { "type": "pagerduty" },
            "desk": { "type": "zendesk", "subdomain": "acme" }, "now": { "type": "servicenow", "instance": "acme" },
            "siem": { "type": "webhook" }, "worst": { "type": "slack", "min_severity": "extreme" },
        },
        "rules": [
            { "id": "TRAIL", "title": "Trail stopped by {actor}", "severity": "high", "when": { "event": { "is": "StopLogging" } } },
            { "id": "STAGED", "title": "{event}", "severity": "low", "mode": "stage", "when": { "event": { "is": "CreateUser" } } },
        ]
    });
    file(folder, "rules.json", rules.to_string());
}

/// Runs it where these rules are.
fn preview(arguments: &[&str]) -> Run {
    let folder = tempfile::tempdir().unwrap();
    rules(folder.path());
    std::os::unix::fs::symlink(repository("events"), folder.path().join("events")).unwrap();
    let mut command = offlimits(["preview"]);
    command.args(arguments).current_dir(folder.path());
    run(command)
}

/// The screens that were printed: what each is called, and its text.
fn screens(run: &Run) -> Vec<(String, String)> {
    let screens = run.stdout.split("\n── ").skip(1).map(|screen| {
        let (label, text) = screen.split_once('\n').unwrap_or((screen, ""));
        (label.trim_end_matches(['─', ' ']).to_owned(), text.to_owned())
    });
    screens.collect()
}

#[test]
fn every_channel_that_takes_an_alert_shows_it_as_it_is_sent() {
    let shown = preview(&[STOP]);
    assert_eq!(shown.code, Some(0), "{}", shown.stderr);
    let found = screens(&shown);
    let labels: Vec<&str> = found.iter().map(|(label, _)| label.as_str()).collect();
    let expected = [
        "Zendesk, a new ticket · desk",
        "ServiceNow, a new incident · now",
        "PagerDuty · pager",
        "webhook · siem",
        "Slack · soc",
        "Teams · teams",
        "Email · topic",
        "SMS · topic",
    ];
    assert_eq!(labels, expected);
    for (label, text) in &found {
        // Words may be broken over two lines.
        let words: String = text.split_whitespace().filter(|word| !"▌│┆".contains(word)).collect();
        assert!(words.contains("StopLogging"), "{label}: {text}");
        assert!(!text.contains("┆"), "{label} shows an element that the preview does not know: {text}");
    }
    let only = preview(&[STOP, "--channel", "soc"]);
    assert_eq!(screens(&only).len(), 1, "{}", only.stdout);
}

/// One of each type, as its file in `tests/channels` configures it.
#[test]
fn every_type_of_channel_has_a_look_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let channels = crate::channels::samples::channels();
    let rules = json!({
        "channels": channels,
        "rules": [{ "id": "TRAIL", "title": "Trail stopped by {actor}", "severity": "high", "when": { "event": { "is": "StopLogging" } },
                    "respond": [{ "do": "Start it again.", "run": "aws cloudtrail start-logging --name x --region {region}" }] }],
    });
    file(folder.path(), "rules.json", rules.to_string());
    for (kind, sum) in [("first", ""), ("repeat", ""), ("roll-up", " and 1 more")] {
        let mut command = offlimits(["preview", "--kind", kind]);
        command.arg(repository(STOP)).arg(repository(STOP)).current_dir(folder.path());
        let shown = run(command);
        assert_eq!(shown.code, Some(0), "{}", shown.stderr);
        let found = screens(&shown);
        let count = if kind == "roll-up" { 1 } else { 2 };
        assert_eq!(found.len(), count * (channels.as_object().unwrap().len() + 2), "{kind}: {found:?}");
        for (label, text) in found {
            let words = text.split_whitespace().filter(|word| !"▌│".contains(word)).collect::<Vec<_>>().join(" ");
            let is_machine = label.starts_with("webhook");
            // An SMS has a sentence of its own.
            let is_sms = label.starts_with("SMS");
            // What has no look of its own is called as its type is, and shown as JSON.
            let is_bare = channels.as_object().unwrap().keys().any(|name| label == format!("{name} · {name}"));
            assert!(is_machine || !text.contains("┆") && !is_bare, "{label} is not laid out: {text}");
            assert!(is_machine || is_sms || words.contains("Trail stopped by"), "{label}: {text}");
            assert!(is_machine || is_sms || words.contains(sum), "{label}: {text}");
        }
    }
}

#[test]
fn every_kind_is_shown_and_what_needs_no_event_has_a_sample() {
    for kind in ["first", "repeat", "roll-up", "digest"] {
        let shown = preview(&[STOP, STOP, "--kind", kind]);
        assert_eq!(
            (shown.code, screens(&shown).len()),
            (Some(0), if kind == "first" || kind == "repeat" { 16 } else { 8 }),
            "{kind}"
        );
    }
    for (kind, count) in [("digest", 9), ("test", 9), ("operational", 2)] {
        let shown = preview(&["--kind", kind]);
        assert_eq!((shown.code, screens(&shown).len()), (Some(0), count), "{kind}: {}", shown.stdout);
    }
    assert!(preview(&["--kind", "test"]).stdout.contains("TEST"));
    let repeat = preview(&[STOP, "--kind", "repeat", "--channel", "desk"]);
    assert!(repeat.stdout.contains("an internal note on the ticket"), "{}", repeat.stdout);
}

#[test]
fn what_several_rules_find_in_one_record_is_one_message_of_each_channel() {
    let folder = tempfile::tempdir().unwrap();
    let rule = |id: &str, severity: &str, mode: &str| json!({ "id": id, "title": format!("{id}'s title"), "severity": severity, "mode": mode, "when": { "event": { "is": "StopLogging" } } });
    let rules = json!({
        "channels": { "soc": { "type": "slack" }, "worst": { "type": "slack", "min_severity": "high" } },
        "rules": [rule("LESS", "low", "alert"), rule("MOST", "high", "alert"), rule("QUIET", "high", "stage")],
    });
    file(folder.path(), "rules.json", rules.to_string());
    let mut command = offlimits(["preview"]);
    command.arg(repository(STOP)).current_dir(folder.path());
    let shown = run(command);
    let soc: Vec<String> =
        screens(&shown).into_iter().filter(|(label, _)| label.contains("soc")).map(|(_, text)| text).collect();
    assert_eq!(soc.len(), 2, "{}", shown.stdout);
    // The staged one, which nobody is told of, stands by itself.
    assert!(soc[0].contains("QUIET's title") && !soc[0].contains("Also"), "{}", shown.stdout);
    assert!(soc[1].contains("HIGH: MOST's title") && soc[1].contains("Also: LESS LESS's title"), "{}", shown.stdout);
    // A channel that takes one of them tells of that one alone.
    let worst =
        screens(&shown).into_iter().filter(|(label, text)| label.contains("worst") && text.contains("HIGH: MOST"));
    assert!(worst.map(|(_, text)| !text.contains("LESS")).eq([true]), "{}", shown.stdout);
}

#[test]
fn what_is_not_shown_is_said() {
    let nothing = preview(&["events/start-instances.json"]);
    assert_eq!((nothing.code, nothing.stdout.as_str()), (Some(1), ""));
    assert!(nothing.stderr.contains("there is nothing to show"), "{}", nothing.stderr);
    let refused = preview(&[STOP, "--channel", "worst"]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("TRAIL matches, and worst is not sent it"), "{}", refused.stderr);
    let staged = preview(&["events/create-user.json", "--channel", "soc"]);
    assert_eq!(staged.code, Some(0));
    assert!(staged.stderr.contains("STAGED is staged"), "{}", staged.stderr);
    let many = preview(&[STOP, STOP, STOP, "--limit", "2", "--channel", "soc"]);
    assert_eq!(screens(&many).len(), 2);
    assert!(many.stderr.contains("1 more alert would be sent, and not shown: --limit 3"), "{}", many.stderr);
    for (arguments, said) in [
        (&[] as &[&str], "name a file"),
        (&[STOP, "--kind", "test"], "leave the files out"),
        (&[STOP, "--channel", "sco"], "the channels are desk, now, pager"),
        (&["nowhere.json"], "nowhere.json"),
    ] {
        let wrong = preview(arguments);
        assert_eq!(wrong.code, Some(2), "{arguments:?}: {}", wrong.stderr);
        assert!(wrong.stderr.contains(said), "{arguments:?}: {}", wrong.stderr);
    }
}

#[test]
fn a_page_goes_to_a_file_or_to_stdout_and_nothing_else_is_printed() {
    let page = preview(&[STOP, "--html", "-"]);
    assert!(page.stdout.starts_with("<!DOCTYPE html>") && page.stdout.ends_with("</html>"), "{}", page.stdout);
    let page = preview(&[STOP, "--html", "page.html"]);
    assert_eq!((page.code, page.stdout.as_str()), (Some(0), ""));
    assert!(page.stderr.contains("page.html: "), "{}", page.stderr);
    assert_eq!(preview(&[STOP, "--html", "no/such/folder.html"]).code, Some(2));
}

/// A terminal obeys what a caller wrote as little as a browser does.
#[test]
fn no_record_speaks_to_the_terminal() {
    let folder = tempfile::tempdir().unwrap();
    rules(folder.path());
    let hostile = "x\u{1b}[2J\u{1b}]8;;https://evil.example\u{7}\u{202e}\r\n\u{9b}31m";
    let record = json!({
        "eventName": "StopLogging", "eventSource": hostile, "userAgent": hostile, "errorMessage": hostile, "awsRegion": hostile,
        "eventTime": hostile, "userIdentity": { "type": hostile, "userName": hostile, "arn": hostile },
        "requestParameters": { "name": hostile },
    });
    file(folder.path(), "hostile.json", json!({ "Records": [record] }).to_string());
    for kind in ["first", "roll-up"] {
        let mut command = offlimits(["preview", "hostile.json", "--kind", kind]);
        command.current_dir(folder.path());
        let shown = run(command);
        assert_eq!(shown.code, Some(0), "{}", shown.stderr);
        let bad = shown.stdout.chars().find(|c| c.is_control() && *c != '\n' || *c == '\u{202e}');
        assert_eq!(bad, None, "{}", shown.stdout);
    }
}
