//! `offlimits check`: every mistake in rules.json, each with its place and remedy.

use std::path::Path;
use std::{fs, io};

use ariadne::{Color, Config, IndexType, Label, Report, ReportKind, Source};

use super::{Exit, input};
use crate::rules::countries;
use crate::rules::diagnostic::{Diagnostic, Level};
use crate::rules::{Compiled, RuleSet, Sources};

pub(super) fn run(path: &Path) -> Exit {
    let Some(sources) = read(path) else { return Exit::Unreadable };
    match RuleSet::compile_sources(&sources) {
        Ok(Compiled { rules, warnings }) => {
            report(path, &sources, &warnings);
            eprintln!(
                "{}: {} and {}, no errors{}",
                path.display(),
                counted(rules.rules().len(), "rule"),
                counted(rules.channels().len(), "channel"),
                if warnings.is_empty() { String::new() } else { format!(", {}", counted(warnings.len(), "warning")) },
            );
            Exit::Done
        }
        Err(diagnostics) => {
            report(path, &sources, &diagnostics);
            let errors = diagnostics.iter().filter(|diagnostic| diagnostic.level == Level::Error).count();
            eprintln!("{}: {}", path.display(), counted(errors, "error"));
            Exit::Wrong
        }
    }
}

/// The text of a rules file, and of the packs that it includes, whose names are paths from its folder; says so where it
/// cannot be read itself.
pub(super) fn read(path: &Path) -> Option<Sources> {
    let folder = path.parent().unwrap_or(Path::new(""));
    let root = input::read(path)
        .inspect_err(|error| {
            eprintln!("error: cannot read the rules: {}: {error}", path.display());
            if !path.exists() {
                eprintln!("help: name your rules with --rules FILE, or run this where rules.json is");
            }
        })
        .ok()?;
    let sources = Sources::gather(root, |pack| {
        let path = folder.join(pack);
        input::read(&path).map_err(|error| format!("{}: {error}", path.display()))
    });
    sources
        .with_countries(|| fs::read(folder.join(countries::FILE)))
        .inspect_err(|reason| eprintln!("error: cannot read the countries: {reason}"))
        .ok()
}

/// Shows diagnostics on stderr, with the lines that they speak of.
pub(super) fn report(path: &Path, sources: &Sources, diagnostics: &[Diagnostic]) {
    let colour = anstream::AutoStream::choice(&io::stderr()) != anstream::ColorChoice::Never;
    let config = Config::default().with_index_type(IndexType::Byte).with_color(colour);
    for diagnostic in diagnostics {
        let text = sources.text(diagnostic.file.as_deref());
        let path = diagnostic.file.as_deref().map_or(path.to_owned(), |pack| path.with_file_name(pack));
        let name = path.display().to_string();
        let kind = match diagnostic.level {
            Level::Error => ReportKind::Error,
            Level::Warning => ReportKind::Warning,
        };
        let place = if diagnostic.pointer.is_empty() { "here" } else { &diagnostic.pointer };
        let shown = Report::build(kind, (&name, diagnostic.span.clone()))
            .with_config(config)
            .with_code(diagnostic.code)
            .with_message(&diagnostic.message)
            .with_label(Label::new((&name, diagnostic.span.clone())).with_message(place).with_color(Color::Red))
            .with_help(&diagnostic.help)
            .finish()
            // A line of a megabyte explains nothing.
            .eprint((&name, Source::from(text)));
        if shown.is_err() || text.len() > SHOWN_SOURCE {
            eprintln!("{name}:{}", Diagnostic { file: None, ..diagnostic.clone() });
        }
    }
}

/// Bytes of a rules file beyond which the diagnostics are shown on one line each, too.
const SHOWN_SOURCE: usize = 8 * 1024 * 1024;

/// `1 rule`, `2 rules`
pub(super) fn counted(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}
