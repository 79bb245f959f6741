//! An alert as plain text, for vendors that show a text as it is, but for a markup of their own.

use super::Content;
use crate::text::clip;

/// Characters of one text, from the most to the least: the first with which the page fits is taken.
const TEXT_LIMITS: [usize; 4] = [2000, 300, 100, 50];

/// What a vendor makes of a text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Markup {
    /// The text, with nothing in it that the vendor would take for markup.
    pub(super) inactive: fn(&str) -> String,
    /// Whether nothing of a command is markup to the vendor. A command is shown as it is or not at all.
    pub(super) is_inactive: fn(&str) -> bool,
}

/// The alert in at most `limit` characters. The footer is never cut: by it a later attempt knows its own message.
pub(super) fn page(content: &Content, limit: usize, markup: Markup) -> String {
    let links: Vec<String> = content.links.iter().map(|(name, link)| format!("{name}: {link}")).collect();
    let footer = format!("\n\n{}\n{}", links.join("\n"), (markup.inactive)(&content.footer));
    let footer =
        if footer.chars().count() < limit / 2 { footer } else { format!("\n\n{}", (markup.inactive)(&content.footer)) };
    let room = limit - footer.chars().count();
    // A command is whole or it is not there: texts are shortened before anything is cut off.
    let text = content.fitted(TEXT_LIMITS, |content| body(content, markup), |text| text.chars().count() <= room);
    format!("{}{footer}", clip(&text, room))
}

/// All of the page but for its links and its footer.
pub(super) fn body(content: &Content, Markup { inactive, is_inactive }: Markup) -> String {
    let mut lines = vec![inactive(&content.heading), inactive(&content.sentence)];
    let mut changes = content.changes.iter().map(|change| inactive(change));
    lines.extend(changes.next().map(|change| content.before_changes() + &change));
    lines.extend(changes.map(|change| format!("- {change}")));
    if !content.steps.is_empty() {
        lines.push(format!("\n{}", Content::STEPS_LABEL));
    }
    for (index, (text, command)) in content.steps.iter().enumerate() {
        lines.push(format!("{}. {}", index + 1, inactive(text)));
        lines.extend(command.iter().filter(|command| is_inactive(command)).cloned());
    }
    lines.push(String::new());
    lines.extend(content.facts.iter().map(|(name, value)| format!("{name}: {}", inactive(value))));
    lines.extend(content.description.iter().map(|text| format!("\n{}: {}", Content::WHY_LABEL, inactive(text))));
    lines.join("\n")
}
