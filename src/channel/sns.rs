//! Amazon SNS: email, SMS, and JSON for machines, in one publish; chats by Amazon Q Developer, if it is asked for.
//!
//! Limits: <https://docs.aws.amazon.com/sns/latest/api/API_Publish.html> (subject, message) and
//! <https://docs.aws.amazon.com/sns/latest/dg/subscription-filter-policy-constraints.html> (attributes).

use serde_json::json;

use super::amazon_q;
use super::ascii::{ascii, cut};
use super::email::email;
use super::kind::object;
use super::sms::{self, sms};
use super::{
    Body, Channel, ChannelType, Content, Exchange, ExchangeStep, MachineAlert, Reply, Request, SnsMessage, Verdict,
};
use crate::alert::Alert;
use crate::config::{KeyDefault, KeySpec, TextFormat, ValueShape, WordList, docs};
use crate::secret::CredentialFault;
use crate::text::one_line;

/// A subject is shorter than 100 characters.
const SUBJECT_LIMIT: usize = 99;
/// Characters of an SMS: one part beside the stack's own display name, `OFFLIMITS> `.
const SMS_LENGTH: u16 = 149;
/// Bytes of a message: 262,144 with its attributes.
const MESSAGE_LIMIT: usize = 250_000;
/// Characters of an attribute's value; filter policies match at most 256.
const ATTRIBUTE_LIMIT: usize = 256;
/// Bytes of an email, which stands in a message beside the JSON. Only the sum of an incident with the longest of names has more.
const EMAIL_LIMIT: usize = 48_000;

/// Errors of SNS, of the key's service behind it, and of the road there, that pass by themselves.
const PASSING: [&str; 12] = [
    "InternalError",
    "InternalFailure",
    "InternalServerError",
    "ServiceUnavailable",
    "ServiceUnavailableException",
    "KMSThrottling",
    "KMSThrottlingException",
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "Throttled",
    "RequestTimeout",
];
/// Errors of SNS that blame the message. Any other, also one that nobody has documented, says that a permission, a key, a
/// credential or the topic is not in order.
const MALFORMED: [&str; 7] = [
    "InvalidParameter",
    "InvalidParameterValue",
    "InvalidParameterCombination",
    "ParameterValueInvalid",
    "MissingParameter",
    "ValidationError",
    "ValidationException",
];

/// A channel that publishes to a topic.
#[derive(Debug)]
pub(super) struct Sns {
    /// The topic; none: the deployment's own.
    topic_arn: Option<String>,
    /// Characters of an SMS.
    sms_length: u16,
    /// Whether HTTPS subscribers get a notification of Amazon Q Developer instead of the JSON for machines.
    is_for_amazon_q: bool,
}

impl Default for Sns {
    fn default() -> Self {
        Self { topic_arn: None, sms_length: SMS_LENGTH, is_for_amazon_q: false }
    }
}

const KEYS: &[KeySpec] = &[
    KeySpec::new("topic_arn", ValueShape::Formatted(&TOPIC), docs!("The topic, of any region."))
        .or(KeyDefault::Words(docs!("the stack's own topic"))),
    KeySpec::new(
        "sms_length",
        ValueShape::Whole { min: sms::LEAST, max: sms::PART },
        docs!("Characters of an SMS, so that it is one part beside the topic's display name: 158 less the characters of that name; 160 if the topic has none."),
    )
    .or(KeyDefault::Value("149")),
    KeySpec::new(
        "format",
        ValueShape::Word(&FORMATS),
        docs!("What HTTPS subscribers get: the same JSON as SQS and Lambda, or notifications of Amazon Q Developer in chat applications (`amazon-q`)."),
    )
    .or(KeyDefault::Value("json")),
];

static FORMATS: WordList = WordList { what: "format", listed: &["json", AMAZON_Q], understood: &[] };
/// The word for notifications of Amazon Q Developer.
const AMAZON_Q: &str = "amazon-q";

/// The type `sns`.
pub(super) static TYPE: ChannelType = ChannelType {
    summary: docs!("email, SMS, JSON for SQS, Lambda and HTTPS subscribers; Slack and Teams by Amazon Q Developer"),
    repeats: docs!("a message of its own (in chats in the first alert's thread); the roll-ups of one minute are one"),
    object: object("sns", docs!("Email, SMS and JSON by Amazon SNS."), KEYS),
    credentials: &[],
    configure: |fields, problems| {
        let topic_arn = fields.text("topic_arn", problems).map(str::to_owned);
        let sms_length = fields.whole("sms_length", problems).and_then(|length| u16::try_from(length).ok());
        let is_for_amazon_q = fields.word("format", problems) == Some(AMAZON_Q);
        Box::new(Sns { topic_arn, sms_length: sms_length.unwrap_or(SMS_LENGTH), is_for_amazon_q })
    },
};

static TOPIC: TextFormat = TextFormat {
    what: "ARN of a topic",
    code: "bad-arn",
    pattern: "^arn:aws[^:]*:sns:[^:]+:[^:]+:[^:]+$",
    max_characters: None,
    fits: |arn| {
        let parts: Vec<&str> = arn.split(':').collect();
        matches!(parts.as_slice(), ["arn", partition, "sns", region, account, name]
            if partition.starts_with("aws") && !region.is_empty() && account.len() == 12 && !name.is_empty())
    },
    remedy: |_| {
        "write one such as arn:aws:sns:us-east-1:123456789012:offlimits, or leave it out for the stack's own topic"
            .into()
    },
};

impl Channel for Sns {
    fn channel_type(&self) -> &'static ChannelType {
        &TYPE
    }

    fn tells_roll_ups_together(&self) -> bool {
        true
    }

    fn topic_arn(&self) -> Option<&str> {
        self.topic_arn.as_deref()
    }

    fn render(&self, alert: &Alert<'_>) -> Body {
        let content = Content::new(alert);
        let call = &alert.finding.call;
        let is_event = alert.kind.is_about_events();
        let of_call = |value: &Option<String>| value.clone().filter(|_| is_event);
        let attributes = [
            ("severity", Some(content.severity.as_str().to_owned())),
            ("kind", Some(alert.kind.as_str().to_owned())),
            ("rule", Some(content.rule.clone())),
            ("account", of_call(&call.account)),
            ("region", of_call(&call.region)),
            ("service", of_call(&call.service)),
            ("event", of_call(&call.event)),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), one_line(&value?, ATTRIBUTE_LIMIT).into_owned())))
        // SNS refuses an empty value.
        .filter(|(_, value)| !value.is_empty())
        .collect();
        let mut message = SnsMessage {
            subject: subject(&content),
            email: with_room(email(&content)),
            sms: sms(alert, &content, self.sms_length.into()),
            machine: String::new(),
            https: self.is_for_amazon_q.then(|| amazon_q::notification(alert, &content)),
            attributes,
        };
        message.machine = MachineAlert::fitting(alert, |machine| {
            machine.len() <= MESSAGE_LIMIT / 4
                && (fits_however_written(&message, machine) || {
                    let whole = SnsMessage { machine: machine.to_owned(), ..message.clone() };
                    published(&whole).len() <= MESSAGE_LIMIT
                        && serde_json::to_string(&Body::Sns(whole)).is_ok_and(|frozen| frozen.len() <= Body::LIMIT)
                })
        });
        Body::Sns(message)
    }

    fn next(&self, body: &Body, exchange: &Exchange<'_>) -> Result<ExchangeStep, CredentialFault> {
        let Body::Sns(message) = body else { return Ok(ExchangeStep::Judged(Verdict::foreign("the body"))) };
        Ok(match exchange.replies.last() {
            None => ExchangeStep::Send(Request::Sns {
                topic_arn: self.topic_arn.clone(),
                subject: message.subject.clone(),
                message: published(message),
                attributes: message.attributes.clone(),
            }),
            Some(reply) => ExchangeStep::Judged(judge(reply)),
        })
    }
}

fn judge(reply: &Reply) -> Verdict {
    match reply {
        Reply::Published(_) => Verdict::Delivered { receipt: None },
        Reply::SnsFault(code) if PASSING.contains(&code.as_str()) => {
            Verdict::Retry { after: None, reason: code.clone() }
        }
        Reply::SnsFault(code) if MALFORMED.contains(&code.as_str()) => Verdict::Rejected { reason: code.clone() },
        Reply::SnsFault(code) => Verdict::Refused { reason: code.clone() },
        Reply::Unreachable(reason) => Verdict::Retry { after: None, reason: (*reason).to_owned() },
        Reply::Http { .. } => Verdict::foreign("the reply"),
    }
}

/// The whole lines of an email that there is room for.
fn with_room(mut email: String) -> String {
    if email.len() > EMAIL_LIMIT {
        let end = email.floor_char_boundary(EMAIL_LIMIT);
        email.truncate(email[..end].rfind('\n').unwrap_or(end));
        email.push_str("\n… (the rest is left out: it is too long for SNS)\n");
    }
    email
}

/// Whether a message with this JSON for machines fits even if every byte of it were one that JSON writes as six (`\u001f`): most
/// alerts are so small that nobody has to write them to know.
fn fits_however_written(message: &SnsMessage, machine: &str) -> bool {
    const LONGEST_ESCAPE: usize = 6;
    /// Names of keys, quotes, and the like.
    const BESIDE: usize = 2_000;
    let https = message.https.as_ref().map_or(0, String::len);
    let attributes = message.attributes.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>();
    let once = message.subject.len() + message.email.len() + message.sms.len() + machine.len() + https + attributes;
    let published = once + 3 * machine.len();
    LONGEST_ESCAPE * published + BESIDE <= MESSAGE_LIMIT && LONGEST_ESCAPE * once + BESIDE <= Body::LIMIT
}

/// A text for each protocol that gets one of its own; email and all others get `default`.
/// <https://docs.aws.amazon.com/sns/latest/dg/sns-send-custom-platform-specific-payloads-mobile-devices.html>
fn published(message: &SnsMessage) -> String {
    // Each is written once, however often it stands there.
    let [email, sms, machine] = [&message.email, &message.sms, &message.machine].map(|text| json!(text).to_string());
    let https = message.https.as_ref().map(|text| json!(text).to_string());
    let https = https.as_ref().unwrap_or(&machine);
    format!(r#"{{"default":{email},"http":{machine},"https":{https},"lambda":{machine},"sms":{sms},"sqs":{machine}}}"#)
}

/// `[VERY HIGH] Unintended AWS API call: …`, in ASCII.
fn subject(content: &Content) -> String {
    let label = content.severity.label();
    let title = content.heading.strip_prefix(label).and_then(|rest| rest.strip_prefix(": "));
    let text = format!("[{label}] {}", title.unwrap_or(&content.heading));
    cut(&ascii(&text), SUBJECT_LIMIT)
}
