//! Sends one message to one channel: until it has arrived, is rejected, or the time is up.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::channel::{Body, Channel, Reply, Request, Verdict};
use crate::secret::Credentials;

/// What is outside: the network, and the store of credentials.
pub trait Transport: Send + Sync {
    /// Sends a request. It gives up after `timeout` with [`Reply::Unreachable`], and never quotes the request.
    fn send(&self, request: Request, timeout: Duration) -> impl Future<Output = Reply> + Send;

    /// The channels' credentials: from memory, or read anew.
    ///
    /// # Errors
    /// Why they cannot be read, safe to log.
    fn credentials(&self, fresh: bool) -> impl Future<Output = Result<Arc<Credentials>, String>> + Send;
}

/// How a delivery ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It arrived.
    Delivered,
    /// It did not, for this reason, which is safe to log.
    Failed(String),
}

/// The longest that one attempt may take: a channel that hangs leaves time for another attempt.
const ATTEMPT: Duration = Duration::from_secs(5);
/// The first wait between attempts; it doubles.
const FIRST_WAIT: Duration = Duration::from_millis(200);
/// The longest wait that is not the vendor's own wish.
const LONGEST_WAIT: Duration = Duration::from_secs(4);

/// Sends `body` to a channel before `deadline`. `seed` spreads the waits of deliveries that fail together.
pub async fn deliver<T: Transport>(
    transport: &T,
    (name, channel): (&str, &dyn Channel),
    body: &Body,
    seed: u64,
    deadline: Instant,
) -> Outcome {
    let mut fresh = false;
    let mut wait = FIRST_WAIT;
    for attempt in 0_u64.. {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Outcome::Failed("no time was left".to_owned());
        }
        let request = match request(transport, (name, channel), body, fresh).await {
            Ok(request) => request,
            // The secret may have been filled in a moment ago.
            Err(_) if !fresh => {
                fresh = true;
                continue;
            }
            Err(reason) => return Outcome::Failed(reason),
        };
        let reply = transport.send(request, left.min(ATTEMPT)).await;
        let (after, reason) = match channel.judge(&reply) {
            Verdict::Delivered => return Outcome::Delivered,
            Verdict::Rejected { credential: true, reason } if !fresh => {
                tracing::warn!(channel = name, reason, "credential rejected: reading the secret again");
                fresh = true;
                continue;
            }
            Verdict::Rejected { reason, .. } => return Outcome::Failed(format!("rejected: {reason}")),
            Verdict::Retry { after, reason } => (after, reason),
        };
        let pause = after.unwrap_or_else(|| jitter(wait, seed.wrapping_add(attempt)));
        if Instant::now() + pause >= deadline {
            return Outcome::Failed(format!("time ran out after {} attempts: {reason}", attempt + 1));
        }
        tracing::warn!(channel = name, attempt, reason, "trying again");
        sleep(pause).await;
        wait = (wait * 2).min(LONGEST_WAIT);
    }
    Outcome::Failed("no time was left".to_owned())
}

async fn request<T: Transport>(
    transport: &T,
    (name, channel): (&str, &dyn Channel),
    body: &Body,
    fresh: bool,
) -> Result<Request, String> {
    // A channel that needs no credential must not wait for the store of them.
    if let Ok(request) = channel.request(body, Credentials::default().of(name)) {
        return Ok(request);
    }
    let credentials = transport.credentials(fresh).await?;
    channel.request(body, credentials.of(name)).map_err(|fault| fault.0)
}

/// Between half of the wait and all of it. Seeded, so that nothing here is random: what fails together differs by its seed.
fn jitter(wait: Duration, seed: u64) -> Duration {
    // SplitMix64's finaliser.
    let mut mixed = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed ^= mixed >> 27;
    wait / 2 + (wait / 2).mul_f64(f64::from((mixed >> 32) as u32) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::channel::SnsMessage;
    use crate::rules::RuleSet;

    /// Answers with the replies of a script, the last one for ever.
    struct Script {
        replies: Mutex<Vec<Reply>>,
        sent: Mutex<Vec<Instant>>,
        fresh_reads: Mutex<u32>,
    }

    impl Transport for Script {
        async fn send(&self, _: Request, _: Duration) -> Reply {
            self.sent.lock().unwrap().push(Instant::now());
            let mut replies = self.replies.lock().unwrap();
            if replies.len() > 1 { replies.remove(0) } else { replies[0].clone() }
        }
        async fn credentials(&self, fresh: bool) -> Result<Arc<Credentials>, String> {
            *self.fresh_reads.lock().unwrap() += u32::from(fresh);
            Ok(Arc::new(
                Credentials::parse(r#"{"soc":{"webhook_url":"https://hooks.slack.com/services/T/B/s3cret"}}"#).unwrap(),
            ))
        }
    }

    fn http(status: u16, seconds: Option<u64>, body: &str) -> Reply {
        Reply::Http { status, retry_after: seconds.map(Duration::from_secs), body: body.to_owned() }
    }

    async fn run(name: &str, replies: Vec<Reply>) -> (Outcome, Vec<u64>, u32) {
        let rules = RuleSet::compile(
            r#"{"channels":{"soc":{"type":"slack"},"bad":{"type":"slack"},"topic":{"type":"sns"}},
                "rules":[{"id":"r","title":"t","severity":"low","when":{"event":"x"}}]}"#,
        )
        .unwrap()
        .rules;
        let channel = &rules.channels().iter().find(|channel| channel.name == name).unwrap().channel;
        let body = match name {
            "topic" => Body::Sns(SnsMessage { subject: String::new(), message: String::new(), attributes: Vec::new() }),
            _ => Body::Json("{}".to_owned()),
        };
        let script = Script { replies: Mutex::new(replies), sent: Mutex::default(), fresh_reads: Mutex::default() };
        let start = Instant::now();
        let outcome = deliver(&script, (name, channel.as_ref()), &body, 7, start + Duration::from_secs(30)).await;
        let sent = script.sent.lock().unwrap().iter().map(|at| (*at - start).as_secs()).collect();
        let reads = *script.fresh_reads.lock().unwrap();
        (outcome, sent, reads)
    }

    #[tokio::test(start_paused = true)]
    async fn passing_faults_are_tried_again_and_the_vendors_wait_is_kept() {
        let replies = vec![http(429, Some(7), ""), Reply::Unreachable("timeout"), http(200, None, "ok")];
        assert_eq!(run("soc", replies).await, (Outcome::Delivered, vec![0, 7, 7], 0));
    }

    #[tokio::test(start_paused = true)]
    async fn a_rejection_is_final_and_quotes_no_secret() {
        let (outcome, sent, _) = run("soc", vec![http(400, None, "invalid_payload")]).await;
        assert_eq!((outcome, sent.len()), (Outcome::Failed("rejected: invalid_payload".to_owned()), 1));
        let (outcome, ..) = run("soc", vec![http(418, None, "https://hooks.slack.com/services/T/B/s3cret")]).await;
        assert_eq!(outcome, Outcome::Failed("rejected: HTTP 418".to_owned()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_rejected_credential_is_read_anew_once() {
        let (outcome, sent, reads) = run("soc", vec![http(403, None, "invalid_token"), http(200, None, "ok")]).await;
        assert_eq!((outcome, sent.len(), reads), (Outcome::Delivered, 2, 1));
        let (outcome, sent, reads) = run("soc", vec![http(404, None, "no_service")]).await;
        assert_eq!((outcome, sent.len(), reads), (Outcome::Failed("rejected: no_service".to_owned()), 2, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_missing_credential_fails_this_channel_alone() {
        let (outcome, sent, reads) = run("bad", vec![http(200, None, "ok")]).await;
        assert!(matches!(outcome, Outcome::Failed(reason) if reason.contains("\"bad\"")));
        assert_eq!((sent.len(), reads), (0, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn it_ends_before_the_deadline() {
        let (outcome, sent, _) = run("topic", vec![Reply::SnsFault("InternalError".to_owned())]).await;
        assert!(matches!(outcome, Outcome::Failed(reason) if reason.contains("InternalError")));
        assert!(sent.len() > 5 && sent.iter().all(|at| *at < 30), "{sent:?}");
        let (_, sent, _) = run("soc", vec![http(429, Some(3600), "")]).await;
        assert_eq!(sent.len(), 1);
    }
}
