//! Takes a text apart into the tokens of JSON, and forgives what people write by habit: each such thing is noted, and the token
//! stands for what was meant.

use std::ops::Range;

use super::mistake::{Mistake, MistakeKind};
use super::spelling::{is_number, mended_escape, mended_number};
use crate::json::WHITE_SPACE;

/// A part of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    pub(super) span: Range<usize>,
}

/// What a part of the text is, or was meant to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TokenKind {
    OpenObject,
    OpenList,
    CloseObject,
    CloseList,
    Colon,
    Comma,
    Equals,
    Semicolon,
    /// A text in quotes, of whatever kind.
    Text,
    /// A number, or `true`, `false` or `null`.
    Scalar,
    /// A word without quotes.
    Bare,
    /// What can be no part of JSON.
    Other,
    End,
}

/// Reads token after token.
pub(super) struct Tokens<'t> {
    text: &'t str,
    at: usize,
    pub(super) mistakes: Vec<Mistake>,
}

/// What ends a word without quotes.
const DELIMITERS: &str = ",:{}[]\"'`=;#";

impl<'t> Tokens<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        let mut tokens = Self { text, at: 0, mistakes: Vec::new() };
        if text.starts_with('\u{feff}') {
            tokens.at = '\u{feff}'.len_utf8();
            tokens.mistakes.push(Mistake::new(MistakeKind::ByteOrderMark, 0..tokens.at).replaced_by(""));
        }
        tokens
    }

    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn note(&mut self, kind: MistakeKind, span: Range<usize>) {
        self.mistakes.push(Mistake::new(kind, span));
    }

    pub(super) fn next(&mut self) -> Token {
        self.skip();
        let start = self.at;
        let Some(first) = self.rest().chars().next() else { return Token { kind: TokenKind::End, span: start..start } };
        let kind = match first {
            '{' => self.one(TokenKind::OpenObject),
            '[' => self.one(TokenKind::OpenList),
            '}' => self.one(TokenKind::CloseObject),
            ']' => self.one(TokenKind::CloseList),
            ':' => self.one(TokenKind::Colon),
            ',' => self.one(TokenKind::Comma),
            ';' => self.one(TokenKind::Semicolon),
            '=' => {
                self.at += if self.rest().starts_with("=>") { 2 } else { 1 };
                TokenKind::Equals
            }
            '"' => self.text(),
            '\'' | '`' => self.text_in_quotes(MistakeKind::QuotesOfAnotherKind, |c| c == first),
            '“' | '”' | '„' | '‟' | '″' | '«' | '»' => {
                self.text_in_quotes(MistakeKind::TypographicQuotes, |c| "“”„‟″«»\"".contains(c))
            }
            '‘' | '’' | '‚' | '‛' => {
                self.text_in_quotes(MistakeKind::TypographicQuotes, |c| "‘’‚‛".contains(c))
            }
            _ => self.word(),
        };
        Token { kind, span: start..self.at }
    }

    fn one(&mut self, kind: TokenKind) -> TokenKind {
        self.at += 1;
        kind
    }

    /// Passes by what stands between tokens, and should not all stand there.
    fn skip(&mut self) {
        loop {
            let rest = self.rest();
            self.at += rest.len() - rest.trim_start_matches(WHITE_SPACE).len();
            let rest = self.rest();
            let start = self.at;
            let line_end = start + rest.find('\n').unwrap_or(rest.len());
            let line = self.text[start..line_end].trim_end_matches('\r');
            let begins_line = self.text[..start].ends_with('\n') || start == 0;
            if begins_line && ["<<<<<<<", "=======", ">>>>>>>"].iter().any(|mark| rest.starts_with(mark)) {
                self.at = start + line.len();
                self.note(MistakeKind::ConflictMarker, start..self.at);
            } else if rest.starts_with("//") || rest.starts_with('#') {
                self.at = start + line.len();
                self.comment(start);
            } else if rest.starts_with("/*") {
                let Some(end) = rest.find("*/") else {
                    self.at = self.text.len();
                    self.note(MistakeKind::OpenComment, start..start + 2);
                    continue;
                };
                self.at = start + end + 2;
                self.comment(start);
            } else if let Some(space) = rest.chars().next().filter(|c| c.is_whitespace() || *c == '\u{feff}') {
                self.at += space.len_utf8();
                self.mistakes.push(Mistake::new(MistakeKind::OddSpace, start..self.at).replaced_by(" "));
            } else {
                return;
            }
        }
    }

    /// A comment that ends here. With it goes its line, if nothing else stands there, or the blanks before it.
    fn comment(&mut self, start: usize) {
        let end = self.at;
        let blank = [' ', '\t'];
        let before = self.text[..start].trim_end_matches(blank).len();
        let after = end + (self.rest().len() - self.rest().trim_start_matches(blank).len());
        let line_ends = ["\r\n", "\n"].iter().find(|end| self.text[after..].starts_with(**end));
        let is_alone = before == 0 || self.text[..before].ends_with('\n');
        let gone = match line_ends {
            Some(line_end) if is_alone => before..after + line_end.len(),
            Some(_) => before..after,
            None if self.text[after..].is_empty() => before..after,
            None => start..after,
        };
        // Two words that only a comment kept apart stay apart.
        self.mistakes.push(Mistake::new(MistakeKind::Comment, start..end).fixed_by(gone, ""));
    }

    /// A text in double quotes.
    fn text(&mut self) -> TokenKind {
        let start = self.at;
        self.at += 1;
        loop {
            let at = self.at;
            let Some(c) = self.rest().chars().next() else {
                self.unclosed(start);
                break;
            };
            match c {
                '"' => {
                    self.at += 1;
                    break;
                }
                '\\' => self.escape(),
                '\n' if !self.goes_on() => {
                    self.unclosed(start);
                    break;
                }
                '\r' if self.rest().starts_with("\r\n") => {
                    if !self.goes_on() {
                        self.unclosed(start);
                        break;
                    }
                    self.at += 2;
                    self.mistakes.push(Mistake::new(MistakeKind::LineBreakInText, at..self.at).replaced_by("\\n"));
                }
                '\n' => {
                    self.at += 1;
                    self.mistakes.push(Mistake::new(MistakeKind::LineBreakInText, at..self.at).replaced_by("\\n"));
                }
                c if (c as u32) < 0x20 => {
                    self.at += 1;
                    let escape = match c {
                        '\t' => "\\t".to_owned(),
                        '\r' => "\\r".to_owned(),
                        c => format!("\\u{:04x}", c as u32),
                    };
                    self.mistakes.push(Mistake::new(MistakeKind::ControlInText, at..self.at).replaced_by(escape));
                }
                c => self.at += c.len_utf8(),
            }
        }
        TokenKind::Text
    }

    /// Whether a text that is still open at the end of its line is meant to go on: its next quotation mark stands where a text
    /// ends, and not where another begins.
    fn goes_on(&self) -> bool {
        let mut rest = self.rest().char_indices();
        while let Some((at, c)) = rest.next() {
            match c {
                '\\' => {
                    rest.next();
                }
                '"' => {
                    let after = self.rest()[at + 1..].trim_start_matches(WHITE_SPACE);
                    return after.is_empty() || after.starts_with([',', ':', '}', ']']);
                }
                _ => {}
            }
        }
        false
    }

    /// A text without an end: it is taken to end with its line, before the comma that closes the line.
    fn unclosed(&mut self, start: usize) {
        let line = &self.text[start + 1..];
        let line = line.split('\n').next().unwrap_or_default().trim_end();
        let line = line.strip_suffix(',').unwrap_or(line).trim_end();
        // A typographic quote at its end was to close it.
        if let Some(quote) = line.chars().last().filter(|c| "“”„‟″".contains(*c)) {
            let end = start + 1 + line.len();
            let at = end - quote.len_utf8();
            self.mistakes.push(Mistake::new(MistakeKind::TypographicQuotes, at..end).replaced_by("\""));
            self.at = end;
            return;
        }
        let line = line.trim_end_matches(['}', ']', ' ', '\t']);
        self.at = start + 1 + line.len();
        self.note(MistakeKind::UnclosedText, start..self.at);
    }

    /// A backslash inside a text, and what belongs to it.
    fn escape(&mut self) {
        let start = self.at;
        self.at += 1;
        let Some(c) = self.rest().chars().next() else { return };
        // The line's end is looked at by whoever reads the text.
        if c == '\n' || c == '\r' {
            return self.note(MistakeKind::BadEscape, start..self.at);
        }
        let is_hex = || self.rest().get(1..5).is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
        if "\"\\/bfnrt".contains(c) || (c == 'u' && is_hex()) {
            self.at += if c == 'u' { 5 } else { 1 };
            return;
        }
        self.at += c.len_utf8();
        let mistake = Mistake::new(MistakeKind::BadEscape, start..self.at);
        self.mistakes.push(match mended_escape(c) {
            Some(mended) => mistake.replaced_by(mended),
            None => mistake,
        });
    }

    /// A text in quotes of another kind, which ends on its line.
    fn text_in_quotes(&mut self, kind: MistakeKind, closes: impl Fn(char) -> bool) -> TokenKind {
        let start = self.at;
        let mut content = String::new();
        let mut is_sure = true;
        let mut chars = self.rest().char_indices().skip(1);
        while let Some((at, c)) = chars.next() {
            match c {
                '\n' | '\r' => break,
                '\\' => match chars.next() {
                    Some((_, c)) if "\"\\/bfnrtu".contains(c) => content.extend(['\\', c]),
                    Some((_, '\n' | '\r')) | None => break,
                    Some((_, c)) => {
                        let mended = mended_escape(c);
                        is_sure &= mended.is_some();
                        content.push_str(&mended.unwrap_or_else(|| format!("\\{c}")));
                    }
                },
                c if closes(c) => {
                    self.at = start + at + c.len_utf8();
                    let mistake = Mistake::new(kind, start..self.at);
                    let content = format!("\"{content}\"");
                    let is_text = is_sure && serde_json::from_str::<String>(&content).is_ok();
                    self.mistakes.push(if is_text { mistake.replaced_by(content) } else { mistake });
                    return TokenKind::Text;
                }
                '"' => content.push_str("\\\""),
                c => content.push(c),
            }
        }
        self.at = start + self.rest().chars().next().map_or(0, char::len_utf8);
        TokenKind::Other
    }

    /// A number, a literal, or a word that lacks its quotes.
    fn word(&mut self) -> TokenKind {
        let start = self.at;
        let mut rest = self.rest().char_indices();
        let ends = |(at, c): &(usize, char)| {
            c.is_whitespace()
                || DELIMITERS.contains(*c)
                || (*c as u32) < 0x20
                || ["//", "/*"].iter().any(|comment| self.rest()[*at..].starts_with(comment))
        };
        let end = rest.find(ends).map_or(self.text.len(), |(at, _)| start + at);
        if end == start {
            self.at += self.rest().chars().next().map_or(0, char::len_utf8);
            return TokenKind::Other;
        }
        self.at = end;
        let word = &self.text[start..end];
        let mistake = |kind| Mistake::new(kind, start..end);
        let other = match word {
            "true" | "false" | "null" => return TokenKind::Scalar,
            "True" | "TRUE" => Some("true"),
            "False" | "FALSE" => Some("false"),
            "None" | "Null" | "NULL" | "nil" | "undefined" => Some("null"),
            _ => None,
        };
        if let Some(other) = other {
            self.mistakes.push(mistake(MistakeKind::OtherWord(other)).replaced_by(other));
            return TokenKind::Scalar;
        }
        if is_number(word) {
            return TokenKind::Scalar;
        }
        if ["NaN", "Infinity", "-Infinity", "+Infinity", "-NaN", "inf", "-inf"].contains(&word) {
            self.mistakes.push(mistake(MistakeKind::NotANumber));
            return TokenKind::Scalar;
        }
        let digits = word.trim_start_matches(['-', '+']);
        let is_zeroed = digits.len() > 1 && digits.starts_with('0') && digits.bytes().all(|b| b.is_ascii_digit());
        if is_zeroed {
            self.mistakes.push(mistake(MistakeKind::LeadingZero));
            return TokenKind::Scalar;
        }
        if let Some(number) = mended_number(word) {
            self.mistakes.push(mistake(MistakeKind::OddNumber).replaced_by(number));
            return TokenKind::Scalar;
        }
        TokenKind::Bare
    }
}
