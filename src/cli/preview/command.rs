//! The command line of `preview`.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::alerts::{AlertGatherer, PreviewKind, PreviewedAlert};
use super::{page, text};
use crate::cli::findings::{EvaluatedFinding, FindingVisitor};
use crate::cli::input::ArchivePart;
use crate::cli::load::RulesOption;
use crate::cli::whole_file::replace;
use crate::cli::words::{counted, is_there};
use crate::cli::{Exit, input};
use crate::finding::Finding;
use crate::rules::Mode;
use crate::ruleset::RuleSet;

/// Show what people will see of an alert: the mail, the SMS, the chat's message, the ticket, laid out
#[derive(Debug, clap::Args)]
#[command(
    after_help = "What is shown is read back from the bytes that a channel would be sent. A finding is shown as each channel that \
                  takes it would show it; that of a staged rule as if the rule were not. Nothing is sent: offlimits send does \
                  that. Exit codes: 0 if anything was shown, 1 if there was nothing to show."
)]
pub(in crate::cli) struct PreviewCommand {
    /// Files and folders with events; - is stdin. `--kind digest`, `operational` and `test` need none
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    rules: RulesOption,
    /// Only what this channel would be sent
    #[arg(long, value_name = "NAME")]
    channel: Option<String>,
    /// Which kind of alert
    #[arg(long, value_enum, default_value_t = PreviewKind::First)]
    kind: PreviewKind,
    /// Write one page that shows all of it, instead of printing; - is stdout
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Show so many alerts
    #[arg(long, value_name = "N", default_value_t = 10)]
    limit: usize,
}

impl PreviewCommand {
    pub(in crate::cli) fn run(&self) -> io::Result<Exit> {
        let word = self.kind.word();
        let is_sample = self.files.is_empty();
        if is_sample && !self.kind.has_a_sample() {
            eprintln!("error: --kind {word} is of an event: name a file that holds one");
            eprintln!("help: try offlimits preview events/stop-logging.json, or --kind test");
            return Ok(Exit::Unreadable);
        }
        if !is_sample && matches!(self.kind, PreviewKind::Operational | PreviewKind::Test) {
            eprintln!("error: --kind {word} is not of an event: leave the files out");
            return Ok(Exit::Unreadable);
        }
        let Some(rules) = self.rules.load() else { return Ok(Exit::Unreadable) };
        let names: Vec<&str> = rules.channels().iter().map(|channel| channel.name.as_str()).collect();
        if !is_there("channel", self.channel.as_deref(), &names) {
            return Ok(Exit::Unreadable);
        }
        let mut gatherer = AlertGatherer::new(&rules, self.kind, self.channel.as_deref(), self.limit);
        let mut failed = false;
        if !is_sample {
            let mut found = 0_u64;
            let mut notes = BTreeSet::new();
            let visitor = FindingVisitor::new(&rules);
            let counts = input::each(
                &self.files,
                &ArchivePart::default(),
                &visitor,
                |_, _, EvaluatedFinding { finding, is_with_previous, .. }| {
                    found += 1;
                    let channels = rules.route(&finding);
                    notes.extend(self.note(&rules, &finding, &channels));
                    gatherer.add(finding, channels, is_with_previous);
                    Ok(())
                },
            )?;
            notes.iter().for_each(|note| eprintln!("note: {note}"));
            eprintln!("{} in {}", counted(found, "finding"), counts.sentence());
            failed = counts.failed();
        }
        let (alerts, left_out) = gatherer.finish(is_sample);
        if alerts.is_empty() {
            eprintln!("note: there is nothing to show; offlimits explain tells why an event alerts nobody");
            return Ok(if failed { Exit::Unreadable } else { Exit::Wrong });
        }
        if let Some(path) = &self.html {
            if !Self::write_page(path, &page::html(&alerts, left_out, &word))? {
                return Ok(Exit::Unreadable);
            }
        } else {
            print(&alerts)?;
        }
        if left_out > 0 {
            let more = counted(left_out, "more alert");
            eprintln!("note: {more} would be sent, and not shown: --limit {} shows all", left_out + alerts.len());
        }
        Ok(if failed { Exit::Unreadable } else { Exit::Done })
    }

    /// What keeps people from being sent a finding that goes to these channels.
    fn note(&self, rules: &RuleSet, finding: &Finding, channels: &[usize]) -> Option<String> {
        let rule = &finding.rule.id;
        let is_asked = |index: &usize| {
            self.channel.as_ref().is_none_or(|name| rules.channels().get(*index).is_some_and(|c| c.name == *name))
        };
        match (&self.channel, channels.iter().any(is_asked)) {
            (Some(name), false) => Some(format!("{rule} matches, and {name} is not sent it")),
            (None, false) => Some(format!("{rule} matches, and no channel takes it")),
            (_, true) if finding.rule.mode == Mode::Stage => {
                Some(format!("{rule} is staged: nobody is told until it is not"))
            }
            _ => None,
        }
    }

    /// Writes the page; what keeps it from being written is told on stderr.
    fn write_page(path: &Path, html: &str) -> io::Result<bool> {
        if path == Path::new("-") {
            io::stdout().lock().write_all(html.as_bytes())?;
            return Ok(true);
        }
        if let Err(error) = replace(path, html.as_bytes()) {
            eprintln!("error: cannot write the page: {}: {error}", path.display());
            return Ok(false);
        }
        eprintln!("{}: {} bytes", path.display(), html.len());
        Ok(true)
    }
}

/// Prints alerts, one after the other.
fn print(alerts: &[PreviewedAlert]) -> io::Result<()> {
    let mut out = io::BufWriter::new(anstream::AutoStream::auto(io::stdout()));
    alerts.iter().try_for_each(|alert| text::write(&mut out, alert))?;
    out.flush()
}
