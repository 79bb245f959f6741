//! What every channel says of a finding: the facts a person acts on, the link to the event, and the JSON for machines.

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
    description: Option<&'a str>,
    runbook: Option<&'a str>,
    tags: &'a [String],
    row: usize,
    event_id: Option<&'a str>,
    event_time: Option<&'a str>,
    account: Option<&'a str>,
    region: Option<&'a str>,
    identity: Option<&'a str>,
    actor: Option<&'a str>,
    arn: Option<&'a str>,
    access_key_id: Option<&'a str>,
    service: Option<&'a str>,
    event: Option<&'a str>,
    source_ip: Option<&'a str>,
    user_agent: Option<&'a str>,
    error: Option<&'a str>,
    error_message: Option<&'a str>,
    failed: bool,
    mfa: Option<bool>,
    targets: &'a [String],
    link: Option<String>,
    /// `requestParameters` as JSON text, secrets redacted; a note where it is too large.
    request: Option<&'a str>,
}

/// Bytes of a request that are sent along. An SNS message holds 256 KB in all, five copies of this text among them.
const REQUEST_LIMIT: usize = 16 * 1024;

impl<'a> From<&'a Finding> for MachineAlert<'a> {
    fn from(finding: &'a Finding) -> Self {
        let Finding { id, rule, severity, title, row, call } = finding;
        let request = call.request.as_deref().map(|request| {
            if request.len() > REQUEST_LIMIT {
                "left out: it is too large; see the event in CloudTrail"
            } else {
                request
            }
        });
        Self {
            version: 1,
            finding: id.as_str(),
            rule: &rule.id,
            rules_digest: &rule.rules_digest,
            severity: severity.as_str(),
            title,
            sentence: &call.sentence,
            description: rule.description.as_deref(),
            runbook: rule.runbook.as_deref(),
            tags: &rule.tags,
            row: *row,
            event_id: short(call.event_id.as_ref()),
            event_time: short(call.event_time.as_ref()),
            account: short(call.account.as_ref()),
            region: short(call.region.as_ref()),
            identity: short(call.identity.as_ref()),
            actor: short(call.actor.as_ref()),
            arn: short(call.arn.as_ref()),
            access_key_id: short(call.access_key_id.as_ref()),
            service: short(call.service.as_ref()),
            event: short(call.event.as_ref()),
            source_ip: short(call.source_ip.as_ref()),
            user_agent: short(call.user_agent.as_ref()),
            error: short(call.error.as_ref()),
            error_message: short(call.error_message.as_ref()),
            failed: call.failed,
            mfa: call.mfa,
            targets: call.targets.get(..10).unwrap_or(&call.targets),
            link: event_link(finding),
            request,
        }
    }
}

/// A text of the record, cut at 2,048 bytes: twice what CloudTrail lets through.
fn short(text: Option<&String>) -> Option<&str> {
    const LIMIT: usize = 2048;
    text.map(|text| &text[..text.floor_char_boundary(LIMIT)])
}
