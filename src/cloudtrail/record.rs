//! One CloudTrail record, and the values that its fields hold.

use std::borrow::Cow;

use super::alias::{self, AliasSource, ComputedAlias, compute};
use crate::json::Node;

/// One record as it arrived, unread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawRecord {
    /// The record's JSON text.
    pub json: String,
    /// The record's place in what it arrived in, from 0.
    pub index: usize,
    /// The SQS message that brought it, if one did.
    pub message_id: Option<String>,
}

/// One record, read. Every field is optional: eventVersion 1.0 has few, and AWS leaves out what is too large.
#[derive(Debug, Clone)]
pub struct Record<'t> {
    root: Node<'t>,
}

impl<'t> Record<'t> {
    /// Reads a record.
    ///
    /// # Errors
    /// What is wrong with the JSON, safe to log.
    pub fn parse(json: &'t str) -> Result<Self, String> {
        Self::of(Node::parse(json))
    }

    /// As [`Record::parse`], of a text that will not stay.
    ///
    /// # Errors
    /// As [`Record::parse`].
    pub fn owned(json: &str) -> Result<Record<'static>, String> {
        Record::of(Node::owned(json))
    }

    fn of(root: Result<Node<'t>, serde_json::Error>) -> Result<Self, String> {
        let root = root.map_err(|error| format!("not JSON: {error}"))?;
        if root.members().is_none() {
            return Err(format!("a record is an object, and this is {}", root.kind()));
        }
        Ok(Self { root })
    }

    /// The record as a document.
    pub fn root(&self) -> &Node<'t> {
        &self.root
    }

    /// The first scalar at a path of keys, arrays walked.
    pub fn text(&self, path: &[&str]) -> Option<&str> {
        first_scalar(&self.root, path)
    }

    /// As [`Record::text`], where an empty string says nothing.
    pub fn non_empty(&self, path: &[&str]) -> Option<&str> {
        self.text(path).filter(|text| !text.is_empty())
    }

    /// The value of an alias that is computed from several places.
    pub fn computed(&self, alias: ComputedAlias) -> Option<Cow<'_, str>> {
        compute(self, alias)
    }

    /// Whether the call failed: an error code or message that is not empty, or an answer that says `Failure` (console
    /// sign-ins do).
    pub fn failed(&self) -> bool {
        alias::failed(self)
    }

    /// Whether the caller had given a second factor; `None` if the record does not say. A sign-in through an identity
    /// provider says "No" even where the provider asked for one.
    pub fn mfa(&self) -> Option<bool> {
        alias::mfa(self)
    }
}

impl AliasSource for Record<'_> {
    fn text(&self, path: &[&str]) -> Option<&str> {
        first_scalar(&self.root, path)
    }

    fn answers_failure(&self) -> bool {
        let answer = self.text(&["eventName"]).and_then(|event| self.text(&["responseElements", event]));
        answer == Some("Failure")
    }
}

fn first_scalar<'n>(node: &'n Node<'_>, path: &[&str]) -> Option<&'n str> {
    if let Some(elements) = node.elements() {
        return elements.iter().find_map(|element| first_scalar(element, path));
    }
    match path.split_first() {
        None => node.scalar(),
        Some((key, rest)) => first_scalar(node.get(key)?, rest),
    }
}
