//! `offlimits coverage`: what rules watch for, by ATT&CK's tactics and techniques, by AWS's services, and beside the rules that
//! AWS itself offers.
//!
//! [`survey`] gathers it, with [`attack`] (the techniques), [`reach`] (the calls that a rule can match) and [`guardduty`] (AWS's
//! own rules); the other files print it.

pub(super) mod attack;
mod command;
mod document;
mod guardduty;
mod markdown;
mod navigator;
mod print;
mod reach;
mod survey;

pub(super) use self::command::CoverageCommand;
