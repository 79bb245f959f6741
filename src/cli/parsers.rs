//! What an argument's text must be, where commands ask for the same: the error says what to write.

use crate::cloudtrail::{is_account_id, is_region};
use crate::time::Date;

/// An account's id.
pub(super) fn account(text: &str) -> Result<String, String> {
    is_account_id(text).then(|| text.to_owned()).ok_or_else(|| "not an account: write its twelve digits".to_owned())
}

/// A region's name. It becomes part of an address to which credentials are sent.
pub(super) fn region(text: &str) -> Result<String, String> {
    is_region(text).then(|| text.to_owned()).ok_or_else(|| "not a region: write it as eu-west-1".to_owned())
}

/// A day.
pub(super) fn day(text: &str) -> Result<Date, String> {
    Date::parse(text).ok_or_else(|| "not a day: write it as 2027-03-31".to_owned())
}
