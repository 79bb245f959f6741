//! Slack's Block Kit. Sources: <https://docs.slack.dev/reference/block-kit/blocks>, and its pages of elements and objects.

use super::{list, shown, text, unknown};
use crate::cli::preview::markup::{markdown, mrkdwn};
use crate::cli::preview::piece::{Button, Group, Line, Piece, Span, SpanStyle};
use crate::json::Node;

/// What Slack shows of blocks.
pub(super) fn pieces(blocks: &[Node<'_>]) -> Vec<Piece> {
    blocks.iter().flat_map(block).collect()
}

fn block(node: &Node<'_>) -> Vec<Piece> {
    match text(node, "type").unwrap_or_default() {
        "header" => vec![Piece::Heading(line_of(node.get("text")))],
        "section" => section(node),
        "context" => context(node),
        "actions" => vec![Piece::Buttons(list(node, "elements").iter().map(button).collect())],
        "divider" => vec![Piece::Divider],
        "image" => vec![image(node)],
        "markdown" => markdown(text(node, "text").unwrap_or_default(), SpanStyle::default()),
        "rich_text" => list(node, "elements").iter().map(rich_element).collect(),
        _ => vec![unknown(node)],
    }
}

fn section(node: &Node<'_>) -> Vec<Piece> {
    let mut pieces = node.get("text").map(text_object).unwrap_or_default();
    let fields: Vec<Line> = list(node, "fields").iter().map(|field| line_of(Some(field))).collect();
    pieces.extend((!fields.is_empty()).then_some(Piece::Fields(fields)));
    pieces.extend(node.get("accessory").map(|accessory| match text(accessory, "type") {
        Some("button") => Piece::Buttons(vec![button(accessory)]),
        Some("image") => image(accessory),
        _ => unknown(accessory),
    }));
    if pieces.is_empty() { vec![unknown(node)] } else { pieces }
}

/// Small and grey: its texts one after the other.
fn context(node: &Node<'_>) -> Vec<Piece> {
    let mut line = Line::new();
    let mut pieces = Vec::new();
    for element in list(node, "elements") {
        match text(element, "type") {
            Some("plain_text" | "mrkdwn") => {
                if !line.is_empty() {
                    line.push(Span::plain("   "));
                }
                line.extend(line_of(Some(element)));
            }
            Some("image") => pieces.push(image(element)),
            _ => pieces.push(unknown(element)),
        }
    }
    pieces.extend((!line.is_empty()).then_some(Piece::Quiet(line)));
    pieces
}

/// A text object: `plain_text`, in which nothing is markup, or `mrkdwn`.
fn text_object(node: &Node<'_>) -> Vec<Piece> {
    let written = text(node, "text").unwrap_or_default();
    match text(node, "type") {
        Some("plain_text") => vec![Piece::Text(vec![Span::plain(written)])],
        // Verbatim, nothing becomes a link that is not marked as one.
        Some("mrkdwn") => mrkdwn(written, node.get("verbatim").and_then(Node::scalar) != Some("true")),
        _ => vec![unknown(node)],
    }
}

/// A text object as one line; a block of code in it as code.
fn line_of(node: Option<&Node<'_>>) -> Line {
    let pieces = node.map(text_object).unwrap_or_default().into_iter();
    let lines = pieces.map(|piece| match piece {
        Piece::Text(line) => line,
        Piece::Code(text) => vec![Span { text, style: code(), link: None }],
        Piece::Unknown { content, .. } => vec![Span::plain(content)],
        _ => Line::new(),
    });
    lines.flatten().collect()
}

fn code() -> SpanStyle {
    SpanStyle { code: true, ..SpanStyle::default() }
}

fn button(node: &Node<'_>) -> Button {
    let label = node.get("text").and_then(|label| text(label, "text"));
    Button {
        // Another element, such as a menu, by its name.
        label: label.map_or_else(|| format!("[{}]", text(node, "type").unwrap_or("?")), str::to_owned),
        link: text(node, "url").map(str::to_owned),
        style: text(node, "style").map(str::to_owned),
    }
}

/// Pictures are not fetched: their words stand for them.
fn image(node: &Node<'_>) -> Piece {
    Piece::Quiet(vec![Span::plain(format!("[picture: {}]", text(node, "alt_text").unwrap_or_default()))])
}

fn rich_element(node: &Node<'_>) -> Piece {
    let line = || -> Line { list(node, "elements").iter().map(rich_span).collect() };
    match text(node, "type") {
        Some("rich_text_section") => Piece::Text(line()),
        Some("rich_text_preformatted") => Piece::Code(line().into_iter().map(|span| span.text).collect()),
        Some("rich_text_quote") => Piece::Group(Group { pieces: vec![Piece::Text(line())], ..Group::default() }),
        Some("rich_text_list") => Piece::List {
            is_ordered: text(node, "style") == Some("ordered"),
            items: list(node, "elements").iter().map(|item| vec![rich_element(item)]).collect(),
        },
        _ => unknown(node),
    }
}

fn rich_span(node: &Node<'_>) -> Span {
    let is_set = |key: &str| node.get("style").and_then(|style| style.get(key)?.scalar()) == Some("true");
    let style = SpanStyle {
        bold: is_set("bold"),
        italic: is_set("italic"),
        strike: is_set("strike"),
        code: is_set("code"),
        quiet: false,
    };
    match text(node, "type") {
        Some("text") => Span { text: text(node, "text").unwrap_or_default().to_owned(), style, link: None },
        Some("link") => {
            let link = text(node, "url").unwrap_or_default().to_owned();
            Span { text: text(node, "text").unwrap_or(&link).to_owned(), style, link: Some(link) }
        }
        _ => Span::bold(format!("[{}]", shown(node))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Vec<Piece> {
        pieces(Node::parse(json).unwrap().elements().unwrap())
    }

    #[test]
    fn blocks_are_laid_out_and_none_is_dropped() {
        let found = read(
            r#"[{"type":"header","text":{"type":"plain_text","text":"HIGH: *x*"}},
                {"type":"section","text":{"type":"mrkdwn","text":"*who*"},"fields":[{"type":"plain_text","text":"A\n1"}]},
                {"type":"context","elements":[{"type":"plain_text","text":"a"},{"type":"mrkdwn","text":"_b_"}]},
                {"type":"actions","elements":[{"type":"button","text":{"type":"plain_text","text":"Event"},"url":"https://a.example","style":"danger"}]},
                {"type":"rich_text","elements":[{"type":"rich_text_preformatted","elements":[{"type":"text","text":"aws iam"}]}]},
                {"type":"video","title":"t"},{"no":"type"}]"#,
        );
        let italic = SpanStyle { italic: true, ..SpanStyle::default() };
        let unknown = |kind: &str, content: &str| Piece::Unknown { kind: kind.to_owned(), content: content.to_owned() };
        let expected = [
            Piece::Heading(vec![Span::plain("HIGH: *x*")]),
            Piece::Text(vec![Span::bold("who")]),
            Piece::Fields(vec![vec![Span::plain("A\n1")]]),
            Piece::Quiet(vec![
                Span::plain("a"),
                Span::plain("   "),
                Span { text: "b".to_owned(), style: italic, link: None },
            ]),
            Piece::Buttons(vec![Button {
                label: "Event".to_owned(),
                link: Some("https://a.example".to_owned()),
                style: Some("danger".to_owned()),
            }]),
            Piece::Code("aws iam".to_owned()),
            unknown("video", r#"{"type":"video","title":"t"}"#),
            unknown("an element without a type", r#"{"no":"type"}"#),
        ];
        assert_eq!(found, expected);
    }
}
