//! One CloudTrail record: as it arrives, and parsed.

use std::borrow::Cow;
use std::sync::OnceLock;

use super::alias::{self, ComputedAlias, compute};
use super::alias_source::AliasSource;
use super::answer::{self, AnswerSource};
use super::fact::{FactMemory, FactValue};
use super::known_paths::{Known, may_hold_json};
use super::path::first_scalar_that;
use super::top_level::{TopField, TopLevel};
use super::top_names::TopName;
use crate::json::{Node, NotJson, Value, why_not_json};

/// One record as it arrived: text that has been found to be JSON, and is otherwise unread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawRecord {
    /// The JSON text.
    pub json: String,
    /// The record's number among those that arrived with it, from 0.
    pub index: usize,
    /// The SQS message that brought it, if one did.
    pub message_id: Option<String>,
    /// The account that EventBridge's envelope named: of twelve digits.
    pub account: Option<String>,
}

impl RawRecord {
    /// The record, parsed, which knows in what it arrived.
    ///
    /// # Errors
    /// As [`Record::parse`].
    pub fn parse(&self) -> Result<Record<'_>, RecordError> {
        Ok(Record::parse(&self.json)?.in_envelope_of(self.account.as_deref()))
    }
}

/// One record, parsed. Every field is optional: eventVersion 1.0 has few, and AWS leaves out what is too large.
#[derive(Debug, Clone)]
pub struct Record<'t> {
    text: Cow<'t, str>,
    top_level: TopLevel<'t>,
    /// The record as a document, once somebody has asked for all of it.
    root: OnceLock<Box<Node<'t>>>,
    facts: FactMemory,
    /// What the answer says of it, once somebody has asked: the outcome is asked for by rules, titles and every sentence.
    answers_failure: OnceLock<bool>,
    /// The account that the envelope named.
    envelope_account: Option<Box<str>>,
}

/// Why a text is not a record. It says what is wrong and where, and quotes nothing of the text: it is safe to log.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// The text is not JSON.
    #[error("not JSON: {0}")]
    NotJson(#[from] serde_json::Error),
    /// It is JSON, but not an object. What it is instead, with its article: `an array`.
    #[error("a record is an object, and this is {0}")]
    NotAnObject(&'static str),
}

impl<'t> Record<'t> {
    /// Parses a record, which borrows what it can from the text.
    ///
    /// # Errors
    /// The text is not JSON, or not an object.
    pub fn parse(json: &'t str) -> Result<Self, RecordError> {
        Self::of(Cow::Borrowed(json))
    }

    /// Parses a record that outlives its text.
    ///
    /// # Errors
    /// As [`Record::parse`].
    pub fn owned(json: &str) -> Result<Record<'static>, RecordError> {
        Record::of(Cow::Owned(json.to_owned()))
    }

    fn of(text: Cow<'t, str>) -> Result<Self, RecordError> {
        let top_level = match TopLevel::split(&text) {
            Ok(Some(top_level)) => top_level,
            Ok(None) => return Err(RecordError::NotAnObject(Node::parse(&text)?.kind())),
            Err(NotJson) => return Err(why_not_json(&text).into()),
        };
        Ok(Self {
            text,
            top_level,
            root: OnceLock::new(),
            facts: FactMemory::default(),
            answers_failure: OnceLock::new(),
            envelope_account: None,
        })
    }

    /// The record as it arrived in an envelope that names this account, if it names one.
    #[must_use]
    pub fn in_envelope_of(self, account: Option<&str>) -> Self {
        Self { envelope_account: account.map(Into::into), ..self }
    }

    /// The account by the record alone, whatever it arrived in: what ids are made of.
    pub fn own_account(&self) -> Option<&str> {
        alias::account(self, None)
    }

    /// The record as a document. All of it is read for that, which [`Record::get`] does not.
    pub fn root(&self) -> &Node<'t> {
        self.root.get_or_init(|| {
            let whole = 0..self.text.len();
            let root = match &self.text {
                Cow::Borrowed(text) => Node::parse(text),
                Cow::Owned(text) => Node::owned(text),
            };
            // The text has been found to be JSON.
            Box::new(root.unwrap_or(Node { span: whole, value: Value::Null }))
        })
    }

    /// The field of this name at the top of the record; the last one if it is repeated. It is read when it is first asked for.
    pub fn get(&self, key: &str) -> Option<&Node<'t>> {
        let Some(name) = TopName::of(key) else {
            return if self.top_level.has_others() { self.root().get(key) } else { None };
        };
        self.top_level.node(name, |place| match &self.text {
            Cow::Borrowed(text) => Node::member(text, place),
            Cow::Owned(text) => Node::owned_member(text, place),
        })
    }

    /// The first scalar at a path of keys. Arrays on the way are walked, and a text that holds JSON is entered.
    pub fn text(&self, path: &[&str]) -> Option<&str> {
        self.text_that(path, &|_| true)
    }

    fn text_that(&self, path: &[&str], accepts: &dyn Fn(&str) -> bool) -> Option<&str> {
        match self.known(path) {
            Known::Text(text) | Known::Word(text) => Some(text).filter(|text| accepts(text)),
            Known::Missing => None,
            Known::Unknown => {
                let (key, rest) = path.split_first()?;
                first_scalar_that(self.get(key)?, rest, accepts)
            }
        }
    }

    /// What stands at a path of keys, if that is known without reading the field at the top into a document: most often it is.
    pub(crate) fn known(&self, path: &[impl AsRef<str>]) -> Known<'_> {
        let Some((key, rest)) = path.split_first() else { return Known::Unknown };
        let Some(name) = TopName::of(key.as_ref()) else { return Known::Unknown };
        match self.top_level.field(&self.text, name) {
            None => Known::Missing,
            Some(TopField::Plain(text)) if rest.is_empty() => Known::Text(text),
            Some(TopField::Plain(text)) if !may_hold_json(text) => Known::Missing,
            Some(TopField::Json(json)) => match json.as_bytes().first() {
                Some(b'n') => Known::Missing,
                Some(b'{') if !rest.is_empty() => self.top_level.known().at(name, &self.text, rest),
                Some(b'{' | b'[' | b'"') => Known::Unknown,
                _ if rest.is_empty() => Known::Word(json),
                _ => Known::Missing,
            },
            Some(TopField::Plain(_)) => Known::Unknown,
        }
    }

    /// The first scalar at a path, unless it is empty.
    pub fn non_empty(&self, path: &[&str]) -> Option<&str> {
        self.text(path).filter(|text| !text.is_empty())
    }

    /// The value of an alias that is computed from several places.
    pub fn computed(&self, alias: ComputedAlias) -> Option<Cow<'_, str>> {
        compute(self, alias)
    }

    /// The values of this name that `work_out` makes of the record. They are worked out when they are first asked for.
    pub(crate) fn remembered(
        &self,
        name: &'static str,
        work_out: impl FnOnce(&Self) -> Vec<FactValue>,
    ) -> &[FactValue] {
        self.facts.get(name, || work_out(self))
    }

    /// Whether the call failed: an error code or message that is not empty, or an answer that says so.
    pub fn failed(&self) -> bool {
        alias::failed(self)
    }

    /// Whether the caller had given a second factor; `None` if the record does not say. A sign-in through an identity
    /// provider says "No" even where the provider asked for one.
    pub fn mfa(&self) -> Option<bool> {
        alias::mfa(self)
    }
}

impl AnswerSource for Record<'_> {
    fn scalar(&self, path: &[&str]) -> Option<&str> {
        self.text(path)
    }

    fn field(&self, key: &str) -> Option<&Node<'_>> {
        self.get(key)
    }

    fn object_text(&self, key: &str) -> Option<&str> {
        match self.top_level.field(&self.text, TopName::of(key)?)? {
            TopField::Json(json) if json.starts_with('{') => Some(json),
            _ => None,
        }
    }
}

impl AliasSource for Record<'_> {
    fn text(&self, path: &[&str]) -> Option<&str> {
        self.text(path)
    }

    fn first_that(&self, path: &[&str], accepts: &dyn Fn(&str) -> bool) -> Option<Cow<'_, str>> {
        self.text_that(path, accepts).map(Cow::Borrowed)
    }

    fn envelope_account(&self) -> Option<&str> {
        self.envelope_account.as_deref()
    }

    fn answers_failure(&self) -> bool {
        *self.answers_failure.get_or_init(|| answer::says_failure(self))
    }
}
