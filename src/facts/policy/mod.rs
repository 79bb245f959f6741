//! What policies mean: whom they let in, and whether they grant administration, however they are spelt.
//!
//! ```text
//! glob            patterns of * and ?
//! principal       whom a statement names, in one spelling
//! condition       what a condition asks for, and whether a caller can meet it
//! caller          the callers that are tried: strangers of every kind, and those whom a statement names
//! statement       a policy in a record → its statements
//! admission       statements → whom they let in
//! administration  statements → whether they grant administration
//! ```
//! Policies are judged by what callers can do. A condition counts only where it keeps strangers out, and a `Deny` only where it
//! certainly takes back all that an `Allow` of the same document gives, or all of it from strangers; what else the account has
//! (boundaries, policies of the organization) is not known here.

mod administration;
mod admission;
mod caller;
mod condition;
mod glob;
mod principal;
mod statement;

pub(super) use self::administration::administration;
pub(super) use self::admission::{Found, let_in};
pub(super) use self::condition::Condition;
pub(super) use self::glob::{Budget, Glob};
pub(crate) use self::principal::principal_names;
pub(super) use self::principal::{Principals, Who};
pub(super) use self::statement::{Selection, Statement, statements};
