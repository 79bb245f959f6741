//! What is known of a field's values.

use super::calls;
use super::catalogue::Catalogue;
use crate::cloudtrail::identity::IDENTITY_TYPES;
use crate::rules::field::{Field, FieldTarget};

/// The values that a field of the record is known to have, if they are: two conditions that say the same to each of them are
/// the same.
pub(crate) fn known_values(field: &Field) -> Option<Vec<&'static str>> {
    let catalogue = Catalogue::get();
    let FieldTarget::Path(path) = &field.target else { return field.vocabulary().map(<[_]>::to_vec) };
    let path: Vec<&str> = path.iter().map(|key| &**key).collect();
    match path.as_slice() {
        calls::SERVICE => Some(catalogue.services.keys().copied().collect()),
        calls::EVENT => {
            let services = catalogue.services.values();
            Some(services.flat_map(|service| service.calls.iter().map(|call| call.name.as_str())).collect())
        }
        calls::REGION => Some(catalogue.regions.clone()),
        calls::IDENTITY => Some(IDENTITY_TYPES.to_vec()),
        _ => field.vocabulary().map(<[_]>::to_vec),
    }
}

/// A call that CloudTrail is known to record.
#[derive(Debug, Clone, Copy)]
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
