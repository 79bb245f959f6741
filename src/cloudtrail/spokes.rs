//! The spokes of a hub: how their resources are called, and which of their queues a record tells of.
//!
//! A spoke is an instance of a `StackSet` (`deploy/spoke.yaml`). `CloudFormation` calls its stack `StackSet-NAME-UUID`
//! (<https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stacksets-concepts.html>), and begins the names of what is
//! in it with the stack's. So a hub that knows the name of the `StackSet` knows what is a spoke's, in whatever account.

use super::account_id::is_account_id;
use super::alias::ComputedAlias;
use super::record::RawRecord;

/// What the spokes of one `StackSet` are called. Without a name there are none, and nothing is theirs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Spokes {
    /// `StackSet-NAME-`; empty if there are none.
    prefix: String,
}

/// The queue in which a spoke keeps what could not be sent to the hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpokeQueue {
    /// Its URL. The account and the name at its end are the queue's; no request goes to its host.
    pub url: String,
    /// The account that owns it: 12 digits.
    pub account: String,
    /// The region that it is in.
    pub region: String,
}

/// The role with which a spoke makes itself known has this in its name: its logical id in `deploy/spoke.yaml`.
const PROBE_ROLE: &str = "-ProbeRole-";
/// Where calls of SQS name the queue: the request of all but `CreateQueue`, which answers with it. The second spelling is that
/// of the request's own JSON, should CloudTrail ever keep it for what EventBridge Scheduler calls.
pub(super) const QUEUE_PATHS: [&[&str]; 3] =
    [&["requestParameters", "queueUrl"], &["requestParameters", "QueueUrl"], &["responseElements", "queueUrl"]];

impl Spokes {
    /// The spokes of the `StackSet` of this name.
    pub fn of_stack_set(name: &str) -> Self {
        Self { prefix: if name.is_empty() { String::new() } else { format!("StackSet-{name}-") } }
    }

    /// Whether there is a `StackSet`, so that the deployment is a hub.
    pub const fn is_hub(&self) -> bool {
        !self.prefix.is_empty()
    }

    /// Whether a name is that of a spoke's stack, or of something in it. (IAM's names are the same in letters of either case.)
    pub fn own(&self, name: &str) -> bool {
        let prefix = self.prefix.as_bytes();
        self.is_hub() && name.as_bytes().get(..prefix.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(prefix))
    }

    /// Whether a call to `CloudFormation` names the `StackSet` itself: by its name, or by its id, `NAME:UUID`.
    pub(super) fn is_stack_set(&self, name: &str) -> bool {
        let own = self.prefix.strip_prefix("StackSet-").and_then(|own| own.strip_suffix('-'));
        own.is_some_and(|own| name.split(':').next() == Some(own))
    }

    /// Whether an ARN is that of a session of a spoke's probe, which calls SQS once an hour to make its queue known.
    pub fn is_probe(&self, arn: &str) -> bool {
        arn.split_once(":assumed-role/")
            .and_then(|(_, session)| session.split('/').next())
            .is_some_and(|role| self.own(role) && role.contains(PROBE_ROLE))
    }

    /// The spoke's queue that a record tells of: a call to SQS that succeeded and names one, in the account that recorded it.
    /// The probe makes such a call each hour, and so does `CloudFormation` when it makes the spoke. Nobody can name the queue of
    /// another account so, since each account's events are its own.
    pub fn queue_told_in(&self, raw: &RawRecord) -> Option<SpokeQueue> {
        // Of nearly every record this is all that is looked at.
        if !self.is_hub() || !raw.json.contains(&self.prefix) {
            return None;
        }
        let record = raw.parse().ok()?;
        if record.text(&["eventSource"]) != Some("sqs.amazonaws.com") || record.failed() {
            return None;
        }
        let url = QUEUE_PATHS.iter().find_map(|path| record.non_empty(path))?;
        let account = record.computed(ComputedAlias::Account)?;
        let region = record.non_empty(&["awsRegion"])?;
        let is_plain =
            |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        let (rest, name) = url.rsplit_once('/')?;
        let is_of_account = rest.rsplit_once('/').is_some_and(|(_, owner)| owner == account) && rest.contains("://");
        (is_of_account
            && is_account_id(&account)
            && self.own(name)
            && is_plain(name)
            && is_plain(region)
            && url.len() < 256)
            .then(|| SpokeQueue { url: url.to_owned(), account: account.into_owned(), region: region.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const QUEUE: &str = "https://sqs.eu-west-1.amazonaws.com/222222222222/StackSet-offlimits-6a3e-Letters-1A2B";

    fn told(change: impl FnOnce(&mut serde_json::Value)) -> Option<SpokeQueue> {
        let mut record = json!({
            "eventSource": "sqs.amazonaws.com", "eventName": "TagQueue", "awsRegion": "eu-west-1",
            "recipientAccountId": "222222222222", "requestParameters": { "queueUrl": QUEUE },
        });
        change(&mut record);
        let raw = RawRecord { json: record.to_string(), index: 0, message_id: None, account: None };
        Spokes::of_stack_set("offlimits").queue_told_in(&raw)
    }

    #[test]
    fn a_call_on_a_spokes_queue_tells_of_it_and_no_other_call_does() {
        let queue =
            SpokeQueue { url: QUEUE.to_owned(), account: "222222222222".to_owned(), region: "eu-west-1".to_owned() };
        assert_eq!(told(|_| ()), Some(queue.clone()));
        assert_eq!(told(|record| record["requestParameters"] = json!({ "QueueUrl": QUEUE })), Some(queue.clone()));
        assert_eq!(told(|record| record["eventName"] = json!("SetQueueAttributes")), Some(queue));
        for (path, value) in [
            ("recipientAccountId", json!("333333333333")),
            ("eventSource", json!("sns.amazonaws.com")),
            ("errorCode", json!("AccessDenied")),
            ("awsRegion", json!("eu-west-1/..")),
            ("requestParameters", json!({ "queueUrl": QUEUE.replace("StackSet-offlimits", "StackSet-other") })),
            ("requestParameters", json!({ "queueUrl": QUEUE.replace("222222222222", "333333333333") })),
            ("requestParameters", json!({ "queueUrl": format!("{QUEUE}?x=1") })),
            ("requestParameters", json!({ "queueUrl": "StackSet-offlimits-6a3e-Letters-1A2B" })),
        ] {
            assert_eq!(told(|record| record[path] = value.clone()), None, "{path} {value}");
        }
    }

    #[test]
    fn who_is_no_hub_has_no_spokes() {
        let none = Spokes::of_stack_set("");
        assert!(!none.is_hub() && !none.own("StackSet-offlimits-1") && !none.own("") && !none.is_stack_set(""));
        let raw = RawRecord { json: QUEUE.to_owned(), index: 0, message_id: None, account: None };
        assert_eq!(none.queue_told_in(&raw), None);
    }

    #[test]
    fn the_probe_is_known_by_its_role() {
        let spokes = Spokes::of_stack_set("offlimits");
        let session = |role: &str| format!("arn:aws:sts::222222222222:assumed-role/{role}/6a3e");
        assert!(spokes.is_probe(&session("StackSet-offlimits-6a3e-ProbeRole-1A2B")));
        for role in ["StackSet-other-6a3e-ProbeRole-1A2B", "StackSet-offlimits-6a3e-Role-1A2B", "Admin", ""] {
            assert!(!spokes.is_probe(&session(role)), "{role}");
        }
        assert!(!spokes.is_probe("arn:aws:iam::222222222222:role/StackSet-offlimits-6a3e-ProbeRole-1A2B"));
    }
}
