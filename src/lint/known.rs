//! What is known of a field's values.

use super::calls;
use super::catalogue::{Catalogue, NameTable};
use super::logic::{accepts, is_of_texts};
use crate::cloudtrail::identity::IDENTITY_TYPES;
use crate::rules::condition::Condition;
use crate::rules::field::{Field, FieldTarget};

/// The values that a field of the record is known to have.
enum KnownValues {
    Names(&'static NameTable),
    Few(Vec<&'static str>),
}

/// Whether two conditions say the same to each value that the field is known to have: then they are the same. `false` where its
/// values are not known.
pub(crate) fn are_alike(field: &Field, one: &Condition, other: &Condition) -> bool {
    let agree = |value: &str| accepts(one, value).is_some_and(|one| accepts(other, value) == Some(one));
    match known_values(field) {
        None => false,
        Some(KnownValues::Few(values)) => values.into_iter().all(agree),
        Some(KnownValues::Names(names)) if is_of_texts(one) && is_of_texts(other) => {
            let accepted = |condition: &Condition| {
                let literals = condition.required_literals();
                names.accepted(literals.as_deref(), |name| accepts(condition, name) == Some(true))
            };
            accepted(one) == accepted(other)
        }
        Some(KnownValues::Names(names)) => names.accepted(None, |name| !agree(name)).is_empty(),
    }
}

fn known_values(field: &Field) -> Option<KnownValues> {
    let catalogue = Catalogue::get();
    let vocabulary = || field.vocabulary().map(|words| KnownValues::Few(words.to_vec()));
    let FieldTarget::Path(path) = &field.target else { return vocabulary() };
    let path: Vec<&str> = path.iter().map(|key| &**key).collect();
    match path.as_slice() {
        calls::SERVICE => Some(KnownValues::Names(catalogue.service_names())),
        calls::EVENT => Some(KnownValues::Names(catalogue.calls())),
        calls::REGION => Some(KnownValues::Few(catalogue.regions.clone())),
        calls::IDENTITY => Some(KnownValues::Few(IDENTITY_TYPES.to_vec())),
        _ => vocabulary(),
    }
}

/// A call that CloudTrail is known to record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct KnownCall {
    /// The value of `eventSource`.
    pub(crate) service: &'static str,
    /// The value of `eventName`.
    pub(crate) name: &'static str,
    /// It changes nothing.
    pub(crate) reads: bool,
    /// A trail records it only if a selector asks for it.
    pub(crate) data: bool,
}

/// Every call that CloudTrail is known to record, service by service.
pub(crate) fn known_calls() -> impl Iterator<Item = KnownCall> {
    Catalogue::get().services.values().flat_map(|service| {
        let calls = service.calls.iter();
        calls.map(|call| KnownCall { service: service.name, name: &call.name, reads: call.reads, data: call.data })
    })
}
