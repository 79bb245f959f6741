//! Tells people that a channel is in trouble.
//!
//! Alerts that do not arrive must not do so in silence. When one is refused for a reason that somebody can mend, when one is given
//! up, or has been waiting for an hour, an alert about offlimits itself goes to the deployment's own topic: at most once an hour
//! for each channel, by a claim in the ledger; where the ledger does not answer, once an hour by each copy of the function. The
//! topic cannot tell of itself; the alarms on the queues do. What a sweep finds goes the same way.

use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::Instant;

use super::channel_worker::ChannelWorker;
use crate::alert::{Alert, AlertKind};
use crate::channel::{self, ChannelFilter, ConfiguredChannel, MAX_PER_MINUTE, Verdict};
use crate::deliver::{Errand, Patience, Transport, deliver};
use crate::finding::Finding;
use crate::handler::App;
use crate::ids::{FindingId, StableId};
use crate::ledger::{Claimed, Decision, DeliveryKey, OPERATIONAL, Store, operational_decision};
use crate::redelivery::Queues;
use crate::severity::Severity;
use crate::time::Timestamp;

/// The time that there always is to tell people.
const TELLING_TIME: Duration = Duration::from_secs(1);

impl<T: Transport, S: Store, Q: Queues> ChannelWorker<'_, T, S, Q> {
    /// Tells people, on the topic, that this channel does not take alerts, and why. No fault of this makes the delivery fail.
    pub(super) async fn notify_operators(&self, reason: &str) {
        if !self.is_gone && self.channel.channel.kind() == "sns" && self.channel.channel.topic_arn().is_none() {
            return;
        }
        let (ledger, name) = (self.ledger, self.channel.name.as_str());
        let decision = match ledger.claim_operational(name, self.now(), self.lease()).await {
            Ok((decision, Claimed::Ours)) => decision,
            Ok(_) => return,
            Err(error) => {
                self.note_fault(&error, "each copy of the function tells of a channel in trouble once an hour");
                if !self.app.health.begins_to_tell(name) {
                    return;
                }
                operational_decision(name, self.now())
            }
        };
        let text = format!(
            "The channel \"{name}\" did not take an alert: {reason}. Others may follow; none is lost: see docs/dead-letters.md"
        );
        let key = DeliveryKey::new(&decision.opener, OPERATIONAL);
        // The channel may have taken all the time that there was.
        let deadline = self.deadline.max((Instant::now() + TELLING_TIME).min(self.hand_over_deadline()));
        let settled = match publish_to_operators(self.app, &decision, &text, deadline).await {
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

/// Publishes an alert about offlimits itself to the deployment's own topic, and says how that went.
pub(in crate::handler) async fn publish_to_operators<T: Transport, S, Q>(
    app: &App<T, S, Q>,
    decision: &Decision,
    text: &str,
    deadline: Instant,
) -> Verdict {
    let App { rules, transport, tokens, health, .. } = app;
    let now = Timestamp::from(transport.now());
    let finding = Finding {
        id: FindingId::from(StableId::from(decision.opener.clone())),
        severity: Severity::High,
        ..Finding::test(rules.digest().clone(), now.to_string())
    };
    let topic = own_topic();
    let body = topic.channel.render(&Alert::alone(&finding, &decision.alert, AlertKind::Operational(text)));
    let (id, patience) = (&decision.opener, Patience::OneTimeout);
    let errand = Errand { channel: &topic, body: &body, id, deadline, patience };
    deliver(transport, tokens, health, &errand).await.verdict
}

/// The deployment's own topic, as a channel.
pub(super) fn own_topic() -> ConfiguredChannel {
    ConfiguredChannel {
        name: "topic".to_owned(),
        filter: ChannelFilter::default(),
        channel: channel::default(),
        max_per_minute: MAX_PER_MINUTE,
        incidents: None,
    }
}
