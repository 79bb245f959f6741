//! What `offlimits test` reports of each test, in whatever form.

use std::io::{self, Write};

use anstyle::AnsiColor;
use clap::ValueEnum;
use serde::Serialize;

use super::case::{Case, Failure};
use super::counts::TestCounts;
use super::human::{explain, mark};
use super::junit::{CaseOutcome, JunitReport};
use super::mutants::Mutant;
use crate::cli::lines::write_line;
use crate::cli::words::counted;
use crate::rules::{Rule, RuleTest};

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum TestFormat {
    /// For people.
    Human,
    /// One JSON object a line.
    Jsonl,
    /// One XML document as `JUnit`'s, which CI systems show.
    Junit,
}

/// One line of `--format jsonl`. See [`crate::cli::lines`] for what may change.
#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
enum TestLine<'a> {
    /// A test that was run, or could not be.
    Test {
        rule: &'a str,
        test: &'a str,
        expect: bool,
        /// `passed`, `failed` or `unreadable`.
        outcome: &'a str,
        /// The row that should have matched, if the test names one.
        expected_row: Option<usize>,
        /// The row that matched instead.
        row: Option<usize>,
        /// The exception that covered the event.
        exception: Option<usize>,
        /// Why the event could not be read.
        reason: Option<&'a str>,
    },
    /// A test that `--require-tests` misses: one of an event that the rule `matches` or `does not match`.
    Untested { rule: &'a str, missing: &'a str },
    /// A rule that `--mutate` changed in one place.
    Mutant { rule: &'a str, change: &'a str, pointer: &'a str, noticed: bool },
}

/// Tells what becomes of each test.
pub(super) struct Reporter<W: Write> {
    out: W,
    format: TestFormat,
    /// Whether what passed is passed over; a document of all tests holds it nevertheless.
    is_quiet: bool,
    junit: JunitReport,
}

impl<W: Write> Reporter<W> {
    pub(super) fn new(out: W, format: TestFormat, is_quiet: bool) -> Self {
        Self { out, format, is_quiet, junit: JunitReport::default() }
    }

    /// A test that was run.
    pub(super) fn result(&mut self, rule: &Rule, case: &Case<'_>, failure: Option<&Failure>) -> io::Result<()> {
        let (id, test) = (rule.info.id.as_str(), case.test);
        if failure.is_none() && self.is_quiet && self.format != TestFormat::Junit {
            return Ok(());
        }
        match self.format {
            TestFormat::Human => {
                let title = format!("{id}: {}", test.name);
                let Some(failure) = failure else { return mark(&mut self.out, AnsiColor::Green, "ok", &title) };
                mark(&mut self.out, AnsiColor::Red, "FAILED", &title)?;
                explain(&mut self.out, rule, case, failure)
            }
            TestFormat::Jsonl => {
                let (row, exception) = match failure {
                    Some(Failure::Matched(row) | Failure::OtherRow(row)) => (Some(*row), None),
                    Some(Failure::Excepted(exception)) => (None, Some(*exception)),
                    Some(Failure::NoMatch) | None => (None, None),
                };
                let outcome = if failure.is_some() { "failed" } else { "passed" };
                let (test, expect, expected_row) = (test.name.as_str(), test.expect, test.row);
                let line =
                    TestLine::Test { rule: id, test, expect, outcome, expected_row, row, exception, reason: None };
                write_line(&mut self.out, &line)
            }
            TestFormat::Junit => {
                let outcome = match failure {
                    None => CaseOutcome::Passed,
                    Some(failure) => {
                        let mut text = Vec::new();
                        explain(&mut text, rule, case, failure)?;
                        let text = String::from_utf8_lossy(&text);
                        let kind = match failure {
                            Failure::NoMatch => "no-match",
                            Failure::Excepted(_) => "excepted",
                            Failure::Matched(_) => "matched",
                            Failure::OtherRow(_) => "other-row",
                        };
                        CaseOutcome::Failed { kind, text: anstream::adapter::strip_str(&text).to_string() }
                    }
                };
                self.junit.add(id, &test.name, outcome);
                Ok(())
            }
        }
    }

    /// A test whose event cannot be read.
    pub(super) fn unreadable(&mut self, rule: &Rule, test: &RuleTest, reason: &str) -> io::Result<()> {
        let id = rule.info.id.as_str();
        let told = format!("cannot read its event: {reason}");
        match self.format {
            TestFormat::Human => {
                mark(&mut self.out, AnsiColor::Red, "ERROR", &format!("{id}: {}", test.name))?;
                writeln!(self.out, "  {told}")
            }
            TestFormat::Jsonl => {
                let (name, expect, expected_row) = (test.name.as_str(), test.expect, test.row);
                let (outcome, reason) = ("unreadable", Some(reason));
                let (row, exception) = (None, None);
                let line =
                    TestLine::Test { rule: id, test: name, expect, outcome, expected_row, row, exception, reason };
                write_line(&mut self.out, &line)
            }
            TestFormat::Junit => {
                self.junit.add(id, &test.name, CaseOutcome::Unreadable { text: told });
                Ok(())
            }
        }
    }

    /// A test that `--require-tests` misses: one of an event that the rule `what`.
    pub(super) fn untested(&mut self, rule: &Rule, what: &str) -> io::Result<()> {
        let id = rule.info.id.as_str();
        let told = format!("it has no test of an event that it {what}");
        match self.format {
            TestFormat::Human => mark(&mut self.out, AnsiColor::Red, "MISSING", &format!("{id}: {told}")),
            TestFormat::Jsonl => write_line(&mut self.out, &TestLine::Untested { rule: id, missing: what }),
            TestFormat::Junit => {
                let name = format!("has a test of an event that it {what}");
                self.junit.add(id, &name, CaseOutcome::Failed { kind: "untested", text: told });
                Ok(())
            }
        }
    }

    /// A rule that was changed in one place.
    pub(super) fn mutant(&mut self, rule: &Rule, mutant: &Mutant, noticed: bool) -> io::Result<()> {
        let id = rule.info.id.as_str();
        let Mutant { change, pointer, .. } = mutant;
        let told = format!("no test notices: {change}");
        match self.format {
            // What tests notice needs nobody's attention.
            TestFormat::Human if noticed => Ok(()),
            TestFormat::Human => mark(&mut self.out, AnsiColor::Yellow, "MUTANT", &format!("{id}: {told}")),
            TestFormat::Jsonl if noticed && self.is_quiet => Ok(()),
            TestFormat::Jsonl => write_line(&mut self.out, &TestLine::Mutant { rule: id, change, pointer, noticed }),
            TestFormat::Junit => {
                let outcome =
                    if noticed { CaseOutcome::Passed } else { CaseOutcome::Failed { kind: "mutant", text: told } };
                self.junit.add(id, &format!("a test notices: {change} ({pointer})"), outcome);
                Ok(())
            }
        }
    }

    /// Writes what is left to write.
    pub(super) fn finish(mut self) -> io::Result<()> {
        if self.format == TestFormat::Junit {
            self.junit.write(&mut self.out)?;
        }
        self.out.flush()
    }
}

/// The closing line: `6 tests of 1 rule: 6 passed; 6 mutants: 6 noticed, 0 not`.
pub(super) fn summary(counts: &TestCounts, mutated: bool) -> String {
    if counts.tests() == 0 && counts.untested == 0 {
        return format!(
            "no tests: {}",
            if counts.rules == 0 {
                "there are no rules".to_owned()
            } else {
                let rules = counted(counts.rules, "rule");
                format!("{rules} {} none", if counts.rules == 1 { "carries" } else { "carry" })
            }
        );
    }
    let TestCounts { rules, passed, failed, unreadable, untested, mutants, unnoticed } = counts;
    let tests = counted(passed + failed + unreadable, "test");
    let troubles: Vec<String> = [(failed, "failed"), (unreadable, "unreadable"), (untested, "missing")]
        .into_iter()
        .filter(|(number, _)| **number > 0)
        .map(|(number, what)| format!(", {number} {what}"))
        .collect();
    let noticed = mutants - unnoticed;
    let mutants = if mutated {
        format!("; {}: {noticed} noticed, {unnoticed} not", counted(*mutants, "mutant"))
    } else {
        String::new()
    };
    format!("{tests} of {}: {passed} passed{}{mutants}", counted(*rules, "rule"), troubles.concat())
}
