//! Diagnostics for people: the lines that they speak of, with a caret.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io;
use std::ops::Range;
use std::path::Path;

use ariadne::{Color, Config, IndexType, Label, Report, ReportKind, Source};

use crate::config::{Diagnostic, Level};
use crate::ruleset::Sources;

/// The path of the file that a diagnostic is about: that of the rules, or of a pack beside them.
pub(super) fn path_of(rules: &Path, diagnostic: &Diagnostic) -> String {
    diagnostic.file.as_deref().map_or(rules.to_owned(), |pack| rules.with_file_name(pack)).display().to_string()
}

/// Shows diagnostics on stderr, each with the lines that it is about. `path` is that of the rules, whose texts `sources` holds.
pub(super) fn report(path: &Path, sources: &Sources, diagnostics: &[Diagnostic]) {
    let colour = anstream::AutoStream::choice(&io::stderr()) != anstream::ColorChoice::Never;
    let config = Config::default().with_index_type(IndexType::Byte).with_color(colour);
    // Each text is laid out once, and not for each of its diagnostics.
    let mut laid_out: HashMap<Option<&str>, Option<Source<Cow<'_, str>>>> = HashMap::new();
    for diagnostic in diagnostics {
        let text = sources.text(diagnostic.file.as_deref());
        let name = path_of(path, diagnostic);
        let (kind, mark) = match diagnostic.level {
            Level::Error => (ReportKind::Error, Color::Red),
            Level::Warning => (ReportKind::Warning, Color::Yellow),
            Level::Note => (ReportKind::Custom("Note", Color::Blue), Color::Blue),
        };
        let place = if diagnostic.pointer.is_empty() { "here" } else { &diagnostic.pointer };
        let plain = || eprintln!("{name}:{}", Diagnostic { file: None, ..diagnostic.clone() });
        let Some((lines, span)) = excerpt(text, &diagnostic.span) else {
            plain();
            continue;
        };
        let whole = laid_out
            .entry(diagnostic.file.as_deref())
            .or_insert_with(|| (!text.contains(OTHER_BREAKS)).then(|| Source::from(Cow::Borrowed(text))))
            .as_ref()
            .filter(|_| !lines.contains('\n'));
        // The library numbers lines in the margin from the text's beginning, whatever offset it is given, and by its own idea
        // of a line: where that is another than ours, and around several lines, empty ones stand for those that were left out.
        let above = diagnostic.line - 1;
        let alone: Source<Cow<'_, str>>;
        let (source, span) = if let Some(whole) = whole {
            (whole, diagnostic.span.start..diagnostic.span.start + span.len())
        } else {
            alone = Source::from(Cow::Owned("\n".repeat(above) + lines));
            (&alone, span.start + above..span.end + above)
        };
        let shown = Report::build(kind, (&name, span.clone()))
            .with_config(config)
            .with_code(diagnostic.code)
            .with_message(&diagnostic.message)
            .with_label(Label::new((&name, span)).with_message(place).with_color(mark))
            .with_help(&diagnostic.help)
            .finish()
            // The library paints a kind of our own, such as "Note", also where it should paint nothing: the stream knows.
            .write((&name, source), anstream::stderr());
        if shown.is_err() {
            plain();
        }
    }
}

/// What ends a line for the library, and not for editors.
const OTHER_BREAKS: [char; 6] = ['\r', '\x0b', '\x0c', '\u{85}', '\u{2028}', '\u{2029}'];

/// Bytes of the lines that a diagnostic is shown with: a line of a megabyte explains nothing.
const SHOWN: usize = 4096;

/// The lines that hold `span`, and where it is in them: only they are laid out, so that a thousand mistakes cost a thousand
/// lines. Of a value that is longer than [`SHOWN`] the first line stands for all; `None` if that is too long as well.
fn excerpt<'t>(text: &'t str, span: &Range<usize>) -> Option<(&'t str, Range<usize>)> {
    let line_end = |at: usize| text[at..].find('\n').map_or(text.len(), |newline| at + newline);
    let start = text[..span.start].rfind('\n').map_or(0, |newline| newline + 1);
    let (mut end, mut span_end) = (line_end(span.end), span.end);
    if end - start > SHOWN {
        end = line_end(span.start);
        span_end = span_end.min(end);
    }
    (end - start <= SHOWN).then(|| (&text[start..end], span.start - start..span_end - start))
}
