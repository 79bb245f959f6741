//! What is known beside the record, and told to people with it.

use super::accounts::Accounts;
use super::places::Places;

/// What people call accounts, and where addresses are.
#[derive(Debug, Clone, Default)]
pub struct Names {
    /// The names of accounts.
    pub accounts: Option<Accounts>,
    /// The databases of addresses.
    pub places: Option<Places>,
}
