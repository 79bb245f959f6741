//! An alert as a document of Atlassian's format, in which a text is text, and nothing of it markup.
//!
//! Format: <https://developer.atlassian.com/cloud/jira/platform/apis/document/structure/>.

use serde_json::{Value, json};

use super::Content;

/// The whole alert. The footer stands last, and is never shortened: by it a later attempt knows its own message.
pub(super) fn document(content: &Content) -> Value {
    let mut blocks = vec![paragraph(vec![strong(&content.heading)]), paragraph(vec![text(&content.sentence)])];
    for (index, change) in content.changes.iter().enumerate() {
        let label = if index == 0 { content.before_changes() } else { String::new() };
        let label = (!label.is_empty()).then(|| strong(&label));
        blocks.push(paragraph(label.into_iter().chain([marked(change, &json!({ "type": "code" }))]).collect()));
    }
    if !content.steps.is_empty() {
        blocks.push(paragraph(vec![strong(Content::STEPS_LABEL)]));
        let items = content.steps.iter().map(|(step, command)| {
            let command = command.iter().map(|command| json!({ "type": "codeBlock", "content": [text(command)] }));
            item(&[paragraph(vec![text(step)])].into_iter().chain(command).collect::<Vec<_>>())
        });
        blocks.push(json!({ "type": "orderedList", "content": items.collect::<Vec<_>>() }));
    }
    if !content.facts.is_empty() {
        let items = content
            .facts
            .iter()
            .map(|(name, value)| item(&[paragraph(vec![strong(&format!("{name}: ")), text(value)])]));
        blocks.push(json!({ "type": "bulletList", "content": items.collect::<Vec<_>>() }));
    }
    if let Some(why) = &content.description {
        blocks.push(paragraph(vec![strong(&format!("{}: ", Content::WHY_LABEL)), text(why)]));
    }
    for (name, link) in &content.links {
        blocks.push(paragraph(vec![marked(name, &json!({ "type": "link", "attrs": { "href": link } }))]));
    }
    blocks.push(paragraph(vec![marked(&content.footer, &json!({ "type": "em" }))]));
    json!({ "type": "doc", "version": 1, "content": blocks })
}

fn item(blocks: &[Value]) -> Value {
    json!({ "type": "listItem", "content": blocks })
}

/// A paragraph; an empty text is no node.
fn paragraph(mut runs: Vec<Value>) -> Value {
    runs.retain(|run| run["text"].as_str().is_some_and(|text| !text.is_empty()));
    json!({ "type": "paragraph", "content": runs })
}

fn text(text: &str) -> Value {
    json!({ "type": "text", "text": text })
}

fn strong(text: &str) -> Value {
    marked(text, &json!({ "type": "strong" }))
}

fn marked(text: &str, mark: &Value) -> Value {
    json!({ "type": "text", "text": text, "marks": [mark] })
}
