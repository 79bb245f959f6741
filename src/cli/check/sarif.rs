//! Diagnostics for code scanning: SARIF 2.1.0, of which this is the part that one run of one tool needs.
//! Source: OASIS, "Static Analysis Results Interchange Format (SARIF) Version 2.1.0".

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;

use super::page;
use crate::cli::diagnostics::path_of;
use crate::cli::out;
use crate::config::{Diagnostic, Level};
use crate::json::line_and_column;
use crate::lint;
use crate::ruleset::Sources;
use crate::text::percent_encoded;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Log<'a> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run<'a> {
    tool: Tool,
    /// What the columns of a region count.
    column_kind: &'static str,
    results: Vec<SarifResult<'a>>,
}

#[derive(Serialize)]
struct Tool {
    driver: Driver,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Driver {
    name: &'static str,
    semantic_version: &'static str,
    rules: Vec<Descriptor>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    id: &'static str,
    /// One sentence: of a lint, its summary.
    short_description: SarifMessage<String>,
    /// What the page says before its first example.
    full_description: SarifMessage<&'static str>,
    /// All that `--explain` prints. There is no `helpUri`: the documentation has no address of its own, and what the program
    /// says is of its own version.
    help: Help,
    default_configuration: Configuration,
}

/// SARIF's `multiformatMessageString`: viewers that know Markdown show that.
#[derive(Serialize)]
struct Help {
    text: String,
    markdown: &'static str,
}

#[derive(Serialize)]
struct Configuration {
    level: String,
}

#[derive(Serialize)]
struct SarifMessage<T> {
    text: T,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SarifResult<'a> {
    rule_id: &'a str,
    rule_index: usize,
    level: String,
    message: SarifMessage<String>,
    locations: [Location<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Location<'a> {
    physical_location: Physical,
    logical_locations: [Logical<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Physical {
    artifact_location: Artifact,
    region: Region,
}

#[derive(Serialize)]
struct Artifact {
    uri: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: usize,
    start_column: usize,
    end_line: usize,
    end_column: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Logical<'a> {
    /// The value or key at fault, as a JSON pointer.
    fully_qualified_name: &'a str,
}

pub(super) fn write(path: &Path, sources: &Sources, diagnostics: &[Diagnostic]) -> io::Result<()> {
    // Of each code the level with which it is reported.
    let levels: BTreeMap<&'static str, Level> =
        diagnostics.iter().map(|diagnostic| (diagnostic.code, diagnostic.level)).collect();
    let codes: Vec<&'static str> = levels.keys().copied().collect();
    let rules = levels.iter().map(|(code, level)| Descriptor::new(code, *level)).collect();
    let results = diagnostics.iter().map(|diagnostic| outcome(path, sources, diagnostic, &codes)).collect();
    let driver = Driver { name: "offlimits", semantic_version: env!("CARGO_PKG_VERSION"), rules };
    let log = Log {
        schema: "https://json.schemastore.org/sarif-2.1.0.json",
        version: "2.1.0",
        runs: [Run { tool: Tool { driver }, column_kind: "unicodeCodePoints", results }],
    };
    let mut out = out::stdout();
    serde_json::to_writer_pretty(&mut out, &log)?;
    writeln!(out)?;
    out.flush()
}

impl Descriptor {
    fn new(code: &'static str, level: Level) -> Self {
        let full = page::description(code).unwrap_or_default();
        let lint = lint::all().find(|lint| lint.code == code);
        let short = lint.map_or_else(|| first_sentence(full), |lint| lint.summary.to_owned());
        let section = page::section(code).unwrap_or_default();
        Self {
            id: code,
            short_description: SarifMessage { text: short },
            full_description: SarifMessage { text: full },
            help: Help { text: format!("{code}\n\n{section}"), markdown: section },
            default_configuration: Configuration { level: level.to_string() },
        }
    }
}

/// A text up to its first full stop that ends a sentence.
fn first_sentence(text: &str) -> String {
    let paragraph = text.split("\n\n").next().unwrap_or_default();
    match paragraph.find(". ") {
        Some(end) => paragraph[..=end].to_owned(),
        None => paragraph.to_owned(),
    }
}

fn outcome<'a>(path: &Path, sources: &Sources, diagnostic: &'a Diagnostic, codes: &[&str]) -> SarifResult<'a> {
    let text = sources.text(diagnostic.file.as_deref());
    let (end_line, end_column) = line_and_column(text, diagnostic.span.end);
    let region = Region { start_line: diagnostic.line, start_column: diagnostic.column, end_line, end_column };
    SarifResult {
        rule_id: diagnostic.code,
        rule_index: codes.iter().position(|code| *code == diagnostic.code).unwrap_or_default(),
        level: diagnostic.level.to_string(),
        message: SarifMessage { text: format!("{}. Help: {}", diagnostic.message, diagnostic.advice()) },
        locations: [Location {
            physical_location: Physical {
                artifact_location: Artifact { uri: uri(&path_of(path, diagnostic)) },
                region,
            },
            logical_locations: [Logical { fully_qualified_name: &diagnostic.pointer }],
        }],
    }
}

/// A path as a relative or absolute reference.
fn uri(path: &str) -> String {
    path.split(['/', '\\']).map(percent_encoded).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_become_references() {
        assert_eq!(uri("rules/my rules.json"), "rules/my%20rules.json");
        assert_eq!(uri("é:#?.json"), "%C3%A9%3A%23%3F.json");
    }
}
