//! Incidents that follow credentials, by the real handler: who belongs together, what it costs, and what a ledger that is down costs.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use offlimits::ledger::{Attributes, ItemKey, Put, Store, StoreError, StoredItem, Written};
use offlimits::ruleset::RuleSet;
use offlimits::time::Timestamp;
use serde_json::{Value, json};

use super::merging::Counting;
use super::outside::{TestApp, app, app_on, invoke, redeliver_until};

pub(super) const ACCOUNTS: [&str; 3] = ["111122223333", "444455556666", "777788889999"];

/// One rule of one call, and a channel with this incident. No rule is about calls that issue sessions.
fn rules(incident: &Value) -> String {
    json!({
        "channels": { "topic": { "type": "sns", "max_per_minute": 1000, "incident": incident } },
        "rules": [{ "id": "STOP", "title": "t", "severity": "high", "when": { "event": { "is": "StopLogging" } } }],
    })
    .to_string()
}

fn following() -> String {
    rules(&json!({ "lineage": true, "shared": ["pipeline*", "999999999999/anyone"] }))
}

pub(super) fn user(name: &str) -> Value {
    json!({ "type": "IAMUser", "userName": name, "accountId": ACCOUNTS[0], "accessKeyId": format!("AKIA{name}") })
}

/// A session of a role, with the key that was issued for it.
pub(super) fn session(account: &str, role: &str, key: &str) -> Value {
    json!({ "type": "AssumedRole", "accountId": account, "accessKeyId": key, "principalId": format!("AROA{role}:whoever"),
        "arn": format!("arn:aws:sts::{account}:assumed-role/{role}/whoever"),
        "sessionContext": { "sessionIssuer": { "type": "Role", "userName": role, "accountId": account } } })
}

fn with_source_identity(mut session: Value, name: &str) -> Value {
    session["sessionContext"]["sourceIdentity"] = json!(name);
    session
}

pub(super) fn record(
    id: &str,
    caller: &Value,
    account: &str,
    event: (&str, &str),
    request: &Value,
    response: &Value,
) -> Value {
    json!({ "eventID": id, "eventSource": event.0, "eventName": event.1, "eventTime": "2026-01-10T11:32:44Z",
        "recipientAccountId": account, "awsRegion": "us-east-1", "userIdentity": caller,
        "requestParameters": request, "responseElements": response })
}

/// Somebody asks for a session of a role of another account.
pub(super) fn assumed(id: &str, caller: &Value, account: &str, role: &str, key: &str) -> Value {
    let request = json!({ "roleArn": format!("arn:aws:iam::{account}:role/{role}"), "roleSessionName": "whoever" });
    let response = json!({ "credentials": { "accessKeyId": key, "expiration": "Jan 10, 2026, 12:32:44 PM" } });
    let of = caller["accountId"].as_str().unwrap_or(account);
    record(id, caller, of, ("sts.amazonaws.com", "AssumeRole"), &request, &response)
}

fn stopped(id: &str, caller: &Value) -> Value {
    let account = caller["accountId"].as_str().unwrap();
    let target = json!({ "name": format!("trail-{id}") });
    record(id, caller, account, ("cloudtrail.amazonaws.com", "StopLogging"), &target, &Value::Null)
}

async fn play<S: Store>(app: &TestApp<S>, records: &[Value]) {
    for record in records {
        assert!(invoke(&record.to_string(), app).await.answer.is_ok());
    }
}

/// The topic's messages, as machines read them.
fn told<S: Store>(app: &TestApp<S>) -> Vec<Value> {
    let machine = |text: &str| {
        let texts: Value = serde_json::from_str(text).unwrap();
        serde_json::from_str(texts["sqs"].as_str().unwrap()).unwrap()
    };
    app.transport.taken("topic").iter().map(|taken| machine(&taken.text)).collect()
}

/// How many incidents were told of.
fn incidents<S: Store>(app: &TestApp<S>) -> usize {
    told(app).iter().map(|alert| alert["alert"].as_str().unwrap().to_owned()).collect::<BTreeSet<_>>().len()
}

fn names(alert: &Value) -> Vec<&str> {
    alert["lineage"].as_array().into_iter().flatten().map(|one| one["name"].as_str().unwrap()).collect()
}

/// A user goes on through two roles in two other accounts; somebody else comes to the last of them by another way.
fn chain() -> Vec<Value> {
    let (eve, ann) = (user("eve"), user("ann"));
    let relay = session(ACCOUNTS[1], "Relay", "ASIA1");
    let audit = session(ACCOUNTS[2], "Audit", "ASIA2");
    vec![
        stopped("1", &eve),
        assumed("2", &eve, ACCOUNTS[1], "Relay", "ASIA1"),
        stopped("3", &relay),
        assumed("4", &relay, ACCOUNTS[2], "Audit", "ASIA2"),
        stopped("5", &audit),
        assumed("6", &ann, ACCOUNTS[2], "Audit", "ASIA3"),
        stopped("7", &session(ACCOUNTS[2], "Audit", "ASIA3")),
    ]
}

#[tokio::test(start_paused = true)]
async fn a_chain_of_roles_is_one_incident_and_another_person_in_the_same_role_is_another() {
    let app = app(&following());
    play(&app, &chain()).await;
    redeliver_until(&app, Duration::from_hours(2)).await;
    let told = told(&app);
    let kinds: Vec<(&str, Vec<&str>, u64)> = told
        .iter()
        .map(|alert| (alert["kind"].as_str().unwrap(), names(alert), alert["sum"]["count"].as_u64().unwrap_or(1)))
        .collect();
    assert_eq!(kinds, [("first", vec!["eve"], 1), ("first", vec!["ann", "Audit"], 1), ("update", vec!["eve"], 3)]);
    assert_eq!((told[0]["alert"] == told[2]["alert"], incidents(&app)), (true, 2));
    assert_eq!(told[1]["lineage"][1], json!({ "account": ACCOUNTS[2], "name": "Audit" }));
    let texts = app.transport.taken("topic");
    assert!(texts[1].text.contains("ann (111122223333) → Audit (777788889999)"), "{}", texts[1].text);
    assert!(texts[2].text.contains("Origin") && texts[2].text.contains("eve"), "{}", texts[2].text);
    // Without it, who called last is all that is known.
    let without = app_of(&rules(&json!({}))).await;
    assert_eq!(incidents(&without), 3);
}

async fn app_of(rules: &str) -> TestApp {
    let app = app(rules);
    play(&app, &chain()).await;
    redeliver_until(&app, Duration::from_hours(2)).await;
    app
}

/// Each record of one call across accounts, in either order, tells who it was.
#[tokio::test(start_paused = true)]
async fn the_callers_own_account_knows_best_who_it_was() {
    let eve = user("eve");
    let own = assumed("1", &eve, ACCOUNTS[1], "Audit", "ASIA1");
    let mut strangers = assumed("2", &eve, ACCOUNTS[1], "Audit", "ASIA1");
    strangers["recipientAccountId"] = json!(ACCOUNTS[1]);
    strangers["userIdentity"] = json!({ "type": "AWSAccount", "accountId": ACCOUNTS[0], "principalId": "AIDAEXAMPLE" });
    let audit = stopped("3", &session(ACCOUNTS[1], "Audit", "ASIA1"));
    for records in [vec![own.clone(), strangers.clone()], vec![strangers.clone(), own]] {
        let app = app(&following());
        play(&app, &records).await;
        play(&app, std::slice::from_ref(&audit)).await;
        assert_eq!(names(&told(&app)[0]), ["eve", "Audit"]);
    }
    let app = app(&following());
    play(&app, &[strangers, audit]).await;
    assert_eq!(names(&told(&app)[0]), ["AIDAEXAMPLE", "Audit"]);
}

#[tokio::test(start_paused = true)]
async fn who_is_shared_joins_nobody() {
    let build = session(ACCOUNTS[0], "pipeline-build", "ASIA0");
    let records: Vec<Value> = [("Deploy", "ASIA1"), ("Publish", "ASIA2")]
        .iter()
        .flat_map(|(role, key)| {
            [assumed(key, &build, ACCOUNTS[1], role, key), stopped(role, &session(ACCOUNTS[1], role, key))]
        })
        .collect();
    let shared = app(&following());
    play(&shared, &records).await;
    assert_eq!(incidents(&shared), 2);
    let joined = app(&rules(&json!({ "lineage": true })));
    play(&joined, &records).await;
    assert_eq!(incidents(&joined), 1);
    // A service of AWS's is nobody, and what it asks for costs nothing.
    let service = json!({ "type": "AWSService", "invokedBy": "ec2.amazonaws.com" });
    let store = Counting::default();
    let of_service = app_on(&rules(&json!({ "lineage": true })), store.clone());
    play(&of_service, &[assumed("1", &service, ACCOUNTS[1], "Web", "ASIA5")]).await;
    assert_eq!(store.asked(), BTreeMap::new());
    play(&of_service, &[assumed("2", &service, ACCOUNTS[1], "Job", "ASIA6")]).await;
    for (role, key) in [("Web", "ASIA5"), ("Job", "ASIA6")] {
        play(&of_service, &[stopped(role, &session(ACCOUNTS[1], role, key))]).await;
    }
    assert_eq!(incidents(&of_service), 2);
}

#[tokio::test(start_paused = true)]
async fn people_of_identity_center_and_source_identities_go_from_account_to_account() {
    let app = app(&following());
    let person = |account: &str| {
        let mut session = session(account, "AWSReservedSSO_Admin_0123456789abcdef", "ASIA9");
        session["arn"] =
            json!(format!("arn:aws:sts::{account}:assumed-role/AWSReservedSSO_Admin_0123456789abcdef/jana"));
        session
    };
    play(&app, &[stopped("1", &person(ACCOUNTS[0])), stopped("2", &person(ACCOUNTS[1]))]).await;
    assert_eq!((incidents(&app), names(&told(&app)[0])), (1, vec!["jana"]));
    // The record of no session of these was had.
    let of = |account: &str, key: &str| with_source_identity(session(account, "Audit", key), "tomas");
    play(&app, &[stopped("3", &of(ACCOUNTS[0], "ASIAX")), stopped("4", &of(ACCOUNTS[1], "ASIAY"))]).await;
    assert_eq!((incidents(&app), names(&told(&app)[1])), (2, vec!["tomas", "Audit"]));
    // Somebody sets one, and then somebody else the same: it says nothing any more.
    let set = |id: &str, caller: &str, key: &str| {
        let mut record = assumed(id, &user(caller), ACCOUNTS[1], "Relay", key);
        record["requestParameters"]["sourceIdentity"] = json!("mara");
        record
    };
    let unknown = |key: &str| with_source_identity(session(ACCOUNTS[2], "Lost", key), "mara");
    play(&app, &[set("5", "mara", "ASIAM"), stopped("6", &unknown("ASIAU"))]).await;
    assert_eq!(names(&told(&app)[2]), ["mara", "mara", "Lost"]);
    play(&app, &[set("7", "eve", "ASIAE"), stopped("8", &unknown("ASIAV"))]).await;
    assert_eq!(names(&told(&app)[3]), ["Lost"]);
    // What each of the two was issued is theirs all the same.
    play(&app, &[stopped("9", &with_source_identity(session(ACCOUNTS[1], "Relay", "ASIAE"), "mara"))]).await;
    assert_eq!(names(&told(&app)[4]), ["eve", "Relay"]);
}

/// The requests of everything that is asked, with and without.
#[tokio::test(start_paused = true)]
async fn an_alert_costs_no_more_requests_and_a_session_one_write() {
    let asked = |counts: &[(&'static str, usize)]| counts.iter().copied().collect::<BTreeMap<_, _>>();
    let alert = asked(&[("put", 2), ("count", 1), ("keep first", 1)]);
    let held_back_first = asked(&[("get", 3), ("put", 2)]);
    let held_back = asked(&[("get", 1), ("put", 1)]);
    let (eve, relay) = (user("eve"), session(ACCOUNTS[1], "Relay", "ASIA1"));
    let records = [
        stopped("1", &eve),
        stopped("2", &eve),
        stopped("3", &eve),
        assumed("4", &eve, ACCOUNTS[1], "Relay", "ASIA1"),
        stopped("5", &relay),
        stopped("6", &relay),
        assumed("7", &relay, ACCOUNTS[2], "Audit", "ASIA2"),
    ];
    for (rules, expected) in [
        (rules(&json!({})), [&alert, &held_back_first, &held_back, &asked(&[]), &alert, &held_back_first, &asked(&[])]),
        // This copy has heard of the session, and need not ask for it.
        (
            following(),
            [
                &alert,
                &held_back_first,
                &held_back,
                &asked(&[("put", 1)]),
                &asked(&[("get", 1), ("put", 1), ("keep first", 1)]),
                &held_back,
                &asked(&[("put", 1)]),
            ],
        ),
    ] {
        let store = Counting::default();
        let app = app_on(&rules, store.clone());
        for (place, (record, expected)) in records.iter().zip(expected).enumerate() {
            play(&app, std::slice::from_ref(record)).await;
            let mut asked = store.asked();
            // The silences are read once a minute.
            assert_eq!(asked.remove("query").unwrap_or_default(), usize::from(place == 0), "{record}");
            asked.retain(|_, count| *count > 0);
            assert_eq!(&asked, expected, "{record} by {rules}");
        }
        // Another copy asks once for each session that it meets, and then no more.
        let other = app_on(&rules, store.clone());
        let of_session = stopped("8", &session(ACCOUNTS[2], "Audit", "ASIA2"));
        play(&other, &[of_session]).await;
        let mut first = store.asked();
        assert_eq!(first.remove("query"), Some(1));
        play(&other, &[stopped("9", &session(ACCOUNTS[2], "Audit", "ASIA2"))]).await;
        let second = store.asked();
        if rules == following() {
            // It is claimed in vain: nobody has told this copy that it belongs to an incident.
            assert_eq!((first["get"], first["put"], &second), (1, 2, &held_back));
        } else {
            assert_eq!((&first, &second), (&alert, &held_back_first));
        }
    }
}

/// A store that does not answer.
struct Down;

impl Store for Down {
    async fn get(&self, _: &[ItemKey]) -> Result<Vec<Option<StoredItem>>, StoreError> {
        Err(StoreError("down".to_owned()))
    }

    async fn write(&self, _: Vec<Put>) -> Result<Written, StoreError> {
        Err(StoreError("down".to_owned()))
    }

    async fn count(&self, _: ItemKey, _: Timestamp) -> Result<u64, StoreError> {
        Err(StoreError("down".to_owned()))
    }

    async fn query(
        &self,
        _: &str,
        _: (&str, &str),
        _: bool,
        _: usize,
    ) -> Result<Vec<(String, StoredItem)>, StoreError> {
        Err(StoreError("down".to_owned()))
    }

    async fn keep_first(
        &self,
        _: ItemKey,
        _: Attributes,
        _: Timestamp,
        _: Timestamp,
    ) -> Result<Option<Attributes>, StoreError> {
        Err(StoreError("down".to_owned()))
    }
}

#[tokio::test(start_paused = true)]
async fn a_ledger_that_is_down_loses_no_alert() {
    let app = app_on(&following(), Down);
    let mut faults = 0;
    for record in chain() {
        let handled = invoke(&record.to_string(), &app).await;
        assert!(handled.answer.is_ok(), "{:?}", handled.answer);
        faults += handled.report.ledger_faults;
    }
    assert!(faults > 4, "{faults}");
    let told: BTreeSet<String> =
        told(&app).iter().map(|alert| alert["event_id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(told, ["1", "3", "5", "7"].map(str::to_owned).into());
}

/// Rules with and without it are deployed one after the other, while an incident is open; each finding is told or in an update.
#[tokio::test(start_paused = true)]
async fn switching_it_on_and_off_while_incidents_are_open_loses_nothing() {
    let off = json!({ "channels": { "topic": { "type": "sns", "max_per_minute": 1000 } },
        "rules": [{ "id": "STOP", "title": "t", "severity": "high", "when": { "event": { "is": "StopLogging" } } }] });
    let settings = [following(), rules(&json!({})), off.to_string()];
    for first in 0..3 {
        for second in 0..3 {
            let records = chain();
            let mut app = app(&settings[first]);
            play(&app, &records[..4]).await;
            app.rules = RuleSet::compile(&settings[second]).unwrap().rules;
            play(&app, &records[4..]).await;
            // What is held back in either is due within two hours.
            redeliver_until(&app, Duration::from_hours(3)).await;
            let mut heard: BTreeMap<String, u64> = BTreeMap::new();
            for alert in told(&app) {
                let count = if alert["sum"].is_null() { 1 } else { alert["sum"]["count"].as_u64().unwrap() };
                let kind = alert["kind"].as_str().unwrap();
                let of = heard.entry(format!(
                    "{}{}",
                    alert["alert"].as_str().unwrap(),
                    if kind == "roll-up" { " sum" } else { "" }
                ));
                let of = of.or_default();
                *of = if kind == "update" { count.max(*of) } else { *of + count };
            }
            assert_eq!(heard.values().sum::<u64>(), 4, "from {first} to {second}: {:#?}", told(&app));
        }
    }
}
