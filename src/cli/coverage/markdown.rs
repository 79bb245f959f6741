//! The page in Markdown.

use std::fmt::Write;

use super::attack::VERSION;
use super::survey::Survey;
use crate::cli::words::counted;
use crate::rules::Mode;

/// The page.
pub(super) fn page(survey: &Survey<'_>) -> String {
    let [alert, stage, off] = survey.modes();
    let mut page = format!(
        "# Coverage\n\n{}: {alert} that alert, {stage} staged, {off} off. `offlimits coverage --format markdown` has written this \
         page; what is off is left out of the tables below the first.\n",
        counted(alert + stage + off, "rule")
    );
    for part in [severities(survey), tactics(survey), techniques(survey), services(survey), guardduty(survey)] {
        page.push_str(&part);
    }
    page
}

/// A table's head below its heading.
fn table(heading: &str, before: &str, columns: &[&str]) -> String {
    let rule: String = columns.iter().map(|_| "---|").collect();
    let before = if before.is_empty() { String::new() } else { format!("{before}\n\n") };
    format!("\n## {heading}\n\n{before}| {} |\n|{rule}\n", columns.join(" | "))
}

/// Adds a line to a table.
fn line(table: &mut String, cells: &[&dyn std::fmt::Display]) {
    for cell in cells {
        // Nothing that goes into a text fails.
        let _ = write!(table, "| {cell} ");
    }
    table.push_str("|\n");
}

fn severities(survey: &Survey<'_>) -> String {
    let columns: Vec<&str> = ["severity"].into_iter().chain(Mode::WORDS.map(|(word, _)| word)).collect();
    let mut text = table("By severity and mode", "", &columns);
    for (severity, modes) in &survey.numbers {
        line(&mut text, &[&severity.as_str(), &modes[0], &modes[1], &modes[2]]);
    }
    text
}

fn tactics(survey: &Survey<'_>) -> String {
    let before = format!(
        "By the tags of the rules, in [MITRE ATT&CK {VERSION}](https://attack.mitre.org/matrices/enterprise/): {}, sub-techniques \
         counted with them. A technique serves several tactics.",
        counted(survey.techniques.len(), "technique")
    );
    let mut text = table("By tactic", &before, &["tactic", "techniques", "rules"]);
    for (tactic, techniques, rules) in survey.tactics() {
        line(&mut text, &[&tactic.name, &techniques.len(), &rules.len()]);
    }
    text
}

fn techniques(survey: &Survey<'_>) -> String {
    let mut text = table("By technique", "", &["technique", "name", "tactics", "rules"]);
    for (technique, rules) in survey.techniques.values() {
        let address = technique.id.replace('.', "/");
        let id = format!("[{}](https://attack.mitre.org/techniques/{address}/)", technique.id);
        line(&mut text, &[&id, &technique.name, &technique.tactics.join(", "), &rules.join(", ")]);
    }
    text
}

fn services(survey: &Survey<'_>) -> String {
    let any = survey.of_any_call();
    let before = format!(
        "By the services and calls that the rules name. `offlimits coverage --format json` lists the calls.{}",
        if any.is_empty() { String::new() } else { format!(" Of whatever call: {}.", any.join(", ")) }
    );
    let mut text =
        table("By service", &before, &["service", "rules", "calls that change something", "calls that read"]);
    for (service, coverage) in survey.services() {
        let name = service.strip_suffix(".amazonaws.com").unwrap_or(service);
        line(&mut text, &[&name, &coverage.rules.join(", "), &coverage.writes.len(), &coverage.reads.len()]);
    }
    text
}

fn guardduty(survey: &Survey<'_>) -> String {
    let met = survey.guardduty.iter().filter(|compared| !compared.alerting.is_empty()).count();
    let before = format!(
        "GuardDuty's [Custom Detection Rules](https://docs.aws.amazon.com/guardduty/latest/ug/findings-custom-detection-rules.html), \
         and the rules here that alert when an administrator of IAM Identity Center makes the call that each is about: {met} of {}.",
        survey.guardduty.len()
    );
    let mut text =
        table("Beside AWS's own rules", &before, &["GuardDuty's rule", "its severity", "technique", "rules here"]);
    for compared in &survey.guardduty {
        let staged = compared.staged.iter().map(|id| format!("{id} (staged)"));
        let ours: Vec<String> = compared.alerting.iter().cloned().chain(staged).collect();
        let theirs = &compared.theirs;
        line(&mut text, &[&theirs.name, &theirs.severity, &theirs.technique, &ours.join(", ")]);
    }
    let beyond = survey.beyond_guardduty();
    let _ = write!(
        text,
        "\n{} here for what none of them is about: {}. GuardDuty's rules besides tell of successful calls alone, have no exceptions \
         by field and no channels of their own.\n",
        counted(beyond.len(), "rule"),
        beyond.join(", ")
    );
    text
}
