//! The sentence that sums a record up: who did what to what, where, and whether it succeeded.

use std::borrow::Cow;

use super::acting_service::{AWS_INTERNAL, acting_service};
use super::alias::ComputedAlias;
use super::answer::failure_reason;
use super::identity;
use super::record::Record;
use super::target::short_name;
use crate::text;

/// The characters of a name that the sentence keeps. Callers choose names, and some are long.
pub(super) const NAME_LIMIT: usize = 120;

/// `James (IAM user) called StartInstances on i-01234567abcabcabc in us-east-1 of production: allowed`, where `account` is what
/// people call the account. `actor` is the alias of this name; `targets` are as the record has them.
pub(super) fn sentence(record: &Record, actor: Option<&str>, targets: &[&str], account: Option<&str>) -> String {
    if record.text(&["eventType"]) == Some("AwsCloudTrailInsight") {
        return insight(record);
    }
    let mut out = String::with_capacity(200);
    let mut say = |parts: &[&str]| parts.iter().for_each(|part| out.push_str(part));
    say(&[&who(record, actor)]);
    match record.non_empty(&["eventName"]) {
        Some("ConsoleLogin") => {
            let is_without_mfa = record.mfa() == Some(false);
            say(&[if record.failed() { " tried to sign in to the console" } else { " signed in to the console" }]);
            say(&[if is_without_mfa { " without MFA" } else { "" }]);
        }
        Some(event) => say(&[" called ", &shown(event)]),
        None => {
            let kind = record.non_empty(&["eventType"]).map_or("no eventType".into(), shown);
            say(&[" did what the record does not name (", &kind, ")"]);
        }
    }
    if !targets.is_empty() {
        let own = record.computed(ComputedAlias::Account);
        let said = |target: &&str| shown(&short_name(target, own.as_deref())).into_owned();
        say(&[" on ", &text::some_of(&targets.iter().map(said).collect::<Vec<_>>())]);
    }
    if let Some(region) = record.non_empty(&["awsRegion"]) {
        say(&[" in ", &shown(region)]);
    }
    if let Some(account) = account {
        say(&[" of ", &shown(account)]);
    }
    if record.text(&["eventCategory"]) == Some("NetworkActivity")
        && let Some(endpoint) = record.non_empty(&["vpcEndpointId"])
    {
        say(&[" through the VPC endpoint ", &shown(endpoint)]);
    }
    say(&[": ", &how_it_ended(record)]);
    out
}

/// Whether an error, by its code or status, is that the caller may not do this.
pub(super) fn is_denial(code: &str) -> bool {
    code.contains("Denied") || code.contains("Unauthorized") || ["401", "403"].contains(&code)
}

/// Why the call failed: `errorCode`, or what the answer gives as the reason.
pub(super) fn failure_code<'r>(record: &'r Record<'_>) -> Option<&'r str> {
    let code = record.non_empty(&["errorCode"]);
    code.or_else(|| record.failed().then(|| failure_reason(record)).flatten())
}

/// `allowed`, `failed (…)`, `denied (…)`.
fn how_it_ended(record: &Record) -> Cow<'static, str> {
    match failure_code(record) {
        Some(code) if is_denial(code) => format!("denied ({})", shown(code)).into(),
        Some(code) => format!("failed ({})", shown(code)).into(),
        None => if record.failed() { "failed" } else { "allowed" }.into(),
    }
}

/// What CloudTrail writes for a name that belongs to no user: people have typed their password there. Source:
/// <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html>.
pub(crate) const HIDDEN: &str = "HIDDEN_DUE_TO_SECURITY_REASONS";
/// How people are told that a value stands for something that CloudTrail has hidden.
pub(crate) const HIDDEN_SHOWN: &str = "hidden in the record";

/// Who called, with the kind of identity, and with those who stand behind it: `Admin/jana (assumed role, delegated to account
/// 999999999999)`.
fn who(record: &Record, actor: Option<&str>) -> String {
    let at = |path: &[&str]| record.non_empty(path);
    let identity = at(&["userIdentity", "type"]);
    let account = at(&["userIdentity", "accountId"]);
    let kind = identity::kind(record);
    let mut about: Vec<Cow<'_, str>> = Vec::new();
    let name: Cow<'_, str> = match (identity, actor) {
        (Some("Root"), _) => "The root user".into(),
        (_, Some(HIDDEN)) => {
            "Somebody under a user name that does not exist (hidden by AWS: it may be a password)".into()
        }
        // A SCIM client shows a token, and no name.
        (Some("WebIdentityUser"), Some(name))
            if Some(name) == account && at(&["eventSource"]) == Some("identitystore-scim.amazonaws.com") =>
        {
            about.push("SCIM".into());
            "The identity provider".into()
        }
        (_, Some("anonymous" | "ANONYMOUS_PRINCIPAL")) => "Somebody without credentials".into(),
        (None, Some(AWS_INTERNAL)) => at(&["eventSource"]).map_or("A service of AWS's".into(), shown),
        (_, Some(name)) if Some(name) == account => format!("Somebody of account {}", shown(name)).into(),
        (_, Some(name)) => {
            about.extend(kind.as_deref().map(shown));
            shown(name)
        }
        (_, None) => match (&kind, at(&["eventSource"])) {
            (Some(kind), _) => {
                about.push(shown(kind));
                "Somebody".into()
            }
            // What a service does of itself has no identity. Of a call without one nobody knows whose it was.
            (None, Some(service)) if at(&["eventType"]) != Some("AwsApiCall") => shown(service),
            (None, _) => "Somebody".into(),
        },
    };
    if at(&["userIdentity", "sessionContext", "assumedRoot"]) == Some("true") {
        about.push("a session by AssumeRoot".into());
    }
    about.extend(behind(record, &name));
    if about.is_empty() { name.into_owned() } else { format!("{name} ({})", about.join(", ")) }
}

/// Those who stand behind the identity that a record names.
fn behind<'r>(record: &'r Record, actor: &str) -> impl Iterator<Item = Cow<'r, str>> {
    let is_service = record.text(&["userIdentity", "type"]) == Some("AWSService");
    let service = acting_service(record).filter(|service| !is_service && *service != actor);
    let through = service.map(|service| format!("through {}", shown(service)));
    let delegate = record
        .non_empty(&["userIdentity", "invokedByDelegate", "accountId"])
        .map(|account| format!("delegated to account {}", shown(account)));
    let source = record
        .non_empty(&["userIdentity", "sessionContext", "sourceIdentity"])
        .filter(|source| !actor.contains(source))
        .map(|source| format!("source identity {}", shown(source)));
    let person = record
        .non_empty(&["userIdentity", "onBehalfOf", "userId"])
        .filter(|person| *person != actor)
        .map(|person| format!("on behalf of the IAM Identity Center user {}", shown(person)));
    [through, delegate, source, person].into_iter().flatten().map(Cow::from)
}

/// What an Insights event is about: `CloudTrail Insights: an unusual rate of calls of RunInstances (ec2.amazonaws.com) began in
/// us-east-1: 12.5 a minute, usually 0.02`. Source of the fields:
/// <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-insights-fields-trails.html>.
fn insight(record: &Record) -> String {
    let of = |path: &[&str]| {
        let path: Vec<&str> = std::iter::once("insightDetails").chain(path.iter().copied()).collect();
        record.non_empty(&path).map(shown)
    };
    let mut out = "CloudTrail Insights: an unusual rate of ".to_owned();
    let mut say = |parts: &[&str]| parts.iter().for_each(|part| out.push_str(part));
    say(&[match of(&["insightType"]).as_deref() {
        Some("ApiErrorRateInsight") => "errors",
        _ => "calls",
    }]);
    match (of(&["eventName"]), of(&["eventSource"])) {
        (Some(event), Some(service)) => say(&[" of ", &event, " (", &service, ")"]),
        (Some(one), None) | (None, Some(one)) => say(&[" of ", &one]),
        (None, None) => {}
    }
    if let Some(code) = of(&["errorCode"]) {
        say(&[", ", &code, ","]);
    }
    say(&[if of(&["state"]).as_deref() == Some("End") { " ended" } else { " began" }]);
    if let Some(region) = record.non_empty(&["awsRegion"]) {
        say(&[" in ", &shown(region)]);
    }
    let average = |which: &str| of(&["insightContext", "statistics", which, "average"]);
    if let Some(now) = average("insight") {
        say(&[": ", &now, " a minute"]);
        if let Some(usually) = average("baseline") {
            say(&[", usually ", &usually]);
        }
    }
    out
}

fn shown(text: &str) -> Cow<'_, str> {
    text::one_line(text, NAME_LIMIT)
}
