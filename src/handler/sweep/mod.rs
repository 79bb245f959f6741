//! The sweep: who should be heard, and is not. A schedule orders it every five minutes: `{"offlimits":"sweep","rules":[…]}`.
//!
//! Each account and region that is watched has a probe, whose last sight the ledger keeps ([`hear_of_probe`]). The sweep compares
//! that with what should be watched ([`sources`]), and EventBridge's own rules, which feed this function, with what was deployed
//! ([`event_rules`]): a rule that were narrowed down to the probe would keep it quiet. Two metrics say how it stands, and an alarm
//! watches one of them; people are told of each new fault by name ([`faults`]).

mod deployed;
mod event_rules;
mod faults;
mod hear;
mod run;
mod sources;

pub use self::deployed::DeployedRules;
pub(super) use self::hear::hear_of_probe;
pub(super) use self::run::sweep;
pub use self::sources::Watch;
