//! The alert on a terminal.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{self, Write};

use anstyle::{AnsiColor, Style};

use crate::finding::Finding;
use crate::rules::Mode;
use crate::severity::Severity;
use crate::text;

/// Characters of one fact that are shown.
const FACT_LIMIT: usize = 200;

/// Prints a finding: what a person needs at 3 a.m., the worst first. On some channels it is told in the message of another, whose
/// rule that is.
pub(super) fn write(
    out: &mut impl Write,
    finding: &Finding,
    channels: &[&str],
    merged: &BTreeMap<&str, &str>,
) -> io::Result<()> {
    let Finding { rule, severity, call, steps, .. } = finding;
    let (bold, dim) = (Style::new().bold(), Style::new().dimmed());
    let colour = colour(*severity);
    writeln!(
        out,
        "{colour}{}{colour:#}  {bold}{}{bold:#}  {dim}{}{dim:#}",
        severity.label(),
        finding.shown_title(),
        rule.id
    )?;
    writeln!(out, "  {}", call.sentence)?;
    let mfa = call.mfa.map(|mfa| if mfa { "yes" } else { "no" }.to_owned());
    let account = match (call.shown_account(), call.shown_caller_account()) {
        (Some(account), Some(callers)) => Some(format!("{account}; the caller's is {callers}")),
        (account, _) => account,
    };
    let facts: [(&str, Option<String>); 12] = [
        ("time", call.event_time.clone()),
        ("account", account),
        ("unit", call.unit.clone()),
        ("region", call.region.clone()),
        ("principal", call.arn.clone()),
        ("source", call.source_ip.clone()),
        ("agent", call.user_agent.clone()),
        ("MFA", mfa),
        ("error", call.error.as_ref().or(call.error_message.as_ref()).cloned()),
        ("event", call.event_id.clone()),
        ("why", rule.description.clone()),
        ("runbook", rule.runbook.clone()),
    ];
    for (name, value) in facts.into_iter().filter_map(|(name, value)| Some((name, value?))) {
        writeln!(out, "  {dim}{name:<9}{dim:#} {}", fact(&value))?;
    }
    for (index, step) in steps.iter().enumerate() {
        let name = if index == 0 { "do first" } else { "then" };
        writeln!(out, "  {dim}{name:<9}{dim:#} {}", step.text)?;
        if let Some(command) = &step.command {
            writeln!(out, "            {command}")?;
        }
    }
    let to = match (rule.mode, channels) {
        (Mode::Stage, _) => Cow::Borrowed("nobody: the rule is staged"),
        (_, []) => Cow::Borrowed("nobody: no channel accepts it"),
        (_, names) => {
            let told = |name: &&str| match merged.get(name) {
                Some(rule) => format!("{name} (in the message of {rule})"),
                None => (*name).to_owned(),
            };
            Cow::Owned(names.iter().map(told).collect::<Vec<_>>().join(", "))
        }
    };
    writeln!(out, "  {dim}{:<9}{dim:#} {to}\n", "to")
}

fn fact(value: &str) -> String {
    text::one_line(value, FACT_LIMIT).into_owned()
}

/// The colour of a severity.
pub(super) fn colour(severity: Severity) -> Style {
    let style = Style::new().bold();
    match severity {
        Severity::Extreme | Severity::VeryHigh => style.fg_color(Some(AnsiColor::Red.into())),
        Severity::High => style.fg_color(Some(AnsiColor::Yellow.into())),
        Severity::Medium => style.fg_color(Some(AnsiColor::BrightYellow.into())),
        Severity::Low => style.fg_color(Some(AnsiColor::Blue.into())),
    }
}
