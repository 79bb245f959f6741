//! Slack: a message. Source: <https://docs.slack.dev/reference/methods/chat.postMessage>.

use super::{block_kit, list, other_notes, text, unknown};
use crate::cli::preview::markup::mrkdwn;
use crate::cli::preview::piece::{Group, Line, Look, Piece, Screen, Span};
use crate::json::Node;

/// The keys that have a place below, or say nothing of how the message looks.
const KNOWN: [&str; 10] = [
    "text",
    "blocks",
    "attachments",
    "channel",
    "thread_ts",
    "reply_broadcast",
    "unfurl_links",
    "unfurl_media",
    "mrkdwn",
    "metadata",
];

/// The message in its conversation.
pub(super) fn screen(message: &Node<'_>) -> Screen {
    let notification = text(message, "text").map(|text| plain(&mrkdwn(text, true)));
    let blocks = list(message, "blocks");
    let mut pieces = block_kit::pieces(blocks);
    if blocks.is_empty() {
        // Without blocks the text is the message; with them it is for notifications alone.
        pieces.extend(text(message, "text").map(|text| mrkdwn(text, true)).unwrap_or_default());
    }
    pieces.extend(list(message, "attachments").iter().map(|attachment| Piece::Group(self::attachment(attachment))));
    let mut label = "Slack".to_owned();
    if text(message, "thread_ts").is_some() {
        label.push_str(", in the thread of the alert's first message");
        if message.get("reply_broadcast").and_then(Node::scalar) == Some("true") {
            label.push_str(" and in the conversation");
        }
    }
    Screen {
        notification,
        frame: text(message, "channel").map(|name| ("Conversation".to_owned(), name.to_owned())).into_iter().collect(),
        pieces,
        notes: other_notes(message, &KNOWN),
        ..Screen::new(Look::Slack, label)
    }
}

/// What stands beside a bar. Source: <https://docs.slack.dev/legacy/legacy-messaging/legacy-secondary-message-attachments>.
fn attachment(node: &Node<'_>) -> Group {
    let mut pieces = Vec::new();
    let heading = |key: &str| {
        let link = text(node, &format!("{key}_link")).map(str::to_owned);
        text(node, key).map(|title| Piece::Text(vec![Span { link, ..Span::bold(title) }]))
    };
    pieces.extend(text(node, "pretext").map(|text| mrkdwn(text, true)).unwrap_or_default());
    pieces.extend(heading("author_name"));
    pieces.extend(heading("title"));
    pieces.extend(text(node, "text").map(|text| mrkdwn(text, true)).unwrap_or_default());
    let fields: Vec<Line> = list(node, "fields")
        .iter()
        .map(|field| {
            let value =
                mrkdwn(text(field, "value").unwrap_or_default(), true).into_iter().flat_map(|piece| match piece {
                    Piece::Text(line) => line,
                    _ => Line::new(),
                });
            let title = Span::bold(format!("{}\n", text(field, "title").unwrap_or_default()));
            std::iter::once(title).chain(value).collect()
        })
        .collect();
    pieces.extend((!fields.is_empty()).then_some(Piece::Fields(fields)));
    pieces.extend(block_kit::pieces(list(node, "blocks")));
    pieces.extend(text(node, "footer").map(|footer| Piece::Quiet(vec![Span::plain(footer)])));
    if pieces.is_empty() {
        pieces.push(unknown(node));
    }
    Group { bar: text(node, "color").map(str::to_owned), tone: None, pieces }
}

/// What notifications show: words alone.
fn plain(pieces: &[Piece]) -> String {
    let words = pieces.iter().filter_map(|piece| match piece {
        Piece::Text(line) => Some(line.iter().map(|span| span.text.as_str()).collect::<String>()),
        Piece::Code(code) => Some(code.clone()),
        _ => None,
    });
    words.collect::<Vec<_>>().join(" ")
}
