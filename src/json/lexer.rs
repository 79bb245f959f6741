//! Walks over JSON text, checking all of it: what the tree is built with, and what the engine picks fields with.
//!
//! JSON's grammar (RFC 8259) and nothing else: no comments, no trailing commas, no control characters in strings. Lone
//! surrogates are grammatical. Numbers may have any size. Nesting of any depth takes memory, one bit a level, and no stack.

use std::borrow::Cow;
use std::ops::Range;

/// The text is not JSON; [`Lexer::at`] stands near the place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NotJson;

type Result<T> = std::result::Result<T, NotJson>;

/// A place in a text.
#[derive(Debug, Clone)]
pub(crate) struct Lexer<'t> {
    text: &'t [u8],
    at: usize,
}

/// A string as it stands in the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Quoted {
    /// Its bytes, without the quotes.
    pub(crate) inner: Range<usize>,
    /// Whether there is a backslash in it.
    pub(crate) escaped: bool,
}

/// The bytes of a word, one after the other.
const ONES: u64 = u64::MAX / 255;
const HIGH_BITS: u64 = ONES << 7;

impl<'t> Lexer<'t> {
    /// Begins at the text's byte `at`.
    pub(crate) fn new(text: &'t str, at: usize) -> Self {
        Self { text: text.as_bytes(), at }
    }

    /// The place.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// The byte at the place.
    pub(crate) fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    /// Steps over white space.
    #[inline]
    pub(crate) fn space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.at += 1;
        }
    }

    /// Steps over `byte`, if it stands here.
    #[inline]
    pub(crate) fn take(&mut self, byte: u8) -> bool {
        let there = self.peek() == Some(byte);
        self.at += usize::from(there);
        there
    }

    /// Steps over `byte`, which must stand here.
    #[inline]
    pub(crate) fn expect(&mut self, byte: u8) -> Result<()> {
        if self.take(byte) { Ok(()) } else { Err(NotJson) }
    }

    /// Whether the rest is white space.
    pub(crate) fn is_at_end(&mut self) -> bool {
        self.space();
        self.at == self.text.len()
    }

    /// A string, from its opening quote.
    #[inline]
    pub(crate) fn string(&mut self) -> Result<Quoted> {
        self.expect(b'"')?;
        let start = self.at;
        let mut escaped = false;
        loop {
            self.plain();
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(Quoted { inner: start..self.at - 1, escaped });
                }
                Some(b'\\') => {
                    escaped = true;
                    self.escape()?;
                }
                _ => return Err(NotJson),
            }
        }
    }

    /// Steps to the next quote, backslash or control character: eight bytes at a time.
    #[inline]
    fn plain(&mut self) {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let (words, tail) = rest.as_chunks::<8>();
        for word in words {
            let word = u64::from_le_bytes(*word);
            // The high bit of each byte that is zero; beyond the first one there may be false ones.
            let zeros = |word: u64| word.wrapping_sub(ONES) & !word;
            let quote = zeros(word ^ (ONES * u64::from(b'"')));
            let backslash = zeros(word ^ (ONES * u64::from(b'\\')));
            let control = word.wrapping_sub(ONES * 0x20) & !word;
            let stops = (quote | backslash | control) & HIGH_BITS;
            if stops != 0 {
                self.at += stops.trailing_zeros() as usize / 8;
                return;
            }
            self.at += 8;
        }
        self.at += tail.iter().take_while(|byte| !matches!(byte, b'"' | b'\\' | 0..0x20)).count();
    }

    fn escape(&mut self) -> Result<()> {
        match self.text.get(self.at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 2,
            Some(b'u') => {
                let digits = self.text.get(self.at + 2..self.at + 6).ok_or(NotJson)?;
                if !digits.iter().all(u8::is_ascii_hexdigit) {
                    return Err(NotJson);
                }
                self.at += 6;
            }
            _ => return Err(NotJson),
        }
        Ok(())
    }

    /// A number.
    pub(crate) fn number(&mut self) -> Result<Range<usize>> {
        let start = self.at;
        self.take(b'-');
        if !self.take(b'0') {
            self.digits()?;
        }
        if self.take(b'.') {
            self.digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            let _sign = self.take(b'+') || self.take(b'-');
            self.digits()?;
        }
        Ok(start..self.at)
    }

    fn digits(&mut self) -> Result<()> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at > start { Ok(()) } else { Err(NotJson) }
    }

    /// `true`, `false` or `null`.
    pub(crate) fn word(&mut self) -> Result<()> {
        let rest = &self.text[self.at..];
        let word: &[u8] = match rest.first() {
            Some(b't') => b"true",
            Some(b'f') => b"false",
            _ => b"null",
        };
        if !rest.starts_with(word) {
            return Err(NotJson);
        }
        self.at += word.len();
        Ok(())
    }

    /// A string, number, boolean or null.
    #[inline]
    fn scalar(&mut self) -> Result<()> {
        match self.peek() {
            Some(b'"') => self.string().map(drop),
            Some(b'-' | b'0'..=b'9') => self.number().map(drop),
            _ => self.word(),
        }
    }

    /// Steps over a value of any kind and depth. `nesting` is memory to use.
    pub(crate) fn skip(&mut self, nesting: &mut Nesting) -> Result<()> {
        match self.peek() {
            Some(b'{' | b'[') => self.skip_nested(nesting),
            _ => self.scalar(),
        }
    }

    fn skip_nested(&mut self, nesting: &mut Nesting) -> Result<()> {
        nesting.clear();
        loop {
            // At a value.
            let opened = match self.peek() {
                Some(b'{') => Some(true),
                Some(b'[') => Some(false),
                _ => None,
            };
            let mut first = false;
            if let Some(object) = opened {
                self.at += 1;
                nesting.push(object);
                first = true;
            } else {
                self.scalar()?;
            }
            // After a value, or after a bracket that opens: to the next value.
            loop {
                self.space();
                let object = nesting.is_object();
                let closed = self.take(if object { b'}' } else { b']' });
                if closed {
                    if nesting.pop() {
                        return Ok(());
                    }
                    first = false;
                    continue;
                }
                if !first {
                    self.expect(b',')?;
                    self.space();
                }
                if object {
                    self.key()?;
                }
                break;
            }
        }
    }

    /// Goes to the byte `at`, where the caller knows that a value ends.
    pub(crate) fn go_to(&mut self, at: usize) {
        self.at = at;
    }

    /// Steps over the bracket that opens an object or an array, and the white space after it.
    #[inline]
    pub(crate) fn open(&mut self) -> Result<()> {
        if !matches!(self.peek(), Some(b'{' | b'[')) {
            return Err(NotJson);
        }
        self.at += 1;
        self.space();
        Ok(())
    }

    /// After a member or an element: whether another follows.
    #[inline]
    pub(crate) fn goes_on(&mut self, close: u8) -> Result<bool> {
        self.space();
        if self.take(close) {
            return Ok(false);
        }
        self.expect(b',')?;
        self.space();
        Ok(true)
    }

    /// A key, its colon, and the white space around.
    #[inline]
    pub(crate) fn key(&mut self) -> Result<Quoted> {
        let key = self.string()?;
        self.space();
        self.expect(b':')?;
        self.space();
        Ok(key)
    }
}

/// Which of the brackets that are open are objects': a bit each.
#[derive(Debug, Default)]
pub(crate) struct Nesting {
    /// The innermost levels, the last one lowest.
    bits: u64,
    depth: usize,
    /// Every 64 levels outside of those.
    outer: Vec<u64>,
}

impl Nesting {
    fn clear(&mut self) {
        self.outer.clear();
        self.depth = 0;
    }

    fn push(&mut self, object: bool) {
        if self.depth > 0 && self.depth.is_multiple_of(64) {
            self.outer.push(self.bits);
        }
        self.bits = self.bits << 1 | u64::from(object);
        self.depth += 1;
    }

    fn is_object(&self) -> bool {
        self.bits & 1 == 1
    }

    /// Closes the innermost bracket; whether it was the last.
    fn pop(&mut self) -> bool {
        self.depth -= 1;
        self.bits >>= 1;
        if self.depth > 0 && self.depth.is_multiple_of(64) {
            self.bits = self.outer.pop().unwrap_or_default();
        }
        self.depth == 0
    }
}

/// The text of a string between its quotes. A lone surrogate becomes U+FFFD.
pub(crate) fn unescape(inner: &str) -> Cow<'_, str> {
    let Some(first) = inner.find('\\') else { return Cow::Borrowed(inner) };
    let mut out = String::with_capacity(inner.len());
    out.push_str(&inner[..first]);
    let mut rest = &inner[first..];
    while let Some(after) = rest.strip_prefix('\\') {
        let (c, length) = match after.as_bytes().first() {
            Some(b'b') => ('\u{8}', 1),
            Some(b'f') => ('\u{c}', 1),
            Some(b'n') => ('\n', 1),
            Some(b'r') => ('\r', 1),
            Some(b't') => ('\t', 1),
            Some(b'u') => unicode(after),
            Some(other) => (char::from(*other), 1),
            None => break,
        };
        out.push(c);
        let next = after.get(length..).unwrap_or_default();
        let plain = next.find('\\').unwrap_or(next.len());
        out.push_str(&next[..plain]);
        rest = &next[plain..];
    }
    Cow::Owned(out)
}

/// The character of `uD83D\uDE00…`, and the bytes that it takes.
fn unicode(after: &str) -> (char, usize) {
    let unit = |from: usize| after.get(from..from + 4).and_then(|hex| u32::from_str_radix(hex, 16).ok());
    let Some(first) = unit(1) else { return (char::REPLACEMENT_CHARACTER, 5) };
    if (0xd800..0xdc00).contains(&first)
        && after.get(5..7) == Some("\\u")
        && let Some(second @ 0xdc00..0xe000) = unit(7)
    {
        let code = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
        return (char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER), 11);
    }
    (char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER), 5)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn is_json(text: &str) -> bool {
        let mut lexer = Lexer::new(text, 0);
        lexer.space();
        lexer.skip(&mut Nesting::default()).is_ok() && lexer.is_at_end()
    }

    #[test]
    fn nesting_of_any_depth_is_remembered() {
        for depth in [1, 63, 64, 65, 127, 128, 129, 200_000] {
            let open: String = (0..depth).map(|level| if level % 3 == 0 { "{\"\":" } else { "[" }).collect();
            let close: String = (0..depth).rev().map(|level| if level % 3 == 0 { '}' } else { ']' }).collect();
            assert!(is_json(&format!("{open}1{close}")), "{depth}");
            assert!(!is_json(&format!("{open}1{close}]")), "{depth}");
            assert!(!is_json(&format!("{open}1{}", &close[1..])), "{depth}");
        }
    }

    #[test]
    fn escapes_are_undone() {
        assert_eq!(unescape(r#"a\"\\\/\b\f\n\r\t\u00e9\uD83D\ude00z"#), "a\"\\/\u{8}\u{c}\n\r\té😀z");
        assert_eq!(unescape(r"\ud800x\udc00\ud800\ud83d\ude00"), "\u{fffd}x\u{fffd}\u{fffd}😀");
    }

    /// Nearly JSON.
    fn documents() -> impl Strategy<Value = String> {
        let piece = prop::sample::select(vec![
            "{",
            "}",
            "[",
            "]",
            ",",
            ":",
            "\"a\":",
            "\"\\n\\u00e9\"",
            "\"\\x\"",
            "\"abcdefghij klmnop\"",
            "\"\u{1}\"",
            "\"é\"",
            "1",
            "-0.5e+3",
            "01",
            "-",
            "1.",
            "true",
            "nul",
            "null",
            " ",
            "\n",
            "\"",
            "\\",
            "{\"a\":1}",
            "[1,2]",
            "[]",
            "{}",
        ]);
        prop_oneof![
            prop::collection::vec(piece.clone(), 0..12).prop_map(|pieces| pieces.concat()),
            prop::collection::vec(piece, 0..6).prop_map(|pieces| format!("[{}]", pieces.join(","))),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(3_000))]

        #[test]
        fn what_is_json_is_serde_jsons_to_say(text in documents()) {
            prop_assert_eq!(is_json(&text), serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok(), "{:?}", text);
        }

        #[test]
        fn strings_are_what_serde_json_reads(text in any::<String>()) {
            let quoted = serde_json::to_string(&text).unwrap();
            let string = Lexer::new(&quoted, 0).string().unwrap();
            prop_assert_eq!(unescape(&quoted[string.inner]), text);
        }
    }
}
