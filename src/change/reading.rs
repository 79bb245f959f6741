//! The parts of a record, as an alert may show them.

use super::value::{listed, shown};
use crate::cloudtrail::{ApiCall, Record};
use crate::facts::{Placed, derived};
use crate::json::write_string;
use crate::redact::{redacted, redacted_text};
use crate::text::ELLIPSIS;

/// A record without its secrets: what the derived fields and the table read of it, and nothing else.
#[derive(Debug)]
pub(super) struct Blanked(Option<Record<'static>>);

impl Blanked {
    /// Of the request and the answer `call` has blanked the secrets already.
    pub(super) fn new(record: &Record<'_>, call: &ApiCall) -> Self {
        let mut json = String::from("{");
        for key in ["eventSource", "eventName", "eventTime", "awsRegion", "recipientAccountId"] {
            if let Some(text) = record.text(&[key]) {
                add(&mut json, key, |json| write_string(json, text));
            }
        }
        let caller = record.text(&["userIdentity", "accountId"]);
        if let Some(account) = caller {
            add(&mut json, "userIdentity", |json| {
                json.push_str("{\"accountId\":");
                write_string(json, account);
                json.push('}');
            });
        }
        for (key, text) in [("requestParameters", &call.request), ("responseElements", &call.response)] {
            if let Some(text) = text {
                add(&mut json, key, |json| json.push_str(text));
            }
        }
        for key in ["serviceEventDetails", "additionalEventData"] {
            if let Some(node) = record.get(key) {
                add(&mut json, key, |json| json.push_str(&redacted(node)));
            }
        }
        json.push('}');
        Self(Record::owned(&json).ok())
    }
}

fn add(json: &mut String, key: &str, value: impl FnOnce(&mut String)) {
    if json.len() > 1 {
        json.push(',');
    }
    write_string(json, key);
    json.push(':');
    value(json);
}

/// The derived field of what a call made to sign in with.
const NEW_CREDENTIAL: &str = "new_credential";

/// A record that is read.
#[derive(Debug)]
pub(super) struct Reading<'r, 't> {
    pub(super) record: &'r Record<'t>,
    /// The same without its secrets, and without most of what is no secret.
    pub(super) blanked: Option<&'r Record<'static>>,
    pub(super) call: &'r ApiCall,
    /// The request and the answer, without the object that EC2 wraps some of them into.
    pub(super) request: Option<Placed<'r>>,
    pub(super) response: Option<Placed<'r>>,
    pub(super) details: Option<Placed<'r>>,
    pub(super) more: Option<Placed<'r>>,
}

impl<'r, 't> Reading<'r, 't> {
    pub(super) fn new(record: &'r Record<'t>, call: &'r ApiCall, blanked: &'r Blanked) -> Self {
        let blanked = blanked.0.as_ref();
        let placed = |key: &str| Placed::top(blanked?, key).map(unwrapped);
        Self {
            record,
            blanked,
            call,
            request: placed("requestParameters"),
            response: placed("responseElements"),
            details: placed("serviceEventDetails"),
            more: placed("additionalEventData"),
        }
    }

    /// What the request has at a path, in words.
    pub(super) fn asked(&self, path: &str) -> Option<String> {
        said(self.request.as_ref(), path)
    }

    /// What the answer has at a path, in words.
    pub(super) fn answered(&self, path: &str) -> Option<String> {
        said(self.response.as_ref(), path)
    }

    /// Whether the sentence names this already as what the call acts on.
    pub(super) fn is_target(&self, value: &str) -> bool {
        let targets = &self.call.targets;
        let is_one = |target: &String| {
            target == value || target.strip_suffix(ELLIPSIS).is_some_and(|start| value.starts_with(start))
        };
        targets.iter().any(is_one) || (!targets.is_empty() && listed(targets) == value)
    }

    /// Whether the sentence names this as what the call acts on, and nothing else.
    pub(super) fn is_only_target(&self, value: &str) -> bool {
        self.call.targets.len() == 1 && self.is_target(value)
    }

    /// The values of a derived field, without secrets.
    pub(super) fn fact(&self, name: &str) -> Vec<String> {
        let Some(field) = derived(name) else { return Vec::new() };
        let call = self.call.service.as_deref().zip(self.call.event.as_deref());
        if !call.is_some_and(|(service, event)| field.understands(service, event)) {
            return Vec::new();
        }
        // The id of what was made to sign in with stands among secrets, and is none.
        let of_record = field.name == NEW_CREDENTIAL;
        let of_blanked = || self.blanked.map(|record| field.of(record)).unwrap_or_default();
        let values = if of_record { field.of(self.record) } else { of_blanked() };
        let shown = |text: &str| if of_record { redacted_text(text).into_owned() } else { text.to_owned() };
        values.iter().map(|value| shown(&value.text)).collect()
    }
}

/// What stands at a path of a document, in words; `None` if nothing does.
pub(super) fn said(document: Option<&Placed<'_>>, path: &str) -> Option<String> {
    let values: Vec<String> = at(document?, path).iter().map(shown).filter(|value| !value.is_empty()).collect();
    (!values.is_empty()).then(|| listed(&values))
}

/// The values to which a path leads: see [`super::entry::Part`].
pub(super) fn at<'n>(document: &Placed<'n>, path: &str) -> Vec<Placed<'n>> {
    let mut found = Vec::new();
    for one in path.split('|') {
        walk(document, one, &mut found);
        if !found.is_empty() {
            break;
        }
    }
    found
}

fn walk<'n>(document: &Placed<'n>, path: &str, found: &mut Vec<Placed<'n>>) {
    let (key, rest) = path.split_once('.').unwrap_or((path, ""));
    for element in document.elements() {
        // EC2 writes the elements of some lists as objects with a `content`.
        let content = element.get("content").filter(|_| element.get("tag").is_some());
        let element = content.unwrap_or(element);
        if key.is_empty() {
            found.push(element);
        } else if let Some(member) = element.get(key) {
            walk(&member, rest, found);
        }
    }
}

/// What newer calls of EC2 have in `DeleteVpcEndpointsRequest`.
fn unwrapped(document: Placed<'_>) -> Placed<'_> {
    let only = match document.node.members() {
        Some([only]) if ["Request", "Req", "Response"].iter().any(|end| only.key.ends_with(end)) => {
            document.get(&only.key)
        }
        _ => None,
    };
    only.filter(|inner| inner.node.members().is_some()).unwrap_or(document)
}
