//! `offlimits test`: the tests that rules carry, and the mutants that none of them notices.

mod mutants;
mod report;

use std::collections::HashMap;
use std::io::{self, Write};
use std::path::Path;

use super::{Exit, Format, input};
use crate::cloudtrail::Record;
use crate::cloudtrail::envelope;
use crate::rules::{Rule, RuleTest, TestEvent};
use crate::ruleset::RuleSet;

/// What the command was asked for.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Options {
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
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

pub(super) fn run(rules: &RuleSet, path: &Path, options: &Options) -> io::Result<Exit> {
    if let Some(id) = options.rule.as_ref().filter(|id| !rules.rules().iter().any(|rule| rule.info.id == **id)) {
        eprintln!("error: no rule has the id \"{id}\"");
        return Ok(Exit::Unreadable);
    }
    let mut out = io::BufWriter::new(anstream::AutoStream::auto(io::stdout()));
    let mut events = TestEvents { folder: path.parent().unwrap_or(Path::new("")), read: HashMap::new() };
    let mut counts = TestCounts::default();
    for rule in rules.rules().iter().filter(|rule| options.rule.as_ref().is_none_or(|id| rule.info.id == *id)) {
        of_rule(&mut out, rule, &mut events, options, &mut counts)?;
    }
    out.flush()?;
    eprintln!("{}", report::summary(&counts, options.mutate));
    Ok(if counts.unreadable > 0 {
        Exit::Unreadable
    } else if counts.failed + counts.untested + counts.unnoticed > 0 {
        Exit::Wrong
    } else {
        Exit::Done
    })
}

/// What happened, for the closing line and the exit code.
#[derive(Debug, Default)]
struct TestCounts {
    rules: usize,
    passed: usize,
    failed: usize,
    unreadable: usize,
    /// Tests that `--require-tests` misses.
    untested: usize,
    mutants: usize,
    unnoticed: usize,
}

fn of_rule(
    out: &mut impl Write,
    rule: &Rule,
    events: &mut TestEvents<'_>,
    options: &Options,
    counts: &mut TestCounts,
) -> io::Result<()> {
    counts.rules += 1;
    let mut cases = Vec::new();
    let mut sound = true;
    for test in &rule.tests {
        match events.of(&test.event) {
            Err(reason) => {
                counts.unreadable += 1;
                sound = false;
                report::unreadable(out, options.format, rule, test, &reason)?;
            }
            Ok(records) => {
                let case = Case { test, records };
                let failure = case.failure(rule);
                *(if failure.is_none() { &mut counts.passed } else { &mut counts.failed }) += 1;
                sound &= failure.is_none();
                report::result(out, options.format, rule, &case, failure.as_ref())?;
                cases.push(case);
            }
        }
    }
    if options.require_tests && rule.is_on() {
        for (expect, what) in [(true, "matches"), (false, "does not match")] {
            if !rule.tests.iter().any(|test| test.expect == expect) {
                counts.untested += 1;
                report::untested(out, options.format, rule, what)?;
            }
        }
    }
    // A rule that fails its tests has nothing to compare its mutants with.
    if options.mutate && sound && !cases.is_empty() {
        for mutant in mutants::of(rule) {
            counts.mutants += 1;
            let noticed = cases.iter().any(|case| case.failure(&mutant.rule).is_some());
            counts.unnoticed += usize::from(!noticed);
            report::mutant(out, options.format, rule, &mutant, noticed)?;
        }
    }
    Ok(())
}

/// A test and the records of its event.
struct Case<'r> {
    test: &'r RuleTest,
    records: std::rc::Rc<Vec<Record<'static>>>,
}

/// How a test failed.
#[derive(Debug, PartialEq, Eq)]
enum Failure {
    /// It should match, and no row does.
    NoMatch,
    /// It should match, and this exception covers it.
    Excepted(usize),
    /// It should not match, and this row does.
    Matched(usize),
    /// It should match by another row than this one.
    OtherRow(usize),
}

impl Case<'_> {
    /// Whether the rule says otherwise than the test expects. A rule that is off is tested as if it were on. An event of
    /// several records matches if one of them does.
    fn failure(&self, rule: &Rule) -> Option<Failure> {
        let mut excepted = None;
        let mut matched = None;
        for record in self.records.iter() {
            let Some(row) = rule.when.first_match(record) else { continue };
            match rule.unless.iter().position(|exception| exception.covers(record)) {
                Some(exception) => excepted = excepted.or(Some(exception)),
                None => matched = matched.or(Some(row)),
            }
        }
        match (self.test.expect, matched) {
            (true, None) => Some(excepted.map_or(Failure::NoMatch, Failure::Excepted)),
            (false, Some(row)) => Some(Failure::Matched(row)),
            (true, Some(row)) => self.test.row.is_some_and(|wanted| wanted != row).then_some(Failure::OtherRow(row)),
            (false, None) => None,
        }
    }
}

/// The events that tests name, each read once.
struct TestEvents<'p> {
    /// The folder of rules.json, which files are relative to.
    folder: &'p Path,
    read: HashMap<TestEvent, Result<std::rc::Rc<Vec<Record<'static>>>, String>>,
}

impl TestEvents<'_> {
    fn of(&mut self, event: &TestEvent) -> Result<std::rc::Rc<Vec<Record<'static>>>, String> {
        if let Some(read) = self.read.get(event) {
            return read.clone();
        }
        let read = self.records(event).map(std::rc::Rc::new);
        self.read.insert(event.clone(), read.clone());
        read
    }

    fn records(&self, event: &TestEvent) -> Result<Vec<Record<'static>>, String> {
        let text = match event {
            TestEvent::Inline(text) => text.clone(),
            TestEvent::File(file) => {
                input::read(&self.folder.join(file)).map_err(|error| format!("{file}: {error}"))?
            }
        };
        let opened = envelope::open(&text);
        if let Some(problem) = opened.unreadable.first().or(opened.ignored.first()) {
            // An inline event may be as small as the rule's cells need.
            return match event {
                TestEvent::Inline(text) => {
                    Record::owned(text).map(|record| vec![record]).map_err(|error| error.to_string())
                }
                TestEvent::File(file) => Err(format!("{file}: not a CloudTrail record: {}", problem.reason)),
            };
        }
        if opened.records.is_empty() {
            return Err("it holds no records".to_owned());
        }
        opened.records.iter().map(|raw| Record::owned(&raw.json).map_err(|error| error.to_string())).collect()
    }
}
