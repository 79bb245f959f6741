//! Amazon SNS: email, SMS, and JSON for machines, in one publish.
//!
//! Limits: Amazon SNS API Reference, "Publish"; Amazon SNS Developer Guide, "Mobile text messaging".

use serde_json::json;

use super::alert::{Detail, MachineAlert, event_link, facts};
use super::{Body, Channel, Reply, Request, SnsMessage, Verdict};
use crate::finding::Finding;
use crate::rules::diagnostic::Problems;
use crate::rules::reader::{Fields, string};
use crate::secret::{ChannelCredentials, CredentialFault};
use crate::text::{clean, clip};

/// A subject is shorter than 100 characters.
const SUBJECT_LIMIT: usize = 99;
/// Characters of one SMS part, where all of them are in the GSM 03.38 basic set.
const SMS_LIMIT: usize = 160;
/// Bytes of a message: 262,144 with its attributes.
const MESSAGE_LIMIT: usize = 250_000;
/// Characters of a description in an email.
const DESCRIPTION_LIMIT: usize = 2000;
/// Characters of an attribute's value; filter policies match at most 256.
const ATTRIBUTE_LIMIT: usize = 256;

/// Publishes to a topic.
#[derive(Debug, Default)]
pub(super) struct Sns {
    /// The topic; none: the deployment's own.
    topic_arn: Option<String>,
}

pub(super) fn configure(fields: &mut Fields<'_>, problems: &mut Problems) -> Box<dyn Channel> {
    let topic_arn = fields.get("topic_arn").and_then(|node| {
        let arn = string(node, "topic_arn", problems)?;
        let parts: Vec<&str> = arn.split(':').collect();
        let is_topic = matches!(parts.as_slice(), ["arn", partition, "sns", region, account, name]
            if partition.starts_with("aws") && !region.is_empty() && account.len() == 12 && !name.is_empty());
        if !is_topic {
            let help = "write one such as arn:aws:sns:us-east-1:123456789012:offlimits, or leave it out for the stack's own topic";
            problems.error("bad-arn", &node.span, "\"topic_arn\" is not the ARN of a topic", help);
        }
        is_topic.then(|| arn.to_owned())
    });
    Box::new(Sns { topic_arn })
}

impl Channel for Sns {
    fn kind(&self) -> &'static str {
        "sns"
    }

    fn render(&self, finding: &Finding) -> Body {
        let message = Some(message(finding, Detail::Full))
            .filter(|message| message.len() <= MESSAGE_LIMIT)
            .unwrap_or_else(|| message(finding, Detail::Brief));
        let call = &finding.call;
        let attributes = [
            ("severity", Some(finding.severity.as_str())),
            ("rule", Some(finding.rule.id.as_str())),
            ("account", call.account.as_deref()),
            ("region", call.region.as_deref()),
            ("service", call.service.as_deref()),
            ("event", call.event.as_deref()),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, clip(&clean(value?), ATTRIBUTE_LIMIT).into_owned())))
        // SNS refuses an empty value.
        .filter(|(_, value)| !value.is_empty())
        .collect();
        Body::Sns(SnsMessage { subject: subject(finding), message, attributes })
    }

    fn request(&self, body: &Body, _: ChannelCredentials<'_>) -> Result<Request, CredentialFault> {
        match body {
            Body::Sns(message) => Ok(Request::Sns { topic_arn: self.topic_arn.clone(), message: message.clone() }),
            Body::Json(_) => Err(CredentialFault("the body is not for SNS".to_owned())),
        }
    }

    fn judge(&self, reply: &Reply) -> Verdict {
        match reply {
            Reply::Published(_) => Verdict::Delivered,
            Reply::SnsFault(code) => match code.as_str() {
                "InternalError"
                | "InternalFailure"
                | "ServiceUnavailable"
                | "KMSThrottling"
                | "KMSThrottlingException"
                | "Throttling"
                | "ThrottlingException"
                | "Throttled"
                | "RequestTimeout" => Verdict::Retry { after: None, reason: code.clone() },
                _ => Verdict::Rejected { reason: code.clone(), credential: false },
            },
            Reply::Http { status, .. } => Verdict::Rejected { reason: format!("HTTP {status}"), credential: false },
            Reply::Unreachable(reason) => Verdict::Retry { after: None, reason: (*reason).to_owned() },
        }
    }
}

/// A text for each protocol.
fn message(finding: &Finding, detail: Detail) -> String {
    let email = email(finding);
    let machine = json!(MachineAlert::of(finding, detail)).to_string();
    json!({
        "default": email,
        "email": email,
        "sms": sms(finding),
        "sqs": machine,
        "lambda": machine,
        "https": machine,
        "http": machine,
    })
    .to_string()
}

/// `[VERY HIGH] Unintended AWS API call: …`, in ASCII.
fn subject(finding: &Finding) -> String {
    let title = clean(&finding.title);
    ascii_clip(&format!("[{}] {title}", finding.severity.label()), SUBJECT_LIMIT, |c| c == ' ' || c.is_ascii_graphic())
}

/// One part: the basic GSM set without the characters that it escapes, which count twice.
fn sms(finding: &Finding) -> String {
    let text = format!("{} {}: {}", finding.severity.label(), finding.rule.id, clean(&finding.call.sentence));
    ascii_clip(&text, SMS_LIMIT, |c| (c == ' ' || c.is_ascii_graphic()) && !"[]{}|~^\\`".contains(c))
}

/// At most `limit` characters, three dots where something was cut off, `?` for what is not `allowed`.
fn ascii_clip(text: &str, limit: usize, allowed: impl Fn(char) -> bool) -> String {
    let text: String = text
        .chars()
        .map(|c| match c {
            '…' => '.',
            c if allowed(c) => c,
            '[' | '{' => '(',
            ']' | '}' => ')',
            _ => '?',
        })
        .collect();
    if text.len() <= limit { text } else { format!("{}...", &text[..limit - 3]) }
}

/// What a person reads at 3 a.m.
fn email(finding: &Finding) -> String {
    let Finding { rule, severity, title, call, .. } = finding;
    let mut parts = vec![format!("{}: {}\n\n{}.\n", severity.label(), clean(title), clean(&call.sentence))];
    let lines: Vec<String> = facts(finding).iter().map(|(name, value)| format!("{name:<11} {value}")).collect();
    parts.push(lines.join("\n") + "\n");
    if let Some(description) = &rule.description {
        parts.push(format!("Why it matters: {}\n", clip(&clean(description), DESCRIPTION_LIMIT)));
    }
    if let Some(runbook) = &rule.runbook {
        parts.push(format!("What to do: {runbook}\n"));
    }
    if let Some(link) = event_link(finding) {
        parts.push(format!("The event: {link}\n"));
    }
    let event = call.event_id.as_deref().map_or("none".into(), clean);
    let event = clip(&event, ATTRIBUTE_LIMIT);
    parts.push(format!("-- \nrule {}, event {event}, rules {}\n", rule.id, rule.rules_digest));
    parts.join("\n")
}
