//! The drill by real calls: made in a sandbox account, each of which changes nothing, and found again as alerts.
//!
//! [`table`] reads the calls (`calls.json`), [`plan`] chooses one for each rule by the record that CloudTrail will write
//! ([`marked`]), [`account`] makes sure whose account it is, [`calling`] makes the calls, and [`history`] finds their records in the
//! account's event history, by which the ledger is asked as in a drill by replay.

mod account;
mod calling;
mod history;
mod marked;
mod plan;
mod print;
mod run;
mod table;

pub(super) use self::run::run;
