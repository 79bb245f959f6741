//! Zendesk: a ticket, or a comment on one. Source:
//! <https://developer.zendesk.com/api-reference/ticketing/tickets/tickets/>.

use super::{list, others, shown, text};
use crate::cli::preview::markup::{html, linked};
use crate::cli::preview::piece::{Group, Look, Piece, Screen};
use crate::json::Node;

/// The ticket.
pub(super) fn screen(document: &Node<'_>) -> Screen {
    let ticket = document.get("ticket").unwrap_or(document);
    let comment = ticket.get("comment");
    let is_public = comment.and_then(|comment| comment.get("public")?.scalar()) != Some("false");
    let pieces = match comment {
        Some(comment) => match text(comment, "html_body") {
            Some(source) => html(source),
            None => vec![Piece::Text(linked(text(comment, "body").unwrap_or_default()))],
        },
        None => Vec::new(),
    };
    let tone = if is_public { "public" } else { "internal" };
    let mut frame: Vec<(String, String)> = [("priority", "Priority"), ("type", "Type"), ("group_id", "Group")]
        .iter()
        .filter_map(|(key, name)| Some(((*name).to_owned(), shown(ticket.get(key)?))))
        .collect();
    let tags: Vec<&str> = list(ticket, "tags").iter().filter_map(Node::as_str).collect();
    frame.extend((!tags.is_empty()).then(|| ("Tags".to_owned(), tags.join(" "))));
    let field = |field: &Node<'_>| {
        Some((format!("Field {}", shown(field.get("id")?)), field.get("value").map(shown).unwrap_or_default()))
    };
    frame.extend(list(ticket, "custom_fields").iter().filter_map(field));
    let known = ["subject", "comment", "priority", "type", "group_id", "tags", "custom_fields", "external_id"];
    frame.extend(others(ticket, &known));
    let label = match (text(ticket, "subject"), is_public) {
        (Some(_), _) => "Zendesk, a new ticket",
        (None, true) => "Zendesk, a public comment on the ticket",
        (None, false) => "Zendesk, an internal note on the ticket",
    };
    Screen {
        title: text(ticket, "subject").map(str::to_owned),
        frame,
        pieces: vec![Piece::Group(Group { bar: None, tone: Some(tone.to_owned()), pieces })],
        ..Screen::new(Look::Zendesk, label)
    }
}
