//! Documents of YAML → rules: which of them are rules for CloudTrail, and what each becomes.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use serde_json::Value as Json;

use super::super::output::{ImportedException, ImportedRule, OrderedMap};
use super::super::report::{ImportReport, NoteKind};
use super::super::tree::Tree;
use super::collection::{self, DocumentKind, SigmaDocument};
use super::detection::detected;
use super::table::{Expression, tables};
use super::threshold::SigmaThreshold;
use crate::text;

/// What became of the documents.
#[derive(Debug, Default)]
pub(in crate::cli::import) struct SigmaCounts {
    /// Rules that were carried over.
    pub(in crate::cli::import) imported: usize,
    /// Rules for CloudTrail that were not.
    pub(in crate::cli::import) refused: usize,
    /// Documents that have nothing to do with CloudTrail.
    pub(in crate::cli::import) others: usize,
}

/// The documents of all files: a correlation may stand in another file than the rules that it counts.
#[derive(Debug, Default)]
pub(in crate::cli::import) struct SigmaFiles(Vec<SigmaDocument>);

impl SigmaFiles {
    /// Reads one file.
    ///
    /// # Errors
    /// What is wrong with the YAML.
    pub(in crate::cli::import) fn add(&mut self, file: &str, text: &str) -> Result<(), String> {
        self.0.extend(collection::documents(file, text)?);
        Ok(())
    }

    /// Makes rules of the documents. What is not carried over goes to the report.
    pub(in crate::cli::import) fn import(
        &self,
        report: &mut ImportReport,
        counts: &mut SigmaCounts,
        rules: &mut Vec<ImportedRule>,
    ) {
        let index = Index::of(&self.0);
        let made: Vec<Made> = self.0.iter().map(|document| index.made(document)).collect();
        for (document, result) in self.0.iter().zip(&made) {
            match result {
                Made::Other => counts.others += 1,
                Made::Refused(reason) => {
                    counts.refused += 1;
                    report.note(NoteKind::Lost, &document.place, reason);
                }
                Made::Rule(rule, notes) => {
                    counts.imported += 1;
                    let mut rule = (**rule).clone();
                    rule.id = unique(&rule.id, rules);
                    notes.iter().for_each(|note| report.note(NoteKind::Changed, &rule.id, note));
                    rules.push(rule);
                }
                // Alone it alerts nobody: what counts it speaks for it.
                Made::Counted(by) => {
                    let carried = by.iter().any(|at| matches!(made.get(*at), Some(Made::Rule(..))));
                    let title = by.iter().filter_map(|at| self.0.get(*at)).find_map(|one| one.text("title"));
                    let title = title.unwrap_or("without a title");
                    *(if carried { &mut counts.imported } else { &mut counts.refused }) += 1;
                    let (kind, text) = if carried {
                        (
                            NoteKind::Changed,
                            format!("its matches alert only as the correlation \"{title}\" counts them"),
                        )
                    } else {
                        let text = format!(
                            "its matches alert only as the correlation \"{title}\" counts them, which is not carried over; \
                             alone it would alert on each"
                        );
                        (NoteKind::Lost, text)
                    };
                    report.note(kind, &document.place, text);
                }
            }
        }
    }
}

/// The documents by what others call them: a folder holds thousands.
struct Index<'s> {
    documents: &'s [SigmaDocument],
    /// The first document of a name or an id.
    called: HashMap<&'s str, usize>,
    /// The correlations that count a rule of this name or id, and leave it no alerts of its own.
    counted: HashMap<&'s str, Vec<usize>>,
}

impl<'s> Index<'s> {
    fn of(documents: &'s [SigmaDocument]) -> Self {
        let (mut called, mut counted) = (HashMap::new(), HashMap::<&str, Vec<usize>>::new());
        for (at, document) in documents.iter().enumerate() {
            for name in ["name", "id"].into_iter().filter_map(|key| document.text(key)) {
                called.entry(name).or_insert(at);
            }
            let Some(body) = document.tree.get("correlation") else { continue };
            // It stood at the top before it stood in the correlation.
            let generate = body.get("generate").or_else(|| document.tree.get("generate")).and_then(Tree::text);
            if generate != Some("true") {
                references(body).for_each(|name| counted.entry(name).or_default().push(at));
            }
        }
        Self { documents, called, counted }
    }

    fn find(&self, name: &str) -> Option<&'s SigmaDocument> {
        self.called.get(name).and_then(|at| self.documents.get(*at))
    }

    fn made(&self, document: &SigmaDocument) -> Made {
        match document.kind() {
            DocumentKind::Other => Made::Other,
            DocumentKind::Filter => Made::Refused(
                "a filter narrows other rules, which are imported without it: add it to each as an exception"
                    .to_owned(),
            ),
            DocumentKind::Correlation => self.correlation(document),
            DocumentKind::Rule => {
                let names = ["name", "id"].into_iter().filter_map(|key| document.text(key));
                let by: Vec<usize> = names.filter_map(|name| self.counted.get(name)).flatten().copied().collect();
                if !by.is_empty() {
                    return Made::Counted(by);
                }
                let mut notes = Vec::new();
                Made::of(single(document, &mut notes), notes)
            }
        }
    }

    fn correlation(&self, document: &SigmaDocument) -> Made {
        let Some(body) = document.tree.get("correlation") else { return Made::Other };
        let mut counted = Vec::new();
        for name in references(body) {
            let Some(rule) = self.find(name) else {
                return Made::Refused(format!("it counts the rule \"{name}\", which is not in these files"));
            };
            counted.push(rule);
        }
        if !counted.is_empty() && counted.iter().all(|rule| self.of_others(rule)) {
            return Made::Other;
        }
        let mut notes = Vec::new();
        Made::of(correlated(document, body, &counted, &mut notes), notes)
    }

    /// Whether a document has nothing to do with CloudTrail: a correlation, if nothing of all that it counts has.
    fn of_others(&self, document: &'s SigmaDocument) -> bool {
        let (mut seen, mut open, mut others) = (HashSet::new(), vec![document], false);
        while let Some(document) = open.pop() {
            if !seen.insert(std::ptr::from_ref(document)) {
                continue;
            }
            match (document.kind(), document.tree.get("correlation")) {
                (DocumentKind::Other, _) => others = true,
                (DocumentKind::Correlation, Some(body)) => {
                    let named: Option<Vec<_>> = references(body).map(|name| self.find(name)).collect();
                    let Some(named) = named else { return false };
                    open.extend(named);
                }
                _ => return false,
            }
        }
        others
    }
}

/// What becomes of a document.
enum Made {
    Rule(Box<ImportedRule>, Vec<String>),
    /// By which correlations.
    Counted(Vec<usize>),
    Refused(String),
    Other,
}

impl Made {
    fn of(rule: Result<ImportedRule, String>, notes: Vec<String>) -> Self {
        match rule {
            Ok(rule) => Self::Rule(Box::new(rule), notes),
            Err(reason) => Self::Refused(reason),
        }
    }
}

/// The names and ids of the rules that a correlation counts.
fn references(body: &Tree) -> impl Iterator<Item = &str> {
    body.get("rules").map(Tree::items).unwrap_or_default().iter().filter_map(Tree::text)
}

/// A rule that stands alone.
fn single(document: &SigmaDocument, notes: &mut Vec<String>) -> Result<ImportedRule, String> {
    let (expression, threshold) = detected(document, notes)?;
    rule(document, &expression, threshold, notes)
}

/// A correlation: any of its rules, so often.
fn correlated(
    document: &SigmaDocument,
    body: &Tree,
    counted: &[&SigmaDocument],
    notes: &mut Vec<String>,
) -> Result<ImportedRule, String> {
    let threshold = SigmaThreshold::correlation(body, notes)?;
    let mut expressions = Vec::new();
    for rule in counted {
        let name = rule.text("name").or_else(|| rule.text("title")).unwrap_or("without a name");
        match rule.kind() {
            DocumentKind::Rule => {}
            DocumentKind::Correlation => {
                return Err(format!("it counts the correlation \"{name}\", which cannot be expressed"));
            }
            DocumentKind::Filter | DocumentKind::Other => {
                return Err(format!("it also counts \"{name}\", which is no rule for CloudTrail"));
            }
        }
        if rule.text("status").is_some_and(|status| status.eq_ignore_ascii_case("unsupported")) {
            return Err(format!("the status of \"{name}\" is \"unsupported\""));
        }
        let (expression, inner) = detected(rule, notes).map_err(|reason| format!("{name}: {reason}"))?;
        if inner.is_some() {
            return Err(format!("it counts \"{name}\", which counts itself: that cannot be expressed"));
        }
        expressions.push(Expression::Named(name.to_owned(), Box::new(expression)));
    }
    let expression = match expressions.len() {
        0 => return Err("it names no rules that it counts".to_owned()),
        1 => expressions.remove(0),
        _ => Expression::Any(expressions),
    };
    let (expression, threshold) = threshold.apply(expression);
    rule(document, &expression, threshold, notes)
}

fn rule(
    document: &SigmaDocument,
    expression: &Expression,
    threshold: Option<OrderedMap<Json>>,
    notes: &mut Vec<String>,
) -> Result<ImportedRule, String> {
    let title = document.text("title").ok_or("it has no title")?;
    let tables = tables(expression)?;
    let (severity, staged) = match document.text("level").unwrap_or_default().to_lowercase().as_str() {
        "informational" => ("low", true),
        "low" => ("low", false),
        "medium" => ("medium", false),
        "high" => ("high", false),
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
    let mode = match document.text("status").map(str::to_lowercase).as_deref() {
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
    let tags = document.tree.get("tags").map(Tree::items).unwrap_or_default();
    Ok(ImportedRule {
        id: name(document.file.as_deref(), title),
        title: text::clean(title).replace('{', "{{").replace('}', "}}"),
        description: description(&document.tree),
        severity: severity.to_owned(),
        when: tables.when,
        unless: tables.unless.into_iter().map(exception).collect(),
        throttle: None,
        threshold,
        tags: tags.iter().filter_map(Tree::text).map(str::to_owned).collect(),
        mode: mode.map(str::to_owned),
    })
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
    crate::cli::slug(stem.unwrap_or(title))
}

fn unique(id: &str, rules: &[ImportedRule]) -> String {
    let taken = |id: &str| rules.iter().any(|rule| rule.id == id);
    if !taken(id) {
        return id.to_owned();
    }
    // One of these is free: there are more of them than rules.
    (2..=rules.len() + 2).map(|n| format!("{id}-{n}")).find(|id| !taken(id)).unwrap_or_default()
}
