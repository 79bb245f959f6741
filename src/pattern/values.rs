//! The values of one field for which a condition can be true, as far as a pattern can say it: never fewer than there are.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::field::PatternField;
use super::limits::MAX_TEXTS;
use crate::rules::condition::Condition;
use crate::rules::pattern::{Anchor, AnchoredLiteral, Pattern};

/// A text, or texts that are alike.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Text {
    /// This one.
    Exact(Box<str>),
    /// Those that begin so.
    Prefix(Box<str>),
    /// Those that end so.
    Suffix(Box<str>),
    /// Those that contain it.
    Contains(Box<str>),
    /// Those that begin with the first, contain the second after it, and end with the third.
    Between(Box<str>, Box<str>, Box<str>),
    /// This one, its letters in either case. Those of ASCII are small here.
    AnyCase(Box<str>),
}

/// Texts, of which some may be left out.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Texts {
    /// All.
    Any,
    /// These.
    OneOf(BTreeSet<Text>),
    /// All but these.
    NoneOf(BTreeSet<Box<str>>),
    /// All but those that begin with one of these.
    NotBeginning(BTreeSet<Box<str>>),
}

/// What a field may be.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Values {
    pub(super) texts: Texts,
    /// Whether the record may be without the field.
    pub(super) absent: bool,
}

impl Text {
    /// Whether it is, or is alike to, this text.
    pub(super) fn accepts(&self, text: &str) -> bool {
        match self {
            Self::Exact(this) => &**this == text,
            Self::Prefix(start) => text.starts_with(&**start),
            Self::Suffix(end) => text.ends_with(&**end),
            Self::Contains(part) => text.contains(&**part),
            Self::Between(start, part, end) => text
                .strip_prefix(&**start)
                .and_then(|rest| rest.strip_suffix(&**end))
                .is_some_and(|rest| rest.contains(&**part)),
            Self::AnyCase(this) => this.eq_ignore_ascii_case(text),
        }
    }

    /// Whether every text that is alike to `other` is alike to this. What covers one that covers a third covers that, too: which of a
    /// set are left does not depend on their order.
    fn covers(&self, other: &Self) -> bool {
        match other {
            Self::Exact(text) => self.accepts(text),
            Self::Prefix(text) => match self {
                Self::Prefix(start) => text.starts_with(&**start),
                Self::Contains(part) => text.contains(&**part),
                _ => false,
            },
            Self::Suffix(text) => match self {
                Self::Suffix(end) => text.ends_with(&**end),
                Self::Contains(part) => text.contains(&**part),
                _ => false,
            },
            Self::Contains(text) => matches!(self, Self::Contains(part) if text.contains(&**part)),
            Self::Between(start, part, end) => match self {
                Self::Prefix(of) => start.starts_with(&**of),
                Self::Suffix(of) => end.ends_with(&**of),
                Self::Contains(of) => [start, part, end].into_iter().any(|text| text.contains(&**of)),
                _ => self == other,
            },
            Self::AnyCase(_) => self == other,
        }
    }

    pub(super) const fn is_wildcard(&self) -> bool {
        matches!(self, Self::Contains(_) | Self::Between(..))
    }

    fn pattern(&self) -> Value {
        match self {
            Self::Exact(text) => json!(text),
            Self::Prefix(text) => json!({ "prefix": text }),
            Self::Suffix(text) => json!({ "suffix": text }),
            Self::AnyCase(text) => json!({ "equals-ignore-case": text }),
            Self::Contains(text) => json!({ "wildcard": format!("*{}*", escaped(text)) }),
            Self::Between(start, part, end) => {
                let [start, part, end] = [start, part, end].map(|text| escaped(text));
                // Two stars side by side are refused.
                let middle = if part.is_empty() { "*".to_owned() } else { format!("*{part}*") };
                json!({ "wildcard": format!("{start}{middle}{end}") })
            }
        }
    }
}

/// As it is written in a wildcard, where a star and a backslash have a meaning.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('*', "\\*")
}

impl Texts {
    pub(super) fn exact<'t>(texts: impl IntoIterator<Item = &'t str>) -> Self {
        Self::OneOf(texts.into_iter().map(|text| Text::Exact(text.into())).collect())
    }

    /// Those for which the condition can be true.
    pub(super) fn of(condition: &Condition) -> Self {
        let texts = match condition {
            Condition::Pattern(pattern) => {
                let literals = pattern.required_literals();
                let texts: Option<BTreeSet<Text>> =
                    literals.and_then(|literals| literals.iter().map(text_of).collect());
                // Few letters are told in each case by themselves, too.
                let any_case =
                    any_case(pattern).filter(|some| texts.as_ref().is_none_or(|texts| some.len() < texts.len()));
                any_case.or(texts).map_or(Self::Any, Self::OneOf)
            }
            Condition::Is(literals) => {
                let exact: Option<Vec<&str>> = literals.iter().map(|literal| literal.as_text()).collect();
                exact.map_or(Self::Any, Self::exact)
            }
            Condition::Exists(false) => Self::OneOf(BTreeSet::new()),
            Condition::Any(conditions) => {
                let none = Self::OneOf(BTreeSet::new());
                conditions.iter().map(Self::of).fold(none, Self::or)
            }
            Condition::All(conditions) => conditions.iter().map(Self::of).fold(Self::Any, Self::and),
            Condition::Not(inner) => Self::of_not(inner),
            _ => Self::Any,
        };
        match texts {
            Self::OneOf(texts) if texts.len() > MAX_TEXTS => Self::Any,
            Self::NoneOf(texts) if texts.len() > MAX_TEXTS => Self::Any,
            texts => texts.minimal(),
        }
    }

    /// Those for which the condition can be false.
    fn of_not(condition: &Condition) -> Self {
        match condition {
            Condition::Is(literals) => {
                let exact = literals.iter().map(|literal| literal.as_text().map(Into::into));
                exact.collect::<Option<BTreeSet<_>>>().map_or(Self::Any, Self::NoneOf)
            }
            Condition::Exists(true) => Self::OneOf(BTreeSet::new()),
            Condition::Any(conditions) => conditions.iter().map(Self::of_not).fold(Self::Any, Self::and),
            Condition::Not(inner) => Self::of(inner),
            _ => Self::Any,
        }
    }

    /// Those that are among both.
    pub(super) fn and(self, other: Self) -> Self {
        let is_exact = |texts: &BTreeSet<Text>| texts.iter().all(|text| matches!(text, Text::Exact(_)));
        match (self, other) {
            (Self::Any | Self::NotBeginning(_), texts) | (texts, Self::Any | Self::NotBeginning(_)) => texts,
            (Self::NoneOf(some), Self::NoneOf(others)) => Self::NoneOf(some.into_iter().chain(others).collect()),
            (Self::OneOf(texts), Self::NoneOf(others)) | (Self::NoneOf(others), Self::OneOf(texts)) => {
                let is_left = |text: &Text| !matches!(text, Text::Exact(text) if others.contains(text));
                Self::OneOf(texts.into_iter().filter(is_left).collect())
            }
            (Self::OneOf(some), Self::OneOf(others)) => {
                let (few, more) = if is_exact(&some) || !is_exact(&others) { (some, others) } else { (others, some) };
                if is_exact(&few) {
                    Self::OneOf(few.into_iter().filter(|text| more.iter().any(|other| other.covers(text))).collect())
                } else if few.len() <= more.len() {
                    Self::OneOf(few)
                } else {
                    Self::OneOf(more)
                }
            }
        }
    }

    /// Those that are among one of both.
    pub(super) fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Any | Self::NotBeginning(_), _) | (_, Self::Any | Self::NotBeginning(_)) => Self::Any,
            (Self::OneOf(some), Self::OneOf(others)) => Self::OneOf(some.into_iter().chain(others).collect()),
            (Self::NoneOf(some), Self::NoneOf(others)) => {
                Self::NoneOf(some.into_iter().filter(|text| others.contains(text)).collect())
            }
            (Self::NoneOf(others), Self::OneOf(texts)) | (Self::OneOf(texts), Self::NoneOf(others)) => {
                let is_let_in = |text: &str| texts.iter().any(|one| one.accepts(text));
                Self::NoneOf(others.into_iter().filter(|text| !is_let_in(text)).collect())
            }
        }
    }

    /// Takes in those that are among the others, where both are [`minimal`](Self::minimal) and so stay. Of two sets this spares the
    /// larger from being made anew.
    fn take_in(&mut self, others: Self) {
        match (&mut *self, others) {
            (Self::OneOf(texts), Self::OneOf(others)) => others.into_iter().for_each(|text| take_in(texts, text)),
            (_, others) => *self = std::mem::replace(self, Self::Any).or(others).minimal(),
        }
    }

    /// The same without texts that others cover.
    pub(super) fn minimal(self) -> Self {
        match self {
            Self::OneOf(texts) if texts.iter().any(|text| !matches!(text, Text::Exact(_))) => {
                let wide: Vec<Text> = texts.iter().filter(|text| !matches!(text, Text::Exact(_))).cloned().collect();
                let is_covered = |text: &Text| wide.iter().any(|other| other != text && other.covers(text));
                // Of two that cover one another there is one: they are equal.
                Self::OneOf(texts.into_iter().filter(|text| !is_covered(text)).collect())
            }
            Self::NoneOf(texts) | Self::NotBeginning(texts) if texts.is_empty() => Self::Any,
            texts => texts,
        }
    }

    pub(super) fn accepts(&self, text: &str) -> bool {
        match self {
            Self::Any => true,
            Self::OneOf(texts) => texts.iter().any(|one| one.accepts(text)),
            Self::NoneOf(texts) => !texts.contains(text),
            Self::NotBeginning(starts) => !starts.iter().any(|start| text.starts_with(&**start)),
        }
    }

    /// Whether all that the other has is among these.
    fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Any, _) => true,
            (Self::OneOf(texts), Self::OneOf(others)) => {
                others.iter().all(|other| texts.contains(other) || texts.iter().any(|text| text.covers(other)))
            }
            (Self::NoneOf(texts), Self::OneOf(others)) => {
                !texts.iter().any(|text| others.iter().any(|other| other.accepts(text)))
            }
            (Self::NoneOf(texts), Self::NoneOf(others)) => texts.is_subset(others),
            _ => false,
        }
    }
}

impl Values {
    /// Those of a field of which nothing is asked.
    pub(super) const ANY: Self = Self { texts: Texts::Any, absent: true };

    /// Those for which the condition can be true.
    pub(super) fn of(condition: &Condition) -> Self {
        Self { texts: Texts::of(condition), absent: condition.holds_of_nothing() }
    }

    /// The same of a field that may have booleans: these words alone, since no prefix and no wildcard is asked of a boolean. And of one
    /// whose values AWS itself chooses, what is not ASCII is left out.
    pub(super) fn of_field(mut self, field: PatternField) -> Self {
        if let (true, Texts::OneOf(texts)) = (field.is_aws_own(), &mut self.texts) {
            texts.retain(|text| !matches!(text, Text::AnyCase(text) if !text.is_ascii()));
        }
        if !field.is_boolean() || self.texts == Texts::Any {
            return self;
        }
        let words: Vec<&str> = ["false", "true"].into_iter().filter(|word| self.texts.accepts(word)).collect();
        let texts = if words.len() == 2 { Texts::Any } else { Texts::exact(words) };
        Self { texts, ..self }
    }

    /// These texts.
    pub(super) const fn some(texts: Texts) -> Self {
        Self { texts, absent: false }
    }

    pub(super) fn and(self, other: Self) -> Self {
        Self { texts: self.texts.and(other.texts).minimal(), absent: self.absent && other.absent }
    }

    pub(super) fn or(self, other: Self) -> Self {
        Self { texts: self.texts.or(other.texts).minimal(), absent: self.absent || other.absent }
    }

    /// Takes in what the others have, where both are minimal.
    pub(super) fn take_in(&mut self, others: Self) {
        self.texts.take_in(others.texts);
        self.absent |= others.absent;
    }

    pub(super) fn is_any(&self) -> bool {
        self.absent && self.texts == Texts::Any
    }

    /// Whether no record can have such a value.
    pub(super) fn is_none(&self) -> bool {
        !self.absent && matches!(&self.texts, Texts::OneOf(texts) if texts.is_empty())
    }

    pub(super) fn covers(&self, other: &Self) -> bool {
        (self.absent || !other.absent) && self.texts.covers(&other.texts)
    }

    pub(super) fn accepts(&self, text: Option<&str>) -> bool {
        text.map_or(self.absent, |text| self.texts.accepts(text))
    }

    pub(super) fn wildcards(&self) -> usize {
        match &self.texts {
            Texts::OneOf(texts) => texts.iter().filter(|text| text.is_wildcard()).count(),
            Texts::Any | Texts::NoneOf(_) | Texts::NotBeginning(_) => 0,
        }
    }

    /// What a pattern says of the field. A null counts as missing for us, and `exists` does not take it so; a boolean may be the word
    /// for it in a record of an old version.
    pub(super) fn pattern(&self, field: PatternField) -> Value {
        let mut asked = Vec::new();
        match &self.texts {
            Texts::Any => asked.push(json!({ "exists": true })),
            Texts::OneOf(texts) => {
                for text in texts {
                    if let Text::Exact(text) = text
                        && field.is_boolean()
                        && let Ok(boolean) = text.parse::<bool>()
                    {
                        asked.push(json!(boolean));
                    }
                    asked.push(text.pattern());
                }
            }
            Texts::NoneOf(texts) => asked.push(json!({ "anything-but": texts })),
            Texts::NotBeginning(starts) => asked.push(json!({ "anything-but": { "prefix": starts } })),
        }
        if self.absent {
            if matches!(self.texts, Texts::OneOf(_)) {
                asked.push(Value::Null);
            }
            asked.push(json!({ "exists": false }));
        }
        Value::Array(asked)
    }
}

/// The texts that a pattern of a whole text in either case is about.
fn any_case(pattern: &Pattern) -> Option<BTreeSet<Text>> {
    Some(pattern.any_case()?.into_iter().map(|text| Text::AnyCase(text.into())).collect())
}

/// Takes a text into texts of which none covers another, so that it stays so.
fn take_in(texts: &mut BTreeSet<Text>, text: Text) {
    if texts.contains(&text) || texts.iter().any(|other| other.covers(&text)) {
        return;
    }
    if !matches!(text, Text::Exact(_)) {
        texts.retain(|other| !text.covers(other));
    }
    texts.insert(text);
}

/// What a text has that must have the literal; `None` where no pattern can say it.
fn text_of(literal: &AnchoredLiteral) -> Option<Text> {
    let text: Box<str> = std::str::from_utf8(&literal.bytes).ok()?.into();
    Some(match literal.anchor {
        Anchor::Whole => Text::Exact(text),
        Anchor::Start => Text::Prefix(text),
        Anchor::End => Text::Suffix(text),
        Anchor::Anywhere => Text::Contains(text),
        Anchor::AnyCase => return None,
    })
}
