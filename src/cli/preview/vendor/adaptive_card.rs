//! Adaptive Cards. Source: <https://adaptivecards.io/explorer/>.

use super::{list, text, unknown};
use crate::cli::preview::markup::markdown;
use crate::cli::preview::piece::{Button, Group, Line, Piece, Span, SpanStyle};
use crate::json::Node;

/// What a card shows: its body, then its actions.
pub(super) fn card(node: &Node<'_>) -> Vec<Piece> {
    let mut pieces = pieces(list(node, "body"));
    pieces.extend(actions(list(node, "actions")));
    pieces
}

fn pieces(elements: &[Node<'_>]) -> Vec<Piece> {
    elements.iter().flat_map(separated).collect()
}

/// An element, with the line above it that it may ask for. What is not visible at first is shown too, and marked.
fn separated(node: &Node<'_>) -> Vec<Piece> {
    let mut pieces = Vec::new();
    if is_set(node, "separator") {
        pieces.push(Piece::Divider);
    }
    if node.get("isVisible").and_then(Node::scalar) == Some("false") {
        pieces.push(Piece::Quiet(vec![Span::plain("[hidden until it is asked for]")]));
    }
    pieces.extend(element(node));
    pieces
}

fn element(node: &Node<'_>) -> Vec<Piece> {
    match text(node, "type").unwrap_or_default() {
        "TextBlock" => text_block(node),
        "RichTextBlock" => vec![rich_text(node)],
        "FactSet" => {
            let side = |fact: &Node<'_>, key: &str, style| words(&markdown(text(fact, key).unwrap_or_default(), style));
            let bold = SpanStyle { bold: true, ..SpanStyle::default() };
            let facts = list(node, "facts").iter();
            vec![Piece::Facts(
                facts.map(|fact| (side(fact, "title", bold), side(fact, "value", SpanStyle::default()))).collect(),
            )]
        }
        "Container" => {
            vec![Piece::Group(Group {
                bar: None,
                tone: text(node, "style").filter(|style| *style != "default").map(str::to_owned),
                pieces: pieces(list(node, "items")),
            })]
        }
        "ColumnSet" => {
            vec![Piece::Columns(list(node, "columns").iter().map(|column| pieces(list(column, "items"))).collect())]
        }
        "Column" => pieces(list(node, "items")),
        "ActionSet" => actions(list(node, "actions")),
        "Image" => {
            vec![Piece::Quiet(vec![Span::plain(format!("[picture: {}]", text(node, "altText").unwrap_or_default()))])]
        }
        "CodeBlock" => vec![Piece::Code(text(node, "codeSnippet").unwrap_or_default().to_owned())],
        "Table" => table(node),
        _ => vec![unknown(node)],
    }
}

fn text_block(node: &Node<'_>) -> Vec<Piece> {
    let style = style_of(node);
    let size = text(node, "size").unwrap_or_default().to_ascii_lowercase();
    let is_heading = matches!(size.as_str(), "large" | "extralarge")
        || (size == "medium" && style.bold)
        || text(node, "style") == Some("heading");
    let pieces = markdown(text(node, "text").unwrap_or_default(), style);
    let mono = text(node, "fontType").is_some_and(|font| font.eq_ignore_ascii_case("monospace"));
    pieces
        .into_iter()
        .map(|piece| match piece {
            Piece::Text(line) if mono => Piece::Code(line.into_iter().map(|span| span.text).collect()),
            Piece::Text(line) if is_heading => Piece::Heading(line),
            Piece::Text(line) if style.quiet => Piece::Quiet(line),
            other => other,
        })
        .collect()
}

/// Runs of text. Where all of them are large and bold, it is a heading, and where all are subtle, it is set small.
fn rich_text(node: &Node<'_>) -> Piece {
    let runs = list(node, "inlines");
    let line: Line = runs.iter().map(inline).collect();
    let is_large = |run: &Node<'_>| {
        style_of(run).bold && text(run, "size").is_some_and(|size| matches!(size, "Medium" | "Large" | "ExtraLarge"))
    };
    if runs.iter().all(is_large) {
        Piece::Heading(line)
    } else if line.iter().all(|span| span.style.quiet) {
        Piece::Quiet(line)
    } else {
        Piece::Text(line)
    }
}

/// A run of text, in which nothing is markup.
fn inline(node: &Node<'_>) -> Span {
    if let Some(plain) = node.as_str() {
        return Span::plain(plain);
    }
    let link = node.get("selectAction").and_then(|action| text(action, "url")).map(str::to_owned);
    match text(node, "type") {
        Some("TextRun") => {
            Span { text: text(node, "text").unwrap_or_default().to_owned(), style: style_of(node), link }
        }
        _ => Span::bold(format!("[{}]", node.compact())),
    }
}

fn style_of(node: &Node<'_>) -> SpanStyle {
    let is = |key: &str, word: &str| text(node, key).is_some_and(|value| value.eq_ignore_ascii_case(word));
    SpanStyle {
        bold: is("weight", "bolder"),
        italic: is_set(node, "italic"),
        strike: is_set(node, "strikethrough"),
        code: is("fontType", "monospace"),
        quiet: is_set(node, "isSubtle"),
    }
}

fn is_set(node: &Node<'_>, key: &str) -> bool {
    node.get(key).and_then(Node::scalar) == Some("true")
}

/// The words of pieces, as one line.
fn words(pieces: &[Piece]) -> Line {
    let mut line = Line::new();
    for piece in pieces {
        let words = match piece {
            Piece::Heading(text) | Piece::Text(text) | Piece::Quiet(text) => text.clone(),
            Piece::List { items, .. } => items.iter().flat_map(|item| self::words(item)).collect(),
            Piece::Code(code) => vec![Span::plain(code)],
            _ => Line::new(),
        };
        if !line.is_empty() && !words.is_empty() {
            line.push(Span::plain("\n"));
        }
        line.extend(words);
    }
    line
}

fn table(node: &Node<'_>) -> Vec<Piece> {
    let cell = |cell: &Node<'_>| words(&pieces(list(cell, "items")));
    let row = |row: &Node<'_>| {
        let mut cells = list(row, "cells").iter().map(cell);
        let name = cells.next().unwrap_or_default();
        (name, cells.collect::<Vec<_>>().join(&Span::plain("  ")))
    };
    vec![Piece::Facts(list(node, "rows").iter().map(row).collect())]
}

/// The buttons, and below them what a button unfolds.
fn actions(actions: &[Node<'_>]) -> Vec<Piece> {
    if actions.is_empty() {
        return Vec::new();
    }
    let button = |action: &Node<'_>| Button {
        label: text(action, "title").or(text(action, "type")).unwrap_or_default().to_owned(),
        link: text(action, "url").map(str::to_owned),
        style: text(action, "style").map(str::to_ascii_lowercase),
    };
    let mut out = vec![Piece::Buttons(actions.iter().map(button).collect())];
    for action in actions.iter().filter(|action| text(action, "type") == Some("Action.ShowCard")) {
        let title = format!("[behind the button {}]", text(action, "title").unwrap_or_default());
        let mut inside = vec![Piece::Quiet(vec![Span::plain(title)])];
        inside.extend(action.get("card").map(card).unwrap_or_default());
        out.push(Piece::Group(Group { pieces: inside, ..Group::default() }));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_is_laid_out_and_no_element_is_dropped() {
        let node = Node::parse(
            r#"{"type":"AdaptiveCard","body":[
                {"type":"Container","style":"attention","items":[{"type":"TextBlock","text":"HIGH","size":"Large","weight":"Bolder"}]},
                {"type":"RichTextBlock","inlines":["a ",{"type":"TextRun","text":"*b*","weight":"Bolder"}]},
                {"type":"FactSet","separator":true,"facts":[{"title":"Account","value":"1\\_2"}]},
                {"type":"ColumnSet","columns":[{"type":"Column","items":[{"type":"TextBlock","text":"x","isSubtle":true}]},{"items":[]}]},
                {"type":"Media","sources":[]}],
               "actions":[{"type":"Action.OpenUrl","title":"Event","url":"https://a.example"}]}"#,
        )
        .unwrap();
        let bold = SpanStyle { bold: true, ..SpanStyle::default() };
        let quiet = SpanStyle { quiet: true, ..SpanStyle::default() };
        let span = |text: &str, style| Span { text: text.to_owned(), style, link: None };
        let expected = [
            Piece::Group(Group {
                bar: None,
                tone: Some("attention".to_owned()),
                pieces: vec![Piece::Heading(vec![span("HIGH", bold)])],
            }),
            Piece::Text(vec![Span::plain("a "), span("*b*", bold)]),
            Piece::Divider,
            Piece::Facts(vec![(vec![span("Account", bold)], vec![Span::plain("1_2")])]),
            Piece::Columns(vec![vec![Piece::Quiet(vec![span("x", quiet)])], vec![]]),
            Piece::Unknown { kind: "Media".to_owned(), content: r#"{"type":"Media","sources":[]}"#.to_owned() },
            Piece::Buttons(vec![Button {
                label: "Event".to_owned(),
                link: Some("https://a.example".to_owned()),
                style: None,
            }]),
        ];
        assert_eq!(card(&node), expected);
    }
}
