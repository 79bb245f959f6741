//! The `condition` of a Sigma rule: `selection and not 1 of filter_*`.

use crate::config::suggestion;

/// Levels of parentheses and `not` that are read.
const MAX_DEPTH: usize = 64;

/// A condition over named selections.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum SigmaCondition {
    Named(String),
    Not(Box<SigmaCondition>),
    All(Vec<SigmaCondition>),
    Any(Vec<SigmaCondition>),
}

/// Reads a condition over the selections `names`. What a reader must know of it goes to `notes`.
///
/// # Errors
/// What is wrong with it, or cannot be expressed, for the report.
pub(super) fn parse(text: &str, names: &[&str], notes: &mut Vec<String>) -> Result<SigmaCondition, String> {
    let spaced = text.replace('(', " ( ").replace(')', " ) ");
    let mut parser = Parser { words: spaced.split_whitespace().collect(), at: 0, names, nobody: Vec::new() };
    let condition = parser.or(0)?;
    match parser.peek() {
        None => {
            let unnamed = parser.nobody.join(", ");
            match condition.folded() {
                Folded::Condition(condition) => {
                    if !unnamed.is_empty() {
                        notes.push(format!("no selection is called as in {unnamed}, which is therefore never true"));
                    }
                    Ok(condition)
                }
                Folded::Always => Err(format!("no selection is called as in {unnamed}, so everything would match")),
                Folded::Never => Err(format!("no selection is called as in {unnamed}, so nothing would match")),
            }
        }
        Some(word) => Err(format!("the condition goes on with \"{word}\" where it should end")),
    }
}

/// A condition without the parts that name no selection, and are therefore never true.
enum Folded {
    Condition(SigmaCondition),
    Always,
    Never,
}

impl SigmaCondition {
    /// Takes out what names no selection: `1 of filter_*`, of which there is none, is or over nothing.
    fn folded(self) -> Folded {
        match self {
            Self::Named(name) => Folded::Condition(Self::Named(name)),
            Self::Not(inner) => match inner.folded() {
                Folded::Condition(inner) => Folded::Condition(Self::Not(Box::new(inner))),
                Folded::Always => Folded::Never,
                Folded::Never => Folded::Always,
            },
            Self::All(parts) => {
                let mut kept = Vec::new();
                for part in parts {
                    match part.folded() {
                        Folded::Condition(part) => kept.push(part),
                        Folded::Always => {}
                        Folded::Never => return Folded::Never,
                    }
                }
                match kept.len() {
                    0 => Folded::Always,
                    1 => Folded::Condition(kept.remove(0)),
                    _ => Folded::Condition(Self::All(kept)),
                }
            }
            Self::Any(parts) => {
                let mut kept = Vec::new();
                for part in parts {
                    match part.folded() {
                        Folded::Condition(part) => kept.push(part),
                        Folded::Always => return Folded::Always,
                        Folded::Never => {}
                    }
                }
                match kept.len() {
                    0 => Folded::Never,
                    1 => Folded::Condition(kept.remove(0)),
                    _ => Folded::Condition(Self::Any(kept)),
                }
            }
        }
    }
}

struct Parser<'t> {
    words: Vec<&'t str>,
    at: usize,
    names: &'t [&'t str],
    /// What names no selection: `1 of filter_*`.
    nobody: Vec<String>,
}

impl<'t> Parser<'t> {
    fn peek(&self) -> Option<&'t str> {
        self.words.get(self.at).copied()
    }

    fn take(&mut self, word: &str) -> bool {
        let found = self.peek().is_some_and(|next| next.eq_ignore_ascii_case(word));
        self.at += usize::from(found);
        found
    }

    fn or(&mut self, depth: usize) -> Result<SigmaCondition, String> {
        let mut any = vec![self.and(depth)?];
        while self.take("or") {
            any.push(self.and(depth)?);
        }
        Ok(if any.len() == 1 { any.remove(0) } else { SigmaCondition::Any(any) })
    }

    fn and(&mut self, depth: usize) -> Result<SigmaCondition, String> {
        let mut all = vec![self.unary(depth)?];
        while self.take("and") {
            all.push(self.unary(depth)?);
        }
        Ok(if all.len() == 1 { all.remove(0) } else { SigmaCondition::All(all) })
    }

    fn unary(&mut self, depth: usize) -> Result<SigmaCondition, String> {
        if depth > MAX_DEPTH {
            return Err(format!("the condition is nested more than {MAX_DEPTH} levels deep"));
        }
        if self.take("not") {
            return Ok(SigmaCondition::Not(Box::new(self.unary(depth + 1)?)));
        }
        if self.take("(") {
            let inner = self.or(depth + 1)?;
            return if self.take(")") { Ok(inner) } else { Err("a ( is not closed".to_owned()) };
        }
        let Some(word) = self.peek() else { return Err("the condition ends too early".to_owned()) };
        self.at += 1;
        if self.take("of") {
            return self.quantified(word);
        }
        if self.names.contains(&word) {
            return Ok(SigmaCondition::Named(word.to_owned()));
        }
        let help = suggestion(word, self.names.iter().copied())
            .map_or_else(String::new, |near| format!("; {}", near.question()));
        Err(format!("the condition names \"{word}\", and there is no such selection{help}"))
    }

    /// The rest of `1 of them`, `all of selection_*`.
    fn quantified(&mut self, quantity: &str) -> Result<SigmaCondition, String> {
        let Some(pattern) = self.peek() else { return Err(format!("\"{quantity} of\" names nothing")) };
        self.at += 1;
        // By convention, what begins with an underscore is meant only where it is written.
        let wanted = |name: &str| {
            (pattern == "them" || matches(pattern, name)) && (pattern.starts_with('_') || !name.starts_with('_'))
        };
        let named: Vec<SigmaCondition> = self
            .names
            .iter()
            .filter(|name| wanted(name))
            .map(|name| SigmaCondition::Named((*name).to_owned()))
            .collect();
        match (named.is_empty(), quantity) {
            (true, "1" | "any") => self.nobody.push(format!("\"{quantity} of {pattern}\"")),
            // And over nothing would be true of everything.
            (true, _) => return Err(format!("\"{quantity} of {pattern}\" names no selection")),
            (false, _) => {}
        }
        match quantity {
            "1" | "any" => Ok(SigmaCondition::Any(named)),
            "all" => Ok(SigmaCondition::All(named)),
            _ => Err(format!("\"{quantity} of\": only \"1 of\", \"any of\" and \"all of\" can be expressed")),
        }
    }
}

/// Whether a name fits a pattern in which `*` stands for any text.
fn matches(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| name.strip_prefix(first)) else { return false };
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 5] = ["selection_a", "selection_b", "filter_main", "_hidden", "keywords"];

    fn shown(condition: &SigmaCondition) -> String {
        let list = |all: &[SigmaCondition], word: &str| {
            format!("({})", all.iter().map(shown).collect::<Vec<_>>().join(&format!(" {word} ")))
        };
        match condition {
            SigmaCondition::Named(name) => name.clone(),
            SigmaCondition::Not(inner) => format!("!{}", shown(inner)),
            SigmaCondition::All(all) => list(all, "&"),
            SigmaCondition::Any(any) => list(any, "|"),
        }
    }

    #[test]
    fn operators_bind_as_the_specification_says() {
        for (text, expected) in [
            ("keywords", "keywords"),
            ("keywords or selection_a and not filter_main", "(keywords | (selection_a & !filter_main))"),
            ("(keywords or selection_a) and selection_b", "((keywords | selection_a) & selection_b)"),
            ("not 1 of selection_*", "!(selection_a | selection_b)"),
            ("all of selection*", "(selection_a & selection_b)"),
            ("1 of them", "(selection_a | selection_b | filter_main | keywords)"),
            ("any of _*", "_hidden"),
            ("1 of *", "(selection_a | selection_b | filter_main | keywords)"),
            ("keywords and not 1 of x*", "keywords"),
            ("keywords and not (1 of x* or filter_main)", "(keywords & !filter_main)"),
            ("1 of x* or keywords", "keywords"),
            ("1 of *_main", "filter_main"),
            ("NOT not(keywords)", "!!keywords"),
        ] {
            let condition = parse(text, &NAMES, &mut Vec::new());
            assert_eq!(condition.map(|condition| shown(&condition)).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn mistakes_are_told() {
        let deep = "not ".repeat(10_000) + "keywords";
        for text in [
            "",
            "selection",
            "keywords and",
            "(keywords",
            "keywords)",
            "2 of them",
            "1 of x*",
            "keywords and 1 of x*",
            "not 1 of x*",
            "keywords and not all of x*",
            &deep,
        ] {
            assert!(parse(text, &NAMES, &mut Vec::new()).is_err(), "{text:.40}");
        }
    }

    #[test]
    fn stars_stand_anywhere() {
        assert!(matches("*", "x") && matches("a*", "a") && matches("a*c*e", "abcde") && matches("x", "x"));
        assert!(!matches("a*a", "a") && !matches("x", "xy") && !matches("a*c", "ab") && !matches("b*", "ab"));
    }
}
