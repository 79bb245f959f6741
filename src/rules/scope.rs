//! Where a condition looks for its field's values: in the whole record, in one element of an array, or nowhere else.

use std::borrow::Cow;

use super::field::{Field, FieldTarget};
use crate::cloudtrail::{
    AliasSource, ComputedAlias, FieldValue, Known, Record, compute, named_targets, short_name, walk,
};
use crate::json::Node;

/// What a field's path starts from.
#[derive(Debug, Clone, Copy)]
pub enum Scope<'r, 't> {
    /// A path starts from the top of the record.
    Record(&'r Record<'t>),
    /// A path starts from one element of an array, inside `item`.
    Element(&'r Node<'r>),
    /// There is nowhere to start from: only the field's own values were extracted from the record. This serves conditions that
    /// look at no other field.
    ExtractedFields,
}

impl<'r> Scope<'r, '_> {
    /// The values that `field` has here, if they are known without reading a document.
    pub(super) fn known(self, field: &Field) -> Known<'r> {
        match (self, &field.target) {
            (Self::Record(record), FieldTarget::Path(path)) => record.known(path),
            _ => Known::Unknown,
        }
    }

    /// The set of values that `field` has here.
    pub fn values(self, field: &Field) -> Vec<FieldValue<'r>> {
        let mut found = Vec::new();
        match (self, &field.target) {
            (
                Self::Record(record),
                FieldTarget::Computed(_)
                | FieldTarget::Country(_)
                | FieldTarget::OfAccount(..)
                | FieldTarget::OwnResource(_),
            ) => {
                return computed(record, &field.target).map(FieldValue::Scalar).into_iter().collect();
            }
            // `Field::parse_in_element` makes no computed field.
            (
                Self::Element(_),
                FieldTarget::Computed(_)
                | FieldTarget::Derived(_)
                | FieldTarget::Country(_)
                | FieldTarget::OfAccount(..)
                | FieldTarget::OwnResource(_)
                | FieldTarget::Targets,
            )
            | (Self::ExtractedFields, _) => return Vec::new(),
            (Self::Record(record), FieldTarget::Derived(field)) => {
                return field.of(record).iter().map(|value| FieldValue::Scalar(value.text.as_str().into())).collect();
            }
            (Self::Record(record), FieldTarget::Targets) => {
                let own = record.computed(ComputedAlias::Account);
                let said = named_targets(record).iter().map(|name| short_name(&name.text, own.as_deref()));
                return said.map(FieldValue::Scalar).collect();
            }
            (Self::Record(record), FieldTarget::Path(path)) => {
                if let Some((key, rest)) = path.split_first()
                    && let Some(node) = record.get(key)
                {
                    walk(node, rest, &mut found);
                }
            }
            (Self::Element(element), FieldTarget::Path(path)) => walk(element, path, &mut found),
        }
        found
    }
}

/// The value of an alias that is more than a path.
pub(crate) fn computed<'s>(source: &'s impl AliasSource, target: &FieldTarget) -> Option<Cow<'s, str>> {
    match target {
        FieldTarget::Path(_) | FieldTarget::Derived(_) | FieldTarget::Targets => None,
        FieldTarget::Computed(alias) => compute(source, *alias),
        FieldTarget::OwnResource(own) => own.named_in(source),
        FieldTarget::OfAccount(fact, accounts) => {
            let account = compute(source, ComputedAlias::Account)?;
            accounts.fact(&account, *fact).map(Cow::from)
        }
        FieldTarget::Country(countries) => {
            source.text(&["sourceIPAddress"]).and_then(|address| countries.country_of(address)).map(Cow::from)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloudtrail::Record;

    fn derived(json: &str, written: &str) -> Option<String> {
        let record = Record::parse(json).unwrap();
        let field = Field::parse(written).unwrap();
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
    fn account_is_the_recipients_then_the_envelopes_then_the_callers() {
        let both = r#"{"recipientAccountId":"1","userIdentity":{"accountId":"2"}}"#;
        assert_eq!(derived(both, "account").as_deref(), Some("1"));
        let callers = r#"{"userIdentity":{"accountId":"2"}}"#;
        assert_eq!(derived(callers, "account").as_deref(), Some("2"));
        let in_envelope = |json: &str| {
            let record = Record::parse(json).unwrap().in_envelope_of(Some("3"));
            let values = Scope::Record(&record).values(&Field::parse("account").unwrap());
            let account = values.first().unwrap().text().into_owned();
            (account, record.own_account().map(str::to_owned))
        };
        assert_eq!(in_envelope(both), ("1".to_owned(), Some("1".to_owned())));
        assert_eq!(in_envelope(callers), ("3".to_owned(), Some("2".to_owned())));
        assert_eq!(in_envelope("{}"), ("3".to_owned(), None));
    }
}
