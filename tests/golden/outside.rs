//! What is outside: a clock that runs with tokio's, vendors that take everything or nothing, and a store and queues that keep
//! what was written.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use tokio::time::Instant;

use super::product::{
    App, Attributes, COUNT, ChannelHealth, Credentials, CredentialsError, Expect, Fault, Handled, Item, Key, Ledger,
    OwnCalls, Put, QueueError, Queues, Reply, Request, Response, Store, Summary, Timestamp, Tokens, Transport, Written,
    compiled, handled,
};

/// When every scenario begins: 2026-01-10T11:32:44Z.
pub(crate) const START: u64 = 1_768_044_764;

/// Slack's name for the first message of a thread.
pub(crate) const RECEIPT: &str = "1503435956.000247";

/// Credentials for every channel of these tests.
const CREDENTIALS: &str = r#"{
    "soc": { "bot_token": "xoxb-1" },
    "oncall": { "routing_key": "0123456789abcdef0123456789abcdef" },
    "desk": { "client_id": "offlimits", "client_secret": "s" },
    "incidents": { "username": "offlimits", "password": "s" },
    "room": { "webhook_url": "https://x.01.environment.api.powerplatform.com/powerautomate/automations/direct/workflows/1" },
    "siem": { "url": "https://siem.example.com/hook", "signing_secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" }
}"#;

/// What vendors do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Vendors {
    /// They take everything.
    Take,
    /// Nobody is there.
    Down,
    /// They reject everything, but for the topics.
    Reject,
}

pub(crate) struct Outside {
    start: Instant,
    pub(crate) vendors: Mutex<Vendors>,
    /// What arrived.
    pub(crate) sent: Mutex<Vec<Request>>,
}

/// The queues.
#[derive(Default)]
pub(crate) struct Kept {
    pub(crate) waiting: Mutex<Vec<String>>,
    pub(crate) dead: Mutex<Vec<String>>,
}

/// The store: every item, and all that was ever written, in order.
#[derive(Clone, Default)]
pub(crate) struct Table(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    items: BTreeMap<Key, Item>,
    writes: Vec<Write>,
}

/// One call of the store that changes it.
#[derive(Debug, Clone)]
pub(crate) enum Write {
    Put(Vec<Put>),
    Count(Key, Timestamp),
}

pub(crate) type Function = App<Outside, Table, Kept>;

/// The function with these rules, on this store.
pub(crate) fn function(rules: &str, table: &Table) -> Function {
    App {
        rules: compiled(rules),
        transport: Outside { start: Instant::now(), vendors: Mutex::new(Vendors::Take), sent: Mutex::default() },
        tokens: Tokens::default(),
        health: ChannelHealth::default(),
        ledger: Ledger::new(table.clone()),
        queues: Kept::default(),
        own: OwnCalls::default(),
    }
}

/// One invocation, with what Lambda is answered.
pub(crate) async fn answered(payload: &str, function: &Function) -> Handled {
    let handled = handled(payload, Instant::now() + Duration::from_secs(27), function).await;
    assert!(handled.report.adds_up(), "{:?}", handled.report);
    // This table always answers: what is counted here is an item that cannot be read.
    assert_eq!(handled.report.ledger_faults, 0, "an item cannot be read: {:?}", handled.report);
    handled
}

/// One invocation, and its account.
pub(crate) async fn invoke(payload: &str, function: &Function) -> Summary {
    answered(payload, function).await.report
}

/// One invocation with messages from the queue.
pub(crate) async fn redeliver(messages: &[String], function: &Function) -> Summary {
    let handled = answered(&batch(messages), function).await;
    assert_eq!(handled.answer, Ok(Response::Batch(Vec::new())), "messages that are not understood come back");
    handled.report
}

/// The event of a batch of messages.
pub(crate) fn batch(messages: &[String]) -> String {
    let messages: Vec<Value> = messages
        .iter()
        .enumerate()
        .map(|(index, body)| {
            json!({ "messageId": index.to_string(), "receiptHandle": "r", "eventSource": "aws:sqs", "body": body })
        })
        .collect();
    json!({ "Records": messages }).to_string()
}

impl Outside {
    pub(crate) fn set(&self, vendors: Vendors) {
        *self.vendors.lock().unwrap() = vendors;
    }

    /// How what arrived was asked for: where, and with which headers or attributes.
    pub(crate) fn requests(&self) -> Vec<Value> {
        let shown = |request: &Request| match request {
            Request::Sns { topic_arn, subject, attributes, .. } => {
                json!({ "topic": topic_arn, "subject": subject, "attributes": attributes })
            }
            Request::Http(request) => {
                // A signature depends on every word of the body: its scheme is enough.
                let scheme = |value: &str| value.split_once(',').map(|(scheme, _)| format!("{scheme},(signature)"));
                let value = |name: &str, value: &str| {
                    scheme(value).filter(|_| name.ends_with("signature")).unwrap_or_else(|| value.to_owned())
                };
                let headers: Vec<_> =
                    request.headers.iter().map(|(name, secret)| (name, value(name, secret.expose()))).collect();
                let url = request.url.expose();
                json!({ "method": format!("{:?}", request.method), "url": url, "headers": headers })
            }
        };
        self.sent.lock().unwrap().iter().map(shown).collect()
    }

    /// What arrived since this was last asked: each request's content.
    pub(crate) fn taken(&self) -> Vec<Value> {
        let sent = std::mem::take(&mut *self.sent.lock().unwrap());
        sent.into_iter()
            .map(|request| match request {
                Request::Sns { message, .. } => serde_json::from_str(&message).unwrap(),
                Request::Http(request) => {
                    let content = request.content.map(|(_, content)| content.expose().to_owned());
                    serde_json::from_str(&content.unwrap_or_default()).unwrap_or(Value::Null)
                }
            })
            .collect()
    }
}

impl Transport for Outside {
    async fn send(&self, request: Request, _: Duration) -> Reply {
        let is_sns = matches!(request, Request::Sns { .. });
        match *self.vendors.lock().unwrap() {
            Vendors::Down => Reply::Unreachable("cannot connect"),
            Vendors::Reject if !is_sns => Reply::Http { status: 400, retry_after: None, body: String::new() },
            Vendors::Take | Vendors::Reject => {
                self.sent.lock().unwrap().push(request);
                if is_sns {
                    return Reply::Published("id".to_owned());
                }
                // What each vendor says where it has taken something, in one.
                let body = json!({
                    "ok": true, "ts": RECEIPT, "status": "success", "dedup_key": "x", "access_token": "t",
                    "token_type": "bearer", "expires_in": 1800, "tickets": [], "count": 0, "ticket": { "id": 35 },
                    "result": [],
                });
                Reply::Http { status: 200, retry_after: None, body: body.to_string() }
            }
        }
    }

    async fn credentials(&self, _: bool) -> Result<Arc<Credentials>, CredentialsError> {
        Ok(Arc::new(Credentials::parse(CREDENTIALS).unwrap()))
    }

    fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(START) + (Instant::now() - self.start)
    }
}

impl Kept {
    /// The messages that wait, due or not, taken out.
    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.waiting.lock().unwrap())
    }
}

impl Queues for Kept {
    fn has_redelivery(&self) -> bool {
        true
    }

    fn has_dead_letter(&self) -> bool {
        true
    }

    async fn enqueue(&self, message: String, _: Duration) -> Result<(), QueueError> {
        self.waiting.lock().unwrap().push(message);
        Ok(())
    }

    async fn dead_letter(&self, message: String) -> Result<(), QueueError> {
        self.dead.lock().unwrap().push(message);
        Ok(())
    }
}

impl Table {
    /// A table that holds these items.
    pub(crate) fn with(items: impl IntoIterator<Item = (Key, Item)>) -> Self {
        let state = State { items: items.into_iter().collect(), writes: Vec::new() };
        Self(Arc::new(Mutex::new(state)))
    }

    /// All that was written, in order.
    pub(crate) fn writes(&self) -> Vec<Write> {
        self.0.lock().unwrap().writes.clone()
    }
}

/// The version of an item that is written so.
pub(crate) const fn version(expect: Expect) -> u64 {
    match expect {
        Expect::Anything => 0,
        Expect::Absent => 1,
        Expect::Version(version) => version + 1,
    }
}

impl Store for Table {
    async fn get(&self, keys: &[Key]) -> Result<Vec<Option<Item>>, Fault> {
        let state = self.0.lock().unwrap();
        Ok(keys.iter().map(|key| state.items.get(key).cloned()).collect())
    }

    async fn write(&self, puts: Vec<Put>) -> Result<Written, Fault> {
        let mut state = self.0.lock().unwrap();
        let is_met = |put: &Put| match put.expect {
            Expect::Anything => true,
            Expect::Absent => !state.items.contains_key(&put.key),
            Expect::Version(version) => state.items.get(&put.key).is_some_and(|item| item.version == version),
        };
        if !puts.iter().all(is_met) {
            return Ok(Written::LOST);
        }
        state.writes.push(Write::Put(puts.clone()));
        for Put { key, expect, attributes, expires } in puts {
            let item = Item { version: version(expect), expires, attributes: Arc::new(attributes) };
            state.items.insert(key, item);
        }
        Ok(Written::Whole)
    }

    async fn count(&self, key: Key, expires: Timestamp) -> Result<u64, Fault> {
        let mut state = self.0.lock().unwrap();
        let known = state.items.get(&key).and_then(|item| item.attributes.get(COUNT)?.as_u64()).unwrap_or_default();
        let attributes = Attributes::from_iter([(COUNT.to_owned(), (known + 1).into())]);
        state.items.insert(key.clone(), Item { version: 0, expires, attributes: Arc::new(attributes) });
        state.writes.push(Write::Count(key, expires));
        Ok(known + 1)
    }

    async fn query(
        &self,
        partition: &str,
        (from, to): (&str, &str),
        backwards: bool,
        limit: usize,
    ) -> Result<Vec<(String, Item)>, Fault> {
        if from > to {
            return Ok(Vec::new());
        }
        let state = self.0.lock().unwrap();
        let between = state.items.range(Key::new(partition, from)..=Key::new(partition, to));
        let own = |(key, item): (&Key, &Item)| (key.sort.clone(), item.clone());
        Ok(if backwards {
            between.rev().take(limit).map(own).collect()
        } else {
            between.take(limit).map(own).collect()
        })
    }
}
