//! The summary for people.

use std::io::{self, Write};

use anstyle::Style;

use super::survey::Survey;
use crate::cli::words::counted;

/// Prints what rules watch for: numbers, tactics with their techniques, services, and `GuardDuty`'s rules that are not met.
pub(super) fn write(out: &mut impl Write, survey: &Survey<'_>) -> io::Result<()> {
    let bold = Style::new().bold();
    let [alert, stage, off] = survey.modes();
    let all = counted(alert + stage + off, "rule");
    writeln!(out, "{bold}{all}{bold:#}: {alert} that alert, {stage} staged, {off} off")?;
    let techniques = counted(survey.techniques.len(), "technique");
    writeln!(out, "\n{bold}{techniques}{bold:#} of ATT&CK {}", super::attack::VERSION)?;
    for (tactic, techniques, rules) in survey.tactics() {
        let (name, techniques, rules) =
            (tactic.name, counted(techniques.len(), "technique"), counted(rules.len(), "rule"));
        writeln!(out, "  {name:<22} {techniques:>14}  {rules:>9}")?;
    }
    let services = survey.services();
    writeln!(out, "\n{bold}{}{bold:#}", counted(services.len(), "service"))?;
    for (service, coverage) in &services {
        let name = service.strip_suffix(".amazonaws.com").unwrap_or(service);
        let (rules, writes) = (counted(coverage.rules.len(), "rule"), counted(coverage.writes.len(), "write call"));
        writeln!(out, "  {name:<32} {rules:>9}  {writes:>15}")?;
    }
    let missed: Vec<&str> = survey
        .guardduty
        .iter()
        .filter(|compared| compared.alerting.is_empty())
        .map(|compared| compared.theirs.name.as_str())
        .collect();
    let (met, theirs) = (survey.guardduty.len() - missed.len(), survey.guardduty.len());
    writeln!(
        out,
        "\n{bold}GuardDuty's Custom Detection Rules{bold:#}: an alert of these rules for the calls of {met} of {theirs}"
    )?;
    if !missed.is_empty() {
        writeln!(out, "  none for {}", missed.join(", "))?;
    }
    let beyond = counted(survey.beyond_guardduty().len(), "rule");
    writeln!(out, "  {beyond} for what none of them is about")
}
