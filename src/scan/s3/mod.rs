//! Archives in S3: listed folder by folder in CloudTrail's layout, so that other days, accounts and regions are not even
//! listed; fetched some objects ahead of the threads that read them.
//!
//! `access` finds the credentials, the region and the address; `bucket` asks S3 and tries again; `listing` walks the keys.

mod access;
mod bucket;
mod listing;

#[cfg(feature = "aws")]
pub(crate) use rusty_s3::Credentials;

#[cfg(feature = "aws")]
pub(crate) use self::access::{credentials, credentials_of_profile};
pub use self::listing::inputs;
