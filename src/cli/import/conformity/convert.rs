//! Documents → rules and channels. All documents are converted together: a channel may stand in another file than its rules.

use serde_json::{Map, Value as Json, json};

use super::super::output::{ImportedRow, ImportedRule, RulesFile};
use super::super::report::{ImportReport, NoteKind};
use super::channels::Surroundings;
use super::documents::{Document, SettingsFiles};
use super::settings::FoundSettings;
use super::{channels, rules, settings};
use crate::cli::words::counted;

/// What was imported, and a skeleton of the credentials that its channels need.
pub(in crate::cli::import) struct Imported {
    pub(in crate::cli::import) file: RulesFile,
    pub(in crate::cli::import) credentials: Map<String, Json>,
    /// Settings found, those that cannot be read included: of rules about events, of channels.
    pub(in crate::cli::import) found: (usize, usize),
}

/// Makes rules and channels of all files together: a channel may stand in another file than its rules.
pub(in crate::cli::import) fn import(files: &SettingsFiles, report: &mut ImportReport) -> Imported {
    let mut file = RulesFile::default();
    let mut credentials = Map::new();
    let documents = files.documents(report);
    let found: Vec<FoundSettings<'_>> = documents.iter().map(|document| find(document, report)).collect();
    for (document, found) in documents.iter().zip(&found) {
        for setting in &found.rules {
            let place = format!("{}:{}", document.name, setting.line);
            let before = file.rules.len();
            if let Some(rule) = rules::rule(setting, &place, &mut file.lists, report) {
                add_rule(rule, &place, &mut file, report);
            }
            let lines = document.trimmed.iter().filter(|line| (setting.line..=setting.last_line).contains(*line));
            if file.rules.len() > before {
                for line in lines {
                    let text = format!("{}: line {line}: the blanks around a value were taken off", setting.id);
                    report.note(NoteKind::Repaired, &place, text);
                }
            }
        }
    }
    let told_apart = keep_what_nobody_else_tells(&mut file);
    for (rule, reason) in file.drop_what_does_not_compile() {
        if reason.contains("countries.mmdb") {
            let text = serde_json::to_string(&rule).unwrap_or_default();
            report.note(NoteKind::ToDo, rule.id, format!("{reason}. Then add this rule: {text}"));
        } else {
            report.note(NoteKind::Lost, rule.id, reason);
        }
    }
    let count = |number: fn(&FoundSettings<'_>) -> usize| -> usize { found.iter().map(number).sum() };
    let counted = (
        count(|found| found.rules.len() + found.unread_rules.len()),
        count(|found| found.channels.len() + found.unread_channels.len()),
    );
    let ids: Vec<String> = file.rules.iter().map(|rule| rule.id.clone()).collect();
    let accounts: Vec<(String, String)> = found.iter().flat_map(|found| found.accounts.iter().cloned()).collect();
    let around = Surroundings { rules: (counted.0 > 0).then_some(ids.as_slice()), accounts: &accounts };
    for (document, found) in documents.iter().zip(&found) {
        for setting in &found.channels {
            let place = format!("{}:{}", document.name, setting.line);
            let Some(mut channel) = channels::channel(setting, &place, &around, report) else { continue };
            channel.name = free_name(&channel.name, &file);
            if told_apart && channel.add_rule("RTM-001", "RTM-002") {
                let text = "it gets RTM-002 too: RTM-001 leaves sign-ins without MFA to it";
                report.note(NoteKind::Changed, format!("channel {}", channel.name), text);
            }
            if let Err(reason) = RulesFile::accepts_channel(&channel.settings) {
                report.note(NoteKind::Lost, place, format!("channel {}: {reason}", channel.name));
                continue;
            }
            if !channel.credentials.is_empty() {
                let empty: Map<String, Json> =
                    channel.credentials.iter().map(|key| ((*key).to_owned(), json!(""))).collect();
                credentials.insert(channel.name.clone(), Json::Object(empty));
            }
            file.channels.set(&channel.name, channel.settings);
        }
    }
    Imported { file, credentials, found: counted }
}

/// The settings in a document. What of them cannot be read goes to the report.
fn find<'d>(document: &'d Document, report: &mut ImportReport) -> FoundSettings<'d> {
    let mut found = FoundSettings::default();
    settings::find(&document.tree, &mut found);
    if found.others > 0 {
        let text = format!(
            "{} of rules that check configurations: this tool watches events",
            counted(found.others, "setting")
        );
        report.note(NoteKind::Lost, &document.name, text);
    }
    for setting in found.unread_rules.iter().chain(&found.unread_channels) {
        report.note(NoteKind::Lost, format!("{}:{}", document.name, setting.line), &setting.reason);
    }
    found
}

/// The pack's RTM-001 leaves sign-ins without MFA to RTM-002, so that nobody is told twice. Where RTM-002 is not there, or is
/// off, it must not. Returns whether it does.
fn keep_what_nobody_else_tells(file: &mut RulesFile) -> bool {
    let told = file.rules.iter().any(|rule| rule.id == "RTM-002" && rule.mode.is_none());
    if !told {
        let about_mfa = |row: &ImportedRow| row.0.iter().any(|(field, _)| field == "mfa");
        for rule in file.rules.iter_mut().filter(|rule| rule.id == "RTM-001") {
            rule.unless.retain(|exception| !exception.when.iter().any(about_mfa));
        }
    }
    told
}

/// Adds a rule under an id of its own. The same rule, set alike for several accounts, is one.
fn add_rule(mut rule: ImportedRule, place: &str, file: &mut RulesFile, report: &mut ImportReport) {
    let same = |other: &ImportedRule| {
        let twin = ImportedRule { id: rule.id.clone(), ..other.clone() };
        serde_json::to_value(&twin).ok() == serde_json::to_value(&rule).ok()
    };
    if file.rules.iter().any(same) {
        return;
    }
    let count = file.rules.iter().filter(|other| other.id.starts_with(&rule.id)).count();
    if count > 0 {
        let id = format!("{}-{}", rule.id, count + 1);
        let text = format!("{} has another setting already (for another account?): this one is {id}", rule.id);
        report.note(NoteKind::Changed, place, text);
        rule.id = id;
    }
    file.rules.push(rule);
}

fn free_name(name: &str, file: &RulesFile) -> String {
    let taken = |name: &str| file.channels.0.iter().any(|(other, _)| other == name);
    if !taken(name) {
        return name.to_owned();
    }
    let tries = file.channels.0.len() + 2;
    (2..=tries).map(|n| format!("{name}-{n}")).find(|name| !taken(name)).unwrap_or_default()
}
