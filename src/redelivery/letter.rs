//! A letter: what lies in the queue of a spoke, in another account.
//!
//! There only EventBridge puts anything, and only whole events. But whoever governs that account can change the queue's policy and
//! put there what he likes, and what the hub moves to its own redelivery queue is believed: a task of ours would be sent to a
//! channel as it is. So nothing is moved that is not an event of `CloudTrail`'s, of that account and of no other.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

/// A message that was taken from the queue of a spoke.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// What SQS calls it.
    pub message_id: String,
    /// By which it is deleted.
    pub receipt: String,
    /// The event, if it is one.
    pub body: String,
    /// `ERROR_CODE`: why EventBridge gave up. <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html>
    pub error_code: Option<String>,
}

/// Why a letter is not moved. The text is safe to log: it quotes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LetterFault {
    /// Its shape is another: a key is missing, is there twice, or is none of an event's.
    #[error("it is no whole event of EventBridge")]
    NotAnEvent,
    /// It is an event, but none that the spoke's rule lets pass.
    #[error("it is no event of CloudTrail")]
    NotCloudTrails,
    /// The event, or the record in it, is of another account than the queue.
    #[error("it is of another account than the queue")]
    OfAnotherAccount,
}

/// An event of EventBridge, with every key that one has and no other. A key that stands there twice is an error of serde's.
/// <https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html>
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Event<'t> {
    #[serde(rename = "version", borrow)]
    _version: Cow<'t, str>,
    #[serde(rename = "id")]
    _id: Cow<'t, str>,
    detail_type: Cow<'t, str>,
    source: Cow<'t, str>,
    account: Cow<'t, str>,
    #[serde(rename = "time")]
    _time: Cow<'t, str>,
    #[serde(rename = "region")]
    _region: Cow<'t, str>,
    #[serde(rename = "resources")]
    _resources: Vec<Cow<'t, str>>,
    /// Of an event that an archive has replayed.
    #[serde(rename = "replay-name", default)]
    _replay_name: Option<IgnoredAny>,
    detail: &'t RawValue,
}

/// What a record says of its account.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Detail<'t> {
    #[serde(borrow, default)]
    recipient_account_id: Option<Cow<'t, str>>,
    #[serde(borrow, default)]
    user_identity: Option<UserIdentity<'t>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct UserIdentity<'t> {
    #[serde(borrow, default)]
    account_id: Option<Cow<'t, str>>,
}

/// Whether a letter may be moved from the queue of a spoke in this account: a whole event of `CloudTrail`'s which is that
/// account's, whose record says nothing else.
///
/// # Errors
/// Why not.
pub fn check_letter(body: &str, account: &str) -> Result<(), LetterFault> {
    let event: Event<'_> = serde_json::from_str(body).map_err(|_| LetterFault::NotAnEvent)?;
    let detail: Detail<'_> = serde_json::from_str(event.detail.get()).map_err(|_| LetterFault::NotAnEvent)?;
    if !event.detail.get().starts_with('{') {
        return Err(LetterFault::NotAnEvent);
    }
    if !event.source.starts_with("aws.") || !event.detail_type.ends_with(" via CloudTrail") {
        return Err(LetterFault::NotCloudTrails);
    }
    // Where the record does not say which account it is of, the caller's is taken for it.
    let caller = || detail.user_identity.and_then(|identity| identity.account_id);
    let of_record = detail.recipient_account_id.or_else(caller);
    if event.account != account || of_record.is_some_and(|of_record| of_record != account) {
        return Err(LetterFault::OfAnotherAccount);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn event() -> Value {
        json!({
            "version": "0", "id": "6a3e", "detail-type": "AWS API Call via CloudTrail", "source": "aws.ec2",
            "account": "222222222222", "time": "2026-11-28T12:00:00Z", "region": "eu-west-1", "resources": [],
            "detail": { "eventName": "StartInstances", "recipientAccountId": "222222222222" },
        })
    }

    fn changed(change: impl FnOnce(&mut Value)) -> Result<(), LetterFault> {
        let mut event = event();
        change(&mut event);
        check_letter(&event.to_string(), "222222222222")
    }

    #[test]
    fn a_whole_event_of_the_queues_account_is_moved() {
        assert_eq!(changed(|_| ()), Ok(()));
        assert_eq!(changed(|event| event["replay-name"] = json!("again")), Ok(()));
        // A call from another account on something here: the caller is not the account that recorded it.
        assert_eq!(changed(|event| event["detail"]["userIdentity"] = json!({ "accountId": "333333333333" })), Ok(()));
        assert_eq!(changed(|event| event["detail"] = json!({ "eventName": "X", "userIdentity": null })), Ok(()));
    }

    #[test]
    fn what_else_a_spoke_may_hold_is_not() {
        use LetterFault::{NotAnEvent, NotCloudTrails, OfAnotherAccount};
        let other = || json!("333333333333");
        for (key, value, fault) in [
            ("offlimits", json!("delivery"), NotAnEvent),
            ("requestPayload", json!({}), NotAnEvent),
            ("Records", json!([]), NotAnEvent),
            ("resources", json!({}), NotAnEvent),
            ("detail", json!("{}"), NotAnEvent),
            ("detail", json!([{ "recipientAccountId": "222222222222" }]), NotAnEvent),
            ("detail", json!(null), NotAnEvent),
            ("source", json!("com.example"), NotCloudTrails),
            ("detail-type", json!("EC2 Instance State-change Notification"), NotCloudTrails),
            ("account", other(), OfAnotherAccount),
            ("detail", json!({ "recipientAccountId": other() }), OfAnotherAccount),
            ("detail", json!({ "userIdentity": { "accountId": other() } }), OfAnotherAccount),
        ] {
            assert_eq!(changed(|event| event[key] = value.clone()), Err(fault), "{key} {value}");
        }
        for key in event().as_object().unwrap().keys() {
            let result = changed(|event| drop(event.as_object_mut().unwrap().remove(key)));
            assert_eq!(result, Err(NotAnEvent), "without {key}");
        }
        // Readers differ in which of two keys counts.
        let twice = |from: &str, to: &str| check_letter(&event().to_string().replacen(from, to, 1), "222222222222");
        assert_eq!(twice(r#""account":"#, r#""account":"333333333333","account":"#), Err(NotAnEvent));
        let detail = r#""recipientAccountId":"333333333333","recipientAccountI\u0064":"#;
        assert_eq!(twice(r#""recipientAccountId":"#, detail), Err(NotAnEvent));
        for text in ["", "{}", "[]", "null", r#"{"offlimits":"delivery","channel":"soc","task":{}}"#] {
            assert_eq!(check_letter(text, "222222222222"), Err(NotAnEvent), "{text}");
        }
    }
}
