//! A finding that is added, removed or changed, as it is printed.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use serde::Serialize;

use super::change::Change;
use super::pair::Pair;
use crate::cli::findings::{self, FindingLine};
use crate::cli::lines::write_line;
use crate::ruleset::RuleSet;
use crate::text;

/// Both rule sets, where a finding may have changed.
#[derive(Clone, Copy)]
pub(super) struct Both<'r> {
    pub(super) old: &'r RuleSet,
    pub(super) new: &'r RuleSet,
}

/// Where a finding's record stands.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) file: &'a str,
    pub(super) index: usize,
}

impl Both<'_> {
    /// Prints one JSON object.
    pub(super) fn write_json(
        self,
        out: &mut impl Write,
        change: Change,
        pair: &Pair,
        Place { file, index }: Place<'_>,
    ) -> io::Result<()> {
        let Some(found) = pair.found() else { return Ok(()) };
        let channels = findings::channels(if pair.new.is_some() { self.new } else { self.old }, &found.finding);
        let was = pair.old.as_ref().filter(|_| change == Change::Changed);
        let line = DiffLine {
            change,
            was: was.map(|was| Was {
                severity: was.finding.severity.as_str(),
                channels: findings::channels(self.old, &was.finding),
                mode: was.finding.rule.mode.as_str(),
            }),
            line: FindingLine::new(&found.finding, channels, file, index),
        };
        write_line(out, &line)
    }

    /// Prints it for people: what becomes of it, which call it is about, and of one that changed what it was and what it is.
    pub(super) fn write_human(
        self,
        out: &mut impl Write,
        change: Change,
        pair: &Pair,
        Place { file, index }: Place<'_>,
    ) -> io::Result<()> {
        let Some(found) = pair.found() else { return Ok(()) };
        let (sign, colour) = match change {
            Change::Added => ("+", Some(AnsiColor::Red)),
            Change::Removed => ("-", Some(AnsiColor::Green)),
            Change::Changed | Change::Kept => ("~", None),
        };
        let (style, dim) = (Style::new().fg_color(colour.map(Into::into)), Style::new().dimmed());
        let finding = &found.finding;
        let severity = pair.old.as_ref().map_or(finding.severity, |was| was.finding.severity);
        let severity = arrow(severity.as_str(), finding.severity.as_str());
        let title = finding.shown_title();
        let title = text::one_line(&title, TITLE);
        writeln!(out, "{style}{sign} {severity}{style:#}  {title}  {dim}{}{dim:#}", finding.rule.id)?;
        let time = finding.call.event_time.as_deref().map(|time| format!("{}, ", text::one_line(time, TITLE)));
        writeln!(out, "    {}record {index} of {file}", time.unwrap_or_default())?;
        let (Some(was), Some(is)) = (&pair.old, &pair.new) else { return Ok(()) };
        let (was, is) = (&was.finding, &is.finding);
        if was.rule.mode != is.rule.mode {
            writeln!(out, "    mode {}", arrow(was.rule.mode.as_str(), is.rule.mode.as_str()))?;
        }
        let channels = |rules: &RuleSet, finding| match findings::channels(rules, finding)[..] {
            [] => "nobody".to_owned(),
            ref names => names.join(", "),
        };
        let (before, after) = (channels(self.old, was), channels(self.new, is));
        if before == after { Ok(()) } else { writeln!(out, "    to {}", arrow(&before, &after)) }
    }
}

/// The most characters of a title that are shown.
const TITLE: usize = 160;

/// `very-high -> low`, or what both are.
fn arrow(was: &str, is: &str) -> String {
    if was == is { is.to_owned() } else { format!("{was} -> {is}") }
}

/// A finding that is added, removed or changed, as `--format jsonl` prints it: what becomes of it, and what it is, or was.
#[derive(Serialize)]
pub(super) struct DiffLine<'a> {
    change: Change,
    /// Of a finding that is changed: what the old rules made of it.
    was: Option<Was<'a>>,
    #[serde(flatten)]
    line: FindingLine<'a>,
}

#[derive(Serialize)]
struct Was<'a> {
    severity: &'static str,
    channels: Vec<&'a str>,
    mode: &'static str,
}
