//! A channel's `incident`.

use super::limits::seconds;
use crate::config::{
    Advice, Fix, KeyDefault, KeySpec, ObjectReader, ObjectSpec, Problems, TextFormat, ValueShape, docs, quoted, string,
};
use crate::json::Node;
use crate::rules::field::{Field, FieldError};
use crate::rules::{Incidents, SharedNames};

/// Seconds of the shortest window: the first update comes after a minute.
const SHORTEST_WINDOW: u64 = 60;

static WINDOW: TextFormat = TextFormat {
    what: "window",
    code: "bad-duration",
    pattern: r"^\d+[smh]$",
    max_characters: None,
    fits: |text| window(text).is_some(),
    remedy: |_| "write a number and s, m or h, from 1m to 24h, such as \"1h\"".into(),
};

/// What a channel may say about incidents.
pub(crate) static INCIDENT: ObjectSpec = ObjectSpec {
    name: "Incident",
    what: "an incident",
    docs: docs!("Findings that are told as one: the first at once, the others in updates that list everything so far."),
    keys: [
        &[
            KeySpec::new(
                "by",
                ValueShape::List(&ValueShape::Field),
                docs!("The fields whose values make two findings parts of one incident, whatever their rules."),
            )
            .or(KeyDefault::Words(docs!("`account` and `principal`"))),
            KeySpec::new(
                "window",
                ValueShape::Formatted(&WINDOW),
                docs!("For how long, from the first finding on: a number and s, m or h, from 1m to 24h."),
            )
            .or(KeyDefault::Value("1h")),
            KeySpec::new(
                "lineage",
                ValueShape::Boolean,
                docs!(
                    "Whether an incident [follows credentials](../design/ledger.md#lineage) from session to session: `account` and \
                     `principal` in `by` are then those of whoever the first credentials belong to."
                ),
            )
            .or(KeyDefault::Value("false")),
            KeySpec::new(
                "shared",
                ValueShape::List(&ValueShape::Text),
                docs!(
                    "With `lineage`: names of roles, users and source identities that many share, such as a pipeline's, each with \
                     the account before it if need be (`123456789012/deploy`); a `*` at the end stands for whatever follows. What \
                     they ask for is nobody's but its own."
                ),
            ),
        ],
        &[],
    ],
    at_least_one: &[],
};

/// Reads a channel's `incident`.
pub(crate) fn incidents<'n>(node: &'n Node<'n>, problems: &mut Problems) -> Option<Incidents> {
    let mut fields = ObjectReader::new(node, &INCIDENT, problems)?;
    let nodes = fields.list("by", problems);
    let mut by: Vec<Field> = nodes.iter().filter_map(|node| field(node, problems)).collect();
    if nodes.is_empty() {
        by = Incidents::default_by();
    }
    let window = match fields.get("window") {
        Some(_) => fields.text("window", problems).and_then(window)?,
        None => Incidents::DEFAULT_WINDOW,
    };
    let follows = fields.boolean("lineage", problems).unwrap_or_default();
    let shared = fields.texts("shared", problems);
    fields.finish(problems);
    Some(Incidents { by, window, lineage: follows.then(|| SharedNames(shared.unwrap_or_default())) })
}

/// A field that the record alone answers: a channel is read without what else a rule may ask.
fn field<'n>(node: &'n Node<'n>, problems: &mut Problems) -> Option<Field> {
    let written = string(node, "by", problems)?;
    match Field::parse(written) {
        Ok(field) => Some(field),
        Err(FieldError { code, .. }) if ["country", "account_name", "ou"].contains(&written) => {
            let message = format!("an incident cannot go by \"{written}\", which no record holds");
            problems.error(code, &node.span, message, "write account, source_ip, or another field of the record");
            None
        }
        Err(FieldError { code, message, help, meant }) => {
            let advice = Advice::new(help);
            let advice = match meant {
                Some(meant) => advice.with_fix(Fix::replace(&node.span, quoted(&meant))),
                None => advice,
            };
            problems.error(code, &node.span, message, advice);
            None
        }
    }
}

fn window(text: &str) -> Option<u64> {
    seconds(text).filter(|seconds| *seconds >= SHORTEST_WINDOW)
}
