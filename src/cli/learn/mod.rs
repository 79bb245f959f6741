//! `offlimits learn`: who makes which off-limits call all the time, and the exceptions that a person may accept for it.
//!
//! ```text
//! observe    each finding of the archive, with who made the call: a habit is a rule × caller × call
//! caller     who made it, by what AWS vouches for
//! habit      what is known of it: when, how often, to what, from where
//! proposal   the exception for a habit, or why there is none
//! against    which proposals would lose a finding in other records
//! insert     exceptions in the text of a rules.json
//! print      for people, and as JSON
//! ```

mod against;
mod caller;
mod command;
mod habit;
mod insert;
mod observe;
mod print;
mod proposal;

pub(super) use self::command::LearnCommand;
