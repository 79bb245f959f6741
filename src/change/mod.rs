//! What a call changed, in words for whoever is woken by it: `inbound: tcp 22 from 0.0.0.0/0`, `policy everything: Allow * on *`.
//!
//! ```text
//! calls      the table: one entry a call, which says what is told of it
//! entry      what an entry is, and its parts
//! read       an entry × a record → what is told
//! reading    the parts of a record, their secrets blanked, and the values that stand in them
//! value      a value of a request as people read it
//! statement  the statements of policies, in words, the most dangerous first
//! special    what takes more than a path: firewalls, machines, states, sharing, sign-ins
//! general    every other call: the derived fields, and the request in compact lines
//! told       what has been told so far, and its bounds
//! ```
//! All is read from the request and the answer as an alert may show them, after [`crate::redact`]; only derived fields are worked
//! out of the record itself, and blanked then. Of a call that failed it is told what was asked for. Values are the caller's:
//! they are made one line of printable characters here, and each channel makes them inert for its own target.

mod calls;
mod entry;
mod general;
mod read;
mod reading;
mod special;
mod statement;
#[cfg(test)]
mod tests;
mod told;
mod value;

pub use self::calls::documented_calls;
pub use self::read::changes;
pub use self::told::Change;
