//! Jira: an issue, or a comment on one. Source: <https://developer.atlassian.com/cloud/jira/platform/apis/document/structure/>, and of
//! a Data Center's text <https://jira.atlassian.com/secure/WikiRendererHelpAction.jspa?section=advanced>.

use super::{list, others, shown, text, unknown};
use crate::cli::preview::markup::linked;
use crate::cli::preview::piece::{Look, Piece, Screen, Span, SpanStyle};
use crate::json::Node;

/// The issue's page.
pub(super) fn screen(document: &Node<'_>) -> Screen {
    let Some(fields) = document.get("fields") else {
        let frame = others(document, &["body", "issue"]);
        let pieces = document.get("body").map(pieces).unwrap_or_default();
        return Screen { frame, pieces, ..Screen::new(Look::Tracker, "Jira, a comment on the issue") };
    };
    let name = |key: &str| fields.get(key).and_then(|node| text(node, "name").or(text(node, "key")));
    let named = [("project", "Project"), ("issuetype", "Type"), ("priority", "Priority")];
    let mut frame: Vec<(String, String)> =
        named.iter().filter_map(|(key, label)| Some(((*label).to_owned(), name(key)?.to_owned()))).collect();
    let labels: Vec<&str> = list(fields, "labels").iter().filter_map(Node::as_str).collect();
    frame.extend((!labels.is_empty()).then(|| ("Labels".to_owned(), labels.join("  "))));
    frame.extend(others(fields, &["project", "issuetype", "priority", "labels", "summary", "description"]));
    Screen {
        title: text(fields, "summary").map(str::to_owned),
        frame,
        pieces: fields.get("description").map(pieces).unwrap_or_default(),
        ..Screen::new(Look::Tracker, "Jira, a new issue")
    }
}

/// What is shown of a document, or of a Data Center's text.
fn pieces(node: &Node<'_>) -> Vec<Piece> {
    let Some(written) = node.as_str() else { return list(node, "content").iter().map(block).collect() };
    let parts = written.split("{noformat}").map(str::trim).enumerate();
    parts
        .filter(|(_, part)| !part.is_empty())
        .map(|(place, part)| if place % 2 == 1 { Piece::Code(part.to_owned()) } else { Piece::Text(linked(part)) })
        .collect()
}

fn block(node: &Node<'_>) -> Piece {
    let inner = list(node, "content");
    match text(node, "type") {
        Some("paragraph") => Piece::Text(inner.iter().map(span).collect()),
        Some("heading") => Piece::Heading(inner.iter().map(span).collect()),
        Some("codeBlock") => Piece::Code(inner.iter().filter_map(|run| text(run, "text")).collect()),
        Some(kind @ ("orderedList" | "bulletList")) => Piece::List {
            is_ordered: kind == "orderedList",
            items: inner.iter().map(|item| list(item, "content").iter().map(block).collect()).collect(),
        },
        Some("rule") => Piece::Divider,
        _ => unknown(node),
    }
}

fn span(node: &Node<'_>) -> Span {
    let Some(written) = text(node, "text") else { return Span::bold(format!("[{}]", shown(node))) };
    let mut span = Span::plain(written);
    for mark in list(node, "marks") {
        match text(mark, "type") {
            Some("strong") => span.style.bold = true,
            Some("em") => span.style = SpanStyle { quiet: true, ..span.style },
            Some("code") => span.style.code = true,
            Some("strike") => span.style.strike = true,
            Some("link") => {
                span.link = mark.get("attrs").and_then(|attributes| text(attributes, "href")).map(str::to_owned);
            }
            _ => {}
        }
    }
    span
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::preview::piece::Line;

    fn shown_of(json: &str) -> Vec<Piece> {
        pieces(&Node::parse(json).unwrap())
    }

    #[test]
    fn a_document_is_laid_out_and_no_node_is_dropped() {
        let found = shown_of(
            r#"{"type":"doc","version":1,"content":[
                {"type":"paragraph","content":[{"type":"text","text":"HIGH","marks":[{"type":"strong"}]},{"type":"mention","attrs":{"id":"1"}}]},
                {"type":"orderedList","content":[{"type":"listItem","content":[{"type":"codeBlock","content":[{"type":"text","text":"aws x"}]}]}]},
                {"type":"panel","content":[]}]}"#,
        );
        let line: Line = vec![Span::bold("HIGH"), Span::bold(r#"[{"type":"mention","attrs":{"id":"1"}}]"#)];
        let expected = [
            Piece::Text(line),
            Piece::List { is_ordered: true, items: vec![vec![Piece::Code("aws x".to_owned())]] },
            Piece::Unknown { kind: "panel".to_owned(), content: r#"{"type":"panel","content":[]}"#.to_owned() },
        ];
        assert_eq!(found, expected);
        let text = shown_of(r#""{noformat}\nHIGH\n{noformat}\nRunbook: https://a.example""#);
        assert!(matches!(text.as_slice(), [Piece::Code(code), Piece::Text(_)] if code == "HIGH"), "{text:?}");
    }
}
