//! What may stand in `rules.json`, for people and their editors: the JSON Schema (`rules.schema.json`), and the tables of keys
//! in `docs/`.
//!
//! Both are made of the tables that the compiler reads with ([`crate::config::ObjectSpec`]), so that none of the three can
//! say anything else than the other two. What depends on more than one place (ids that repeat, lists that are not there,
//! patterns that do not compile) is left to `offlimits check`.

mod document;
mod reference;

pub use self::document::text;
pub use self::reference::{block, channel_pages, titles};
