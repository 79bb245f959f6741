//! What others hold of this product, as it was: ids, stored items, queued messages, metrics, the keys of what is printed,
//! codes, options, parameters. A stack in the field has items and messages of an older version in its table and its queues,
//! its vendors have incidents open under our ids, and people's scripts read our JSON: none of that can be renamed.
//!
//! The fixtures beside this file were made by the code that first wrote them, and the code is held to them in both
//! directions: it still writes the same, and it still acts upon what was written then.
//!
//! # When something joins
//! `OFFLIMITS_GOLDEN=write cargo test --all-features --test integration golden` writes what has joined into the fixtures: a new key, a new
//! code, a new scenario. It never overwrites: what has changed or gone stays red. If such a change is really meant (and the
//! versions in the field can live with it), delete the old value from its fixture by hand, say why in the commit, and then
//! write.
//!
//! # Where things are
//! [`product`] names everything of the crate that these tests use, and is all that must follow when a path or a name in the
//! code moves. `input` holds what the fixtures were made from: whoever changes a file there changes the fixtures.

pub(crate) mod compare;
#[cfg(feature = "lambda")]
mod dynamodb;
mod formats;
#[cfg(feature = "lambda")]
pub(crate) mod http;
mod ids;
mod ledger;
mod messages;
mod names;
mod outside;
mod printed;
mod product;
#[cfg(feature = "lambda")]
pub(crate) mod runtime;
