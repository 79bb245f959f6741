//! Collects what the lints have found.

use std::collections::{HashMap, HashSet};

use super::declaration::Lint;
use super::view::{RuleView, SourcePlace};
use crate::config::{Advice, Diagnostic, Level, Problems};
use crate::json::Node;

/// What the lints have found.
#[derive(Default)]
pub(super) struct LintReport(Vec<Reported>);

/// One finding of a lint.
struct Reported {
    level: Level,
    lint: &'static Lint,
    /// The id of the rule that it is about, which may allow it; none where it is about the file.
    rule: Option<String>,
    place: SourcePlace,
    message: String,
    advice: Advice,
}

impl LintReport {
    /// Reports what keeps a rule from doing its work, or may.
    pub(super) fn warn(
        &mut self,
        lint: &'static Lint,
        rule: &RuleView<'_>,
        place: SourcePlace,
        message: String,
        advice: impl Into<Advice>,
    ) {
        let rule = Some(rule.rule.info.id.clone());
        self.0.push(Reported { level: Level::Warning, lint, rule, place, message, advice: advice.into() });
    }

    /// Reports what an author should know and may well want.
    pub(super) fn note(
        &mut self,
        lint: &'static Lint,
        rule: &RuleView<'_>,
        place: SourcePlace,
        message: String,
        advice: impl Into<Advice>,
    ) {
        let rule = Some(rule.rule.info.id.clone());
        self.0.push(Reported { level: Level::Note, lint, rule, place, message, advice: advice.into() });
    }

    /// Reports what is wrong with the file and no rule's business, so that no rule can allow it.
    pub(super) fn warn_of_file(
        &mut self,
        lint: &'static Lint,
        place: SourcePlace,
        message: String,
        advice: impl Into<Advice>,
    ) {
        self.0.push(Reported { level: Level::Warning, lint, rule: None, place, message, advice: advice.into() });
    }

    /// Drops what the rules allow. Returns the allowances that were of use: the rule's id and the code.
    pub(super) fn take_allowed(&mut self, views: &[RuleView<'_>]) -> HashSet<(String, &'static str)> {
        let mut used = HashSet::new();
        let by_id: HashMap<&str, &RuleView<'_>> = views.iter().map(|view| (view.rule.info.id.as_str(), view)).collect();
        self.0.retain(|Reported { lint, rule, .. }| {
            let view = rule.as_ref().and_then(|id| by_id.get(id.as_str()));
            let Some(view) = view.filter(|view| view.allows(lint)) else { return true };
            used.insert((view.rule.info.id.clone(), lint.code));
            false
        });
        used
    }

    /// The diagnostics, file by file, in the order of each. `text_of` knows a file's text and what it was parsed to.
    pub(super) fn finish<'t>(self, text_of: impl Fn(Option<&str>) -> (&'t str, &'t Node<'t>)) -> Vec<Diagnostic> {
        let mut problems = Problems::default();
        for Reported { level, lint, place, message, advice, .. } in self.0 {
            problems.enter(place.file);
            match level {
                Level::Note => problems.note(lint.code, &place.span, message, advice),
                Level::Warning | Level::Error => problems.warning(lint.code, &place.span, message, advice),
            }
        }
        problems.finish_in(text_of)
    }
}
