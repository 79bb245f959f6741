//! `offlimits coverage`, run as a person would.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support;

/// What the command prints about these rules in this format, and on stderr.
fn coverage(rules: &Value, format: &str) -> support::Run {
    let folder = tempfile::tempdir().unwrap();
    let path = support::file(folder.path(), "rules.json", json!({ "rules": rules }).to_string());
    let mut command = support::offlimits(["coverage", "--format", format, "--rules"]);
    command.arg(path);
    let run = support::run(command);
    assert_eq!(run.code, Some(0), "{}", run.shown());
    run
}

fn document(rules: &Value) -> Value {
    serde_json::from_str(&coverage(rules, "json").stdout).unwrap()
}

fn shipped(format: &str) -> Value {
    let rules = support::repository("rules.json").display().to_string();
    let run = support::run(support::offlimits(["coverage", "--rules", &rules, "--format", format]));
    assert_eq!(run.code, Some(0), "{}", run.shown());
    assert!(!run.stderr.contains("no technique"), "{}", run.stderr);
    serde_json::from_str(&run.stdout).unwrap()
}

fn rule(id: &str, keys: &Value) -> Value {
    let mut rule = json!({"id": id, "title": "t", "severity": "low"});
    rule.as_object_mut().unwrap().extend(keys.as_object().unwrap().clone());
    rule
}

#[test]
fn techniques_are_counted_under_the_ids_of_now_and_others_are_told() {
    let rules = json!([
        rule(
            "old",
            &json!({"when": {"event": {"is": "StopLogging"}}, "tags": ["attack.t1562.008", "attack.T1685.002", "team.x"]})
        ),
        rule("new", &json!({"when": {"event": {"is": "DeleteTrail"}}, "tags": ["attack.t1685.002"]})),
        rule("odd", &json!({"when": {"event": {"is": "DeleteUser"}}, "tags": ["attack.t9999", "attack.impact"]})),
        rule("off", &json!({"when": {"event": {"is": "DeleteRole"}}, "tags": ["attack.t1531"], "mode": "off"})),
    ]);
    let document = document(&rules);
    let techniques: Vec<_> = document["techniques"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["id"].clone(), one["rules"].clone()))
        .collect();
    assert_eq!(techniques, [(json!("T1685.002"), json!(["old", "new"]))]);
    assert_eq!(document["techniques"][0]["tactics"], json!(["defense-impairment"]));
    assert_eq!(document["unknown_techniques"], json!([{"id": "T9999", "rules": ["odd"]}]));
    let low = document["severities"].as_array().unwrap().last().unwrap();
    assert_eq!(*low, json!({"severity": "low", "alert": 3, "stage": 0, "off": 1}));
    assert!(document["calls"].as_array().unwrap().iter().all(|call| call["event"] != "DeleteRole"));
    let told = coverage(&rules, "human").stderr;
    assert!(told.contains("odd: no technique of ATT&CK 19 that is known here: T9999"), "{told}");
}

#[test]
fn calls_say_which_rules_see_them_and_whether_of_people() {
    let rules = json!([
        rule("users", &json!({"when": {"event": {"is": "StopLogging"}, "identity": {"is": "IAMUser"}}})),
        rule(
            "all",
            &json!({"when": {"service": {"is": "cloudtrail.amazonaws.com"}, "event": "^StopL"}, "mode": "stage"})
        ),
        rule("denied", &json!({"when": {"error": "^AccessDenied"}})),
        rule("service", &json!({"when": {"service": {"is": "macie2.amazonaws.com"}, "outcome": "failure"}})),
    ]);
    let document = document(&rules);
    assert_eq!(
        document["calls"],
        json!([{
            "service": "cloudtrail.amazonaws.com", "event": "StopLogging", "reads": false, "data": false, "needs_events": null,
            "rules": [{"id": "users", "mode": "alert", "person": false}, {"id": "all", "mode": "stage", "person": true}],
        }])
    );
    assert_eq!(document["any_call"], json!(["denied"]));
    let services: Vec<&str> =
        document["services"].as_array().unwrap().iter().map(|one| one["service"].as_str().unwrap()).collect();
    assert_eq!(services, ["cloudtrail.amazonaws.com", "macie2.amazonaws.com"]);
}

#[test]
fn the_rules_that_find_what_guarddutys_rules_are_about_are_named() {
    let admin = json!({"when": {"event": {"is": "AttachRolePolicy"}, "admin_grant": {"exists": true}}});
    let document = document(&json!([
        rule("admin", &admin),
        rule("flow", &json!({"when": {"event": {"is": "DeleteFlowLogs"}}, "mode": "stage"})),
        rule("other", &json!({"when": {"event": {"is": "DeleteTrail"}}})),
    ]));
    let theirs: BTreeMap<&str, &Value> =
        document["guardduty"].as_array().unwrap().iter().map(|one| (one["name"].as_str().unwrap(), one)).collect();
    assert_eq!(theirs.len(), 33);
    assert_eq!(theirs["AdminPolicyAttachedToRole"]["rules"], json!(["admin"]));
    assert_eq!(theirs["SESFullAccessPolicyAttachedToRole"]["rules"], json!([]));
    assert_eq!(
        (&theirs["VPCFlowLogsDeleted"]["rules"], &theirs["VPCFlowLogsDeleted"]["staged"]),
        (&json!([]), &json!(["flow"]))
    );
    assert_eq!(document["beyond_guardduty"], json!(["other"]));
}

/// What the format of layers asks for, as far as this program writes it: types, patterns and the words that are allowed.
/// <https://github.com/mitre-attack/attack-navigator/blob/master/layers/spec/v4.5/layerformat.md>
#[test]
fn the_layer_has_the_navigators_shape() {
    let layer = shipped("navigator");
    assert_eq!(layer["versions"]["layer"], "4.5");
    assert_eq!((&layer["versions"]["attack"], &layer["domain"]), (&json!("19"), &json!("enterprise-attack")));
    assert!(layer["name"].is_string() && layer["description"].is_string());
    assert!(layer["sorting"].as_u64().is_some_and(|sorting| sorting <= 3));
    let gradient = &layer["gradient"];
    assert!(gradient["minValue"].as_u64().unwrap() < gradient["maxValue"].as_u64().unwrap());
    let colour = regex::Regex::new("^#[0-9a-f]{6}$").unwrap();
    let colours = gradient["colors"].as_array().unwrap().iter();
    let colours: Vec<&Value> =
        colours.chain(layer["legendItems"].as_array().unwrap().iter().map(|item| &item["color"])).collect();
    assert!(colours.len() == 4 && colours.iter().all(|text| colour.is_match(text.as_str().unwrap())));
    let id = regex::Regex::new(r"^T\d{4}(\.\d{3})?$").unwrap();
    let techniques = layer["techniques"].as_array().unwrap();
    let mut seen = BTreeMap::new();
    for technique in techniques {
        let of = technique["techniqueID"].as_str().unwrap();
        assert!(id.is_match(of) && seen.insert(of, technique).is_none(), "{technique}");
        let ids = technique["comment"].as_str().unwrap().split(", ").filter(|id| !id.is_empty()).count();
        assert_eq!(technique.get("score").map_or(0, |score| score.as_u64().unwrap()), ids as u64, "{technique}");
        assert!(technique["enabled"] == true && technique["showSubtechniques"].is_boolean());
    }
    for technique in techniques {
        if let Some((parent, _)) = technique["techniqueID"].as_str().unwrap().split_once('.') {
            assert_eq!(seen[parent]["showSubtechniques"], true, "{technique}");
        }
    }
}

#[test]
fn the_shipped_rules_name_known_techniques_and_find_what_guarddutys_rules_are_about() {
    let document = shipped("json");
    assert_eq!(document["unknown_techniques"], json!([]));
    let missed: Vec<&Value> =
        document["guardduty"].as_array().unwrap().iter().filter(|one| one["rules"] == json!([])).collect();
    assert!(missed.len() <= 2, "{missed:?}");
    assert!(document["calls"].as_array().unwrap().len() > 500);
}
