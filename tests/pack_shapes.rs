//! One fact in each of the shapes that CloudTrail has for it, done by each kind of caller: the packs say the same of all.
//!
//! The records are invented, with the identities that AWS's documentation shows:
//! <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html>.

use offlimits::cloudtrail::Record;
use offlimits::ruleset::{PackError, RuleSet, Sources};
use serde_json::{Value, json};

use crate::support;

fn shipped() -> RuleSet {
    let root = include_str!("../rules.json");
    let read = |name: &str| std::fs::read_to_string(support::repository(name)).map_err(PackError::new);
    RuleSet::compile_sources(&Sources::gather(root, read)).unwrap_or_else(|found| panic!("{found:#?}")).rules
}

/// A record of one call. `call` is the service, the event and what else the record has.
fn record(caller: &Value, (service, event, more): (&str, &str, Value)) -> String {
    let mut record = json!({
        "eventVersion": "1.11", "eventTime": "2026-01-10T11:32:44Z", "awsRegion": "us-east-1", "eventType": "AwsApiCall",
        "eventSource": format!("{service}.amazonaws.com"), "eventName": event, "readOnly": false,
        "eventID": "0b1c2d3e-0000-4000-8000-000000000001", "recipientAccountId": "123456789012",
        "sourceIPAddress": "192.0.2.44", "userAgent": "aws-cli/2.32.3",
    });
    for part in [caller, &more] {
        record.as_object_mut().unwrap().extend(part.as_object().unwrap().clone());
    }
    record.to_string()
}

/// What a rule says of a record: its severity and its title.
fn said(rules: &RuleSet, rule: &str, record: &str) -> Option<(String, String)> {
    let record = Record::parse(record).unwrap();
    let finding = rules.evaluate_record(&record).into_iter().find(|finding| finding.rule.id == rule)?;
    Some((finding.severity.to_string(), finding.title))
}

const ROLE: &str = "arn:aws:sts::123456789012:assumed-role";

fn operator() -> Value {
    json!({ "userIdentity": { "type": "AssumedRole", "arn": format!("{ROLE}/Operator/mara"), "accountId": "123456789012" } })
}

/// People, each as CloudTrail may record what they do.
fn people() -> Vec<Value> {
    let role = |name: &str| json!({ "type": "AssumedRole", "arn": format!("{ROLE}/{name}/mara"), "accountId": "123456789012" });
    let with = |mut identity: Value, invoked_by: &str| {
        identity["invokedBy"] = invoked_by.into();
        identity
    };
    vec![
        json!({ "userIdentity": { "type": "IAMUser", "userName": "mara", "accountId": "123456789012" } }),
        json!({ "userIdentity": role("AWSReservedSSO_Admin_0123456789abcdef") }),
        json!({ "userIdentity": with(role("Operator"), "signin.amazonaws.com") }),
        json!({
            "userIdentity": with(role("Operator"), "AWS Internal"), "sourceIPAddress": "AWS Internal",
            "userAgent": "AWS Internal", "sessionCredentialFromConsole": "true",
        }),
    ]
}

/// Services, each as CloudTrail may record what they do.
fn services() -> Vec<Value> {
    let role = |name: &str| json!({ "type": "AssumedRole", "arn": format!("{ROLE}/{name}/session"), "accountId": "123456789012" });
    let mut forwarded = role("Operator");
    forwarded["invokedBy"] = "cloudformation.amazonaws.com".into();
    vec![
        json!({ "userIdentity": { "type": "AWSService", "invokedBy": "config.amazonaws.com" } }),
        json!({ "userIdentity": forwarded, "sourceIPAddress": "cloudformation.amazonaws.com", "userAgent": "cloudformation.amazonaws.com" }),
        json!({ "userIdentity": role("AWSServiceRoleForAutoScaling"), "sourceIPAddress": "autoscaling.amazonaws.com" }),
    ]
}

#[test]
fn people_are_told_of_in_every_guise_and_services_are_not() {
    let rules = shipped();
    let calls = [
        ("CIS-8", ("s3", "PutBucketPolicy", json!({ "requestParameters": { "bucketName": "data" } }))),
        ("CIS-10", ("ec2", "CreateSecurityGroup", json!({ "requestParameters": { "groupName": "web" } }))),
        ("PER-1", ("iam", "CreateAccessKey", json!({ "requestParameters": { "userName": "eve" } }))),
        ("EVA-2", ("guardduty", "DeleteDetector", json!({ "requestParameters": { "detectorId": "d" } }))),
        ("IMP-7", ("s3", "DeleteBucket", json!({ "requestParameters": { "bucketName": "data" } }))),
    ];
    for (rule, call) in calls {
        for caller in people() {
            let record = record(&caller, call.clone());
            assert!(said(&rules, rule, &record).is_some(), "{rule}: {record}");
        }
        for caller in services() {
            let record = record(&caller, call.clone());
            assert_eq!(said(&rules, rule, &record), None, "{rule}: {record}");
        }
    }
}

#[test]
fn roots_use_is_told_of_and_a_services_is_not() {
    let rules = shipped();
    let call = ("s3", "PutBucketPolicy", json!({ "requestParameters": { "bucketName": "data" } }));
    let root = |more: Value| {
        let mut caller = json!({ "userIdentity": { "type": "Root", "arn": "arn:aws:iam::123456789012:root" } });
        caller.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        said(&rules, "CIS-3", &record(&caller, call.clone())).is_some()
    };
    assert!(root(json!({})));
    assert!(root(json!({
        "userIdentity": { "type": "Root", "invokedBy": "AWS Internal" }, "sourceIPAddress": "AWS Internal",
        "sessionCredentialFromConsole": "true",
    })));
    assert!(!root(json!({ "sourceIPAddress": "connect.amazonaws.com" })));
    assert!(!root(json!({ "userIdentity": { "type": "Root", "invokedBy": "autoscaling.amazonaws.com" } })));
}

/// The severity of a rule for calls that mean the same, and what its title must hold.
#[test]
fn a_fact_has_one_severity_in_all_its_shapes() {
    let rules = shipped();
    let nested = json!({ "groupId": "sg-1", "ipPermissions": { "items": [
        { "ipProtocol": "tcp", "fromPort": 22, "toPort": 22, "ipRanges": { "items": [{ "cidrIp": "0.0.0.0/0" }] } } ] } });
    let halves = json!({ "groupId": "sg-1", "ipPermissions": { "items": [
        { "ipProtocol": "tcp", "fromPort": 22, "toPort": 22,
          "ipRanges": { "items": [{ "cidrIp": "0.0.0.0/1" }, { "cidrIp": "128.0.0.0/1" }] } } ] } });
    let flat = json!({ "groupId": "sg-1", "ipProtocol": "tcp", "fromPort": 22, "toPort": 22, "cidrIp": "0.0.0.0/0" });
    let modified = json!({ "ModifySecurityGroupRulesRequest": { "GroupId": "sg-1", "SecurityGroupRule": {
        "SecurityGroupRuleId": "sgr-1",
        "SecurityGroupRule": { "CidrIpv4": "0.0.0.0/0", "FromPort": 22, "ToPort": 22, "IpProtocol": "tcp" } } } });
    let intern =
        json!({ "groupId": "sg-1", "ipProtocol": "tcp", "fromPort": 443, "toPort": 443, "cidrIp": "10.0.0.0/8" });
    let request = |request: &Value| json!({ "requestParameters": request });
    let answer =
        |request: &Value, response: &Value| json!({ "requestParameters": request, "responseElements": response });
    let started = json!({ "instancesSet": { "items": [{ "instanceId": "i-1", "instanceType": "p5.48xlarge" }] } });
    let template = json!({ "launchTemplate": { "launchTemplateId": "lt-0a1b" } });
    let key = "x-amz-server-side-encryption-customer-algorithm";
    let cases = [
        ("CIS-10", "ec2", "AuthorizeSecurityGroupIngress", request(&nested), "high", "tcp 22 from 0.0.0.0/0 on sg-1"),
        ("CIS-10", "ec2", "AuthorizeSecurityGroupIngress", request(&flat), "high", "tcp 22 from 0.0.0.0/0 on sg-1"),
        ("CIS-10", "ec2", "AuthorizeSecurityGroupIngress", request(&halves), "high", "tcp 22 from 0.0.0.0/1"),
        ("CIS-10", "ec2", "ModifySecurityGroupRules", request(&modified), "high", "tcp 22 from 0.0.0.0/0 on sg-1"),
        ("CIS-10", "ec2", "AuthorizeSecurityGroupIngress", request(&intern), "low", "tcp 443 from 10.0.0.0/8 on sg-1"),
        (
            "IMP-14",
            "ec2",
            "RunInstances",
            request(&json!({ "instanceType": "p5.48xlarge" })),
            "high",
            "RunInstances of p5.48xlarge by",
        ),
        ("IMP-14", "ec2", "RunInstances", answer(&template, &started), "high", "of p5.48xlarge × 1 on i-1"),
        ("IMP-14", "ec2", "RunInstances", request(&template), "low", "RunInstances on lt-0a1b"),
        ("IMP-14", "ec2", "RunInstances", request(&json!({ "instanceType": "t3.micro" })), "low", "of t3.micro by"),
        (
            "IMP-8",
            "s3",
            "PutObject",
            request(&json!({ "bucketName": "data", "key": "a", key: "AES256" })),
            "very-high",
            "data",
        ),
        (
            "IMP-8",
            "s3",
            "UploadPart",
            request(&json!({ "bucketName": "data", "key": "a", key: "AES256" })),
            "very-high",
            "data",
        ),
        (
            "CRE-1",
            "ec2",
            "GetPasswordData",
            json!({ "requestParameters": { "instanceId": "i-1" }, "errorCode": "Client.UnauthorizedOperation" }),
            "low",
            "asked for: GetPasswordData on i-1 by Operator/mara",
        ),
        (
            "IMP-10",
            "rds",
            "DeleteDBSnapshot",
            request(&json!({ "dBSnapshotIdentifier": "s-1" })),
            "high",
            "DeleteDBSnapshot on s-1 by Operator/mara",
        ),
        (
            "IMP-10",
            "rds",
            "DeleteDBClusterAutomatedBackup",
            request(&json!({ "dbClusterResourceId": "cluster-A" })),
            "high",
            "on cluster-A",
        ),
    ];
    for (rule, service, event, more, severity, title) in cases {
        let record = record(&operator(), (service, event, more));
        let said = said(&rules, rule, &record).unwrap_or_else(|| panic!("{rule} is silent: {record}"));
        assert!(said.0 == severity && said.1.contains(title), "{said:?}: {record}");
    }
}

#[test]
fn roots_password_is_told_of_by_its_own_event() {
    let rules = shipped();
    let event = |event: &'static str, outcome: &str| {
        let root = json!({ "userIdentity": { "type": "Root" }, "eventType": "AwsConsoleSignIn" });
        said(&rules, "CRE-6", &record(&root, ("signin", event, json!({ "responseElements": { event: outcome } }))))
            .unwrap()
    };
    assert_eq!(
        event("PasswordUpdated", "Success"),
        ("very-high".into(), "Root's password: PasswordUpdated in account 123456789012".into())
    );
    assert_eq!(
        event("PasswordUpdated", "Failure"),
        ("medium".into(), "Root's password: PasswordUpdated in account 123456789012".into())
    );
    assert_eq!(event("PasswordRecoveryRequested", "Success").0, "high");
}

#[test]
fn what_names_no_region_is_in_no_other_region() {
    let rules = shipped();
    let at = |region: Value| {
        let more = json!({ "awsRegion": region, "requestParameters": {} });
        said(&rules, "RTM-008", &record(&operator(), ("ec2", "CreateTags", more))).is_some()
    };
    assert!(at("af-south-1".into()) && !at("us-east-1".into()) && !at(Value::Null));
}

#[test]
fn a_tools_name_stands_alone_in_the_user_agent() {
    let rules = shipped();
    let told = |agent: &str| {
        let more = json!({ "userAgent": agent });
        said(&rules, "CRE-9", &record(&operator(), ("ec2", "DescribeInstances", more))).is_some()
    };
    for agent in [
        "stratus-red-team_ea782787-a65d-4fc4-9fca-1c97869a9a25",
        "[stratus-red-team_ea782787-a65d-4fc4-9fca-1c97869a9a25]",
        "APN/1.0 HashiCorp/1.0 Terraform/1.1.2 stratus-red-team_ea782787",
        "aws-cli/2.9.19 Linux/6.1.0 source/x86_64.kali.2023",
        "Pacu/1.5",
    ] {
        assert!(told(agent), "{agent}");
    }
    for agent in ["aws-cli/2.32.3", "kalista/1.0", "companion-pacuit"] {
        assert!(!told(agent), "{agent}");
    }
}

#[test]
fn a_policy_counts_by_what_it_means() {
    let rules = shipped();
    let policy =
        |action: &str| json!({ "Statement": [{ "Effect": "Allow", "Action": action, "Resource": "*" }] }).to_string();
    let granted = |action: &str| {
        let request = json!({ "requestParameters": { "userName": "eve", "policyDocument": policy(action) } });
        said(&rules, "CIS-4", &record(&operator(), ("iam", "PutUserPolicy", request))).unwrap().0
    };
    assert_eq!(
        ["IAM:*", "iam:*", "*", "*:*", "s3:GetObject"].map(granted),
        ["very-high", "very-high", "very-high", "very-high", "medium"]
    );
    let listed = |acl: Value| {
        let request = json!({ "requestParameters": { "bucketName": "data", "x-amz-acl": acl } });
        said(&rules, "CIS-8", &record(&operator(), ("s3", "PutBucketAcl", request))).unwrap().0
    };
    assert_eq!(listed(json!(["public-read"])), "high");
    assert_eq!(listed(json!("public-read-write")), "high");
    assert_eq!(listed(json!("private")), "medium");
    let shared = |permission: Value| {
        let request = json!({ "requestParameters": { "snapshotId": "snap-1", "createVolumePermission": permission } });
        said(&rules, "IMP-1", &record(&operator(), ("ec2", "ModifySnapshotAttribute", request)))
    };
    let (severity, title) = shared(json!({ "add": { "items": [{ "group": "all" }] } })).unwrap();
    assert!(
        severity == "extreme" && title.contains("ModifySnapshotAttribute on snap-1 to share with everybody"),
        "{title}"
    );
    assert_eq!(shared(json!({ "remove": { "items": [{ "group": "all" }] } })), None);
    let restored = json!({ "requestParameters": { "dBInstanceIdentifier": "db" }, "responseElements": { "publiclyAccessible": true } });
    let said = said(&rules, "IMP-24", &record(&operator(), ("rds", "RestoreDBInstanceFromDBSnapshot", restored)));
    assert_eq!(said.unwrap().0, "high");
}
