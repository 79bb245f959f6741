//! The probe: the call that a deployment, and each spoke of a hub, has EventBridge Scheduler make every five minutes. It writes
//! tags of a queue of ours, changes nothing else, and comes the way that every call comes: what is not heard of it would not be heard
//! of an intruder either.
//!
//! It is known by who makes it, a role that lies under an IAM path of ours, and by the queue. That `TagQueue` is recorded as a
//! management event: <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/logging-using-cloudtrail.html>;
//! that a schedule may call it:
//! <https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-targets-universal.html>. What exactly the record of a call by
//! Scheduler holds, AWS documents nowhere; nothing else of it is asked.

use super::alias::ComputedAlias;
use super::record::{RawRecord, Record};
use super::spokes::{QUEUE_PATHS, Spokes};
use crate::time::Timestamp;

/// The last part of the IAM path of the role that makes the call. `template.yaml` and `deploy/spoke.yaml` have it.
const PATH: &str = "/offlimits-probe/";
/// Who issued the session: the role's ARN, which has its path, while the session's has not.
/// <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html>
const ISSUER: &[&str] = &["userIdentity", "sessionContext", "sessionIssuer", "arn"];
/// The tag that says which derived patterns are deployed there.
const PATTERNS: [&[&str]; 2] =
    [&["requestParameters", "tags", "offlimits:patterns"], &["requestParameters", "Tags", "offlimits:patterns"]];

/// Which probes are a deployment's: its own, and those of its spokes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Probes {
    /// The ARN of the queue whose tags our own probe writes; none where it is switched off.
    queue: Option<String>,
    spokes: Spokes,
}

/// A probe that has arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// The account that it comes from: 12 digits.
    pub account: String,
    /// The region that it comes from.
    pub region: String,
    /// When the call was made.
    pub at: Timestamp,
    /// Which derived patterns let pass what comes from there: their digest, or `all` where every call passes; `None` if the record
    /// does not say.
    pub patterns: Option<String>,
}

impl Probes {
    /// Those of the deployment whose own probe writes tags of this queue (its ARN), and of these spokes.
    pub const fn new(queue: Option<String>, spokes: Spokes) -> Self {
        Self { queue, spokes }
    }

    /// The probe that a record is, if it is one.
    pub fn told_in(&self, raw: &RawRecord) -> Option<Probe> {
        // Of nearly every record this is all that is looked at.
        if !raw.json.contains(PATH) {
            return None;
        }
        let record = raw.parse().ok()?;
        let is = |path: &[&str], text: &str| record.text(path) == Some(text);
        if !is(&["eventSource"], "sqs.amazonaws.com") || !is(&["eventName"], "TagQueue") || record.failed() {
            return None;
        }
        let account = record.computed(ComputedAlias::Account)?.into_owned();
        let region = record.non_empty(&["awsRegion"])?.to_owned();
        let (issuer, role) = record.text(ISSUER)?.split_once(":role/")?;
        let (path, name) = role.rsplit_once('/')?;
        let is_ours = format!("/{path}/").ends_with(PATH) && issuer.rsplit(':').next() == Some(&account);
        (is_ours && self.is_on_our_queue(&record, (&account, &region), name)).then_some(())?;
        let patterns = PATTERNS.iter().find_map(|path| record.non_empty(path)).map(str::to_owned);
        Some(Probe { at: Timestamp::parse(record.text(&["eventTime"])?)?, account, region, patterns })
    }

    /// Whether the call is on our own queue, or on that of a spoke whose role has made it.
    fn is_on_our_queue(&self, record: &Record<'_>, (account, region): (&str, &str), role: &str) -> bool {
        let url = QUEUE_PATHS.iter().find_map(|path| record.non_empty(path)).unwrap_or_default();
        let mut parts = url.rsplit('/');
        let (Some(name), Some(owner)) = (parts.next(), parts.next()) else { return false };
        let own = self.queue.as_ref().is_some_and(|arn| {
            let arn: Vec<&str> = arn.splitn(6, ':').collect();
            arn.get(3..) == Some(&[region, account, name][..])
        });
        owner == account && (own || (self.spokes.own(name) && self.spokes.own(role)))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const OWN: &str = "https://sqs.us-east-1.amazonaws.com/111111111111/offlimits-UndeliveredEvents-1A2B";
    const SPOKES: &str = "https://sqs.us-east-1.amazonaws.com/111111111111/StackSet-offlimits-6a3e-Letters-1A2B";

    fn told(change: impl FnOnce(&mut Value)) -> Option<Probe> {
        let mut record = json!({
            "eventTime": "2026-11-29T12:00:00Z", "eventSource": "sqs.amazonaws.com", "eventName": "TagQueue",
            "awsRegion": "us-east-1", "recipientAccountId": "111111111111",
            "userIdentity": { "type": "AssumedRole", "arn": "arn:aws:sts::111111111111:assumed-role/offlimits-ProbeRole-1/6a3e",
                "sessionContext": { "sessionIssuer": { "type": "Role",
                    "arn": "arn:aws:iam::111111111111:role/security/offlimits-probe/offlimits-ProbeRole-1" } } },
            "requestParameters": { "queueUrl": OWN, "tags": { "offlimits:probe": "x", "offlimits:patterns": "4d4727241b68" } },
        });
        change(&mut record);
        let raw = RawRecord { json: record.to_string(), index: 0, message_id: None, account: None };
        let queue = "arn:aws:sqs:us-east-1:111111111111:offlimits-UndeliveredEvents-1A2B".to_owned();
        Probes::new(Some(queue), Spokes::of_stack_set("offlimits")).told_in(&raw)
    }

    fn issuer(record: &mut Value, role: &str) {
        record["userIdentity"]["sessionContext"]["sessionIssuer"]["arn"] = json!(format!("arn:aws:iam::{role}"));
    }

    #[test]
    fn a_probe_is_known_by_the_path_of_its_role_and_by_its_queue() {
        let own = told(|_| ()).unwrap();
        assert_eq!((own.account.as_str(), own.region.as_str()), ("111111111111", "us-east-1"));
        assert_eq!(
            (own.at, own.patterns.as_deref()),
            (Timestamp::parse("2026-11-29T12:00:00Z").unwrap(), Some("4d4727241b68"))
        );
        // A record that tells nothing of the tags is a probe all the same.
        assert_eq!(told(|r| r["requestParameters"] = json!({ "QueueUrl": OWN })).unwrap().patterns, None);
        let spoke = |r: &mut Value, role: &str| {
            r["requestParameters"]["queueUrl"] = json!(SPOKES);
            issuer(r, &format!("111111111111:role/offlimits-probe/{role}"));
        };
        assert!(told(|r| spoke(r, "StackSet-offlimits-6a3e-ProbeRole-1")).is_some());
        assert!(told(|r| spoke(r, "Other")).is_none(), "a role that is not the spoke's");
        for role in [
            "111111111111:role/offlimits-ProbeRole-1",
            "111111111111:role/offlimits-probe/more/offlimits-ProbeRole-1",
            "111111111111:role/not-offlimits-probe/offlimits-ProbeRole-1",
            "222222222222:role/offlimits-probe/offlimits-ProbeRole-1",
        ] {
            assert_eq!(told(|r| issuer(r, role)), None, "{role}");
        }
        for (path, value) in [
            ("eventName", json!("UntagQueue")),
            ("eventSource", json!("sns.amazonaws.com")),
            ("errorCode", json!("AccessDenied")),
            ("awsRegion", json!("eu-west-1")),
            ("recipientAccountId", json!("222222222222")),
            ("requestParameters", json!({ "queueUrl": OWN.replace("Undelivered", "Other") })),
            ("requestParameters", json!({ "queueUrl": SPOKES.replace("StackSet-offlimits", "StackSet-other") })),
            ("eventTime", json!("soon")),
        ] {
            assert_eq!(told(|r| r[path] = value.clone()), None, "{path} {value}");
        }
    }

    #[test]
    fn without_a_probe_of_its_own_a_deployment_knows_none() {
        let raw = RawRecord { json: format!("{{\"a\":\"{PATH}\"}}"), index: 0, message_id: None, account: None };
        assert_eq!(Probes::default().told_in(&raw), None);
    }
}
