//! Amazon SNS: an email, an SMS, JSON for machines, and what Amazon Q Developer posts to a chat. Source of that:
//! <https://docs.aws.amazon.com/chatbot/latest/adminguide/custom-notifs.html>.

use super::{list, machine, text};
use crate::channel::SnsMessage;
use crate::cli::preview::markup::{linked, mrkdwn};
use crate::cli::preview::piece::{Look, Piece, Screen, Span};
use crate::json::Node;

/// What the stack's topic is called to its recipients (`template.yaml`).
const DISPLAY_NAME: &str = "offlimits";

/// What each kind of subscriber sees.
pub(super) fn screens(message: &SnsMessage) -> Vec<Screen> {
    let mut screens = vec![email(message), sms(&message.sms)];
    match &message.https {
        Some(notification) => {
            screens.push(chat(notification));
            screens.push(machine::screen("JSON for SQS and Lambda", &message.machine));
        }
        None => screens.push(machine::screen("JSON for SQS, Lambda and HTTPS", &message.machine)),
    }
    screens
}

/// A notification of Amazon Q Developer, as Slack shows it.
fn chat(notification: &str) -> Screen {
    const LABEL: &str = "Slack or Teams, by Amazon Q";
    let Ok(node) = Node::parse(notification) else { return machine::screen(LABEL, notification) };
    let Some(content) = node.get("content") else { return machine::screen(LABEL, notification) };
    let mut pieces: Vec<Piece> =
        text(content, "title").map(|title| Piece::Heading(vec![Span::plain(title)])).into_iter().collect();
    pieces.extend(mrkdwn(text(content, "description").unwrap_or_default(), true));
    let steps: Vec<Vec<Piece>> =
        list(content, "nextSteps").iter().filter_map(|step| Some(mrkdwn(step.as_str()?, true))).collect();
    if !steps.is_empty() {
        pieces.push(Piece::Text(vec![Span::bold("Next steps")]));
        pieces.push(Piece::List { is_ordered: false, items: steps });
    }
    let keywords: Vec<&str> = list(content, "keywords").iter().filter_map(Node::as_str).collect();
    pieces.extend((!keywords.is_empty()).then(|| Piece::Quiet(vec![Span::plain(keywords.join("  "))])));
    Screen { pieces, ..Screen::new(Look::Slack, LABEL) }
}

fn email(message: &SnsMessage) -> Screen {
    Screen {
        title: Some(message.subject.clone()),
        frame: vec![("From".to_owned(), format!("{DISPLAY_NAME} <no-reply@sns.amazonaws.com>"))],
        pieces: vec![Piece::Text(linked(&message.email))],
        notes: vec!["SNS adds a link to unsubscribe".to_owned()],
        ..Screen::new(Look::Email, "Email")
    }
}

/// SNS puts the topic's display name before the text, in capitals:
/// <https://docs.aws.amazon.com/sns/latest/dg/sms_publish-to-topic.html>.
fn sms(text: &str) -> Screen {
    let whole = format!("{}> {text}", DISPLAY_NAME.to_uppercase());
    let (units, parts, alphabet) = parts(&whole);
    let parts = if parts == 1 { "1 part".to_owned() } else { format!("{parts} parts") };
    Screen {
        notes: vec![format!("{units} characters ({alphabet}) with the topic's display name: {parts}")],
        pieces: vec![Piece::Text(linked(&whole))],
        ..Screen::new(Look::Sms, "SMS")
    }
}

/// The characters of a text as it is counted in an SMS, how many parts it takes, and in which alphabet.
/// Source: 3GPP TS 23.038, 6.2.1 (the alphabet), and 23.040, 9.2.3.24.1 (a part of several has seven characters less).
fn parts(text: &str) -> (usize, usize, &'static str) {
    const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿\
                         abcdefghijklmnopqrstuvwxyzäöñüà";
    const EXTENDED: &str = "\u{c}^{}\\[~]|€";
    let widths: Option<usize> = text
        .chars()
        .map(|c| match c {
            c if BASIC.contains(c) => Some(1),
            c if EXTENDED.contains(c) => Some(2),
            _ => None,
        })
        .sum();
    let (units, whole, part, alphabet) = match widths {
        Some(units) => (units, 160, 153, "GSM"),
        None => (text.encode_utf16().count(), 70, 67, "UCS-2"),
    };
    (units, if units <= whole { 1 } else { units.div_ceil(part) }, alphabet)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_sms_is_counted_as_telephones_count() {
        assert_eq!(parts(&"x".repeat(160)), (160, 1, "GSM"));
        assert_eq!(parts(&"x".repeat(161)), (161, 2, "GSM"));
        assert_eq!(parts(&"[".repeat(80)), (160, 1, "GSM"));
        assert_eq!(parts(&"ü€".repeat(60)), (180, 2, "GSM"));
        assert_eq!(parts(&"…".repeat(70)), (70, 1, "UCS-2"));
        assert_eq!(parts(&"…".repeat(71)), (71, 2, "UCS-2"));
        assert_eq!(parts(&"\u{1f600}".repeat(36)), (72, 2, "UCS-2"));
    }
}
