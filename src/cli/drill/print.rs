//! What a drill found, for people.

use std::io::{self, Write};

use super::report::DrillReport;
use crate::cli::words::counted;

/// Prints a line for each rule and channel, and then the rules that never answered.
pub(super) fn write(out: &mut impl Write, report: &DrillReport) -> io::Result<()> {
    let width = report.rules.iter().map(|rule| rule.rule.len()).max().unwrap_or_default();
    for rule in &report.rules {
        if let Some(call) = &rule.call {
            let note = call.note.map_or_else(String::new, |note| format!(": {note}"));
            writeln!(out, "{:width$}  {}:{}: {}{note}", rule.rule, call.service, call.call, call.answer)?;
        }
        for channel in &rule.channels {
            let seconds = |ms: Option<u64>| {
                ms.map_or_else(String::new, |ms| format!(" after {}.{} s", ms / 1000, ms % 1000 / 100))
            };
            let outcome = channel.outcome.unwrap_or("no answer");
            writeln!(out, "{:width$}  {}: {outcome}{}", rule.rule, channel.channel, seconds(channel.ms))?;
        }
        if let Some(ms) = rule.webhook_ms {
            writeln!(out, "{:width$}  here, on the webhook, after {}.{} s", rule.rule, ms / 1000, ms % 1000 / 100)?;
        }
    }
    let silent: Vec<&str> = report.rules.iter().filter(|rule| !rule.answered).map(|rule| rule.rule.as_str()).collect();
    let count = counted(report.rules.len(), "rule");
    if silent.is_empty() {
        return writeln!(out, "{count}: each has answered on each of its channels");
    }
    writeln!(out, "{count}, of which {} did not answer on all of its channels: {}", silent.len(), silent.join(", "))?;
    for event_id in report.rules.iter().filter(|rule| !rule.answered).filter_map(|rule| rule.event_id.as_ref()) {
        writeln!(out, "  offlimits status {event_id} --stack {} --region {}", report.stack, report.region)?;
    }
    Ok(())
}
