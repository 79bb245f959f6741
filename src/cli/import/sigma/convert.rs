//! Documents of YAML → rules: which of them are rules for CloudTrail, and what each becomes.

use std::path::Path;

use super::super::output::{ImportedException, ImportedRule};
use super::super::report::{ImportReport, NoteKind};
use super::super::tree::{Tree, TreeValue};
use super::super::yaml;
use super::cell;
use super::condition::{self, SigmaCondition};
use super::table::{Expression, tables};
use crate::text;

/// What became of the documents.
#[derive(Debug, Default)]
pub(in crate::cli::import) struct SigmaCounts {
    /// Rules that were carried over.
    pub(in crate::cli::import) imported: usize,
    /// Rules for CloudTrail that were not.
    pub(in crate::cli::import) refused: usize,
    /// Documents that are not rules for CloudTrail.
    pub(in crate::cli::import) others: usize,
}

/// Reads the rules of one file.
///
/// # Errors
/// What is wrong with the YAML.
pub(in crate::cli::import) fn read(
    file: &str,
    text: &str,
    report: &mut ImportReport,
    counts: &mut SigmaCounts,
    rules: &mut Vec<ImportedRule>,
) -> Result<(), String> {
    let documents = yaml::parse(text)?;
    // The file's name names its rule, unless there are several.
    let name = (documents.len() == 1 && file != "stdin").then_some(file);
    for document in documents {
        let place = format!("{file}:{}", document.line);
        let word = |key: &str, of: &Tree| of.get(key).and_then(Tree::text).unwrap_or_default().to_lowercase();
        if document.get("correlation").is_some() || document.get("action").is_some() || document.get("filter").is_some()
        {
            counts.refused += 1;
            let what = "a correlation, a filter or a collection of rules speaks of several rules or events at once";
            report.note(NoteKind::Lost, place, what);
            continue;
        }
        let source = document.get("logsource");
        if source.is_none_or(|source| word("product", source) != "aws" || word("service", source) != "cloudtrail") {
            counts.others += 1;
            continue;
        }
        let mut notes = Vec::new();
        match rule(name, &document, &mut notes) {
            Ok(mut rule) => {
                counts.imported += 1;
                rule.id = unique(&rule.id, rules);
                notes.into_iter().for_each(|note| report.note(NoteKind::Changed, &rule.id, note));
                rules.push(rule);
            }
            Err(reason) => {
                counts.refused += 1;
                report.note(NoteKind::Lost, place, reason);
            }
        }
    }
    Ok(())
}

fn rule(file: Option<&str>, document: &Tree, notes: &mut Vec<String>) -> Result<ImportedRule, String> {
    let one = |key: &str| document.get(key).and_then(Tree::text).map(str::trim).filter(|text| !text.is_empty());
    let title = one("title").ok_or("it has no title")?;
    let detection = document.get("detection").and_then(Tree::entries).ok_or("it has no detection")?;
    let expression = detected(detection, notes)?;
    let tables = tables(&expression)?;
    let (severity, staged) = match one("level").unwrap_or_default() {
        "informational" => ("low", true),
        level @ ("low" | "medium" | "high") => (level, false),
        "critical" => ("very-high", false),
        "" => {
            notes.push("it has no level: medium".to_owned());
            ("medium", false)
        }
        other => {
            return Err(format!(
                "\"{other}\" is not a level: the levels are informational, low, medium, high and critical"
            ));
        }
    };
    let mode = match one("status") {
        Some("unsupported") => return Err("its status is \"unsupported\"".to_owned()),
        Some("deprecated") => {
            notes.push("it is deprecated: its mode is \"off\"".to_owned());
            Some("off")
        }
        _ if staged => {
            notes.push("it is informational, which alerts nobody: its mode is \"stage\"".to_owned());
            Some("stage")
        }
        _ => None,
    };
    let exception = |(name, when)| ImportedException { when, reason: format!("Sigma's \"not {name}\"") };
    Ok(ImportedRule {
        id: name(file, title),
        title: text::clean(title).replace('{', "{{").replace('}', "}}"),
        description: description(document),
        severity: severity.to_owned(),
        when: tables.when,
        unless: tables.unless.into_iter().map(exception).collect(),
        throttle: None,
        tags: document
            .get("tags")
            .map(|tags| tags.items().iter().filter_map(Tree::text).map(str::to_owned).collect())
            .unwrap_or_default(),
        mode: mode.map(str::to_owned),
    })
}

/// The selections and the condition as one expression.
fn detected(detection: &[(String, Tree)], notes: &mut Vec<String>) -> Result<Expression, String> {
    if detection.iter().any(|(key, _)| key == "timeframe") {
        return Err("a timeframe counts over many events: see \"threshold\" in the documentation".to_owned());
    }
    let selections: Vec<&(String, Tree)> = detection.iter().filter(|(key, _)| key != "condition").collect();
    let names: Vec<&str> = selections.iter().map(|(name, _)| name.as_str()).collect();
    let written = detection.iter().find(|(key, _)| key == "condition").ok_or("its detection has no condition")?;
    let mut conditions = written
        .1
        .items()
        .iter()
        .map(|text| condition::parse(text.text().ok_or("the condition is not a string")?, &names))
        .collect::<Result<Vec<_>, _>>()?;
    let condition = match conditions.len() {
        0 => return Err("the condition is empty".to_owned()),
        1 => conditions.remove(0),
        // Several conditions are several searches; one that finds something is enough.
        _ => SigmaCondition::Any(conditions),
    };
    let mut used = Vec::new();
    let expression = resolve(&condition, &selections, &mut used, notes)?;
    for name in names.iter().filter(|name| !used.contains(*name)) {
        notes.push(format!("the condition does not use \"{name}\""));
    }
    Ok(expression)
}

fn resolve<'s>(
    condition: &SigmaCondition,
    selections: &[&'s (String, Tree)],
    used: &mut Vec<&'s str>,
    notes: &mut Vec<String>,
) -> Result<Expression, String> {
    let mut each = |parts: &[SigmaCondition]| {
        parts.iter().map(|part| resolve(part, selections, used, notes)).collect::<Result<_, _>>()
    };
    Ok(match condition {
        SigmaCondition::All(parts) => Expression::All(each(parts)?),
        SigmaCondition::Any(parts) => Expression::Any(each(parts)?),
        SigmaCondition::Not(inner) => Expression::Not(Box::new(resolve(inner, selections, used, notes)?)),
        SigmaCondition::Named(wanted) => {
            let (name, selection) = selections
                .iter()
                .find(|(name, _)| name == wanted)
                .ok_or_else(|| format!("there is no selection \"{wanted}\""))?;
            // A repair is said once, however often the condition names the selection.
            let mut fresh = Vec::new();
            let inner = self::selection(selection, &mut fresh).map_err(|reason| format!("{name}: {reason}"))?;
            if !used.contains(&name.as_str()) {
                used.push(name);
                notes.append(&mut fresh);
            }
            Expression::Named(name.clone(), Box::new(inner))
        }
    })
}

/// A map: all of its fields. A list of maps: any of them.
fn selection(selection: &Tree, notes: &mut Vec<String>) -> Result<Expression, String> {
    const KEYWORDS: &str = "keywords are searched in the whole record, and a cell asks one field: name the field";
    match &selection.value {
        TreeValue::Map(fields) if fields.is_empty() => Err("it is empty".to_owned()),
        TreeValue::Map(fields) if fields.iter().any(|(key, _)| key.is_empty() || key.starts_with('|')) => {
            Err(KEYWORDS.to_owned())
        }
        TreeValue::Map(fields) => {
            let cells = fields
                .iter()
                .map(|(key, values)| Ok(Expression::Cell(cell::cell(key, values, notes)?)))
                .collect::<Result<_, String>>()?;
            Ok(Expression::All(cells))
        }
        TreeValue::List(items) if items.is_empty() => Err("it is empty".to_owned()),
        TreeValue::List(items) if items.iter().all(|item| item.entries().is_some()) => {
            Ok(Expression::Any(items.iter().map(|item| self::selection(item, notes)).collect::<Result<_, _>>()?))
        }
        TreeValue::List(_) | TreeValue::Number(_) | TreeValue::Text(_) | TreeValue::Unknown(_) => {
            Err(KEYWORDS.to_owned())
        }
        TreeValue::Null => Err("it is empty".to_owned()),
    }
}

/// What people read of a rule beyond its title. Sigma's licence asks that its author stay named.
fn description(document: &Tree) -> Option<String> {
    let one = |key: &str| {
        let text = document.get(key).and_then(Tree::text)?;
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        (!text.is_empty()).then_some(text)
    };
    let list = |key: &str| {
        let texts: Vec<&str> = document.get(key)?.items().iter().filter_map(Tree::text).collect();
        (!texts.is_empty()).then_some(texts)
    };
    let mut parts: Vec<String> = one("description").into_iter().collect();
    let unknown = |text: &&&str| !matches!(text.to_lowercase().as_str(), "unknown" | "none" | "unlikely");
    if let Some(causes) = list("falsepositives") {
        let causes: Vec<&str> = causes.iter().filter(unknown).map(|text| text.trim_end_matches('.')).collect();
        if !causes.is_empty() {
            parts.push(format!("False positives: {}.", causes.join("; ")));
        }
    }
    if let Some(links) = list("references") {
        parts.push(format!("References: {}", links.join(" ")));
    }
    let named = [("id", "Sigma rule "), ("author", "by "), ("license", "licence ")];
    let named: Vec<String> =
        named.iter().filter_map(|(key, word)| one(key).map(|text| format!("{word}{text}"))).collect();
    if !named.is_empty() {
        parts.push(format!("({})", named.join(", ")));
    }
    (!parts.is_empty()).then(|| parts.join(" "))
}

/// A rule's id: the file's name, which `SigmaHQ` keeps unique and which finds the rule again; without one, its title.
fn name(file: Option<&str>, title: &str) -> String {
    let stem = file.and_then(|file| Path::new(file).file_stem()).and_then(|stem| stem.to_str());
    super::super::names::slug(stem.unwrap_or(title))
}

fn unique(id: &str, rules: &[ImportedRule]) -> String {
    let taken = |id: &str| rules.iter().any(|rule| rule.id == id);
    if !taken(id) {
        return id.to_owned();
    }
    // One of these is free: there are more of them than rules.
    (2..=rules.len() + 2).map(|n| format!("{id}-{n}")).find(|id| !taken(id)).unwrap_or_default()
}
