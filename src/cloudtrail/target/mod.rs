//! What a call acts on: where its record names it, and what people call it.
//!
//! ```text
//! names      the names of a record's target: by the catalogue, or else by the guess, or else its resources
//! catalogue  which members name it, by service and call: `targets.txt`, which `generate.py` makes of AWS's own models
//! guess      the same for calls that the catalogue does not have, by what the members are called
//! search     the values of such members, in each of the shapes that CloudTrail gives them
//! short_name an ARN, or the URL of a queue, as people say it
//! ```

mod catalogue;
mod guess;
mod names;
mod search;
mod short_name;

pub(crate) use self::names::named_targets;
pub(crate) use self::short_name::short_name;
