//! `offlimits replay`: the alerts that events would set off.

use std::io::{self, Write};
use std::path::PathBuf;

use super::check::counted;
use super::findings::{self, EvaluatedFinding, FindingLine, FindingVisitor};
use super::{Exit, Format, input, terminal};
use crate::ruleset::RuleSet;

pub(super) fn run(rules: &RuleSet, files: &[PathBuf], format: Format) -> io::Result<Exit> {
    let mut out = io::BufWriter::new(anstream::AutoStream::auto(io::stdout()));
    let mut count = 0;
    let counts = input::each(files, &FindingVisitor::new(rules), |file, index, EvaluatedFinding { finding, .. }| {
        count += 1;
        let channels = findings::channels(rules, &finding);
        match format {
            Format::Human => terminal::write(&mut out, &finding, &channels),
            Format::Jsonl => findings::write_line(&mut out, &FindingLine::new(&finding, channels, file, index)),
        }
    })?;
    out.flush()?;
    eprintln!("{} in {}", counted(count, "finding"), counts.sentence());
    Ok(if counts.unreadable > 0 { Exit::Unreadable } else { Exit::Done })
}
