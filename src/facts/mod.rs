//! What a call's request and response mean, in whatever shape they say it: the networks that it opens, whom a policy lets in,
//! with whom something is shared.
//!
//! A [`DerivedField`] is asked for as any other field is, in a cell, a title or a throttle. It answers with values for people
//! and rules to read, each with the place in the record that decided. Each field declares the calls that it understands: of any
//! other call it says nothing, so that nobody pays for what cannot be there.
//!
//! `placed` walks a record and knows where it is; `opening` reads what firewalls let in, and `network` what is the world.
//! `policy` reads what policies mean, and `resource_policies` lists the calls that write them.
//! [`DERIVED`] lists the fields; a line there is all that registers one: cells, titles, the schema for editors, the table in
//! `docs/rules.md`, the lints and the random tests read it.

mod admin_grant;
mod call;
mod credential;
mod customer_key;
mod deletion;
mod lets_in;
mod list;
mod machines;
mod network;
mod opened;
mod opening;
mod parameters;
mod placed;
mod policy;
mod public_access;
mod public_acl;
mod public_block;
mod resource_policies;
mod shared_with;
mod trusted;
mod value;

pub(crate) use self::call::partition;
pub(crate) use self::lets_in::is_outside;
pub use self::list::{DERIVED, derived};
#[cfg(feature = "cli")]
pub(crate) use self::opened::sensitive_port;
pub(crate) use self::opening::firewall_rules;
pub(crate) use self::placed::Placed;
pub(crate) use self::policy::principal_names;
pub(crate) use self::shared_with::no_longer_shared_with;
pub use self::value::{DerivedField, ServiceCalls};
pub use crate::cloudtrail::FactValue;
