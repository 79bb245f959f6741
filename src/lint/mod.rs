//! What compiles and is probably not meant: rules that can never fire, alerts that arrive twice, exceptions that let
//! everybody through. For the command line alone: the function runs whatever compiles.
//!
//! A lint reads the compiled rules beside their text ([`view`]), and what AWS can do ([`catalogue`]). Each warning has a code
//! ([`LINTS`]), which a rule may allow with a reason, and a section in `docs/diagnostics.md`.

mod calls;
mod catalogue;
mod delivery;
mod exceptions;
mod identity;
mod items;
mod logic;
mod loose;
mod names;
mod rotated;
mod routing;
mod shadow;
mod unknown;
mod unused;
mod view;

use std::collections::HashSet;

use self::catalogue::Catalogue;
pub(crate) use self::logic::accepts;
use self::view::{RuleView, SourceFiles, SourcePlace};
use crate::cloudtrail::identity::IDENTITY_TYPES;
use crate::config::{Diagnostic, Level, Problems};
use crate::rules::LINTS;
use crate::rules::field::{Field, Target};
use crate::ruleset::{RuleSet, Sources};
use crate::time::Date;

/// The warnings and notes about rules that have compiled from `sources`, in the order of the files. `today` is what expiry
/// dates are compared with.
pub fn run(rules: &RuleSet, sources: &Sources, today: Date) -> Vec<Diagnostic> {
    let Some(files) = SourceFiles::parse(sources) else { return Vec::new() };
    let views = view::rules(rules, &files);
    let context = LintContext { rules, views: &views, files: &files, catalogue: Catalogue::get(), today };
    let mut report = LintReport::default();
    for lint in [
        unknown::lint,
        rotated::lint,
        names::lint,
        loose::lint,
        delivery::lint,
        identity::lint,
        exceptions::lint,
        shadow::lint,
        items::lint,
        routing::lint,
        unused::lint,
    ] {
        lint(&context, &mut report);
    }
    let used = report.allowed(&views);
    unused::allowances(&context, &used, &mut report);
    report.finish(|file| (sources.text(file), files.node(file)))
}

/// The values that a field of the record is known to have, if they are: two conditions that say the same to each of them are
/// the same.
pub(crate) fn known_values(field: &Field) -> Option<Vec<&'static str>> {
    let catalogue = Catalogue::get();
    let Target::Path(path) = &field.target else { return field.vocabulary().map(<[_]>::to_vec) };
    let path: Vec<&str> = path.iter().map(|key| &**key).collect();
    match path.as_slice() {
        calls::SERVICE => Some(catalogue.services.keys().copied().collect()),
        calls::EVENT => {
            let services = catalogue.services.values();
            Some(services.flat_map(|service| service.calls.iter().map(|call| call.name.as_str())).collect())
        }
        calls::REGION => Some(catalogue.regions.clone()),
        calls::IDENTITY => Some(IDENTITY_TYPES.to_vec()),
        _ => field.vocabulary().map(<[_]>::to_vec),
    }
}

/// What lints look at.
struct LintContext<'a> {
    rules: &'a RuleSet,
    views: &'a [RuleView<'a>],
    files: &'a SourceFiles<'a>,
    catalogue: &'static Catalogue,
    today: Date,
}

/// What lints have found.
#[derive(Default)]
struct LintReport(Vec<Reported>);

struct Reported {
    level: Level,
    code: &'static str,
    /// The id of the rule that it is about, which may allow it.
    rule: Option<String>,
    place: SourcePlace,
    message: String,
    help: String,
}

impl LintReport {
    /// Reports what keeps a rule from doing its work, or may.
    fn warn(
        &mut self,
        code: &'static str,
        rule: &RuleView<'_>,
        place: SourcePlace,
        message: String,
        help: impl Into<String>,
    ) {
        let rule = Some(rule.rule.info.id.clone());
        self.0.push(Reported { level: Level::Warning, code, rule, place, message, help: help.into() });
    }

    /// Reports what an author should know and may well want.
    fn note(
        &mut self,
        code: &'static str,
        rule: &RuleView<'_>,
        place: SourcePlace,
        message: String,
        help: impl Into<String>,
    ) {
        let rule = Some(rule.rule.info.id.clone());
        self.0.push(Reported { level: Level::Note, code, rule, place, message, help: help.into() });
    }

    /// Reports what is no rule's.
    fn warn_of_file(&mut self, code: &'static str, place: SourcePlace, message: String, help: impl Into<String>) {
        self.0.push(Reported { level: Level::Warning, code, rule: None, place, message, help: help.into() });
    }

    /// Drops what rules allow. Returns the allowances that were of use: rule and code.
    fn allowed(&mut self, views: &[RuleView<'_>]) -> HashSet<(String, &'static str)> {
        let mut used = HashSet::new();
        self.0.retain(|Reported { code, rule, .. }| {
            let view = views.iter().find(|view| rule.as_ref() == Some(&view.rule.info.id));
            let Some(view) = view.filter(|view| view.rule.allow.iter().any(|allow| allow.lint == *code)) else {
                return true;
            };
            used.insert((view.rule.info.id.clone(), *code));
            false
        });
        used
    }

    fn finish<'t>(self, text_of: impl Fn(Option<&str>) -> (&'t str, &'t crate::json::Node<'t>)) -> Vec<Diagnostic> {
        let mut problems = Problems::default();
        for Reported { level, code, place, message, help, .. } in self.0 {
            debug_assert!(LINTS.contains(&code), "{code} is not in the list of lints");
            problems.enter(place.file);
            match level {
                Level::Note => problems.note(code, &place.span, message, help),
                _ => problems.warning(code, &place.span, message, help),
            }
        }
        problems.finish_in(text_of)
    }
}
