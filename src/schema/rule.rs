//! One rule.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::Value;

use super::NAME;
use super::conditions::{FieldName, Table};
use crate::rules::LINTS;
use crate::rules::Mode;
use crate::severity::Severity;

/// What is off limits, and what is said about it.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Rule {
    /// What alerts, filters and overrides call the rule. Unique.
    #[schemars(regex(pattern = NAME), example = "RTM-011")]
    id: String,
    /// The alert's title. {field} is filled in, {field|other} falls back; {{ is a brace.
    #[schemars(length(min = 1), example = "Unintended AWS API call: {event} by {actor}")]
    title: String,
    /// Why it matters.
    #[schemars(length(min = 1))]
    description: Option<String>,
    /// How bad it is.
    severity: SeverityWord,
    /// The first that matches replaces the severity.
    #[schemars(length(min = 1))]
    severity_when: Option<Vec<SeverityCase>>,
    /// What is off limits: rows are OR, the cells of a row AND, a list in a cell OR.
    when: Table,
    /// What is allowed all the same.
    #[schemars(length(min = 1))]
    unless: Option<Vec<Exception>>,
    /// The channels that hear of it. Without it: all.
    #[schemars(length(min = 1), inner(length(min = 1)))]
    notify: Option<Vec<String>>,
    /// Repeats that are held back, or "off".
    throttle: Option<Repeats>,
    /// How many matches in a window make an alert.
    threshold: Option<Threshold>,
    /// What to do about it: a link, or a path that follows "runbooks".
    #[schemars(length(min = 1))]
    runbook: Option<String>,
    /// For people, and for channels' filters.
    #[schemars(length(min = 1), inner(length(min = 1)), example = ["attack.t1078.004"])]
    tags: Option<Vec<String>>,
    /// "alert"; "stage": counted and logged, not sent; "off".
    mode: Option<ModeWord>,
    /// Events that the rule must match, or must not: `offlimits test` runs them.
    #[schemars(length(min = 1))]
    tests: Option<Vec<Test>>,
    /// Warnings of `offlimits check` that do not count here.
    #[schemars(length(min = 1))]
    allow: Option<Vec<Allow>>,
}

/// What is different about a pack's rule here.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Override {
    /// How bad it is.
    severity: Option<SeverityWord>,
    /// The first that matches replaces the severity.
    #[schemars(length(min = 1))]
    severity_when: Option<Vec<SeverityCase>>,
    /// Further exceptions.
    #[schemars(length(min = 1))]
    unless: Option<Vec<Exception>>,
    /// The channels that hear of it.
    #[schemars(length(min = 1), inner(length(min = 1)))]
    notify: Option<Vec<String>>,
    /// Repeats that are held back, or "off".
    throttle: Option<Repeats>,
    /// How many matches in a window make an alert.
    threshold: Option<Threshold>,
    /// What to do about it: a link, or a path that follows "runbooks".
    #[schemars(length(min = 1))]
    runbook: Option<String>,
    /// "alert"; "stage": counted and logged, not sent; "off".
    mode: Option<ModeWord>,
    /// Further warnings of `offlimits check` that do not count here.
    #[schemars(length(min = 1))]
    allow: Option<Vec<Allow>>,
}

/// A severity for what a table matches.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct SeverityCase {
    /// The severity.
    severity: SeverityWord,
    /// When it holds.
    when: Table,
}

/// What is allowed, and why.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Exception {
    /// What is allowed. "session" and "user_agent" are chosen by the caller: never trust them here.
    when: Table,
    /// Why.
    #[schemars(length(min = 1))]
    reason: String,
    /// The last day (UTC) on which it is.
    #[schemars(regex(pattern = r"^\d{4}-\d{2}-\d{2}$"), example = "2027-03-31")]
    expires: Option<String>,
}

/// Repeats that are held back, or "off".
#[derive(JsonSchema)]
#[schemars(untagged)]
enum Repeats {
    /// Every one of them goes out.
    Sent(#[schemars(extend("enum" = ["off"]))] String),
    /// Those within a window are held back.
    HeldBack(Throttle),
}

/// Repeats that are held back.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Throttle {
    /// For how long: a number and s, m or h, up to 24h.
    #[schemars(regex(pattern = WINDOW), example = "15m")]
    window: String,
    /// The fields whose values make two findings repeats of one another.
    #[schemars(length(min = 1))]
    by: Option<Vec<FieldName>>,
}

/// How many matches in a window make an alert.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Threshold {
    /// How many.
    #[schemars(range(min = 2, max = 1000))]
    count: u32,
    /// Within how long: a number and s, m or h, up to 24h.
    #[schemars(regex(pattern = WINDOW), example = "10m")]
    window: String,
    /// The fields whose values are counted apart.
    #[schemars(length(min = 1))]
    by: Option<Vec<FieldName>>,
    /// Count the different values of this field instead of matches.
    distinct: Option<FieldName>,
}

const WINDOW: &str = r"^\d+[smh]$";

/// An event and what the rule says to it.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Test {
    /// What it shows.
    #[schemars(length(min = 1))]
    name: String,
    /// The event.
    event: Event,
    /// Whether the rule must match.
    expect: bool,
    /// The row that must be the first to match, from 0.
    row: Option<usize>,
}

/// An event.
#[derive(JsonSchema)]
#[schemars(untagged)]
pub(super) enum Event {
    /// A file, relative to this one.
    File(#[schemars(length(min = 1))] String),
    /// The event itself, in any envelope, as small as the rule's cells need.
    Inline(BTreeMap<String, Value>),
}

/// A warning that does not count, and why.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Allow {
    /// Its code: docs/diagnostics.md.
    lint: LintCode,
    /// Why it does not count.
    #[schemars(length(min = 1))]
    reason: String,
}

/// A severity: our words; Conformity's are understood, and not suggested.
pub(super) struct SeverityWord;

impl JsonSchema for SeverityWord {
    fn schema_name() -> Cow<'static, str> {
        "Severity".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let ours = Severity::ALL.map(Severity::as_str);
        let theirs: Vec<&str> =
            Severity::WORDS.iter().map(|(word, _)| *word).filter(|word| !ours.contains(word)).collect();
        json_schema!({
            "anyOf": [
                { "type": "string", "enum": ours },
                { "type": "string", "pattern": format!("^({})$", theirs.join("|")) }
            ]
        })
    }
}

/// What becomes of a rule's findings.
struct ModeWord;

impl JsonSchema for ModeWord {
    fn schema_name() -> Cow<'static, str> {
        "Mode".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "enum": Mode::WORDS.map(|(word, _)| word), "default": "alert" })
    }
}

/// The code of a warning.
struct LintCode;

impl JsonSchema for LintCode {
    fn schema_name() -> Cow<'static, str> {
        "Lint".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "enum": LINTS.as_slice() })
    }
}
