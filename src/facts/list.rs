//! The list of all derived fields.

use super::admin_grant::ADMIN_GRANT;
use super::credential::NEW_CREDENTIAL;
use super::customer_key::CUSTOMER_KEY;
use super::deletion::DELETION_DATE;
use super::lets_in::{LETS_IN, LETS_IN_OUTSIDE};
use super::machines::{INSTANCE_COUNT, INSTANCE_TYPE};
use super::opened::{OPENED, OPENED_NETWORKS, OPENED_TO_WORLD, SENSITIVE_PORTS_TO_WORLD};
use super::public_access::PUBLIC_ACCESS;
use super::shared_with::SHARED_WITH;
use super::trusted::TRUSTED;
use super::value::DerivedField;

/// Every derived field.
pub static DERIVED: &[&DerivedField] = &[
    &OPENED,
    &OPENED_NETWORKS,
    &OPENED_TO_WORLD,
    &SENSITIVE_PORTS_TO_WORLD,
    &INSTANCE_TYPE,
    &INSTANCE_COUNT,
    &CUSTOMER_KEY,
    &DELETION_DATE,
    &NEW_CREDENTIAL,
    &ADMIN_GRANT,
    &LETS_IN,
    &LETS_IN_OUTSIDE,
    &TRUSTED,
    &PUBLIC_ACCESS,
    &SHARED_WITH,
];

/// The derived field of this name.
pub fn derived(name: &str) -> Option<&'static DerivedField> {
    DERIVED.iter().copied().find(|field| field.name == name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::cloudtrail::{ALIASES, TOP_LEVEL, without_version};

    #[test]
    fn each_field_has_a_name_of_its_own_and_calls_of_its_own() {
        let names: BTreeSet<&str> = DERIVED.iter().map(|field| field.name).collect();
        assert_eq!(names.len(), DERIVED.len());
        for field in DERIVED {
            assert!(ALIASES.iter().all(|alias| alias.name != field.name) && !TOP_LEVEL.contains(&field.name));
            assert!(field.name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{}", field.name);
            let calls: BTreeSet<(&str, &str)> = field.each_call().collect();
            assert!(!calls.is_empty() && calls.len() == field.each_call().count(), "{}", field.name);
            for (service, event) in calls {
                assert!(service.ends_with(".amazonaws.com") && without_version(event) == event, "{service} {event}");
                assert!(field.understands(service, &format!("{event}20150331v2")), "{service} {event}");
            }
        }
    }
}
