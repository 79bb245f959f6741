//! Imports rules of Sigma, and asks them.

use std::path::Path;

use offlimits::cloudtrail::Record;
use offlimits::ruleset::RuleSet;

use crate::support;

/// The rules that `offlimits import sigma` makes of a YAML stream, in its order; it must take every one.
pub(super) fn imported(yaml: &str, folder: &Path) -> RuleSet {
    let file = support::file(folder, "rules.yml", yaml);
    let mut command = support::offlimits(["import", "sigma"]);
    command.arg(&file);
    let run = support::run(command);
    assert_eq!((run.code, run.misbehaviour()), (Some(0), None), "{}", run.shown());
    assert!(!run.stderr.contains("not carried over"), "{}", run.stderr);
    RuleSet::compile(&run.stdout).unwrap_or_else(|diagnostics| panic!("{diagnostics:#?}")).rules
}

/// Which of the rules match, in their order.
pub(super) fn verdicts(rules: &RuleSet, record: &Record) -> Vec<bool> {
    rules.rules().iter().map(|rule| rule.matched_row(record).is_some()).collect()
}
