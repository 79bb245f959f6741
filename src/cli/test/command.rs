//! The command itself: runs the tests and the mutants, counts, and decides the exit code.

use std::io::{self, Write};

use super::case::Case;
use super::counts::TestCounts;
use super::events::TestEvents;
use super::{mutants, report};
use crate::cli::Exit;
use crate::cli::lines::LineFormat;
use crate::cli::load::RulesOption;
use crate::rules::Rule;

/// Run the tests that the rules carry
#[derive(Debug, clap::Args)]
#[command(
    after_help = "A test names an event (inline, or a file relative to rules.json) and whether the rule must match it. An event \
                  of several records matches if one of them does."
)]
pub(in crate::cli) struct TestCommand {
    #[command(flatten)]
    rules: RulesOption,
    /// Only the rule with this id
    #[arg(long, value_name = "ID")]
    rule: Option<String>,
    /// Demand of each rule one test that it matches and one that it does not
    #[arg(long)]
    require_tests: bool,
    /// Also change each rule a little, in every way, and report the changes that no test notices
    #[arg(long)]
    mutate: bool,
    /// How results are printed: for people, or one JSON object a line
    #[arg(long, value_enum, default_value_t = LineFormat::Human)]
    format: LineFormat,
}

impl TestCommand {
    /// The command for one rule, told to people.
    pub(in crate::cli) fn of_rule(rules: RulesOption, id: String) -> Self {
        Self { rules, rule: Some(id), require_tests: false, mutate: false, format: LineFormat::Human }
    }

    pub(in crate::cli) fn run(&self) -> io::Result<Exit> {
        let Some(rules) = self.rules.load() else { return Ok(Exit::Unreadable) };
        if let Some(id) = self.rule.as_ref().filter(|id| !rules.rules().iter().any(|rule| rule.info.id == **id)) {
            eprintln!("error: no rule has the id \"{id}\"");
            return Ok(Exit::Unreadable);
        }
        let mut out = io::BufWriter::new(anstream::AutoStream::auto(io::stdout()));
        let mut events = TestEvents::beside(&self.rules.path);
        let mut counts = TestCounts::default();
        for rule in rules.rules().iter().filter(|rule| self.rule.as_ref().is_none_or(|id| rule.info.id == *id)) {
            self.test(&mut out, rule, &mut events, &mut counts)?;
        }
        out.flush()?;
        eprintln!("{}", report::summary(&counts, self.mutate));
        Ok(if counts.unreadable > 0 {
            Exit::Unreadable
        } else if counts.failed + counts.untested + counts.unnoticed > 0 {
            Exit::Wrong
        } else {
            Exit::Done
        })
    }

    /// Runs the tests of one rule, and its mutants where they are asked for.
    fn test(
        &self,
        out: &mut impl Write,
        rule: &Rule,
        events: &mut TestEvents<'_>,
        counts: &mut TestCounts,
    ) -> io::Result<()> {
        counts.rules += 1;
        let mut cases = Vec::new();
        let mut sound = true;
        for test in &rule.tests {
            match events.records(&test.event) {
                Err(reason) => {
                    counts.unreadable += 1;
                    sound = false;
                    report::unreadable(out, self.format, rule, test, &reason)?;
                }
                Ok(records) => {
                    let case = Case { test, records };
                    let failure = case.failure(rule);
                    *(if failure.is_none() { &mut counts.passed } else { &mut counts.failed }) += 1;
                    sound &= failure.is_none();
                    report::result(out, self.format, rule, &case, failure.as_ref())?;
                    cases.push(case);
                }
            }
        }
        if self.require_tests && rule.is_on() {
            for (expect, what) in [(true, "matches"), (false, "does not match")] {
                if !rule.tests.iter().any(|test| test.expect == expect) {
                    counts.untested += 1;
                    report::untested(out, self.format, rule, what)?;
                }
            }
        }
        // A rule that fails its tests has nothing to compare its mutants with.
        if self.mutate && sound && !cases.is_empty() {
            for mutant in mutants::mutants(rule) {
                counts.mutants += 1;
                let noticed = cases.iter().any(|case| case.failure(&mutant.rule).is_some());
                counts.unnoticed += usize::from(!noticed);
                report::mutant(out, self.format, rule, &mutant, noticed)?;
            }
        }
        Ok(())
    }
}
