//! The probe and the sweep: a call that is counted and alerts nobody, and who is told when it does not come.

use std::time::Duration;

use offlimits::cloudtrail::event_rule::{DETAIL_TYPES, EventRuleFound, TargetFound, patterns_digest};
use offlimits::cloudtrail::probe::Probes;
use offlimits::cloudtrail::spokes::Spokes;
use offlimits::deliver::Transport as _;
use offlimits::handler::{DeployedRules, SweepCounts, Watch};
use offlimits::time::Timestamp;
use serde_json::{Value, json};

use super::handler::reported;
use super::outside::{TestApp, app, invoke};

const OWN: &str = "123456789012";
const SPOKE: &str = "222222222222";
const TRAIL: &str = "arn:aws:events:us-east-1:123456789012:rule/offlimits-FunctionTrail-1A2B";
const FUNCTION: &str = "arn:aws:lambda:us-east-1:123456789012:function:offlimits";
/// A rule that every call matches, so that what alerts nobody was not asked about.
const RULES: &str = r#"{"channels":{"soc":{"type":"slack"}},"rules":[{"id":"ALL","title":"t","severity":"high","throttle":"off",
    "when":{"service":{"is":"sqs.amazonaws.com"}}}]}"#;

fn hub() -> TestApp {
    let mut app = app(RULES);
    let spokes = Spokes::of_stack_set("offlimits");
    app.own.spokes = spokes.clone();
    let none = patterns_digest(&[]);
    app.own.watch = Watch {
        probes: Probes::new(Some(format!("arn:aws:sqs:us-east-1:{OWN}:offlimits-UndeliveredEvents-1A2B")), spokes),
        home: Some((OWN.to_owned(), "us-east-1".to_owned())),
        function_arn: Some(FUNCTION.to_owned()),
        // In which every call comes by the wide rule.
        rules: DeployedRules::parse(&format!(
            "0123456789ab {none} {none} wide ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
        )),
        ..Watch::default()
    };
    app.transport.event_rules.lock().unwrap().insert(TRAIL.to_owned(), trail());
    app
}

fn trail() -> EventRuleFound {
    let pattern = json!({ "source": [{ "prefix": "aws." }], "account": [OWN], "detail-type": DETAIL_TYPES });
    EventRuleFound {
        state: "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS".to_owned(),
        pattern: Some(pattern.to_string()),
        targets: vec![TargetFound { arn: FUNCTION.to_owned(), is_given_the_event: true }],
    }
}

/// The call that Scheduler makes for an account, by a role of this path and name.
fn call(app: &TestApp, account: &str, role: &str, patterns: &str) -> String {
    let (region, queue) = match account {
        OWN => ("us-east-1", "offlimits-UndeliveredEvents-1A2B"),
        _ => ("eu-west-1", "StackSet-offlimits-6a3e-Letters-1A2B"),
    };
    let now = Timestamp::from(app.transport.now());
    let name = role.rsplit('/').next().unwrap();
    let detail = json!({
        "eventVersion": "1.11", "eventTime": now.to_string(), "eventSource": "sqs.amazonaws.com", "eventName": "TagQueue",
        "awsRegion": region, "recipientAccountId": account, "eventID": format!("{account}{now}{role}"), "readOnly": false,
        "userIdentity": { "type": "AssumedRole", "arn": format!("arn:aws:sts::{account}:assumed-role/{name}/6a3e"), "accountId": account,
            "sessionContext": { "sessionIssuer": { "type": "Role", "arn": format!("arn:aws:iam::{account}:role/{role}") } } },
        "requestParameters": { "queueUrl": format!("https://sqs.{region}.amazonaws.com/{account}/{queue}"),
            "tags": { "offlimits:probe": now.to_string(), "offlimits:patterns": patterns } },
    });
    json!({
        "version": "0", "id": "6a3e", "detail-type": "AWS API Call via CloudTrail", "source": "aws.sqs", "account": account,
        "time": now.to_string(), "region": region, "resources": [], "detail": detail,
    })
    .to_string()
}

async fn probe(app: &TestApp, account: &str, patterns: &str) {
    let role = match account {
        OWN => "offlimits-probe/offlimits-ProbeRole-1A2B",
        _ => "offlimits-probe/StackSet-offlimits-6a3e-ProbeRole-1A2B",
    };
    let report = reported(invoke(&call(app, account, role, patterns), app).await);
    assert_eq!((report.records, report.probes, report.findings.total, report.ledger_faults), (1, 1, 0, 0));
}

/// A sweep: what it counts, and what the topic was told in it.
async fn sweep(app: &TestApp) -> (SweepCounts, Vec<String>) {
    let before = app.transport.taken("topic").len();
    let order = json!({ "offlimits": "sweep", "rules": [TRAIL] }).to_string();
    let report = reported(invoke(&order, app).await);
    let told: Vec<String> = app.transport.taken("topic").drain(before..).map(|taken| taken.text).collect();
    assert_eq!((report.operational, report.records), (told.len(), 0));
    (report.sweep.unwrap(), told)
}

async fn minutes(minutes: u64) {
    tokio::time::sleep(Duration::from_mins(minutes)).await;
}

#[tokio::test(start_paused = true)]
async fn a_probe_is_counted_and_the_same_call_by_another_role_alerts() {
    let app = hub();
    probe(&app, OWN, "all").await;
    probe(&app, SPOKE, "all").await;
    assert_eq!(app.transport.taken("soc").len(), 0);
    for role in ["offlimits-ProbeRole-1A2B", "Admin", "offlimits-probe/deeper/offlimits-ProbeRole-1A2B"] {
        let report = reported(invoke(&call(&app, OWN, role, "all"), &app).await);
        assert_eq!((report.probes, report.findings.routed, report.deliveries.delivered), (0, 1, 1), "{role}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_falls_silent_is_told_once_by_name_and_again_when_it_happens_again() {
    let app = hub();
    assert_eq!(
        sweep(&app).await.0,
        SweepCounts { sources: 1, ..SweepCounts::default() },
        "at first nothing can be missed"
    );
    for _ in 0..6 {
        probe(&app, OWN, "all").await;
        probe(&app, SPOKE, "all").await;
        minutes(5).await;
        let (counts, told) = sweep(&app).await;
        assert_eq!(
            (counts, told.len()),
            (SweepCounts { sources: 2, latency_ms: Some(0), ..SweepCounts::default() }, 0)
        );
    }
    // The spoke makes its last call, and is heard of no more.
    for round in 1..=12 {
        probe(&app, OWN, "all").await;
        minutes(5).await;
        let (counts, told) = sweep(&app).await;
        // 5 minutes have passed since its last call when the rounds begin.
        let is_silent = round * 5 + 5 > 30;
        assert_eq!((counts.sources, counts.silent), (2, usize::from(is_silent)), "{round}");
        assert_eq!(told.len(), usize::from(round == 6), "{round}: {told:?}");
        for text in told {
            assert!(text.contains("222222222222 eu-west-1") && !text.contains("123456789012 us-east-1"), "{text}");
        }
    }
    probe(&app, SPOKE, "all").await;
    probe(&app, OWN, "all").await;
    assert_eq!(sweep(&app).await.0.silent, 0);
    minutes(31).await;
    let (counts, told) = sweep(&app).await;
    assert_eq!((counts.silent, told.len()), (2, 1), "both, in one message");
    minutes(24 * 60).await;
    assert_eq!(sweep(&app).await.1.len(), 1, "what lasts is told once a day");
}

#[tokio::test(start_paused = true)]
async fn a_spoke_with_other_patterns_is_told() {
    let app = hub();
    probe(&app, OWN, "0123456789ab").await;
    probe(&app, SPOKE, "fedcba987654").await;
    let (counts, told) = sweep(&app).await;
    assert_eq!((counts.silent, counts.faults, told.len()), (0, 1, 1));
    assert!(told[0].contains("222222222222 eu-west-1 sends what the patterns fedcba987654 let pass"), "{}", told[0]);
    probe(&app, SPOKE, "0123456789ab").await;
    assert_eq!(sweep(&app).await.0.faults, 0);
}

#[tokio::test(start_paused = true)]
async fn a_rule_that_is_narrowed_to_the_probe_is_told_though_the_probe_comes() {
    let app = hub();
    probe(&app, OWN, "all").await;
    assert_eq!(sweep(&app).await.0.faults, 0);
    let mut narrowed = trail();
    let mut pattern: Value = serde_json::from_str(narrowed.pattern.as_deref().unwrap()).unwrap();
    pattern["detail"] = json!({ "eventName": ["TagQueue"] });
    narrowed.pattern = Some(pattern.to_string());
    app.transport.event_rules.lock().unwrap().insert(TRAIL.to_owned(), narrowed);
    let (counts, told) = sweep(&app).await;
    assert_eq!((counts.silent, counts.faults, told.len()), (0, 1, 1));
    assert!(told[0].contains("offlimits-FunctionTrail-1A2B has another pattern than was deployed"), "{}", told[0]);
    app.transport.event_rules.lock().unwrap().clear();
    let (_, told) = sweep(&app).await;
    assert_eq!(told.len(), 1, "another fault of the same rule: {told:?}");
    assert!(sweep(&app).await.1.is_empty(), "which people know of now");
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_is_late_proves_nothing_of_now() {
    let app = hub();
    probe(&app, OWN, "all").await;
    let late = call(&app, OWN, "offlimits-probe/offlimits-ProbeRole-1A2B", "all");
    minutes(40).await;
    sweep(&app).await;
    assert_eq!(reported(invoke(&late, &app).await).probes, 1);
    assert_eq!(sweep(&app).await.0.silent, 1);
}
