//! A finding: one rule that one record matched.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::severity::Severity;
use crate::text::clip;

/// One rule × one record: all that a channel needs to tell people about it. Texts that come from the record are as the
/// record has them: a channel cleans, escapes and clips for its own target.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Finding {
    /// What makes a repeat of this finding recognisable.
    pub id: FindingId,
    /// The rule.
    pub rule: Arc<RuleInfo>,
    /// The rule's severity, or that of the first `severity_when` that matched.
    pub severity: Severity,
    /// The rule's title with its `{fields}` filled in, cleaned and clipped.
    pub title: String,
    /// The index in `when` of the first row that matched.
    pub row: usize,
    /// The call that the record tells of.
    pub call: Call,
}

/// What a finding carries of its rule.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct RuleInfo {
    /// The rule's `id`.
    pub id: String,
    /// Why it matters.
    pub description: Option<String>,
    /// What to do about it: an http(s) URL.
    pub runbook: Option<String>,
    /// For instance `attack.t1078.004`.
    pub tags: Vec<String>,
    /// Whether findings are sent.
    pub mode: Mode,
    /// The channels that the rule names; none: all.
    pub notify: Option<Vec<String>>,
    /// Which rules these are: the first 12 hexadecimal digits of the SHA-256 of their bundle.
    pub rules_digest: Arc<str>,
}

/// What becomes of a rule's findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// They are sent.
    #[default]
    Alert,
    /// They are counted and logged, not sent.
    Stage,
    /// The rule is not evaluated.
    Off,
}

impl Mode {
    /// What `rules.json` may say.
    pub const WORDS: [(&'static str, Self); 3] = [("alert", Self::Alert), ("stage", Self::Stage), ("off", Self::Off)];

    /// The word in `rules.json`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Alert => "alert",
            Self::Stage => "stage",
            Self::Off => "off",
        }
    }
}

/// The facts of a record that a person or a machine acts on. Each is `None` where the record does not say.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Call {
    /// One sentence: who did what to what, and whether it succeeded.
    /// `James (IAM user) called StartInstances on i-01234567abcabcabc in us-east-1: allowed`.
    pub sentence: String,
    /// `eventID`.
    pub event_id: Option<String>,
    /// `eventTime`, as written: RFC 3339, UTC.
    pub event_time: Option<String>,
    /// `eventType`: `AwsApiCall`, `AwsConsoleSignIn`, …
    pub event_type: Option<String>,
    /// `eventCategory`: `Management`, `Data`, …
    pub event_category: Option<String>,
    /// The alias `account`.
    pub account: Option<String>,
    /// `awsRegion`.
    pub region: Option<String>,
    /// `userIdentity.type`.
    pub identity: Option<String>,
    /// The alias `actor`: the most telling name of who called.
    pub actor: Option<String>,
    /// `userIdentity.arn`.
    pub arn: Option<String>,
    /// `userIdentity.accessKeyId`: an identifier, not a secret.
    pub access_key_id: Option<String>,
    /// `eventSource`.
    pub service: Option<String>,
    /// `eventName`.
    pub event: Option<String>,
    /// `sourceIPAddress`: an address, or a service's name.
    pub source_ip: Option<String>,
    /// `userAgent`.
    pub user_agent: Option<String>,
    /// `errorCode`.
    pub error: Option<String>,
    /// `errorMessage`.
    pub error_message: Option<String>,
    /// The alias `outcome`: whether the call failed.
    pub failed: bool,
    /// The alias `mfa`.
    pub mfa: Option<bool>,
    /// `readOnly`.
    pub read_only: Option<bool>,
    /// What was acted on: names, ids or ARNs, the most telling first.
    pub targets: Vec<String>,
    /// `requestParameters` as compact JSON, secrets redacted.
    pub request: Option<String>,
    /// `responseElements` as compact JSON, secrets redacted.
    pub response: Option<String>,
}

/// The identity of a finding: the same rule and the same event give the same one, in every copy of the function and
/// however often the event is delivered. 32 hexadecimal digits, fit for keys, headers and queries.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FindingId(String);

impl FindingId {
    /// The first 128 bits of a SHA-256 over the parts, each preceded by its length so that no two lists of parts collide.
    pub fn of(parts: &[&str]) -> Self {
        let mut hasher = Sha256::new();
        for part in parts {
            hasher.update((part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
        Self(hex(&hasher.finalize()[..16]))
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for FindingId {
    type Error = &'static str;

    fn try_from(digits: String) -> Result<Self, Self::Error> {
        let fits = digits.len() == 32 && digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if fits { Ok(Self(digits)) } else { Err("an id is 32 lower-case hexadecimal digits") }
    }
}

impl From<FindingId> for String {
    fn from(id: FindingId) -> Self {
        id.0
    }
}

impl fmt::Display for FindingId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from(b"0123456789abcdef"[usize::from(value)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// Characters of each text, and items of each list, that [`Finding::brief`] keeps.
const BRIEF: (usize, usize) = (1024, 20);

impl Finding {
    /// The finding without what is long: a few kilobytes, fit to be kept and to travel.
    #[must_use]
    pub fn brief(&self) -> Self {
        let short = |text: &String| clip(text, BRIEF.0).into_owned();
        let call = &self.call;
        let some = |text: &Option<String>| text.as_ref().map(short);
        Self {
            title: short(&self.title),
            call: Call {
                sentence: short(&call.sentence),
                event_id: some(&call.event_id),
                event_time: some(&call.event_time),
                event_type: some(&call.event_type),
                event_category: some(&call.event_category),
                account: some(&call.account),
                region: some(&call.region),
                identity: some(&call.identity),
                actor: some(&call.actor),
                arn: some(&call.arn),
                access_key_id: some(&call.access_key_id),
                service: some(&call.service),
                event: some(&call.event),
                source_ip: some(&call.source_ip),
                user_agent: some(&call.user_agent),
                error: some(&call.error),
                error_message: some(&call.error_message),
                targets: call.targets.iter().take(BRIEF.1).map(short).collect(),
                request: None,
                response: None,
                ..*call
            },
            ..self.clone()
        }
    }

    /// The finding that `{"offlimits":"test"}` sends to every channel: unmistakably a test, and otherwise like any other.
    pub fn test(rules_digest: Arc<str>, event_time: String) -> Self {
        let id = FindingId::of(&["offlimits-test", &event_time]);
        Self {
            rule: Arc::new(RuleInfo {
                id: "offlimits-test".to_owned(),
                description: Some(
                    "Somebody asked offlimits for a test alert. If you read this, this channel works.".to_owned(),
                ),
                rules_digest,
                ..RuleInfo::default()
            }),
            severity: Severity::Low,
            title: "TEST: offlimits can reach this channel".to_owned(),
            row: 0,
            call: Call {
                sentence: "This is a test: nobody called anything".to_owned(),
                event_id: Some(id.as_str().to_owned()),
                event_time: Some(event_time),
                event: Some("TestAlert".to_owned()),
                actor: Some("offlimits".to_owned()),
                ..Call::default()
            },
            id,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_depend_on_every_part_and_on_their_bounds() {
        assert_eq!(FindingId::of(&["a", "b"]), FindingId::of(&["a", "b"]));
        assert_ne!(FindingId::of(&["a", "b"]), FindingId::of(&["ab", ""]));
        assert_eq!(FindingId::of(&[]).as_str(), "e3b0c44298fc1c149afbf4c8996fb924");
    }
}
