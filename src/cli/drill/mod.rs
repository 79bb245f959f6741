//! `offlimits drill`: sends the calls that rules are tested with through a deployed function, or makes harmless ones in a sandbox account
//! ([`sandbox`]), and waits until each has become an alert.

#[cfg(feature = "aws")]
mod await_alerts;
mod command;
#[cfg(feature = "aws")]
mod exercise;
#[cfg(feature = "aws")]
mod inbox;
#[cfg(feature = "aws")]
mod print;
mod question;
#[cfg(feature = "aws")]
mod replay;
#[cfg(feature = "aws")]
mod report;
#[cfg(feature = "aws")]
mod sandbox;

pub(in crate::cli) use self::command::DrillCommand;
