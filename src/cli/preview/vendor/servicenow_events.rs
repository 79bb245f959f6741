//! ServiceNow's Event Management: an event, of which the instance makes an alert. Source:
//! <https://docs.servicenow.com/bundle/istanbul-it-operations-management/page/product/event-management/task/t_EMViewAlert.html>.

use super::{list, others, text};
use crate::cli::preview::markup::linked;
use crate::cli::preview::piece::{Look, Piece, Screen, Span};
use crate::json::Node;

/// The event's form.
pub(super) fn screen(document: &Node<'_>) -> Screen {
    let event = list(document, "records").first().unwrap_or(document);
    let mut frame = Vec::new();
    frame.extend(text(event, "severity").map(|severity| ("Severity".to_owned(), named(severity))));
    let known = ["severity", "description", "additional_info", "message_key"];
    frame.extend(others(event, &known));
    let mut pieces: Vec<Piece> = text(event, "description").map(|text| Piece::Text(linked(text))).into_iter().collect();
    pieces.extend(text(event, "additional_info").map(additional));
    Screen { frame, pieces, ..Screen::new(Look::ServiceNow, "ServiceNow, an event") }
}

fn named(severity: &str) -> String {
    match severity {
        "1" => "1 - Critical".to_owned(),
        "2" => "2 - Major".to_owned(),
        "3" => "3 - Minor".to_owned(),
        "4" => "4 - Warning".to_owned(),
        "5" => "5 - Info".to_owned(),
        other => other.to_owned(),
    }
}

/// A JSON object in a text.
fn additional(written: &str) -> Piece {
    let Ok(node) = Node::parse(written) else { return Piece::Code(written.to_owned()) };
    let members = node.members().unwrap_or_default().iter();
    let fact = |(name, value): (String, &str)| (vec![Span::bold(name)], linked(value));
    Piece::Facts(members.filter_map(|member| Some(fact((member.key.to_string(), member.node.as_str()?)))).collect())
}
