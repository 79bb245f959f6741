//! What ails vendors, for the tests of storms.

use std::time::Duration;

use super::{Way, ways};
use crate::delivery::outside::{Act, TestApp};
use crate::support::choices::Choices;

const MINUTE: Duration = Duration::from_mins(1);

/// What ails vendors. `Revoked` is a credential that is rejected until somebody replaces it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Illness {
    None,
    Busy,
    Errors,
    Slow,
    Breaks,
    Gone,
    Outage,
    Revoked,
}

const ILLNESSES: [Illness; 8] = [
    Illness::Revoked,
    Illness::Outage,
    Illness::Gone,
    Illness::Breaks,
    Illness::Slow,
    Illness::Errors,
    Illness::Busy,
    Illness::None,
];

/// A channel of every type with what ails it: `Revoked` is one of them, each other illness at least one.
pub(crate) fn dealt(seed: u64) -> Vec<(Way, Illness)> {
    let mut choices = Choices::new(seed);
    let mut ways: Vec<Way> = ways().into_iter().filter(|way| way.name != "json").collect();
    let mut dealt = Vec::new();
    let (first, rest) = (ILLNESSES.iter(), ILLNESSES[1..].iter().cycle());
    for illness in first.chain(rest).take(ways.len()) {
        dealt.push((ways.swap_remove(choices.below(ways.len())), *illness));
    }
    dealt
}

/// An exchange with some vendors has several requests, each of which may fail.
pub(crate) fn fall_ill(app: &TestApp, seed: u64, dealt: &[(Way, Illness)]) {
    for (place, (way, illness)) in dealt.iter().enumerate() {
        let (illness, mut choices) = (*illness, Choices::new(seed ^ (place as u64 + 1) << 20));
        app.transport.script(&way.name, move |n, at| match illness {
            // 429 with Retry-After for as long as the storm lasts, but for one request in three.
            Illness::Busy if at < MINUTE && !choices.one_in(3) => Act::Status(429, Some(7)),
            Illness::Errors if choices.one_in(3) => Act::Status(500, None),
            Illness::Slow if at < 3 * MINUTE && !choices.one_in(4) => Act::Hang,
            Illness::Breaks if choices.one_in(5) => Act::TakeAndBreak,
            Illness::Gone if at < 2 * MINUTE => Act::Dead,
            Illness::Outage if at < 20 * MINUTE => [Act::Status(503, None), Act::Hang, Act::Dead][n % 3],
            Illness::Revoked if at < 25 * MINUTE => Act::Revoked,
            _ => Act::Take,
        });
    }
}
