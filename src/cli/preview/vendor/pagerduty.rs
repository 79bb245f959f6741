//! PagerDuty: an incident. Source: <https://developer.pagerduty.com/docs/send-alert-event>.

use super::{list, other_notes, others, shown, text};
use crate::cli::preview::markup::linked;
use crate::cli::preview::piece::{Button, Line, Look, Piece, Screen, Span};
use crate::json::Node;

/// The payload's members that people see as the incident's fields, by what PagerDuty calls them.
const FIELDS: [(&str, &str); 6] = [
    ("severity", "Severity"),
    ("source", "Source"),
    ("component", "Component"),
    ("group", "Group"),
    ("class", "Class"),
    ("timestamp", "Created"),
];

/// The incident that a trigger opens, or that it joins.
pub(super) fn screen(event: &Node<'_>) -> Screen {
    let payload = event.get("payload");
    let of_payload = |key: &str| payload.and_then(|payload| text(payload, key));
    let summary = of_payload("summary").unwrap_or_default().to_owned();
    let mut frame: Vec<(String, String)> =
        FIELDS.iter().filter_map(|(key, name)| Some(((*name).to_owned(), of_payload(key)?.to_owned()))).collect();
    let known: Vec<&str> = FIELDS.iter().map(|(key, _)| *key).chain(["summary", "custom_details"]).collect();
    frame.extend(payload.map(|payload| others(payload, &known)).unwrap_or_default());
    let mut pieces = Vec::new();
    if let Some(details) = payload.and_then(|payload| payload.get("custom_details")) {
        pieces.push(match details.members() {
            Some(members) => {
                let pair = |name: &str, node: &Node<'_>| (vec![Span::bold(name)], value(node));
                Piece::Facts(members.iter().map(|member| pair(&member.key, &member.node)).collect())
            }
            None => Piece::Text(vec![Span::plain(shown(details))]),
        });
    }
    let link = |link: &Node<'_>| Button {
        label: text(link, "text").or(text(link, "href")).unwrap_or_default().to_owned(),
        link: text(link, "href").map(str::to_owned),
        style: None,
    };
    let mut buttons: Vec<Button> = list(event, "links").iter().map(link).collect();
    buttons.extend(text(event, "client_url").map(|url| Button {
        label: format!("View in {}", text(event, "client").unwrap_or("the client")),
        link: Some(url.to_owned()),
        style: None,
    }));
    pieces.extend((!buttons.is_empty()).then_some(Piece::Buttons(buttons)));
    let known = ["payload", "links", "client", "client_url", "event_action", "dedup_key", "routing_key"];
    let mut notes: Vec<String> = text(event, "dedup_key").map(|key| format!("dedup_key {key}")).into_iter().collect();
    notes.extend(other_notes(event, &known));
    Screen {
        notification: Some(summary.clone()),
        title: Some(summary),
        frame,
        pieces,
        notes,
        ..Screen::new(Look::PagerDuty, "PagerDuty")
    }
}

/// A detail's value: a list one item a line.
fn value(node: &Node<'_>) -> Line {
    let Some(items) = node.elements() else { return linked(&shown(node)) };
    let mut line = Line::new();
    for item in items {
        if !line.is_empty() {
            line.push(Span::plain("\n"));
        }
        line.extend(linked(&shown(item)));
    }
    line
}
