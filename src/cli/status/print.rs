//! The report for people: a few plain lines for each channel.

use std::io::{self, Write};

use anstyle::Style;

use super::outcome::{DELIVERED, DUPLICATE};
use super::report::{ChannelStatus, FindingStatus, StatusReport};
use crate::cli::words::grouped;

/// Prints a report.
pub(super) fn write(out: &mut impl Write, report: &StatusReport) -> io::Result<()> {
    let StatusReport { asked, kind, since, known, findings, next, unanswered, .. } = report;
    if !known {
        if !unanswered.is_empty() {
            writeln!(out, "{kind} {asked}: unknown, for not everybody answered\n")?;
        } else if !next.is_empty() {
            writeln!(out, "{kind} {asked}: neither the ledger nor the log has anything of it (log since {since})\n")?;
        }
        return next.iter().try_for_each(|next| writeln!(out, "  next: {next}"));
    }
    findings.iter().try_for_each(|status| finding(out, status))?;
    report.silences.iter().try_for_each(|silence| writeln!(out, "silence {silence}"))
}

fn finding(out: &mut impl Write, status: &FindingStatus) -> io::Result<()> {
    let FindingStatus { finding, rule, event_id, outcome, at, next, channels } = status;
    let bold = Style::new().bold();
    let of =
        |what: &str, name: &Option<String>| name.as_ref().map(|name| format!(" {what} {name}")).unwrap_or_default();
    writeln!(out, "{bold}finding {finding}{bold:#}{}{}", of("of rule", rule), of("in event", event_id))?;
    if let Some(outcome) = outcome {
        let then = if channels.is_empty() { "" } else { " then" };
        writeln!(out, "  {bold}{outcome}{bold:#}{}: it came to no channel{then}", of("at", at))?;
    }
    if let Some(next) = next {
        writeln!(out, "    next: {next}")?;
    }
    channels.iter().try_for_each(|status| channel(out, status))
}

fn channel(out: &mut impl Write, status: &ChannelStatus) -> io::Result<()> {
    let bold = Style::new().bold();
    let ChannelStatus { channel, outcome, at, alert, latency_ms, reason, duplicates, next, .. } = status;
    let at = at.as_ref().map(|at| format!(" at {at}")).unwrap_or_default();
    let late = latency_ms.filter(|_| outcome == DELIVERED).map(|ms| format!(", {} ms after the call", grouped(ms)));
    let alert = alert.as_ref().map(|alert| format!(", under alert {alert}")).unwrap_or_default();
    writeln!(out, "  {channel}: {bold}{outcome}{bold:#}{at}{}{alert}", late.unwrap_or_default())?;
    if let Some(reason) = reason {
        writeln!(out, "    reason: {reason}")?;
    }
    if *duplicates > 0 && outcome != DUPLICATE {
        writeln!(out, "    the same event came again (times: {duplicates}), and was recognised as a duplicate")?;
    }
    writeln!(out, "    next: {next}")
}
