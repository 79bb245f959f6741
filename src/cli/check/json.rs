//! Diagnostics for programs: one JSON document.

use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;

use super::counts::LevelCounts;
use super::fix::{Change, Fixed};
use crate::cli::diagnostics::{path_in, path_of};
use crate::cli::lines::VERSION;
use crate::cli::out;
use crate::config::{Diagnostic, Fix, Related};
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
    /// With `--fix`: what was changed before.
    #[serde(skip_serializing_if = "Option::is_none")]
    fixed: Option<&'a [Change]>,
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
    /// Other places that it is about.
    related: Vec<RelatedObject<'a>>,
    /// The one right answer, if there is one.
    fix: Option<FixObject<'a>>,
}

/// Another place.
#[derive(Serialize)]
struct RelatedObject<'a> {
    file: String,
    line: usize,
    column: usize,
    message: &'a str,
}

/// Edits of the file, which belong together.
#[derive(Serialize)]
struct FixObject<'a> {
    edits: Vec<EditObject<'a>>,
}

/// One edit. Bytes count from 0, and from the end of a byte order mark; the end is behind the last.
#[derive(Serialize)]
struct EditObject<'a> {
    start: usize,
    end: usize,
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
    text: &'a str,
}

pub(super) fn write(
    path: &Path,
    sources: &Sources,
    diagnostics: &[Diagnostic],
    fixed: Option<&Fixed>,
) -> io::Result<()> {
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
                related: diagnostic.related.iter().map(|related| related_object(path, related)).collect(),
                fix: diagnostic.fix.as_ref().map(|fix| fix_object(text, fix)),
            }
        })
        .collect();
    let rules = path.display().to_string();
    let fixed = fixed.map(|fixed| fixed.changes.as_slice());
    let document = CheckDocument { version: VERSION, rules, errors, warnings, notes, diagnostics: lines, fixed };
    let mut out = out::stdout();
    serde_json::to_writer_pretty(&mut out, &document)?;
    writeln!(out)?;
    out.flush()
}

fn related_object<'a>(path: &Path, related: &'a Related) -> RelatedObject<'a> {
    let Related { file, line, column, message, .. } = related;
    RelatedObject { file: path_in(path, file.as_deref()), line: *line, column: *column, message }
}

fn fix_object<'a>(text: &str, fix: &'a Fix) -> FixObject<'a> {
    let edits = fix.edits.iter().map(|edit| {
        let (line, column) = line_and_column(text, edit.span.start);
        let (end_line, end_column) = line_and_column(text, edit.span.end);
        EditObject { start: edit.span.start, end: edit.span.end, line, column, end_line, end_column, text: &edit.text }
    });
    FixObject { edits: edits.collect() }
}
