//! What stands for a channel's vendor in the storms, in the model and in the kills: what it keeps of what it is sent, and what it answers,
//! as `vendor` in `tests/channels/NAME.json` says. `tests/delivery/vendors` and `tests/support/desk.py` play it.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

/// A vendor. In its answers, `{n}` stands for the number of something that it keeps (an issue, an alert, a thread), `{id}` for its id,
/// `{alert}` for the id of its alert, `{NAME}` for what is remembered of it (`keeps`), `{it}` for `object`, and `{found}` for a list of
/// what was found, none or one.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Vendor {
    /// How it shows something that it keeps.
    #[serde(default)]
    pub(crate) object: Value,
    /// Its answers. The first that fits a request is given.
    pub(crate) answers: Vec<Step>,
}

/// A kind of request, and the answer.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Step {
    /// Its method and its path after the channel's URL. `*` is any part, `{id}` the id of something that the vendor keeps.
    pub(crate) to: String,
    /// A header that it lacks.
    #[serde(default)]
    pub(crate) without: Option<String>,
    /// The parameter of its query in which the alert's id stands: the newest of that alert is looked for.
    #[serde(default)]
    pub(crate) finds: Option<String>,
    /// Where the alert's id stands, a pointer: something new is opened for it.
    #[serde(default)]
    pub(crate) opens: Option<String>,
    /// The same, but what is there of that alert is joined.
    #[serde(default)]
    pub(crate) joins: Option<String>,
    /// Where the id of what it belongs to stands, a pointer; without one, something new is opened.
    #[serde(default)]
    pub(crate) adds_to: Option<String>,
    /// The id of what it opens.
    #[serde(default = "id_of_the_alert")]
    pub(crate) id: String,
    /// What is remembered of what it opens, or of what its path names: by names, pointers.
    #[serde(default)]
    pub(crate) keeps: BTreeMap<String, String>,
    /// Whether people can read it from then on.
    #[serde(default)]
    pub(crate) tells: Tells,
    /// The header that has the message's key; without one, it is taken from the footer.
    #[serde(default)]
    pub(crate) key_in: Option<String>,
    /// Whether a message with whose key something was opened (of its alert, where it joins one) is known again, and opens nothing.
    #[serde(default)]
    pub(crate) once: bool,
    /// A status and a body: a document, a text, or none.
    pub(crate) answer: (u16, Value),
    /// The answer where what it is about is not there.
    #[serde(default)]
    pub(crate) otherwise: Option<(u16, Value)>,
}

/// Whether people can read a message.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Tells {
    Always(bool),
    /// Where one of these words stands at each of these places.
    Of(BTreeMap<String, Vec<String>>),
}

impl Default for Tells {
    fn default() -> Self {
        Self::Always(false)
    }
}

impl Step {
    /// Method and path.
    pub(crate) fn place(&self) -> (&str, Vec<&str>) {
        let mut parts = self.to.split([' ', '/']);
        (parts.next().unwrap(), parts.collect())
    }
}

fn id_of_the_alert() -> String {
    "{alert}".to_owned()
}
