//! What the tests know of a type of channel, in `tests/channels/NAME.json`: settings and credentials that are right and wrong,
//! its vendor's documented replies, and the limits of what it sends. `tests/contract` reads the same files.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::LazyLock;
use std::time::Duration;

use offlimits::channel::{ChannelType, Reply, TYPES};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::vendor::Vendor;

/// A channel's file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sample {
    /// Settings in `rules.json`, without the type: every key of its own occurs.
    pub(crate) settings: Value,
    /// Credentials, each good on its own, and with `s3cret` in them: together they have every key.
    pub(crate) credentials: Vec<Value>,
    /// Credentials that are wrong in ways of which a fault speaks.
    #[serde(default)]
    pub(crate) wrong_credentials: Value,
    /// Settings over the required ones that are wrong (null: without this one); where, and a part of what is said.
    pub(crate) mistakes: Vec<(Map<String, Value>, String, String)>,
    /// Credentials that are wrong, and a part of what is said.
    pub(crate) faults: Vec<(Value, String)>,
    /// What `severity_map` changes, if the channel has one.
    #[serde(default)]
    pub(crate) severity: Option<SeveritySample>,
    /// Where the alert's id stands, the same for an alert and its repeats: a pointer into the document that the vendor gets.
    #[serde(default)]
    pub(crate) alert_id: Option<String>,
    /// The replies before the request that carries the alert.
    #[serde(default)]
    lead_up: Vec<(u16, String)>,
    /// The same where the alert's ticket is open: of channels that comment on one.
    #[serde(default)]
    lead_up_of_a_repeat: Option<Vec<(u16, String)>>,
    /// Each documented reply to that request: a status with a body, or a code of SNS; and what it means.
    pub(crate) replies: Vec<(StatusOrCode, String, String)>,
    /// Whole exchanges: what each alert of a kind is answered, what is asked for it, and how it ends.
    #[serde(default)]
    pub(crate) exchanges: Vec<ExchangeSample>,
    /// Where the text that people read stands in each document, if the channel has one such place: pointers.
    #[serde(default)]
    pub(crate) texts: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) limits: Limits,
    /// Links that may stand in what is sent, besides the alert's own.
    #[serde(default)]
    pub(crate) links: Vec<String>,
    /// Whether what is sent is read by machines alone, to whom no text is markup.
    #[serde(default)]
    pub(crate) is_for_machines: bool,
    /// What would be markup, or a link, to this vendor.
    #[serde(default = "links")]
    pub(crate) markup: Vec<String>,
    /// For `tests/contract`: how the function meets the vendor's stand-in.
    #[serde(default)]
    pub(crate) contract: Value,
    /// Other ways to the vendor (another credential, another deployment), by their names.
    #[serde(default)]
    pub(crate) ways: BTreeMap<String, WaySample>,
    /// What its stand-in keeps and answers; none of a topic.
    #[serde(default)]
    pub(crate) vendor: Vendor,
}

/// A way to a vendor: settings without the type, and credentials, in which `{desk}` stands for its stand-in's URL.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WaySample {
    pub(crate) settings: Map<String, Value>,
    pub(crate) credentials: Value,
}

/// An exchange with a vendor.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExchangeSample {
    /// What it shows.
    pub(crate) what: String,
    /// `first`, `repeat`, `news` or `roll-up`.
    pub(crate) kind: String,
    /// Settings over the sample's own (null: without this one).
    #[serde(default)]
    pub(crate) settings: Map<String, Value>,
    /// The credentials, if they are not the first of the sample's.
    #[serde(default)]
    pub(crate) credentials: Option<Value>,
    /// What the vendor called the alert's first message.
    #[serde(default)]
    pub(crate) receipt: Option<String>,
    /// The vendor's answers, one for each request. `{key}` stands for the message's own key.
    pub(crate) replies: Vec<(u16, String)>,
    /// Method and path of each request, with a part of its body where that matters: `POST api/notes {"note"`. `{alert}` stands for the
    /// alert's id.
    pub(crate) requests: Vec<String>,
    /// What is made of it; empty if it goes on.
    pub(crate) verdict: String,
}

/// A change of `severity_map`, by pointers into the document that is sent for a finding of the severity high.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SeveritySample {
    pub(crate) map: Value,
    pub(crate) before: BTreeMap<String, Value>,
    pub(crate) after: BTreeMap<String, Value>,
}

/// What the vendor takes at most.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Limits {
    /// Of a document.
    #[serde(default)]
    pub(crate) bytes: Option<usize>,
    /// Of the text at a pointer, where there is one.
    #[serde(default)]
    pub(crate) characters: BTreeMap<String, usize>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum StatusOrCode {
    Status(u16),
    Code(String),
}

fn links() -> Vec<String> {
    ["://evil", "www."].map(str::to_owned).to_vec()
}

/// Every registered type of channel with its file.
static SAMPLES: LazyLock<Vec<(&'static ChannelType, Sample)>> = LazyLock::new(|| {
    // The fuzzer's own folder stands in the repository.
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = [folder.join("tests/channels"), folder.join("../tests/channels")].into_iter().find(|f| f.is_dir());
    let folder = folder.expect("the folder tests/channels");
    let read = |channel: &&'static ChannelType| {
        let name = channel.name();
        let file = folder.join(format!("{name}.json"));
        let text = std::fs::read_to_string(&file)
            .unwrap_or_else(|_| panic!("the channel {name} has no samples: write tests/channels/{name}.json"));
        let sample = serde_json::from_str(&text).unwrap_or_else(|error| panic!("tests/channels/{name}.json: {error}"));
        (*channel, sample)
    };
    TYPES.iter().map(read).collect()
});

/// Every registered type of channel with its file.
pub(crate) fn samples() -> impl Iterator<Item = (&'static ChannelType, &'static Sample)> {
    SAMPLES.iter().map(|(channel, sample)| (*channel, sample))
}

/// The file of one type.
pub(crate) fn sample(name: &str) -> &'static Sample {
    samples().find(|(channel, _)| channel.name() == name).unwrap_or_else(|| panic!("no channel {name}")).1
}

/// `channels` of a `rules.json` that has one of every type, by its type's name.
pub(crate) fn channels() -> Value {
    let of_type = |(channel, sample): (&ChannelType, &Sample)| {
        (channel.name().to_owned(), with_type(channel, sample.settings.as_object().unwrap().clone()))
    };
    samples().map(of_type).collect::<Map<_, _>>().into()
}

/// Settings with their type.
pub(crate) fn with_type(channel: &ChannelType, mut settings: Map<String, Value>) -> Value {
    settings.insert("type".to_owned(), json!(channel.name()));
    settings.into()
}

/// The keys without which a channel of this type is none.
pub(crate) fn required(channel: &ChannelType, sample: &Sample) -> Map<String, Value> {
    let is_required = |name: &str| channel.object.key(name).is_some_and(|key| key.is_required);
    let settings = sample.settings.as_object().unwrap().clone();
    settings.into_iter().filter(|(name, _)| is_required(name)).collect()
}

/// Good credentials for every channel of [`channels`], as the secret has them.
pub(crate) fn credentials() -> String {
    let first = |(channel, sample): (&ChannelType, &Sample)| {
        Some((channel.name().to_owned(), sample.credentials.first()?.clone()))
    };
    Value::from(samples().filter_map(first).collect::<Map<_, _>>()).to_string()
}

/// Credentials that are wrong, for every channel that needs some.
pub(crate) fn wrong_credentials() -> String {
    let wrong = |(channel, sample): (&ChannelType, &Sample)| {
        (!sample.wrong_credentials.is_null()).then(|| (channel.name().to_owned(), sample.wrong_credentials.clone()))
    };
    Value::from(samples().filter_map(wrong).collect::<Map<_, _>>()).to_string()
}

impl Sample {
    /// The replies that lead up to the request that carries an alert of which nothing is there yet.
    pub(crate) fn lead_up(&self) -> Vec<Reply> {
        self.lead_up.iter().map(|(status, body)| http(*status, body)).collect()
    }

    /// The same where its ticket is open; `None` of channels that know no tickets.
    pub(crate) fn lead_up_of_a_repeat(&self) -> Option<Vec<Reply>> {
        Some(self.lead_up_of_a_repeat.as_ref()?.iter().map(|(status, body)| http(*status, body)).collect())
    }
}

/// An answer that asks for three seconds, if it asks for anything.
pub(crate) fn http(status: u16, body: &str) -> Reply {
    Reply::Http { status, retry_after: Some(Duration::from_secs(3)), body: body.to_owned() }
}
