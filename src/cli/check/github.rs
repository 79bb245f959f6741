//! Diagnostics as annotations of a pull request's lines: GitHub reads them off a workflow's output.
//! Source: "Workflow commands for GitHub Actions", <https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands>;
//! the escaping is that of `packages/core/src/command.ts` in <https://github.com/actions/toolkit>.

use std::io::{self, Write};
use std::path::Path;

use crate::cli::diagnostics::path_of;
use crate::cli::out;
use crate::config::{Diagnostic, Level};
use crate::json::line_and_column;
use crate::ruleset::Sources;

pub(super) fn write(path: &Path, sources: &Sources, diagnostics: &[Diagnostic]) -> io::Result<()> {
    let mut out = out::stdout();
    for diagnostic in diagnostics {
        let end = line_and_column(sources.text(diagnostic.file.as_deref()), diagnostic.span.end);
        writeln!(out, "{}", annotation(&path_of(path, diagnostic), diagnostic, end))?;
    }
    out.flush()
}

/// One annotation; `end` is the line and the column behind the last character.
fn annotation(file: &str, diagnostic: &Diagnostic, (end_line, end_column): (usize, usize)) -> String {
    let Diagnostic { level, code, line, column, message, .. } = diagnostic;
    let command = match level {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Note => "notice",
    };
    // GitHub takes columns within one line alone, and counts the last one in.
    let place = if end_line == *line {
        format!("line={line},col={column},endColumn={}", end_column.saturating_sub(1).max(*column))
    } else {
        format!("line={line},endLine={end_line}")
    };
    let (file, title) = (property(file), property(code));
    format!(
        "::{command} file={file},{place},title={title}::{}",
        data(&format!("{message}. Help: {}", diagnostic.advice()))
    )
}

/// A text as the message of a command.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A text as the value of one of its parameters.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ruleset::RuleSet;

    #[test]
    fn an_annotation_is_one_line_whatever_it_says() {
        let found = RuleSet::compile("{}").unwrap_err().remove(0);
        let diagnostic = Diagnostic {
            level: Level::Note,
            code: "split-item",
            line: 3,
            column: 7,
            message: "100% of \"a\r\n::error::b\"".to_owned(),
            help: "write: a, b".to_owned(),
            fix: None,
            related: Vec::new(),
            hidden: None,
            ..found
        };
        assert_eq!(
            annotation("a,b:c%.json", &diagnostic, (3, 12)),
            "::notice file=a%2Cb%3Ac%25.json,line=3,col=7,endColumn=11,title=split-item::100%25 of \"a%0D%0A::error::b\". Help: write: a, b."
        );
        let of_lines = Diagnostic { level: Level::Error, ..diagnostic };
        assert!(annotation("r.json", &of_lines, (5, 2)).starts_with("::error file=r.json,line=3,endLine=5,title="));
        assert!(annotation("r.json", &of_lines, (3, 7)).contains("col=7,endColumn=7,"));
    }
}
