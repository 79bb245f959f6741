//! The report for people, and the list of checks.

use std::io::{self, Write};

use anstyle::Style;

use super::checks;
use super::report::{DoctorReport, Finding, RegionReport, WatchedBy};
use crate::cli::words::counted;

/// Prints a report.
pub(super) fn write(out: &mut impl Write, report: &DoctorReport) -> io::Result<()> {
    let DoctorReport { stack, regions, findings, unanswered } = report;
    for RegionReport { region, account, watched_by, silences } in regions {
        let whose = account.as_ref().map(|account| format!(" in account {account}")).unwrap_or_default();
        let watched = match watched_by {
            WatchedBy::Stack => format!("the stack {stack}{whose}"),
            WatchedBy::Forwarding => "a rule sends its events to a stack elsewhere".to_owned(),
            WatchedBy::Nobody => "nobody watches it".to_owned(),
            WatchedBy::Unknown => "not known".to_owned(),
        };
        let number = findings.iter().filter(|finding| finding.region == *region).count();
        let found = if number == 0 { "nothing wrong".to_owned() } else { counted(number, "finding") };
        writeln!(out, "{region}: {watched}: {found}")?;
        silences.iter().try_for_each(|silence| writeln!(out, "  silence {silence}"))?;
    }
    findings.iter().try_for_each(|finding| write_finding(out, finding))?;
    if !findings.is_empty() {
        let number = counted(findings.len(), "finding");
        writeln!(out, "\n{number}. docs/doctor.md says what each code means.")?;
    }
    if !unanswered.is_empty() {
        writeln!(out, "\nNot everybody has answered: what is wrong there is not known.")?;
    }
    Ok(())
}

fn write_finding(out: &mut impl Write, finding: &Finding) -> io::Result<()> {
    let Finding { code, region, account, resource, message, remedy } = finding;
    let bold = Style::new().bold();
    let account = account.as_ref().map(|account| format!("{account} ")).unwrap_or_default();
    writeln!(out, "\n{bold}{code}{bold:#}  {account}{region}  {resource}")?;
    writeln!(out, "  {message}")?;
    remedy.iter().try_for_each(|command| writeln!(out, "  $ {command}"))
}

/// Prints every check with what it asks: a line each.
pub(super) fn write_checks(out: &mut impl Write) -> io::Result<()> {
    for check in checks::ALL.into_iter().flatten() {
        writeln!(out, "{}: {} ({})", check.code, check.summary, check.asks.join(", "))?;
    }
    Ok(())
}
