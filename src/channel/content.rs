//! What every channel says of an alert: the heading, the sentence, the facts that a person acts on, and the links.
//!
//! Texts are made inert and clipped here, once, and not yet escaped: that is for each channel, which knows its target.

use std::borrow::Cow;
use std::fmt::Write as _;

use crate::alert::{Alert, AlertDigest, AlertKind, RollUp, TimeRange};
use crate::finding::Finding;
use crate::redact::redacted_text;
use crate::severity::Severity;
use crate::text::{clean, clip, defang, one_line};

/// Characters of a text that are looked at: more than is shown of any, so that what is cut off here hides no secret's end.
const READ_LIMIT: usize = 8000;
/// Characters of one fact that are shown. CloudTrail itself cuts user agents and errors at 1 KB.
const FACT_LIMIT: usize = 300;
/// Characters of a list: of actors, of events, of rules.
const LIST_LIMIT: usize = 1000;
/// Characters of a title, with what is added to the finding's own.
const TITLE_LIMIT: usize = 240;
/// Characters of a sentence.
const SENTENCE_LIMIT: usize = 1500;
/// Characters of a description.
const DESCRIPTION_LIMIT: usize = 2000;
/// Characters of a link, beyond which it is left out: a part of a link is worth nothing.
const LINK_LIMIT: usize = 1400;

/// An alert, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// The severity that is shown.
    pub severity: Severity,
    /// The heading: `VERY HIGH: Unintended AWS API call: StopLogging by root`
    pub heading: String,
    /// The rule, or what stands for one.
    pub rule: String,
    /// One sentence: who did what to what, and whether it succeeded.
    pub sentence: String,
    /// The facts, the most urgent first: each one's name and value.
    pub facts: Vec<(String, String)>,
    /// Why the alert matters, in the words of the rule's author.
    pub description: Option<String>,
    /// The links: each one's name and URL.
    pub links: Vec<(&'static str, String)>,
    /// Where this comes from: the rule, the event, the rules, the alert's key.
    pub footer: String,
}

impl Content {
    /// Puts an alert into words.
    pub fn new(alert: &Alert<'_>) -> Self {
        let Finding { rule, call, .. } = alert.finding;
        let title = shown_title(alert);
        let severity = alert.severity();
        let own = inert(&call.sentence);
        let (title, sentence, facts) = match alert.kind {
            AlertKind::First | AlertKind::Test => (title.into_owned(), own, facts(alert.finding)),
            AlertKind::Repeat | AlertKind::News => (format!("Again: {title}"), own, facts(alert.finding)),
            AlertKind::RollUp(sum) if sum.count == 0 => (
                format!("{title}: and at least one more"),
                format!("At least one more like the first was held back, and its details are gone. The first: {own}"),
                roll_up_facts(alert.finding, sum),
            ),
            AlertKind::RollUp(sum) => (
                format!("{title}: and {} more", sum.count),
                format!("{} more like the first{}. The first: {own}", sum.count, within(&sum.span)),
                roll_up_facts(alert.finding, sum),
            ),
            AlertKind::Digest(sum) if sum.count == 0 => (
                "At least one alert was held back".to_owned(),
                format!(
                    "More alerts came than people can read, and at least one was held back; its details are gone. One of them: {own}"
                ),
                digest_facts(sum),
            ),
            AlertKind::Digest(sum) => (
                format!("{} alerts in one: too many to send each", sum.count),
                format!(
                    "{} alerts came faster than people can read them{}; this message stands for all of them",
                    sum.count,
                    within(&sum.span)
                ),
                digest_facts(sum),
            ),
            AlertKind::Operational(text) => ("offlimits itself needs attention".to_owned(), inert(text), Vec::new()),
        };
        let about_one_rule = alert.kind.is_about_events() || matches!(alert.kind, AlertKind::Test);
        let about_one_event = alert.kind.is_about_events();
        let links = [
            ("Runbook", rule.runbook.clone().filter(|_| about_one_rule)),
            ("Event in CloudTrail", event_link(alert.finding).filter(|_| about_one_event)),
        ]
        .into_iter()
        .filter_map(|(name, link)| Some((name, link.filter(|link| link.len() <= LINK_LIMIT)?)))
        .collect();
        let rule_name = match alert.kind {
            AlertKind::Digest(_) => "offlimits-digest",
            AlertKind::Operational(_) => "offlimits-operational",
            _ => rule.id.as_str(),
        };
        Self {
            severity,
            heading: format!("{}: {}", severity.label(), clip(&inert_redacted(&title), TITLE_LIMIT)),
            rule: rule_name.to_owned(),
            sentence: clip(&sentence, SENTENCE_LIMIT).into_owned(),
            facts,
            description: rule
                .description
                .as_deref()
                .filter(|_| about_one_rule)
                .map(|text| one_line(text, DESCRIPTION_LIMIT).into_owned()),
            links,
            footer: footer(alert, rule_name, about_one_event),
        }
    }
}

/// The title of the finding; that of a roll-up says that the call failed only if none of the repeats succeeded.
fn shown_title<'a>(alert: &Alert<'a>) -> Cow<'a, str> {
    match alert.kind {
        AlertKind::RollUp(sum) if sum.targets.any_succeeded() => alert.finding.title.as_str().into(),
        _ => alert.finding.shown_title(),
    }
}

/// `rule RTM-011, event 5f0c…, rules 0a1b2c, message 9e8d…`
fn footer(alert: &Alert<'_>, rule: &str, about_one_event: bool) -> String {
    let mut footer = format!("rule {rule}");
    if about_one_event {
        let event = alert.finding.call.event_id.as_deref().map_or_else(|| "none".to_owned(), inert);
        let _ = write!(footer, ", event {}", clip(&event, 64));
    }
    let _ = write!(footer, ", rules {}, message {}", alert.finding.rule.rules_digest, alert.key());
    footer
}

/// ` between 2026-01-10T11:32:44Z and 2026-01-10T11:47:02Z`
fn within(span: &TimeRange) -> String {
    match span.bounds() {
        ("", _) | (_, "") => String::new(),
        (first, last) if first == last => format!(" at {}", inert(first)),
        (first, last) => format!(" between {} and {}", inert(first), inert(last)),
    }
}

/// One line that shows what it says and in which nothing acts: no control characters, no secrets, no links. What is clipped,
/// is clipped after this, so that no part of a secret is left.
pub(super) fn inert(text: &str) -> String {
    defang(&redacted_text(&clean(head(text)))).into_owned()
}

/// The same for what holds no secret any more, since it was blanked when the record was read: a request, a title. Blanking
/// once more would take the end of a value for a secret.
pub(super) fn inert_redacted(text: &str) -> String {
    defang(&clean(head(text))).into_owned()
}

fn head(text: &str) -> &str {
    text.char_indices().nth(READ_LIMIT).map_or(text, |(at, _)| &text[..at])
}

/// One text of a record, made inert and clipped.
pub(super) fn short(text: &str) -> String {
    clip(&inert(text), FACT_LIMIT).into_owned()
}

/// The facts of a finding's call that a person acts on.
fn facts(finding: &Finding) -> Vec<(String, String)> {
    let call = &finding.call;
    let mfa = call.mfa.map(|mfa| if mfa { "yes" } else { "no" }.to_owned());
    shown(
        FACT_LIMIT,
        [
            ("Account", call.shown_account()),
            ("Unit", call.unit.clone()),
            ("Caller's account", call.shown_caller_account()),
            ("Region", call.region.clone()),
            ("Principal", call.arn.clone().or_else(|| call.actor.clone())),
            ("Source", call.source_ip.clone()),
            ("User agent", call.user_agent.clone()),
            ("MFA", mfa),
            ("Error", call.error.clone().or_else(|| call.error_message.clone())),
            ("Time (UTC)", call.event_time.clone()),
        ],
    )
}

fn roll_up_facts(finding: &Finding, sum: &RollUp) -> Vec<(String, String)> {
    let (first, last) = sum.span.bounds();
    shown(
        LIST_LIMIT,
        [
            ("Count", Some(count(sum.count))),
            ("Targets", Some(sum.targets.summary(LIST_LIMIT))),
            ("Actors", Some(sum.actors.summary())),
            ("Events", Some(sum.events.summary())),
            ("Account", finding.call.shown_account()),
            ("Region", finding.call.region.clone()),
            ("From (UTC)", Some(first.to_owned())),
            ("To (UTC)", Some(last.to_owned())),
        ],
    )
}

/// How many findings a sum is of.
fn count(count: u64) -> String {
    if count == 0 { "at least 1".to_owned() } else { count.to_string() }
}

fn digest_facts(sum: &AlertDigest) -> Vec<(String, String)> {
    let (first, last) = sum.span.bounds();
    let mut rules: Vec<_> = sum.rules.iter().collect();
    rules.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
    let mut rules: Vec<String> = rules.into_iter().map(|(rule, count)| format!("{rule} × {count}")).collect();
    if sum.others > 0 {
        rules.push(format!("other rules × {}", sum.others));
    }
    shown(
        LIST_LIMIT,
        [
            ("Count", Some(count(sum.count))),
            ("Targets", Some(sum.targets.summary(LIST_LIMIT))),
            ("Rules", Some(rules.join(", "))),
            ("From (UTC)", Some(first.to_owned())),
            ("To (UTC)", Some(last.to_owned())),
        ],
    )
}

/// The facts that have a value, each cleaned and clipped.
fn shown<const N: usize>(limit: usize, facts: [(&str, Option<String>); N]) -> Vec<(String, String)> {
    facts
        .into_iter()
        .filter_map(|(name, value)| {
            let value = clip(&inert(&value?), limit).into_owned();
            (!value.is_empty()).then(|| (name.to_owned(), value))
        })
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
        // https://docs.aws.eu/general/latest/gr/endpoints.html
        _ if region.starts_with("eusc-") => "console.amazonaws-eusc.eu",
        // Regions that are cut off from the internet: no page of AWS's says where their consoles are. A wrong link would take
        // the name of a region and an event to a host of another partition.
        _ if ["us-iso", "eu-iso"].iter().any(|prefix| region.starts_with(prefix)) => return None,
        _ => "console.aws.amazon.com",
    };
    Some(format!("https://{region}.{host}/cloudtrailv2/home?region={region}#/events/{id}"))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn a_link_leads_to_the_console_of_the_regions_own_partition_or_nowhere() {
        let link = |region: &str| {
            let mut finding = Finding::test(Arc::from("digest"), "2026-01-10T11:00:00Z".to_owned());
            (finding.call.region, finding.call.event_id) = (Some(region.to_owned()), Some("0a1b-2c".to_owned()));
            event_link(&finding)
        };
        for (region, host) in [
            ("eu-west-1", Some("console.aws.amazon.com")),
            ("us-gov-west-1", Some("console.amazonaws-us-gov.com")),
            ("cn-north-1", Some("console.amazonaws.cn")),
            ("eusc-de-east-1", Some("console.amazonaws-eusc.eu")),
            ("us-iso-east-1", None),
            ("us-isob-east-1", None),
            ("us-isof-south-1", None),
            ("eu-isoe-west-1", None),
        ] {
            let expected =
                host.map(|host| format!("https://{region}.{host}/cloudtrailv2/home?region={region}#/events/0a1b-2c"));
            assert_eq!(link(region), expected);
        }
    }
}
