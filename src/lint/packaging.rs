//! What keeps rules from being packaged: rows that no record satisfies, unless the rule allows the lint that says so.
//!
//! The compiler refuses nothing for it, and so the function runs whatever was packaged: its catalogue is the older one.

use super::catalogue::Catalogue;
use super::report::LintReport;
use super::run::{LintContext, Unread};
use super::view::{self, SourceFiles};
use super::{LintFn, delivery, derived, members, rotated, unknown};
use crate::config::Diagnostic;
use crate::ruleset::{RuleSet, Sources};
use crate::time::Timestamp;

/// The files whose lints know of conditions that nothing satisfies.
const RUNS: [LintFn; 5] = [delivery::lint, derived::lint, members::lint, rotated::lint, unknown::lint];

/// What is to be told before rules that have compiled from `sources` are packaged. An error refuses them: no record that AWS is
/// known to write satisfies what stands there. Warnings are about calls that the EventBridge rule does not deliver in its usual
/// state, which somebody may have changed.
pub fn before_packaging(rules: &RuleSet, sources: &Sources) -> Vec<Diagnostic> {
    let Some(files) = SourceFiles::parse(sources) else { return Vec::new() };
    let views = view::rules(rules, &files);
    // No exception counts here, and so no day on which one expires.
    let today = Timestamp::default().date();
    let unread = Unread::default();
    let context = LintContext { rules, views: &views, files: &files, unread, catalogue: Catalogue::get(), today };
    let mut report = LintReport::default();
    RUNS.iter().for_each(|lint| lint(&context, &mut report));
    report.take_allowed(&views);
    report.retain_for_packaging(&views, &[&delivery::READ_ONLY_CALL]);
    report.finish(|file| (sources.text(file), files.node(file)))
}
