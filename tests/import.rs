//! `offlimits import`: what it writes says what was meant.
//!
//! Sigma: against another engine, on every record at hand, for rules in all the shapes that `SigmaHQ` uses; and against a
//! matcher of a page, for random rules on random records.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::print_stderr, reason = "the figures of a run are worth reading")]

mod support;

#[path = "import/conformity.rs"]
mod conformity;
#[path = "import/differential.rs"]
mod differential;
#[path = "import/random.rs"]
mod random;

use std::path::Path;

use offlimits::cloudtrail::Record;
use offlimits::ruleset::RuleSet;

/// The rules that `offlimits import sigma` makes of a YAML stream, in its order; it must take every one.
fn imported(yaml: &str, folder: &Path) -> RuleSet {
    let file = support::file(folder, "rules.yml", yaml);
    let mut command = support::offlimits(["import", "sigma"]);
    command.arg(&file);
    let run = support::run(command);
    assert_eq!((run.code, run.misbehaviour()), (Some(0), None), "{}", run.shown());
    assert!(!run.stderr.contains("not carried over"), "{}", run.stderr);
    RuleSet::compile(&run.stdout).unwrap_or_else(|diagnostics| panic!("{diagnostics:#?}")).rules
}

/// Which of the rules match, in their order.
fn verdicts(rules: &RuleSet, record: &Record) -> Vec<bool> {
    rules.rules().iter().map(|rule| rule.matched_row(record).is_some()).collect()
}
