//! What a message says that people read: of which findings, and of how many. The rules of a round have titles that name the rule and
//! the event (`EACH case 7`), and texts the key of their message.

use std::collections::{BTreeMap, HashMap};

use offlimits::finding::Finding;
use serde_json::{Value, json};

use crate::delivery::vendors::id_after;

/// The title of a rule.
pub(super) fn title(rule: &str) -> String {
    format!("{rule}{CASE}{{eventID}}")
}

const CASE: &str = " case ";

/// The ids of all findings of a round, by rule and event.
#[derive(Debug, Default)]
pub(super) struct Ids(HashMap<(String, String), String>);

impl Ids {
    pub(super) fn add(&mut self, finding: &Finding) {
        let event = finding.call.event_id.clone().unwrap();
        self.0.insert((finding.rule.id.clone(), event), finding.id.to_string());
    }

    /// The message as a machine would be told of it, as far as people are.
    pub(super) fn alert(&self, text: &str) -> Value {
        let key = id_after(text, "message ").expect("a footer");
        if self.0.values().any(|id| id == key) {
            let also: Vec<Value> = self.named(text).into_keys().filter(|id| *id != key).map(other).collect();
            return json!({ "kind": "first", "finding": key, "also": also });
        }
        let digest = text.split_once(" alerts in one: too many").map(|(before, _)| {
            let digits = before.len() - before.trim_end_matches(|c: char| c.is_ascii_digit()).len();
            before[before.len() - digits..].parse::<u64>().unwrap()
        });
        if let Some(count) = digest.or_else(|| text.contains("At least one alert was held back").then_some(0)) {
            return json!({ "kind": "digest", "alert": key, "sum": { "count": count } });
        }
        let mut sums = self.named(text).into_iter().filter_map(|(id, count)| Some((id, count?)));
        let (opener, count) = sums.next().unwrap_or_else(|| panic!("a sum of nothing: {text}"));
        let also: Vec<Value> = sums.map(|(id, count)| json!({ "finding": id, "count": count })).collect();
        json!({ "kind": "roll-up", "finding": opener, "sum": { "count": count }, "also": also })
    }

    /// The findings whose titles stand there, each with how many more there were, if that is said.
    fn named(&self, text: &str) -> BTreeMap<&str, Option<u64>> {
        let mut named = BTreeMap::new();
        for (at, _) in text.match_indices(CASE) {
            let rule = text[..at].rsplit(|c: char| !c.is_ascii_uppercase()).next().unwrap();
            let rest = &text[at + CASE.len()..];
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
            let (event, rest) = rest.split_at(end);
            let id = self.0.get(&(rule.to_owned(), event.to_owned()));
            let id = id.unwrap_or_else(|| panic!("there is no {rule} of {event}: {text}"));
            let count = rest.strip_prefix(": and ").and_then(|rest| rest.split_once(" more")).map(|(count, _)| count);
            let count = count.map(|count| if count == "at least one" { 0 } else { count.parse().unwrap() });
            let known: &mut Option<u64> = named.entry(id.as_str()).or_default();
            *known = count.max(*known);
        }
        named
    }
}

fn other(id: &str) -> Value {
    json!({ "finding": id })
}
