//! How bad a finding is.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Conformity's five risk levels, from the least to the worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Worth knowing.
    Low,
    /// Worth a look today.
    Medium,
    /// Worth a look now.
    High,
    /// Act immediately.
    VeryHigh,
    /// Drop everything.
    Extreme,
}

impl Severity {
    /// Every severity, from the least to the worst.
    pub const ALL: [Self; 5] = [Self::Low, Self::Medium, Self::High, Self::VeryHigh, Self::Extreme];

    /// What `rules.json` may say: our words, and Conformity's.
    pub const WORDS: [(&'static str, Self); 10] = [
        ("low", Self::Low),
        ("medium", Self::Medium),
        ("high", Self::High),
        ("very-high", Self::VeryHigh),
        ("extreme", Self::Extreme),
        ("LOW", Self::Low),
        ("MEDIUM", Self::Medium),
        ("HIGH", Self::High),
        ("VERY_HIGH", Self::VeryHigh),
        ("EXTREME", Self::Extreme),
    ];

    /// The severity that a word of [`Severity::WORDS`] means.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(known, _)| *known == word).map(|(_, severity)| *severity)
    }

    /// `very-high`: in rules, JSON and message attributes.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::VeryHigh => "very-high",
            Self::Extreme => "extreme",
        }
    }

    /// `VERY HIGH`: for people.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Low => "LOW",
            Self::Medium => "MEDIUM",
            Self::High => "HIGH",
            Self::VeryHigh => "VERY HIGH",
            Self::Extreme => "EXTREME",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}
