//! A rule's `throttle` and `threshold`.

use super::{RowSubject, RuleCompiler};
use crate::config::{
    Definition, KeyDefault, KeySpec, ObjectReader, ObjectSpec, TextFormat, ValueShape, WordList, docs, words,
    wrong_kind,
};
use crate::json::Node;
use crate::rules::field::Field;
use crate::rules::{NewTargets, Threshold, Throttle};

/// Seconds of the longest window: a day.
const LONGEST_WINDOW: u64 = 86_400;

static WINDOW: TextFormat = TextFormat {
    what: "window",
    code: "bad-duration",
    pattern: r"^\d+[smh]$",
    max_characters: None,
    fits: |text| seconds(text).is_some(),
    remedy: |_| "write a number and s, m or h, from 1s to 24h, such as \"15m\"".into(),
};

static NEW_TARGETS: WordList = WordList { what: "new_targets", listed: &words(&NewTargets::WORDS), understood: &[] };

static OFF: WordList = WordList { what: "throttle", listed: &["off"], understood: &[] };

/// What a rule may say about repeats.
pub(super) static REPEATS: Definition = Definition {
    name: "Repeats",
    what: "`off`, or a throttle",
    docs: docs!("Repeats that are held back, or \"off\": every finding goes out."),
    shape: ValueShape::AnyOf(&[ValueShape::Word(&OFF), ValueShape::Object(&THROTTLE)]),
};

static THROTTLE: ObjectSpec = ObjectSpec {
    name: "Throttle",
    what: "a throttle",
    docs: docs!("Repeats that are held back."),
    keys: [
        &[
            KeySpec::required(
                "window",
                ValueShape::Formatted(&WINDOW),
                docs!("For how long, from the first finding on: a number and s, m or h, up to 24h."),
            )
            .such_as(r#""15m""#),
            KeySpec::new(
                "by",
                ValueShape::List(&ValueShape::Field),
                docs!("The fields whose values make two findings repeats of one another."),
            )
            .or(KeyDefault::Words(docs!("`principal`, `event`, `account` and `outcome`"))),
            KeySpec::new(
                "new_targets",
                ValueShape::Word(&NEW_TARGETS),
                docs!(
                    "The first three new targets of findings of `high` or more go out at once (`send`), or wait for the \
                     roll-up like any other repeat (`wait`): for what one act does to many things."
                ),
            )
            .or(KeyDefault::Value("send")),
        ],
        &[],
    ],
    at_least_one: &[],
};

/// What a rule may say about the number of its matches.
pub(super) static THRESHOLD: ObjectSpec = ObjectSpec {
    name: "Threshold",
    what: "a threshold",
    docs: docs!("How many matches in a window make an alert."),
    keys: [
        &[
            // The ledger reads as many items.
            KeySpec::required("count", ValueShape::Whole { min: 2, max: 1000 }, docs!("How many.")),
            KeySpec::required(
                "window",
                ValueShape::Formatted(&WINDOW),
                docs!("Within how long, by the events' own time, sliding: a number and s, m or h, up to 24h."),
            )
            .such_as(r#""10m""#),
            KeySpec::new(
                "by",
                ValueShape::List(&ValueShape::Field),
                docs!("The fields whose values are counted apart."),
            )
            .or(KeyDefault::Words(docs!("none: all matches are counted together"))),
            KeySpec::new(
                "distinct",
                ValueShape::Field,
                docs!("Count the different values of this field instead of matches."),
            ),
        ],
        &[],
    ],
    at_least_one: &[],
};

/// What a rule says about repeats.
#[derive(Debug, Clone)]
pub(super) enum Repeats {
    /// The rule says `"off"`: every repeat goes out.
    Sent,
    /// The repeats within a window are held back.
    HeldBack(Throttle),
}

impl<'n> RuleCompiler<'n> {
    pub(super) fn throttle(&mut self, node: &'n Node<'n>) -> Option<Repeats> {
        if node.as_str() == Some("off") {
            return Some(Repeats::Sent);
        }
        if node.as_str().is_some() {
            let must_be = "\"throttle\" must be \"off\", or an object such as {\"window\": \"15m\"}";
            wrong_kind(node, must_be, &mut self.problems);
            return None;
        }
        let mut fields = ObjectReader::new(node, &THROTTLE, &mut self.problems)?;
        let window = fields.text("window", &mut self.problems).and_then(seconds);
        let by = self.by(&mut fields).unwrap_or_else(Throttle::default_by);
        let named = fields.word("new_targets", &mut self.problems);
        let known = NewTargets::WORDS.into_iter().find(|(word, _)| named == Some(*word));
        fields.finish(&mut self.problems);
        let new_targets = known.map(|(_, meaning)| meaning).unwrap_or_default();
        Some(Repeats::HeldBack(Throttle { window: window?, by, new_targets }))
    }

    pub(super) fn threshold(&mut self, node: &'n Node<'n>) -> Option<Threshold> {
        let mut fields = ObjectReader::new(node, &THRESHOLD, &mut self.problems)?;
        let count = fields.whole("count", &mut self.problems);
        let window = fields.text("window", &mut self.problems).and_then(seconds);
        let by = self.by(&mut fields);
        let distinct = fields.get("distinct").map(|node| self.field_at(node, "distinct", RowSubject::Record));
        fields.finish(&mut self.problems);
        let distinct = match distinct {
            Some(None) => return None,
            distinct => distinct.flatten(),
        };
        Some(Threshold { count: count?, window: window?, by: by.unwrap_or_default(), distinct })
    }

    fn by(&mut self, fields: &mut ObjectReader<'n>) -> Option<Vec<Field>> {
        let nodes = fields.list("by", &mut self.problems);
        let named = nodes.iter().filter_map(|node| self.field_at(node, "by", RowSubject::Record)).collect();
        (!nodes.is_empty()).then_some(named)
    }
}

/// `90s`, `15m`, `2h`, in seconds: from one second to a day.
pub(super) fn seconds(text: &str) -> Option<u64> {
    let unit = match text.chars().last()? {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        _ => return None,
    };
    let number = &text[..text.len() - 1];
    let number = number.bytes().all(|digit| digit.is_ascii_digit()).then(|| number.parse::<u64>().ok())??;
    number.checked_mul(unit).filter(|seconds| (1..=LONGEST_WINDOW).contains(seconds))
}
