//! The rules.json that an import writes, laid out as a person would.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::Value as Json;

use crate::json::{Node, Value, write_string};
use crate::ruleset::RuleSet;

/// A rules.json. Keys without a value are left out.
#[derive(Debug, Default, Serialize)]
pub(super) struct RulesFile {
    #[serde(skip_serializing_if = "OrderedMap::is_empty")]
    pub(super) lists: OrderedMap<Vec<String>>,
    #[serde(skip_serializing_if = "OrderedMap::is_empty")]
    pub(super) channels: OrderedMap<OrderedMap<Json>>,
    pub(super) rules: Vec<ImportedRule>,
}

/// A rule of `rules.json`. Keys without a value are left out.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct ImportedRule {
    pub(super) id: String,
    pub(super) title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) description: Option<String>,
    pub(super) severity: String,
    pub(super) when: Vec<ImportedRow>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) unless: Vec<ImportedException>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) throttle: Option<OrderedMap<Json>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) tags: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) mode: Option<String>,
}

/// An exception of a rule.
#[derive(Debug, Clone, Serialize)]
pub(super) struct ImportedException {
    pub(super) when: Vec<ImportedRow>,
    pub(super) reason: String,
}

/// A row: fields and conditions, in their order.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct ImportedRow(pub(super) Vec<(String, Json)>);

impl Serialize for ImportedRow {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(field, condition)| (field, condition)))
    }
}

/// A JSON object whose keys keep their order.
#[derive(Debug, Clone)]
pub(super) struct OrderedMap<T>(pub(super) Vec<(String, T)>);

impl<T> Default for OrderedMap<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> OrderedMap<T> {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds a key that is not there yet.
    pub(super) fn set(&mut self, key: &str, value: T) {
        self.0.push((key.to_owned(), value));
    }
}

impl<T: Serialize> Serialize for OrderedMap<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (key, value) in &self.0 {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

impl RulesFile {
    /// Leaves out the rules that our own compiler refuses: an import never writes a file that `check` calls wrong.
    /// Returns what was left out and why.
    pub(super) fn drop_what_does_not_compile(&mut self) -> Vec<(ImportedRule, String)> {
        let mut refused = Vec::new();
        let lists = self.lists.clone();
        self.rules.retain(|rule| {
            let alone = Self { lists: lists.clone(), channels: OrderedMap::default(), rules: vec![rule.clone()] };
            match RuleSet::compile(&alone.text()) {
                Ok(_) => true,
                Err(diagnostics) => {
                    let mut reasons: Vec<String> =
                        diagnostics.iter().map(|one| format!("{} ({})", one.message, one.help)).collect();
                    reasons.dedup();
                    refused.push((rule.clone(), reasons.join("; ")));
                    false
                }
            }
        });
        refused
    }

    /// Whether our compiler takes a channel.
    ///
    /// # Errors
    /// Why it does not: the mistakes, each with its remedy.
    pub(super) fn accepts_channel(settings: &OrderedMap<Json>) -> Result<(), String> {
        let mut settings = settings.clone();
        // Filters name rules, and there are none here.
        settings.0.retain(|(key, _)| key != "rules");
        let rule = ImportedRule {
            id: "any".to_owned(),
            title: "any".to_owned(),
            severity: "low".to_owned(),
            when: vec![ImportedRow(vec![("event".to_owned(), Json::from("any"))])],
            ..ImportedRule::default()
        };
        let channels = OrderedMap(vec![("any".to_owned(), settings)]);
        let alone = Self { lists: OrderedMap::default(), channels, rules: vec![rule] };
        RuleSet::compile(&alone.text()).map(drop).map_err(|diagnostics| {
            let reasons: Vec<String> =
                diagnostics.iter().map(|one| format!("{} ({})", one.message, one.help)).collect();
            reasons.join("; ")
        })
    }

    /// The text of the file, laid out as a person would.
    pub(super) fn text(&self) -> String {
        // Nothing here can fail to serialise: keys are strings, and there is no I/O.
        let compact = serde_json::to_string(self).unwrap_or_default();
        let mut out = String::new();
        if let Ok(node) = Node::parse(&compact) {
            layout(&node, 0, 0, &mut out);
            out.push('\n');
        }
        out
    }
}

/// Columns of a line.
const WIDTH: usize = 110;

/// Appends a value: on one line where it fits, else one member or element a line. `used` is what the line already holds.
fn layout(node: &Node, indent: usize, used: usize, out: &mut String) {
    let line = spaced(node);
    // The list of rules and the rules themselves are always spread out.
    if indent > 2 && used + line.chars().count() <= WIDTH || scalar(node) {
        out.push_str(&line);
        return;
    }
    let step = indent + 2;
    let (open, close) = if node.elements().is_some() { ('[', ']') } else { ('{', '}') };
    out.push(open);
    let count = node.elements().map_or_else(|| node.members().map_or(0, <[_]>::len), <[_]>::len);
    for index in 0..count {
        out.push('\n');
        out.extend(std::iter::repeat_n(' ', step));
        let mut begun = step;
        let child = if let Some(member) = node.members().and_then(|members| members.get(index)) {
            let start = out.len();
            write_string(out, &member.key);
            out.push_str(": ");
            begun += out.len() - start;
            Some(&member.node)
        } else {
            node.elements().and_then(|elements| elements.get(index))
        };
        if let Some(child) = child {
            layout(child, step, begun + 1, out);
        }
        if index + 1 < count {
            out.push(',');
        }
    }
    if count > 0 {
        out.push('\n');
        out.extend(std::iter::repeat_n(' ', indent));
    }
    out.push(close);
}

fn scalar(node: &Node) -> bool {
    node.members().is_none() && node.elements().is_none()
}

/// A value on one line, with spaces where people put them.
fn spaced(node: &Node) -> String {
    match &node.value {
        Value::Array(elements) => format!("[{}]", elements.iter().map(spaced).collect::<Vec<_>>().join(", ")),
        Value::Object(members) if members.is_empty() => "{}".to_owned(),
        Value::Object(members) => {
            let inner: Vec<String> = members
                .iter()
                .map(|member| {
                    let mut text = String::new();
                    write_string(&mut text, &member.key);
                    format!("{text}: {}", spaced(&member.node))
                })
                .collect();
            format!("{{ {} }}", inner.join(", "))
        }
        _ => node.compact(),
    }
}
