//! What a type of channel is, and how a channel of `rules.json` is made by its type.

use std::fmt;

use super::configured::{ChannelFilter, ConfiguredChannel, MAX_PER_MINUTE};
use super::{Channel, TYPES};
use crate::config::{
    Advice, KeyDefault, KeySpec, ObjectReader, ObjectSpec, Problems, TaggedSpec, ValueShape, WordList, docs,
};
use crate::json::{Member, Node};
use crate::rules::Incidents;
use crate::rules::compile::{INCIDENT, NAME, SEVERITIES, WEEK_HOURS, incidents};

/// A type of channel: all that there is to know of it before one is configured. Each is declared in its own file, and the
/// reader, the schema, the pages and the tests are made from it.
pub struct ChannelType {
    /// What it is, for the page that lists the types.
    pub summary: &'static str,
    /// What this type of channel makes of a repeat and of a roll-up.
    pub repeats: &'static str,
    /// Its name (`slack`), and the keys that it has in `rules.json`.
    pub object: ObjectSpec,
    /// The keys that it has in the secret; there are none if it needs no credentials.
    pub credentials: &'static [Credential],
    /// Reads the type's own keys.
    pub(super) configure: fn(&mut ObjectReader<'_>, &mut Problems) -> Box<dyn Channel>,
}

/// A key of a channel in the secret.
#[derive(Debug, Clone, Copy)]
pub struct Credential {
    /// The key's name in the secret.
    pub name: &'static str,
    /// What it is, and when it is needed.
    pub docs: &'static str,
}

impl ChannelType {
    /// What `rules.json` calls it.
    pub const fn name(&self) -> &'static str {
        self.object.name
    }
}

impl fmt::Debug for ChannelType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ChannelType").field("name", &self.name()).finish_non_exhaustive()
    }
}

/// The keys that every channel has, beside those of its type.
pub(crate) static COMMON_KEYS: [KeySpec; 13] = [
    KeySpec::required("type", ValueShape::Word(&TYPE_NAMES), docs!("What kind of channel it is.")),
    KeySpec::new("min_severity", ValueShape::Word(&SEVERITIES), docs!("At least this severity.")),
    KeySpec::new("rules", ValueShape::List(&RULE_ID), docs!("Only these rules, by their ids.")),
    KeySpec::new("tags", ValueShape::List(&ValueShape::Text), docs!("Only rules with one of these tags.")),
    KeySpec::new(
        "services",
        ValueShape::List(&ValueShape::Text),
        docs!("Only these services: `ec2`, or `ec2.amazonaws.com`."),
    ),
    KeySpec::new("regions", ValueShape::List(&ValueShape::Text), docs!("Only these regions.")),
    KeySpec::new("accounts", ValueShape::List(&ValueShape::Text), docs!("Only these accounts.")),
    KeySpec::new(
        "account_names",
        ValueShape::List(&ValueShape::Text),
        docs!("Only the accounts of these names, by [`accounts.json`](../rules.md#accounts)."),
    ),
    KeySpec::new(
        "units",
        ValueShape::List(&ValueShape::Text),
        docs!("Only accounts in these organizational units and in those inside them: `Workloads`, `Workloads/Prod`."),
    ),
    KeySpec::new(
        "within",
        ValueShape::Object(&WEEK_HOURS),
        docs!(
            "Only what happens in these hours, by the event's own time: `{ \"zone\": \"Europe/Berlin\", \"days\": \"Mon-Fri\", \"hours\": \"08:00-18:00\" }`."
        ),
    ),
    KeySpec::new(
        "outside",
        ValueShape::Object(&WEEK_HOURS),
        docs!("Only what happens outside of these hours, written as those of `within`."),
    ),
    KeySpec::new(
        "max_per_minute",
        ValueShape::Whole { min: 1, max: 10_000 },
        docs!("How many alerts of one severity its people can read in a minute: what is beyond it becomes one digest."),
    )
    .or(KeyDefault::Value("60")),
    KeySpec::new(
        "incident",
        ValueShape::Object(&INCIDENT),
        docs!(
            "Findings that belong together are told as one [incident](README.md#incidents), instead of rule by rule: `{}` for \
             the usual ones."
        ),
    ),
];

static RULE_ID: ValueShape = ValueShape::Formatted(&NAME);

/// Describes the object that a channel of this type is in `rules.json`: the type's own keys, and those of every channel.
pub(super) const fn object(name: &'static str, docs: &'static str, keys: &'static [KeySpec]) -> ObjectSpec {
    ObjectSpec { name, what: "a channel", docs, keys: [keys, &COMMON_KEYS], at_least_one: &[] }
}

/// What a channel may say in `rules.json`: its `type` decides which keys it has.
pub(crate) static CHANNEL: TaggedSpec = TaggedSpec {
    name: "Channel",
    what: "a channel",
    docs: docs!("A destination. Its credentials stand in the secret, never here."),
    kinds: &OBJECTS,
};

static OBJECTS: [ObjectSpec; TYPES.len()] = {
    let mut objects = [TYPES[0].object; TYPES.len()];
    let mut index = 0;
    while index < objects.len() {
        objects[index] = TYPES[index].object;
        index += 1;
    }
    objects
};

static NAMES: [&str; TYPES.len()] = {
    let mut names = [""; TYPES.len()];
    let mut index = 0;
    while index < names.len() {
        names[index] = TYPES[index].object.name;
        index += 1;
    }
    names
};

static TYPE_NAMES: WordList = WordList { what: "channel type", listed: &NAMES, understood: &[] };

/// What is read of a channel whose type is not known: its type is the mistake to tell, and its type's keys are unknown.
static UNKNOWN: ObjectSpec =
    ObjectSpec { name: "Channel", what: "a channel", docs: "", keys: [&[], &COMMON_KEYS], at_least_one: &[] };

/// Reads a channel of `rules.json`.
pub(crate) fn read<'n>(name: &str, node: &'n Node<'n>, problems: &mut Problems) -> Option<ConfiguredChannel> {
    let known = node.get("type").and_then(Node::as_str);
    let Some(channel_type) = TYPES.iter().find(|channel_type| Some(channel_type.name()) == known) else {
        let mut fields = ObjectReader::new(node, &UNKNOWN, problems)?;
        fields.word("type", problems);
        common(&mut fields, problems);
        // Which other keys it may have is not known; that none of them is a credential is.
        for member in node.members().unwrap_or_default() {
            reports_credential(name, member, problems);
        }
        return None;
    };
    let mut fields = ObjectReader::new(node, &channel_type.object, problems)?;
    fields.get("type");
    let channel = (channel_type.configure)(&mut fields, problems);
    let (filter, max_per_minute, incidents) = common(&mut fields, problems);
    fields.finish_but(problems, |member, problems| reports_credential(name, member, problems));
    Some(ConfiguredChannel { name: name.to_owned(), filter, channel, max_per_minute, incidents })
}

/// Names of credentials that no type of ours has.
const OTHER_CREDENTIALS: [&str; 10] = [
    "access_token",
    "api_key",
    "apikey",
    "auth_token",
    "integration_key",
    "password",
    "secret",
    "token",
    "webhook",
    "webhookurl",
];

/// Reports a credential, which belongs in the secret; whether it is one.
fn reports_credential(channel: &str, member: &Member<'_>, problems: &mut Problems) -> bool {
    let mut known = TYPES.iter().flat_map(|channel_type| channel_type.credentials).map(|credential| credential.name);
    let is_credential = known.any(|name| name == member.key)
        || OTHER_CREDENTIALS.iter().any(|name| name.eq_ignore_ascii_case(&member.key));
    if is_credential {
        let message = format!("\"{}\" is a credential, and rules.json holds none", member.key);
        let help = format!(
            "write it into the secret, under \"{channel}\", and delete it here; if others have seen this file, have the vendor \
             issue a new one"
        );
        let advice = Advice::new(help).hiding(&member.node.span);
        problems.error("unknown-key", &member.key_span, message, advice);
    }
    is_credential
}

fn common(fields: &mut ObjectReader<'_>, problems: &mut Problems) -> (ChannelFilter, u64, Option<Incidents>) {
    let filter = ChannelFilter::read(fields, problems);
    let max_per_minute = fields.whole("max_per_minute", problems).unwrap_or(MAX_PER_MINUTE);
    (filter, max_per_minute, fields.get("incident").and_then(|node| incidents(node, problems)))
}
