//! The API call that a record is about: its facts, and a sentence that sums them up.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::accounts::{AccountFacts, log_unreadable};
use super::alias::ComputedAlias;
use super::identity;
use super::issuing;
use super::names::Names;
use super::places::Place;
use super::record::Record;
use super::sentence::{NAME_LIMIT, failure_code, is_denial, sentence};
use super::target::named_targets;
use crate::ids::TargetId;
use crate::redact::redacted;
use crate::text;
use crate::time::Timestamp;

/// The facts of a record that a person or a machine acts on. One that the record does not tell is `None`.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own, under its own key")]
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct ApiCall {
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
    /// What people call the account, where `accounts.json` has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_name: Option<String>,
    /// The account's organizational unit, the outermost first, where `accounts.json` has it: `Workloads/Prod`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// Whether the names of accounts could not be read, so that nobody can say what they are.
    #[serde(skip)]
    pub is_unnamed: bool,
    /// `userIdentity.accountId`, where that is another account than the one that recorded the call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caller_account: Option<String>,
    /// What people call that account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caller_account_name: Option<String>,
    /// `awsRegion`.
    pub region: Option<String>,
    /// `userIdentity.type`.
    pub identity: Option<String>,
    /// The alias `actor`: the most telling name of who called.
    pub actor: Option<String>,
    /// The alias `acting_service`: the service that acts, for itself or for somebody. This and the four below are written where
    /// the record has them, since 2026-11-28.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acting_service: Option<String>,
    /// The alias `delegate`: the account of whoever acts by a temporary delegation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delegate: Option<String>,
    /// The alias `source_identity`: the name that was set when the first of several roles was assumed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_identity: Option<String>,
    /// `userIdentity.onBehalfOf.userId`: the user of IAM Identity Center whom the call was made for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_behalf_of: Option<String>,
    /// `sharedEventID`: the same in the records of one act that several accounts have, and in those of one insight.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shared_event_id: Option<String>,
    /// The alias `principal`: who called, by nothing that the caller chooses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub principal: Option<String>,
    /// The person whom the session of a role is named after, by IAM Identity Center and not by the caller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<String>,
    /// Whether it is a session that somebody of the organization has opened as root of a member account, by `AssumeRoot`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub assumed_root: bool,
    /// `sessionCredentialFromConsole`: whether the call was made in the console.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub from_console: bool,
    /// `userIdentity.arn`.
    pub arn: Option<String>,
    /// `userIdentity.accessKeyId`: an identifier, not a secret.
    pub access_key_id: Option<String>,
    /// The key of the session that a stranger, whom the account of the role knows by an id at most, was issued by this call: the
    /// caller's own account may have told who it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stranger_session_key: Option<String>,
    /// `eventSource`.
    pub service: Option<String>,
    /// `eventName`.
    pub event: Option<String>,
    /// `sourceIPAddress`: an address, or a service's name.
    pub source_ip: Option<String>,
    /// The country of the address, where there is a database: two letters of ISO 3166-1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// Whose network the address belongs to, where there is a database: `AS3320 Deutsche Telekom AG`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<String>,
    /// `userAgent`.
    pub user_agent: Option<String>,
    /// `errorCode`.
    pub error: Option<String>,
    /// `errorMessage`.
    pub error_message: Option<String>,
    /// The alias `outcome`: whether the call failed.
    pub failed: bool,
    /// Whether it failed because the caller may not do this. Versions before 2026-11-29 did not write it: ask
    /// [`ApiCall::outcome_word`].
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub denied: bool,
    /// The alias `mfa`.
    pub mfa: Option<bool>,
    /// `readOnly`.
    pub read_only: Option<bool>,
    /// What was acted on: names, ids or ARNs, the most telling first.
    pub targets: Vec<String>,
    /// The same, all of it and unclipped, as one id: what a throttle takes for the same target. Versions before 2026-11-28 did
    /// not write it: ask [`ApiCall::target`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_id: Option<TargetId>,
    /// `requestParameters` as compact JSON, secrets redacted.
    pub request: Option<String>,
    /// `responseElements` as compact JSON, secrets redacted.
    pub response: Option<String>,
    /// Whether the event is older than what the account's event history holds: see [`ApiCall::note_age`].
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_past_history: bool,
}

/// How long the event history of an account holds an event. Source:
/// <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/view-cloudtrail-events.html>.
const HISTORY: Duration = Duration::from_hours(90 * 24);

impl ApiCall {
    /// Gathers the facts of a record. Secrets in the request and the response are blanked.
    pub fn from_record(record: &Record) -> Self {
        Self::with_names(record, &Names::default())
    }

    /// The same with what people call the accounts, and where the address is.
    pub fn with_names(record: &Record, names: &Names) -> Self {
        let outline = Self::outline(record, names);
        let acted_on = acted_on(record);
        let body = |key: &str| record.get(key).filter(|node| !node.is_null()).map(redacted);
        Self {
            sentence: sentence(record, outline.actor.as_deref(), &acted_on, outline.account_name.as_deref()),
            target_id: TargetId::new(&acted_on),
            targets: shown(&acted_on),
            request: body("requestParameters"),
            response: body("responseElements"),
            ..outline
        }
    }

    /// The same without what is only told: the sentence, the targets, the request and the response are empty.
    pub fn outline(record: &Record, names: &Names) -> Self {
        let text = |path: &[&str]| record.non_empty(path).map(str::to_owned);
        let identity::Names { actor, principal, person } = identity::Names::of(record);
        let account = record.computed(ComputedAlias::Account);
        let caller_account = text(&["userIdentity", "accountId"]).filter(|id| Some(id.as_str()) != account.as_deref());
        let mut is_unnamed = false;
        let mut named = |id: Option<&str>| -> Option<AccountFacts> {
            names.accounts.as_ref()?.get(id?).unwrap_or_else(|error| {
                log_unreadable(&error);
                is_unnamed = true;
                None
            })
        };
        let (own, callers) = (named(account.as_deref()), named(caller_account.as_deref()));
        let (account_name, unit) = own.map_or((None, None), |AccountFacts { name, unit }| (Some(name), unit));
        let source_ip = text(&["sourceIPAddress"]);
        let place = names.places.as_ref().zip(source_ip.as_deref()).map(|(places, address)| places.of(address));
        let Place { country, network } = place.unwrap_or_default();
        let is_true = |path: &[&str]| record.text(path) == Some("true");
        let failed = record.failed();
        Self {
            event_id: text(&["eventID"]),
            event_time: text(&["eventTime"]),
            event_type: text(&["eventType"]),
            event_category: text(&["eventCategory"]),
            account: account.map(Into::into),
            account_name,
            unit,
            is_unnamed,
            caller_account,
            caller_account_name: callers.map(|facts| facts.name),
            shared_event_id: text(&["sharedEventID"]),
            region: text(&["awsRegion"]),
            identity: text(&["userIdentity", "type"]),
            actor: actor.map(Into::into),
            acting_service: record.computed(ComputedAlias::ActingService).map(Into::into),
            delegate: text(&["userIdentity", "invokedByDelegate", "accountId"]),
            source_identity: text(&["userIdentity", "sessionContext", "sourceIdentity"]),
            on_behalf_of: text(&["userIdentity", "onBehalfOf", "userId"]),
            principal: principal.map(Into::into),
            person: person.map(str::to_owned),
            assumed_root: is_true(&["userIdentity", "sessionContext", "assumedRoot"]),
            from_console: is_true(&["sessionCredentialFromConsole"]),
            arn: text(&["userIdentity", "arn"]),
            access_key_id: text(&["userIdentity", "accessKeyId"]),
            stranger_session_key: issuing::issued_key(record)
                .filter(|_| issuing::is_of_stranger(record))
                .map(str::to_owned),
            service: text(&["eventSource"]),
            event: text(&["eventName"]),
            source_ip,
            country,
            network,
            user_agent: text(&["userAgent"]),
            error: text(&["errorCode"]),
            error_message: text(&["errorMessage"]),
            failed,
            denied: failed && failure_code(record).is_some_and(is_denial),
            mfa: record.mfa(),
            read_only: record.text(&["readOnly"]).and_then(|text| text.parse().ok()),
            ..Self::default()
        }
    }

    /// Fills in the targets of an outline, which is of this record.
    pub fn name_targets(&mut self, record: &Record) {
        self.targets = shown(&acted_on(record));
    }

    /// What the call of a record acts on, as one id; none where the record does not name it.
    pub fn target_of(record: &Record) -> Option<TargetId> {
        TargetId::new(&acted_on(record))
    }

    /// When the call was made; none where the record has no time that can be read.
    pub fn time(&self) -> Option<Timestamp> {
        self.event_time.as_deref().and_then(Timestamp::parse)
    }

    /// Notes whether the event is too old to be found in the account's event history `now`. Who renders knows no clock.
    pub fn note_age(&mut self, now: Timestamp) {
        self.is_past_history = self.is_past_history_at(now);
    }

    /// Whether the event is too old to be found in the account's event history `now`.
    pub fn is_past_history_at(&self, now: Timestamp) -> bool {
        let time = self.time();
        time.is_some_and(|time| now.since(time) > HISTORY)
    }

    /// The account that recorded the call, with what people call it: `production (111122223333)`.
    pub fn shown_account(&self) -> Option<String> {
        named(self.account.as_deref(), self.account_name.as_deref())
    }

    /// The same of the caller's own account, where it is another.
    pub fn shown_caller_account(&self) -> Option<String> {
        named(self.caller_account.as_deref(), self.caller_account_name.as_deref())
    }

    /// What people must know first of a call that did nothing: `DENIED` or `FAILED`; none where it succeeded.
    pub fn outcome_word(&self) -> Option<&'static str> {
        let is_denied = self.denied || self.error.as_deref().is_some_and(is_denial);
        self.failed.then_some(if is_denied { "DENIED" } else { "FAILED" })
    }

    /// What the call acts on, as one id; none where the record does not name it.
    pub fn target(&self) -> Option<TargetId> {
        self.target_id.or_else(|| TargetId::new(&self.targets))
    }
}

/// What the call acts on, as the record has it, the most telling first.
fn acted_on<'r>(record: &'r Record) -> Vec<&'r str> {
    named_targets(record).iter().map(|name| name.text.as_str()).collect()
}

/// Names of what a call acts on, as people read them.
fn shown(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| text::one_line(name, NAME_LIMIT).into_owned()).collect()
}

fn named(id: Option<&str>, name: Option<&str>) -> Option<String> {
    id.map(|id| name.map_or_else(|| id.to_owned(), |name| format!("{name} ({id})")))
}
