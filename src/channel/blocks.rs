//! What an alert looks like in Slack: blocks, and Slack's markup in them.
//!
//! Limits: <https://docs.slack.dev/reference/block-kit/blocks> (header, section) and
//! <https://docs.slack.dev/reference/block-kit/block-elements/button-element>.

use serde_json::{Value, json};

use super::Content;
use crate::text::clip;

/// Characters of a header block.
const HEADER_LIMIT: usize = 150;
/// Characters of a section's text: the block takes 3,000.
const SECTION_LIMIT: usize = 2900;
/// Characters of one value in a section, escaped.
const VALUE_LIMIT: usize = 1400;
/// Characters of a button's text: the element takes 75.
const BUTTON_LIMIT: usize = 75;
/// Characters of the text in a footer.
const FOOTER_LIMIT: usize = 300;

/// What has to be seen at once.
pub(super) fn first(content: &Content) -> Vec<Value> {
    let mut blocks = vec![
        json!({"type": "header", "text": plain(&content.heading, HEADER_LIMIT)}),
        json!({"type": "section", "text": plain(&content.sentence, SECTION_LIMIT)}),
    ];
    blocks.extend(section(change_lines(content)));
    blocks.extend(section(step_lines(content)));
    let buttons: Vec<Value> = content.links.iter().map(button).collect();
    if !buttons.is_empty() {
        blocks.push(json!({"type": "actions", "elements": buttons}));
    }
    blocks
}

/// The facts, why they matter, and the footer.
pub(super) fn details(content: &Content) -> Vec<Value> {
    let facts = content.facts.iter().map(|(name, value)| format!("*{name}:* {}", shown(value)));
    let mut details: Vec<Value> = section(facts.collect()).collect();
    if let Some(description) = &content.description {
        let text = format!("{}: {description}", Content::WHY_LABEL);
        details.push(json!({"type": "section", "text": plain(&text, SECTION_LIMIT)}));
    }
    details.push(json!({"type": "context", "elements": [plain(&content.footer, FOOTER_LIMIT)]}));
    details
}

/// The lines in sections of Slack's markup, each of which holds as many as it takes; no line is longer than one takes. `verbatim`:
/// Slack makes no links, channels and mentions of what looks like one.
fn section(lines: Vec<String>) -> impl Iterator<Item = Value> {
    let mut texts: Vec<String> = Vec::new();
    for line in lines {
        match texts.last_mut() {
            Some(text) if text.chars().count() + line.chars().count() < SECTION_LIMIT => {
                text.push('\n');
                text.push_str(&line);
            }
            _ => texts.push(line),
        }
    }
    texts.into_iter().map(|text| json!({"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": true}}))
}

fn change_lines(content: &Content) -> Vec<String> {
    let label = content.change_label.map(|label| format!("*{label}:*"));
    match content.changes.as_slice() {
        [] => Vec::new(),
        [change] => vec![label.map(|label| label + " ").unwrap_or_default() + &code(change)],
        changes => label.into_iter().chain(changes.iter().map(|change| format!("• {}", code(change)))).collect(),
    }
}

fn step_lines(content: &Content) -> Vec<String> {
    let mut lines = Vec::new();
    for (index, (text, command)) in content.steps.iter().enumerate() {
        let text: Vec<String> = text.split(' ').map(shown).collect();
        lines.push(format!("{}. {}", index + 1, text.join(" ")));
        // A fence ends at the next one, and a command is shown as it is or not at all.
        let command = command.as_ref().filter(|command| !command.contains('`'));
        let command = command.map(|command| format!("```{}```", escape(command)));
        lines.extend(command.filter(|command| command.chars().count() < SECTION_LIMIT));
    }
    if !lines.is_empty() {
        lines.insert(0, format!("*{}*", Content::STEPS_LABEL));
    }
    lines
}

/// A link. Slack marks a button that was pressed with a warning, unless the app has "Interactivity" on; the page opens anyway
/// (<https://github.com/slackapi/node-slack-sdk/issues/869>).
fn button((name, link): &(&'static str, String)) -> Value {
    json!({"type": "button", "text": plain(name, BUTTON_LIMIT), "url": link})
}

/// Untrusted text: as `plain_text` Slack reads no mention, link or format in it.
fn plain(text: &str, limit: usize) -> Value {
    json!({"type": "plain_text", "text": clip(text, limit), "emoji": false})
}

/// Untrusted text within markup: as it is where nothing of it could be read as a format or an emoji, and else as code, in which
/// nothing is.
fn shown(text: &str) -> String {
    let is_emoji = |(at, _): (usize, &str)| text[at + 1..].split_once(':').is_some_and(|(name, _)| !name.contains(' '));
    if text.contains(['*', '_', '~', '`', '<', '>']) || text.match_indices(':').any(is_emoji) {
        code(text)
    } else {
        escaped(text)
    }
}

/// Untrusted text as code within markup.
fn code(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("`{}`", escaped(&text.replace('`', "'"))) }
}

/// The text escaped, with so much of its end cut off that it stays within [`VALUE_LIMIT`] even where every character of it is an
/// entity.
fn escaped(text: &str) -> String {
    let escape_of = |c: char| if matches!(c, '&' | '<' | '>') { 5 } else { 1 };
    let mut length = 0;
    let fits = text.chars().take_while(|c| {
        length += escape_of(*c);
        length < VALUE_LIMIT
    });
    let fitting = fits.count();
    escape(&if fitting == text.chars().count() { text.into() } else { clip(text, fitting) })
}

/// The three characters that mean something in Slack's markup. Escaped after clipping, so that no entity is cut.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_slack_would_read_as_a_format_is_code() {
        for plain in ["production (111122223333)", "203.0.113.7", "aws-cli/2.32 on Linux", "10:00 o'clock", "a & b"] {
            assert_eq!(shown(plain), plain.replace('&', "&amp;"));
        }
        for (text, expected) in [
            ("Allow s3:* on *", "`Allow s3:* on *`"),
            ("arn:aws:iam::111122223333:user/bob", "`arn:aws:iam::111122223333:user/bob`"),
            ("_x_ `y`", "`_x_ 'y'`"),
            ("<!channel>", "`&lt;!channel&gt;`"),
            ("> quoted", "`&gt; quoted`"),
            (":smile:", "`:smile:`"),
        ] {
            assert_eq!(shown(text), expected);
        }
    }

    #[test]
    fn a_value_is_cut_before_it_is_escaped_and_fills_no_section() {
        let text = escaped(&"&".repeat(3000));
        assert!(text.len() <= VALUE_LIMIT + 2 && text.ends_with("&amp;…"), "{text}");
        assert_eq!(escaped(&"x".repeat(9)), "x".repeat(9));
    }

    #[test]
    fn lines_that_one_section_does_not_take_go_into_the_next() {
        let lines: Vec<String> = (0..5).map(|_| "x".repeat(1000)).collect();
        let lengths: Vec<usize> = section(lines).map(|block| block["text"]["text"].as_str().unwrap().len()).collect();
        assert_eq!(lengths, [2001, 2001, 1000]);
    }
}
