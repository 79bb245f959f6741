//! Diagnostics for people: the lines that they speak of, with a caret.

use std::io;
use std::path::Path;

use ariadne::{Color, Config, IndexType, Label, Report, ReportKind, Source};

use super::path_of;
use crate::rules::Sources;
use crate::rules::diagnostic::{Diagnostic, Level};

/// Shows diagnostics on stderr.
pub(in crate::cli) fn report(path: &Path, sources: &Sources, diagnostics: &[Diagnostic]) {
    let colour = anstream::AutoStream::choice(&io::stderr()) != anstream::ColorChoice::Never;
    let config = Config::default().with_index_type(IndexType::Byte).with_color(colour);
    for diagnostic in diagnostics {
        let text = sources.text(diagnostic.file.as_deref());
        let name = path_of(path, diagnostic);
        let (kind, mark) = match diagnostic.level {
            Level::Error => (ReportKind::Error, Color::Red),
            Level::Warning => (ReportKind::Warning, Color::Yellow),
            Level::Note => (ReportKind::Custom("Note", Color::Blue), Color::Blue),
        };
        let place = if diagnostic.pointer.is_empty() { "here" } else { &diagnostic.pointer };
        let shown = Report::build(kind, (&name, diagnostic.span.clone()))
            .with_config(config)
            .with_code(diagnostic.code)
            .with_message(&diagnostic.message)
            .with_label(Label::new((&name, diagnostic.span.clone())).with_message(place).with_color(mark))
            .with_help(&diagnostic.help)
            .finish()
            // The library paints a kind of our own, such as "Note", also where it should paint nothing: the stream knows.
            .write((&name, Source::from(text)), anstream::stderr());
        // A line of a megabyte explains nothing.
        if shown.is_err() || text.len() > SHOWN_SOURCE {
            eprintln!("{name}:{}", Diagnostic { file: None, ..diagnostic.clone() });
        }
    }
}

/// Bytes of a rules file beyond which the diagnostics are shown on one line each, too.
const SHOWN_SOURCE: usize = 8 * 1024 * 1024;
