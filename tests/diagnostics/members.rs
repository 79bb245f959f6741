//! Members of records: what occurs in records is never refused, and a slip of the pen is told.

use std::collections::{BTreeMap, BTreeSet};

use offlimits::config::Level;
use offlimits::lint;
use offlimits::ruleset::{RuleSet, Sources};
use offlimits::time::Date;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::lints::{lints, real_records, records_in};
use crate::support;

/// The codes that say that a path leads nowhere.
const CODES: [&str; 4] = ["member-case", "other-calls-parameter", "path-below-value", "unknown-member"];

/// The calls of records, by service and event, and the paths that occur in each, with a value where there is one.
#[derive(Default)]
struct Fields(BTreeMap<(String, String), BTreeMap<Vec<String>, Option<Value>>>);

impl Fields {
    fn add(&mut self, record: &Value) {
        let text = |key: &str| record[key].as_str().unwrap_or_default().to_owned();
        // Some are masked.
        if !text("eventSource").ends_with(".amazonaws.com") {
            return;
        }
        let fields = self.0.entry((text("eventSource"), text("eventName"))).or_default();
        each_field(record, &mut Vec::new(), &mut |path, value| {
            let scalar = Some(value).filter(|value| !value.is_object() && !value.is_array() && !value.is_null());
            let known = fields.entry(path.to_vec()).or_default();
            if known.is_none() {
                *known = scalar.cloned();
            }
        });
        fields.retain(|path, _| offlimits::rules::field::Field::top_level().contains(&path[0].as_str()));
    }

    fn each(&self) -> impl Iterator<Item = (&(String, String), &Vec<String>, Option<&Value>)> {
        self.0.iter().flat_map(|(call, fields)| fields.iter().map(move |(path, value)| (call, path, value.as_ref())))
    }
}

/// Gives each path of a document to `take`, also those into a text that holds JSON.
fn each_field(value: &Value, path: &mut Vec<String>, take: &mut dyn FnMut(&[String], &Value)) {
    match value {
        Value::Object(members) => {
            for (key, inner) in members {
                path.push(key.clone());
                take(path, inner);
                each_field(inner, path, take);
                path.pop();
            }
        }
        Value::Array(elements) => elements.iter().for_each(|element| each_field(element, path, take)),
        Value::String(text) if text.starts_with(['{', '[']) => {
            if let Ok(inner) = serde_json::from_str(text) {
                each_field(&inner, path, take);
            }
        }
        _ => {}
    }
}

/// `a.b["c.d"]`
fn written(path: &[String]) -> String {
    path.iter().fold(String::new(), |written, key| {
        let is_plain = !key.is_empty() && !key.contains(['.', '[', ']', '"']);
        match (is_plain, written.is_empty()) {
            (true, true) => key.clone(),
            (true, false) => format!("{written}.{key}"),
            (false, _) => format!("{written}[\"{key}\"]"),
        }
    })
}

/// Which of these cells, each in a rule that names its call, are told by one of the codes: by their index, with what is said.
fn told(cells: &[(&(String, String), String, Value)], codes: &[&str]) -> BTreeMap<usize, String> {
    let rules: Vec<Value> = cells
        .iter()
        .enumerate()
        .map(|(index, ((service, event), path, condition))| {
            let mut row = json!({"service": {"is": service}, "event": {"is": event}});
            row[path] = condition.clone();
            json!({"id": format!("R{index}"), "title": "t", "severity": "low", "when": row})
        })
        .collect();
    let found = lints(&json!({ "rules": rules }).to_string());
    let found = found.into_iter().filter(|found| codes.contains(&found.code));
    found.map(|found| (found.pointer.split('/').nth(2).unwrap().parse().unwrap(), found.to_string())).collect()
}

/// Every field that occurs is right, and so is its comparison with a value that occurs.
fn refused(fields: &Fields) -> Vec<String> {
    let cells: Vec<_> = fields
        .each()
        // Two cells on one field make one object with one key.
        .filter(
            |(_, path, _)| !matches!(path.as_slice(), [top] if ["eventSource", "eventName"].contains(&top.as_str())),
        )
        .map(|(call, path, value)| {
            let condition = match value {
                Some(Value::String(text)) if text.is_empty() => json!({"exists": true}),
                Some(value) => json!({"is": value}),
                None => json!({"exists": true}),
            };
            (call, written(path), condition)
        })
        .filter(|(_, path, _)| !path.contains("[\"\"]") && !path.contains('\\'))
        .collect();
    let codes: Vec<&str> = CODES.into_iter().chain(["value-for-object"]).collect();
    let told = told(&cells, &codes);
    eprintln!("{} of {} fields that occur are refused", told.len(), cells.len());
    told.into_iter().map(|(index, said)| format!("{:?} {said}", cells[index].0)).collect()
}

/// What a path may be written as by a slip: one edit in its last name, other capitals, another parent.
fn slips(path: &[String], others: &BTreeSet<&[String]>) -> Vec<(&'static str, Vec<String>)> {
    let Some((last, parents)) = path.split_last() else { return Vec::new() };
    let mut slips = Vec::new();
    let mut add = |kind, name: String| {
        let slip: Vec<String> = parents.iter().cloned().chain([name]).collect();
        if slip != path && !slip.last().is_some_and(String::is_empty) {
            slips.push((kind, slip));
        }
    };
    let letters: Vec<char> = last.chars().collect();
    let at = last.bytes().map(usize::from).sum::<usize>() % letters.len().max(1);
    let (before, after) = (letters[..at].iter().collect::<String>(), letters[at..].iter().collect::<String>());
    add("edit", format!("{before}{}", after.chars().skip(1).collect::<String>()));
    add("edit", format!("{before}x{after}"));
    add("edit", format!("{before}q{}", after.chars().skip(1).collect::<String>()));
    if at + 1 < letters.len() {
        let mut swapped = letters.clone();
        swapped.swap(at, at + 1);
        add("edit", swapped.into_iter().collect());
    }
    add("case", last.to_lowercase());
    add("case", last.to_uppercase());
    let first = letters[0];
    let flipped = if first.is_lowercase() { first.to_uppercase().next() } else { first.to_lowercase().next() };
    add("case", flipped.into_iter().chain(letters.iter().copied().skip(1)).collect());
    if let [grand @ .., _] = parents
        && !grand.is_empty()
    {
        slips.push(("parent", grand.iter().cloned().chain([last.clone()]).collect()));
    }
    // Below something else that stands beside its parent.
    let beside = others.iter().find(|other| {
        other.len() == parents.len()
            && other.first() == path.first()
            && **other != parents
            && !parents.is_empty()
            && parents.len() > 1
    });
    if let Some(other) = beside {
        slips.push(("parent", other.iter().cloned().chain([last.clone()]).collect()));
    }
    slips
}

/// Whether the names at this path are the caller's own, or those of a document that the caller wrote: a slip in one is no
/// fault that can be known.
fn is_free(path: &[String]) -> bool {
    const WITHIN: [&str; 7] =
        ["polic", "document", "attribute", "manifest", "encryptioncontext", "dashboardbody", "advancedoptions"];
    const WHOLE: [&str; 6] = ["condition", "criterion", "details", "options", "statement", "tags"];
    let is_part = path.first().is_some_and(|part| ["requestParameters", "responseElements"].contains(&part.as_str()));
    let parents = path.iter().skip(1).take(path.len().saturating_sub(2)).map(|key| key.to_lowercase());
    is_part
        && parents.into_iter().any(|key| WHOLE.contains(&key.as_str()) || WITHIN.iter().any(|free| key.contains(free)))
}

/// How many of all are told, and how many there are.
fn sum(counts: &BTreeMap<&'static str, (usize, usize)>) -> (usize, usize) {
    let (all, told) = counts.values().fold((0, 0), |(all, told), (more, found)| (all + more, told + found));
    eprintln!("slips told: {told} of {all}; of each kind there are, and told are: {counts:?}");
    (told, all)
}

/// How many slips of each kind there are, and how many of them are told; and some that are not.
///
/// Of so many slips one is tried: they are some eighty thousand of the corpora.
fn slips_told(fields: &Fields, step: usize) -> (BTreeMap<&'static str, (usize, usize)>, Vec<String>) {
    // What occurs in a record of the service, or differs from it in nothing but a call, is no slip.
    let mut occurs: BTreeSet<(&str, &[String])> = BTreeSet::new();
    for ((service, _), path, _) in fields.each() {
        occurs.insert((service, path));
    }
    let mut cells = Vec::new();
    let mut kinds = Vec::new();
    let mut counted = 0_usize;
    for (call, of_call) in &fields.0 {
        let others: BTreeSet<&[String]> = of_call.keys().map(Vec::as_slice).collect();
        let plain = |path: &&Vec<String>| path.len() > 1 && path.iter().all(|key| key.is_ascii()) && !is_free(path);
        for path in of_call.keys().filter(plain) {
            for (kind, slip) in slips(path, &others) {
                counted += 1;
                if counted.is_multiple_of(step) && !occurs.contains(&(call.0.as_str(), slip.as_slice())) {
                    cells.push((call, written(&slip), json!({"exists": true})));
                    kinds.push(kind);
                }
            }
        }
    }
    let told = told(&cells, &CODES);
    let mut counts: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    let mut missed = Vec::new();
    for (index, kind) in kinds.iter().enumerate() {
        let (all, found) = counts.entry(kind).or_default();
        *all += 1;
        if told.contains_key(&index) {
            *found += 1;
        } else {
            let ((service, event), path, _) = &cells[index];
            missed.push(format!("{kind} {service} {event} {path}"));
        }
    }
    (counts, missed)
}

/// Rules with these rows, each in a file of its own: the codes of the warnings, and what they say.
fn said_of(row: &str) -> Vec<(&'static str, String)> {
    let source = format!(r#"{{"rules":[{{"id":"R","title":"t","severity":"low","when":{{{row}}}}}]}}"#);
    let warnings = lints(&source).into_iter().filter(|found| found.level == Level::Warning);
    warnings.map(|found| (found.code, format!("{}. {}", found.message, found.help))).collect()
}

#[test]
fn a_path_that_leads_nowhere_is_told_with_what_is_meant() {
    for (row, code, said) in [
        (r#""userIdentity":{"is":"Root"}"#, "value-for-object", "type"),
        (r#""userIdentity.sessionContext":{"is":"Role"}"#, "value-for-object", "sessionIssuer"),
        (r#""userIdentity":"^Root""#, "value-for-object", "never equal"),
        (r#""userIdentity.username":{"is":"mara"}"#, "member-case", "userIdentity.userName"),
        (r#""userIdentity.userIdentityType":{"is":"Root"}"#, "unknown-member", "userIdentity.type"),
        (
            r#""userIdentity.sessionContext.sessionissuer.userName":{"is":"Admin"}"#,
            "member-case",
            "userIdentity.sessionContext.sessionIssuer.userName",
        ),
        (
            r#""userIdentity.sessionContext.attributes.mfaauthenticated":{"is":"false"}"#,
            "member-case",
            "mfaAuthenticated",
        ),
        (r#""resources.arn":"^arn:aws:s3""#, "member-case", "resources.ARN"),
        (r#""tlsDetails.version":{"is":"TLSv1"}"#, "unknown-member", "tlsVersion"),
        (r#""sourceIPAddress.ip":{"is":"203.0.113.7"}"#, "path-below-value", "write \"sourceIPAddress\""),
        (
            r#""service":{"is":"signin.amazonaws.com"},"event":{"is":"ConsoleLogin"},"additionalEventData.MFAUsd":{"is":"No"}"#,
            "unknown-member",
            "additionalEventData.MFAUsed",
        ),
        (
            r#""service":{"is":"rds.amazonaws.com"},"event":{"is":"DeleteDBCluster"},"requestParameters.dBInstanceIdentifier":"^p""#,
            "other-calls-parameter",
            "DeleteDBInstance",
        ),
        (
            r#""service":{"is":"lambda.amazonaws.com"},"event":{"is":"CreateFunction20150331"},"requestParameters.functionNam":"^p""#,
            "unknown-member",
            "requestParameters.functionName",
        ),
        (
            r#""service":{"is":"ec2.amazonaws.com"},"event":"^Authorize","requestParameters.ipPermission.items.toPort":{"is":22}"#,
            "unknown-member",
            "requestParameters.ipPermissions.items.toPort",
        ),
        (
            r#""service":{"is":"ec2.amazonaws.com"},"event":{"is":"AuthorizeSecurityGroupIngress"},
               "requestParameters.ipPermissions.items":{"item":{"toport":{"is":22}}}"#,
            "member-case",
            "toPort",
        ),
        // EC2's records have their lists in `items`.
        (
            r#""service":{"is":"ec2.amazonaws.com"},"event":{"is":"AuthorizeSecurityGroupIngress"},
               "requestParameters.ipPermissions.ipRanges.cidrIp":{"is":"0.0.0.0/0"}"#,
            "unknown-member",
            "requestParameters.ipPermissions.items.ipRanges",
        ),
        (
            r#""service":{"is":"ec2.amazonaws.com"},"event":{"is":"AuthorizeSecurityGroupIngress"},
               "requestParameters.ipPermissions.IpRanges.CidrIp":{"is":"0.0.0.0/0"}"#,
            "unknown-member",
            "requestParameters.ipPermissions.items.ipRanges",
        ),
        (
            r#""service":{"is":"ec2.amazonaws.com"},"event":{"is":"AuthorizeSecurityGroupIngress"},
               "requestParameters.ipPermissions.items.ipRanges.cidrIp":{"is":"0.0.0.0/0"}"#,
            "unknown-member",
            "requestParameters.ipPermissions.items.ipRanges.items.cidrIp",
        ),
        (
            r#""service":{"is":"s3.amazonaws.com"},"event":{"is":"PutBucketPolicy"},"requestParameters.bucketNme":{"exists":true}"#,
            "unknown-member",
            "requestParameters.bucketName",
        ),
        (r#""requestParameters.usrName":{"is":"mara"}"#, "unknown-member", "requestParameters.userName"),
        (
            r#""service":{"is":"iam.amazonaws.com"},"region":{"is":"us-east-1"},"event":{"is":"CreateUser"},
               "userIdentity.userName":{"same_as":"requestParameters.userNmae"}"#,
            "unknown-member",
            "requestParameters.userName",
        ),
    ] {
        let found = said_of(row);
        assert!(
            matches!(found.as_slice(), [(found, help)] if *found == code && help.contains(said)),
            "{row}: {found:?}"
        );
    }
}

#[test]
fn what_may_stand_in_a_record_is_never_refused() {
    for row in [
        // A call with an own spelling, a list in EC2's wrapping, S3's headers and bodies.
        r#""service":{"is":"ec2.amazonaws.com"},"event":{"is":"TerminateInstances"},"requestParameters.instancesSet.items.instanceId":"^i-""#,
        r#""service":{"is":"ec2.amazonaws.com"},"event":{"is":"CreateFlowLogs"},"requestParameters.CreateFlowLogsRequest.ResourceType":"VPC""#,
        r#""service":{"is":"s3.amazonaws.com"},"event":{"is":"PutBucketAcl"},"requestParameters.x-amz-acl":{"is":"public-read"}"#,
        r#""service":{"is":"ec2.amazonaws.com"},"event":{"is":"AuthorizeSecurityGroupIngress"},"requestParameters.ipPermissions.items.ipRanges.items.cidrIp":{"is":"0.0.0.0/0"}"#,
        r#""service":{"is":"ec2.amazonaws.com"},"event":{"is":"CreateVpc"},"requestParameters.tagSpecificationSet.items.tags.key":{"is":"Owner"}"#,
        // Keys of callers' own, and what a text may hold.
        r#""service":{"is":"lambda.amazonaws.com"},"event":{"is":"TagResource20170331v2"},"requestParameters.tags.Owner":"^a""#,
        r#""service":{"is":"iam.amazonaws.com"},"region":{"is":"us-east-1"},"event":{"is":"PutRolePolicy"},"requestParameters.policyDocument.Statement.Efect":"A""#,
        // One of several calls has it.
        r#""service":{"is":"rds.amazonaws.com"},"event":{"is":["DeleteDBCluster","DeleteDBInstance"]},"requestParameters.dBInstanceIdentifier":"^p""#,
        // Calls of which nothing is known, and parts that vary.
        r#""service":{"is":"cloudshell.amazonaws.com"},"event":{"is":"StopEnvironment"},"requestParameters.Anything":"^p""#,
        r#""service":{"is":"expertq.amazonaws.com"},"event":{"is":"AnyCall"},"requestParameters.anything":"^p""#,
        r#""service":{"is":"s3.amazonaws.com"},"event":{"is":"PutBucketAcl"},"additionalEventData.newThing":"^p""#,
        // A pattern is searched in the JSON of an object.
        r#""service":{"is":"ec2.amazonaws.com"},"userIdentity":"Root""#,
    ] {
        assert_eq!(said_of(row), [], "{row}");
    }
}

#[test]
fn exceptions_severities_titles_and_throttles_are_looked_at() {
    let rule = |keys: &str| {
        let when = r#""when":{"service":{"is":"ec2.amazonaws.com"},"event":{"is":"StopInstances"}}"#;
        format!(r#"{{"rules":[{{"id":"R","severity":"low",{when},{keys}}}]}}"#)
    };
    for (keys, pointer) in [
        (r#""title":"{userIdentity.username}""#, "/rules/0/title"),
        (r#""title":"t","throttle":{"window":"1h","by":["userIdentity.username"]}"#, "/rules/0/throttle/by/0"),
        (
            r#""title":"t","threshold":{"count":3,"window":"1h","distinct":"userIdentity.username"}"#,
            "/rules/0/threshold/distinct",
        ),
        (
            r#""title":"t","severity_when":[{"severity":"high","when":{"userIdentity.username":{"is":"x"}}}]"#,
            "/rules/0/severity_when/0/when/userIdentity.username",
        ),
        (
            r#""title":"t","unless":[{"reason":"r","when":{"requestParameters.instancesSet.items.instanceid":{"is":"x"}}}]"#,
            "/rules/0/unless/0/when/requestParameters.instancesSet.items.instanceid",
        ),
    ] {
        let found = lints(&rule(keys));
        let found: Vec<_> = found.iter().filter(|found| found.level == Level::Warning).collect();
        assert!(
            matches!(found.as_slice(), [one] if one.code == "member-case" && one.pointer == pointer),
            "{keys}: {found:?}"
        );
    }
    // Who names both spellings in one place of a title means it.
    assert_eq!(lints(&rule(r#""title":"{userIdentity.username|userIdentity.userName}""#)), []);
}

#[test]
fn names_of_services_are_those_of_records() {
    let list = std::fs::read_to_string(support::repository("src/lint/catalogue/event_sources.tsv")).unwrap();
    let names = list.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split('\t').next());
    let rules: Vec<Value> = names
        .map(|name| {
            let service = format!("{name}.amazonaws.com");
            json!({"id": name, "title": "t", "severity": "low", "when": {"service": {"is": service}}})
        })
        .collect();
    assert!(rules.len() > 350);
    let found = lints(&json!({ "rules": rules }).to_string());
    let refused: Vec<_> = found.iter().filter(|found| found.code == "unknown-service").collect();
    assert!(refused.is_empty(), "{refused:?}");

    for (service, event) in [
        ("sso-oauth", "CreateTokenWithIAM"),
        ("identitystore-scim", "CreateUser"),
        ("ec2-instance-connect", "OpenTunnel"),
        ("bedrock-agentcore", "CreateAgentRuntime"),
        ("payment-cryptography", "CreateKey"),
        ("memorydb", "CreateCluster"),
        ("appstream", "AssociateFleet"),
        ("ecr", "PolicyExecutionEvent"),
        ("ssm-guiconnect", "StartConnection"),
        ("signin", "CreateOAuth2Token"),
        ("edgekeyvaluestore", "UpdateKeys"),
        ("elasticfilesystem", "NewClientConnection"),
        ("sso-directory", "EnableExternalIdPConfigurationForDirectory"),
        ("billingconsole", "SetContactAddress"),
        ("eks", "AccessKubernetesApi"),
        ("cognito-idp", "Mfa_GET"),
        // No list says which calls it has.
        ("expertq", "AnyCall"),
    ] {
        let row = format!(r#""service":{{"is":"{service}.amazonaws.com"}},"event":{{"is":"{event}"}}"#);
        assert!(said_of(&row).iter().all(|(code, _)| *code == "data-event" || *code == "recorded-elsewhere"), "{row}");
    }
    for (model, recorded) in [
        ("memory-db", "memorydb"),
        ("appstream2", "appstream"),
        ("bedrock-agentcore-control", "bedrock-agentcore"),
        ("controlplane.payment-cryptography", "payment-cryptography"),
        ("cloudfront-keyvaluestore", "edgekeyvaluestore"),
    ] {
        let found = said_of(&format!(r#""service":{{"is":"{model}.amazonaws.com"}}"#));
        let said = format!("\"{recorded}.amazonaws.com\"");
        assert!(matches!(found.as_slice(), [("unknown-service", help)] if help.contains(&said)), "{model}: {found:?}");
    }
    for region in ["sa-west-1", "me-west-1"] {
        let row = format!(r#""service":{{"is":"ec2.amazonaws.com"}},"region":{{"is":"{region}"}}"#);
        assert_eq!(said_of(&row), [], "{region}");
    }
}

#[test]
fn habits_of_other_tools_are_told() {
    for (row, code, said) in [
        (r#""event":"Run*""#, "wildcard-pattern", "\"^Run\""),
        (r#""service":{"is":"ec2.amazonaws.com"},"event":"^Delete*""#, "wildcard-pattern", "\"^Delete\""),
        (r#""service":{"is":"ec2.amazonaws.com"},"event":{"is":"Create*"}"#, "unknown-event", "\"^Create\""),
        (r#""event":{"is":"*Instances"}"#, "unknown-event", "\"Instances$\""),
        (
            r#""event":{"is":"iam:CreateUser"}"#,
            "unknown-event",
            "\"iam.amazonaws.com\"}, \"event\": {\"is\": \"CreateUser\"}",
        ),
        (r#""event":"s3:PutLifecycleConfiguration""#, "unknown-event", "\"PutBucketLifecycle\""),
        (r#""service":{"is":"iam:CreateUser"}"#, "unknown-service", "\"event\""),
        (r#""service":{"is":"lambda.amazonaws.com"},"event":"^UpdateFunctionCode$""#, "versioned-event", "without $"),
    ] {
        let found = said_of(row);
        assert!(found.iter().any(|(found, help)| *found == code && help.contains(said)), "{row}: {found:?}");
    }
}

/// Our own records: the sample events and those of the packs' tests.
#[test]
fn the_members_of_our_own_records_are_known_and_slips_are_told() {
    let mut fields = Fields::default();
    for folder in ["events", "packs"] {
        for entry in std::fs::read_dir(support::repository(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_none_or(|end| end != "json") {
                continue;
            }
            let document: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
            // What a rule must not match may be anything.
            let tests = document["rules"].as_array().into_iter().flatten().filter_map(|rule| rule["tests"].as_array());
            let matched = tests.flatten().filter(|test| test["expect"] == true).map(|test| &test["event"]);
            let events = matched.chain([&document].into_iter().filter(|_| folder == "events"));
            events.for_each(|event| records_in(event, &mut |record| fields.add(record)));
        }
    }
    assert_eq!(refused(&fields), [""; 0]);
    let (counts, missed) = slips_told(&fields, 1);
    let (told, all) = sum(&counts);
    assert!(all > 1000 && told * 100 >= all * 98, "{told} of {all}: {missed:?}");
}

/// The fields of real records: none is refused, and of the slips that are tried nearly all are told.
fn real_fields(step: usize) {
    let Some(folder) = support::corpora() else { return };
    let mut fields = Fields::default();
    real_records(&folder, &mut |record| fields.add(record));
    assert_eq!(refused(&fields), [""; 0]);
    let (counts, missed) = slips_told(&fields, step);
    let (told, all) = sum(&counts);
    assert!(told * 100 >= all * 98, "{told} of {all}: {:?}", missed.iter().step_by(50 / step + 1).collect::<Vec<_>>());
}

#[test]
fn the_members_of_real_records_are_known_and_slips_are_told() {
    real_fields(16);
}

#[test]
#[ignore = "takes minutes"]
fn every_slip_in_real_records_is_tried() {
    real_fields(1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever is asked of whatever calls, the lints have an answer.
    #[test]
    fn any_path_in_any_row_is_judged(
        path in "(requestParameters|responseElements|additionalEventData|userIdentity|resources|tlsDetails)(\\.[a-zA-Z@:é-]{1,9}|\\.items|\\.(userName|instancesSet|Statement|tagSet|policy)){0,5}",
        service in "(ec2|s3|iam|rds|sso|expertq|nosuch|cloudshell)",
        event in prop_oneof![Just(r#""^Create""#.to_owned()), Just(r#"{"not":{"is":"RunInstances"}}"#.to_owned()),
            "[A-Z][a-z]{2,8}".prop_map(|name| format!(r#"{{"is":"{name}"}}"#)), Just(r#"{"is":["CreateUser","RunInstances"]}"#.to_owned())],
        condition in prop_oneof![Just(r#"{"is":"x"}"#), Just(r#""^x""#), Just(r#"{"not":{"above":1}}"#), Just(r#"{"item":{".":{"is":"a"},"a.b":"c"}}"#),
            Just(r#"{"exists":false}"#), Just(r#"{"same_as":"requestParameters.x"}"#)],
        named in any::<bool>(),
    ) {
        let calls = if named { format!(r#""service":{{"is":"{service}.amazonaws.com"}},"event":{event},"#) } else { String::new() };
        let rule = format!(r#"{{"rules":[{{"id":"R","title":"{{{path}}}","severity":"low","when":{{{calls}"{path}":{condition}}}}}]}}"#);
        if RuleSet::compile(&rule).is_ok() {
            lint::run(&RuleSet::compile(&rule).unwrap().rules, &Sources::alone(&*rule), Date::parse("2026-11-25").unwrap());
        }
    }
}

/// What the steps of `respond` name is looked at as cells and titles are: a command with a misspelt field is never shown.
#[test]
fn the_steps_of_respond_name_what_stands_in_records() {
    let with = |respond: &str| {
        format!(
            r#"{{ "rules": [ {{ "id": "R", "title": "t", "severity": "low",
              "when": {{ "service": {{"is": "iam.amazonaws.com"}}, "region": {{"is": "us-east-1"}}, "event": {{"is": ["CreateUser", "CreateAccessKey"]}} }},
              "respond": [ {respond} ] }} ] }}"#
        )
    };
    let told = |respond: &str| {
        let found = lints(&with(respond));
        found
            .iter()
            .map(|found| format!("{} {} {}", found.code, found.pointer, found.message))
            .collect::<Vec<_>>()
            .join("\n")
    };
    for (respond, expected) in [
        (
            r#""Ask {userIdentity.username}""#,
            "member-case /rules/0/respond/0 records write \"userName\" in userIdentity, not \"username\": the step says nothing of it",
        ),
        (
            r#"{ "do": "look", "run": "aws iam get-user --user-name {requestParameters.usrName}" }"#,
            "unknown-member /rules/0/respond/0/run there is no \"usrName\" in requestParameters of CreateAccessKey and CreateUser: the command gets no value of it",
        ),
        (
            r#"{ "do": "look", "when": { "requestParameters.usrName": "x" } }"#,
            "unknown-member /rules/0/respond/0/when/requestParameters.usrName there is no \"usrName\" in requestParameters of CreateAccessKey and CreateUser: it can never match",
        ),
        // Of a step for one call, another's parameter is none.
        (
            r#"{ "do": "of {responseElements.accessKey.accessKeyId}", "when": { "event": { "is": "CreateUser" } } }"#,
            "unknown-member /rules/0/respond/0/do",
        ),
        (r#"{ "do": "look", "when": { "event": { "is": "CreateUsr" } } }"#, "service"),
    ] {
        let found = told(respond);
        if expected == "service" {
            assert!(found.starts_with("unknown-event /rules/0/respond/0/when/event/is "), "{respond}: {found}");
        } else if expected.contains(" there is no") || expected.contains(" records write") {
            assert_eq!(found, expected, "{respond}");
        } else {
            assert!(found.contains("/rules/0/respond/0/do ") && found.lines().count() == 1, "{respond}: {found}");
        }
    }
    for right in [
        r#""Ask {userIdentity.userName|userIdentity.username}""#,
        r#"{ "do": "of {responseElements.accessKey.accessKeyId}", "when": { "event": { "is": "CreateAccessKey" } } }"#,
        r#"{ "do": "{requestParameters.userName}", "run": "aws iam get-user --user-name {requestParameters.userName|userIdentity.userName}" }"#,
    ] {
        assert_eq!(told(right), "", "{right}");
    }
    // What an override says stands in the override; what a bundle says, at its end.
    let rules = with(r#""Ask {userIdentity.username}""#);
    let bundle = Sources::alone(&rules).bundle().unwrap();
    assert_eq!(lints(&bundle).iter().map(|found| found.pointer.as_str()).collect::<Vec<_>>(), ["/respond/R/0"]);
}
