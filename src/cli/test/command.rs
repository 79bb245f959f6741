//! The command itself: runs the tests and the mutants, counts, and decides the exit code.

use std::io::{self, Write};

use super::case::Case;
use super::counts::TestCounts;
use super::events::TestEvents;
use super::report::{Reporter, TestFormat};
use super::{mutants, report};
use crate::cli::Exit;
use crate::cli::load::RulesOption;
use crate::cli::out;
use crate::cli::selection::RuleSelection;
use crate::rules::Rule;

/// Run the tests that the rules carry
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own")]
#[derive(Debug, clap::Args)]
#[command(
    after_help = "A test names an event (inline, or a file relative to rules.json) and whether the rule must match it. An event \
                  of several records matches if one of them does."
)]
pub(in crate::cli) struct TestCommand {
    #[command(flatten)]
    rules: RulesOption,
    #[command(flatten)]
    selection: RuleSelection,
    /// Only the rules of rules.json itself, and not those of the packs that it includes
    #[arg(long)]
    mine: bool,
    /// Demand of each rule one test that it matches and one that it does not
    #[arg(long)]
    require_tests: bool,
    /// Also change each rule a little, in every way, and report the changes that no test notices
    #[arg(long)]
    mutate: bool,
    /// Print only what failed or is missing, and the sum
    #[arg(long, short)]
    quiet: bool,
    /// How results are printed: for people, one JSON object a line, or one XML document as `JUnit`'s
    #[arg(long, value_enum, default_value_t = TestFormat::Human)]
    format: TestFormat,
}

impl TestCommand {
    /// The command for one rule, told to people.
    pub(in crate::cli) fn of_rule(rules: RulesOption, id: String) -> Self {
        Self {
            rules,
            selection: RuleSelection::of_rule(id),
            mine: false,
            require_tests: false,
            mutate: false,
            quiet: false,
            format: TestFormat::Human,
        }
    }

    pub(in crate::cli) fn run(&self) -> io::Result<Exit> {
        let Some(rules) = self.rules.load() else { return Ok(Exit::Unreadable) };
        if !self.selection.is_of(&[&rules]) {
            return Ok(Exit::Unreadable);
        }
        let out = out::stdout();
        let mut reporter = Reporter::new(out, self.format, self.quiet);
        let mut events = TestEvents::beside(&self.rules.path);
        let mut counts = TestCounts::default();
        let is_asked = |rule: &&Rule| self.selection.takes_rule(rule) && (!self.mine || rule.pack.is_none());
        for rule in rules.rules().iter().filter(is_asked) {
            self.test(&mut reporter, rule, &mut events, &mut counts)?;
        }
        reporter.finish()?;
        if counts.tests() == 0 && counts.untested == 0 {
            eprintln!("note: nothing was tested; --require-tests makes it a failure that a rule has no tests");
        }
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
        reporter: &mut Reporter<impl Write>,
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
                    reporter.unreadable(rule, test, &reason)?;
                }
                Ok(records) => {
                    let case = Case { test, records };
                    let failure = case.failure(rule);
                    *(if failure.is_none() { &mut counts.passed } else { &mut counts.failed }) += 1;
                    sound &= failure.is_none();
                    reporter.result(rule, &case, failure.as_ref())?;
                    cases.push(case);
                }
            }
        }
        if self.require_tests && rule.is_on() {
            for (expect, what) in [(true, "matches"), (false, "does not match")] {
                if !rule.tests.iter().any(|test| test.expect == expect) {
                    counts.untested += 1;
                    reporter.untested(rule, what)?;
                }
            }
        }
        // A rule that fails its tests has nothing to compare its mutants with.
        if self.mutate && sound && !cases.is_empty() {
            for mutant in mutants::mutants(rule) {
                counts.mutants += 1;
                let noticed = cases.iter().any(|case| case.failure(&mutant.rule).is_some());
                counts.unnoticed += usize::from(!noticed);
                reporter.mutant(rule, &mutant, noticed)?;
            }
        }
        Ok(())
    }
}
