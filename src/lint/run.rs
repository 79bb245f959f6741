//! Runs every lint over rules that have compiled.

use super::catalogue::Catalogue;
use super::report::LintReport;
use super::view::{self, RuleView, SourceFiles};
use super::{RUNS, unused};
use crate::config::Diagnostic;
use crate::ruleset::{RuleSet, Sources};
use crate::time::Date;

/// What a lint looks at.
pub(super) struct LintContext<'a> {
    pub(super) rules: &'a RuleSet,
    /// Each rule beside its text.
    pub(super) views: &'a [RuleView<'a>],
    /// The parsed texts: `rules.json` and its packs.
    pub(super) files: &'a SourceFiles<'a>,
    /// What AWS can do.
    pub(super) catalogue: &'static Catalogue,
    /// The day of the check: only expiry dates are compared with it.
    pub(super) today: Date,
}

/// The warnings and notes about rules that have compiled from `sources`, in the order of the files. `today` is what expiry
/// dates are compared with.
pub fn run(rules: &RuleSet, sources: &Sources, today: Date) -> Vec<Diagnostic> {
    let Some(files) = SourceFiles::parse(sources) else { return Vec::new() };
    let views = view::rules(rules, &files);
    let context = LintContext { rules, views: &views, files: &files, catalogue: Catalogue::get(), today };
    let mut report = LintReport::default();
    for lint in RUNS {
        lint(&context, &mut report);
    }
    let used = report.take_allowed(&views);
    unused::allowances(&context, &used, &mut report);
    report.finish(|file| (sources.text(file), files.node(file)))
}
