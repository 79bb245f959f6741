//! What is outside: vendors that fail by script, a queue that hides messages as SQS does, and a clock that runs with tokio's.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use offlimits::channel::{Reply, Request};
use offlimits::cloudtrail::event_rule::EventRuleFound;
use offlimits::cloudtrail::spokes::SpokeQueue;
use offlimits::deliver::{Tokens, Transport};
use offlimits::handler::{App, Handled, InvocationReport, OwnCalls, Response, handle};
use offlimits::health::ChannelHealth;
use offlimits::ledger::{Attributes, ItemKey, Ledger, MemoryStore, Put, Store, StoreError, StoredItem, Written};
use offlimits::redelivery::{Letter, MAX_DELAY, QueueError, Queues};
use offlimits::ruleset::RuleSet;
use offlimits::secret::{Credentials, CredentialsError};
use offlimits::time::Timestamp;
use serde_json::{Map, Value, json};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

use super::vendors::{Answered, Desk, Way, id_after, place, url};

/// The function's timeout, less the margin.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(27);

/// The redelivery queue, as the events of its messages name it.
pub(crate) const REDELIVERY_ARN: &str = "arn:aws:sqs:us-east-1:123456789012:redelivery";

/// What a vendor does with one request.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Act {
    /// It takes the message, and says so.
    Take,
    /// It refuses, with this status and wait.
    Status(u16, Option<u64>),
    /// It rejects the credential.
    Revoked,
    /// It never answers.
    Hang,
    /// It takes the message, and says so after so long.
    Slow(Duration),
    /// It refuses, with this status, after so long.
    SlowStatus(Duration, u16),
    /// It takes the message, and the connection breaks before it has said so.
    TakeAndBreak,
    /// Nobody is there.
    Dead,
}

/// A message that a vendor has taken.
#[derive(Debug, Clone)]
pub(crate) struct Taken {
    /// What makes it recognisable: [`offlimits::alert::Alert::key`], as its footer shows it.
    pub(crate) key: String,
    /// All of it.
    pub(crate) text: String,
    /// Whether the vendor said so.
    pub(crate) acknowledged: bool,
    /// When, after the start.
    pub(crate) at: Duration,
}

type Script = Box<dyn FnMut(usize, Duration) -> Act + Send>;

#[derive(Default)]
struct Vendor {
    script: Option<Script>,
    requests: usize,
    desk: Desk,
    taken: Vec<Taken>,
    /// Keys of messages whose sender was told that they are there.
    acknowledged: HashSet<String>,
    /// Keys of messages that came once more after that.
    repeated: Vec<String>,
}

impl Vendor {
    /// Keeps the message that people can read from now on, and what its sender is told.
    fn keep(&mut self, answered: Answered, is_told: bool, at: Duration) -> (u16, String) {
        let Answered { status, body, shown, found } = answered;
        if let Some((key, text)) = shown {
            if self.acknowledged.contains(&key) {
                self.repeated.push(key.clone());
            }
            if is_told {
                self.acknowledged.insert(key.clone());
            }
            self.taken.push(Taken { key, text, acknowledged: is_told, at });
        }
        for key in found.into_iter().filter(|_| is_told) {
            // Whoever asks for it learns that it is there.
            if self.acknowledged.insert(key.clone())
                && let Some(taken) = self.taken.iter_mut().rfind(|taken| taken.key == key)
            {
                taken.acknowledged = true;
            }
        }
        (status, body)
    }
}

/// Every channel's vendor, by the channel's name; a topic's by the topic's, and `topic` is the deployment's own. What has no script takes everything.
pub(crate) struct Outside {
    start: Instant,
    vendors: Mutex<HashMap<String, Vendor>>,
    /// The type of each channel.
    types: HashMap<String, &'static str>,
    credentials: Arc<Credentials>,
    /// How long the secret takes to be read, once.
    pub(crate) secret_takes: Duration,
    pub(crate) secret_is_read: tokio::sync::Mutex<bool>,
    /// The EventBridge rules that are there, by their ARNs.
    pub(crate) event_rules: Mutex<BTreeMap<String, EventRuleFound>>,
}

/// A redelivery queue and a dead-letter queue.
pub(crate) struct Sqs {
    waiting: Mutex<Vec<(Instant, String)>>,
    pub(crate) dead: Mutex<Vec<String>>,
    pub(crate) is_there: bool,
    pub(crate) refuses: AtomicBool,
    /// How long each call takes.
    pub(crate) takes: Duration,
    /// The queues of a hub's spokes, by their URLs; one that is not there is gone.
    pub(crate) spokes: Mutex<HashMap<String, SpokeInbox>>,
}

/// The queue of a spoke.
#[derive(Default)]
pub(crate) struct SpokeInbox {
    /// The letters, by their receipts, and until when each is hidden.
    letters: BTreeMap<String, (Instant, String)>,
    /// How often it was asked for letters.
    pub(crate) asked: usize,
    /// Whether it refuses to delete any.
    pub(crate) keeps: bool,
}

impl SpokeInbox {
    pub(crate) fn put(&mut self, body: &str) {
        self.letters.insert(format!("receipt-{}", self.letters.len()), (Instant::now(), body.to_owned()));
    }

    pub(crate) fn bodies(&self) -> Vec<&str> {
        self.letters.values().map(|(_, body)| body.as_str()).collect()
    }
}

pub(crate) type TestApp<S = MemoryStore> = App<Outside, S, Sqs>;

/// The function, with these rules, and everything outside at its beginning.
pub(crate) fn app(rules: &str) -> TestApp {
    app_on(rules, MemoryStore::with_limit(2_000_000))
}

pub(crate) fn app_on<S: Store>(rules: &str, store: S) -> TestApp<S> {
    app_by(rules, &[], store)
}

/// The same, with these ways to vendors; any other channel is a webhook of Slack's.
pub(crate) fn app_by<S: Store>(rules: &str, ways: &[Way], store: S) -> TestApp<S> {
    let rules = RuleSet::compile(rules).unwrap().rules;
    let credentials: Map<String, Value> = rules
        .channels()
        .iter()
        .map(|channel| {
            let way = ways.iter().find(|way| way.name == channel.name);
            let credentials =
                way.map_or_else(|| json!({ "webhook_url": url(&channel.name) }), |way| way.credentials.clone());
            (channel.name.clone(), credentials)
        })
        .collect();
    let credentials = Credentials::parse(&Value::Object(credentials).to_string()).unwrap();
    let outside = Outside {
        start: Instant::now(),
        vendors: Mutex::default(),
        types: rules.channels().iter().map(|channel| (channel.name.clone(), channel.channel.kind())).collect(),
        credentials: Arc::new(credentials),
        secret_takes: Duration::ZERO,
        secret_is_read: tokio::sync::Mutex::default(),
        event_rules: Mutex::default(),
    };
    let sqs = Sqs {
        waiting: Mutex::default(),
        dead: Mutex::default(),
        is_there: true,
        refuses: AtomicBool::new(false),
        takes: Duration::ZERO,
        spokes: Mutex::default(),
    };
    let own = OwnCalls {
        role_arn: Some("arn:aws:iam::123456789012:role/path/offlimits-role".to_owned()),
        function_name: Some("offlimits".to_owned()),
        secret_arn: Some("arn:aws:secretsmanager:us-east-1:123456789012:secret:offlimits".to_owned()),
        ..OwnCalls::default()
    };
    let (transport, queues) = (outside, sqs);
    App {
        rules,
        transport,
        tokens: Tokens::default(),
        health: ChannelHealth::default(),
        ledger: Ledger::new(store),
        queues,
        own,
    }
}

/// One invocation.
pub(crate) async fn invoke<S: Store>(payload: &str, app: &TestApp<S>) -> Handled {
    let handled = handle(payload, Instant::now() + TIMEOUT, app).await;
    assert!(handled.report.adds_up(), "{:?}", handled.report);
    handled
}

/// Hands the function each event after a pause, however many are under way, and adds up what it reports. To be run in a `LocalSet`.
pub(crate) async fn invoke_all<S: Store + 'static>(
    app: &Rc<TestApp<S>>,
    events: impl IntoIterator<Item = (Duration, String)>,
) -> InvocationReport {
    let mut invocations = JoinSet::new();
    for (pause, event) in events {
        sleep(pause).await;
        let app = Rc::clone(app);
        invocations.spawn_local(async move {
            let handled = invoke(&event, &app).await;
            assert!(handled.answer.is_ok(), "{handled:?}");
            handled.report
        });
    }
    let mut total = InvocationReport::default();
    while let Some(report) = invocations.join_next().await {
        total += &report.unwrap();
    }
    total
}

/// How long a queue is left alone: what is put into it meanwhile may come due at once.
const POLL: Duration = Duration::from_secs(1);

/// Delivers what comes due in the queue until `end`, ten messages at a time, and returns the report of it.
pub(crate) async fn redeliver_until<S: Store>(app: &TestApp<S>, end: Duration) -> InvocationReport {
    let mut report = InvocationReport::default();
    let end = app.transport.start + end;
    loop {
        let next = app.queues.waiting.lock().unwrap().iter().map(|(due, _)| *due).min();
        let now = Instant::now();
        match next.filter(|due| *due <= end) {
            Some(due) if due <= now => report += &redeliver(app).await,
            None if now >= end => return report,
            due => sleep_until(due.unwrap_or(end).min(now + POLL)).await,
        }
    }
}

/// One batch of what is due.
pub(crate) async fn redeliver<S: Store>(app: &TestApp<S>) -> InvocationReport {
    let batch: Vec<String> = {
        let mut waiting = app.queues.waiting.lock().unwrap();
        waiting.sort_by_key(|(due, _)| *due);
        let due = waiting.iter().take(10).filter(|(due, _)| *due <= Instant::now()).count();
        waiting.drain(..due).map(|(_, body)| body).collect()
    };
    let Handled { report, answer } = invoke(&sqs_event(&batch), app).await;
    let Ok(Response::Batch(failed)) = answer else { panic!("{answer:?}") };
    for id in failed {
        let body = batch[id.parse::<usize>().unwrap()].clone();
        app.queues.waiting.lock().unwrap().push((Instant::now() + Duration::from_mins(3), body));
    }
    report
}

/// The event of a batch of messages: the ids are their places.
pub(crate) fn sqs_event(bodies: &[String]) -> String {
    let messages: Vec<_> = bodies
        .iter()
        .enumerate()
        .map(|(index, body)| {
            json!({ "messageId": index.to_string(), "receiptHandle": "r", "eventSource": "aws:sqs",
                "eventSourceARN": REDELIVERY_ARN, "body": body })
        })
        .collect();
    json!({ "Records": messages }).to_string()
}

impl Outside {
    /// What the vendor of a channel does, of the number of the request and the time since the start.
    pub(crate) fn script(&self, channel: &str, script: impl FnMut(usize, Duration) -> Act + Send + 'static) {
        self.vendors.lock().unwrap().entry(channel.to_owned()).or_default().script = Some(Box::new(script));
    }

    /// What the vendor of a channel has taken.
    pub(crate) fn taken(&self, channel: &str) -> Vec<Taken> {
        self.vendors.lock().unwrap().get(channel).map(|vendor| vendor.taken.clone()).unwrap_or_default()
    }

    /// Requests that it was sent.
    pub(crate) fn requests(&self, channel: &str) -> usize {
        self.vendors.lock().unwrap().get(channel).map_or(0, |vendor| vendor.requests)
    }

    /// For how many alerts its vendor keeps something: a ticket, a thread.
    pub(crate) fn objects(&self, channel: &str) -> usize {
        self.vendors.lock().unwrap().get(channel).map_or(0, |vendor| vendor.desk.objects.len())
    }

    /// Keys of messages that came once more although their sender had been told that they are there.
    pub(crate) fn repeated(&self, channel: &str) -> Vec<String> {
        self.vendors.lock().unwrap().get(channel).map(|vendor| vendor.repeated.clone()).unwrap_or_default()
    }

    /// What the vendor does with a request, and what it answers where it takes it.
    fn act(&self, channel: &str, request: &Request) -> (Act, u16, String) {
        let at = Instant::now() - self.start;
        let mut vendors = self.vendors.lock().unwrap();
        let vendor = vendors.entry(channel.to_owned()).or_default();
        vendor.requests += 1;
        let act = vendor.script.as_mut().map_or(Act::Take, |script| script(vendor.requests, at));
        if !matches!(act, Act::Take | Act::Slow(_) | Act::TakeAndBreak) {
            return (act, 0, String::new());
        }
        let answered = match request {
            Request::Http(request) => vendor.desk.answer(self.types[channel], request),
            Request::Sns { message, .. } => {
                Answered::published(id_after(message, "message ").expect("a footer"), message)
            }
        };
        let (status, body) = vendor.keep(answered, !matches!(act, Act::TakeAndBreak), at);
        (act, status, body)
    }
}

impl Transport for Outside {
    async fn send(&self, request: Request, timeout: Duration) -> Reply {
        let (channel, is_sns) = match &request {
            Request::Sns { topic_arn, .. } => {
                let name = topic_arn.as_deref().and_then(|arn| arn.rsplit(':').next()).unwrap_or("topic");
                (name.to_owned(), true)
            }
            Request::Http(request) => (place(request).0, false),
        };
        let http = |status, seconds: Option<u64>, body: &str| Reply::Http {
            status,
            retry_after: seconds.map(Duration::from_secs),
            body: body.to_owned(),
        };
        let (act, status, body) = self.act(&channel, &request);
        if let Act::Slow(wait) | Act::SlowStatus(wait, _) = act {
            sleep(wait).await;
        }
        match act {
            Act::Take | Act::Slow(_) if is_sns => Reply::Published("id".to_owned()),
            Act::Take | Act::Slow(_) => http(status, None, &body),
            Act::SlowStatus(_, status) => http(status, None, ""),
            Act::Status(..) if is_sns => Reply::SnsFault("InternalError".to_owned()),
            Act::Revoked if is_sns => Reply::SnsFault("AuthorizationError".to_owned()),
            Act::Status(status, seconds) => http(status, seconds, ""),
            Act::Revoked => http(403, None, "invalid_token"),
            Act::Hang => {
                sleep(timeout).await;
                Reply::Unreachable("timeout")
            }
            Act::TakeAndBreak => Reply::Unreachable("the connection broke"),
            Act::Dead => Reply::Unreachable("cannot connect"),
        }
    }

    async fn credentials(&self, _: bool) -> Result<Arc<Credentials>, CredentialsError> {
        let mut is_read = self.secret_is_read.lock().await;
        if !*is_read {
            sleep(self.secret_takes).await;
            *is_read = true;
        }
        Ok(Arc::clone(&self.credentials))
    }

    fn now(&self) -> SystemTime {
        // 2026-01-10T11:32:44Z, when the samples happened.
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_768_044_764) + (Instant::now() - self.start)
    }

    async fn event_rules(&self, arns: &[String]) -> Option<Vec<Result<Option<EventRuleFound>, String>>> {
        let rules = self.event_rules.lock().unwrap();
        Some(arns.iter().map(|arn| Ok(rules.get(arn).cloned())).collect())
    }
}

impl Sqs {
    /// Messages that wait, due or not.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.lock().unwrap().len()
    }

    /// Every message that waits, due or not, taken out.
    pub(crate) fn take_all(&self) -> Vec<String> {
        self.waiting.lock().unwrap().drain(..).map(|(_, body)| body).collect()
    }

    /// Puts a message that is due at once.
    pub(crate) fn put(&self, body: String) {
        self.waiting.lock().unwrap().push((Instant::now(), body));
    }

    /// One message, due or not, taken out.
    pub(crate) fn take(&self) -> String {
        self.waiting.lock().unwrap().pop().expect("a message").1
    }

    /// Moves every dead letter to the redelivery queue, as SQS's redrive does. Returns how many.
    pub(crate) fn redrive(&self) -> usize {
        let dead: Vec<String> = self.dead.lock().unwrap().drain(..).collect();
        let count = dead.len();
        self.waiting.lock().unwrap().extend(dead.into_iter().map(|body| (Instant::now(), body)));
        count
    }
}

impl Sqs {
    fn take_in(&self, message: String, delay: Duration) -> Result<(), QueueError> {
        assert!(delay <= MAX_DELAY && delay.subsec_nanos() == 0, "SQS takes no delay of {delay:?}");
        assert!(message.len() <= 1024 * 1024, "SQS takes no message of {} bytes", message.len());
        if self.refuses.load(Ordering::Relaxed) {
            return Err(QueueError::Refused("ServiceUnavailable".to_owned()));
        }
        self.waiting.lock().unwrap().push((Instant::now() + delay, message));
        Ok(())
    }
}

impl Queues for Sqs {
    fn has_redelivery(&self) -> bool {
        self.is_there
    }

    fn has_dead_letter(&self) -> bool {
        self.is_there
    }

    fn is_redelivery(&self, arn: &str) -> bool {
        arn == REDELIVERY_ARN
    }

    async fn enqueue(&self, message: String, delay: Duration) -> Result<(), QueueError> {
        sleep(self.takes).await;
        self.take_in(message, delay)
    }

    /// Ten messages a call, as `aws/sqs.rs` does it.
    async fn enqueue_all(&self, messages: Vec<(String, Duration)>) -> Vec<Result<(), QueueError>> {
        sleep(self.takes * u32::try_from(messages.len().div_ceil(160)).unwrap()).await;
        messages.into_iter().map(|(message, delay)| self.take_in(message, delay)).collect()
    }

    async fn dead_letter(&self, message: String) -> Result<(), QueueError> {
        if self.refuses.load(Ordering::Relaxed) {
            return Err(QueueError::Refused("ServiceUnavailable".to_owned()));
        }
        self.dead.lock().unwrap().push(message);
        Ok(())
    }

    async fn take_letters(&self, queue: &SpokeQueue) -> Result<Vec<Letter>, QueueError> {
        sleep(self.takes).await;
        let (mut spokes, now) = (self.spokes.lock().unwrap(), Instant::now());
        let gone = || QueueError::Refused("AWS.SimpleQueueService.NonExistentQueue".to_owned());
        let inbox = spokes.get_mut(&queue.url).ok_or_else(gone)?;
        inbox.asked += 1;
        let taken =
            inbox.letters.iter_mut().filter(|(_, (due, _))| *due <= now).take(10).map(|(receipt, (due, body))| {
                *due = now + Duration::from_mins(5);
                Letter {
                    message_id: format!("message-{receipt}"),
                    receipt: receipt.clone(),
                    body: body.clone(),
                    error_code: None,
                }
            });
        Ok(taken.collect())
    }

    async fn drop_letters(&self, queue: &SpokeQueue, receipts: Vec<String>) -> Result<(), QueueError> {
        let mut spokes = self.spokes.lock().unwrap();
        let inbox = spokes.get_mut(&queue.url).unwrap();
        if inbox.keeps {
            return Err(QueueError::Unavailable("no answer".to_owned()));
        }
        inbox.letters.retain(|receipt, _| !receipts.contains(receipt));
        Ok(())
    }
}

/// A store that answers every question after so long. Its copies are one store.
#[derive(Clone)]
pub(crate) struct SlowStore {
    store: Arc<MemoryStore>,
    pub(crate) takes: Duration,
    /// How long it takes to say who came first.
    pub(crate) first_takes: Duration,
    /// How many questions wait for their answer, and how many did at most.
    waiting: Arc<Mutex<(usize, usize)>>,
}

impl SlowStore {
    pub(crate) fn new(takes: Duration) -> Self {
        let (store, waiting) = (Arc::new(MemoryStore::with_limit(2_000_000)), Arc::default());
        Self { store, takes, first_takes: takes, waiting }
    }

    /// How many questions waited for their answer at the same time, at most: so many connections were open.
    pub(crate) fn most_at_once(&self) -> usize {
        self.waiting.lock().unwrap().1
    }

    async fn think(&self, takes: Duration) {
        {
            let mut waiting = self.waiting.lock().unwrap();
            waiting.0 += 1;
            waiting.1 = waiting.1.max(waiting.0);
        }
        sleep(takes).await;
        self.waiting.lock().unwrap().0 -= 1;
    }
}

impl Store for SlowStore {
    async fn get(&self, keys: &[ItemKey]) -> Result<Vec<Option<StoredItem>>, StoreError> {
        self.think(self.takes).await;
        self.store.get(keys).await
    }
    async fn write(&self, puts: Vec<Put>) -> Result<Written, StoreError> {
        self.think(self.takes).await;
        self.store.write(puts).await
    }
    async fn count(&self, key: ItemKey, expires: Timestamp) -> Result<u64, StoreError> {
        self.think(self.takes).await;
        self.store.count(key, expires).await
    }
    async fn keep_first(
        &self,
        key: ItemKey,
        attributes: Attributes,
        now: Timestamp,
        expires: Timestamp,
    ) -> Result<Option<Attributes>, StoreError> {
        self.think(self.first_takes).await;
        self.store.keep_first(key, attributes, now, expires).await
    }
    async fn query(
        &self,
        partition: &str,
        between: (&str, &str),
        backwards: bool,
        limit: usize,
    ) -> Result<Vec<(String, StoredItem)>, StoreError> {
        self.think(self.takes).await;
        self.store.query(partition, between, backwards, limit).await
    }
}
