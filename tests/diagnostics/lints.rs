//! Each warning and note of `offlimits check` at its place, and none where it has no business.

use std::collections::BTreeSet;
use std::io::Read;
use std::path::Path;

use offlimits::config::{Diagnostic, Level};
use offlimits::lint;
use offlimits::rules::LINTS;
use offlimits::ruleset::{PackError, RuleSet, Sources};
use offlimits::time::Date;
use serde_json::{Value, json};

use super::mistakes::unmarked;
use crate::support;

/// What `offlimits check` says on the given day, beyond errors.
pub(super) fn lints(source: &str) -> Vec<Diagnostic> {
    lints_on(source, "2026-11-25")
}

fn lints_on(source: &str, day: &str) -> Vec<Diagnostic> {
    let accounts = r#"{"111122223333": {"name": "production", "unit": "Workloads/Prod"}}"#;
    let sources = Sources::alone(source).with_accounts(Some(accounts.to_owned()));
    let compiled = RuleSet::compile_sources(&sources).unwrap_or_else(|found| panic!("{source}: {found:?}"));
    assert_eq!(compiled.warnings, [], "{source}");
    lint::run(&compiled.rules, &sources, Date::parse(day).unwrap())
}

/// A whole file of an example that a lint declares: the keys of a file, or those of a rule.
fn whole(example: &str) -> String {
    let is_file = ["\"rules\"", "\"channels\"", "\"lists\""].iter().any(|key| example.starts_with(key));
    let usual = r#""when": { "service": { "is": "ec2.amazonaws.com" }, "event": { "is": "StopInstances" } }"#;
    match (is_file, example.starts_with("\"when\"")) {
        (true, _) => format!("{{ {example} }}"),
        (false, true) => format!(r#"{{ "rules": [ {{ "id": "R", "title": "t", "severity": "low", {example} }} ] }}"#),
        (false, false) => {
            format!(r#"{{ "rules": [ {{ "id": "R", "title": "t", "severity": "low", {usual}, {example} }} ] }}"#)
        }
    }
}

/// The examples are what the page shows: the first gives the lint and nothing else, at its mark; the second gives nothing.
#[test]
fn each_lint_is_given_by_its_example_alone() {
    for lint in lint::all() {
        let (wrong, place) = unmarked(&whole(lint.wrong));
        let found: Vec<_> = lints(&wrong).iter().map(|found| (found.code, (found.line, found.column))).collect();
        assert_eq!(found, [(lint.code, place)], "{wrong}");
        assert_eq!(lints(&whole(lint.right)), [], "{}: {}", lint.code, lint.right);
    }
}

/// The compiler and the lints' own files take one list.
#[test]
fn each_lint_is_registered_where_it_is_declared() {
    let declared: BTreeSet<&str> = lint::all().map(|lint| lint.code).collect();
    assert_eq!(declared.len(), lint::all().count(), "two lints have one code");
    let registered = BTreeSet::from(LINTS);
    let missing: Vec<_> = declared.difference(&registered).collect();
    assert!(missing.is_empty(), "add the codes {missing:?} to their file's line in src/rules/lints.rs");
    let gone: Vec<_> = registered.difference(&declared).collect();
    assert!(gone.is_empty(), "src/rules/lints.rs lists {gone:?}, which no file of src/lint declares");
    // A file without a line there is not even compiled.
    let list = std::fs::read_to_string(support::repository("src/rules/lints.rs")).unwrap();
    for entry in std::fs::read_dir(support::repository("src/lint")).unwrap().map(|entry| entry.unwrap().path()) {
        let declares = std::fs::read_to_string(&entry).is_ok_and(|text| text.contains("\npub(super) const LINTS:"));
        let line = format!("{}: ", entry.file_stem().unwrap().to_str().unwrap());
        assert!(!declares || list.lines().any(|found| found.trim_start().starts_with(&line)), "{}", entry.display());
    }
}

/// Further cases: a file that gives the lint and nothing else, and a file beside it that gives nothing.
#[test]
fn lints_have_their_code_and_place_and_a_neighbour_without() {
    let file = |rules: &str| format!("{{ \"rules\": [\n  {rules}\n] }}");
    let rule = |keys: &str| file(&format!(r#"{{ "id": "R", "title": "é", "severity": "low", {keys} }}"#));
    let when = |row: &str| rule(&format!(r#""when": {{ {row} }}"#));
    let unless = |exception: &str| {
        rule(&format!(
            r#""when": {{ "service": {{"is": "ec2.amazonaws.com"}}, "event": {{"is": "StopInstances"}} }}, "unless": [ {exception} ]"#
        ))
    };
    let second = |keys: &str| {
        file(&format!(
            "{{ \"id\": \"Q\", \"title\": \"t\", \"severity\": \"low\", \"when\": {{ \"event\": \"^StopInst\" }} }},\n  {{ \"id\": »\"R\", \"title\": \"t\", \"severity\": \"low\", {keys} }}"
        ))
    };
    let ec2 = r#""service": {"is": "ec2.amazonaws.com"}"#;
    let lambda = r#""service": {"is": "lambda.amazonaws.com"}"#;
    let s3 = r#""service": {"is": "s3.amazonaws.com"}"#;
    let iam = r#""service": {"is": "iam.amazonaws.com"}, "region": {"is": "us-east-1"}"#;
    let channels = |channels: &str, keys: &str| {
        format!(
            r#"{{ "channels": {{ {channels} }}, "rules": [ {{ "id": "R", "title": "t", "severity": "low", "when": {{ "event": {{"is": "StopInstances"}} }}{keys} }} ] }}"#
        )
    };
    let lists = |lists: &str| {
        format!(
            r#"{{ "lists": {{ {lists} }}, "rules": [ {{ "id": "R", "title": "t", "severity": "low", "when": {{ "event": "@a" }} }} ] }}"#
        )
    };
    let cases: Vec<(&str, String, String)> = vec![
        (
            "unknown-account",
            channels(r#""a": { "type": "sns", "units": ["Workloads", »"Workload"] }"#, ""),
            channels(r#""a": { "type": "sns", "units": ["Workloads"], "account_names": ["production"] }"#, ""),
        ),
        ("unknown-account", when(&format!(r#"{ec2}, "ou": »"^Sandbox/""#)), when(&format!(r#"{ec2}, "ou": "/Prod$""#))),
        ("ambiguous-event", when(r#""event": {"is": »"CreateUser"}"#), when(r#""event": {"is": "StopInstances"}"#)),
        ("ambiguous-event", when(r#""event": ["^StopInstances", »"^TagResource$"]"#), when(r#""event": "^Tag""#)),
        (
            "caller-chosen-exception",
            unless(r#"{ "when": { "role": {"is": "deploy"}, »"session": {"is": "ci"} }, "reason": "r" }"#),
            unless(r#"{ "when": { "role": {"is": "deploy"} }, "reason": "r" }"#),
        ),
        (
            "caller-chosen-exception",
            unless(r#"{ "when": { »"user_agent": "^terraform" }, "reason": "r" }"#),
            unless(
                r#"{ "when": { "user_agent": {"not": "^x"}, "userAgent": {"exists": true}, "user": {"is": "a"} }, "reason": "r" }"#,
            ),
        ),
        (
            "caller-chosen-exception",
            unless(r#"{ "when": { »"actor": {"is": "deploy/ci"} }, "reason": "r" }"#),
            unless(r#"{ "when": { "actor": {"is": "ci-bot"} }, "reason": "r" }"#),
        ),
        (
            "data-event",
            when(&format!(r#"{s3}, "event": {{"is": »"DeleteObject"}}"#)),
            when(&format!(r#"{s3}, "event": {{"is": "DeleteBucket"}}"#)),
        ),
        (
            "data-event",
            when(&format!(r#"{lambda}, "event": {{"is": ["CreateAlias20150331", »"Invoke"]}}"#)),
            when(&format!(r#"{lambda}, "event": {{"is": "CreateAlias20150331"}}"#)),
        ),
        (
            "exception-by-absence",
            unless(r#"{ "when": { »"requestParameters.force": {"not": {"is": "true"}} }, "reason": "r" }"#),
            unless(
                r#"{ "when": { "requestParameters.force": {"all": [{"exists": true}, {"not": {"is": "true"}}]} }, "reason": "r" }"#,
            ),
        ),
        (
            "exception-by-absence",
            unless(r#"{ "when": { »"user": {"not": "^x"} }, "reason": "r" }"#),
            unless(r#"{ "when": { "event": {"not": "^StopI"} }, "reason": "r" }"#),
        ),
        (
            "expired-exception",
            unless(r#"{ "when": { "user": {"is": "a"} }, "reason": "r", "expires": »"2026-11-24" }"#),
            unless(r#"{ "when": { "user": {"is": "a"} }, "reason": "r" }"#),
        ),
        (
            "expiring-exception",
            unless(r#"{ "when": { "user": {"is": "a"} }, "reason": "r", "expires": »"2026-11-25" }"#),
            unless(r#"{ "when": { "user": {"is": "a"} }, "reason": "r", "expires": "2026-12-26" }"#),
        ),
        (
            "loose-pattern",
            when(&format!(r#"{iam}, "event": »"DeleteUser""#)),
            when(&format!(r#"{iam}, "event": "^DeleteUser.*""#)),
        ),
        (
            "loose-pattern",
            when(r#""service": »"s3", "event": {"is": "DeleteBucketPolicy"}"#),
            when(r#""service": "^s3[.]amazonaws[.]com$", "event": {"is": "DeleteBucketPolicy"}"#),
        ),
        (
            "misses-assumed-role",
            when(&format!(r#"»"identity": "^(IAM).*", {ec2}, "event": "StartInstances""#)),
            when(&format!(r#""identity": "^(IAM|Assumed).*", {ec2}, "event": "StartInstances""#)),
        ),
        (
            "never-alerts",
            rule(&format!(
                r#""when": [ »{{ {ec2}, "event": {{"is": "StopInstances"}} }}, {{ {ec2}, "event": {{"is": "RunInstances"}} }} ], "unless": [ {{ "when": {{ "event": "^Stop" }}, "reason": "r" }} ]"#
            )),
            rule(&format!(
                r#""when": [ {{ {ec2}, "event": {{"is": "StopInstances"}} }} ], "unless": [ {{ "when": {{ "event": "^Stop", "user": {{"is": "a"}} }}, "reason": "r" }} ]"#
            )),
        ),
        // Every address, and every region, is no exception.
        (
            "never-alerts",
            rule(&format!(
                r#""when": »{{ {ec2}, "event": {{"is": "StopInstances"}} }}, "unless": [ {{ "when": {{ "source_ip": {{"cidr": ["10.0.0.0/8", "0.0.0.0/0"]}}, "event": "^Stop" }}, "reason": "r" }} ]"#
            )),
            rule(&format!(
                r#""when": {{ {ec2}, "event": {{"is": "StopInstances"}} }}, "unless": [ {{ "when": {{ "source_ip": {{"cidr": "10.0.0.0/8"}} }}, "reason": "r" }} ]"#
            )),
        ),
        (
            "never-alerts",
            rule(&format!(
                r#""when": »{{ {ec2}, "event": {{"is": "StopInstances"}} }}, "unless": [ {{ "when": {{ "source_ip": {{"cidr": "::/0"}}, "region": ".*" }}, "reason": "r" }} ]"#
            )),
            rule(&format!(
                r#""when": {{ {ec2}, "event": {{"is": "StopInstances"}} }}, "unless": [ {{ "when": {{ "source_ip": {{"cidr": "::/0"}}, "user": {{"is": "a"}} }}, "reason": "r" }} ]"#
            )),
        ),
        (
            "read-only-call",
            when(&format!(r#"{ec2}, "event": {{"is": »"DescribeInstances"}}"#)),
            when(r#""service": {"is": "sts.amazonaws.com"}, "event": {"is": ["GetSessionToken", "AssumeRole"]}"#),
        ),
        (
            // Whatever such a call does, EventBridge goes by its name.
            "read-only-call",
            when(r#""service": {"is": "redshift.amazonaws.com"}, "event": {"is": »"GetClusterCredentials"}"#),
            rule(
                r#""when": {"service": {"is": "redshift.amazonaws.com"}, "event": {"is": "GetClusterCredentials"}}, "needs_events": ["read-only"]"#,
            ),
        ),
        (
            "needless-events",
            rule(
                r#""when": {"service": {"is": "s3.amazonaws.com"}, "event": {"is": "DeleteObject"}}, "needs_events": ["data", »"read-only"]"#,
            ),
            rule(
                r#""when": {"service": {"is": "s3.amazonaws.com"}, "event": {"is": ["DeleteObject", "GetBucketAcl"]}}, "needs_events": ["data", "read-only"]"#,
            ),
        ),
        (
            "read-only-call",
            when(&format!(r#"{iam}, "event": [{{"is": "CreateUser"}}, »"^List"]"#)),
            when(&format!(r#"{iam}, "event": "^(List|Create)""#)),
        ),
        (
            "recorded-elsewhere",
            when(
                r#""service": {"is": "iam.amazonaws.com"}, "event": {"is": "CreateUser"}, »"region": {"is": "eu-west-1"}"#,
            ),
            when(&format!(r#"{iam}, "event": {{"is": "CreateUser"}}"#)),
        ),
        (
            "recorded-elsewhere",
            when(r#"»"service": {"is": ["iam.amazonaws.com", "route53.amazonaws.com"]}, "event": "^Create""#),
            when(r#""service": {"is": ["iam.amazonaws.com", "ec2.amazonaws.com"]}, "event": "^Create""#),
        ),
        (
            "recorded-elsewhere",
            when(r#"»"service": {"is": "signin.amazonaws.com"}, "event": {"is": "ConsoleLogin"}"#),
            when(r#""service": {"is": "signin.amazonaws.com"}, "event": {"is": "ConsoleLogin"}, "region": "^us-""#),
        ),
        (
            "recorded-otherwise",
            when(&format!(r#"{s3}, "event": {{"is": »"PutBucketLifecycleConfiguration"}}"#)),
            when(&format!(r#"{s3}, "event": {{"is": "PutBucketLifecycle"}}"#)),
        ),
        (
            "recorded-otherwise",
            when(&format!(r#"{iam}, "event": »"^PassRole$""#)),
            when(&format!(r#"{iam}, "event": "^CreateRole$""#)),
        ),
        (
            "recorded-otherwise",
            when(&format!(r#"{lambda}, "event": {{"is": »"InvokeFunction"}}"#)),
            when(&format!(r#"{lambda}, "event": {{"is": "CreateCodeSigningConfig"}}"#)),
        ),
        (
            "repeated-row",
            rule(&format!(
                r#""when": [ {{ {ec2}, "event": "^Stop" }}, »{{ {ec2}, "event": {{"is": "StopInstances"}}, "region": "^eu-" }} ]"#
            )),
            rule(&format!(
                r#""when": [ {{ {ec2}, "event": "^Stop", "region": "^us-" }}, {{ {ec2}, "event": {{"is": "StopInstances"}}, "region": "^eu-" }} ]"#
            )),
        ),
        (
            "repeated-rule",
            second(r#""when": { "event": {"is": "StopInstances"} }"#),
            second(r#""when": { "event": {"is": "RunInstances"} }"#),
        ),
        (
            "rotated-columns",
            when(
                r#"»"eventName": "^(iam.amazonaws.com)", "eventSource": "^(IAM).*", "userIdentityType": "^(Delete).*""#,
            ),
            when(
                r#""eventName": "^(Delete).*", "eventSource": "^(ec2.amazonaws.com)", "userIdentityType": "^(IAM|Assumed).*""#,
            ),
        ),
        (
            "service-event-mismatch",
            when(&format!(r#"{ec2}, "event": {{"is": ["StopInstances", »"CreateUser"]}}"#)),
            when(
                r#""service": {"is": ["ec2.amazonaws.com", "iam.amazonaws.com"]}, "event": {"is": ["StopInstances", "CreateUser"]}"#,
            ),
        ),
        (
            "exception-by-absence",
            unless(r#"{ "when": { »"requestParameters.instanceIds": {"count": {"below": 3}} }, "reason": "r" }"#),
            unless(
                r#"{ "when": { "requestParameters.instanceIds": {"all": [{"exists": true}, {"count": {"below": 3}}]} }, "reason": "r" }"#,
            ),
        ),
        (
            "split-item",
            when(&format!(
                r#"{ec2}, "requestParameters.ipPermissions.items.fromPort": {{"is": 22}}, »"requestParameters.ipPermissions.items.toPort": {{"is": 22}}"#
            )),
            when(&format!(
                r#"{ec2}, "requestParameters.ipPermissions.items": {{"item": {{"fromPort": {{"is": 22}}, "toPort": {{"is": 22}}}}}}"#
            )),
        ),
        (
            "split-item",
            when(&format!(
                r#"{ec2}, "requestParameters.ipPermissions.items.fromPort": {{"is": 22}}, »"requestParameters.ipPermissions.items.toPort": {{"all": [{{"count": {{"above": 1}}}}, {{"is": 22}}]}}"#
            )),
            when(&format!(
                r#"{ec2}, "requestParameters.ipPermissions.items.fromPort": {{"is": 22}}, "requestParameters.ipPermissions.items.toPort": {{"count": {{"above": 1}}}}"#
            )),
        ),
        (
            "split-item",
            when(r#""resources.type": "Bucket", »"resources.accountId": {"is": "123456789012"}"#),
            when(r#""userIdentity.userName": "a", "userIdentity.accountId": {"is": "123456789012"}"#),
        ),
        (
            "unanchored-exception",
            unless(r#"{ "when": { "user": »"ci" }, "reason": "r" }"#),
            unless(r#"{ "when": { "user": "^ci" }, "reason": "r" }"#),
        ),
        (
            "unanchored-exception",
            unless(r#"{ "when": { "source_ip": »"^203[.]0[.]113[.]4" }, "reason": "r" }"#),
            unless(r#"{ "when": { "source_ip": {"cidr": "203.0.113.4"} }, "reason": "r" }"#),
        ),
        (
            "unanchored-exception",
            unless(r#"{ "when": { "role": [{"is": "a"}, »"^x|y"] }, "reason": "r" }"#),
            unless(r#"{ "when": { "role": [{"is": "a"}, "^(x|y)"] }, "reason": "r" }"#),
        ),
        (
            "unknown-event",
            when(&format!(r#"{ec2}, "event": {{"is": »"StrtInstances"}}"#)),
            when(&format!(r#"{ec2}, "event": {{"is": "StartInstances"}}"#)),
        ),
        ("unknown-event", when(r#""event": »"^(Craete).*""#), when(r#""event": "^(Create).*""#)),
        (
            "unknown-event",
            when(&format!(r#"{ec2}, "event": {{"not": »"^(Descrbe).*"}}"#)),
            when(&format!(r#"{ec2}, "event": {{"not": "^(Describe).*"}}"#)),
        ),
        (
            "unknown-event",
            rule(
                r#""when": { "event": "^StopInst" }, "severity_when": [ { "severity": "high", "when": { "event": {"is": »"StopInstnces"} } } ]"#,
            ),
            rule(
                r#""when": { "event": "^StopInst" }, "severity_when": [ { "severity": "high", "when": { "event": {"is": "StopInstances"} } } ]"#,
            ),
        ),
        (
            "unknown-identity",
            when(&format!(r#"{ec2}, "identity": {{"is": »"IAMuser"}}"#)),
            when(&format!(r#"{ec2}, "identity": {{"is": "AssumedRole"}}"#)),
        ),
        (
            "unknown-region",
            channels(r#""a": { "type": "sns", "regions": ["eu-west-1", »"eu-wets-1"] }"#, ""),
            channels(r#""a": { "type": "sns", "regions": ["eu-west-1"] }"#, ""),
        ),
        (
            "unknown-service",
            channels(r#""a": { "type": "sns", "services": ["ec2", »"cloudwatch"] }"#, ""),
            channels(r#""a": { "type": "sns", "services": ["ec2", "monitoring.amazonaws.com"] }"#, ""),
        ),
        (
            "unknown-region",
            when(&format!(r#"{ec2}, "region": »"eu-wets-1""#)),
            when(&format!(r#"{ec2}, "region": "^eu-""#)),
        ),
        (
            "unknown-service",
            when(r#""service": {"is": »"ec2.amazonaws.co"}"#),
            when(r#""service": {"is": "ec2.amazonaws.com"}"#),
        ),
        // The service alone, another field's calls, and what the rows around an exception and a severity match.
        (
            "never-derived",
            when(r#""service": {"is": "s3.amazonaws.com"}, »"instance_type": "^p5""#),
            when(r#""service": {"is": "ec2.amazonaws.com"}, "instance_type": "^p5""#),
        ),
        (
            "never-derived",
            when(r#""instance_type": "^p5", »"customer_key": {"exists": true}"#),
            when(r#""instance_type": "^p5", "instance_count": {"above": 5}"#),
        ),
        (
            "never-derived",
            rule(&format!(
                r#""when": {{ {ec2}, "event": {{"is": "RunInstances"}} }}, "unless": [ {{ "when": {{ »"opened": {{"is": "tcp 22 from 0.0.0.0/0"}} }}, "reason": "r" }} ]"#
            )),
            rule(&format!(
                r#""when": {{ {ec2}, "event": {{"is": "RunInstances"}} }}, "unless": [ {{ "when": {{ "instance_type": {{"is": "t3.nano"}} }}, "reason": "r" }} ]"#
            )),
        ),
        (
            "never-derived",
            rule(&format!(
                r#""when": {{ {ec2}, "event": {{"is": "RunInstances"}} }}, "severity_when": [ {{ "severity": "high", "when": {{ »"opened": "22" }} }} ]"#
            )),
            rule(&format!(
                r#""when": {{ {ec2}, "event": {{"is": "AuthorizeSecurityGroupIngress"}} }}, "severity_when": [ {{ "severity": "high", "when": {{ "opened": "22" }} }} ]"#
            )),
        ),
        (
            "unknown-service",
            when(r#""service": {"is": »"cloudwatch.amazonaws.com"}"#),
            when(r#""service": {"is": "monitoring.amazonaws.com"}"#),
        ),
        (
            "unrouted-channel",
            channels(r#""a": { "type": "sns" }, »"b": { "type": "sns", "min_severity": "high" }"#, ""),
            channels(r#""a": { "type": "sns" }, "b": { "type": "sns", "min_severity": "low" }"#, ""),
        ),
        (
            "unrouted-rule",
            channels(r#""a": { "type": "sns", "tags": ["x"] }"#, "").replace(r#""id": ""#, r#""id": »""#),
            channels(r#""a": { "type": "sns", "tags": ["x"] }"#, r#", "tags": ["x"]"#),
        ),
        (
            "unused-allow",
            rule(
                r#""when": { "event": {"is": "StopInstances"} }, "allow": [ { "lint": »"ambiguous-event", "reason": "r" } ]"#,
            ),
            rule(
                r#""when": { "event": {"is": "CreateUser"} }, "allow": [ { "lint": "ambiguous-event", "reason": "r" } ]"#,
            ),
        ),
        (
            "unreachable-threshold",
            rule(&format!(
                r#""when": {{ {ec2}, "event": {{"is": "StopInstances"}} }}, "threshold": {{ "count": 2, "window": "10m", "distinct": »"event" }}"#
            )),
            rule(&format!(
                r#""when": {{ {ec2}, "event": {{"is": ["StopInstances", "StartInstances"]}} }}, "threshold": {{ "count": 2, "window": "10m", "distinct": "event" }}"#
            )),
        ),
        (
            "unreachable-threshold",
            rule(&format!(
                r#""when": [ {{ {ec2}, "event": "^StopInstances$", "user": {{"is": ["a", "b"]}} }}, {{ {ec2}, "event": {{"is": "RunInstances"}}, "user": {{"is": "a"}} }} ], "threshold": {{ "count": 3, "window": "10m", "distinct": »"user" }}"#
            )),
            rule(&format!(
                r#""when": [ {{ {ec2}, "event": "^StopInstances$", "user": {{"is": ["a", "b"]}} }}, {{ {ec2}, "event": {{"is": "RunInstances"}}, "user": "^a" }} ], "threshold": {{ "count": 3, "window": "10m", "distinct": "user" }}"#
            )),
        ),
        (
            "unreachable-threshold",
            rule(&format!(
                r#""when": {{ {ec2}, "event": {{"is": "StopInstances"}} }}, "threshold": {{ "count": 3, "window": "10m", "distinct": »"outcome" }}"#
            )),
            rule(&format!(
                r#""when": {{ {ec2}, "event": {{"is": "StopInstances"}} }}, "threshold": {{ "count": 2, "window": "10m", "distinct": "outcome" }}"#
            )),
        ),
        (
            "unreachable-threshold",
            rule(&format!(
                r#""when": {{ {ec2}, "event": {{"is": "StopInstances"}} }}, "threshold": {{ "count": 2, "window": "10m", "distinct": »"opened_to_world" }}"#
            )),
            rule(&format!(
                r#""when": {{ {ec2}, "event": {{"is": "AuthorizeSecurityGroupIngress"}} }}, "threshold": {{ "count": 2, "window": "10m", "distinct": "opened_to_world" }}"#
            )),
        ),
        (
            "unreachable-threshold",
            rule(&format!(
                r#""when": {{ {ec2}, "event": {{"is": "StopInstances"}} }}, "threshold": {{ "count": 2, "window": "10m", "by": ["sourceIPAddress"], "distinct": »"source_ip" }}"#
            )),
            rule(&format!(
                r#""when": {{ {ec2}, "event": {{"is": "StopInstances"}} }}, "threshold": {{ "count": 2, "window": "10m", "by": ["source_ip"], "distinct": "user" }}"#
            )),
        ),
        ("unused-list", lists(r#""a": ["^StopInst"], »"b": ["x"]"#), lists(r#""a": ["^StopInst"]"#)),
        (
            "versioned-event",
            when(&format!(r#"{lambda}, "event": {{"is": »"UpdateFunctionCode"}}"#)),
            when(&format!(r#"{lambda}, "event": {{"is": ["UpdateFunctionCode", "UpdateFunctionCode20150331v2"]}}"#)),
        ),
        (
            "versioned-event",
            when(&format!(r#"{lambda}, "event": »"^UpdateFunctionCode$""#)),
            when(&format!(r#"{lambda}, "event": "^UpdateFunctionCode""#)),
        ),
    ];
    for (code, wrong, right) in &cases {
        let (wrong, place) = unmarked(wrong);
        let mut found: Vec<_> = lints(&wrong).iter().map(|d| (d.code, (d.line, d.column))).collect();
        // A channel that nothing reaches is the other side of a rule that reaches none.
        found.retain(|(other, _)| *code != "unrouted-rule" || *other != "unrouted-channel");
        assert_eq!(found, [(*code, place)], "{wrong}");
        assert_eq!(lints(&right.replace('»', "")), [], "{right}");
    }
}

#[test]
fn lints_help_as_far_as_they_can() {
    let help = |row: &str| {
        let source = format!(r#"{{"rules":[{{"id":"R","title":"t","severity":"low","when":{{{row}}}}}]}}"#);
        let Diagnostic { message, help, .. } = lints(&source).remove(0);
        format!("{message} / {help}")
    };
    for (row, expected) in [
        (
            r#""service":"^cloudtrail[.]","event":"^StopLoging$""#,
            r#"no known call of cloudtrail has the name "^StopLoging$": it can never match / did you mean "StopLogging"?"#,
        ),
        (
            r#""service":{"is":"iam"}"#,
            r#"no known service has the eventSource "iam": it can never match / did you mean "iam.amazonaws.com"?"#,
        ),
        (
            r#""event":{"is":"!StopLogging"}"#,
            r#"no known call has the name "!StopLogging": it can never match / write {"not": {"is": "StopLogging"}} for whatever is none of it: a ! stands for itself"#,
        ),
        (
            r#""event":{"is":"DeleteTrail|StopLogging"}"#,
            r#"no known call has the name "DeleteTrail|StopLogging": it can never match / write a list, of which one is enough: {"is": ["DeleteTrail", "StopLogging"]}"#,
        ),
        (
            r#""event":"DeleteTrail, StopLogging""#,
            r#"no known call has the name "DeleteTrail, StopLogging": it can never match / write a list, of which one is enough: ["DeleteTrail", "StopLogging"]"#,
        ),
        (
            r#""service":{"is":"ec2.amazonaws.com,iam.amazonaws.com"}"#,
            r#"no known service has the eventSource "ec2.amazonaws.com,iam.amazonaws.com": it can never match / write a list, of which one is enough: {"is": ["ec2.amazonaws.com", "iam.amazonaws.com"]}"#,
        ),
        (
            r#""service":{"is":"lambda.amazonaws.com"},"event":"^UpdateFunctionCode$|^CreateFunction$""#,
            r#"CloudTrail also records CreateFunction as "CreateFunction20150331" and "CreateFunction20150331v2", UpdateFunctionCode as "UpdateFunctionCode20150331" and "UpdateFunctionCode20150331v2": this misses them / write ["^CreateFunction", "^UpdateFunctionCode"], without $, or name every version in {"is": […]}"#,
        ),
        (
            r#""service":{"is":"lambda.amazonaws.com"},"event":"^(UpdateFunctionCode|CreateCodeSigningConfig)$""#,
            r#"CloudTrail also records UpdateFunctionCode as "UpdateFunctionCode20150331" and "UpdateFunctionCode20150331v2": this misses it / write "^UpdateFunctionCode", beside what else it names, without $, or name every version in {"is": […]}"#,
        ),
        (
            r#""service":{"is":"stepfunctions.amazonaws.com"}"#,
            r#"no known service has the eventSource "stepfunctions.amazonaws.com": it can never match / did you mean "states.amazonaws.com"?"#,
        ),
        (
            r#""service":{"is":"ec2.amazonaws.com"},"event":{"is":"StopLogging"}"#,
            r#"the services that {"is":"ec2.amazonaws.com"} accepts have no call "StopLogging": it can never match / calls of this name belong to "cloudtrail.amazonaws.com""#,
        ),
        (
            r#""service":{"is":"lightsail.amazonaws.com"},"event":{"is":"StartInstances"}"#,
            r#"the services that {"is":"lightsail.amazonaws.com"} accepts have no call "StartInstances": it can never match / did you mean "StartInstance"? Calls of the name that is written belong to "ec2.amazonaws.com""#,
        ),
        (
            r#""service":{"is":"s3.amazonaws.com"},"event":"(?i)^PutEncryptionConfiguration$""#,
            r#"CloudTrail records s3's PutEncryptionConfiguration as "PutBucketEncryption": this can never match / write {"is": ["PutBucketEncryption"]}"#,
        ),
        (
            r#""service":"^(IAM).*","event":"^(iam.amazonaws.com)","identity":"^(Delete).*""#,
            r#"the cells of this row look rotated: "^(IAM).*" is a value of "identity", "^(iam.amazonaws.com)" is a value of "service", "^(Delete).*" is a value of "event". It can never match / write { "identity": "^(IAM).*", "service": "^(iam.amazonaws.com)", "event": "^(Delete).*" }"#,
        ),
    ] {
        assert_eq!(help(row), expected);
    }
}

/// Each remedy is a pattern that is told no more, and that finds what the other one is meant to find.
#[test]
fn an_exceptions_pattern_is_anchored_where_it_says_what_it_says_of_capitals() {
    let help = |pattern: &str| {
        let source = format!(
            r#"{{"rules":[{{"id":"R","title":"t","severity":"low","when":{{"service":{{"is":"ec2.amazonaws.com"}},"event":{{"is":"StopInstances"}}}},
            "unless":[{{"when":{{"userIdentity.arn":"{pattern}"}},"reason":"r"}}]}}]}}"#
        );
        lints(&source).first().map(|found| found.help.clone())
    };
    let begins = |pattern: &str| format!(r#"write {{"is": …}} for the name itself, or "{pattern}" for what begins so"#);
    let otherwise = r#"write {"is": …} for the value itself, or a pattern that begins with ^ and with all that may stand before this"#;
    for (written, expected) in [
        ("ci", begins("^ci")),
        ("(?i)ci", begins("(?i)^ci")),
        ("^x|y", begins("^(x|y)")),
        ("x|^y", begins("^(x|y)")),
        ("(?i):root$", otherwise.to_owned()),
        (":root$", otherwise.to_owned()),
    ] {
        assert_eq!(help(written).as_deref(), Some(expected.as_str()), "{written}");
    }
    for anchored in ["^ci", "(?i)^ci", "^(x|y)"] {
        assert_eq!(help(anchored), None);
    }
}

#[test]
fn expiry_is_counted_from_the_day_of_the_check() {
    let source = r#"{"rules":[{"id":"R","title":"t","severity":"low","when":{"event":"^StopI"},
      "unless":[{"when":{"user":{"is":"a"}},"reason":"r","expires":"2027-03-01"}]}]}"#;
    for (day, expected) in [
        ("2027-01-29", None),
        ("2027-01-30", Some("expiring-exception")),
        ("2027-03-01", Some("expiring-exception")),
        ("2027-03-02", Some("expired-exception")),
    ] {
        assert_eq!(lints_on(source, day).first().map(|found| found.code), expected, "{day}");
    }
}

#[test]
fn lints_speak_of_the_file_that_holds_the_mistake() {
    let pack = "{ \"rules\": [\n { \"id\": \"P\", \"title\": \"t\", \"severity\": \"low\", \"when\": { \"event\": { \"is\": \"StrtInstances\" } } } ] }";
    let root = "{ \"include\": [ { \"pack\": \"p.json\",\n  \"overrides\": { \"P\": { \"unless\": [ { \"when\": { \"user\": \"ci\" }, \"reason\": \"r\" } ] } } } ] }";
    let sources = Sources::gather(root, |_| Ok(pack.to_owned()));
    let found = |sources: &Sources| -> Vec<_> {
        let rules = RuleSet::compile_sources(sources).unwrap().rules;
        let found = lint::run(&rules, sources, Date::parse("2026-11-25").unwrap());
        found.into_iter().map(|d| (d.file.as_deref().map(str::to_owned), d.code, d.line, d.pointer)).collect()
    };
    let unless = "/include/0/overrides/P/unless/0/when/user".to_owned();
    assert_eq!(
        found(&sources),
        [
            (None, "unanchored-exception", 2, unless.clone()),
            (Some("p.json".to_owned()), "unknown-event", 2, "/rules/0/when/event/is".to_owned())
        ]
    );
    // `overrides` may allow what the pack does not.
    let allowing =
        root.replace("\"unless\"", "\"allow\": [ { \"lint\": \"unknown-event\", \"reason\": \"new\" } ], \"unless\"");
    assert_eq!(found(&Sources::gather(allowing, |_| Ok(pack.to_owned()))), [(None, "unanchored-exception", 2, unless)]);
    // A bundle is one file.
    let bundle = Sources::alone(sources.bundle().unwrap());
    let pointers: Vec<_> = found(&bundle).into_iter().map(|(file, _, _, pointer)| (file, pointer)).collect();
    assert_eq!(
        pointers,
        [
            (None, "/include/0/overrides/P/unless/0/when/user".to_owned()),
            (None, "/include/0/content/rules/0/when/event/is".to_owned())
        ]
    );
}

#[test]
fn the_shipped_rules_have_notes_at_most() {
    let sources = Sources::gather(include_str!("../../rules.json"), |pack| {
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(pack)).map_err(PackError::new)
    });
    let rules = RuleSet::compile_sources(&sources).unwrap().rules;
    let found = lint::run(&rules, &sources, Date::parse("2026-11-25").unwrap());
    let warnings: Vec<_> = found.iter().filter(|found| found.level > Level::Note).map(ToString::to_string).collect();
    assert_eq!(warnings, [""; 0]);
}

/// The values of eventSource and eventName in the corpora beside the repository, each pair once.
/// Gives each record of the corpora to `take`.
pub(super) fn real_records(folder: &Path, take: &mut dyn FnMut(&Value)) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() && name != "original" {
            real_records(&path, take);
        } else if name.starts_with("records.json") || name.starts_with("eventbridge_events") {
            let mut text = String::new();
            let file = std::fs::File::open(&path).unwrap();
            if path.extension().is_some_and(|end| end == "gz") {
                flate2::read::MultiGzDecoder::new(file).read_to_string(&mut text)
            } else {
                std::io::BufReader::new(file).read_to_string(&mut text)
            }
            .unwrap();
            serde_json::Deserializer::from_str(&text).into_iter().for_each(|value| records_in(&value.unwrap(), take));
        }
    }
}

/// Gives each record in a document to `take`: one by itself, those of a log file, that of an event.
pub(super) fn records_in(value: &Value, take: &mut dyn FnMut(&Value)) {
    match value {
        Value::Array(elements) => elements.iter().for_each(|element| records_in(element, take)),
        Value::Object(members) => {
            if members.get("eventSource").is_some_and(Value::is_string) && members.contains_key("eventName") {
                return take(value);
            }
            ["Records", "event", "detail"]
                .iter()
                .filter_map(|key| members.get(*key))
                .for_each(|inner| records_in(inner, take));
        }
        _ => {}
    }
}

/// What unit tests in `panther-share` have made up. Everything else that real records hold is known.
const MADE_UP: [&str; 13] = [
    "cloudtrail EnableRegion",
    "ec2 DeleteBucketEncryption",
    "ec2 DeleteBucketPublicAccessBlock",
    "ec2 DeleteBucketReplication",
    "ec2 PutBucketLogging",
    "ec2 PutBucketVersioning",
    "ec2 RegisterManagedInstance",
    "iam DetachUserGroup",
    "iam NotCreateUser",
    "s3 CreateServiceLinkedRole",
    "s3 ListAllMyBuckets",
    "s3 ListBucket",
    "s3 SetQueueAttributes",
];

#[test]
fn the_catalogue_knows_the_calls_of_real_records() {
    let Some(folder) = support::corpora() else { return };
    let mut calls = BTreeSet::new();
    real_records(&folder, &mut |record| {
        if let (Some(service), Some(event)) = (record["eventSource"].as_str(), record["eventName"].as_str())
            && service.ends_with(".amazonaws.com")
        {
            calls.insert((service.to_owned(), event.to_owned()));
        }
    });
    let calls: Vec<_> = calls.into_iter().collect();
    let rules: Vec<Value> = calls
        .iter()
        .enumerate()
        .map(|(index, (service, event))| {
            json!({"id": format!("R{index}"), "title": "t", "severity": "low",
                   "when": {"service": {"is": service}, "event": {"is": event}}})
        })
        .collect();
    let unknown: Vec<String> = lints(&json!({ "rules": rules }).to_string())
        .into_iter()
        .filter(|found| {
            ["unknown-service", "unknown-event", "service-event-mismatch", "recorded-otherwise"].contains(&found.code)
        })
        .map(|found| {
            let index: usize = found.pointer.split('/').nth(2).unwrap().parse().unwrap();
            let (service, event) = &calls[index];
            format!("{} {event}", service.trim_end_matches(".amazonaws.com"))
        })
        .collect();
    assert_eq!(unknown, MADE_UP);
    let known = calls.len() - unknown.len();
    eprintln!("{known} of {} pairs of service and call in the corpora are known", calls.len());
    assert!(calls.len() > 700);
}
