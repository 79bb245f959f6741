//! Tells people that a channel is in trouble.
//!
//! Alerts that do not arrive must not do so in silence. When one is given up, or has been waiting for an hour, an alert about
//! offlimits itself goes to the deployment's own topic: at most once an hour for each channel, by a claim in the ledger. The
//! topic cannot tell of itself; the alarm on the dead-letter queue does.

use std::sync::atomic::Ordering;

use super::channel_worker::ChannelWorker;
use crate::alert::{Alert, AlertKind};
use crate::channel::{self, ChannelFilter, ConfiguredChannel, MAX_PER_MINUTE, Verdict};
use crate::deliver::{Transport, deliver};
use crate::finding::Finding;
use crate::handler::App;
use crate::ids::{FindingId, StableId};
use crate::ledger::{Claimed, DeliveryKey, OPERATIONAL, Store};
use crate::redelivery::Queues;
use crate::severity::Severity;

impl<T: Transport, S: Store, Q: Queues> ChannelWorker<'_, T, S, Q> {
    /// Tells people, on the topic, that this channel does not take alerts, and why. No fault of this makes the delivery fail.
    pub(super) async fn notify_operators(&self, reason: &str) {
        if self.channel.channel.kind() == "sns" && self.channel.channel.topic_arn().is_none() {
            return;
        }
        let App { rules, transport, tokens, ledger, .. } = self.app;
        let name = self.channel.name.as_str();
        let decision = match ledger.claim_operational(name, self.now(), self.lease()).await {
            Ok((decision, Claimed::Ours)) => decision,
            Ok(_) => return,
            // Once an hour cannot be kept without a ledger, and the alarm on dead letters tells too.
            Err(error) => return self.note_fault(&error, "nobody is told of a channel in trouble"),
        };
        let text = format!(
            "The channel \"{name}\" did not take an alert: {reason}. Others may follow; none is lost: see docs/dead-letters.md"
        );
        let finding = Finding {
            id: FindingId::from(StableId::from(decision.opener.clone())),
            severity: Severity::High,
            ..Finding::test(rules.digest().clone(), self.now().to_string())
        };
        let topic = own_topic();
        let kind = AlertKind::Operational(&text);
        let body = topic.channel.render(&Alert { finding: &finding, id: &decision.alert, kind, receipt: None });
        let key = DeliveryKey::new(&decision.opener, OPERATIONAL);
        let settled = match deliver(transport, tokens, &topic, &body, &decision.opener, self.deadline).await {
            Verdict::Delivered { .. } => {
                self.operational.fetch_add(1, Ordering::Relaxed);
                ledger.delivered(key, &decision, None, self.now()).await
            }
            verdict => {
                tracing::error!(channel = name, reason = %verdict, "nobody could be told of a channel in trouble");
                ledger.release(key, &decision, self.now()).await
            }
        };
        if let Err(error) = settled {
            self.note_fault(&error, "people may be told twice");
        }
    }
}

/// The deployment's own topic, as a channel.
fn own_topic() -> ConfiguredChannel {
    ConfiguredChannel {
        name: "topic".to_owned(),
        filter: ChannelFilter::default(),
        channel: channel::default(),
        max_per_minute: MAX_PER_MINUTE,
    }
}
