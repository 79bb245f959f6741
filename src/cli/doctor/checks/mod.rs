//! What doctor looks for: a file for each kind of thing, which asks, judges, and declares its [`Check`]s.

pub(super) mod alarm;
pub(super) mod code;
pub(super) mod derived;
pub(super) mod function;
pub(super) mod invoke;
pub(super) mod probe;
pub(super) mod queue;
pub(super) mod rule;
pub(super) mod secret;
mod selectors;
pub(super) mod sms;
pub(super) mod spoke;
pub(super) mod stack;
pub(super) mod table;
pub(super) mod topic;
pub(super) mod trail;
pub(super) mod unwatched;

use super::check::Check;

/// Every check, in the order of docs/doctor.md: that of an event's road.
pub(super) const ALL: [&[&Check]; 16] = [
    unwatched::CHECKS,
    stack::CHECKS,
    trail::CHECKS,
    rule::CHECKS,
    derived::CHECKS,
    function::CHECKS,
    code::CHECKS,
    invoke::CHECKS,
    topic::CHECKS,
    sms::CHECKS,
    secret::CHECKS,
    queue::CHECKS,
    table::CHECKS,
    alarm::CHECKS,
    spoke::CHECKS,
    probe::CHECKS,
];
