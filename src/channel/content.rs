//! What every channel says of an alert: the heading, the sentence, the facts that a person acts on, and the links.
//!
//! Texts are made inert and clipped here, once, and not yet escaped: that is for each channel, which knows its target.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::changes::{change_label, changes, named_calls, steps};
use super::inert::{inert, inert_redacted};
use super::{facts, links};
use crate::alert::{Alert, AlertKind, IncidentSum, TimeRange};
use crate::finding::Finding;
use crate::severity::Severity;
use crate::text::{clip, one_line};

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
    /// What stands before the changes: `Asked for` of a call that failed.
    pub change_label: Option<&'static str>,
    /// What the call changed, the most telling first: `inbound: tcp 22 from 0.0.0.0/0`.
    pub changes: Vec<String>,
    /// What to do first, in order: sentences, each with a command for a shell where there is one.
    pub steps: Vec<(String, Option<String>)>,
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
        let (title, sentence, mut facts) = match alert.kind {
            AlertKind::First | AlertKind::Test => (title.into_owned(), own, facts::of_call(alert.finding)),
            AlertKind::Repeat | AlertKind::News => (format!("Again: {title}"), own, facts::of_call(alert.finding)),
            AlertKind::RollUp(sum) if sum.count == 0 => (
                format!("{title}: and at least one more"),
                format!("At least one more like the first was held back, and its details are gone. The first: {own}"),
                facts::of_roll_up(alert.finding, sum),
            ),
            AlertKind::RollUp(sum) => (
                format!("{title}: and {} more", sum.count),
                format!("{} more like the first{}. The first: {own}", sum.count, within(&sum.span)),
                facts::of_roll_up(alert.finding, sum),
            ),
            AlertKind::Update(sum) => (
                format!(
                    "Incident {}: {} of {}. The first: {title}",
                    stands(sum),
                    findings(sum.all.count),
                    rules(sum.rules)
                ),
                format!(
                    "{} of {} {}{}{}. The first: {own}",
                    findings(sum.all.count),
                    rules(sum.rules),
                    stands(sum),
                    within(&sum.all.span),
                    sum.news.map(|news| format!(", {news} of them new")).unwrap_or_default(),
                ),
                facts::of_incident(alert.finding, sum),
            ),
            AlertKind::Digest(sum) if sum.count == 0 => (
                "At least one alert was held back".to_owned(),
                format!(
                    "More alerts came than people can read, and at least one was held back; its details are gone. One of them: {own}"
                ),
                facts::of_digest(alert.finding, sum),
            ),
            AlertKind::Digest(sum) => (
                format!("{} alerts in one: too many to send each", sum.count),
                format!(
                    "{} alerts came faster than people can read them{}; this message stands for all of them",
                    sum.count,
                    within(&sum.span)
                ),
                facts::of_digest(alert.finding, sum),
            ),
            AlertKind::Operational(text) => ("offlimits itself needs attention".to_owned(), inert(text), Vec::new()),
        };
        if let Some(silence) = alert.together.silence {
            facts.insert(0, facts::of_silence(silence));
        }
        if let Some(others) = facts::of_others(alert.together.also) {
            facts.insert(0, others);
        }
        let about_one_rule = alert.kind.is_about_events() || matches!(alert.kind, AlertKind::Test);
        let about_one_event = alert.kind.is_about_events();
        let is_update = matches!(alert.kind, AlertKind::Update(_));
        let links = [
            ("Runbook", rule.runbook.clone().filter(|_| about_one_rule)),
            ("Event in CloudTrail", links::event_link(alert.finding).filter(|_| about_one_event)),
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
            change_label: change_label(alert.finding, alert.kind),
            changes: match alert.kind {
                AlertKind::Update(sum) => named_calls(sum),
                _ if about_one_event => changes(alert.finding),
                _ => Vec::new(),
            },
            // The first message has said what to do first.
            steps: if about_one_event && !is_update { steps(alert.finding) } else { Vec::new() },
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

    /// The heading of [`Content::steps`].
    pub(super) const STEPS_LABEL: &'static str = "What to do first";

    /// What stands before [`Content::description`].
    pub(super) const WHY_LABEL: &'static str = "Why it matters";

    /// The whole alert in one line, for notifications: the heading, the sentence, and what changed.
    pub(super) fn summary(&self) -> String {
        let changes = self.changes_line();
        let parts = [Some(self.heading.as_str()), Some(&self.sentence), changes.as_deref()];
        parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
    }

    /// What `render` makes of it with texts of no more characters than the first of these limits with which it `fits`; if none does, with
    /// the last.
    pub(super) fn fitted<T, const N: usize>(
        &self,
        limits: [usize; N],
        render: impl Fn(&Self) -> T,
        fits: impl Fn(&T) -> bool,
    ) -> T {
        let mut last = None;
        for limit in limits {
            let rendered = render(&self.shortened(limit));
            if fits(&rendered) {
                return rendered;
            }
            last = Some(rendered);
        }
        last.unwrap_or_else(|| render(self))
    }

    /// The same with no text longer than `limit` characters, for a channel whose message would be too long. A command that is
    /// longer is left out.
    pub(super) fn shortened(&self, limit: usize) -> Self {
        let short = |text: &String| clip(text, limit).into_owned();
        let is_short = |command: &&String| command.chars().count() <= limit;
        Self {
            heading: short(&self.heading),
            sentence: short(&self.sentence),
            changes: self.changes.iter().map(short).collect(),
            steps: self
                .steps
                .iter()
                .map(|(text, command)| (short(text), command.as_ref().filter(is_short).cloned()))
                .collect(),
            facts: self.facts.iter().map(|(name, value)| (name.clone(), short(value))).collect(),
            description: self.description.as_ref().map(short),
            ..self.clone()
        }
    }

    /// What stands before the first change: `Asked for: `, or nothing.
    pub(super) fn before_changes(&self) -> String {
        self.change_label.map(|label| format!("{label}: ")).unwrap_or_default()
    }

    /// The changes in one line: `inbound: tcp 22 from 0.0.0.0/0; outbound: …`; none where there are none.
    pub(super) fn changes_line(&self) -> Option<String> {
        (!self.changes.is_empty()).then(|| self.before_changes() + &self.changes.join("; "))
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

/// How an incident stands, for the title of an update.
const fn stands(sum: &IncidentSum) -> &'static str {
    if sum.has_ended { "in all" } else { "so far" }
}

/// `1 finding`, `12 findings`
fn findings(count: u64) -> String {
    if count == 1 { "1 finding".to_owned() } else { format!("{count} findings") }
}

/// `1 rule`, `12 rules`
fn rules(count: usize) -> String {
    if count == 1 { "1 rule".to_owned() } else { format!("{count} rules") }
}

/// ` between 2026-01-10T11:32:44Z and 2026-01-10T11:47:02Z`
fn within(span: &TimeRange) -> String {
    match span.bounds() {
        ("", _) | (_, "") => String::new(),
        (first, last) if first == last => format!(" at {}", inert(first)),
        (first, last) => format!(" between {} and {}", inert(first), inert(last)),
    }
}
