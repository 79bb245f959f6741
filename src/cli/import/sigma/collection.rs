//! The documents of a file: some say what others have in common (`action: global`), or what the one before them is changed to
//! (`action: repeat`).
//!
//! Source: Sigma Specification 1.0.4, "Rule Collection"; where it leaves a choice, pySigma's.

use super::super::tree::{Tree, TreeValue};
use super::super::yaml;

/// A document that says something of its own.
#[derive(Debug)]
pub(super) struct SigmaDocument {
    /// Its file and line.
    pub(super) place: String,
    /// Its file, if that holds nothing else: its name is then the rule's.
    pub(super) file: Option<String>,
    pub(super) tree: Tree,
}

/// Which documents a document is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DocumentKind {
    /// A rule for CloudTrail.
    Rule,
    /// It counts the matches of other rules, or puts them in an order.
    Correlation,
    /// It narrows other rules for CloudTrail.
    Filter,
    /// Of another log source, or no rule at all.
    Other,
}

impl SigmaDocument {
    pub(super) fn kind(&self) -> DocumentKind {
        if self.tree.get("correlation").is_some() {
            return DocumentKind::Correlation;
        }
        let word = |source: &Tree, key: &str| source.get(key).and_then(Tree::text).unwrap_or_default().to_lowercase();
        // Sigma's specification lets a service stand alone, and no other product has one of this name.
        let cloudtrail = |source: &Tree| {
            matches!(word(source, "product").as_str(), "" | "aws") && word(source, "service") == "cloudtrail"
        };
        match (self.tree.get("logsource").is_some_and(cloudtrail), self.tree.get("filter")) {
            (false, _) => DocumentKind::Other,
            (true, Some(_)) => DocumentKind::Filter,
            (true, None) => DocumentKind::Rule,
        }
    }

    /// A text of it that is not empty.
    pub(super) fn text(&self, key: &str) -> Option<&str> {
        self.tree.get(key).and_then(Tree::text).map(str::trim).filter(|text| !text.is_empty())
    }
}

/// The documents of a file, each with what it inherits.
///
/// # Errors
/// What is wrong with the YAML.
pub(super) fn documents(file: &str, text: &str) -> Result<Vec<SigmaDocument>, String> {
    let trees = yaml::parse(text)?;
    let alone = trees.len() == 1 && file != "stdin";
    let empty = || Tree { line: 1, value: TreeValue::Map(Vec::new()) };
    let (mut global, mut before) = (empty(), empty());
    let mut documents = Vec::new();
    for tree in trees {
        let line = tree.line;
        let tree = match tree.get("action").and_then(Tree::text).unwrap_or_default() {
            "global" => {
                global = without_action(&tree);
                before = global.clone();
                continue;
            }
            "reset" => {
                global = empty();
                continue;
            }
            "repeat" => {
                before = updated(before, without_action(&tree));
                before.clone()
            }
            // What a correlation or a filter says is all its own.
            _ if tree.get("correlation").is_some() || tree.get("filter").is_some() => tree,
            _ => {
                before = updated(tree, global.clone());
                before.clone()
            }
        };
        let file = alone.then(|| file.to_owned());
        documents.push((line, file, tree));
    }
    let documented = |(line, alone, tree)| SigmaDocument { place: format!("{file}:{line}"), file: alone, tree };
    Ok(documents.into_iter().map(documented).collect())
}

fn without_action(tree: &Tree) -> Tree {
    let entries = tree.entries().unwrap_or_default().iter().filter(|(key, _)| key != "action");
    Tree { line: tree.line, value: TreeValue::Map(entries.cloned().collect()) }
}

/// A document with the values of another put in, map by map.
fn updated(tree: Tree, values: Tree) -> Tree {
    let line = tree.line;
    match (tree.value, values.value) {
        (TreeValue::Map(mut entries), TreeValue::Map(values)) => {
            for (key, value) in values {
                match entries.iter().position(|(name, _)| *name == key) {
                    Some(at) => {
                        let (_, old) = entries.remove(at);
                        entries.insert(at, (key, updated(old, value)));
                    }
                    None => entries.push((key, value)),
                }
            }
            Tree { line, value: TreeValue::Map(entries) }
        }
        (_, value) => Tree { line, value },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(yaml: &str) -> Vec<DocumentKind> {
        documents("x.yml", yaml).unwrap().iter().map(SigmaDocument::kind).collect()
    }

    #[test]
    fn documents_inherit_what_a_collection_has_in_common() {
        use DocumentKind::{Correlation, Filter, Other, Rule};
        let aws = "logsource: {product: AWS, service: CloudTrail}";
        let windows = "logsource: {product: windows, service: sysmon}";
        for (yaml, expected) in [
            (format!("action: global\ntitle: t\n---\n{windows}\n---\n{aws}\n"), vec![Other, Rule]),
            (format!("action: global\n{aws}\n---\ntitle: a\n---\ntitle: b\n"), vec![Rule, Rule]),
            (format!("action: global\n{aws}\n---\ntitle: a\n---\naction: reset\n---\ntitle: b\n"), vec![Rule, Other]),
            (format!("title: a\n{aws}\n---\naction: repeat\ntitle: b\n"), vec![Rule, Rule]),
            (format!("action: global\n{aws}\n---\ncorrelation: {{}}\n---\nfilter: {{}}\n"), vec![Correlation, Other]),
            (
                format!("filter: {{}}\n{aws}\n---\nlogsource: {{product: aws}}\n---\nlogsource: {{category: x}}\n"),
                vec![Filter, Other, Other],
            ),
            (format!("action: global\n{aws}\n"), vec![]),
            // A product and a service can each stand alone; not every log of AWS is CloudTrail's.
            (
                "logsource: {service: cloudtrail}\n---\nlogsource: {product: azure, service: cloudtrail}\n".to_owned(),
                vec![Rule, Other],
            ),
        ] {
            assert_eq!(kinds(&yaml), expected, "{yaml}");
        }
        let both = documents("x.yml", "action: global\na: {x: 1, y: 1}\n---\na: {x: 2, z: 2}\n").unwrap();
        let a = both[0].tree.get("a").unwrap();
        let value = |key: &str| a.get(key).and_then(Tree::text);
        assert_eq!(
            (value("x"), value("y"), value("z"), both[0].place.as_str()),
            (Some("1"), Some("1"), Some("2"), "x.yml:4")
        );
    }
}
