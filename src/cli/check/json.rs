//! Diagnostics for programs: one JSON document.

use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;

use super::counts::LevelCounts;
use crate::cli::diagnostics::path_of;
use crate::cli::lines::VERSION;
use crate::config::Diagnostic;
use crate::json::line_and_column;
use crate::ruleset::Sources;

/// The document. Programs read it: within a version keys may join, and none may change or go.
#[derive(Serialize)]
struct CheckDocument<'a> {
    /// The version of this format.
    version: u32,
    /// The file that was checked.
    rules: String,
    errors: usize,
    warnings: usize,
    notes: usize,
    diagnostics: Vec<DiagnosticObject<'a>>,
}

/// One diagnostic. Lines and columns count from 1, columns in characters; the end is behind the last character.
#[derive(Serialize)]
struct DiagnosticObject<'a> {
    /// `error`, `warning` or `note`.
    level: String,
    code: &'a str,
    file: String,
    /// The value or key at fault, as a JSON pointer (RFC 6901).
    pointer: &'a str,
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
    message: &'a str,
    help: &'a str,
    /// The section about the code.
    docs: String,
}

pub(super) fn write(path: &Path, sources: &Sources, diagnostics: &[Diagnostic]) -> io::Result<()> {
    let LevelCounts { errors, warnings, notes } = LevelCounts::new(diagnostics);
    let lines = diagnostics
        .iter()
        .map(|diagnostic| {
            let text = sources.text(diagnostic.file.as_deref());
            let (end_line, end_column) = line_and_column(text, diagnostic.span.end);
            DiagnosticObject {
                level: diagnostic.level.to_string(),
                code: diagnostic.code,
                file: path_of(path, diagnostic),
                pointer: &diagnostic.pointer,
                line: diagnostic.line,
                column: diagnostic.column,
                end_line,
                end_column,
                message: &diagnostic.message,
                help: &diagnostic.help,
                docs: format!("docs/diagnostics.md#{}", diagnostic.code),
            }
        })
        .collect();
    let rules = path.display().to_string();
    let document = CheckDocument { version: VERSION, rules, errors, warnings, notes, diagnostics: lines };
    let mut out = io::stdout().lock();
    serde_json::to_writer_pretty(&mut out, &document)?;
    writeln!(out)
}
