//! A pattern that has been checked, and what decides whether a text matches: literals, or a regular expression that is compiled
//! when it is first needed.

use std::fmt;
use std::sync::{Arc, OnceLock};

use regex::{Regex, bytes};

use super::literal::{AnchoredLiteral, LiteralPattern};
use super::required::RequiredLiterals;
use super::{hir, text};

/// A pattern, checked. Cloning is cheap: the copies share what has been compiled.
#[derive(Clone)]
pub struct Pattern(Arc<Inner>);

/// What the copies of a pattern share.
struct Inner {
    written: Box<str>,
    matcher: Matcher,
    /// The regular expression for texts of ASCII, where Unicode's rules cannot make a difference: it is many times smaller.
    /// `None` inside: they could.
    ascii: OnceLock<Option<bytes::Regex>>,
    /// The regular expression for all texts.
    full: OnceLock<Option<Regex>>,
}

/// What decides whether a text matches.
enum Matcher {
    /// Literals decide about nearly every text.
    Literals(LiteralPattern),
    /// Only a regular expression decides. Until it has been compiled, these literals rule texts out.
    Regex(Option<RequiredLiterals>),
}

/// Why a pattern cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PatternError {
    /// It is not a regular expression. The text is the report of the `regex` crate, in several lines: it shows the pattern
    /// and points to the mistake.
    #[error("{0}")]
    Syntax(String),
    /// It is a regular expression, and too large to be compiled.
    #[error("the compiled pattern is too large")]
    TooLarge,
}

impl Pattern {
    /// Checks a pattern.
    ///
    /// # Errors
    /// Whatever [`Regex::new`] refuses.
    pub fn new(written: &str) -> Result<Self, PatternError> {
        let full = OnceLock::new();
        let matcher = if let Some(literals) = text::read(written) {
            Matcher::Literals(literals)
        } else {
            let hir = regex_syntax::parse(written).map_err(|error| PatternError::Syntax(error.to_string()))?;
            if hir::may_be_too_large(&hir) {
                let regex = Regex::new(written).map_err(|error| match error {
                    regex::Error::CompiledTooBig(_) => PatternError::TooLarge,
                    other => PatternError::Syntax(other.to_string()),
                })?;
                let _ = full.set(Some(regex));
            }
            let regex = || Matcher::Regex(RequiredLiterals::from_hir(&hir));
            hir::literals(&hir).map_or_else(regex, Matcher::Literals)
        };
        Ok(Self(Arc::new(Inner { written: written.into(), matcher, ascii: OnceLock::new(), full })))
    }

    /// The pattern as its author wrote it.
    pub fn as_str(&self) -> &str {
        &self.0.written
    }

    /// Whether the pattern is found in the text.
    pub fn is_match(&self, text: &str) -> bool {
        if let Matcher::Literals(literals) = &self.0.matcher
            && let Some(answer) = literals.is_match(text)
        {
            return answer;
        }
        if text.is_ascii() {
            if let Matcher::Regex(Some(required)) = &self.0.matcher
                && self.0.ascii.get().is_none()
                && required.rule_out(text)
            {
                return false;
            }
            if let Some(regex) = self.0.ascii.get_or_init(|| ascii_regex(&self.0.written)) {
                return regex.is_match(text.as_bytes());
            }
        }
        self.full().is_some_and(|regex| regex.is_match(text))
    }

    /// The literals that the pattern comes to, if it needs no regular expression.
    #[cfg(test)]
    fn literals(&self) -> Option<&LiteralPattern> {
        if let Matcher::Literals(literals) = &self.0.matcher { Some(literals) } else { None }
    }

    /// Literals, one of which every text must have that the pattern is found in. `None`: it can be found without any that are
    /// known.
    pub(crate) fn required_literals(&self) -> Option<Vec<AnchoredLiteral>> {
        match &self.0.matcher {
            Matcher::Literals(literals) => literals.required_literals(),
            Matcher::Regex(Some(required)) if required.ignore_case() => Some(required.anchored()),
            Matcher::Regex(required) => {
                let placed = regex_syntax::parse(&self.0.written).ok().and_then(|hir| hir::required_literals(&hir));
                placed.or_else(|| required.as_ref().map(RequiredLiterals::anchored))
            }
        }
    }

    /// The texts of which a text must be one, in letters of either case, for the pattern to be found in it; `None`, where the pattern is
    /// not about a whole text, or about too many. The letters of ASCII are small.
    #[cfg(feature = "cli")]
    pub(crate) fn any_case(&self) -> Option<Vec<String>> {
        // Nothing else takes letters in either case in the usual way, and to read a pattern takes its time.
        let may_be = self.0.written.contains("(?i");
        may_be.then(|| regex_syntax::parse(&self.0.written).ok().and_then(|hir| super::any_case::of(&hir))).flatten()
    }

    /// How many capture groups the pattern has.
    pub fn groups(&self) -> usize {
        regex_syntax::parse(&self.0.written).map_or(0, |hir| hir.properties().explicit_captures_len())
    }

    /// What its first group matched, if the pattern is found and the group took part.
    pub fn group<'t>(&self, text: &'t str) -> Option<&'t str> {
        Some(self.full()?.captures(text)?.get(1)?.as_str())
    }

    /// The regular expression. `None` cannot be: what [`Pattern::new`] took compiles.
    fn full(&self) -> Option<&Regex> {
        self.0
            .full
            .get_or_init(|| {
                Regex::new(&self.0.written)
                    .inspect_err(|error| tracing::error!(pattern = &*self.0.written, %error, "a checked pattern fails"))
                    .ok()
            })
            .as_ref()
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Pattern({:?})", self.0.written)
    }
}

/// The pattern without Unicode's tables. On a text of ASCII it answers the same, unless the pattern names characters beyond
/// ASCII: `(?i)ſ` finds an `s`. `None` for a pattern that may.
fn ascii_regex(written: &str) -> Option<bytes::Regex> {
    let names_others =
        !written.is_ascii() || [r"\x", r"\u", r"\U", r"\p", r"\P"].iter().any(|name| written.contains(name));
    if names_others {
        return None;
    }
    bytes::RegexBuilder::new(written).unicode(false).build().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Patterns as people write them, and as nobody would.
    fn patterns() -> impl Strategy<Value = String> {
        let atom = prop_oneof![
            4 => "[abA.]{1,3}",
            1 => Just("iam.amazonaws.com".to_owned()),
            1 => prop_oneof![Just(r"\."), Just(r"\w"), Just(r"\d+"), Just(r"\b"), Just("[ab]"), Just("[^a]"), Just("k"), Just("é"), Just("(?i)"), Just("a?"), Just("\n"), Just("$"), Just("^")].prop_map(str::to_owned),
            1 => Just(".*".to_owned()),
            1 => Just(".+".to_owned()),
        ];
        let list = prop::collection::vec(atom, 0..4).prop_map(|atoms| atoms.concat());
        let group = prop_oneof![
            3 => list.clone(),
            1 => (list.clone(), list.clone()).prop_map(|(a, b)| format!("({a}|{b})")),
            1 => (list.clone(), list.clone()).prop_map(|(a, b)| format!("(?:{a}|{b}){b}")),
            1 => (list.clone(), list).prop_map(|(a, b)| format!("{a}|{b}")),
        ];
        (
            prop_oneof![Just(""), Just("^"), Just(".*"), Just("^.*"), Just("(?s)"), Just("(?m)^"), Just("(?i)^")],
            prop::collection::vec(group, 1..3).prop_map(|groups| groups.concat()),
            prop_oneof![
                Just(""),
                Just("$"),
                Just(".*"),
                Just(".*$"),
                Just(".+"),
                Just(".+$"),
                Just("?"),
                Just("*"),
                Just("{2}")
            ],
        )
            .prop_map(|(start, middle, end)| format!("{start}{middle}{end}"))
    }

    fn texts() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            5 => "[abAB.kK]{0,3}",
            1 => prop_oneof![Just("iam.amazonaws.com"), Just("iamxamazonaws-com"), Just("\n"), Just("é"), Just("\u{212a}"), Just("1")].prop_map(str::to_owned),
        ];
        prop::collection::vec(piece, 0..4).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1_500))]

        /// The whole of a pattern's meaning is the regex crate's.
        #[test]
        fn a_pattern_means_what_the_regex_means(written in patterns(), texts in prop::collection::vec(texts(), 6)) {
            match (Pattern::new(&written), Regex::new(&written)) {
                (Ok(pattern), Ok(regex)) => for text in &texts {
                    let found = regex.is_match(text);
                    prop_assert_eq!(pattern.is_match(text), found, "{:?} in {:?} as {:?}", written, text, pattern.literals());
                    if found && let Some(literals) = pattern.required_literals() {
                        prop_assert!(literals.iter().any(|literal| literal.is_in(text)), "{:?} in {:?}: {:?}", written, text, literals);
                    }
                },
                (Err(_), Err(_)) => {}
                (ours, theirs) => prop_assert!(false, "{:?}: {:?} {:?}", written, ours.is_ok(), theirs.is_ok()),
            }
        }

    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// What is not compiled at once is never too large to be compiled later.
        #[test]
        fn what_is_judged_small_is_small(
            atom in prop_oneof![Just("a"), Just("."), Just(r"\w"), Just(r"\pL"), Just("(?i)straße"), Just("[a-z]"), Just("(?:ab|c[de])")],
            inner in 1u32..60, outer in 1u32..60,
        ) {
            let written = format!("(?:(?:{atom}){{{inner}}}x){{0,{outer}}}");
            let hir = regex_syntax::parse(&written).unwrap();
            prop_assert!(hir::may_be_too_large(&hir) || Regex::new(&written).is_ok(), "{}", written);
        }
    }

    #[cfg(feature = "cli")]
    #[test]
    fn a_pattern_of_a_whole_text_in_either_case_is_known() {
        let of = |written: &str| Pattern::new(written).unwrap().any_case();
        let texts = |texts: &[&str]| Some(texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>());
        assert_eq!(of("(?i)^Root$"), texts(&["root"]));
        assert_eq!(of("^(?i)(Root|admin)$"), texts(&["root", "admin"]));
        assert_eq!(of("(?i)^(Kim|a)$"), texts(&["kim", "\u{212a}im", "a"]));
        assert_eq!(of(r"(?i)^ec2\.amazonaw[s]$").map(|texts| texts.len()), Some(2));
        for other in ["(?i)root", "(?i)^root", "(?i)^root.*$", "(?im)^root$", "(?i)^sssss$", "(?i)^[a-z]$", "^root$"] {
            assert_eq!(of(other), None, "{other}");
        }
    }

    #[test]
    fn the_usual_patterns_need_no_regular_expression() {
        for written in [
            "StartInstances",
            "^(IAM).*",
            "^(iam.amazonaws.com).*",
            "^StopLogging$",
            "^(Create|Delete)(User|Role)$",
            ".*Policy$",
            "^.*Policy.*$",
            r"^ec2\.amazonaws\.com$",
            "^Create|^Delete",
            "[CD]reate",
            "^Users?$",
            "(?:^root$)",
        ] {
            assert!(Pattern::new(written).unwrap().literals().is_some(), "{written}");
        }
        for written in [r"\d+", "^Create.*Policy$", "(?i)administrator", r"\broot\b", "[^a]"] {
            assert!(Pattern::new(written).unwrap().literals().is_none(), "{written}");
        }
    }

    #[test]
    fn mistakes_are_told_when_the_pattern_is_made() {
        for bad in ["(", "a{2", "[", "(?!x)y", r"(a)\1", "a**b(", r"\", "(?z)a"] {
            match (Pattern::new(bad), Regex::new(bad)) {
                (Err(PatternError::Syntax(ours)), Err(theirs)) => assert_eq!(ours, theirs.to_string()),
                (ours, theirs) => assert_eq!(ours.is_ok(), theirs.is_ok(), "{bad}"),
            }
        }
        for large in
            ["a{1000}{1000}", r"\pL{1000}", "((((((((((((x{2}){2}){2}){2}){2}){2}){2}){2}){99}){99}){99}){99})"]
        {
            assert!(matches!(Pattern::new(large), Err(PatternError::TooLarge)), "{large}");
        }
    }

    #[test]
    fn groups_are_counted_and_found() {
        let pattern = Pattern::new("^arn:.*/(.+)$").unwrap();
        assert_eq!((pattern.groups(), pattern.group("arn:aws:iam::1:role/Admin")), (1, Some("Admin")));
        assert_eq!(pattern.group("Admin"), None);
    }
}
