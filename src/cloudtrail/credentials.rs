//! Who presents which credentials, and the calls that issue others: what a lineage of sessions is followed by.
//!
//! Sources: AWS STS API Reference, <https://docs.aws.amazon.com/STS/latest/APIReference/API_Operations.html>; how the calls are
//! recorded: <https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html>.

use jiff::civil;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::call::ApiCall;
use super::identity::{self, IDENTITY_CENTER_ROLE};
use super::issuing::{is_of_stranger, issued_key};
use super::record::Record;
use crate::time::Timestamp;

/// How the id of a user's long-term access key begins. Source:
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids>.
const LONG_TERM: &str = "AKIA";

/// The longest that a session lasts, in seconds: 36 hours, of `GetFederationToken`.
const LONGEST: u64 = 36 * 3600;

/// Somebody by whose credentials something was done: a user, a role, a person of IAM Identity Center, or whoever is behind a source
/// identity.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Ancestor {
    /// Whose account it is; none of a person and of a source identity, which go from account to account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The alias `principal`, the person, or the source identity.
    pub name: String,
}

/// Who presents credentials, as a record names them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bearer {
    /// Who it is by the record alone; nobody if a service of AWS's calls.
    pub own: Option<Ancestor>,
    /// Whether the record is that of a role's account, which knows the caller from another account by an id at most. The session is
    /// then the one that the call has issued, since the caller's own account records the same call.
    pub is_stranger: bool,
    /// Whether the record names a person whom IAM Identity Center knows, so that nobody else need be looked for.
    pub is_person: bool,
    /// The access key of a session that somebody may have asked for. A long-term key, and a session that is named after its user,
    /// have none.
    pub session_key: Option<String>,
    /// The source identity that the session carries on.
    pub source_identity: Option<String>,
}

impl Bearer {
    /// Whether what was issued to it may tell more than the record does.
    pub const fn is_followed(&self) -> bool {
        !self.is_person && self.own.is_some() && (self.session_key.is_some() || self.source_identity.is_some())
    }

    fn new(who: &Who<'_>) -> Self {
        let &Who { kind, account, principal, person, key, source_identity } = who;
        let some = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
        let own = match (some(person), some(principal)) {
            (Some(name), _) => Some(Ancestor { account: None, name }),
            (None, Some(name)) if kind != Some("AWSService") => Some(Ancestor { account: some(account), name }),
            _ => None,
        };
        let key = key.filter(|key| !key.starts_with(LONG_TERM) && kind != Some("IAMUser"));
        Self {
            own,
            is_stranger: false,
            is_person: person.is_some(),
            session_key: some(key),
            source_identity: some(source_identity),
        }
    }
}

/// What a [`Bearer`] is made of.
struct Who<'a> {
    kind: Option<&'a str>,
    account: Option<&'a str>,
    principal: Option<&'a str>,
    person: Option<&'a str>,
    key: Option<&'a str>,
    source_identity: Option<&'a str>,
}

impl From<&ApiCall> for Bearer {
    fn from(call: &ApiCall) -> Self {
        let stranger_key = call.stranger_session_key.as_deref();
        let bearer = Self::new(&Who {
            kind: call.identity.as_deref(),
            account: call.caller_account.as_deref().or(call.account.as_deref()),
            principal: call.principal.as_deref(),
            person: call.person.as_deref(),
            key: stranger_key.or(call.access_key_id.as_deref()),
            source_identity: call.source_identity.as_deref(),
        });
        Self { is_stranger: stranger_key.is_some(), ..bearer }
    }
}

/// A session that a call has issued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuedSession {
    /// Its access key.
    pub key: String,
    /// Who asked for it.
    pub caller: Bearer,
    /// Whether the record is that of the account whose role it is, which does not know who a caller from another account is: it has an
    /// id at most. The caller's own account records the same call.
    pub is_of_stranger: bool,
    /// The source identity that was set with it. None if the caller had it before.
    pub set_source_identity: Option<String>,
    /// When it ends.
    pub ends: Timestamp,
}

impl IssuedSession {
    /// The session that a record tells of; none if it tells of none, if a service of AWS's asked for it, for itself, and if its own
    /// records name a person of IAM Identity Center.
    pub fn of(record: &Record<'_>, now: Timestamp) -> Option<Self> {
        let text = |path: &[&str]| record.non_empty(path);
        let key = issued_key(record)?.to_owned();
        let is_of_person = text(&["requestParameters", "roleArn"])
            .and_then(|arn| arn.rsplit('/').next())
            .is_some_and(|role| role.starts_with(IDENTITY_CENTER_ROLE));
        let kind = text(&["userIdentity", "type"]);
        let account = record.computed(super::ComputedAlias::Account);
        let principal = identity::principal(record);
        let caller = Bearer::new(&Who {
            kind,
            account: text(&["userIdentity", "accountId"]).or(account.as_deref()),
            principal: principal.as_deref(),
            person: identity::person(record),
            key: text(&["userIdentity", "accessKeyId"]),
            source_identity: text(&["userIdentity", "sessionContext", "sourceIdentity"]),
        });
        if is_of_person || caller.own.is_none() {
            return None;
        }
        let set_source_identity = text(&["requestParameters", "sourceIdentity"])
            .filter(|_| caller.source_identity.is_none())
            .map(str::to_owned);
        let began = text(&["eventTime"]).and_then(Timestamp::parse).unwrap_or(now);
        let latest = began.plus(std::time::Duration::from_secs(LONGEST));
        let ends = text(&["responseElements", "credentials", "expiration"]).and_then(expiration);
        let ends = ends.unwrap_or_else(|| {
            let seconds = text(&["requestParameters", "durationSeconds"]).and_then(|text| text.parse().ok());
            began.plus(std::time::Duration::from_secs(seconds.unwrap_or(LONGEST)))
        });
        Some(Self { key, caller, is_of_stranger: is_of_stranger(record), set_source_identity, ends: ends.min(latest) })
    }
}

/// Reads a time as STS answers with it: `Nov 3, 2026, 9:05:00 AM`; older records have no comma after the year.
fn expiration(text: &str) -> Option<Timestamp> {
    // Newer versions of Java, in which the answers are written, have a narrow space before AM and PM.
    let text = text.replace(['\u{202f}', '\u{a0}'], " ").replace(',', "");
    let time = civil::DateTime::strptime("%b %d %Y %I:%M:%S %p", text).ok()?;
    let time = TimeZone::UTC.to_timestamp(time).ok()?;
    u64::try_from(time.as_millisecond()).ok().map(Timestamp::from_millis)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::issuing::ISSUER;
    use super::*;

    fn assumed(change: impl FnOnce(&mut Value)) -> Option<IssuedSession> {
        let mut record = json!({
            "eventSource": ISSUER, "eventName": "AssumeRole", "eventTime": "2026-11-03T08:05:00Z",
            "recipientAccountId": "111122223333",
            "userIdentity": { "type": "IAMUser", "userName": "jana", "accountId": "111122223333", "accessKeyId": "AKIAJANA" },
            "requestParameters": { "roleArn": "arn:aws:iam::444455556666:role/Audit", "roleSessionName": "x" },
            "responseElements": { "credentials": { "accessKeyId": "ASIAONE", "expiration": "Nov 3, 2026, 9:05:00 AM" } },
        });
        change(&mut record);
        IssuedSession::of(&Record::parse(&record.to_string()).unwrap(), Timestamp::default())
    }

    fn ancestor(account: Option<&str>, name: &str) -> Ancestor {
        Ancestor { account: account.map(str::to_owned), name: name.to_owned() }
    }

    #[test]
    fn who_asked_for_a_session_is_told() {
        let one = assumed(|_| ()).unwrap();
        assert_eq!((one.key.as_str(), one.is_of_stranger, one.set_source_identity), ("ASIAONE", false, None));
        assert_eq!(one.caller.own, Some(ancestor(Some("111122223333"), "jana")));
        // A long-term key was issued by nobody.
        assert!(!one.caller.is_followed());
        assert_eq!(one.ends, Timestamp::parse("2026-11-03T09:05:00Z").unwrap());
        let chained = assumed(|record| {
            record["userIdentity"] = json!({ "type": "AssumedRole", "accountId": "111122223333", "accessKeyId": "ASIAZERO",
                "arn": "arn:aws:sts::111122223333:assumed-role/Relay/whoever",
                "sessionContext": { "sessionIssuer": { "type": "Role", "userName": "Relay" }, "sourceIdentity": "jana" } });
            record["requestParameters"]["sourceIdentity"] = json!("jana");
        });
        let caller = chained.as_ref().unwrap().caller.clone();
        assert_eq!(
            (caller.own.clone(), caller.session_key.as_deref()),
            (Some(ancestor(Some("111122223333"), "Relay")), Some("ASIAZERO"))
        );
        // It was not set anew.
        assert!(caller.is_followed() && chained.unwrap().set_source_identity.is_none());
        let set = assumed(|record| record["requestParameters"]["sourceIdentity"] = json!("jana"));
        assert_eq!(set.unwrap().set_source_identity.as_deref(), Some("jana"));
    }

    #[test]
    fn a_stranger_has_an_id_and_no_name_of_a_session() {
        let one = assumed(|record| {
            record["userIdentity"] =
                json!({ "type": "AWSAccount", "accountId": "555555555555", "principalId": "AROAEXAMPLE:whoever" });
        });
        let one = one.unwrap();
        assert!(one.is_of_stranger);
        assert_eq!(one.caller.own, Some(ancestor(Some("555555555555"), "AROAEXAMPLE")));
    }

    #[test]
    fn what_tells_nothing_more_is_not_remembered() {
        // A service for itself, a person of IAM Identity Center, a call that failed, and another call.
        let service = json!({ "type": "AWSService", "invokedBy": "lambda.amazonaws.com" });
        assert_eq!(assumed(|record| record["userIdentity"] = service), None);
        let role = "arn:aws:iam::1:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Admin_0123456789abcdef";
        assert_eq!(assumed(|record| record["requestParameters"]["roleArn"] = json!(role)), None);
        assert_eq!(assumed(|record| record["responseElements"] = Value::Null), None);
        assert_eq!(assumed(|record| record["eventName"] = json!("GetSessionToken")), None);
        assert_eq!(assumed(|record| record["eventSource"] = json!("signin.amazonaws.com")), None);
    }

    #[test]
    fn the_end_of_a_session_is_read_in_each_form() {
        let nine = Timestamp::parse("2026-11-03T21:05:00Z");
        for text in ["Nov 3, 2026, 9:05:00 PM", "Nov 3, 2026 9:05:00 PM", "Nov 3, 2026, 9:05:00\u{202f}PM"] {
            assert_eq!(expiration(text), nine, "{text}");
        }
        assert_eq!(expiration("soon"), None);
        let ends = |answer: Value, seconds: Value| {
            let one = assumed(|record| {
                record["responseElements"]["credentials"]["expiration"] = answer;
                record["requestParameters"]["durationSeconds"] = seconds;
            });
            one.unwrap().ends.to_string()
        };
        assert_eq!(ends(Value::Null, json!(900)), "2026-11-03T08:20:00Z");
        // Whatever a record says, no session lasts longer than this.
        assert_eq!(ends(json!("Nov 3, 2096, 9:05:00 AM"), Value::Null), "2026-11-04T20:05:00Z");
        assert_eq!(ends(Value::Null, Value::Null), "2026-11-04T20:05:00Z");
    }
}
