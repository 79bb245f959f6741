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
