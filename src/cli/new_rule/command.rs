//! The command itself: reads the record, writes the rule, and runs its tests.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::draft::{self, Draft, Example};
use super::insert::inserted;
use crate::cli::load::{self, RulesOption};
use crate::cli::selection::severity;
use crate::cli::test::TestCommand;
use crate::cli::{Exit, diagnostics, input, slug};
use crate::cloudtrail::envelope;
use crate::cloudtrail::own_resources::OwnResources;
use crate::cloudtrail::{RawRecord, Record};
use crate::ruleset::RuleSet;
use crate::scan::lines_of_table;
use crate::severity::Severity;

/// Add a rule to rules.json that matches a record, with a test that it does and one that it does not, and run both
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The rule names the record's service and its call; add who, where from or on what by hand. All else in \
                  rules.json stays as it is written.\n\nWhere EVENT is a file of this record alone, below the folder of \
                  rules.json, the test names the file; otherwise it holds the record, its secrets blanked."
)]
pub(in crate::cli) struct NewRuleCommand {
    /// The file that holds the record; - is stdin
    #[arg(long, value_name = "EVENT")]
    from: PathBuf,
    /// Which of its records, from 0, if it holds several
    #[arg(long, value_name = "N")]
    index: Option<usize>,
    /// The rule's id [default: the call's name]
    #[arg(long, value_name = "ID")]
    id: Option<String>,
    /// How bad a finding is
    #[arg(long, value_name = "SEVERITY", default_value = "medium", value_parser = severity)]
    severity: Severity,
    #[command(flatten)]
    rules: RulesOption,
}

/// Why there is no new rule.
#[derive(Debug, thiserror::Error)]
enum NewRuleError {
    #[error("cannot read {0}: {1}")]
    Event(String, String),
    #[error("{0} holds {1} records: say which of them with --index, from 0")]
    Several(String, usize),
    #[error("{0} holds {1} records, and none has the index {2}")]
    NoSuchRecord(String, usize, usize),
    #[error("a rule \"{0}\" is there already: choose another --id")]
    Taken(String),
    #[error("cannot write {0}: {1}")]
    Rules(String, String),
    /// What is wrong has been told.
    #[error("the rules do not compile")]
    Told,
}

impl NewRuleCommand {
    pub(in crate::cli) fn run(&self) -> io::Result<Exit> {
        match self.add() {
            Ok(id) => TestCommand::of_rule(self.rules.clone(), id).run(),
            Err(NewRuleError::Told) => Ok(Exit::Unreadable),
            Err(error) => {
                eprintln!("error: {error}");
                Ok(Exit::Unreadable)
            }
        }
    }

    /// Adds the rule, and returns its id.
    fn add(&self) -> Result<String, NewRuleError> {
        let rules = self.rules.load().ok_or(NewRuleError::Told)?;
        let (raw, alone) = self.record()?;
        let name = self.from.display().to_string();
        let of_event = |reason: String| NewRuleError::Event(name.clone(), reason);
        let record = Record::parse(&raw.json).map_err(|error| of_event(error.to_string()))?;
        let (service, event) = draft::call(&record).map_err(of_event)?;
        let id = self.free_id(&event, &rules)?;
        let matching = rules.rules().iter().filter(|rule| rule.is_on() && rule.matched_row(&record).is_some());
        let matching: Vec<&str> = matching.map(|rule| rule.info.id.as_str()).collect();
        if !matching.is_empty() {
            eprintln!("note: this record is matched already, by {}", matching.join(", "));
        }
        let file = alone.then(|| self.beside_rules()).flatten();
        let example = file.map_or(Example::Inline(&raw), Example::File);
        let draft = Draft { id: &id, severity: self.severity.as_str(), service: &service, event: &event, example };
        self.write(&draft.text().map_err(of_event)?)?;
        Ok(id)
    }

    /// The record, and whether its file holds nothing else.
    fn record(&self) -> Result<(RawRecord, bool), NewRuleError> {
        let name = self.from.display().to_string();
        let of_event = |reason: String| NewRuleError::Event(name.clone(), reason);
        let text = input::read(&self.from).map_err(|error| of_event(error.to_string()))?;
        let text = lines_of_table(&text).map_err(|error| of_event(error.to_string()))?;
        let mut opened = envelope::open(&text);
        let count = opened.records.len();
        let wrong = opened.unreadable.first().or(opened.ignored.first());
        match (self.index, count) {
            (_, 0) => {
                Err(of_event(wrong.map_or_else(|| "it holds no records".to_owned(), |wrong| wrong.reason.clone())))
            }
            (None, 1) => Ok((opened.records.remove(0), wrong.is_none())),
            (None, _) => Err(NewRuleError::Several(name, count)),
            (Some(index), _) if index < count => Ok((opened.records.remove(index), count == 1 && wrong.is_none())),
            (Some(index), _) => Err(NewRuleError::NoSuchRecord(name, count, index)),
        }
    }

    fn free_id(&self, event: &str, rules: &RuleSet) -> Result<String, NewRuleError> {
        let taken = |id: &str| rules.rules().iter().any(|rule| rule.info.id == id);
        let id = self.id.clone().unwrap_or_else(|| slug(event));
        if !taken(&id) {
            return Ok(id);
        }
        let others = (2..=rules.rules().len() + 2).map(|number| format!("{id}-{number}"));
        match others.into_iter().find(|id| !taken(id)) {
            Some(free) if self.id.is_none() => Ok(free),
            _ => Err(NewRuleError::Taken(id)),
        }
    }

    /// The path of the event's file from the folder of rules.json, if it is below that.
    fn beside_rules(&self) -> Option<String> {
        let folder = self.rules.path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let (folder, file) = (folder.canonicalize().ok()?, self.from.canonicalize().ok()?);
        let below = file.strip_prefix(folder).ok()?.to_str()?;
        Some(below.replace(std::path::MAIN_SEPARATOR, "/"))
    }

    /// Writes rules.json with the rule in it, unless that would not compile.
    fn write(&self, rule: &str) -> Result<(), NewRuleError> {
        let path = &self.rules.path;
        let of_rules = |reason: String| NewRuleError::Rules(path.display().to_string(), reason);
        // As its bytes are: a gzip file, or one with a mark at its start, must not become another.
        let old = fs::read_to_string(path).map_err(|error| of_rules(error.to_string()))?;
        let (new, line) = inserted(&old, rule).map_err(of_rules)?;
        let sources = load::gathered(path, new.clone()).ok_or(NewRuleError::Told)?;
        let sources = sources.with_own(OwnResources::new(&self.rules.stack, []));
        if let Err(wrong) = RuleSet::compile_sources(&sources) {
            diagnostics::report(path, &sources, &wrong);
            return Err(of_rules("the new rule does not compile; nothing was written".to_owned()));
        }
        replace(path, &new).map_err(|error| of_rules(error.to_string()))?;
        eprintln!("{}: a rule was added on line {line}", path.display());
        Ok(())
    }
}

/// Replaces a file's text whole: whoever reads meanwhile sees the old one or the new one. A link stays a link.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let path = path.canonicalize()?;
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let beside = path.with_file_name(name);
    let written = fs::File::create_new(&beside)
        .and_then(|mut file| io::Write::write_all(&mut file, text.as_bytes()))
        .and_then(|()| fs::set_permissions(&beside, fs::metadata(&path)?.permissions()))
        .and_then(|()| fs::rename(&beside, &path));
    written.inspect_err(|_| drop(fs::remove_file(&beside)))
}
