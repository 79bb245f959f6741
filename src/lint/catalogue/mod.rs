//! Which calls CloudTrail records: `catalogue.txt`, which `generate.py` writes and describes; and what stands in their records.

mod distance;
mod members;
mod names;
mod services;

pub(super) use self::members::{CallPart, Lookup, Members, Walk};
pub(super) use self::names::{NameTable, camel_case_words, near, suggested};
pub(super) use self::services::{Catalogue, CatalogueCall, Service};
