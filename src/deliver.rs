//! Sends one message to one channel: until it has arrived, is rejected, or the time is up.
//!
//! A channel says of its vendor's replies what they mean ([`Verdict`]), and knows no time. Here is the time: a verdict that asks
//! for another try is followed by a wait, which doubles from attempt to attempt and is never shorter than the vendor's
//! `Retry-After`, and by another exchange, as long as that can begin before the deadline. A refused credential is read anew,
//! once: it may have been rotated a moment ago. The last verdict is what the caller gets.
//!
//! A vendor that answers is followed to the deadline, however slow it is. One that does not answer costs a request of five
//! seconds, which opens the channel's breaker ([`ChannelHealth`]); who can wait in a queue gives up then ([`Patience`]).

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::time::{Instant, sleep};

use crate::channel::ConfiguredChannel;
use crate::channel::{Body, Exchange, ExchangeStep, Reply, Request, Token, Verdict, leads_inside};
use crate::cloudtrail::event_rule::EventRuleFound;
use crate::health::ChannelHealth;
use crate::ids::{ClaimId, spread};
use crate::secret::{Credentials, CredentialsError, Secret};

/// The way to what is outside the program: the network, the store of credentials and the clock. In production it is
/// `AwsTransport` (`aws/transport.rs`).
pub trait Transport: Send + Sync {
    /// Sends a request. It gives up after `timeout` with [`Reply::Unreachable`], and never quotes the request.
    fn send(&self, request: Request, timeout: Duration) -> impl Future<Output = Reply> + Send;

    /// The channels' credentials: from memory, or read anew if `fresh`.
    ///
    /// # Errors
    /// Why they cannot be had, safe to log.
    fn credentials(&self, fresh: bool) -> impl Future<Output = Result<Arc<Credentials>, CredentialsError>> + Send;

    /// The time of day. Signatures hold it, and the ledger counts by it.
    fn now(&self) -> SystemTime;

    /// Whether the deployment lets requests go to this machine and into private networks.
    fn may_go_inside(&self) -> bool {
        true
    }

    /// The EventBridge rules of these ARNs, in their order: `None` in the place of one that is gone, and an error (safe to log) where
    /// EventBridge does not tell. `None` altogether where there is nobody to ask.
    fn event_rules(
        &self,
        _arns: &[String],
    ) -> impl Future<Output = Option<Vec<Result<Option<EventRuleFound>, String>>>> + Send {
        std::future::ready(None)
    }
}

/// The longest that one request may take: a channel that hangs leaves time for another attempt. Each request in vain gives the
/// next one so much more, for a vendor may just be slower than that.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);
/// The first wait between attempts; it doubles.
const INITIAL_BACKOFF: Duration = Duration::from_millis(200);
/// The longest wait between attempts that no vendor has asked for.
const MAX_BACKOFF: Duration = Duration::from_secs(4);
/// The longest wait that a vendor may ask for with `Retry-After`.
const MAX_RETRY_AFTER: Duration = Duration::from_hours(1);
/// The requests of one exchange: a token, a search, what they lead to, and as many again. A vendor that asks for more leads us
/// in a circle.
const MAX_REQUESTS_PER_EXCHANGE: usize = 8;

/// What is to be delivered, where, and by when.
#[derive(Debug, Clone, Copy)]
pub struct Errand<'a> {
    /// The channel.
    pub channel: &'a ConfiguredChannel,
    /// The message.
    pub body: &'a Body,
    /// The delivery's id: the waits of deliveries that fail together differ by it.
    pub id: &'a ClaimId,
    /// When every attempt must have ended.
    pub deadline: Instant,
    /// When to give up before that.
    pub patience: Patience,
}

/// When to give up before the deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// At the first request that is not answered in time: what is to be delivered can wait in a queue.
    OneTimeout,
    /// Never.
    UntilDeadline,
}

/// How an errand ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    /// The last verdict: [`Verdict::Retry`] if the time ran out.
    pub verdict: Verdict,
    /// Whether it was tried at all. If not, there was no time for even one request, and it does not count as an attempt.
    pub is_attempt: bool,
}

impl Ending {
    /// The end of what was not even begun.
    pub fn untried(reason: &str) -> Self {
        Self { verdict: Verdict::Retry { after: None, reason: reason.to_owned() }, is_attempt: false }
    }
}

/// Delivers a message before the deadline.
pub async fn deliver<T: Transport>(
    transport: &T,
    tokens: &Tokens,
    health: &ChannelHealth,
    errand: &Errand<'_>,
) -> Ending {
    let Errand { channel, id, deadline, patience, .. } = *errand;
    let name = channel.name.as_str();
    let tried = |verdict| Ending { verdict, is_attempt: true };
    let unread = |error: &CredentialsError| tried(unread(error));
    let (mut is_read_anew, mut backoff, mut attempts, mut timeouts) = (false, INITIAL_BACKOFF, 0_u32, 0_u32);
    let mut credentials = match credentials(transport, channel, false).await {
        Ok(credentials) => credentials,
        Err(error) => return unread(&error),
    };
    loop {
        attempts += 1;
        let end = exchange(transport, tokens, health, errand, &credentials, REQUEST_TIMEOUT * (timeouts + 1)).await;
        if end.is_out_of_time && attempts == 1 {
            return Ending { verdict: end.verdict, is_attempt: false };
        }
        let (after, reason) = match end.verdict {
            // The secret may have been rotated, or filled in, a moment ago.
            Verdict::Refused { reason } if !is_read_anew && channel.channel.needs_credentials() => {
                tracing::warn!(channel = name, reason, "refused: reading the secret again");
                tokens.forget(name);
                is_read_anew = true;
                match self::credentials(transport, channel, true).await {
                    Ok(anew) => credentials = anew,
                    Err(error) => return unread(&error),
                }
                continue;
            }
            Verdict::Retry { after, reason } => (after, reason),
            last => return tried(last),
        };
        timeouts += u32::from(end.is_timeout);
        // A vendor's `Retry-After: 0` does not permit us to storm it, and one of a century is no reason to wait that long.
        let after = after.map(|after| after.min(MAX_RETRY_AFTER));
        if end.is_timeout && patience == Patience::OneTimeout {
            return tried(Verdict::Retry { after, reason });
        }
        let pause = jittered(backoff, spread(id.as_str(), attempts)).max(after.unwrap_or_default());
        if pause >= deadline.saturating_duration_since(Instant::now()) {
            let reason = format!("time ran out after {attempts} attempts: {reason}");
            return tried(Verdict::Retry { after, reason });
        }
        tracing::warn!(channel = name, attempt = attempts, reason, "trying again");
        sleep(pause).await;
        backoff = (backoff * 2).min(MAX_BACKOFF);
    }
}

/// The verdict where the credentials cannot be had. A store that does not answer may do so in a moment; anything else is for
/// people to mend.
fn unread(error: &CredentialsError) -> Verdict {
    let reason = error.to_string();
    match error {
        CredentialsError::NoAnswer { .. } => Verdict::Retry { after: None, reason },
        _ => Verdict::Refused { reason },
    }
}

/// Between half of a wait and all of it: `spread` is from 0 to 1.
fn jittered(wait: Duration, spread: f64) -> Duration {
    wait.mul_f64(0.5 + 0.5 * spread.clamp(0.0, 1.0))
}

/// How one attempt ended.
struct ExchangeEnd {
    verdict: Verdict,
    /// Whether its last request was not answered in time.
    is_timeout: bool,
    /// Whether there was no time for its next request.
    is_out_of_time: bool,
}

/// Makes one attempt: it sends all the requests that the channel asks for, one after the other, until the channel has a verdict.
async fn exchange<T: Transport>(
    transport: &T,
    tokens: &Tokens,
    health: &ChannelHealth,
    errand: &Errand<'_>,
    credentials: &Credentials,
    timeout: Duration,
) -> ExchangeEnd {
    let Errand { channel, body, deadline, .. } = *errand;
    let name = channel.name.as_str();
    let mut token = tokens.get(name);
    let mut replies = Vec::new();
    let (mut sent, mut is_timeout) = (0, false);
    let mut is_out_of_time = false;
    let verdict = loop {
        let now = transport.now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
        let so_far =
            Exchange { credentials: credentials.for_channel(name), token: token.as_ref(), replies: &replies, now };
        match channel.channel.next(body, &so_far) {
            Err(fault) => break Verdict::Refused { reason: fault.0 },
            Ok(ExchangeStep::Judged(verdict)) => break verdict,
            Ok(ExchangeStep::Token(fresh)) => {
                token = Some(fresh.secret.clone());
                tokens.keep(name, fresh);
                replies.clear();
            }
            Ok(ExchangeStep::Send(_)) if sent == MAX_REQUESTS_PER_EXCHANGE => {
                break Verdict::Rejected { reason: "the exchange does not end".to_owned() };
            }
            Ok(ExchangeStep::Send(Request::Http(request)))
                if !transport.may_go_inside() && leads_inside(request.url.expose()) =>
            {
                let reason = "the URL leads to this machine or into a private network: see PrivateEndpoints".to_owned();
                break Verdict::Refused { reason };
            }
            Ok(ExchangeStep::Send(request)) => {
                let left = deadline.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    is_out_of_time = sent == 0;
                    break Verdict::Retry { after: None, reason: "no time was left".to_owned() };
                }
                sent += 1;
                let reply = transport.send(request, left.min(timeout)).await;
                is_timeout = reply == Reply::TIMEOUT;
                match &reply {
                    // What the deadline cut short says nothing of the channel.
                    Reply::Unreachable(_) if !is_timeout || left < REQUEST_TIMEOUT => {}
                    Reply::Unreachable(_) => health.note_timeout(name),
                    _ => health.note_answer(name),
                }
                replies.push(reply);
            }
        }
    };
    ExchangeEnd { verdict, is_timeout, is_out_of_time }
}

/// Gets the credentials, if the channel needs any. A channel that needs none does not wait for the store of credentials.
async fn credentials<T: Transport>(
    transport: &T,
    channel: &ConfiguredChannel,
    fresh: bool,
) -> Result<Arc<Credentials>, CredentialsError> {
    if channel.channel.needs_credentials() { transport.credentials(fresh).await } else { Ok(Arc::default()) }
}

/// The access tokens of the channels that use OAuth, each kept until it expires. They live as long as the process.
#[derive(Debug, Default)]
pub struct Tokens(Mutex<HashMap<String, (Secret, Instant)>>);

impl Tokens {
    fn get(&self, channel: &str) -> Option<Secret> {
        let now = Instant::now();
        self.lock().get(channel).filter(|(_, end)| now < *end).map(|(secret, _)| secret.clone())
    }

    /// Keeps a token for less than its life: what is sent with it must arrive in time, and clocks differ.
    fn keep(&self, channel: &str, token: Token) {
        const MARGIN: Duration = Duration::from_mins(1);
        // A day is enough; and a lifetime of centuries would not fit into an instant.
        let life = token.lifetime.min(Duration::from_hours(24));
        let kept = life.saturating_sub(MARGIN).max(life / 2);
        self.lock().insert(channel.to_owned(), (token.secret, Instant::now() + kept));
    }

    fn forget(&self, channel: &str) {
        self.lock().remove(channel);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, (Secret, Instant)>> {
        // No code that holds the lock can panic.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::alert::{Alert, AlertKind};
    use crate::finding::Finding;
    use crate::ids::AlertId;
    use crate::ruleset::RuleSet;

    /// Answers with the replies of a script, the last one for ever.
    struct Script {
        replies: Mutex<Vec<Reply>>,
        /// How long an answer takes. What takes longer than there is patience is no answer.
        takes: Duration,
        sent: Mutex<Vec<Instant>>,
        fresh_reads: Mutex<u32>,
    }

    impl Transport for Script {
        async fn send(&self, _: Request, timeout: Duration) -> Reply {
            self.sent.lock().unwrap().push(Instant::now());
            sleep(self.takes.min(timeout)).await;
            if self.takes > timeout {
                return Reply::TIMEOUT;
            }
            let mut replies = self.replies.lock().unwrap();
            if replies.len() > 1 { replies.remove(0) } else { replies[0].clone() }
        }
        async fn credentials(&self, fresh: bool) -> Result<Arc<Credentials>, CredentialsError> {
            *self.fresh_reads.lock().unwrap() += u32::from(fresh);
            Ok(Arc::new(
                Credentials::parse(
                    r#"{"soc":{"webhook_url":"https://hooks.slack.com/services/T/B/s3cret"},
                        "desk":{"client_id":"i","client_secret":"s"}}"#,
                )
                .unwrap(),
            ))
        }
        fn now(&self) -> SystemTime {
            SystemTime::UNIX_EPOCH
        }
    }

    fn http(status: u16, seconds: Option<u64>, body: &str) -> Reply {
        Reply::Http { status, retry_after: seconds.map(Duration::from_secs), body: body.to_owned() }
    }

    fn rejected(reason: &str) -> Verdict {
        Verdict::Rejected { reason: reason.to_owned() }
    }

    fn refused(reason: &str) -> Verdict {
        Verdict::Refused { reason: reason.to_owned() }
    }

    async fn run(name: &str, replies: Vec<Reply>) -> (Verdict, Vec<u64>, u32) {
        run_with(name, replies, &Tokens::default()).await
    }

    /// The verdict, when each request was sent (in seconds), and how often the secret was read anew.
    async fn run_with(name: &str, replies: Vec<Reply>, tokens: &Tokens) -> (Verdict, Vec<u64>, u32) {
        let health = ChannelHealth::default();
        let (ending, sent, reads) =
            run_slowly(name, replies, Duration::ZERO, (tokens, &health), Patience::UntilDeadline).await;
        assert!(ending.is_attempt && !health.is_open(name));
        (ending.verdict, sent, reads)
    }

    async fn run_slowly(
        name: &str,
        replies: Vec<Reply>,
        takes: Duration,
        (tokens, health): (&Tokens, &ChannelHealth),
        patience: Patience,
    ) -> (Ending, Vec<u64>, u32) {
        let rules = RuleSet::compile(
            r#"{"channels":{"soc":{"type":"slack"},"bad":{"type":"slack"},"topic":{"type":"sns"},"desk":{"type":"zendesk","subdomain":"a"}},
                "rules":[{"id":"r","title":"t","severity":"low","when":{"event":"x"}}]}"#,
        )
        .unwrap()
        .rules;
        let channel = rules.channels().iter().find(|channel| channel.name == name).unwrap();
        let finding = Finding::test(rules.digest().clone(), "2026-01-10T11:32:44Z".to_owned());
        let id = AlertId::new("r", "", &finding.id);
        let body = channel.channel.render(&Alert::alone(&finding, &id, AlertKind::First));
        let (replies, id) = (Mutex::new(replies), ClaimId::from(&finding.id));
        let script = Script { replies, takes, sent: Mutex::default(), fresh_reads: Mutex::default() };
        let start = Instant::now();
        let errand = Errand { channel, body: &body, id: &id, deadline: start + Duration::from_secs(30), patience };
        let ending = deliver(&script, tokens, health, &errand).await;
        let sent = script.sent.lock().unwrap().iter().map(|at| (*at - start).as_secs()).collect();
        let reads = *script.fresh_reads.lock().unwrap();
        (ending, sent, reads)
    }

    /// A ticket that is opened: a token, a search, and the ticket.
    fn ticket() -> Vec<Reply> {
        let token = http(200, None, r#"{"access_token":"t","expires_in":600}"#);
        vec![token, http(200, None, r#"{"tickets":[]}"#), http(201, None, r#"{"ticket":{"id":1}}"#)]
    }

    #[tokio::test(start_paused = true)]
    async fn a_vendor_that_answers_slowly_is_followed_and_its_breaker_stays_closed() {
        for patience in [Patience::OneTimeout, Patience::UntilDeadline] {
            let (tokens, health) = (Tokens::default(), ChannelHealth::default());
            let wait = Duration::from_secs(3);
            let (ending, sent, _) = run_slowly("desk", ticket(), wait, (&tokens, &health), patience).await;
            assert_eq!((ending.verdict, sent), (Verdict::Delivered { receipt: Some("1".to_owned()) }, vec![0, 3, 6]));
            assert!(!health.is_open("desk"), "{patience:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_is_reset_is_made_anew() {
        for patience in [Patience::OneTimeout, Patience::UntilDeadline] {
            let mut replies = vec![Reply::Unreachable("the connection broke")];
            replies.extend(ticket());
            let (tokens, health) = (Tokens::default(), ChannelHealth::default());
            let (ending, sent, _) = run_slowly("desk", replies, Duration::ZERO, (&tokens, &health), patience).await;
            assert_eq!((ending.verdict, sent.len()), (Verdict::Delivered { receipt: Some("1".to_owned()) }, 4));
            assert!(!health.is_open("desk"), "{patience:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_vendor_that_hangs_costs_one_request_or_has_the_whole_deadline_with_more_time_each_time() {
        let (tokens, health) = (Tokens::default(), ChannelHealth::default());
        let never = Duration::from_hours(1);
        let (ending, sent, _) = run_slowly("soc", ticket(), never, (&tokens, &health), Patience::OneTimeout).await;
        assert_eq!((ending.verdict, sent), (Verdict::Retry { after: None, reason: "timeout".to_owned() }, vec![0]));
        assert!(ending.is_attempt && health.is_open("soc"));
        let (ending, sent, _) = run_slowly("soc", ticket(), never, (&tokens, &health), Patience::UntilDeadline).await;
        assert!(matches!(ending.verdict, Verdict::Retry { .. }));
        assert_eq!(sent, [0, 5, 15]);
        // Eight seconds an answer: the second request has the time for it, and closes the breaker.
        let slow = Duration::from_secs(8);
        let replies = vec![http(200, None, "ok")];
        let (ending, sent, _) = run_slowly("soc", replies, slow, (&tokens, &health), Patience::UntilDeadline).await;
        assert_eq!((ending.verdict, sent), (Verdict::Delivered { receipt: None }, vec![0, 5]));
        assert!(!health.is_open("soc"));
    }

    #[tokio::test(start_paused = true)]
    async fn passing_faults_are_tried_again_and_the_vendors_wait_is_kept() {
        let replies = vec![http(429, Some(7), ""), Reply::Unreachable("timeout"), http(200, None, "ok")];
        assert_eq!(run("soc", replies).await, (Verdict::Delivered { receipt: None }, vec![0, 7, 7], 0));
    }

    #[tokio::test(start_paused = true)]
    async fn a_rejection_is_final_and_quotes_no_secret() {
        let (verdict, sent, _) = run("soc", vec![http(400, None, "invalid_payload")]).await;
        assert_eq!((verdict, sent.len()), (rejected("invalid_payload"), 1));
        let (verdict, ..) = run("soc", vec![http(418, None, "https://hooks.slack.com/services/T/B/s3cret")]).await;
        assert_eq!(verdict, refused("HTTP 418"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_rejected_credential_is_read_anew_once() {
        let (verdict, sent, reads) = run("soc", vec![http(403, None, "invalid_token"), http(200, None, "ok")]).await;
        assert_eq!((verdict, sent.len(), reads), (Verdict::Delivered { receipt: None }, 2, 1));
        let (verdict, sent, reads) = run("soc", vec![http(404, None, "no_service")]).await;
        assert_eq!((verdict, sent.len(), reads), (refused("no_service"), 2, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_missing_credential_fails_this_channel_alone() {
        let (verdict, sent, reads) = run("bad", vec![http(200, None, "ok")]).await;
        assert!(matches!(verdict, Verdict::Refused { reason } if reason.contains("\"bad\"")));
        assert_eq!((sent.len(), reads), (0, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn no_wish_of_a_vendor_makes_a_storm_or_stops_the_clock() {
        let (_, sent, _) = run("soc", vec![http(429, Some(0), "")]).await;
        assert!((5..20).contains(&sent.len()), "{sent:?}");
        let (verdict, ..) = run("soc", vec![http(503, Some(u64::MAX), "")]).await;
        assert!(matches!(verdict, Verdict::Retry { after: Some(MAX_RETRY_AFTER), .. }), "{verdict:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_is_kept_until_it_expires_or_is_rejected() {
        let token = || http(200, None, r#"{"access_token":"t","expires_in":600}"#);
        let (none, created) = (|| http(200, None, r#"{"tickets":[]}"#), || http(201, None, r#"{"ticket":{"id":1}}"#));
        let arrived = Verdict::Delivered { receipt: Some("1".to_owned()) };
        let tokens = Tokens::default();
        let replies = vec![token(), none(), created()];
        assert_eq!(run_with("desk", replies, &tokens).await, (arrived.clone(), vec![0, 0, 0], 0));
        // Kept.
        assert_eq!(run_with("desk", vec![none(), created()], &tokens).await.0, arrived);
        // Rejected: the secret is read again, and a new one fetched.
        let replies = vec![http(401, None, ""), token(), none(), created()];
        assert_eq!(run_with("desk", replies, &tokens).await, (arrived.clone(), vec![0, 0, 0, 0], 1));
        // Expired.
        tokio::time::advance(Duration::from_secs(541)).await;
        assert_eq!(run_with("desk", vec![token(), none(), created()], &tokens).await.0, arrived);
    }

    #[tokio::test(start_paused = true)]
    async fn it_ends_before_the_deadline() {
        let (verdict, sent, _) = run("topic", vec![Reply::SnsFault("InternalError".to_owned())]).await;
        assert!(matches!(verdict, Verdict::Retry { reason, .. } if reason.contains("InternalError")));
        assert!(sent.len() > 5 && sent.iter().all(|at| *at < 30), "{sent:?}");
        let (verdict, sent, _) = run("soc", vec![http(429, Some(3600), "")]).await;
        assert!(matches!(verdict, Verdict::Retry { after: Some(wait), .. } if wait.as_secs() == 3600));
        assert_eq!(sent.len(), 1);
    }
}
