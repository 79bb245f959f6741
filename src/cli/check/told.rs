//! What is said about rules: by the compiler and by the lints.

use crate::lint;
use crate::ruleset::{Reading, RuleSet, Sources};
use crate::time::{Date, Timestamp};

/// All that there is to say about the rules, in the order of the files; and the rules that could be read.
pub(super) fn told_of(sources: &Sources) -> Reading {
    let Reading { rules, mut diagnostics } = RuleSet::read_sources(sources);
    if let Some(rules) = &rules {
        diagnostics.extend(lint::run_beside(&diagnostics, rules, sources, today()));
        // Each of the two is in order.
        diagnostics.sort_by(|a, b| (&a.file, a.span.start).cmp(&(&b.file, b.span.start)));
    }
    Reading { rules, diagnostics }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the command line is where the clock is: everything below is told the day"
)]
fn today() -> Date {
    Timestamp::from(std::time::SystemTime::now()).date()
}
