//! Jira Service Management: an alert of its operations, or a note on one. Source:
//! <https://support.atlassian.com/jira-service-management-cloud/docs/what-is-an-alert/>.

use super::{list, others, shown, text};
use crate::cli::preview::markup::linked;
use crate::cli::preview::piece::{Look, Piece, Screen};
use crate::json::Node;

/// The alert's page.
pub(super) fn screen(document: &Node<'_>) -> Screen {
    let mut frame: Vec<(String, String)> = [("priority", "Priority"), ("entity", "Entity"), ("source", "Source")]
        .iter()
        .filter_map(|(key, name)| Some(((*name).to_owned(), text(document, key)?.to_owned())))
        .collect();
    let responders: Vec<String> = list(document, "responders")
        .iter()
        .filter_map(|responder| Some(format!("{} {}", text(responder, "type")?, text(responder, "id")?)))
        .collect();
    frame.extend((!responders.is_empty()).then(|| ("Responders".to_owned(), responders.join(", "))));
    let tags: Vec<&str> = list(document, "tags").iter().filter_map(Node::as_str).collect();
    frame.extend((!tags.is_empty()).then(|| ("Tags".to_owned(), tags.join("  "))));
    let properties = document.get("extraProperties").and_then(Node::members).unwrap_or_default();
    frame.extend(properties.iter().map(|member| (member.key.to_string(), shown(&member.node))));
    let known = [
        "message",
        "alias",
        "description",
        "note",
        "priority",
        "entity",
        "source",
        "responders",
        "tags",
        "extraProperties",
    ];
    frame.extend(others(document, &known));
    let texts = [text(document, "description"), text(document, "note")];
    let label = if text(document, "message").is_some() {
        "Jira Service Management, a new alert"
    } else {
        "Jira Service Management, a note on the alert"
    };
    Screen {
        title: text(document, "message").map(str::to_owned),
        frame,
        pieces: texts.into_iter().flatten().map(|text| Piece::Text(linked(text))).collect(),
        ..Screen::new(Look::Tracker, label)
    }
}
