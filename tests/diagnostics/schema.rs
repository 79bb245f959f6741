//! `rules.schema.json` and the compiler say the same of the shape of a file: key by key, and of random files.

use std::collections::{BTreeMap, BTreeSet};

use boon::{Compiler, SchemaIndex, Schemas};
use offlimits::rules::OPERATORS;
use offlimits::ruleset::{RuleSet, Sources};
use offlimits::time::Date;
use offlimits::{lint, schema};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::mistakes::diagnostics;

/// The schema, ready to be asked.
struct Checker {
    schemas: Schemas,
    index: SchemaIndex,
}

impl Checker {
    fn new() -> Self {
        let mut compiler = Compiler::new();
        compiler.add_resource("rules.schema.json", serde_json::from_str(&schema::text()).unwrap()).unwrap();
        let mut schemas = Schemas::new();
        let index = compiler.compile("rules.schema.json", &mut schemas).unwrap();
        Self { schemas, index }
    }

    fn refusal(&self, document: &Value) -> Option<String> {
        self.schemas.validate(document, self.index).err().map(|error| format!("{error:#}"))
    }
}

#[test]
fn shipped_rules_packs_and_examples_are_valid() {
    let checker = Checker::new();
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = vec![root.join("rules.json")];
    if let Ok(packs) = std::fs::read_dir(root.join("packs")) {
        files.extend(
            packs.map(|entry| entry.unwrap().path()).filter(|path| path.extension().is_some_and(|end| end == "json")),
        );
    }
    for path in files {
        let document = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        assert_eq!(checker.refusal(&document), None, "{}", path.display());
    }
    let mut examples = 0;
    for block in include_str!("../../docs/rules.md").split("```json").skip(1) {
        // Fragments show single keys.
        let Ok(document) = serde_json::from_str::<Value>(block.split("```").next().unwrap()) else { continue };
        assert_eq!(checker.refusal(&document), None, "{document}");
        examples += 1;
    }
    assert!(examples >= 2);
}

/// A key that nothing resembles: the compiler answers with those that it knows.
const NO_KEY: &str = "qqqqqqqqqqqqqqqqqqqqqqqq";

/// The keys that the compiler would take in the object where `source` has [`NO_KEY`].
fn taken(source: &Value) -> BTreeSet<String> {
    let found = diagnostics(&source.to_string());
    let unknown =
        found.iter().find(|found| found.code == "unknown-key").unwrap_or_else(|| panic!("{source}: {found:?}"));
    let quoted = regex::Regex::new(r#""([^"]+)""#).unwrap();
    quoted.captures_iter(unknown.help.strip_prefix("the keys are ").unwrap()).map(|key| key[1].to_owned()).collect()
}

#[test]
fn the_schema_has_the_compilers_keys_and_no_others() {
    let schema: Value = serde_json::from_str(&schema::text()).unwrap();
    let keys =
        |object: &Value| -> BTreeSet<String> { object["properties"].as_object().unwrap().keys().cloned().collect() };
    let definition = |name: &str| keys(&schema["definitions"][name]);
    let rule = |keys: Value| {
        let mut rule = json!({"id": "R", "title": "t", "severity": "low", "when": {"event": "x"}});
        rule.as_object_mut().unwrap().extend(keys.as_object().unwrap().clone());
        json!({ "rules": [rule] })
    };
    let cell = |condition: Value| rule(json!({"when": {"time": condition}}));
    let no = || json!({ NO_KEY: 1 });
    let include = |include: Value| json!({"include": [include]});
    for (name, source) in [
        ("Rule", rule(no())),
        ("SeverityCase", rule(json!({"severity_when": [no()]}))),
        ("Exception", rule(json!({"unless": [no()]}))),
        ("Throttle", rule(json!({"throttle": no()}))),
        ("Test", rule(json!({"tests": [no()]}))),
        ("Allow", rule(json!({"allow": [no()]}))),
        ("Step", rule(json!({"respond": [no()]}))),
        ("Part", cell(json!({"same_as": no()}))),
        ("WeekSpan", cell(json!({"within": no()}))),
        ("Changed", include(json!({"pack": "p", NO_KEY: 1}))),
        ("Override", include(json!({"pack": "p", "content": {"rules": []}, "overrides": {"*": no()}}))),
    ] {
        assert_eq!(definition(name), taken(&source), "{name}");
    }
    // One schema serves rules.json and packs: it has the keys of both.
    let root = taken(&json!({"rules": [], NO_KEY: 1}));
    let pack = taken(&include(json!({"pack": "p", "content": {"rules": [], NO_KEY: 1}})));
    assert_eq!(keys(&schema), &root | &pack);

    let operators: BTreeSet<String> =
        schema["definitions"]["Operator"]["oneOf"].as_array().unwrap().iter().flat_map(&keys).collect();
    let found = diagnostics(&cell(no()).to_string());
    let told = found[0].help.strip_prefix("the operators are ").unwrap();
    assert_eq!(
        operators,
        told.replace(" and ", ", ").split(", ").map(|word| word.trim_matches('"').to_owned()).collect()
    );
}

#[test]
fn the_schema_has_every_type_of_channel_with_its_keys() {
    let schema: Value = serde_json::from_str(&schema::text()).unwrap();
    let of_schema: BTreeMap<String, BTreeSet<String>> = schema["definitions"]["Channel"]["oneOf"]
        .as_array()
        .unwrap()
        .iter()
        .map(|kind| {
            let keys = kind["properties"].as_object().unwrap();
            (keys["type"]["const"].as_str().unwrap().to_owned(), keys.keys().cloned().collect())
        })
        .collect();
    let file = |channel: Value| json!({"channels": {"c": channel}, "rules": []});
    let found = diagnostics(&file(json!({"type": NO_KEY})).to_string());
    let told =
        found.iter().find(|found| found.code == "unknown-value").unwrap().help.strip_prefix("write one of ").unwrap();
    let of_compiler: BTreeMap<String, BTreeSet<String>> = told
        .replace(" and ", ", ")
        .split(", ")
        .map(|word| word.trim_matches('"'))
        .map(|kind| (kind.to_owned(), taken(&file(json!({"type": kind, NO_KEY: 1})))))
        .collect();
    assert_eq!(of_schema, of_compiler);
}

/// The codes of mistakes that a schema can see.
const OF_SHAPE: [&str; 10] = [
    "bad-number",
    "empty-row",
    "missing-key",
    "one-operator",
    "unknown-field",
    "unknown-key",
    "unknown-operator",
    "unknown-value",
    "wrong-type",
    "empty",
];

thread_local!(static CHECKER: Checker = Checker::new());

/// Of each wrong file: the schema refuses it if a schema can.
pub(crate) fn agrees(source: &str, codes: &[&str]) {
    let Ok(document) = serde_json::from_str::<Value>(source) else { return };
    let refusal = CHECKER.with(|checker| checker.refusal(&document));
    // Fields in titles, and fields that may also be an element's, are texts to a schema.
    let elsewhere = source.contains("{nope}") || source.contains("same_as");
    if codes.iter().any(|code| OF_SHAPE.contains(code)) && !elsewhere {
        assert!(refusal.is_some(), "the schema takes {source}, and the compiler says {codes:?}");
    }
}

fn condition() -> impl Strategy<Value = Value> {
    // Each operator with the value that its documentation shows, and with one that is wrong for some.
    let shown = OPERATORS.iter().map(|operator| {
        let value: Value = serde_json::from_str(operator.key.example).unwrap();
        json!({ operator.key.name: value })
    });
    let wrong = OPERATORS.iter().map(|operator| json!({ operator.key.name: { "nope": null } }));
    let leaf = prop_oneof![
        prop::sample::select(shown.chain(wrong).collect::<Vec<_>>()),
        Just(json!("^Create")),
        Just(json!({"is": "x"})),
        Just(json!({"is": ["x", true, 1]})),
        Just(json!({"exists": false})),
        Just(json!({"cidr": ["10.0.0.0/8"]})),
        Just(json!({"above": 5})),
        Just(json!({"same_as": "user"})),
        Just(json!({"same_as": {"field": "requestParameters.x", "part": "a(b)"}})),
        Just(json!({"within": {"zone": "UTC", "hours": "08:00-18:00"}})),
        Just(json!({"outside": {"zone": "UTC", "days": ["Mon-Fri"]}})),
        // Wrong ones.
        Just(json!("")),
        Just(json!(5)),
        Just(json!(null)),
        Just(json!([])),
        Just(json!({})),
        Just(json!({"is": []})),
        Just(json!({"is": {"x": 1}})),
        Just(json!({"exists": "yes"})),
        Just(json!({"above": "5"})),
        Just(json!({"iz": "x"})),
        Just(json!({"is": "x", "not": "y"})),
        Just(json!({"same_as": {"part": "a(b)"}})),
        Just(json!({"within": {"zone": "UTC"}})),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|inner| json!({ "not": inner })),
            prop::collection::vec(inner.clone(), 1..3).prop_map(|inner| json!({ "all": inner })),
            prop::collection::vec(inner.clone(), 1..3).prop_map(|inner| json!(inner)),
            inner.prop_map(|inner| json!({"item": {"a.b": inner}})),
        ]
    })
}

fn rules() -> impl Strategy<Value = Value> {
    let key = prop::sample::select(vec![
        "event",
        "requestParameters.x",
        "resources[*].ARN",
        "evnt",
        "a.b",
        "user",
        r#"userIdentity["a.b"]"#,
    ]);
    let row = prop::collection::btree_map(key, condition(), 0..3).prop_map(|cells| json!(cells)).boxed();
    let table = prop_oneof![row.clone(), prop::collection::vec(row, 0..3).prop_map(|rows| json!(rows))];
    let extra = prop_oneof![
        Just(json!({})),
        Just(json!({"mode": "stage", "tags": ["a"], "runbook": "docs/x.md"})),
        Just(json!({"respond": ["Ask {actor}", {"do": "a", "run": "aws x --y {user}", "when": {"event": "x"}}]})),
        Just(json!({"respond": [{"run": "aws x"}]})),
        Just(json!({"respond": "Ask"})),
        Just(json!({"respond": [7, {"do": 7}]})),
        Just(json!({"mode": "quiet"})),
        Just(json!({"tags": []})),
        Just(json!({"tags": "a"})),
        Just(json!({"throttle": {"window": "15m", "by": ["actor"]}})),
        Just(json!({"throttle": {"by": ["actor"]}})),
        Just(json!({"unless": [{"when": {"user": "x"}, "reason": "y"}]})),
        Just(json!({"unless": [{"when": {"user": "x"}}]})),
        Just(json!({"unless": {"when": {"user": "x"}, "reason": "y"}})),
        Just(json!({"tests": [{"name": "a", "event": {}, "expect": true, "row": 0}]})),
        Just(json!({"tests": [{"name": "a", "event": 5, "expect": true}]})),
        Just(json!({"tests": [{"name": "a", "event": "x", "expect": "true"}]})),
        Just(json!({"allow": [{"lint": "data-event", "reason": "r"}]})),
        Just(json!({"allow": [{"lint": "data-evnt", "reason": "r"}]})),
        Just(json!({"needs_events": ["read-only", "data"], "since": "0.2.0"})),
        Just(json!({"needs_events": ["reads"]})),
        Just(json!({"needs_events": []})),
        Just(json!({"severity": "VERY_HIGH"})),
        Just(json!({"severity": "hihg"})),
        Just(json!({"description": null})),
        Just(json!({"titel": "t"})),
    ];
    (table, extra).prop_map(|(when, extra)| {
        let mut rule = json!({"id": "R", "title": "t", "severity": "low", "when": when});
        rule.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        json!({ "rules": [rule] })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// What compiles is valid, and what is wrong in its shape is not.
    #[test]
    fn the_schema_and_the_compiler_agree(document in rules()) {
        let refusal = CHECKER.with(|checker| checker.refusal(&document));
        let compiled = RuleSet::compile(&document.to_string());
        match compiled {
            Ok(compiled) => {
                prop_assert_eq!(refusal, None, "{}", document);
                // Whatever compiles, lints look at it and live.
                lint::run(&compiled.rules, &Sources::alone(document.to_string()), Date::parse("2026-11-25").unwrap());
            }
            Err(found) => {
                let codes: Vec<_> = found.iter().map(|found| found.code).collect();
                if codes.iter().any(|code| OF_SHAPE.contains(code)) {
                    prop_assert!(refusal.is_some(), "the schema takes {}, and the compiler says {:?}", document, codes);
                }
            }
        }
    }
}
