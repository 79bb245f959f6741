//! The diagnostics of some rules alone: which rule each of them is about.

use std::collections::{HashMap, HashSet};

use crate::cli::selection::RuleSelection;
use crate::config::{Diagnostic, Level};
use crate::json::Node;
use crate::ruleset::{RuleSet, Sources};

/// Keeps the errors, which keep all rules from running, and of the warnings and notes those about the rules that are selected.
pub(super) fn retain(diagnostics: &mut Vec<Diagnostic>, selection: &RuleSelection, rules: &RuleSet, sources: &Sources) {
    let taken = rules.rules().iter().filter(|rule| selection.takes_rule(rule));
    let taken: HashSet<&str> = taken.map(|rule| rule.info.id.as_str()).collect();
    let mut parsed: HashMap<Option<String>, Option<Node<'_>>> = HashMap::new();
    diagnostics.retain(|diagnostic| {
        let file = diagnostic.file.as_deref();
        let root = parsed.entry(file.map(str::to_owned)).or_insert_with(|| Node::parse(sources.text(file)).ok());
        let id = root.as_ref().and_then(|root| rule_at(root, &diagnostic.pointer));
        diagnostic.level == Level::Error || id.is_some_and(|id| taken.contains(&*id))
    });
}

/// The id of the rule that a pointer leads into: one of `rules`, also of a pack within a bundle, or one of `overrides`.
fn rule_at(root: &Node<'_>, pointer: &str) -> Option<String> {
    let steps: Vec<String> =
        pointer.split('/').skip(1).map(|step| step.replace("~1", "/").replace("~0", "~")).collect();
    match steps.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["rules", number, ..] => id_of(root, number),
        ["include", include, "content", "rules", number, ..] => {
            id_of(root.get("include")?.elements()?.get(include.parse::<usize>().ok()?)?.get("content")?, number)
        }
        ["include", _, "overrides", id, ..] => Some(id.to_owned()),
        _ => None,
    }
}

fn id_of(file: &Node<'_>, number: &str) -> Option<String> {
    let rule = file.get("rules")?.elements()?.get(number.parse::<usize>().ok()?)?;
    rule.get("id").and_then(Node::as_str).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pointer_leads_into_a_rule() {
        let text = r#"{"rules":[{"id":"a"},{"id":"b/c"}],"include":[{"pack":"p","content":{"rules":[{"id":"d"}]},"overrides":{"e/f":{}}}]}"#;
        let root = Node::parse(text).unwrap();
        for (pointer, id) in [
            ("/rules/1/when/0/event", Some("b/c")),
            ("/rules/0", Some("a")),
            ("/rules/7", None),
            ("/include/0/content/rules/0/when", Some("d")),
            ("/include/0/overrides/e~1f/unless", Some("e/f")),
            ("/channels/0", None),
            ("", None),
        ] {
            assert_eq!(rule_at(&root, pointer).as_deref(), id, "{pointer}");
        }
    }
}
