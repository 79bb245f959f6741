//! The rules.json that an import writes, laid out as a person would.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::Value as Json;

use crate::cli::layout;
use crate::json::Node;
use crate::ruleset::RuleSet;

/// A rules.json. Keys without a value are left out.
#[derive(Debug, Default, Serialize)]
pub(super) struct RulesFile {
    #[serde(skip_serializing_if = "OrderedMap::is_empty")]
    pub(super) lists: OrderedMap<Vec<String>>,
    #[serde(skip_serializing_if = "OrderedMap::is_empty")]
    pub(super) channels: OrderedMap<OrderedMap<Json>>,
    /// None where channels alone were imported: a rules.json may have its rules elsewhere, but not an empty list of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
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
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) threshold: Option<OrderedMap<Json>>,
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

    pub(super) fn is_empty(&self) -> bool {
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
            out.push_str(&layout::spread(&node, 0));
            out.push('\n');
        }
        out
    }
}
