//! What a call's request and response mean, in whatever shape they say it: the networks that it opens, whom a policy lets in,
//! with whom something is shared.
//!
//! A [`DerivedField`] is asked for as any other field is, in a cell, a title or a throttle. It answers with values for people
//! and rules to read, each with the place in the record that decided. Each field declares the calls that it understands: of any
//! other call it says nothing, so that nobody pays for what cannot be there.

mod value;

pub use self::value::{DerivedField, FactValue, ServiceCalls};
