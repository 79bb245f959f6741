//! Screens as one page that needs no network, no script and no other file.
//!
//! Most of what it shows was written by whoever called AWS, who may be the attacker: every text is freed of what would deceive a reader,
//! and escaped by `maud`; the page's policy lets nothing run at all.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::alerts::PreviewedAlert;
use super::piece::{Button, Group, Line, Look, Piece, Screen, Span, is_safe};
use crate::cli::content_policy::content_policy;
use crate::cli::words::counted;
use crate::text::printable;

const STYLE: &str = include_str!("page.css");

/// The page that shows these alerts of one kind; `left_out`: how many more there are.
pub(super) fn html(alerts: &[PreviewedAlert], left_out: usize, kind: &str) -> String {
    let style = format!("{STYLE}{}", colours(alerts));
    let policy = content_policy(&style, None);
    let title = format!("offlimits preview: {}", counted(alerts.len(), "alert"));
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="referrer" content="no-referrer";
                title { (title) }
                style { (PreEscaped(&style)) }
            }
            body {
                header {
                    p.brand { "offlimits " span { "preview" } }
                    p.lead { "What people will see of " (counted(alerts.len(), "alert")) " of the kind " b { (kind) } ". Nothing was sent." }
                    @if left_out > 0 { p.lead { (counted(left_out, "more alert")) " would be sent, and not shown here." } }
                }
                main { @for alert in alerts { (self::alert(alert)) } }
                footer { "Made by offlimits from the bytes that each channel would be sent. This page holds all that it shows, and asks nothing of any network." }
            }
        }
    };
    page.into_string()
}

/// Rules for the colours of bars, which the rules of the reader may name. Only digits get in.
fn colours(alerts: &[PreviewedAlert]) -> String {
    fn gather(pieces: &[Piece], into: &mut BTreeSet<String>) {
        for piece in pieces {
            match piece {
                Piece::Group(group) => {
                    into.extend(group.colour());
                    gather(&group.pieces, into);
                }
                Piece::Columns(inner) | Piece::List { items: inner, .. } => {
                    inner.iter().for_each(|pieces| gather(pieces, into));
                }
                _ => {}
            }
        }
    }
    let mut found = BTreeSet::new();
    let screens = alerts.iter().flat_map(|alert| &alert.channels).flat_map(|channel| &channel.screens);
    screens.for_each(|screen| gather(&screen.pieces, &mut found));
    found.iter().fold(String::new(), |mut rules, digits| {
        let _ = writeln!(rules, ".c-{digits} {{ --bar: #{digits}; }}");
        rules
    })
}

fn alert(alert: &PreviewedAlert) -> Markup {
    let heading = printable(&alert.heading);
    let label = alert.severity.label();
    let words = heading.strip_prefix(label).and_then(|rest| rest.strip_prefix(": ")).unwrap_or(&heading);
    html! {
        section.alert {
            h2 { span class={ "badge " (alert.severity.as_str()) } { (label) } " " (words) " " code.rule { (printable(&alert.rule)) } }
            div.screens {
                @for channel in &alert.channels { @for screen in &channel.screens { (self::screen(screen, &channel.name)) } }
            }
        }
    }
}

fn screen(screen: &Screen, channel: &str) -> Markup {
    html! {
        article class={ "screen " (screen.look.class()) } {
            h3 { (screen.label) " " span.channel { (channel) } }
            @if let Some(text) = &screen.notification {
                div.toast { p { span.from { "offlimits" } " " (printable(text)) } }
            }
            (body(screen))
            @for note in &screen.notes { p.note { (printable(note)) } }
        }
    }
}

/// The screen itself, in its vendor's frame.
fn body(screen: &Screen) -> Markup {
    let content = html! { @for piece in &screen.pieces { (self::piece(piece)) } };
    match screen.look {
        Look::Machine => html! { details { summary { "Show" } div.window { (content) } } },
        Look::Slack => post("offlimits", Some("APP"), &content),
        Look::Teams => post("Workflows", None, &html! { div.card { (content) } }),
        Look::Sms => html! { div.window { p.sender { "SMS" } div.bubble { (content) } } },
        Look::Email | Look::PagerDuty | Look::Zendesk | Look::ServiceNow | Look::Tracker => html! {
            div.window {
                @if screen.look == Look::PagerDuty { p.state { "Triggered" } }
                @if let Some(title) = &screen.title { h4.title { (printable(title)) } }
                @if !screen.frame.is_empty() {
                    dl.frame { @for (name, value) in &screen.frame { div { dt { (printable(name)) } dd { (printable(value)) } } } }
                }
                div.body { (content) }
            }
        },
    }
}

/// A message in a chat: who posted it, and what.
fn post(who: &str, badge: Option<&str>, content: &Markup) -> Markup {
    html! {
        div.window {
            div.avatar aria-hidden="true" { (who.chars().next().unwrap_or_default()) }
            div.post {
                p.who { b { (who) } @if let Some(badge) = badge { " " span.app { (badge) } } " " span.when { "3:12 AM" } }
                (content)
            }
        }
    }
}

fn piece(piece: &Piece) -> Markup {
    match piece {
        Piece::Heading(line) => html! { h4.heading { (spans(line)) } },
        Piece::Text(line) => html! { p.text { (spans(line)) } },
        Piece::Quiet(line) => html! { p.quiet { (spans(line)) } },
        Piece::Facts(pairs) => html! {
            dl.facts { @for (name, value) in pairs { div { dt { (spans(name)) } dd { (spans(value)) } } } }
        },
        Piece::Fields(fields) => html! { div.fields { @for field in fields { p { (spans(field)) } } } },
        Piece::List { is_ordered, items } => {
            let items = html! { @for item in items { li { @for piece in item { (self::piece(piece)) } } } };
            if *is_ordered {
                html! { ol { (items) } }
            } else {
                html! { ul { (items) } }
            }
        }
        Piece::Code(code) => html! { pre.code { (printable(code)) } },
        Piece::Buttons(buttons) => html! { div.buttons { @for button in buttons { (self::button(button)) } } },
        Piece::Divider => html! { hr; },
        Piece::Columns(columns) => html! {
            div.columns { @for column in columns { div { @for piece in column { (self::piece(piece)) } } } }
        },
        Piece::Group(group) => self::group(group),
        Piece::Unknown { kind, content } => html! {
            div.unknown { p { "Not known to this preview: " b { (printable(kind)) } } pre { (printable(content)) } }
        },
    }
}

fn group(group: &Group) -> Markup {
    // Only words that the style knows.
    const TONES: [&str; 7] = ["attention", "warning", "accent", "good", "emphasis", "internal", "public"];
    let tone = group.tone.as_deref().and_then(|tone| TONES.iter().find(|known| **known == tone));
    let mut class = "group".to_owned();
    if let Some(digits) = group.colour() {
        let _ = write!(class, " bar c-{digits}");
    } else if group.bar.is_some() {
        class.push_str(" bar");
    }
    if let Some(tone) = tone {
        let _ = write!(class, " {tone}");
    }
    html! { div class=(class) { @for piece in &group.pieces { (self::piece(piece)) } } }
}

fn button(button: &Button) -> Markup {
    let style = match button.style.as_deref() {
        Some("primary" | "positive") => "button primary",
        Some("danger" | "destructive") => "button danger",
        _ => "button",
    };
    let label = printable(&button.label);
    if let Some(link) = button.link.as_deref().filter(|link| is_safe(link)) {
        html! { a class=(style) href=(link) rel="noreferrer noopener" { (label) } }
    } else {
        html! { span class=(style) { (label) } }
    }
}

fn spans(line: &Line) -> Markup {
    html! { @for span in line { (self::span(span)) } }
}

fn span(span: &Span) -> Markup {
    let style = span.style;
    let mut out = html! { (printable(&span.text)) };
    if style.code {
        out = html! { code { (out) } };
    }
    if style.bold {
        out = html! { b { (out) } };
    }
    if style.italic {
        out = html! { i { (out) } };
    }
    if style.strike {
        out = html! { s { (out) } };
    }
    if style.quiet {
        out = html! { span.quiet { (out) } };
    }
    match span.safe_link() {
        Some(link) => html! { a href=(link) rel="noreferrer noopener" { (out) } },
        None => out,
    }
}
