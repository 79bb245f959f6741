//! The documents of Jira: an issue, a comment on it, and the text of a Data Center.

use serde_json::{Value, json};

use super::{Jira, is_issue_key, label};
use crate::alert::{Alert, AlertKind};
use crate::channel::Content;
use crate::channel::escape::forwardable;
use crate::channel::plain::{Markup, body};
use crate::channel::ticket::tags;
use crate::text::clip;

/// Characters of a summary.
const SUMMARY_LIMIT: usize = 255;
/// Characters of a description or a comment; of a document, with all that is around its texts.
pub(super) const TEXT_LIMIT: usize = 32_767;

impl Jira {
    /// The document that creates an issue.
    pub(super) fn issue(&self, alert: &Alert<'_>, content: &Content, text: &Value) -> Value {
        let mut labels = tags(alert, content);
        labels.push(label(alert.shown_in()));
        labels.extend_from_slice(&self.labels);
        let mut fields = self.fields.clone();
        let own = [
            ("project", json!({ "key": self.project })),
            ("issuetype", json!({ "name": self.issue_type })),
            ("summary", json!(clip(&forwardable(&content.heading), SUMMARY_LIMIT))),
            ("description", text.clone()),
            ("labels", json!(labels)),
        ];
        fields.extend(own.map(|(name, value)| (name.to_owned(), value)));
        if let Some(priorities) = &self.priorities {
            fields.insert("priority".to_owned(), json!({ "name": priorities.get(content.severity) }));
        }
        json!({ "fields": fields })
    }

    /// What a comment is made of: its text, the issue if it is known, and the priority that the issue is to have.
    pub(super) fn comment(&self, alert: &Alert<'_>, content: &Content, text: &Value) -> Value {
        let mut comment = json!({ "body": text });
        if let Some(key) = alert.receipt.filter(|key| is_issue_key(key)) {
            comment["issue"] = json!(key);
        }
        if let (AlertKind::Repeat, Some(priorities)) = (alert.kind, &self.priorities) {
            // It is worse than what the issue was created for.
            comment["priority"] = json!(priorities.get(content.severity));
        }
        comment
    }
}

/// The text of a Data Center, whose markup ends at `{noformat}`: all but the links stands where nothing is markup.
/// Source: <https://jira.atlassian.com/secure/WikiRendererHelpAction.jspa?section=advanced>.
pub(super) fn wiki(content: &Content) -> String {
    let links: Vec<String> = content.links.iter().map(|(name, link)| format!("\n{name}: {link}")).collect();
    let links = links.concat();
    let footer = (WIKI.inactive)(&content.footer);
    let around = format!("{{noformat}}\n\n\n{footer}\n{{noformat}}{links}").chars().count();
    let text = body(content, WIKI);
    let text = clip(&text, TEXT_LIMIT.saturating_sub(around));
    format!("{{noformat}}\n{text}\n\n{footer}\n{{noformat}}{links}")
}

/// What could end a `{noformat}`, or mention people whatever stands around it.
const WIKI: Markup = Markup {
    inactive: |text| forwardable(text).replace('{', "(").replace('}', ")").replace('[', "(").replace(']', ")"),
    is_inactive: |command| !command.to_ascii_lowercase().contains("{noformat") && !command.contains("[~"),
};

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::finding::{Finding, Step};
    use crate::ids::AlertId;

    #[test]
    fn nothing_ends_the_text_of_a_data_center_but_its_own_end() {
        let mut finding = Finding::test(Arc::from("digest"), "2026-01-10T11:00:00Z".to_owned());
        finding.title = "{noformat} [~admin] {code} !x.png!".to_owned();
        finding.call.sentence = "{noformat}".repeat(9000);
        let step = |command: &str| Step { text: "Do it.".to_owned(), command: Some(command.to_owned()) };
        finding.steps = vec![step("aws x --y '{\"a\":[1]}'"), step("aws x {NoFormat}"), step("aws [~admin]")];
        let id = AlertId::new("r", "", &finding.id);
        let text = wiki(&Content::new(&Alert::alone(&finding, &id, AlertKind::First)));
        assert!(text.starts_with("{noformat}\n") && text.chars().count() <= TEXT_LIMIT, "{text}");
        assert_eq!(text.to_lowercase().matches("{noformat").count(), 2, "{text}");
        assert!(!text.contains("[~") && text.contains("aws x --y '{\"a\":[1]}'"), "{text}");
        assert_eq!(text.matches("aws ").count(), 1, "{text}");
    }
}
