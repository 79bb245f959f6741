//! Documents → rules and channels. All documents are converted together: a channel may stand in another file than its rules.

use serde_json::{Map, Value as Json, json};

use super::super::output::{ImportedRow, ImportedRule, RulesFile};
use super::super::report::{ImportReport, NoteKind};
use super::super::tree::Tree;
use super::super::{hcl, tree};
use super::{channels, rules, settings};
use crate::cli::words::counted;

/// A file that was read, and its name.
pub(in crate::cli::import) struct SettingsFile {
    name: String,
    tree: Tree,
}

impl SettingsFile {
    /// Reads Terraform's HCL or JSON.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(in crate::cli::import) fn parse(name: &str, text: &str) -> Result<Self, String> {
        let json = text.trim_start_matches('\u{feff}').trim_start().starts_with(['{', '[']);
        let tree = if json { tree::parse_json(text)? } else { hcl::parse(text)? };
        Ok(Self { name: name.to_owned(), tree })
    }
}

/// What was imported, and a skeleton of the credentials that its channels need.
pub(in crate::cli::import) struct Imported {
    pub(in crate::cli::import) file: RulesFile,
    pub(in crate::cli::import) credentials: Map<String, Json>,
    /// Settings found: of rules about events, of channels.
    pub(in crate::cli::import) found: (usize, usize),
}

/// Makes rules and channels of all documents together: a channel may stand in another file than its rules.
pub(in crate::cli::import) fn import(documents: &[SettingsFile], report: &mut ImportReport) -> Imported {
    let mut file = RulesFile::default();
    let mut credentials = Map::new();
    let found: Vec<settings::FoundSettings<'_>> = documents
        .iter()
        .map(|document| {
            let mut found = settings::FoundSettings::default();
            settings::find(&document.tree, &mut found);
            if found.others > 0 {
                let text = format!(
                    "{} of rules that check configurations: this tool watches events",
                    counted(found.others, "setting")
                );
                report.note(NoteKind::Lost, &document.name, text);
            }
            found
        })
        .collect();
    for (document, found) in documents.iter().zip(&found) {
        for setting in &found.rules {
            let place = format!("{}:{}", document.name, setting.line);
            if let Some(rule) = rules::rule(setting, &place, &mut file.lists, report) {
                add_rule(rule, &place, &mut file, report);
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
    let ids: Vec<String> = file.rules.iter().map(|rule| rule.id.clone()).collect();
    for (document, found) in documents.iter().zip(&found) {
        for setting in &found.channels {
            let place = format!("{}:{}", document.name, setting.line);
            let Some(mut channel) = channels::channel(setting, &place, &ids, found, report) else { continue };
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
    let sum = |count: fn(&settings::FoundSettings<'_>) -> usize| found.iter().map(count).sum();
    Imported { file, credentials, found: (sum(|found| found.rules.len()), sum(|found| found.channels.len())) }
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
