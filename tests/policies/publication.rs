//! What is made public and shared, in each shape in which calls say it: `public_access` and `shared_with`.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{ROUNDS, agree, spelling, values};
use crate::support::choices::{Choices, seeds};

fn any_case(choices: &mut Choices, text: &str) -> String {
    if choices.one_in(3) { text.to_uppercase() } else { text.to_owned() }
}

/// A text alone, or in a list.
fn maybe_list(choices: &mut Choices, text: &str) -> Value {
    if choices.one_in(2) { json!(text) } else { json!([text]) }
}

const GROUPS: [(&str, &str); 3] =
    [("AllUsers", "everybody"), ("AuthenticatedUsers", "every AWS account"), ("LogDelivery", "")];
const PERMISSIONS: [(&str, &str, &str); 5] = [
    ("READ", "x-amz-grant-read", "may read"),
    ("WRITE", "x-amz-grant-write", "may write"),
    ("READ_ACP", "x-amz-grant-read-acp", "may read the ACL"),
    ("WRITE_ACP", "x-amz-grant-write-acp", "may write the ACL"),
    ("FULL_CONTROL", "x-amz-grant-full-control", "has full control"),
];

/// A request of S3, and what it makes public.
fn acl(choices: &mut Choices) -> (Value, BTreeSet<String>) {
    let mut request = json!({ "bucketName": "b", "acl": choices.of(&["[\"\"]", "\"\""]).parse::<Value>().unwrap() });
    let mut expected = BTreeSet::new();
    match choices.below(3) {
        0 => {
            let (canned, grants): (&str, &[&str]) = choices.of(&[
                ("private", &[] as &[&str]),
                ("bucket-owner-full-control", &[]),
                ("public-read", &["everybody may read"]),
                ("public-read-write", &["everybody may read", "everybody may write"]),
                ("authenticated-read", &["every AWS account may read"]),
            ]);
            let canned = any_case(choices, canned);
            request["x-amz-acl"] = maybe_list(choices, &canned);
            expected.extend(grants.iter().map(|grant| (*grant).to_owned()));
        }
        form => {
            let mut listed = Vec::new();
            for _ in 0..=choices.below(3) {
                let ((group, who), (permission, header, what)) = (choices.of(&GROUPS), choices.of(&PERMISSIONS));
                let uri =
                    format!("http://acs.amazonaws.com/groups/{}/{group}", if who.is_empty() { "s3" } else { "global" });
                if form == 1 {
                    let quoted = choices.of(&["id=\"79a59df9\", ", ""]).to_owned() + &format!("uri=\"{uri}\"");
                    // A header stands once.
                    if request.get(header).is_some() {
                        continue;
                    }
                    request[header] = maybe_list(choices, &quoted);
                } else {
                    let key = choices.of(&["URI", "uRI"]);
                    listed.push(json!({ "Grantee": { "xsi:type": "Group", key: uri }, "Permission": permission }));
                }
                if !who.is_empty() {
                    expected.insert(format!("{who} {what}"));
                }
            }
            if form == 2 {
                listed.push(json!({ "Grantee": { "xsi:type": "CanonicalUser", "ID": "79a59df9" }, "Permission": "FULL_CONTROL" }));
                let grants = if listed.len() == 1 { listed[0].clone() } else { json!(listed) };
                request["AccessControlPolicy"] =
                    json!({ "Owner": { "ID": "79a59df9" }, "AccessControlList": { "Grant": grants } });
            }
        }
    }
    (request, expected)
}

#[test]
fn lists_of_access_are_read_in_each_of_their_forms() {
    for seed in seeds(ROUNDS) {
        let mut choices = Choices::new(seed);
        let (request, expected) = acl(&mut choices);
        let event = choices.of(&["PutBucketAcl", "CreateBucket", "PutObjectAcl", "PutObject"]);
        let said: BTreeSet<String> =
            values("public_access", "s3.amazonaws.com", event, &request, &Value::Null).into_iter().collect();
        assert_eq!(said, expected, "seed {seed}: {request:#}");
    }
    agree("public_access (ACLs)", seeds(ROUNDS).count(), &[]);
}

/// What a call asks for and what is answered: of what it makes the answer counts, of a change only what it asks for.
#[test]
fn what_is_publicly_accessible_is_so_by_request_or_answer() {
    for seed in seeds(ROUNDS) {
        let mut choices = Choices::new(seed);
        let (source, event, makes) = choices.of(&[
            ("rds.amazonaws.com", "CreateDBInstance", true),
            ("rds.amazonaws.com", "RestoreDBInstanceFromDBSnapshot", true),
            ("rds.amazonaws.com", "ModifyDBInstance", false),
            ("redshift.amazonaws.com", "CreateCluster", true),
            ("redshift.amazonaws.com", "ModifyCluster", false),
            ("dms.amazonaws.com", "CreateReplicationInstance", true),
        ]);
        let flag = |choices: &mut Choices| choices.of(&[None, Some(true), Some(false)]);
        let (asked, answered) = (flag(&mut choices), flag(&mut choices));
        let write = |choices: &mut Choices, flag: Option<bool>| match flag {
            None => json!({ "deletionProtection": true }),
            Some(flag) => {
                json!({ "deletionProtection": true, "publiclyAccessible": if choices.one_in(4) { json!(flag.to_string()) } else { json!(flag) } })
            }
        };
        let (request, mut response) = (write(&mut choices, asked), write(&mut choices, answered));
        if choices.one_in(3) {
            response = json!({ "replicationInstance": response });
        }
        let expected = if makes { answered.or(asked) } else { asked } == Some(true);
        let said = values("public_access", source, event, &request, &response);
        assert_eq!(
            said,
            if expected { vec!["publicly accessible"] } else { vec![] },
            "seed {seed}: {event} {request} {response}"
        );
    }
    agree("public_access (flags)", seeds(ROUNDS).count(), &[]);
}

const RECIPIENTS: [(&str, &str, &str); 5] = [
    ("userId", "999999999999", "999999999999"),
    ("userId", "222222222222", "222222222222"),
    ("group", "all", "everybody"),
    (
        "organizationArn",
        "arn:aws:organizations::333333333333:organization/o-partner000",
        "arn:aws:organizations::333333333333:organization/o-partner000",
    ),
    (
        "organizationalUnitArn",
        "arn:aws:organizations::333333333333:ou/o-partner000/ou-1",
        "arn:aws:organizations::333333333333:ou/o-partner000/ou-1",
    ),
];

/// EC2's forms: an object with what is added and removed, or an operation and lists.
fn ec2(choices: &mut Choices) -> (Value, BTreeSet<String>) {
    let picked = |choices: &mut Choices| (0..choices.below(3)).map(|_| choices.of(&RECIPIENTS)).collect::<Vec<_>>();
    let (added, removed) = (picked(choices), picked(choices));
    let mut request = json!({ "imageId": "ami-1" });
    let names =
        |list: &[(&str, &str, &str)]| list.iter().map(|(_, _, name)| (*name).to_owned()).collect::<BTreeSet<_>>();
    if choices.one_in(5) {
        request["description"] = json!({ "value": "built by ci" });
        return (request, BTreeSet::new());
    }
    if choices.one_in(3) {
        let adds = choices.one_in(2);
        let list = if adds { &added } else { &removed };
        request["operationType"] = json!(if adds { "add" } else { "remove" });
        for (key, form) in [
            ("userId", "userIds"),
            ("group", "userGroups"),
            ("organizationArn", "organizationArns"),
            ("organizationalUnitArn", "organizationalUnitArns"),
        ] {
            let texts: Vec<String> =
                list.iter().filter(|(other, ..)| *other == key).map(|(_, text, _)| (*text).to_owned()).collect();
            if !texts.is_empty() {
                let texts = spelling::list(choices, &texts);
                request[form] = if choices.one_in(2) { json!({ "items": texts }) } else { texts };
            }
        }
        return (request, if adds { names(&added) } else { BTreeSet::new() });
    }
    let mut permission = json!({});
    for (key, list) in [("add", &added), ("remove", &removed)] {
        let items: Vec<Value> = list.iter().map(|(key, text, _)| json!({ *key: text })).collect();
        if !items.is_empty() || choices.one_in(3) {
            permission[key] = match choices.below(3) {
                0 => json!(items),
                1 if items.len() == 1 => json!({ "items": items[0] }),
                _ => json!({ "items": items }),
            };
        }
    }
    request[choices.of(&["launchPermission", "createVolumePermission"])] = permission;
    // A snapshot is shared with no organization.
    let mut expected = names(&added);
    if request.get("createVolumePermission").is_some() {
        expected.retain(|name| !name.contains(":organizations:"));
    }
    (request, expected)
}

#[test]
fn whom_a_disk_is_shared_with_is_read_in_each_of_its_forms() {
    for seed in seeds(ROUNDS) {
        let mut choices = Choices::new(seed);
        let (request, expected) = ec2(&mut choices);
        let event = if request.get("createVolumePermission").is_some() {
            "ModifySnapshotAttribute"
        } else {
            "ModifyImageAttribute"
        };
        let said: BTreeSet<String> =
            values("shared_with", "ec2.amazonaws.com", event, &request, &Value::Null).into_iter().collect();
        assert_eq!(said, expected, "seed {seed}: {request:#}");
        let public = values("public_access", "ec2.amazonaws.com", event, &request, &Value::Null);
        let is_public = expected.contains("everybody");
        assert_eq!(public, if is_public { vec!["shared with everybody"] } else { vec![] }, "seed {seed}: {request:#}");
    }
    agree("shared_with (EC2)", seeds(ROUNDS).count(), &[]);
}
