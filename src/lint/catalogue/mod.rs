//! Which calls CloudTrail records: `catalogue.txt`, which `generate.py` writes and describes.

mod names;
mod services;

pub(super) use self::names::near;
pub(super) use self::services::{Catalogue, CatalogueCall, Service};
