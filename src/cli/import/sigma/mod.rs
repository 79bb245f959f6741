//! `offlimits import sigma`: Sigma rules for AWS CloudTrail become rules of ours.
//!
//! `cell` reads one field of a selection with its values, `field` its name, `modifiers` how the values are compared,
//! `wildcards` the texts with `*` and `?`, `logic` joins their conditions; `condition` reads how selections are combined, `detection` resolves them, `table`
//! brings the whole into rows and exceptions, `threshold` reads how often it must be true; `collection` says what each document
//! inherits, and `convert` makes rules of documents.
//!
//! Source of the format: [Sigma Rules Specification 2.0.0](https://sigmahq.io/sigma-specification/specification/sigma-rules-specification.html)
//! and its [modifiers appendix 2.1.0](https://sigmahq.io/sigma-specification/specification/sigma-appendix-modifiers.html).

mod cell;
mod collection;
mod condition;
mod convert;
mod detection;
mod field;
mod logic;
mod modifiers;
mod table;
mod threshold;
mod wildcards;

pub(super) use self::convert::{SigmaCounts, SigmaFiles};
pub(super) use self::table::merged;
