//! A rule's `throttle` and `threshold`.

use std::ops::RangeInclusive;

use super::{RowSubject, RuleCompiler};
use crate::config::{ObjectReader, array, string, wrong_kind};
use crate::json::Node;
use crate::rules::field::Field;
use crate::rules::{Threshold, Throttle};

/// Matches that a threshold may ask for: the ledger reads as many items.
const COUNTS: RangeInclusive<u64> = 2..=1000;

/// What a rule says about repeats.
#[derive(Debug, Clone)]
pub(super) enum Repeats {
    /// `"off"`: every one of them goes out.
    Sent,
    HeldBack(Throttle),
}

impl<'n> RuleCompiler<'n> {
    pub(super) fn throttle(&mut self, node: &'n Node<'n>) -> Option<Repeats> {
        if node.as_str() == Some("off") {
            return Some(Repeats::Sent);
        }
        if node.as_str().is_some() {
            wrong_kind(node, "\"throttle\" is \"off\", or an object such as {\"window\": \"15m\"}", &mut self.problems);
            return None;
        }
        let mut fields = ObjectReader::new(node, "a throttle", &mut self.problems)?;
        let window = fields.require("window", &mut self.problems).and_then(|node| self.window(node));
        let by = self.by(&mut fields);
        fields.finish(&mut self.problems);
        Some(Repeats::HeldBack(Throttle { window: window?, by: by.unwrap_or_else(Throttle::default_by) }))
    }

    pub(super) fn threshold(&mut self, node: &'n Node<'n>) -> Option<Threshold> {
        let mut fields = ObjectReader::new(node, "a threshold", &mut self.problems)?;
        let count = fields.require("count", &mut self.problems).and_then(|node| self.whole(node, "count", COUNTS));
        let window = fields.require("window", &mut self.problems).and_then(|node| self.window(node));
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
        let node = fields.get("by")?;
        let fields = array(node, "\"by\"", &mut self.problems);
        Some(fields.iter().filter_map(|node| self.field_at(node, "by", RowSubject::Record)).collect())
    }

    fn window(&mut self, node: &'n Node<'n>) -> Option<u64> {
        let text = string(node, "window", &mut self.problems)?;
        let window = seconds(text).filter(|window| (1..=86_400).contains(window));
        if window.is_none() {
            let message = format!("\"{text}\" is no window from 1s to 24h");
            let help = "write a number and s, m or h, such as \"15m\"";
            self.problems.error("bad-duration", &node.span, message, help);
        }
        window
    }

    /// A whole number within bounds.
    pub(crate) fn whole(&mut self, node: &'n Node<'n>, what: &str, bounds: RangeInclusive<u64>) -> Option<u64> {
        let number = node.scalar().filter(|_| node.as_str().is_none()).and_then(|text| text.parse().ok());
        let number = number.filter(|number| bounds.contains(number));
        if number.is_none() {
            let message = format!("\"{what}\" is no whole number from {} to {}", bounds.start(), bounds.end());
            self.problems.error("bad-number", &node.span, message, "write one without quotes");
        }
        number
    }
}

/// `90s`, `15m`, `2h`, in seconds.
fn seconds(text: &str) -> Option<u64> {
    let unit = match text.chars().last()? {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        _ => return None,
    };
    let number = &text[..text.len() - 1];
    number.bytes().all(|digit| digit.is_ascii_digit()).then(|| number.parse::<u64>().ok())??.checked_mul(unit)
}
