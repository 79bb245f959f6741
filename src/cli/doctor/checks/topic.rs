//! The topic: whether alerts and alarms can be published to it, and whether anybody hears them.

use serde_json::{Value, json};

use super::sms;
use crate::aws::ApiService;
use crate::cli::doctor::asker::text;
use crate::cli::doctor::check::Check;
use crate::cli::doctor::remedy::Remedy;
use crate::cli::doctor::report::{Notes, Told};
use crate::cli::doctor::stack::Stack;
use crate::ruleset::RuleSet;

pub(super) const CHECKS: &[&Check] = &[&MISSING, &KEY, &PENDING, &UNHEARD];

static MISSING: Check =
    Check { code: "topic-missing", summary: "The topic is gone.", asks: &["sns:GetTopicAttributes"] };

static KEY: Check = Check {
    code: "topic-key",
    summary: "The topic's key is disabled, or is going to be deleted: nothing can be published.",
    asks: &["kms:DescribeKey"],
};

static PENDING: Check = Check {
    code: "subscription-pending",
    summary: "Somebody was subscribed and has not confirmed: they hear nothing.",
    asks: &["sns:ListSubscriptionsByTopic"],
};

static UNHEARD: Check = Check {
    code: "topic-unheard",
    summary: "Nobody is subscribed to the topic, to which a channel or the alarms send.",
    asks: &["sns:ListSubscriptionsByTopic"],
};

/// Looks at the topic, and whom it reaches.
pub(in crate::cli::doctor) async fn look(stack: &Stack<'_>, rules: &RuleSet, notes: &mut Notes) {
    let (topic, region) = (stack.output("TopicArn"), stack.region());
    if topic.is_empty() {
        return;
    }
    let named = || vec![("TopicArn", topic.to_owned())];
    match notes.told(stack.asker.form(&ApiService::SNS, "GetTopicAttributes", named()).await) {
        Told::There(_) => {}
        Told::Missing => {
            notes.find(&MISSING, topic, "the topic is gone", Remedy::new().anew(stack.name, region));
            return;
        }
        Told::Unknown => return,
    }
    key(stack, notes).await;
    let asked = stack.asker.form_list(&ApiService::SNS, "ListSubscriptionsByTopic", named(), "Subscriptions").await;
    let Some(subscriptions) = notes.there(asked) else { return };
    for subscription in subscriptions.iter().filter(|subscription| is_pending(subscription)) {
        let (protocol, endpoint) = (text(subscription, "Protocol").unwrap_or_default(), endpoint(subscription));
        // An address of the web may hold a credential, and is not told.
        let remedy = match &endpoint {
            Some(endpoint) => {
                let words = ["sns", "subscribe", "--topic-arn", topic, "--protocol", protocol];
                Remedy::new().aws(region, words.into_iter().chain(["--notification-endpoint", endpoint]))
            }
            None => Remedy::new().aws(region, ["sns", "list-subscriptions-by-topic", "--topic-arn", topic]),
        };
        let whose = endpoint.as_deref().unwrap_or("an address");
        let message =
            format!("{whose} ({protocol}) has not confirmed its subscription; the command sends the question again");
        notes.find(&PENDING, topic, message, remedy);
    }
    let has_channel = rules.channels().iter().any(|channel| {
        channel.channel.kind() == "sns" && channel.channel.topic_arn().is_none_or(|named| named == topic)
    });
    if subscriptions.is_empty() && (has_channel || stack.parameter("AlarmTopicArn").is_empty()) {
        let remedy = Remedy::new().make("deploy", stack.name, region, "PARAMETERS=Email=you@example.com");
        notes.find(&UNHEARD, topic, "nobody is subscribed to the topic", remedy);
    }
    let numbers: Vec<&str> = subscriptions
        .iter()
        .filter(|subscription| text(subscription, "Protocol") == Some("sms") && !is_pending(subscription))
        .filter_map(|subscription| text(subscription, "Endpoint"))
        .collect();
    sms::look(stack, &numbers, notes).await;
}

async fn key(stack: &Stack<'_>, notes: &mut Notes) {
    let (key, region) = (stack.output("KeyArn"), stack.region());
    if key.is_empty() {
        return;
    }
    let asked = stack.asker.json(&ApiService::KMS, "DescribeKey", json!({"KeyId": key})).await;
    let state = match notes.told(asked) {
        Told::There(answer) => {
            answer.pointer("/KeyMetadata/KeyState").and_then(Value::as_str).unwrap_or_default().to_owned()
        }
        Told::Missing => "gone".to_owned(),
        Told::Unknown => return,
    };
    let enable = |remedy: Remedy| remedy.aws(region, ["kms", "enable-key", "--key-id", key]);
    let remedy = match state.as_str() {
        "Enabled" | "Updating" => return,
        "PendingDeletion" => enable(Remedy::new().aws(region, ["kms", "cancel-key-deletion", "--key-id", key])),
        "Disabled" => enable(Remedy::new()),
        _ => Remedy::new().anew(stack.name, region),
    };
    notes.find(&KEY, key, format!("the state of the topic's key is {state}"), remedy);
}

fn is_pending(subscription: &Value) -> bool {
    text(subscription, "SubscriptionArn") == Some("PendingConfirmation")
}

/// Where a subscription leads, if that holds no credential: an email address, a number, an ARN.
fn endpoint(subscription: &Value) -> Option<String> {
    let is_told = !matches!(text(subscription, "Protocol"), None | Some("http" | "https"));
    text(subscription, "Endpoint").filter(|_| is_told).map(str::to_owned)
}
