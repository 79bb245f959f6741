//! Sigma's texts, in which `*` and `?` stand for others, as conditions of ours.

use serde_json::{Value as Json, json};

/// A text in which `*` stands for any text and `?` for one character.
pub(super) struct Wildcards(Vec<WildcardPart>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum WildcardPart {
    Text(char),
    One,
    Any,
}

impl WildcardPart {
    fn literal(self) -> Option<char> {
        if let Self::Text(character) = self { Some(character) } else { None }
    }
}

impl Wildcards {
    /// A backslash takes the meaning from `*`, `?` and itself, and stands for itself before anything else.
    /// Source: Sigma Rules Specification 2.0.0, "Escaping".
    pub(super) fn parse(text: &str) -> Self {
        let mut parts = Vec::new();
        let mut characters = text.chars().peekable();
        while let Some(character) = characters.next() {
            parts.push(match character {
                '\\' => WildcardPart::Text(characters.next_if(|next| matches!(next, '\\' | '*' | '?')).unwrap_or('\\')),
                '*' => WildcardPart::Any,
                '?' => WildcardPart::One,
                other => WildcardPart::Text(other),
            });
        }
        parts.dedup_by(|b, a| *a == WildcardPart::Any && *b == WildcardPart::Any);
        Self(parts)
    }

    /// The condition on values that have this text at their start, at their end, at both or at neither; `cased`, whether
    /// capital and small letters are told apart.
    pub(super) fn condition(&self, start: bool, end: bool, cased: bool) -> Json {
        let mut parts = self.0.as_slice();
        let (mut start, mut end) = (start, end);
        // What may begin or end with anything is not held there.
        while let [WildcardPart::Any, rest @ ..] = parts {
            (parts, start) = (rest, false);
        }
        while let [rest @ .., WildcardPart::Any] = parts {
            (parts, end) = (rest, false);
        }
        if parts.is_empty() {
            return if start && end { json!({"is": ""}) } else { json!({"exists": true}) };
        }
        let literal = parts.iter().map(|part| part.literal()).collect::<Option<String>>();
        // Without letters, case makes no difference.
        let no_case = |text: &str| !text.chars().any(char::is_alphabetic);
        if let Some(literal) = literal.as_ref().filter(|text| start && end && (cased || no_case(text))) {
            return json!({"is": literal});
        }
        let mut pattern = String::new();
        let flags = match (cased || literal.as_deref().is_some_and(no_case), literal.is_some()) {
            (false, true) => "(?i)",
            (false, false) => "(?is)",
            (true, false) => "(?s)",
            (true, true) => "",
        };
        pattern.push_str(flags);
        pattern.push_str(if start { "^" } else { "" });
        let mut run = String::new();
        for part in parts {
            match part {
                WildcardPart::Text(character) => run.push(*character),
                other => {
                    pattern.push_str(&escaped(&std::mem::take(&mut run)));
                    pattern.push_str(if *other == WildcardPart::Any { ".*" } else { "." });
                }
            }
        }
        pattern.push_str(&escaped(&run));
        pattern.push_str(if end { "$" } else { "" });
        Json::from(bare(&pattern))
    }
}

/// A text as a pattern. `regex::escape` also escapes what is special in brackets alone, such as the hyphen of `aws-cli`.
pub(super) fn escaped(text: &str) -> String {
    let mut pattern = String::new();
    for character in text.chars() {
        if r"\.+*?()|[]{}^$".contains(character) {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern
}

/// A pattern that begins with @ would name a list.
pub(super) fn bare(pattern: &str) -> String {
    pattern.strip_prefix('@').map_or_else(|| pattern.to_owned(), |rest| format!("[@]{rest}"))
}
