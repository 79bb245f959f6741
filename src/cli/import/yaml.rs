//! YAML with the place of every value, and scalars as their author wrote them.
//!
//! `saphyr-parser` does the parsing. Aliases are refused: rules do without them, and a few lines of them grow without bound.

use saphyr_parser::{Event, Parser, ScalarStyle, Span};

use super::tree::{Tree, TreeValue};
use crate::rules::decimal::Decimal;

/// Levels of nesting that are read. A Sigma rule has five.
const MAX_DEPTH: usize = 64;

/// Reads the documents of a YAML stream; empty ones are left out.
///
/// # Errors
/// The first mistake of syntax, with its line.
pub(super) fn parse(text: &str) -> Result<Vec<Tree>, String> {
    let mut documents = Vec::new();
    let mut open: Vec<Open> = Vec::new();
    for event in Parser::new_from_str(text.trim_start_matches('\u{feff}')) {
        let (event, span) = event.map_err(|error| {
            let place = error.marker();
            format!("line {}, column {}: not YAML: {}", place.line(), place.col() + 1, error.info())
        })?;
        let line = span.start.line();
        let done = match event {
            Event::Scalar(text, style, ..) => scalar(&text, style, span),
            Event::SequenceStart(..) | Event::MappingStart(..) if open.len() == MAX_DEPTH => {
                return Err(format!("line {line}: nested more than {MAX_DEPTH} levels deep"));
            }
            Event::SequenceStart(..) => {
                open.push(Open { line, key: None, value: TreeValue::List(Vec::new()) });
                continue;
            }
            Event::MappingStart(..) => {
                open.push(Open { line, key: None, value: TreeValue::Map(Vec::new()) });
                continue;
            }
            Event::SequenceEnd | Event::MappingEnd => match open.pop() {
                Some(Open { line, value, .. }) => Tree { line, value },
                None => continue,
            },
            Event::Alias(_) => {
                return Err(format!("line {line}: a YAML alias: write its value out, aliases are not read"));
            }
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentStart(_) | Event::DocumentEnd => {
                continue;
            }
        };
        match open.last_mut() {
            None if matches!(done.value, TreeValue::Null) => {}
            None => documents.push(done),
            Some(parent) => parent.take(done)?,
        }
    }
    Ok(documents)
}

/// A list or map whose end has not come yet.
struct Open {
    line: usize,
    /// Of a map: the key whose value comes next.
    key: Option<String>,
    value: TreeValue,
}

impl Open {
    fn take(&mut self, done: Tree) -> Result<(), String> {
        match &mut self.value {
            TreeValue::Map(entries) => {
                if let Some(key) = self.key.take() {
                    entries.push((key, done));
                    return Ok(());
                }
                let line = done.line;
                let (TreeValue::Text(key) | TreeValue::Number(key)) = done.value else {
                    return Err(format!("line {line}: a key must be a string, and this is {}", done.kind()));
                };
                if entries.iter().any(|(name, _)| *name == key) {
                    return Err(format!("line {line}: \"{key}\" stands twice, and only one of them would count"));
                }
                self.key = Some(key);
            }
            TreeValue::List(items) => items.push(done),
            TreeValue::Null | TreeValue::Number(_) | TreeValue::Text(_) | TreeValue::Unknown(_) => {}
        }
        Ok(())
    }
}

fn scalar(text: &str, style: ScalarStyle, span: Span) -> Tree {
    // The words of YAML 1.2's core schema. To Sigma, booleans are texts. Of numbers, those that JSON has too are told apart: in
    // others, such as account ids that begin with 0, every digit counts.
    let value = match text {
        "" | "~" | "null" | "Null" | "NULL" if style == ScalarStyle::Plain => TreeValue::Null,
        number if style == ScalarStyle::Plain && Decimal::parse(number).is_some() => {
            TreeValue::Number(number.to_owned())
        }
        text => TreeValue::Text(text.to_owned()),
    };
    Tree { line: span.start.line(), value }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scalars_stay_as_they_were_written() {
        let yaml = "a: 012345678901\nb: null\nc: 'null'\nd: [1.50, true, ~]\ne:\n";
        let document = parse(yaml).unwrap().remove(0);
        assert_eq!(document.get("a").unwrap().text(), Some("012345678901"));
        assert!(matches!(document.get("a").unwrap().value, TreeValue::Text(_)));
        assert!(matches!(document.get("b").unwrap().value, TreeValue::Null));
        assert_eq!(document.get("c").unwrap().text(), Some("null"));
        let items: Vec<_> = document.get("d").unwrap().items().iter().map(Tree::text).collect();
        assert_eq!(items, [Some("1.50"), Some("true"), None]);
        assert!(matches!(document.get("d").unwrap().items()[0].value, TreeValue::Number(_)));
        assert_eq!(document.get("e").unwrap().items().len(), 0);
        assert_eq!(document.get("d").unwrap().line, 4);
    }

    #[test]
    fn mistakes_are_told_with_their_line() {
        for (yaml, line) in
            [("a: 1\na: 2", "line 2"), ("a: &x 1\nb: *x", "line 2"), ("a: 'open", "line"), ("? [a]\n: b", "line 1")]
        {
            let error = parse(yaml).unwrap_err();
            assert!(error.starts_with(line), "{yaml}: {error}");
        }
        assert!(parse(&"[".repeat(100_000)).is_err());
    }

    #[test]
    fn a_stream_has_several_documents() {
        assert_eq!(parse("---\na: 1\n---\n---\nb: 2\n").unwrap().len(), 2);
    }
}
