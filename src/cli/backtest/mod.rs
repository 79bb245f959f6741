//! `offlimits backtest`: what the rules would have found in archives, and what would have been sent.

mod arrivals;
mod command;
mod delivery;
mod messages;
mod names;
mod playback;
mod print;
mod report;
mod sessions;
mod summary;
mod tally;
#[cfg(test)]
mod tests;

pub(super) use self::command::{BacktestCommand, BacktestOutput, end};
#[cfg(feature = "aws")]
pub(super) use self::command::{BacktestFormat, BacktestPlayed, TakeFinding, typed};
#[cfg(feature = "aws")]
pub(super) use self::delivery::DeliveryVisitor;
pub(super) use self::tally::BacktestTally;
