//! What CloudTrail writes: how its records arrive, what one holds, who called, and what it says in one sentence.
//!
//! ```text
//! envelope   whatever arrives → its records, as texts ([`RawRecord`])
//!            (`cloudwatch_logs`, `query_rows`, `s3_notification`: the wrappings that need reading of their own)
//! record     a text → a [`Record`]
//! top_level  where a record's fields stand in its text (`top_names`: what they are called)
//! known_paths    the scalars inside two of them that every finding asks for
//! path       the values that stand at a path of it
//! fact       a value that was worked out of a record, and the record's memory of such values
//! alias      short names of paths, and values that are computed from several (`identity`: those about who called;
//!                `acting_service`: whether a service of AWS's does; `answer`: whether nothing was done)
//! credentials    who presents which credentials, and the calls that issue others
//! call       the facts of a record that people are told ([`ApiCall`]), and `sentence`, which sums them up
//! target     what a call acts on, of the catalogue of AWS's calls, and what people call that
//! countries  the country of an address, and `places`: where addresses are, for people to read
//! agent      a user agent, shortened to what tells
//! api_version    the version of an API in the name of a call
//! account_id what an account's id looks like
//! accounts   the names of accounts, and their units (`names`: these and `places`, as a call is told with)
//! own_resources  whether a call names a resource of the function's own
//! spokes     what a hub's spokes in other accounts are called, and their queues
//! ```
//! Nothing here knows a rule. Every field of a record is optional, since eventVersion 1.0 has few and AWS leaves out what is
//! too large: a value that is missing is `None`, never an error.

mod account_id;
pub mod accounts;
mod acting_service;
pub mod agent;
mod alias;
mod alias_source;
mod answer;
mod api_version;
mod call;
mod cloudwatch_logs;
pub mod countries;
pub mod credentials;
pub mod envelope;
pub mod event_rule;
mod fact;
pub mod identity;
pub mod issuing;
mod known_paths;
mod names;
pub mod own_resources;
mod partition;
mod path;
pub mod places;
pub mod probe;
mod query_rows;
mod record;
mod s3_notification;
mod sentence;
mod source_network;
pub mod spokes;
mod target;
mod top_level;
mod top_names;

pub use self::account_id::{account_number, is_account_id};
pub use self::alias::ComputedAlias;
pub(crate) use self::alias::{ALIAS_PATHS, ALIASES, Alias, AliasTarget, compute};
pub use self::alias_source::AliasSource;
pub(crate) use self::answer::may_say_failure;
pub(crate) use self::api_version::without_version;
pub use self::call::ApiCall;
pub use self::fact::FactValue;
pub(crate) use self::known_paths::Known;
pub use self::names::Names;
#[cfg(feature = "cli")]
pub(crate) use self::partition::region_of_iam;
pub(crate) use self::partition::{PARTITIONS, is_region, partition_of};
pub(crate) use self::path::wrapped_list;
pub use self::path::{FieldValue, walk};
pub use self::record::{RawRecord, Record, RecordError};
pub(crate) use self::sentence::{HIDDEN, HIDDEN_SHOWN};
pub(crate) use self::target::{named_targets, short_name};
pub use self::top_names::TOP_LEVEL;
