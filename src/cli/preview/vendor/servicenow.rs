//! ServiceNow: an incident, or a work note on one. Source:
//! <https://www.servicenow.com/docs/r/it-service-management/incident-management/c_IncidentManagement.html>.

use super::{others, text};
use crate::cli::preview::markup::linked;
use crate::cli::preview::piece::{Look, Piece, Screen};
use crate::json::Node;

/// The incident's form.
pub(super) fn screen(incident: &Node<'_>) -> Screen {
    let mut frame = Vec::new();
    if let (Some(impact), Some(urgency)) = (text(incident, "impact"), text(incident, "urgency")) {
        frame.extend([
            ("Impact".to_owned(), level(impact)),
            ("Urgency".to_owned(), level(urgency)),
            ("Priority".to_owned(), priority(impact, urgency).to_owned()),
        ]);
    }
    let known = [
        "short_description",
        "description",
        "work_notes",
        "impact",
        "urgency",
        "correlation_id",
        "correlation_display",
    ];
    frame.extend(others(incident, &known));
    let texts = [text(incident, "description"), text(incident, "work_notes")];
    let pieces = texts.into_iter().flatten().map(|text| Piece::Text(linked(text))).collect();
    let label = if text(incident, "short_description").is_some() {
        "ServiceNow, a new incident"
    } else {
        "ServiceNow, a work note on the incident"
    };
    Screen {
        title: text(incident, "short_description").map(str::to_owned),
        frame,
        pieces,
        ..Screen::new(Look::ServiceNow, label)
    }
}

fn level(level: &str) -> String {
    match level {
        "1" => "1 - High".to_owned(),
        "2" => "2 - Medium".to_owned(),
        "3" => "3 - Low".to_owned(),
        other => other.to_owned(),
    }
}

/// What an instance derives of the two, unless somebody has changed its table.
fn priority(impact: &str, urgency: &str) -> &'static str {
    match (impact, urgency) {
        ("1", "1") => "1 - Critical",
        ("1", "2") | ("2", "1") => "2 - High",
        ("1", "3") | ("2", "2") | ("3", "1") => "3 - Moderate",
        ("2", "3") | ("3", "2") => "4 - Low",
        _ => "5 - Planning",
    }
}
