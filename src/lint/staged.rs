//! Rules of packs that are staged because they are newer than what their owner knows.

use super::view::SourcePlace;
use super::{Lint, LintContext, LintReport};
use crate::json::Node;
use crate::rules::{Mode, Version};
use crate::text::enumerated;

/// What this file declares.
pub(super) const LINTS: &[&Lint] = &[&STAGED_AS_NEW];

static STAGED_AS_NEW: Lint = Lint {
    code: "staged-as-new",
    summary: "A note: these rules of the pack are newer than `stage_new_since`, and are staged.",
    docs: "They are counted and logged, and nobody is told. Look at what they find (`offlimits backtest`), then name the version that \
         you know now, or give single rules a `mode` in `overrides`: [Upgrading](upgrading.md#new-rules-of-the-packs).",
    wrong: r#""rules": [ { "id": "R", "title": "stops", "severity": "low", "when": { "service": { "is": "ec2.amazonaws.com" }, "event": { "is": "StopInstances" } } } ],
"include": [ { "pack": "p.json", "stage_new_since": »"0.1.0", "content": { "rules": [
  { "id": "NEW", "title": "starts", "severity": "low", "since": "0.2.0", "when": { "service": { "is": "ec2.amazonaws.com" }, "event": { "is": "StartInstances" } } }
] } } ]"#,
    right: r#""rules": [ { "id": "R", "title": "stops", "severity": "low", "when": { "service": { "is": "ec2.amazonaws.com" }, "event": { "is": "StopInstances" } } } ],
"include": [ { "pack": "p.json", "stage_new_since": "0.2.0", "content": { "rules": [
  { "id": "NEW", "title": "starts", "severity": "low", "since": "0.2.0", "when": { "service": { "is": "ec2.amazonaws.com" }, "event": { "is": "StartInstances" } } }
] } } ]"#,
};

pub(super) fn lint(context: &LintContext<'_>, report: &mut LintReport) {
    for include in context.files.root.get("include").and_then(Node::elements).unwrap_or_default() {
        let key = include.get("stage_new_since");
        let Some((node, known)) = key.and_then(|node| Some((node, Version::parse(node.as_str()?)?))) else { continue };
        let Some(pack) = include.get("pack").and_then(Node::as_str) else { continue };
        let new = context.views.iter().filter(|view| {
            let rule = view.rule;
            // The pack itself may stage a rule, or its owner.
            let says_so = view.node.get("mode").and_then(Node::as_str) == Some(Mode::Stage.as_str());
            let own = include.get("overrides").and_then(|node| node.get(&rule.info.id)?.get("mode"));
            rule.pack.as_deref() == Some(pack)
                && rule.since.is_some_and(|since| since > known)
                && rule.info.mode == Mode::Stage
                && !says_so
                && own.is_none()
        });
        let ids: Vec<&str> = new.map(|view| view.rule.info.id.as_str()).collect();
        if !ids.is_empty() {
            let place = SourcePlace { file: None, span: node.span.clone() };
            let message = format!("staged, since they came after {known}: {}", enumerated(&ids));
            let help = "look at what they find, then name the version that you know now";
            report.note_of_file(&STAGED_AS_NEW, place, message, help);
        }
    }
}
