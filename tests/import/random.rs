//! Random rules on random records: what is imported matches what a matcher of a page, which reads no YAML and knows no
//! rows, says that Sigma means.

use std::fmt::Write as _;

use offlimits::cloudtrail::Record;
use offlimits::ruleset::RuleSet;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::support;

const FIELDS: [&str; 7] = [
    "eventName",
    "userIdentity.type",
    "errorCode",
    "userAgent",
    "requestParameters",
    "requestParameters.a",
    "requestParameters.b.c",
];

#[derive(Debug, Clone, Copy, PartialEq)]
enum How {
    Equals,
    Contains,
    StartsWith,
    EndsWith,
    Exists(bool),
}

#[derive(Debug, Clone)]
struct Item {
    field: usize,
    how: How,
    cased: bool,
    all: bool,
    neq: bool,
    /// `None` is null.
    values: Vec<Option<String>>,
}

/// Maps, one of which must match, of items, all of which must.
type Selection = Vec<Vec<Item>>;

#[derive(Debug, Clone)]
enum Condition {
    Named(usize),
    Not(Box<Condition>),
    And(Vec<Condition>),
    Or(Vec<Condition>),
}

#[derive(Debug, Clone)]
struct Rule {
    selections: Vec<Selection>,
    condition: Condition,
}

fn text() -> impl Strategy<Value = String> {
    "[aAbBéÉ1@.^$|(-]{0,4}"
}

fn pattern() -> impl Strategy<Value = String> {
    r"[aAbBéÉ1@.^$|(*?\\-]{0,4}"
}

fn item() -> impl Strategy<Value = Item> {
    let how = prop_oneof![
        4 => Just(How::Equals),
        2 => Just(How::Contains),
        1 => Just(How::StartsWith),
        1 => Just(How::EndsWith),
        1 => any::<bool>().prop_map(How::Exists),
    ];
    let values = vec(prop_oneof![1 => Just(None), 6 => pattern().prop_map(Some)], 1..3);
    (0..FIELDS.len(), how, any::<bool>(), any::<bool>(), prop::bool::weighted(0.2), values).prop_map(
        |(field, how, cased, all, neq, values)| {
            let values = match how {
                How::Equals => values,
                // Null has no beginning and no end.
                _ => values.into_iter().map(|value| Some(value.unwrap_or_default())).collect(),
            };
            let plain = !matches!(how, How::Exists(_));
            Item { field, how, cased: cased && plain, all: all && plain, neq: neq && plain, values }
        },
    )
}

fn condition(selections: usize) -> impl Strategy<Value = Condition> {
    (0..selections).prop_map(Condition::Named).prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|inner| Condition::Not(Box::new(inner))),
            vec(inner.clone(), 2..4).prop_map(Condition::And),
            vec(inner, 2..4).prop_map(Condition::Or),
        ]
    })
}

fn rule() -> impl Strategy<Value = Rule> {
    let map = vec(item(), 1..4).prop_map(|mut items| {
        // No key stands twice in a map.
        let mut keys = std::collections::HashSet::new();
        items.retain(|item| keys.insert(item.key()));
        items
    });
    vec(vec(map, 1..3), 1..4).prop_flat_map(|selections| {
        condition(selections.len()).prop_map(move |condition| Rule { selections: selections.clone(), condition })
    })
}

/// What may stand in a field of a record.
fn value() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        1 => Just(Value::Null),
        6 => text().prop_map(Value::from),
        1 => text().prop_map(|text| Value::from(format!("{text}\n{text}"))),
        1 => Just(json!(1)),
        1 => Just(json!(true)),
    ];
    scalar.clone().prop_recursive(2, 4, 3, move |inner| {
        prop_oneof![
            3 => scalar.clone(),
            1 => vec(inner.clone(), 0..3).prop_map(Value::Array),
            1 => inner.prop_map(|inner| json!({ "k": inner })),
        ]
    })
}

fn record() -> impl Strategy<Value = Value> {
    let maybe = || prop::option::weighted(0.8, value());
    (maybe(), maybe(), maybe(), maybe(), maybe(), maybe()).prop_map(|(event, kind, error, agent, a, c)| {
        let object = |members: Vec<(&str, Option<Value>)>| {
            Value::Object(
                members.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect::<Map<_, _>>(),
            )
        };
        object(vec![
            ("eventName", event),
            ("userIdentity", Some(object(vec![("type", kind)]))),
            ("errorCode", error),
            ("userAgent", agent),
            ("requestParameters", Some(object(vec![("a", a), ("b", Some(json!([object(vec![("c", c)])])))]))),
        ])
    })
}

impl Rule {
    /// The rule as Sigma is written.
    fn yaml(&self, index: usize) -> String {
        let mut yaml =
            format!("---\ntitle: r{index}\nlogsource: {{product: aws, service: cloudtrail}}\nlevel: low\ndetection:\n");
        for (number, selection) in self.selections.iter().enumerate() {
            writeln!(yaml, "    s{number}:").unwrap();
            for map in selection {
                for (at, item) in map.iter().enumerate() {
                    let dash = if at == 0 { "- " } else { "  " };
                    writeln!(yaml, "        {dash}{}: {}", item.key(), item.written()).unwrap();
                }
            }
        }
        writeln!(yaml, "    condition: {}", self.condition.written()).unwrap();
        yaml
    }

    fn matches(&self, record: &Value) -> bool {
        self.condition
            .holds(&|number| self.selections[number].iter().any(|map| map.iter().all(|item| item.holds(record))))
    }
}

impl Condition {
    fn written(&self) -> String {
        let join = |parts: &[Self], word: &str| {
            format!("({})", parts.iter().map(Self::written).collect::<Vec<_>>().join(word))
        };
        match self {
            Self::Named(number) => format!("s{number}"),
            Self::Not(inner) => format!("not {}", inner.written()),
            Self::And(parts) => join(parts, " and "),
            Self::Or(parts) => join(parts, " or "),
        }
    }

    fn holds(&self, named: &dyn Fn(usize) -> bool) -> bool {
        match self {
            Self::Named(number) => named(*number),
            Self::Not(inner) => !inner.holds(named),
            Self::And(parts) => parts.iter().all(|part| part.holds(named)),
            Self::Or(parts) => parts.iter().any(|part| part.holds(named)),
        }
    }
}

impl Item {
    fn key(&self) -> String {
        let how = match self.how {
            How::Equals => "",
            How::Contains => "|contains",
            How::StartsWith => "|startswith",
            How::EndsWith => "|endswith",
            How::Exists(_) => "|exists",
        };
        let flag = |on: bool, name: &'static str| if on { name } else { "" };
        let Self { cased, all, neq, .. } = *self;
        format!("{}{how}{}{}{}", FIELDS[self.field], flag(cased, "|cased"), flag(all, "|all"), flag(neq, "|neq"))
    }

    fn written(&self) -> String {
        if let How::Exists(there) = self.how {
            return there.to_string();
        }
        let quoted = |value: &Option<String>| match value {
            None => "null".to_owned(),
            Some(text) => format!("'{text}'"),
        };
        format!("[{}]", self.values.iter().map(quoted).collect::<Vec<_>>().join(", "))
    }

    fn holds(&self, record: &Value) -> bool {
        let mut found = Vec::new();
        values(record, &FIELDS[self.field].split('.').collect::<Vec<_>>(), &mut found);
        if let How::Exists(there) = self.how {
            return found.is_empty() != there;
        }
        let one = |wanted: &Option<String>| match wanted {
            None => found.is_empty(),
            Some(pattern) => found.iter().any(|text| self.fits(pattern, text)),
        };
        let holds = if self.all { self.values.iter().all(one) } else { self.values.iter().any(one) };
        holds != self.neq
    }

    fn fits(&self, pattern: &str, text: &str) -> bool {
        let fold = |text: &str| if self.cased { text.to_owned() } else { text.to_lowercase() };
        let mut parts = parts(&fold(pattern));
        if matches!(self.how, How::Contains | How::EndsWith) {
            parts.insert(0, Part::Any);
        }
        if matches!(self.how, How::Contains | How::StartsWith) {
            parts.push(Part::Any);
        }
        glob(&parts, &fold(text).chars().collect::<Vec<_>>())
    }
}

/// The texts of a field: null is missing, the members of lists are values, an object is its JSON.
fn values(value: &Value, path: &[&str], found: &mut Vec<String>) {
    match (value, path.split_first()) {
        (Value::Null, _) => {}
        (Value::Array(members), _) => members.iter().for_each(|member| values(member, path, found)),
        (Value::String(text), None) => found.push(text.clone()),
        (_, None) => found.push(value.to_string()),
        (_, Some((key, rest))) => {
            if let Some(next) = value.get(key) {
                values(next, rest, found);
            }
        }
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Part {
    Any,
    One,
    Text(char),
}

fn parts(pattern: &str) -> Vec<Part> {
    let characters: Vec<char> = pattern.chars().collect();
    let (mut parts, mut at) = (Vec::new(), 0);
    while at < characters.len() {
        let escaped = characters[at] == '\\' && matches!(characters.get(at + 1), Some('\\' | '*' | '?'));
        at += usize::from(escaped);
        parts.push(match characters[at] {
            '*' if !escaped => Part::Any,
            '?' if !escaped => Part::One,
            other => Part::Text(other),
        });
        at += 1;
    }
    parts
}

fn glob(parts: &[Part], text: &[char]) -> bool {
    match parts.split_first() {
        None => text.is_empty(),
        Some((Part::Any, rest)) => (0..=text.len()).any(|skipped| glob(rest, &text[skipped..])),
        Some((Part::One, rest)) => !text.is_empty() && glob(rest, &text[1..]),
        Some((Part::Text(wanted), rest)) => text.first() == Some(wanted) && glob(rest, &text[1..]),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn imported_rules_mean_what_sigma_means(rules in vec(rule(), 40), records in vec(record(), 40)) {
        let folder = tempfile::tempdir().unwrap();
        let yaml: String = rules.iter().enumerate().map(|(index, rule)| rule.yaml(index)).collect();
        let file = support::file(folder.path(), "rules.yml", &yaml);
        let mut command = support::offlimits(["import", "sigma"]);
        command.arg(&file);
        let run = support::run(command);
        prop_assert_eq!((run.code, run.misbehaviour()), (Some(0), None), "{}", run.shown());
        let lost = run.stderr.split_once("not carried over").map_or("", |(_, lost)| lost);
        // Only what grows too large may be refused.
        for line in lost.lines().filter(|line| line.contains("rules.yml:")) {
            prop_assert!(line.contains("rows"), "{}", line);
        }
        let compiled = RuleSet::compile(&run.stdout).unwrap_or_else(|wrong| panic!("{wrong:#?}\n{yaml}")).rules;
        for (json, record) in records.iter().map(|json| (json, Record::owned(&json.to_string()).unwrap())) {
            for rule in compiled.rules() {
                let index: usize = rule.info.id[1..].parse().unwrap();
                let ours = rule.matched_row(&record).is_some();
                prop_assert_eq!(ours, rules[index].matches(json), "{} on {}", rules[index].yaml(index), json);
            }
        }
    }
}
