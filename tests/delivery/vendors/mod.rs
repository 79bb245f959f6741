//! What stands for the vendors: every way to each of them, and what they keep and answer: tickets that are found again, threads, keys by
//! which they join what belongs together. `tests/channels/NAME.json` says it of each, as the pages say that `src/channel` names.

mod answers;
pub(crate) mod illness;

use offlimits::channel::{ChannelType, HttpRequest};
use serde_json::{Map, Value, json};

use crate::channels::samples::{Sample, samples, with_type};

pub(crate) use self::answers::Answered;

/// One way to a vendor: settings, and credentials.
#[derive(Debug, Clone)]
pub(crate) struct Way {
    /// What a channel that goes this way is called here: its URLs, and the last part of its topic.
    pub(crate) name: String,
    pub(crate) settings: Value,
    /// None of a topic.
    pub(crate) credentials: Value,
}

impl Way {
    fn new(name: &str, mut settings: Value, mut credentials: Value) -> Self {
        if settings["type"] == "sns" {
            settings["topic_arn"] = json!(format!("arn:aws:sns:us-east-1:123456789012:{name}"));
        }
        for value in credentials.as_object_mut().unwrap().values_mut() {
            // Where a test of the wire has its stand-in.
            if value.as_str().is_some_and(|text| text.starts_with('{')) {
                *value = json!(url(name));
            }
        }
        Self { name: name.to_owned(), settings, credentials }
    }

    /// The same way of a channel that is called otherwise.
    pub(crate) fn of(mut self, channel: &str) -> Self {
        for value in self.credentials.as_object_mut().unwrap().values_mut() {
            if *value == url(&self.name) {
                *value = json!(url(channel));
            }
        }
        Self::new(channel, self.settings, self.credentials)
    }
}

/// Where the stand-in of a channel's vendor is.
pub(crate) fn url(channel: &str) -> String {
    format!("http://localhost/{channel}")
}

/// Every registered type of channel, as its file says how a stand-in is met, and the other ways of those that have several.
pub(crate) fn ways() -> Vec<Way> {
    let of_type = |(channel_type, sample): (&'static ChannelType, &'static Sample)| {
        let settings = |own: &Map<String, Value>| with_type(channel_type, own.clone());
        let contract = &sample.contract;
        let first = Way::new(
            channel_type.name(),
            settings(contract["settings"].as_object().unwrap()),
            contract["credentials"].clone(),
        );
        let others = sample.ways.iter();
        let others = others.map(move |(name, way)| Way::new(name, settings(&way.settings), way.credentials.clone()));
        std::iter::once(first).chain(others)
    };
    samples().flat_map(of_type).collect()
}

/// What a vendor keeps of what one channel has sent it.
#[derive(Debug, Default)]
pub(crate) struct Desk {
    /// What it keeps for each alert: tickets, issues, incidents, alerts, threads.
    pub(crate) objects: Vec<Object>,
    /// Access tokens that it has given.
    tokens: usize,
}

/// A ticket, an issue, an incident, an alert or a thread.
#[derive(Debug)]
pub(crate) struct Object {
    /// Its number, from 1.
    n: usize,
    /// What it is found by; a thread's is its own.
    pub(crate) alert: String,
    id: String,
    /// The key of the message that it was opened with.
    key: String,
    /// What is remembered of it: its text, its priority.
    kept: Map<String, Value>,
}

/// What was sent: the channel, which its URL names, the rest of the path, and the query.
pub(crate) fn place(request: &HttpRequest) -> (String, Vec<&str>, &str) {
    let url = request.url.expose().strip_prefix("http://localhost/").expect("a URL of ours");
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    let mut parts = path.split('/');
    (parts.next().unwrap().to_owned(), parts.filter(|part| !part.is_empty()).collect(), query)
}

/// The 32 hexadecimal digits after the first of these marks that has some.
pub(crate) fn id_after<'t>(text: &'t str, mark: &str) -> Option<&'t str> {
    let is_id = |id: &&str| id.bytes().all(|byte| byte.is_ascii_hexdigit());
    text.split(mark).skip(1).find_map(|rest| rest.get(..32).filter(is_id))
}

/// The first 32 hexadecimal digits, in small letters, of which no more stand around them.
pub(crate) fn id_in(text: &str) -> Option<&str> {
    text.split(|c: char| !matches!(c, '0'..='9' | 'a'..='f')).find(|digits| digits.len() == 32)
}
