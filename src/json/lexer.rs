//! Walks over JSON text, checking all of it. The tree is built with it, and the engine extracts fields with it.
//!
//! It takes the grammar of RFC 8259 (<https://www.rfc-editor.org/rfc/rfc8259>) and nothing else: no comments, no trailing
//! commas, no control characters in strings. Lone surrogates are grammatical, and numbers may have any size. Nesting of any
//! depth takes memory, one bit a level, and no stack.
//!
//! A place goes into each function and the place after it comes out, rather than being kept in the lexer. So it stays in a
//! register: a scan spends most of its time here.

#![allow(
    clippy::inline_always,
    reason = "a scan spends most of its time here; left alone, the compiler makes calls of it"
)]

use std::borrow::Cow;
use std::ops::Range;

use super::stops::Stops;

/// A text is not JSON. [`super::why_not_json`] tells why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not JSON")]
pub(crate) struct NotJson;

type Result<T> = std::result::Result<T, NotJson>;

/// The white space of JSON: no other counts as such, although Rust's `trim` takes more.
pub(crate) const WHITE_SPACE: [char; 4] = [' ', '\n', '\r', '\t'];

/// A text to walk over. Places are byte offsets.
#[derive(Debug, Clone)]
pub(crate) struct Lexer<'t> {
    text: &'t [u8],
    stops: Stops,
}

/// A string as it stands in the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Quoted {
    /// Its bytes, without the quotes.
    pub(crate) inner: Range<usize>,
    /// Whether there is a backslash in it.
    pub(crate) escaped: bool,
}

/// What comes next inside an object or array.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// A member or an element, which begins at this place.
    Part(usize),
    /// The bracket that closes. This is the place behind it.
    End(usize),
}

impl Quoted {
    /// The place behind the closing quote.
    #[inline(always)]
    pub(crate) fn end(&self) -> usize {
        self.inner.end + 1
    }
}

impl<'t> Lexer<'t> {
    /// A lexer for a text.
    pub(crate) fn new(text: &'t str) -> Self {
        Self { text: text.as_bytes(), stops: Stops::new() }
    }

    /// The byte at a place. Behind the end of the text it is 0, which stands nowhere in JSON.
    #[inline(always)]
    pub(crate) fn byte(&self, at: usize) -> u8 {
        self.text.get(at).copied().unwrap_or_default()
    }

    /// The two bytes at a place.
    #[inline(always)]
    fn pair(&self, at: usize) -> [u8; 2] {
        self.text.get(at..).and_then(<[u8]>::first_chunk).copied().unwrap_or_default()
    }

    /// The place behind white space.
    #[inline(always)]
    pub(crate) fn space(&self, at: usize) -> usize {
        // Compact JSON has none.
        if self.byte(at) > b' ' { at } else { self.some_space(at) }
    }

    #[inline(never)]
    fn some_space(&self, mut at: usize) -> usize {
        while let b' ' | b'\n' | b'\r' | b'\t' = self.byte(at) {
            at += 1;
        }
        at
    }

    /// Whether there is nothing from here on but white space.
    pub(crate) fn is_at_end(&self, at: usize) -> bool {
        at == self.text.len() || self.space(at) >= self.text.len()
    }

    /// The string whose opening quote must stand here.
    #[inline(always)]
    pub(crate) fn string(&mut self, at: usize) -> Result<Quoted> {
        if self.byte(at) != b'"' {
            return Err(NotJson);
        }
        let stop = self.stops.next(self.text, at + 1);
        if self.byte(stop) == b'"' {
            return Ok(Quoted { inner: at + 1..stop, escaped: false });
        }
        Ok(Quoted { inner: at + 1..self.escapes(stop)?, escaped: true })
    }

    /// The closing quote of a string of which this is the first backslash.
    #[inline(never)]
    fn escapes(&mut self, mut at: usize) -> Result<usize> {
        loop {
            at = match self.byte(at) {
                b'"' => return Ok(at),
                b'\\' => self.stops.next(self.text, self.escape(at)?),
                _ => return Err(NotJson),
            };
        }
    }

    fn escape(&self, at: usize) -> Result<usize> {
        match self.byte(at + 1) {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Ok(at + 2),
            b'u' => {
                let digits = self.text.get(at + 2..at + 6).ok_or(NotJson)?;
                if digits.iter().all(u8::is_ascii_hexdigit) { Ok(at + 6) } else { Err(NotJson) }
            }
            _ => Err(NotJson),
        }
    }

    /// The place behind a number.
    pub(crate) fn number(&self, mut at: usize) -> Result<usize> {
        at += usize::from(self.byte(at) == b'-');
        at = if self.byte(at) == b'0' { at + 1 } else { self.digits(at)? };
        if self.byte(at) == b'.' {
            at = self.digits(at + 1)?;
        }
        if let b'e' | b'E' = self.byte(at) {
            let sign = usize::from(matches!(self.byte(at + 1), b'+' | b'-'));
            at = self.digits(at + 1 + sign)?;
        }
        Ok(at)
    }

    #[inline(always)]
    fn digits(&self, start: usize) -> Result<usize> {
        let mut at = start;
        while self.byte(at).is_ascii_digit() {
            at += 1;
        }
        if at > start { Ok(at) } else { Err(NotJson) }
    }

    /// The place behind `true`, `false` or `null`.
    pub(crate) fn word(&self, at: usize) -> Result<usize> {
        let rest = self.text.get(at..).unwrap_or_default();
        match rest {
            [b't', b'r', b'u', b'e', ..] | [b'n', b'u', b'l', b'l', ..] => Ok(at + 4),
            [b'f', b'a', b'l', b's', b'e', ..] => Ok(at + 5),
            _ => Err(NotJson),
        }
    }

    /// The key that stands here, and the place of its value.
    #[inline(always)]
    pub(crate) fn key(&mut self, at: usize) -> Result<(Quoted, usize)> {
        let key = self.string(at)?;
        let mut at = key.end();
        if self.pair(at) == *b":\"" {
            return Ok((key, at + 1));
        }
        at = self.space(at);
        if self.byte(at) == b':' { Ok((key, self.space(at + 1))) } else { Err(NotJson) }
    }

    /// What comes next behind the bracket at this place, which opens.
    #[inline(always)]
    pub(crate) fn open(&self, at: usize) -> Next {
        let close = closing(self.byte(at));
        let at = self.space(at + 1);
        if self.byte(at) == close { Next::End(at + 1) } else { Next::Part(at) }
    }

    /// What comes next behind a member or an element that ends at this place. `close` is the bracket that closes.
    #[inline(always)]
    pub(crate) fn next(&self, mut at: usize, close: u8) -> Result<Next> {
        if self.pair(at) == *b",\"" {
            return Ok(Next::Part(at + 1));
        }
        at = self.space(at);
        match self.byte(at) {
            b',' => Ok(Next::Part(self.space(at + 1))),
            byte if byte == close => Ok(Next::End(at + 1)),
            _ => Err(NotJson),
        }
    }

    /// The place behind a value of any kind and depth, all of which is checked. `nesting` is memory to use.
    #[inline(always)]
    pub(crate) fn skip(&mut self, at: usize, nesting: &mut Nesting) -> Result<usize> {
        match self.byte(at) {
            b'"' => self.string(at).map(|string| string.end()),
            b'{' | b'[' => self.skip_nested(at, nesting),
            b'-' | b'0'..=b'9' => self.number(at),
            _ => self.word(at),
        }
    }

    #[inline(never)]
    fn skip_nested(&mut self, mut at: usize, nesting: &mut Nesting) -> Result<usize> {
        nesting.clear();
        loop {
            // At a value.
            at = match self.byte(at) {
                b'"' => self.string(at)?.end(),
                bracket @ (b'{' | b'[') => match self.open(at) {
                    Next::Part(part) => {
                        nesting.push(bracket == b'{');
                        at = if bracket == b'{' { self.key(part)?.1 } else { part };
                        continue;
                    }
                    Next::End(end) => end,
                },
                b'-' | b'0'..=b'9' => self.number(at)?,
                _ => self.word(at)?,
            };
            // After a value: to the next one.
            loop {
                let Some(is_object) = nesting.innermost() else { return Ok(at) };
                match self.next(at, if is_object { b'}' } else { b']' })? {
                    Next::Part(part) => {
                        at = if is_object { self.key(part)?.1 } else { part };
                        break;
                    }
                    Next::End(end) => {
                        at = end;
                        nesting.pop();
                    }
                }
            }
        }
    }
}

/// The bracket that closes what this one opens.
#[inline(always)]
fn closing(bracket: u8) -> u8 {
    if bracket == b'{' { b'}' } else { b']' }
}

/// The brackets that are open, a bit for each: whether it is an object's.
#[derive(Debug)]
pub(crate) struct Nesting {
    /// The innermost levels, the last in the lowest bit, below a bit that is always set.
    bits: u64,
    /// The levels outside of those, 63 in each word.
    outer: Vec<u64>,
}

impl Default for Nesting {
    fn default() -> Self {
        Self { bits: 1, outer: Vec::new() }
    }
}

impl Nesting {
    #[inline(always)]
    fn clear(&mut self) {
        self.outer.clear();
        self.bits = 1;
    }

    #[inline(always)]
    fn push(&mut self, is_object: bool) {
        if self.bits >> 63 == 1 {
            self.outer.push(self.bits);
            self.bits = 1;
        }
        self.bits = self.bits << 1 | u64::from(is_object);
    }

    /// Whether the innermost bracket is an object's; `None` if none is open.
    #[inline(always)]
    fn innermost(&self) -> Option<bool> {
        (self.bits != 1).then_some(self.bits & 1 == 1)
    }

    /// Closes the innermost bracket.
    #[inline(always)]
    fn pop(&mut self) {
        self.bits >>= 1;
        if self.bits == 1 {
            self.bits = self.outer.pop().unwrap_or(1);
        }
    }
}

/// The text of a string, which is given as it stands between its quotes. A lone surrogate becomes U+FFFD.
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

/// The character that an escape stands for, given what follows its backslash (`uD83D\uDE00…`), and the bytes that it takes.
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
        let mut lexer = Lexer::new(text);
        lexer.skip(lexer.space(0), &mut Nesting::default()).is_ok_and(|end| lexer.is_at_end(end))
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
            let string = Lexer::new(&quoted).string(0).unwrap();
            prop_assert_eq!(unescape(&quoted[string.inner]), text);
        }
    }
}
