//! What conditions imply, as far as it can be known without a record.

use crate::rules::condition::{Condition, Literal};
use crate::rules::count::Count;
use crate::rules::decimal::Decimal;
use crate::rules::{Cell, Row};

/// Whether the condition is true of a field whose one value is `text`; `None` where that depends on the rest of the record.
pub(crate) fn accepts(condition: &Condition, text: &str) -> Option<bool> {
    match condition {
        Condition::Pattern(regex) => Some(regex.is_match(text)),
        Condition::Is(literals) => Some(literals.iter().any(|literal| literal.accepts(text))),
        Condition::Not(inner) => accepts(inner, text).map(|accepted| !accepted),
        Condition::Exists(there) => Some(*there),
        Condition::Count(count) => Some(count.accepts(1)),
        Condition::Above(bound) => Some(Decimal::parse(text).is_some_and(|number| number > *bound)),
        Condition::Below(bound) => Some(Decimal::parse(text).is_some_and(|number| number < *bound)),
        Condition::Any(inner) => inner.iter().try_fold(false, |any, inner| {
            // One that is surely true is enough.
            if any { Some(true) } else { accepts(inner, text) }
        }),
        Condition::All(inner) => {
            inner.iter().try_fold(true, |all, inner| if all { accepts(inner, text) } else { Some(false) })
        }
        _ => None,
    }
}

/// Whether [`accepts`] knows of every text whether the condition is true of it.
pub(super) fn is_of_texts(condition: &Condition) -> bool {
    match condition {
        Condition::Pattern(_) | Condition::Is(_) | Condition::Exists(_) | Condition::Above(_) | Condition::Below(_) => {
            true
        }
        Condition::Not(inner) => is_of_texts(inner),
        Condition::Any(inner) | Condition::All(inner) => inner.iter().all(is_of_texts),
        _ => false,
    }
}

/// Whether every record that satisfies `narrow` surely satisfies `wide`. False where it cannot be known.
pub(super) fn row_implies(narrow: &Row, wide: &Row) -> bool {
    wide.0.iter().all(|wide| narrow.0.iter().any(|narrow| cell_implies(narrow, wide)))
}

fn cell_implies(narrow: &Cell, wide: &Cell) -> bool {
    narrow.field.target == wide.field.target && implies(&narrow.condition, &wide.condition)
}

fn implies(narrow: &Condition, wide: &Condition) -> bool {
    match (narrow, wide) {
        (Condition::Any(narrow), _) => narrow.iter().all(|narrow| implies(narrow, wide)),
        (Condition::All(narrow), _) if narrow.iter().any(|narrow| implies(narrow, wide)) => true,
        (_, Condition::Any(wide)) if wide.iter().any(|wide| implies(narrow, wide)) => true,
        (_, Condition::All(wide)) => wide.iter().all(|wide| implies(narrow, wide)),
        // What a condition without `not` says to one value, it says to every set that holds this value.
        (Condition::Is(literals), wide) if is_positive(wide) => {
            literals.iter().all(|literal| accepts_literal(wide, literal))
        }
        (Condition::Pattern(narrow), Condition::Pattern(wide)) => pattern_implies(narrow.as_str(), wide.as_str()),
        (Condition::Pattern(_) | Condition::Cidr(_), Condition::Exists(true)) => true,
        (Condition::Not(narrow), Condition::Not(wide)) => implies(wide, narrow),
        (Condition::Exists(_) | Condition::Count(_), Condition::Exists(_) | Condition::Count(_)) => {
            counted(narrow).zip(counted(wide)).is_some_and(|(narrow, wide)| narrow.implies(&wide))
        }
        (Condition::Cidr(narrow), Condition::Cidr(wide)) => {
            narrow.iter().all(|narrow| wide.iter().any(|wide| wide.contains(narrow)))
        }
        (Condition::Above(narrow), Condition::Above(wide)) => narrow >= wide,
        (Condition::Below(narrow), Condition::Below(wide)) => narrow <= wide,
        _ => false,
    }
}

/// What a condition asks of the number of values, if it asks nothing else.
fn counted(condition: &Condition) -> Option<Count> {
    match condition {
        Condition::Exists(true) => Some(Count::Above(0)),
        Condition::Exists(false) => Some(Count::Is(vec![0])),
        Condition::Count(count) => Some(count.clone()),
        _ => None,
    }
}

/// Whether the condition is surely true of whatever the literal accepts.
fn accepts_literal(condition: &Condition, literal: &Literal) -> bool {
    match literal {
        Literal::Text(text) => accepts(condition, text) == Some(true),
        Literal::Number(number) => accepts_number(condition, number),
    }
}

/// Whether the condition is surely true of a number in all its spellings.
fn accepts_number(condition: &Condition, number: &Decimal) -> bool {
    match condition {
        Condition::Is(literals) => {
            literals.iter().any(|literal| matches!(literal, Literal::Number(wide) if wide == number))
        }
        Condition::Exists(there) => *there,
        Condition::Count(count) => count.accepts(1),
        Condition::Above(bound) => number > bound,
        Condition::Below(bound) => number < bound,
        Condition::Any(inner) => inner.iter().any(|inner| accepts_number(inner, number)),
        Condition::All(inner) => inner.iter().all(|inner| accepts_number(inner, number)),
        _ => false,
    }
}

/// Whether further values of the field can never make it false.
fn is_positive(condition: &Condition) -> bool {
    match condition {
        Condition::Pattern(_) | Condition::Is(_) | Condition::Above(_) | Condition::Below(_) => true,
        Condition::Exists(there) => *there,
        Condition::Count(count) => matches!(count, Count::Above(_)),
        Condition::Any(inner) | Condition::All(inner) => inner.iter().all(is_positive),
        _ => false,
    }
}

/// Equal patterns; or literal ones of which the narrower holds the wider: `^CreateUser` implies `^Create` and `User`.
fn pattern_implies(narrow: &str, wide: &str) -> bool {
    if narrow == wide {
        return true;
    }
    let (Some(narrow), Some(wide)) = (PatternWord::parse(narrow), PatternWord::parse(wide)) else { return false };
    // A dot that stands for any character could also make the wider one narrower.
    if narrow.text.contains('.') && !wide.text.contains('.') && narrow.text != wide.text && !narrow.starts {
        return false;
    }
    match (wide.starts, wide.ends) {
        (false, false) => narrow.text.contains(wide.text),
        (true, false) => narrow.starts && narrow.text.starts_with(wide.text),
        (false, true) => narrow.ends && narrow.text.ends_with(wide.text),
        (true, true) => narrow.starts && narrow.ends && narrow.text == wide.text,
    }
}

/// What every text begins with in which the pattern is found; empty where that is not known.
pub(super) fn beginning(pattern: &str) -> &str {
    let word = PatternWord::parse(pattern).filter(|word| word.starts);
    // A dot stands for any character.
    word.and_then(|word| word.text.split('.').next()).unwrap_or_default()
}

/// A pattern that is one word, perhaps anchored, perhaps in parentheses, perhaps followed by `.*`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct PatternWord<'p> {
    /// The word; its dots stand for any character, as they do in the pattern.
    pub(super) text: &'p str,
    /// Whether it is anchored with `^`.
    pub(super) starts: bool,
    /// Whether it is anchored with `$`.
    pub(super) ends: bool,
    /// Whether `.*` follows: its author wants all that begins so.
    pub(super) open: bool,
}

impl<'p> PatternWord<'p> {
    /// Reads a pattern; `None` if it is more than a word.
    pub(super) fn parse(pattern: &'p str) -> Option<Self> {
        let (mut rest, mut starts, mut ends, mut open) = (pattern, false, false, false);
        loop {
            if let Some(inner) = rest.strip_prefix('^') {
                (starts, rest) = (true, inner);
            } else if let Some(inner) = rest.strip_suffix('$').filter(|inner| !inner.ends_with('\\')) {
                (ends, rest) = (true, inner);
            } else if let Some(inner) = rest.strip_suffix(".*").filter(|_| !ends) {
                (open, rest) = (true, inner);
            } else if let Some(inner) = rest
                .strip_prefix("(?:")
                .or_else(|| rest.strip_prefix('('))
                .and_then(|inner| inner.strip_suffix(')'))
                .filter(|inner| !inner.contains(['(', ')', '|']))
            {
                rest = inner;
            } else {
                break;
            }
        }
        let plain = |c: char| c.is_ascii_alphanumeric() || "_-.:/@ ".contains(c);
        (!rest.is_empty() && rest.chars().all(plain)).then_some(Self { text: rest, starts, ends, open })
    }

    /// The word that a pattern names, whether or not it regards case.
    pub(super) fn named(pattern: &'p str) -> Option<&'p str> {
        Self::parse(pattern.strip_prefix("(?i)").unwrap_or(pattern)).map(|word| word.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ruleset::RuleSet;

    fn row(cells: &str) -> Row {
        let source = format!(r#"{{"rules":[{{"id":"R","title":"t","severity":"low","when":{{{cells}}}}}]}}"#);
        RuleSet::compile(&source).unwrap().rules.rules()[0].when.0[0].clone()
    }

    #[test]
    fn rows_imply_wider_rows() {
        for (narrow, wide) in [
            (r#""event":"StartInstances","region":"x""#, r#""event":"StartInstances""#),
            (r#""event":{"is":["CreateUser","CreateRole"]}"#, r#""event":["^Create","^Delete"]"#),
            (r#""event":"^(CreateUser).*""#, r#""event":"^(Create).*""#),
            (r#""event":["^CreateUser","^DeleteUser"]"#, r#""event":"User""#),
            (r#""user":{"not":"a"}"#, r#""user":{"not":"abc"}"#),
            (r#""event":{"all":["^Create","User$"]}"#, r#""event":"^Create""#),
            (r#""source_ip":{"cidr":"10.1.0.0/16"}"#, r#""source_ip":{"cidr":"10.0.0.0/8"}"#),
            (r#""eventName":"x""#, r#""event":{"exists":true}"#),
            (r#""requestParameters.x":{"is":5}"#, r#""requestParameters.x":{"is":["a",5.0]}"#),
            (r#""requestParameters.x":{"is":[5,7]}"#, r#""requestParameters.x":{"above":4}"#),
            (r#""requestParameters.x":{"is":"5"}"#, r#""requestParameters.x":{"is":5.0}"#),
            (r#""requestParameters.x":{"count":{"above":5}}"#, r#""requestParameters.x":{"count":{"above":4}}"#),
            (r#""requestParameters.x":{"count":{"is":[1,2]}}"#, r#""requestParameters.x":{"count":{"below":3}}"#),
            (r#""requestParameters.x":{"count":{"above":1}}"#, r#""requestParameters.x":{"exists":true}"#),
            (r#""requestParameters.x":{"is":5}"#, r#""requestParameters.x":{"count":{"above":0}}"#),
        ] {
            assert!(row_implies(&row(narrow), &row(wide)), "{narrow} → {wide}");
            assert!(!row_implies(&row(wide), &row(narrow)), "{wide} → {narrow}");
        }
        for (narrow, wide) in [
            (r#""event":"Create""#, r#""event":"^Create""#),
            (r#""event":"Create""#, r#""region":"Create""#),
            (r#""event":{"not":{"is":"B"}}"#, r#""event":{"is":"A"}"#),
            (r#""resources.type":{"is":"A"}"#, r#""resources.type":{"not":{"is":"B"}}"#),
            (r#""event":"a|b""#, r#""event":"a""#),
            (r#""requestParameters.x":{"is":5}"#, r#""requestParameters.x":{"count":{"is":1}}"#),
            (r#""requestParameters.x":{"count":{"below":2}}"#, r#""requestParameters.x":{"exists":true}"#),
            // It is also written 5.0.
            (r#""requestParameters.x":{"is":5}"#, r#""requestParameters.x":{"is":"5"}"#),
            (r#""requestParameters.x":{"is":5}"#, r#""requestParameters.x":"5$""#),
        ] {
            assert!(!row_implies(&row(narrow), &row(wide)), "{narrow} → {wide}");
        }
    }

    #[test]
    fn words_are_told_from_patterns() {
        let literal = |text: &'static str, starts, ends, open| Some(PatternWord { text, starts, ends, open });
        assert_eq!(PatternWord::parse("StartInstances"), literal("StartInstances", false, false, false));
        assert_eq!(PatternWord::parse("^(iam.amazonaws.com).*"), literal("iam.amazonaws.com", true, false, true));
        assert_eq!(PatternWord::parse("^(?:Create)$"), literal("Create", true, true, false));
        assert_eq!(PatternWord::named("(?i)^PassRole$"), Some("PassRole"));
        assert_eq!(PatternWord::parse("(?i)^PassRole$"), None);
        for more in ["a|b", "(a)(b)", "^Create.*User", r"iam\.x", "[ab]", "(?i)x", "", "a+"] {
            assert_eq!(PatternWord::parse(more), None, "{more}");
        }
    }
}
