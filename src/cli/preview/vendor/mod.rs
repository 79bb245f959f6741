//! From a body to screens: what each vendor makes of the bytes that it would be sent. A file has one vendor; what a type of channel
//! has no file for is a document for machines.

mod adaptive_card;
mod block_kit;
mod jira;
mod jsm;
mod machine;
mod pagerduty;
mod servicenow;
mod servicenow_events;
mod slack;
mod sns;
mod teams;
mod zendesk;

use crate::channel::Body;
use crate::cli::preview::piece::{Piece, Screen};
use crate::json::Node;

/// Which of a ticket's two documents is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TicketPart {
    /// The document that opens one.
    Opening,
    /// The document that adds to one that is open.
    Comment,
}

/// What the recipients of a channel of this type see of a body.
pub(super) fn screens(kind: &str, body: &Body, part: TicketPart) -> Vec<Screen> {
    let document = match (body, part) {
        (Body::Sns(message), _) => return sns::screens(message),
        (Body::Json { json, .. }, _) => json,
        (Body::Ticket { open, .. }, TicketPart::Opening) => open,
        (Body::Ticket { comment, .. }, TicketPart::Comment) => comment,
    };
    // What a channel renders is JSON: its tests say so.
    let Ok(node) = Node::parse(document) else { return vec![machine::screen(kind, document)] };
    vec![match kind {
        "slack" => slack::screen(&node),
        "teams" => teams::screen(&node),
        "pagerduty" => pagerduty::screen(&node),
        "zendesk" => zendesk::screen(&node),
        "servicenow" => servicenow::screen(&node),
        "servicenow-events" => servicenow_events::screen(&node),
        "jsm" => jsm::screen(&node),
        "jira" => jira::screen(&node),
        _ => machine::screen(kind, document),
    }]
}

/// The text at a key.
fn text<'n>(node: &'n Node<'_>, key: &str) -> Option<&'n str> {
    node.get(key)?.as_str()
}

/// The elements at a key.
fn list<'n, 't>(node: &'n Node<'t>, key: &str) -> &'n [Node<'t>] {
    node.get(key).and_then(Node::elements).unwrap_or_default()
}

/// An element that this preview does not know, by the name that it gives itself.
fn unknown(node: &Node<'_>) -> Piece {
    let kind = text(node, "type").unwrap_or("an element without a type").to_owned();
    Piece::Unknown { kind, content: node.compact() }
}

/// What a value is in words: a text as it is, anything else as JSON.
fn shown(node: &Node<'_>) -> String {
    node.scalar().map_or_else(|| node.compact(), str::to_owned)
}

/// The same as notes: `mrkdwn: true`.
fn other_notes(node: &Node<'_>, known: &[&str]) -> Vec<String> {
    others(node, known).into_iter().map(|(name, value)| format!("{name}: {value}")).collect()
}

/// The members that are not among these, as names and values: what a vendor is sent and this preview has no place for.
fn others(node: &Node<'_>, known: &[&str]) -> Vec<(String, String)> {
    let members = node.members().unwrap_or_default().iter();
    let others = members.filter(|member| !known.contains(&&*member.key) && !member.node.is_null());
    others.map(|member| (member.key.to_string(), shown(&member.node))).collect()
}
