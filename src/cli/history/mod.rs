//! `offlimits history`: an archive of any size, read by functions of AWS Lambda beside it, with the engine and the answers of `backtest`.
//!
//! ```text
//! plan     walk → survey → pack: which keys there are, cut into parts; price: what it costs
//! start    hands the plan to the state machine of deploy/history.yaml
//! work     what its functions run: reader reads a part a slice at a time and keeps the records that match; merge plays them back
//! watch    how far it is
//! report   kept: the records that were kept, through `backtest`'s own second half
//! ```
//! A part's reader keeps the *records* that match, whole and in their order, and not the findings. Whoever reports evaluates these few
//! once more: so there is one way to findings, their repeats and their messages, and it is `backtest`'s. `results` says where
//! everything lies, and [`tally`](tally) what a reader says of what it has read.

mod command;
#[cfg(feature = "aws")]
mod kept;
#[cfg(feature = "aws")]
mod matched;
#[cfg(feature = "aws")]
mod merge;
mod options;
#[cfg(feature = "aws")]
mod pack;
#[cfg(feature = "aws")]
mod part;
#[cfg(feature = "aws")]
mod place;
#[cfg(feature = "aws")]
mod plan;
#[cfg(feature = "aws")]
mod planning;
#[cfg(feature = "aws")]
mod price;
#[cfg(feature = "aws")]
mod reader;
#[cfg(feature = "aws")]
mod report;
#[cfg(feature = "aws")]
mod results;
#[cfg(feature = "aws")]
mod rules_kept;
#[cfg(feature = "aws")]
mod runtime;
#[cfg(feature = "aws")]
mod search;
#[cfg(feature = "aws")]
mod start;
#[cfg(feature = "aws")]
mod survey;
#[cfg(feature = "aws")]
mod tally;
#[cfg(feature = "aws")]
mod walk;
#[cfg(feature = "aws")]
mod watch;
#[cfg(feature = "aws")]
mod work;

pub(super) use self::command::HistoryCommand;
