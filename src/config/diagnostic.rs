//! A mistake in `rules.json`, with its place and its remedy.
//!
//! While the file is read, mistakes are collected in [`Problems`] by their span alone. [`Problems::finish`] works out the
//! JSON pointer, line and column of each, so that a file without mistakes pays nothing for them.

use std::collections::HashMap;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use super::advice::{Advice, Fix, Related, RelatedSpan};
use crate::json::{self, Node};

/// One mistake in `rules.json`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Whether the rules can run in spite of it.
    pub level: Level,
    /// What kind of mistake, stable: `unknown-key`, `bad-regex`, …
    pub code: &'static str,
    /// The pack that holds it, by the name that `include` gives it; none: `rules.json` itself.
    pub file: Option<Arc<str>>,
    /// The JSON pointer (RFC 6901) of the value or key at fault.
    pub pointer: String,
    /// Line in the file, from 1.
    pub line: usize,
    /// Column in the line, in characters, from 1.
    pub column: usize,
    /// The bytes at fault.
    pub span: Range<usize>,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: String,
    /// The same as edits of the file, where there is one right answer.
    pub fix: Option<Fix>,
    /// Other places that it is about.
    pub related: Vec<Related>,
    /// Bytes of the file that hold a secret, and that nobody is shown.
    pub hidden: Option<Range<usize>>,
}

impl Diagnostic {
    /// What to do about it, as a sentence with its end.
    pub fn advice(&self) -> String {
        let end = if self.help.ends_with(['?', '.', '!']) { "" } else { "." };
        format!("{}{end}", self.help)
    }
}

/// How bad a [`Diagnostic`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// The rules run, perhaps as their author means: something to know.
    Note,
    /// The rules run, but perhaps not as their author means.
    Warning,
    /// The rules do not run.
    Error,
}

impl fmt::Display for Level {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

impl fmt::Display for Diagnostic {
    /// `12:5: error[bad-regex] at /rules/0/when/0/event: … Help: …`; in a pack its name comes first.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { level, code, file, pointer, line, column, message, .. } = self;
        if let Some(file) = file {
            write!(formatter, "{file}:")?;
        }
        let pointer = if pointer.is_empty() { "the top" } else { pointer };
        write!(formatter, "{line}:{column}: {level}[{code}] at {pointer}: {message}. Help: {}", self.advice())
    }
}

/// The mistakes found so far.
#[derive(Debug, Default)]
pub struct Problems {
    found: Vec<Problem>,
    /// The file that is being read.
    file: Option<Arc<str>>,
}

#[derive(Debug)]
struct Problem {
    level: Level,
    code: &'static str,
    file: Option<Arc<str>>,
    span: Range<usize>,
    message: String,
    advice: Advice,
}

impl Problems {
    /// From here on, mistakes stand in `file`: a pack, or `rules.json`. Returns the file that was being read.
    pub fn enter(&mut self, file: Option<Arc<str>>) -> Option<Arc<str>> {
        std::mem::replace(&mut self.file, file)
    }

    /// The file that is being read.
    pub fn file(&self) -> Option<Arc<str>> {
        self.file.clone()
    }

    /// Notes a mistake that keeps the rules from running.
    pub fn error(
        &mut self,
        code: &'static str,
        span: &Range<usize>,
        message: impl Into<String>,
        advice: impl Into<Advice>,
    ) {
        self.push(Level::Error, code, span, message.into(), advice.into());
    }

    /// Notes something that the author probably does not mean.
    pub fn warning(
        &mut self,
        code: &'static str,
        span: &Range<usize>,
        message: impl Into<String>,
        advice: impl Into<Advice>,
    ) {
        self.push(Level::Warning, code, span, message.into(), advice.into());
    }

    /// Notes something that the author should know.
    pub fn note(
        &mut self,
        code: &'static str,
        span: &Range<usize>,
        message: impl Into<String>,
        advice: impl Into<Advice>,
    ) {
        self.push(Level::Note, code, span, message.into(), advice.into());
    }

    fn push(&mut self, level: Level, code: &'static str, span: &Range<usize>, message: String, advice: Advice) {
        self.found.push(Problem { level, code, file: self.file.clone(), span: span.clone(), message, advice });
    }

    /// How many errors there are.
    pub fn errors(&self) -> usize {
        self.found.iter().filter(|problem| problem.level == Level::Error).count()
    }

    /// The diagnostics, in the order of the file.
    pub fn finish(self, source: &str, root: &Node) -> Vec<Diagnostic> {
        self.finish_in(|_| (source, root))
    }

    /// The diagnostics, file by file, in the order of each. `text_of` knows the text of every file and what it was read to.
    pub fn finish_in<'t>(self, text_of: impl Fn(Option<&str>) -> (&'t str, &'t Node<'t>)) -> Vec<Diagnostic> {
        // The lines of a text are counted once, and not for each diagnostic.
        let mut lines_of: HashMap<Option<Arc<str>>, LineStarts> = HashMap::new();
        let mut diagnostics: Vec<Diagnostic> = self
            .found
            .into_iter()
            .map(|Problem { level, code, file, span, message, advice: Advice { help, fix, related, hidden } }| {
                let mut place_of = |file: &Option<Arc<str>>, span: &Range<usize>| {
                    let (source, _) = text_of(file.as_deref());
                    let lines = lines_of.entry(file.clone()).or_insert_with(|| LineStarts::new(source));
                    lines.line_and_column(source, span.start)
                };
                let related = related
                    .into_iter()
                    .map(|RelatedSpan { file, span, message }| {
                        let (line, column) = place_of(&file, &span);
                        Related { file, line, column, span, message }
                    })
                    .collect();
                let (line, column) = place_of(&file, &span);
                let mut pointer = String::new();
                point_to(text_of(file.as_deref()).1, &span, &mut pointer);
                Diagnostic { level, code, file, pointer, line, column, span, message, help, fix, related, hidden }
            })
            .collect();
        diagnostics
            .sort_by(|a, b| (&a.file, a.span.start, b.level, a.code).cmp(&(&b.file, b.span.start, a.level, b.code)));
        diagnostics.dedup();
        diagnostics
    }
}

/// Where the lines of a text begin.
struct LineStarts(Vec<usize>);

impl LineStarts {
    fn new(text: &str) -> Self {
        Self(std::iter::once(0).chain(text.match_indices('\n').map(|(newline, _)| newline + 1)).collect())
    }

    /// As [`json::line_and_column`].
    fn line_and_column(&self, text: &str, offset: usize) -> (usize, usize) {
        let line = self.0.partition_point(|start| *start <= offset).max(1);
        let before = text.get(self.0[line - 1]..offset).unwrap_or_default();
        (line, before.chars().count() + 1)
    }
}

/// What is wrong with a file that is not JSON: at least one diagnostic.
pub(crate) fn syntax_errors(file: Option<&Arc<str>>, source: &str, error: &serde_json::Error) -> Vec<Diagnostic> {
    #[cfg(feature = "cli")]
    {
        let told = super::syntax::mistakes(source);
        if !told.is_empty() {
            let lines = LineStarts::new(source);
            let placed = |told| placed(file, source, &lines, told);
            return told.into_iter().map(placed).collect();
        }
    }
    vec![syntax_error(file, source, error)]
}

#[cfg(feature = "cli")]
fn placed(file: Option<&Arc<str>>, source: &str, lines: &LineStarts, told: super::syntax::Told) -> Diagnostic {
    let super::syntax::Told { span, message, help, fix, opened } = told;
    let (line, column) = lines.line_and_column(source, span.start);
    let related = opened.filter(|opened| *opened != span).map(|opened| {
        let (line, column) = lines.line_and_column(source, opened.start);
        Related { file: file.cloned(), line, column, span: opened, message: "it begins here".to_owned() }
    });
    Diagnostic { help, fix, related: related.into_iter().collect(), ..not_json(file, span, (line, column), &message) }
}

/// A file that is not JSON, in the words of the parser.
fn syntax_error(file: Option<&Arc<str>>, source: &str, error: &serde_json::Error) -> Diagnostic {
    let line_start: usize = source.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
    let mut start = (line_start + error.column().saturating_sub(1)).min(source.len());
    while !source.is_char_boundary(start) {
        start -= 1;
    }
    let (line, column) = json::line_and_column(source, start);
    let text = error.to_string();
    let message = text.split(" at line ").next().unwrap_or_default();
    not_json(file, start..start, (line, column), message)
}

/// A mistake in the syntax, at its place in lines and columns.
fn not_json(file: Option<&Arc<str>>, span: Range<usize>, (line, column): (usize, usize), message: &str) -> Diagnostic {
    Diagnostic {
        level: Level::Error,
        code: "syntax",
        file: file.cloned(),
        pointer: String::new(),
        line,
        column,
        span,
        message: format!("this is not JSON: {message}"),
        help: "a rules file is plain JSON: double quotes, no comments, no comma after the last item".to_owned(),
        fix: None,
        related: Vec::new(),
        hidden: None,
    }
}

/// Appends the pointer of the innermost value or key that holds `span`.
fn point_to(node: &Node, span: &Range<usize>, pointer: &mut String) {
    let holds = |outer: &Range<usize>| outer.start <= span.start && span.end <= outer.end;
    // Elements stand one after the other, and there may be thousands.
    let holding = |elements: &[Node]| {
        let index = elements.partition_point(|element| element.span.start <= span.start).checked_sub(1)?;
        holds(&elements[index].span).then_some(index)
    };
    if node.span == *span {
        return;
    }
    if let Some(member) = node
        .members()
        .and_then(|members| members.iter().find(|member| holds(&member.key_span) || holds(&member.node.span)))
    {
        pointer.push('/');
        pointer.push_str(&member.key.replace('~', "~0").replace('/', "~1"));
        point_to(&member.node, span, pointer);
    } else if let Some(elements) = node.elements()
        && let Some(index) = holding(elements)
    {
        pointer.push('/');
        pointer.push_str(&index.to_string());
        point_to(&elements[index], span, pointer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_is_placed_by_pointer_line_and_column() {
        let source = "{\n  \"a/b\": [ 1,\n    {\"key\": \"value\"} ]\n}";
        let root = Node::parse(source).unwrap();
        let object = &root.get("a/b").unwrap().elements().unwrap()[1];
        let mut problems = Problems::default();
        problems.error("late", &object.members().unwrap()[0].node.span, "m", "h");
        problems.error("early", &object.members().unwrap()[0].key_span, "m", "h");
        let found = problems.finish(source, &root);
        let places: Vec<_> = found.iter().map(|d| (d.code, d.pointer.as_str(), d.line, d.column)).collect();
        assert_eq!(places, [("early", "/a~1b/1/key", 3, 6), ("late", "/a~1b/1/key", 3, 13)]);
    }

    #[test]
    fn syntax_errors_have_a_place() {
        let source = "{\n  \"rules\": [,]\n}";
        let error = Node::parse(source).unwrap_err();
        let diagnostic = syntax_error(None, source, &error);
        assert_eq!((diagnostic.line, diagnostic.column), (2, 13));
    }
}
