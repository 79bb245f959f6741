//! What stands in the file and does nothing: lists that nobody names, allowances that allow nothing.

use std::collections::HashSet;

use super::view::SourcePlace;
use super::{Lint, LintContext, LintReport};
use crate::json::{Node, Value};

/// What this file declares.
pub(super) const LINTS: &[&Lint] = &[&UNUSED_ALLOW, &UNUSED_LIST];

static UNUSED_ALLOW: Lint = Lint {
    code: "unused-allow",
    summary: "The rule allows a warning for which it gives no reason.",
    docs: "Delete the allowance.",
    wrong: r#""when": { "event": { "is": "StopInstances" } },
"allow": [ { "lint": »"ambiguous-event", "reason": "every service's" } ]"#,
    right: r#""when": { "event": { "is": "CreateUser" } },
"allow": [ { "lint": "ambiguous-event", "reason": "every service's" } ]"#,
};

static UNUSED_LIST: Lint = Lint {
    code: "unused-list",
    summary: "Nothing names the list.",
    docs: "Write `@` and its name where it is meant, or delete it.",
    wrong: r#""lists": { "stops": ["^StopInst"], »"starts": ["^StartInst"] },
"rules": [
  { "id": "R", "title": "stops", "severity": "low", "when": { "service": { "is": "ec2.amazonaws.com" }, "event": "@stops" } }
]"#,
    right: r#""lists": { "stops": ["^StopInst"] },
"rules": [
  { "id": "R", "title": "stops", "severity": "low", "when": { "service": { "is": "ec2.amazonaws.com" }, "event": "@stops" } }
]"#,
};

pub(super) fn lint(context: &LintContext<'_>, report: &mut LintReport) {
    if context.unread.root {
        return;
    }
    let root = &context.files.root;
    let mut named = HashSet::new();
    lists_named(root, &mut named);
    for member in root.get("lists").and_then(Node::members).unwrap_or_default() {
        if !named.contains(&*member.key) {
            let place = SourcePlace { file: None, span: member.key_span.clone() };
            let message = format!("nothing names the list \"{}\"", member.key);
            report.warn_of_file(
                &UNUSED_LIST,
                place,
                message,
                format!("write \"@{}\" where it is meant, or delete it", member.key),
            );
        }
    }
}

/// The names after an `@` anywhere in a document.
fn lists_named<'n>(node: &'n Node<'n>, named: &mut HashSet<&'n str>) {
    match &node.value {
        Value::String(text) => named.extend(text.as_str().strip_prefix('@')),
        Value::Array(elements) => elements.iter().for_each(|element| lists_named(element, named)),
        Value::Object(members) => members.iter().for_each(|member| lists_named(&member.node, named)),
        _ => {}
    }
}

/// Allowances that no report needed. `used` holds those that were: rule and code.
pub(super) fn allowances(context: &LintContext<'_>, used: &HashSet<(String, &'static str)>, report: &mut LintReport) {
    // A lint that says nothing beside mistakes may need them.
    if context.unread.rules {
        return;
    }
    for view in context.views {
        let nodes = view.node.get("allow").and_then(Node::elements).unwrap_or_default();
        for (node, allow) in nodes.iter().zip(&view.rule.allow) {
            if used.contains(&(view.rule.info.id.clone(), allow.lint)) {
                continue;
            }
            let node = node.get("lint").unwrap_or(node);
            let place = SourcePlace { file: view.file.clone(), span: node.span.clone() };
            let message = format!("the rule gives no reason for \"{}\" any more", allow.lint);
            report.warn(&UNUSED_ALLOW, view, place, message, "delete this allowance");
        }
    }
}
