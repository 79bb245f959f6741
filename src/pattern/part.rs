//! What one pattern asks.

use super::alternative::Alternative;
use super::field::PatternField;
use super::limits::{MAX_ALTERNATIVES, MAX_WILDCARDS};

/// What a pattern asks: something of every event, and one of the alternatives. A field is in one of both: what stands within `$or` and
/// beside it EventBridge asks in one place alone.
#[derive(Debug, Clone)]
pub(super) struct PatternPart {
    pub(super) common: Alternative,
    pub(super) alternatives: Vec<Alternative>,
}

impl PatternPart {
    /// What is asked of every event, and the alternatives, which ask nothing of the same fields. What all alternatives ask alike is said
    /// once.
    pub(super) fn new(common: Alternative, alternatives: Vec<Alternative>) -> Self {
        // One that asks nothing is all there is to ask.
        if alternatives.iter().any(Alternative::is_everything) {
            return Self { common, alternatives: vec![Alternative::default()] };
        }
        let mut part = Self { common, alternatives };
        if let [first, _, ..] = &part.alternatives[..] {
            for (field, values) in first.clone().fields() {
                if part.alternatives.iter().all(|alternative| alternative.get(*field) == *values) {
                    part.common = part.common.with(*field, values.clone());
                    part.alternatives.iter_mut().for_each(|alternative| drop(alternative.take(*field)));
                }
            }
            if part.alternatives.iter().any(Alternative::is_everything) {
                part.alternatives = vec![Alternative::default()];
            }
        }
        part
    }

    /// Alternatives of every service in a pattern that says beside them which services it is of.
    pub(super) fn of_sources(common: Alternative, of_all: &[Alternative], others: Vec<Alternative>) -> Self {
        let of_all = of_all.iter().cloned().map(|mut alternative| {
            alternative.take(PatternField::Source);
            alternative
        });
        Self::new(common, of_all.chain(others).collect())
    }

    /// Whether a pattern has room for it that has so many characters.
    pub(super) fn fits(&self, characters: usize) -> bool {
        let alternatives: usize = self.alternatives.iter().map(|alternative| alternative.characters() + 1).sum();
        self.common.characters() + alternatives <= characters
            && self.wildcards() <= MAX_WILDCARDS
            && self.alternatives.len() <= MAX_ALTERNATIVES
    }

    pub(super) fn wildcards(&self) -> usize {
        self.common.wildcards() + self.alternatives.iter().map(Alternative::wildcards).sum::<usize>()
    }
}
