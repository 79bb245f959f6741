//! Sends the test alert, and says what became of it.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::alert::{Alert, AlertKind};
use crate::aws::{FunctionSettings, LaptopTransport};
use crate::channel::{ConfiguredChannel, Verdict};
use crate::cli::stack_access::add_credentials;
use crate::deliver::{Errand, Patience, Tokens, Transport as _, deliver};
use crate::finding::Finding;
use crate::health::ChannelHealth;
use crate::ids::{AlertId, ClaimId};
use crate::secret::Credentials;
use crate::time::Timestamp;

/// What became of an alert, in words.
pub(super) struct Told {
    pub(super) verdict: String,
    /// What to do about it.
    pub(super) help: Option<String>,
    pub(super) is_delivered: bool,
}

/// Sends a marked alert to a channel, within so much time.
///
/// # Errors
/// It was not even tried, and why.
pub(super) fn send(
    channel: &ConfiguredChannel,
    rules_digest: &Arc<str>,
    credentials: Credentials,
    topic: Option<String>,
    time: Duration,
) -> Result<Told, String> {
    let mut settings = FunctionSettings::from_env();
    settings.topic_arn = topic;
    let kind = channel.channel.kind();
    if kind == "sns" {
        add_credentials(&mut settings)?;
    }
    let transport = LaptopTransport::new(settings, credentials);
    let finding = Finding::test(Arc::clone(rules_digest), Timestamp::from(transport.now()).to_string());
    let alert = AlertId::new(&finding.rule.id, &channel.name, &finding.id);
    let body = channel.channel.render(&Alert::alone(&finding, &alert, AlertKind::Test));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("cannot begin: {error}"))?;
    let id = ClaimId::from(&finding.id);
    let ending = runtime.block_on(async {
        let (deadline, patience) = (Instant::now() + time, Patience::UntilDeadline);
        let errand = Errand { channel, body: &body, id: &id, deadline, patience };
        deliver(&transport, &Tokens::default(), &ChannelHealth::default(), &errand).await
    });
    Ok(told(&ending.verdict, kind))
}

fn told(verdict: &Verdict, kind: &str) -> Told {
    let page = format!("docs/channels/{kind}.md");
    let help = match verdict {
        Verdict::Delivered { .. } => None,
        Verdict::Refused { .. } => Some(format!(
            "a credential, an address or a permission is not in order: see {page}. The function would keep alerts for a day, and say so \
             on its topic"
        )),
        Verdict::Rejected { .. } => Some(format!(
            "the message itself is not taken: look at the channel's own keys in rules.json, and at {page}. The function would put it \
             into the dead letters"
        )),
        Verdict::Retry { .. } => Some(
            "nobody took it, and it may pass: the function would try again for a day, and say so on its topic"
                .to_owned(),
        ),
    };
    let words = match verdict {
        Verdict::Delivered { receipt: Some(receipt) } => format!("delivered, as {receipt}"),
        Verdict::Retry { reason, .. } => format!("not delivered: {reason}"),
        other => other.to_string(),
    };
    Told { verdict: words, help, is_delivered: matches!(verdict, Verdict::Delivered { .. }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_verdict_is_said_with_its_remedy() {
        let reason = || "no_service".to_owned();
        let said = |verdict: Verdict| {
            let Told { verdict, help, is_delivered } = told(&verdict, "slack");
            (verdict, help.unwrap_or_default(), is_delivered)
        };
        let (verdict, help, is_delivered) = said(Verdict::Delivered { receipt: Some("1503.1".to_owned()) });
        assert_eq!((verdict.as_str(), help.as_str(), is_delivered), ("delivered, as 1503.1", "", true));
        let (verdict, help, is_delivered) = said(Verdict::Refused { reason: reason() });
        assert!(verdict == "refused: no_service" && help.contains("docs/channels/slack.md") && !is_delivered);
        let (verdict, help, _) = said(Verdict::Rejected { reason: reason() });
        assert!(verdict == "rejected: no_service" && help.contains("dead letters"));
        let (verdict, help, _) = said(Verdict::Retry { after: None, reason: "timeout".to_owned() });
        assert!(verdict == "not delivered: timeout" && help.contains("try again"));
    }
}
