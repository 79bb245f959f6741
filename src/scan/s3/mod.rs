//! Archives in S3: listed folder by folder in CloudTrail's layout, so that other days, accounts and regions are not even
//! listed; fetched some objects ahead of the threads that read them.
//!
//! `access` finds the credentials, the region and the address; `bucket` asks S3 and tries again; `listing` walks the keys, `fetch`
//! has what is on its way; `store` keeps what is made of archives.

mod access;
mod bucket;
mod fetch;
mod listing;
mod store;

#[cfg(feature = "aws")]
pub(crate) use rusty_s3::Credentials;

#[cfg(feature = "aws")]
pub(crate) use self::access::{credentials, credentials_of_profile};
pub use self::bucket::S3Fault;
pub use self::fetch::ListedObject;
pub use self::listing::{KeyRange, address_parts, inputs, inputs_of_ranges, is_read};
pub use self::store::{Listed, ObjectStore};
