//! What lies outside the function, with faults: the table, the queues, the vendors, and the clock of each copy.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use offlimits::channel::{Reply, Request};
use offlimits::deliver::Transport;
use offlimits::ledger::{Attributes, ItemKey, MemoryStore, Put, Store, StoreError, StoredItem, Written};
use offlimits::redelivery::{MAX_DELAY, QueueError, Queues};
use offlimits::secret::{Credentials, CredentialsError};
use offlimits::time::Timestamp;
use serde_json::Value;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

use crate::delivery::vendors::{Answered, Desk, place};
use crate::support::choices::Choices;

/// 2026-01-10T11:32:44Z, when a round begins.
pub(super) const START: u64 = 1_768_044_764;

/// Every kind of fault, by the part that fails.
pub(super) const FAULTS: [&str; 17] = [
    "the vendor is busy",
    "the vendor denies",
    "the vendor hangs",
    "the vendor is slow",
    "the vendor's answer is lost",
    "the vendor cannot be reached",
    "the secret cannot be read",
    "the table refuses",
    "the table hangs",
    "the table's answer is lost",
    "the table reports a conflict",
    "the queue refuses",
    "the queue hangs",
    "the queue's answer is lost",
    "the queue delivers twice",
    "the event comes twice",
    "the copy is killed",
];

/// A message in the redelivery queue.
#[derive(Debug, Clone)]
pub(super) struct Message {
    pub(super) due: Instant,
    pub(super) body: String,
    /// How often the function was given it, and did not say that it is done with.
    pub(super) receives: u32,
}

/// What was taken by a vendor.
#[derive(Debug, Clone)]
pub(super) struct Told {
    pub(super) channel: String,
    /// As machines read it; where people do, the text.
    pub(super) alert: Value,
}

/// All that the copies of the function share.
pub(super) struct World {
    start: Instant,
    choices: Mutex<Choices>,
    /// Of each kind of fault, one in how many times it happens; 0 means never.
    rates: BTreeMap<&'static str, usize>,
    /// Whether anything fails at present.
    fails: AtomicBool,
    injected: Mutex<BTreeMap<&'static str, usize>>,
    credentials: Arc<Credentials>,
    /// The type of each channel that is reached over HTTP, and what its vendor keeps.
    types: BTreeMap<String, String>,
    desks: Mutex<BTreeMap<String, Desk>>,
    pub(super) table: MemoryStore,
    pub(super) waiting: Mutex<Vec<Message>>,
    /// Told when something was put into the queue.
    pub(super) arrived: Notify,
    /// The dead-letter queue: what the function put there, and what SQS moved there after too many receives.
    pub(super) dead: Mutex<Vec<String>>,
    /// Lambda's on-failure queue: the payloads.
    pub(super) given_up: Mutex<Vec<String>>,
    /// The updates of incidents that were ordered: each with its channel, its alert, and its step.
    pub(super) ordered: Mutex<BTreeSet<(String, String, u64)>>,
    pub(super) told: Mutex<Vec<Told>>,
    /// What has happened, for whoever reads of a failure: each line with what it is about.
    journal: Mutex<Vec<String>>,
    /// Whether no event comes any more.
    is_over: AtomicBool,
}

impl World {
    /// One in three rounds has faults of every kind, most have faults of some kinds, one in ten has none.
    pub(super) fn new(mut choices: Choices, credentials: Credentials, types: BTreeMap<String, String>) -> Self {
        let temper = choices.below(10);
        let rates = FAULTS
            .into_iter()
            .map(|kind| {
                let rate = match temper {
                    0 => 0,
                    1..=3 => choices.of(&[3, 8, 20]),
                    _ => choices.of(&[0, 0, 0, 2, 5, 15]),
                };
                (kind, rate)
            })
            .collect();
        Self {
            start: Instant::now(),
            choices: Mutex::new(choices),
            rates,
            fails: AtomicBool::new(true),
            injected: Mutex::default(),
            credentials: Arc::new(credentials),
            types,
            desks: Mutex::default(),
            table: MemoryStore::with_limit(1_000_000),
            waiting: Mutex::default(),
            arrived: Notify::new(),
            dead: Mutex::default(),
            given_up: Mutex::default(),
            ordered: Mutex::default(),
            told: Mutex::default(),
            journal: Mutex::default(),
            is_over: AtomicBool::new(false),
        }
    }

    pub(super) fn choose<T>(&self, choice: impl FnOnce(&mut Choices) -> T) -> T {
        choice(&mut self.choices.lock().unwrap())
    }

    /// Whether this fault happens now. It is counted.
    pub(super) fn fails(&self, kind: &'static str) -> bool {
        let rate = self.rates[kind];
        let does = rate > 0 && self.fails.load(Ordering::Relaxed) && self.choose(|choices| choices.below(rate) == 0);
        if does {
            *self.injected.lock().unwrap().entry(kind).or_default() += 1;
        }
        does
    }

    /// From now on nothing fails.
    pub(super) fn heal(&self) {
        self.fails.store(false, Ordering::Relaxed);
    }

    /// Whether nothing has failed in this round.
    pub(super) fn is_well(&self) -> bool {
        self.injected.lock().unwrap().is_empty()
    }

    pub(super) fn faults(&self) -> BTreeMap<&'static str, usize> {
        self.injected.lock().unwrap().clone()
    }

    /// What a request over the network takes, one way. It makes the copies take turns in another order each time.
    async fn travel(&self) {
        let millis = self.choose(|choices| choices.below(12));
        sleep(Duration::from_millis(millis as u64)).await;
    }

    pub(super) fn note(&self, what: &str, about: &str) {
        let at = (Instant::now() - self.start).as_millis();
        self.journal.lock().unwrap().push(format!("{at:>9} ms {what}: {about}"));
    }

    /// The lines of the journal that name this.
    pub(super) fn journal_of(&self, name: &str) -> String {
        let journal = self.journal.lock().unwrap();
        let mut lines = String::new();
        for line in journal.iter().filter(|line| line.contains(name)) {
            lines.push('\n');
            lines.extend(line.chars().take(300));
        }
        lines
    }

    /// What a vendor that is well makes of a request.
    fn take(&self, channel: String, request: &Request) -> Reply {
        let (alert, reply) = match request {
            Request::Sns { message, .. } => {
                let texts: Value = serde_json::from_str(message).unwrap();
                let alert = serde_json::from_str(texts["sqs"].as_str().unwrap()).unwrap();
                (Some(alert), Reply::Published("id".to_owned()))
            }
            Request::Http(request) => {
                let channel_type = self.types[&channel].as_str();
                let answered =
                    self.desks.lock().unwrap().entry(channel.clone()).or_default().answer(channel_type, request);
                let read = |text: String| match channel_type {
                    "webhook" => serde_json::from_str(&text).unwrap(),
                    _ => Value::String(text),
                };
                let Answered { status, body, shown, .. } = answered;
                (shown.map(|(_, text)| read(text)), Reply::Http { status, retry_after: None, body })
            }
        };
        if let Some(alert) = alert {
            self.note(&format!("told on {channel}"), &alert.to_string());
            self.told.lock().unwrap().push(Told { channel, alert });
        }
        reply
    }

    pub(super) fn sources_have_ended(&self) {
        self.is_over.store(true, Ordering::Relaxed);
        self.arrived.notify_one();
    }

    pub(super) fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }

    /// Takes a batch of what is due out of the queue.
    pub(super) fn receive(&self) -> Vec<Message> {
        let mut waiting = self.waiting.lock().unwrap();
        waiting.sort_by_key(|message| message.due);
        let due = waiting.iter().take(10).filter(|message| message.due <= Instant::now()).count();
        waiting.drain(..due).map(|message| Message { receives: message.receives + 1, ..message }).collect()
    }

    pub(super) fn put_into_queue(&self, body: String, delay: Duration, receives: u32) {
        let message: Value = serde_json::from_str(&body).unwrap();
        if let Some(update) = message["task"].get("update") {
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            let update = (text(&message["channel"]), text(&update["alert"]), update["step"].as_u64().unwrap());
            self.ordered.lock().unwrap().insert(update);
        }
        self.waiting.lock().unwrap().push(Message { due: Instant::now() + delay, body, receives });
        self.arrived.notify_one();
    }
}

/// The table as one copy reaches it.
pub(super) struct Table(pub(super) Arc<World>);

/// The SDK's time limit for one operation on the table, with all its attempts.
const TABLE_TIMEOUT: Duration = Duration::from_secs(4);

impl Table {
    /// Asks the table: the question may be lost, and so may the answer.
    async fn ask<T>(&self, question: impl AsyncFnOnce(&MemoryStore) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let error = |text: &str| Err(StoreError(text.to_owned()));
        let world = &self.0;
        world.travel().await;
        if world.fails("the table refuses") {
            return error("ProvisionedThroughputExceededException");
        }
        if world.fails("the table hangs") {
            // It may do what it was asked long after nobody waits for it.
            sleep(TABLE_TIMEOUT).await;
            if world.choose(|choices| choices.below(2) == 0) {
                question(&world.table).await?;
            }
            return error("time ran out");
        }
        let answer = question(&world.table).await?;
        world.travel().await;
        if world.fails("the table's answer is lost") {
            return error("the connection broke");
        }
        Ok(answer)
    }
}

impl Store for Table {
    async fn get(&self, keys: &[ItemKey]) -> Result<Vec<Option<StoredItem>>, StoreError> {
        self.ask(async |table| table.get(keys).await).await
    }

    async fn write(&self, puts: Vec<Put>) -> Result<Written, StoreError> {
        if self.0.fails("the table reports a conflict") {
            self.0.travel().await;
            return Ok(Written::LOST);
        }
        self.ask(async |table| table.write(puts).await).await
    }

    async fn count(&self, key: ItemKey, expires: Timestamp) -> Result<u64, StoreError> {
        self.ask(async |table| table.count(key, expires).await).await
    }

    async fn keep_first(
        &self,
        key: ItemKey,
        attributes: Attributes,
        now: Timestamp,
        expires: Timestamp,
    ) -> Result<Option<Attributes>, StoreError> {
        self.ask(async |table| table.keep_first(key, attributes, now, expires).await).await
    }

    async fn query(
        &self,
        partition: &str,
        between: (&str, &str),
        backwards: bool,
        limit: usize,
    ) -> Result<Vec<(String, StoredItem)>, StoreError> {
        self.ask(async |table| table.query(partition, between, backwards, limit).await).await
    }
}

/// The queues as one copy reaches them.
pub(super) struct Sqs(pub(super) Arc<World>);

impl Sqs {
    async fn send(&self, what: &str, message: String, put: impl FnOnce(&World, String)) -> Result<(), QueueError> {
        let world = &self.0;
        world.travel().await;
        if world.fails("the queue refuses") {
            world.note("the queue refuses", &message);
            return Err(QueueError::Refused("AccessDenied".to_owned()));
        }
        if world.fails("the queue hangs") {
            world.note("the queue hangs", &message);
            sleep(Duration::from_secs(9)).await;
            return Err(QueueError::Unavailable("time ran out".to_owned()));
        }
        world.note(what, &message);
        put(world, message);
        world.travel().await;
        if world.fails("the queue's answer is lost") {
            return Err(QueueError::Unavailable("the connection broke".to_owned()));
        }
        Ok(())
    }
}

impl Queues for Sqs {
    fn has_redelivery(&self) -> bool {
        true
    }

    fn has_dead_letter(&self) -> bool {
        true
    }

    async fn enqueue(&self, message: String, delay: Duration) -> Result<(), QueueError> {
        assert!(delay <= MAX_DELAY, "SQS takes no delay of {delay:?}");
        self.send("queued", message, |world, message| world.put_into_queue(message, delay, 0)).await
    }

    async fn dead_letter(&self, message: String) -> Result<(), QueueError> {
        self.send("dead", message, |world, message| world.dead.lock().unwrap().push(message)).await
    }
}

/// The vendors as one copy reaches them, and its clock.
pub(super) struct Outside {
    pub(super) world: Arc<World>,
    /// How far this copy's clock goes before the others'.
    pub(super) ahead: Duration,
}

impl Transport for Outside {
    async fn send(&self, request: Request, timeout: Duration) -> Reply {
        let (channel, is_topic) = match &request {
            // What is wrong with a channel is told to the operators, on the deployment's own topic.
            Request::Sns { topic_arn: None, .. } => return Reply::Published("id".to_owned()),
            Request::Sns { topic_arn: Some(arn), .. } => (arn.rsplit(':').next().unwrap().to_owned(), true),
            Request::Http(request) => (place(request).0, false),
        };
        let world = &self.world;
        let http = |status| match status {
            403 if is_topic => Reply::SnsFault("AuthorizationError".to_owned()),
            _ if is_topic => Reply::SnsFault("InternalError".to_owned()),
            _ => Reply::Http { status, retry_after: None, body: String::new() },
        };
        world.travel().await;
        if world.fails("the vendor cannot be reached") {
            return Reply::Unreachable("cannot connect");
        }
        if world.fails("the vendor hangs") {
            sleep(timeout).await;
            return Reply::TIMEOUT;
        }
        if world.fails("the vendor is busy") {
            return http(503);
        }
        if world.fails("the vendor denies") {
            return http(403);
        }
        if world.fails("the vendor is slow") {
            sleep(timeout.min(Duration::from_secs(3))).await;
        }
        let reply = world.take(channel, &request);
        world.travel().await;
        if world.fails("the vendor's answer is lost") {
            return Reply::Unreachable("the connection broke");
        }
        reply
    }

    async fn credentials(&self, _: bool) -> Result<Arc<Credentials>, CredentialsError> {
        self.world.travel().await;
        if self.world.fails("the secret cannot be read") {
            return Err(CredentialsError::Unavailable { reason: "ResourceNotFoundException".to_owned() });
        }
        Ok(Arc::clone(&self.world.credentials))
    }

    fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(START) + (Instant::now() - self.world.start) + self.ahead
    }
}
