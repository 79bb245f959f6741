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
    /// Whether no record that AWS is known to write satisfies what stands there.
    is_dead: bool,
}

impl LintReport {
    /// Reports a condition: a warning, and dead if no record that AWS is known to write satisfies it.
    pub(super) fn condition(
        &mut self,
        lint: &'static Lint,
        rule: &RuleView<'_>,
        place: SourcePlace,
        (message, is_dead): (String, bool),
        advice: impl Into<Advice>,
    ) {
        let rule = Some(rule.rule.info.id.clone());
        self.0.push(Reported { level: Level::Warning, lint, rule, place, message, advice: advice.into(), is_dead });
    }

    /// Reports what keeps a rule from doing its work, or may.
    pub(super) fn warn(
        &mut self,
        lint: &'static Lint,
        rule: &RuleView<'_>,
        place: SourcePlace,
        message: String,
        advice: impl Into<Advice>,
    ) {
        self.condition(lint, rule, place, (message, false), advice);
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
        let advice = advice.into();
        self.0.push(Reported { level: Level::Note, lint, rule, place, message, advice, is_dead: false });
    }

    /// Reports what is wrong with the file and no rule's business, so that no rule can allow it.
    pub(super) fn warn_of_file(
        &mut self,
        lint: &'static Lint,
        place: SourcePlace,
        message: String,
        advice: impl Into<Advice>,
    ) {
        self.0.push(Reported {
            level: Level::Warning,
            lint,
            rule: None,
            place,
            message,
            advice: advice.into(),
            is_dead: false,
        });
    }

    /// Reports what the author of the file should know, and which is no rule's business.
    pub(super) fn note_of_file(
        &mut self,
        lint: &'static Lint,
        place: SourcePlace,
        message: String,
        advice: impl Into<Advice>,
    ) {
        self.0.push(Reported {
            level: Level::Note,
            lint,
            rule: None,
            place,
            message,
            advice: advice.into(),
            is_dead: false,
        });
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

    /// Keeps of what was found in the rows of rules that are on what packaging tells ([`super::packaging`]): as an error what is
    /// dead, and as it is what is of one of `told`.
    pub(super) fn retain_for_packaging(&mut self, views: &[RuleView<'_>], told: &[&Lint]) {
        let by_id: HashMap<&str, &RuleView<'_>> = views.iter().map(|view| (view.rule.info.id.as_str(), view)).collect();
        self.0.retain_mut(|reported| {
            let view = reported.rule.as_ref().and_then(|id| by_id.get(id.as_str()));
            let Some(view) = view.filter(|view| view.rule.is_on() && view.holds(&reported.place)) else { return false };
            if !reported.is_dead {
                return told.iter().any(|lint| lint.code == reported.lint.code);
            }
            let into = if view.rule.pack.is_some() { "the pack's overrides" } else { "the rule" };
            reported.level = Level::Error;
            let code = reported.lint.code;
            reported.advice = std::mem::take(&mut reported.advice).also(&format!(
                "if AWS is newer than the catalogue of this tool, write \"allow\": [{{\"lint\": \"{code}\", \"reason\": \"…\"}}] into {into}"
            ));
            true
        });
    }

    /// The diagnostics, file by file, in the order of each. `text_of` knows a file's text and what it was parsed to.
    pub(super) fn finish<'t>(self, text_of: impl Fn(Option<&str>) -> (&'t str, &'t Node<'t>)) -> Vec<Diagnostic> {
        let mut problems = Problems::default();
        for Reported { level, lint, place, message, advice, .. } in self.0 {
            problems.enter(place.file);
            match level {
                Level::Note => problems.note(lint.code, &place.span, message, advice),
                Level::Warning => problems.warning(lint.code, &place.span, message, advice),
                Level::Error => problems.error(lint.code, &place.span, message, advice),
            }
        }
        problems.finish_in(text_of)
    }
}
