//! What every channel says of a finding: the facts a person acts on, the link to the event, and the JSON for machines.

use std::borrow::Cow;

use serde::Serialize;

use crate::finding::Finding;
use crate::text::{clean, clip};

/// Characters of one fact that are shown. CloudTrail itself cuts user agents and errors at 1 KB.
const FACT_LIMIT: usize = 300;

/// The facts, most urgent first, each cleaned and clipped: the name and the value.
pub fn facts(finding: &Finding) -> Vec<(&'static str, String)> {
    let call = &finding.call;
    let mfa = call.mfa.map(|mfa| if mfa { "yes" } else { "no" }.to_owned());
    [
        ("Account", call.account.clone()),
        ("Region", call.region.clone()),
        ("Principal", call.arn.clone().or_else(|| call.actor.clone())),
        ("Source", call.source_ip.clone()),
        ("User agent", call.user_agent.clone()),
        ("MFA", mfa),
        ("Error", call.error.clone().or_else(|| call.error_message.clone())),
        ("Time (UTC)", call.event_time.clone()),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, clip(&clean(&value?), FACT_LIMIT).into_owned())))
    .collect()
}

/// The event in CloudTrail's console; none for data events, which its event history does not hold, and none where the
/// record's own texts do not look as AWS writes them.
pub fn event_link(finding: &Finding) -> Option<String> {
    let call = &finding.call;
    let (region, id) = (call.region.as_deref()?, call.event_id.as_deref()?);
    let plain = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    let is_management = call.event_category.as_deref().is_none_or(|category| category == "Management");
    if !plain(region) || !plain(id) || !is_management {
        return None;
    }
    let host = match region {
        _ if region.starts_with("us-gov-") => "console.amazonaws-us-gov.com",
        _ if region.starts_with("cn-") => "console.amazonaws.cn",
        _ => "console.aws.amazon.com",
    };
    Some(format!("https://{region}.{host}/cloudtrailv2/home?region={region}#/events/{id}"))
}

/// A finding for machines: SQS, Lambda and HTTPS subscribers of the topic. Version 1 is frozen: keys may join, none may
/// change or go.
#[derive(Debug, Serialize)]
pub struct MachineAlert<'a> {
    version: u8,
    finding: &'a str,
    rule: &'a str,
    rules_digest: &'a str,
    severity: &'a str,
    title: &'a str,
    sentence: &'a str,
    description: Option<Cow<'a, str>>,
    runbook: Option<&'a str>,
    tags: &'a [String],
    row: usize,
    event_id: Option<Cow<'a, str>>,
    event_time: Option<Cow<'a, str>>,
    account: Option<Cow<'a, str>>,
    region: Option<Cow<'a, str>>,
    identity: Option<Cow<'a, str>>,
    actor: Option<Cow<'a, str>>,
    arn: Option<Cow<'a, str>>,
    access_key_id: Option<Cow<'a, str>>,
    service: Option<Cow<'a, str>>,
    event: Option<Cow<'a, str>>,
    source_ip: Option<Cow<'a, str>>,
    user_agent: Option<Cow<'a, str>>,
    error: Option<Cow<'a, str>>,
    error_message: Option<Cow<'a, str>>,
    failed: bool,
    mfa: Option<bool>,
    targets: &'a [String],
    link: Option<String>,
    /// `requestParameters` as JSON text, secrets redacted; a note where it is too large.
    request: Option<&'a str>,
}

/// How much of a finding a [`MachineAlert`] tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// All of it.
    Full,
    /// Without the request, and every text cut short: it fits whatever the record holds.
    Brief,
}

/// Bytes of a request that are sent along: an SNS message holds 256 KB in all, four copies of this text among them.
const REQUEST_LIMIT: usize = 16 * 1024;
const TOO_LARGE: &str = "left out: it is too large; see the event in CloudTrail";
/// Lists that are told in part.
const LIST_LIMIT: usize = 10;

impl<'a> MachineAlert<'a> {
    /// The alert of a finding.
    pub fn of(finding: &'a Finding, detail: Detail) -> Self {
        let Finding { id, rule, severity, title, row, call } = finding;
        let text = |text: &'a Option<String>| match (text, detail) {
            (None, _) => None,
            // Twice what CloudTrail lets through.
            (Some(text), Detail::Full) => Some(clip(text, 2048)),
            (Some(text), Detail::Brief) => Some(Cow::Owned(clip(&clean(text), 100).into_owned())),
        };
        let request = call.request.as_deref().map(|request| match detail {
            Detail::Full if request.len() <= REQUEST_LIMIT => request,
            _ => TOO_LARGE,
        });
        Self {
            version: 1,
            finding: id.as_str(),
            rule: &rule.id,
            rules_digest: &rule.rules_digest,
            severity: severity.as_str(),
            title,
            sentence: &call.sentence,
            description: text(&rule.description),
            runbook: rule.runbook.as_deref().filter(|link| link.len() < 2048),
            tags: rule.tags.get(..LIST_LIMIT).unwrap_or(&rule.tags),
            row: *row,
            event_id: text(&call.event_id),
            event_time: text(&call.event_time),
            account: text(&call.account),
            region: text(&call.region),
            identity: text(&call.identity),
            actor: text(&call.actor),
            arn: text(&call.arn),
            access_key_id: text(&call.access_key_id),
            service: text(&call.service),
            event: text(&call.event),
            source_ip: text(&call.source_ip),
            user_agent: text(&call.user_agent),
            error: text(&call.error),
            error_message: text(&call.error_message),
            failed: call.failed,
            mfa: call.mfa,
            targets: call.targets.get(..LIST_LIMIT).unwrap_or(&call.targets),
            link: event_link(finding),
            request,
        }
    }
}
