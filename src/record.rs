//! One CloudTrail record, and the values that its fields hold.

use std::borrow::Cow;

use crate::identity;
use crate::json::Node;
use crate::rules::field::{Derived, Field, Target, walk};

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

/// One value of a field.
#[derive(Debug, Clone)]
pub enum Found<'r> {
    /// What stands at a path: a scalar or an object, never null or an array.
    Node(&'r Node<'r>),
    /// An alias's value, or a scalar that was picked from a record that has not been read.
    Derived(Cow<'r, str>),
}

/// What a field's path starts from.
#[derive(Debug, Clone, Copy)]
pub enum Scope<'r> {
    /// The record.
    Record(&'r Record<'r>),
    /// One element, inside `item`.
    Element(&'r Node<'r>),
    /// A record that has not been read: for conditions that look at no other field.
    Unread,
}

/// What the aliases are worked out from: a record that has been read, or the fields picked from one that has not.
pub trait Facts {
    /// The first scalar at a path of keys, arrays walked.
    fn text(&self, path: &[&str]) -> Option<&str>;

    /// Whether the answer to this call says `Failure`, as those to console sign-ins do.
    fn answers_failure(&self) -> bool;

    /// As [`Facts::text`], where an empty string says nothing.
    fn filled(&self, path: &[&str]) -> Option<&str> {
        self.text(path).filter(|text| !text.is_empty())
    }
}

/// The paths that [`alias`] asks for. One that were missing here would cost time, not truth: the record is read whole.
pub(crate) const FACTS: [&[&str]; 18] = [
    ACCOUNT,
    CALLERS_ACCOUNT,
    &["additionalEventData", "MFAUsed"],
    &["additionalEventData", "UserName"],
    &["errorCode"],
    &["errorMessage"],
    &["eventName"],
    &["eventSource"],
    &["responseElements"],
    &["sourceIPAddress"],
    &["userIdentity", "arn"],
    &["userIdentity", "invokedBy"],
    &["userIdentity", "onBehalfOf", "userId"],
    &["userIdentity", "principalId"],
    &["userIdentity", "sessionContext", "attributes", "mfaAuthenticated"],
    &["userIdentity", "sessionContext", "sessionIssuer", "type"],
    &["userIdentity", "sessionContext", "sessionIssuer", "userName"],
    &["userIdentity", "userName"],
];

const ACCOUNT: &[&str] = &["recipientAccountId"];
const CALLERS_ACCOUNT: &[&str] = &["userIdentity", "accountId"];

/// The value of an alias that is more than a short name of one path.
pub(crate) fn alias<'f>(facts: &'f impl Facts, target: &Target) -> Option<Cow<'f, str>> {
    match target {
        Target::Path(_) => None,
        Target::Derived(alias) => derived(facts, *alias),
        Target::Country(countries) => {
            facts.text(&["sourceIPAddress"]).and_then(|address| countries.of(address)).map(Cow::from)
        }
    }
}

fn derived(facts: &impl Facts, alias: Derived) -> Option<Cow<'_, str>> {
    match alias {
        Derived::Account => facts.filled(ACCOUNT).or_else(|| facts.filled(CALLERS_ACCOUNT)).map(Cow::from),
        Derived::Outcome => Some(if failed(facts) { "failure" } else { "success" }.into()),
        Derived::Mfa => mfa(facts).map(|mfa| if mfa { "yes" } else { "no" }.into()),
        Derived::User => identity::user(facts).map(Cow::from),
        Derived::Role => identity::role(facts).map(Cow::from),
        Derived::Session => identity::session(facts).map(Cow::from),
        Derived::Actor => identity::actor(facts),
    }
}

fn failed(facts: &impl Facts) -> bool {
    facts.filled(&["errorCode"]).is_some() || facts.filled(&["errorMessage"]).is_some() || facts.answers_failure()
}

fn mfa(facts: &impl Facts) -> Option<bool> {
    let said = facts
        .text(&["additionalEventData", "MFAUsed"])
        .or_else(|| facts.text(&["userIdentity", "sessionContext", "attributes", "mfaAuthenticated"]))?;
    match said.to_ascii_lowercase().as_str() {
        "yes" | "true" => Some(true),
        "no" | "false" => Some(false),
        _ => None,
    }
}

impl<'r> Scope<'r> {
    /// The set of values that `field` has here.
    pub fn values(self, field: &Field) -> Vec<Found<'r>> {
        let start = match (self, &field.target) {
            (Self::Record(record), Target::Derived(_) | Target::Country(_)) => {
                return alias(record, &field.target).map(Found::Derived).into_iter().collect();
            }
            // `Field::of_element` makes no derived field.
            (Self::Element(_), Target::Derived(_) | Target::Country(_)) | (Self::Unread, _) => return Vec::new(),
            (Self::Record(record), Target::Path(_)) => &record.root,
            (Self::Element(element), Target::Path(_)) => element,
        };
        let Target::Path(path) = &field.target else { return Vec::new() };
        let mut found = Vec::new();
        walk(start, path, &mut found);
        found
    }
}

impl Found<'_> {
    /// The text that a pattern searches: the scalar, or the object's compact JSON.
    pub fn text(&self) -> Cow<'_, str> {
        match self {
            Self::Derived(text) => Cow::Borrowed(text),
            Self::Node(node) => node.scalar().map_or_else(|| node.compact().into(), Cow::Borrowed),
        }
    }

    /// The scalar, if it is one.
    pub fn scalar(&self) -> Option<&str> {
        match self {
            Self::Derived(text) => Some(text),
            Self::Node(node) => node.scalar(),
        }
    }
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
    pub fn filled(&self, path: &[&str]) -> Option<&str> {
        self.text(path).filter(|text| !text.is_empty())
    }

    /// The value of an alias that is worked out from several places.
    pub fn derived(&self, alias: Derived) -> Option<Cow<'_, str>> {
        derived(self, alias)
    }

    /// Whether the call failed: an error code or message that is not empty, or an answer that says `Failure` (console
    /// sign-ins do).
    pub fn failed(&self) -> bool {
        failed(self)
    }

    /// Whether the caller had given a second factor; `None` if the record does not say. A sign-in through an identity
    /// provider says "No" even where the provider asked for one.
    pub fn mfa(&self) -> Option<bool> {
        mfa(self)
    }
}

impl Facts for Record<'_> {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn derived(json: &str, written: &str) -> Option<String> {
        let record = Record::parse(json).unwrap();
        let field = Field::of_record(written).unwrap();
        let values = Scope::Record(&record).values(&field);
        assert!(values.len() <= 1);
        values.first().map(|value| value.text().into_owned())
    }

    #[test]
    fn outcome_reads_every_place_where_a_failure_is_told() {
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(derived("{}", "outcome"), some("success"));
        assert_eq!(derived(r#"{"errorCode":""}"#, "outcome"), some("success"));
        assert_eq!(derived(r#"{"errorCode":"AccessDenied"}"#, "outcome"), some("failure"));
        assert_eq!(derived(r#"{"errorMessage":"Failed authentication"}"#, "outcome"), some("failure"));
        let sign_in = r#"{"eventName":"ConsoleLogin","responseElements":{"ConsoleLogin":"Failure"}}"#;
        assert_eq!(derived(sign_in, "outcome"), some("failure"));
    }

    #[test]
    fn mfa_is_yes_no_or_missing() {
        assert_eq!(derived(r#"{"additionalEventData":{"MFAUsed":"YES"}}"#, "mfa").as_deref(), Some("yes"));
        let session = |word: &str| {
            format!(r#"{{"userIdentity":{{"sessionContext":{{"attributes":{{"mfaAuthenticated":"{word}"}}}}}}}}"#)
        };
        assert_eq!(derived(&session("false"), "mfa").as_deref(), Some("no"));
        assert_eq!(derived(&session("perhaps"), "mfa"), None);
        assert_eq!(derived("{}", "mfa"), None);
    }

    #[test]
    fn account_is_the_recipient_then_the_callers() {
        let both = r#"{"recipientAccountId":"1","userIdentity":{"accountId":"2"}}"#;
        assert_eq!(derived(both, "account").as_deref(), Some("1"));
        assert_eq!(derived(r#"{"userIdentity":{"accountId":"2"}}"#, "account").as_deref(), Some("2"));
    }
}
