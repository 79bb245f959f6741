//! The topic: whether alerts and alarms can be published to it, and whether anybody hears them.

use std::collections::BTreeSet;

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

static MISSING: Check = Check {
    code: "topic-missing",
    summary: "A topic that alerts or alarms are sent to is gone.",
    asks: &["sns:GetTopicAttributes"],
};

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
    summary: "Nobody is subscribed to a topic, to which a channel of the rules or the alarms send.",
    asks: &["sns:ListSubscriptionsByTopic"],
};

/// A topic, and who sends to it.
#[derive(Debug, Clone, Copy)]
struct Topic<'t> {
    arn: &'t str,
    /// Whether the stack has made it.
    is_own: bool,
    /// Whether a channel of the rules or an alarm sends to it.
    is_used: bool,
}

/// Looks at the stack's topic and at the others that the rules and the alarms send to, and at whom they reach.
pub(in crate::cli::doctor) async fn look(stack: &Stack<'_>, rules: &RuleSet, notes: &mut Notes) {
    let own = stack.output("TopicArn");
    let channels = || rules.channels().iter().filter(|channel| channel.channel.kind() == "sns");
    let named = channels().filter_map(|channel| channel.channel.topic_arn());
    let has_default = channels().any(|channel| channel.channel.topic_arn().is_none_or(|named| named == own));
    let second = stack.parameter("AlarmTopicArn");
    // Another account's topic tells nobody else who is subscribed.
    let is_ours = |arn: &&str| *arn != own && arn.split(':').nth(4) == Some(&stack.account);
    let others: BTreeSet<&str> = named.chain([second]).filter(is_ours).collect();
    let own = Topic { arn: own, is_own: true, is_used: has_default || second.is_empty() };
    let others = others.into_iter().map(|arn| Topic { arn, is_own: false, is_used: true });
    for topic in [own].into_iter().chain(others).filter(|topic| !topic.arn.is_empty()) {
        look_at(stack, topic, notes).await;
    }
}

async fn look_at(stack: &Stack<'_>, topic: Topic<'_>, notes: &mut Notes) {
    let Topic { arn, is_own, is_used } = topic;
    // A topic of the rules' may be in another region.
    let region = arn.split(':').nth(3).unwrap_or(stack.region());
    let asker = stack.asker.in_region(region);
    let named = || vec![("TopicArn", arn.to_owned())];
    match notes.told(asker.form(&ApiService::SNS, "GetTopicAttributes", named()).await) {
        Told::There(_) => {}
        Told::Missing => {
            let name = arn.rsplit(':').next().unwrap_or_default();
            let remedy = if is_own {
                Remedy::new().anew(stack.name, region)
            } else {
                Remedy::new().aws(region, ["sns", "create-topic", "--name", name])
            };
            notes.find(&MISSING, arn, "the topic is gone", remedy);
            return;
        }
        Told::Unknown => return,
    }
    if is_own {
        key(stack, notes).await;
    }
    let asked = asker.form_list(&ApiService::SNS, "ListSubscriptionsByTopic", named(), "Subscriptions").await;
    let Some(subscriptions) = notes.there(asked) else { return };
    let pending: Vec<&Value> = subscriptions.iter().filter(|subscription| is_pending(subscription)).collect();
    let confirmed: Vec<&Value> = subscriptions.iter().filter(|subscription| is_confirmed(subscription)).collect();
    for subscription in &pending {
        let (protocol, endpoint) = (text(subscription, "Protocol").unwrap_or_default(), endpoint(subscription));
        // An address of the web may hold a credential, and is not told.
        let remedy = match &endpoint {
            Some(endpoint) => {
                let words = ["sns", "subscribe", "--topic-arn", arn, "--protocol", protocol];
                Remedy::new().aws(region, words.into_iter().chain(["--notification-endpoint", endpoint]))
            }
            None => Remedy::new().aws(region, ["sns", "list-subscriptions-by-topic", "--topic-arn", arn]),
        };
        let whose = endpoint.as_deref().unwrap_or("an address");
        let message =
            format!("{whose} ({protocol}) has not confirmed its subscription; the command sends the question again");
        notes.find(&PENDING, arn, message, remedy);
    }
    if confirmed.is_empty() && pending.is_empty() && is_used {
        let words = ["sns", "subscribe", "--topic-arn", arn, "--protocol", "email"];
        let whom = ["--notification-endpoint", "you@example.com"];
        let remedy = if is_own {
            Remedy::new().make("deploy", stack.name, region, "PARAMETERS=Email=you@example.com")
        } else {
            Remedy::new().aws(region, words.into_iter().chain(whom))
        };
        notes.find(&UNHEARD, arn, "nobody is subscribed to the topic", remedy);
    }
    let numbers: Vec<&str> = confirmed
        .iter()
        .filter(|subscription| text(subscription, "Protocol") == Some("sms"))
        .filter_map(|subscription| text(subscription, "Endpoint"))
        .collect();
    sms::look(asker, &numbers, notes).await;
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

/// Whether it hears. Of one that does not, or is gone, the ARN is a word.
fn is_confirmed(subscription: &Value) -> bool {
    text(subscription, "SubscriptionArn").is_some_and(|arn| arn.starts_with("arn:"))
}

/// Where a subscription leads, if that holds no credential: an email address, a number, an ARN.
fn endpoint(subscription: &Value) -> Option<String> {
    let is_told = !matches!(text(subscription, "Protocol"), None | Some("http" | "https"));
    text(subscription, "Endpoint").filter(|_| is_told).map(str::to_owned)
}
