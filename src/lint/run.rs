//! Runs every lint over rules that have compiled.

use super::catalogue::Catalogue;
use super::report::LintReport;
use super::view::{self, RuleView, SourceFiles};
use super::{RUNS, unused};
use crate::cloudtrail::accounts;
use crate::config::{Diagnostic, Level};
use crate::ruleset::{RuleSet, Sources};
use crate::time::Date;

/// What could not be read. A lint that looks for what is nowhere says nothing where it may be there.
#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each says one thing, and any of them may hold")]
pub(super) struct Unread {
    /// Rules, or what holds for them.
    pub(super) rules: bool,
    /// Channels.
    pub(super) channels: bool,
    /// Parts of `rules.json`, which names its lists.
    pub(super) root: bool,
    /// Accounts.
    pub(super) accounts: bool,
}

impl Unread {
    /// What these mistakes hide.
    fn behind(mistakes: &[Diagnostic]) -> Self {
        let errors = || mistakes.iter().filter(|mistake| mistake.level == Level::Error);
        let in_root = || errors().filter(|error| error.file.is_none());
        // What stands elsewhere at the top may be a channel under a misspelt key.
        let is_about_rules =
            |error: &Diagnostic| ["/rules/", "/include/", "/lists/"].iter().any(|part| error.pointer.starts_with(part));
        Self {
            rules: errors().next().is_some(),
            channels: in_root().any(|error| !is_about_rules(error)),
            root: in_root().next().is_some(),
            accounts: errors().any(|error| error.file.as_deref() == Some(accounts::FILE)),
        }
    }
}

/// What a lint looks at.
pub(super) struct LintContext<'a> {
    pub(super) rules: &'a RuleSet,
    /// Each rule beside its text.
    pub(super) views: &'a [RuleView<'a>],
    /// The parsed texts: `rules.json` and its packs.
    pub(super) files: &'a SourceFiles<'a>,
    /// What is missing among them.
    pub(super) unread: Unread,
    /// What AWS can do.
    pub(super) catalogue: &'static Catalogue,
    /// The day of the check: only expiry dates are compared with it.
    pub(super) today: Date,
}

/// The warnings and notes about rules that have compiled from `sources`, in the order of the files. `today` is what expiry
/// dates are compared with.
pub fn run(rules: &RuleSet, sources: &Sources, today: Date) -> Vec<Diagnostic> {
    run_beside(&[], rules, sources, today)
}

/// As [`run`], about the rules that could be read beside these mistakes. What only seems to be wrong because something could not
/// be read is not told.
pub fn run_beside(mistakes: &[Diagnostic], rules: &RuleSet, sources: &Sources, today: Date) -> Vec<Diagnostic> {
    let Some(files) = SourceFiles::parse(sources) else { return Vec::new() };
    let views = view::rules(rules, &files);
    let unread = Unread::behind(mistakes);
    let context = LintContext { rules, views: &views, files: &files, unread, catalogue: Catalogue::get(), today };
    let mut report = LintReport::default();
    for lint in RUNS {
        lint(&context, &mut report);
    }
    let used = report.take_allowed(&views);
    unused::allowances(&context, &used, &mut report);
    report.finish(|file| (sources.text(file), files.node(file)))
}
