//! Teams: the message of a workflow. Source:
//! <https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using>.

use super::{adaptive_card, list, other_notes, text, unknown};
use crate::cli::preview::piece::{Look, Piece, Screen, Span};
use crate::json::Node;

/// The message in its channel: its cards.
pub(super) fn screen(message: &Node<'_>) -> Screen {
    let mut pieces = Vec::new();
    let mut notes = other_notes(message, &["type", "attachments", "summary", "text"]);
    pieces.extend(text(message, "text").map(|text| Piece::Text(vec![Span::plain(text)])));
    for attachment in list(message, "attachments") {
        match attachment.get("content").filter(|card| text(card, "type") == Some("AdaptiveCard")) {
            Some(card) => {
                pieces.extend(adaptive_card::card(card));
                notes.extend(text(card, "fallbackText").map(|text| format!("Where cards cannot be shown: {text}")));
            }
            None => pieces.push(unknown(attachment)),
        }
    }
    Screen {
        notification: text(message, "summary").map(str::to_owned),
        pieces,
        notes,
        ..Screen::new(Look::Teams, "Teams")
    }
}
