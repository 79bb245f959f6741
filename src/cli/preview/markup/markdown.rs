//! The part of Markdown that Adaptive Cards and Teams have: bold, italic, links and lists.
//! Source: <https://learn.microsoft.com/adaptive-cards/authoring-cards/text-features>.

use super::inline::{Mark, marked, push};
use crate::cli::preview::piece::{Line, Piece, Span, SpanStyle};

const MARKS: [Mark; 6] = [
    Mark { written: "`", set: |style| style.code = true, is_literal: true },
    Mark { written: "**", set: |style| style.bold = true, is_literal: false },
    Mark { written: "__", set: |style| style.bold = true, is_literal: false },
    Mark { written: "~~", set: |style| style.strike = true, is_literal: false },
    Mark { written: "*", set: |style| style.italic = true, is_literal: false },
    Mark { written: "_", set: |style| style.italic = true, is_literal: false },
];

/// Stands for a character behind a backslash while marks are looked for: a private one, which no text has.
const ESCAPED: char = '\u{f8ff}';

/// What Teams makes of a text, in this style.
pub(in crate::cli::preview) fn markdown(text: &str, style: SpanStyle) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    for line in text.split('\n') {
        let item = line.trim_start().strip_prefix("- ").or_else(|| line.trim_start().strip_prefix("* "));
        match (item, pieces.last_mut()) {
            (Some(item), Some(Piece::List { items, .. })) => items.push(vec![Piece::Text(inline(item, style))]),
            (Some(item), _) => {
                pieces.push(Piece::List { is_ordered: false, items: vec![vec![Piece::Text(inline(item, style))]] });
            }
            // A blank line begins a paragraph.
            (None, _) if line.trim().is_empty() => {}
            (None, _) => pieces.push(Piece::Text(inline(line, style))),
        }
    }
    pieces
}

/// One line.
pub(super) fn inline(text: &str, style: SpanStyle) -> Line {
    let (text, escaped) = without_escapes(text);
    let mut line = Line::new();
    let mut rest = text.as_str();
    while let Some((before, label, address, after)) = link(rest) {
        marked(before, &MARKS, style, &mut line);
        line.push(Span { text: label.to_owned(), style, link: Some(address.to_owned()) });
        rest = after;
    }
    marked(rest, &MARKS, style, &mut line);
    let mut escaped = escaped.into_iter();
    let mut restored = |text: &str| -> String {
        text.chars().map(|c| if c == ESCAPED { escaped.next().unwrap_or(c) } else { c }).collect()
    };
    let mut out = Line::new();
    for Span { text, style, link } in line {
        match link {
            Some(link) => {
                let text = restored(&text);
                out.push(Span { link: Some(restored(&link)), style, text });
            }
            None => push(&mut out, restored(&text), style),
        }
    }
    out
}

/// The first `[label](address)`: what stands before it, the two, and what follows.
fn link(text: &str) -> Option<(&str, &str, &str, &str)> {
    let middle = text.find("](")?;
    let start = text[..middle].rfind('[')?;
    let end = middle + text[middle..].find(')')?;
    Some((&text[..start], &text[start + 1..middle], &text[middle + 2..end], &text[end + 1..]))
}

/// The text with a placeholder for each character behind a backslash, and those characters.
fn without_escapes(text: &str) -> (String, Vec<char>) {
    let (mut out, mut escaped) = (String::new(), Vec::new());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match (c, chars.peek()) {
            ('\\', Some(next)) if next.is_ascii_punctuation() => {
                escaped.push(*next);
                out.push(ESCAPED);
                chars.next();
            }
            (ESCAPED, _) => {
                escaped.push(ESCAPED);
                out.push(ESCAPED);
            }
            _ => out.push(c),
        }
    }
    (out, escaped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bold_links_lists_and_backslashes_are_read() {
        let pieces =
            markdown("**Account** 1\\_2 [Runbook](https://a.example)\n\n- one\n- \\*two\\*", SpanStyle::default());
        let expected = [
            Piece::Text(vec![
                Span::bold("Account"),
                Span::plain(" 1_2 "),
                Span { link: Some("https://a.example".to_owned()), ..Span::plain("Runbook") },
            ]),
            Piece::List {
                is_ordered: false,
                items: ["one", "*two*"].map(|item| vec![Piece::Text(vec![Span::plain(item)])]).to_vec(),
            },
        ];
        assert_eq!(pieces, expected);
    }
}
