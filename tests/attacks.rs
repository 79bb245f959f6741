//! Attacks of 2024 to 2026, each made by an IAM user, by a person of IAM Identity Center, and in the console: how many alert.
//!
//! `attacks/*.json` are lists of records, written by hand, each
//!
//! ```json
//! {
//!   "name": "an attacker's identity provider is trusted",
//!   "source": "where attackers did this, or who showed that they can, in words",
//!   "record": { "eventSource": "iam.amazonaws.com", "eventName": "CreateSAMLProvider", "requestParameters": { "name": "idp" } },
//!   "caller": "own"
//! }
//! ```
//!
//! `record` holds what differs from an ordinary record of a successful write (see `whole`): the source and the event, and as much
//! of the request and the answer as CloudTrail writes. The caller is put in, once in each of three forms. With `"caller": "own"` the
//! record names whoever called by itself, since nobody else can (a sign-in, root, a service): it counts once.
//! Where nothing alerts that is meant to, `"silent"` says why.

use std::collections::{BTreeMap, BTreeSet};

use offlimits::cloudtrail::Record;
use offlimits::rules::Mode;
use offlimits::ruleset::{PackError, RuleSet, Sources};
use serde_json::{Value, json};

use crate::support;

/// Of what is meant to alert in one form, how many of a hundred must.
const AIM: usize = 90;
/// The table that the shipped `rules.json` begins with: what the packs see is seen without it.
const SEED: &str = "RTM-011";

struct Attack {
    name: String,
    record: Value,
    is_own: bool,
    is_silent: bool,
}

fn attacks() -> Vec<Attack> {
    let folder = std::fs::read_dir(support::repository("tests/attacks")).unwrap();
    let mut names: Vec<String> = folder.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    let files = names.iter().map(|name| support::json(&format!("tests/attacks/{name}")));
    let mut attacks = Vec::new();
    for attack in files.flat_map(|file| file.as_array().unwrap().clone()) {
        let name = attack["name"].as_str().unwrap().to_owned();
        assert!(attack["source"].as_str().is_some_and(|source| source.len() > 10), "{name} has no source");
        let keys = ["name", "source", "record", "caller", "silent"];
        assert!(attack.as_object().unwrap().keys().all(|key| keys.contains(&&**key)), "{name}");
        let is_own = attack.get("caller").is_some_and(|caller| caller == "own");
        assert_eq!(attack["record"].get("userIdentity").is_some(), is_own, "{name}: whose call is it?");
        let is_silent = attack.get("silent").is_some_and(|reason| reason.as_str().unwrap().len() > 10);
        attacks.push(Attack { name, record: attack["record"].clone(), is_own, is_silent });
    }
    attacks
}

/// The three forms of the caller. The console's is the one that AWS's own samples have, by a role that no list knows.
fn callers() -> [(&'static str, Value); 3] {
    let role = |name: &str| {
        json!({
            "type": "AssumedRole", "principalId": "AROAEXAMPLE0000000001:mara@example.com", "accountId": "111122223333",
            "arn": format!("arn:aws:sts::111122223333:assumed-role/{name}/mara@example.com"), "accessKeyId": "ASIAIOSFODNN7EXAMPLE",
            "sessionContext": {
                "sessionIssuer": {
                    "type": "Role", "principalId": "AROAEXAMPLE0000000001", "accountId": "111122223333", "userName": name,
                    "arn": format!("arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/{name}"),
                },
                "attributes": { "mfaAuthenticated": "false", "creationDate": "2026-04-02T09:00:00Z" },
            },
        })
    };
    let user = json!({
        "type": "IAMUser", "principalId": "AIDAEXAMPLE0000000001", "accountId": "111122223333", "userName": "mara",
        "arn": "arn:aws:iam::111122223333:user/mara", "accessKeyId": "AKIAIOSFODNN7EXAMPLE",
    });
    let mut console = role("Platform");
    console["invokedBy"] = "AWS Internal".into();
    [
        ("IAM user", json!({ "userIdentity": user })),
        ("Identity Center", json!({ "userIdentity": role("AWSReservedSSO_AdministratorAccess_0123456789abcdef") })),
        (
            "console",
            json!({
                "userIdentity": console, "sourceIPAddress": "AWS Internal", "userAgent": "AWS Internal",
                "sessionCredentialFromConsole": "true",
            }),
        ),
    ]
}

/// The whole record of a call.
fn whole(call: &Value, caller: &Value) -> String {
    let mut record = json!({
        "eventVersion": "1.11", "eventTime": "2026-04-02T09:15:00Z", "awsRegion": "us-east-1", "eventType": "AwsApiCall",
        "sourceIPAddress": "198.51.100.23", "userAgent": "aws-cli/2.32.3", "readOnly": false, "managementEvent": true,
        "eventCategory": "Management", "eventID": "0b1c2d3e-0000-4000-8000-000000000001", "recipientAccountId": "111122223333",
    });
    for part in [caller, call] {
        record.as_object_mut().unwrap().extend(part.as_object().unwrap().clone());
    }
    record.to_string()
}

/// The rules that alert of one record by itself: none that is staged, and none that counts several.
fn alerting(rules: &RuleSet, record: &str) -> BTreeSet<String> {
    let counting: BTreeSet<&str> =
        rules.rules().iter().filter(|rule| rule.threshold.is_some()).map(|rule| &*rule.info.id).collect();
    let findings = rules.evaluate_record(&Record::parse(record).unwrap());
    let alerting = findings.into_iter().filter(|finding| finding.rule.mode == Mode::Alert && finding.rule.id != SEED);
    alerting.map(|finding| finding.rule.id.clone()).filter(|id| !counting.contains(&**id)).collect()
}

#[test]
fn the_attacks_of_these_years_alert_whoever_makes_them() {
    let read = |name: &str| std::fs::read_to_string(support::repository(name)).map_err(PackError::new);
    let sources = Sources::gather(include_str!("../rules.json"), read);
    let rules = RuleSet::compile_sources(&sources).unwrap_or_else(|found| panic!("{found:#?}")).rules;
    let mut forms: BTreeMap<&str, (usize, Vec<String>)> = BTreeMap::new();
    let attacks = attacks();
    let mut names = BTreeSet::new();
    for attack in &attacks {
        assert!(names.insert(&*attack.name), "{} stands twice", attack.name);
        let callers = callers().to_vec();
        let callers = if attack.is_own { vec![("own", json!({}))] } else { callers };
        for (form, caller) in callers {
            let found = alerting(&rules, &whole(&attack.record, &caller));
            let (all, silent) = forms.entry(form).or_default();
            *all += 1;
            if found.is_empty() {
                silent.push(attack.name.clone());
            }
            // A reason that holds no longer is taken out.
            assert_eq!(found.is_empty() && attack.is_silent, attack.is_silent, "{}: {form}: {found:?}", attack.name);
        }
    }
    for (form, (all, silent)) in &forms {
        println!("{form}: {} of {all} alert; silent: {silent:?}", all - silent.len());
        assert!((all - silent.len()) * 100 >= all * AIM, "{form}: {silent:?}");
    }
    assert!(!attacks.is_empty());
}

/// How often a rule alerts in a log of these calls, one a second, made by one IAM user.
fn alerts_of(rule: &str, calls: Vec<Value>) -> u64 {
    let (_, caller) = &callers()[0];
    let records = calls.into_iter().enumerate().map(|(index, mut call)| {
        call["eventID"] = json!(format!("0b1c2d3e-0000-4000-8000-{index:012}"));
        call["eventTime"] = json!(format!("2026-04-02T09:15:{index:02}Z"));
        serde_json::from_str(&whole(&call, caller)).unwrap()
    });
    let log = json!({ "Records": records.collect::<Vec<Value>>() });
    let folder = tempfile::tempdir().unwrap();
    let mut command = support::offlimits(["backtest", "--format", "json", "--rules"]);
    command.arg(support::repository("rules.json")).arg(support::file(folder.path(), "log.json", log.to_string()));
    let run = support::run(command);
    assert_eq!((run.code, run.misbehaviour()), (Some(0), None), "{}", run.shown());
    let summary: Value = serde_json::from_str(&run.stdout).unwrap();
    let of_rule = summary["rules"].as_array().unwrap().iter().find(|counted| counted["rule"] == rule);
    of_rule.unwrap_or_else(|| panic!("{rule} matches none of it"))["alerts"].as_u64().unwrap()
}

/// Call `index` of those that a rule counts.
fn counted_call(rule: &str, index: usize) -> Value {
    let sign_in = json!({
        "eventSource": "signin.amazonaws.com", "eventName": "ConsoleLogin", "eventType": "AwsConsoleSignIn",
        "responseElements": { "ConsoleLogin": "Failure" }, "errorMessage": "Failed authentication",
    });
    match rule {
        "CRE-11" => sign_in,
        "CRE-12" => {
            let mut sign_in = sign_in;
            sign_in["sourceIPAddress"] = json!(format!("198.51.100.{index}"));
            sign_in
        }
        "CRE-13" => {
            json!({ "eventSource": "iam.amazonaws.com", "eventName": format!("List{index}"), "errorCode": "AccessDenied" })
        }
        "CRE-14" => {
            let region = ["us-east-1", "us-east-2", "us-west-2", "eu-west-1", "eu-central-1"][index];
            json!({
                "eventSource": "ec2.amazonaws.com", "eventName": "RunInstances", "errorCode": "Client.UnauthorizedOperation",
                "awsRegion": region,
            })
        }
        "CRE-15" => json!({
            "eventSource": "secretsmanager.amazonaws.com", "eventName": "GetSecretValue", "readOnly": true,
            "requestParameters": { "secretId": format!("secret-{index}") },
        }),
        "CRE-20" => json!({
            "eventSource": "iam.amazonaws.com", "eventName": "UpdateAssumeRolePolicy", "errorCode": "MalformedPolicyDocumentException",
            "errorMessage": format!("Invalid principal in policy: arn:aws:iam::222222222222:role/name-{index}"),
        }),
        other => panic!("{other}"),
    }
}

#[test]
fn what_means_nothing_once_alerts_from_its_number_on() {
    for (rule, number) in [("CRE-11", 10), ("CRE-12", 5), ("CRE-13", 10), ("CRE-14", 5), ("CRE-15", 10), ("CRE-20", 10)]
    {
        let calls = |count: usize| (0..count).map(|index| counted_call(rule, index)).collect::<Vec<_>>();
        assert_eq!(alerts_of(rule, calls(number - 1)), 0, "{rule}");
        assert_eq!(alerts_of(rule, calls(number)), 1, "{rule}");
        // The same thing again and again is a program that is set up wrongly.
        if rule != "CRE-11" {
            assert_eq!(alerts_of(rule, vec![counted_call(rule, 0); 20]), 0, "{rule}");
        }
    }
}
