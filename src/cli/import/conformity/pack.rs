//! What Conformity's rules mean, taken from the packs: an imported rule and the pack's say the same.
//!
//! The rules are written out in full instead of included: the file stands alone, wherever the packs are, and shows what it
//! watches.

use super::super::output::{ImportedException, ImportedRow, ImportedRule, OrderedMap};
use crate::json::Node;

/// RTM-011's table is the shipped `rules.json`'s own.
const SOURCES: [&str; 3] = [
    include_str!("../../../../packs/conformity-rtm.json"),
    include_str!("../../../../packs/conformity-rtm-country.json"),
    include_str!("../../../../rules.json"),
];

/// The rule with this id, without its tests and its runbook.
pub(super) fn rule(id: &str) -> Option<ImportedRule> {
    SOURCES.iter().find_map(|source| {
        let root = Node::parse(source).ok()?;
        let rules = root.get("rules")?.elements()?;
        read(rules.iter().find(|rule| rule.get("id").and_then(Node::as_str) == Some(id))?)
    })
}

fn read(rule: &Node) -> Option<ImportedRule> {
    let text = |node: &Node, key: &str| node.get(key).and_then(Node::as_str).map(str::to_owned);
    let exceptions = rule.get("unless").and_then(Node::elements).unwrap_or_default();
    let unless = exceptions.iter().filter_map(|exception| {
        Some(ImportedException { when: rows(exception.get("when")?), reason: text(exception, "reason")? })
    });
    let tags = rule.get("tags").and_then(Node::elements).unwrap_or_default();
    Some(ImportedRule {
        id: text(rule, "id")?,
        title: text(rule, "title")?,
        description: text(rule, "description"),
        severity: text(rule, "severity")?,
        when: rows(rule.get("when")?),
        unless: unless.collect(),
        throttle: rule.get("throttle").and_then(Node::members).map(|_| OrderedMap(row(rule.get("throttle")).0)),
        threshold: rule.get("threshold").and_then(Node::members).map(|_| OrderedMap(row(rule.get("threshold")).0)),
        tags: tags.iter().filter_map(Node::as_str).map(str::to_owned).collect(),
        mode: None,
    })
}

/// A row, or a list of rows.
fn rows(table: &Node) -> Vec<ImportedRow> {
    match table.elements() {
        Some(rows) => rows.iter().map(|node| row(Some(node))).collect(),
        None => vec![row(Some(table))],
    }
}

fn row(node: Option<&Node>) -> ImportedRow {
    let members = node.and_then(Node::members).unwrap_or_default();
    let cells = members
        .iter()
        .filter_map(|member| Some((member.key.to_string(), serde_json::from_str(&member.node.compact()).ok()?)));
    ImportedRow(cells.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_that_conformity_had_is_in_the_packs() {
        for id in ["RTM-001", "RTM-002", "RTM-003", "RTM-005", "RTM-007", "RTM-008", "RTM-009", "RTM-010", "RTM-011"] {
            let rule = rule(id).unwrap_or_else(|| panic!("{id}"));
            assert!(!rule.when.is_empty() && !rule.when[0].0.is_empty(), "{id}");
        }
        // The import puts these in place of the pack's.
        let written = |id: &str| serde_json::to_string(&rule(id).unwrap()).unwrap();
        assert!(written("RTM-005").contains("@approved_countries"));
        assert!(written("RTM-007").contains("@safe_networks"));
        assert!(written("RTM-008").contains("@approved_regions"));
        assert!(rule("RTM-009").unwrap().when.iter().all(|row| row.0.iter().any(|(field, _)| field == "event")));
        assert!(rule("RTM-004").is_none());
    }
}
