//! Follows brackets, commas and keys through the tokens of a text.

use std::ops::Range;

use super::mistake::{Bracket, Mistake, MistakeKind};
use super::spelling::in_quotes;
use super::tokens::{Token, TokenKind, Tokens};

/// Every mistake in the text, in the order in which they were met.
pub(super) fn read(text: &str) -> Vec<Mistake> {
    let mut reader = Reader {
        text,
        tokens: Tokens::new(text),
        open: Vec::new(),
        expects: Expects::Value,
        last: 0..0,
        last_is_text: false,
        comma: 0..0,
        is_lost: false,
    };
    loop {
        let token = reader.tokens.next();
        if token.kind == TokenKind::End {
            reader.end();
            break;
        }
        reader.token(&token);
        if reader.is_lost {
            break;
        }
        reader.last_is_text = token.kind == TokenKind::Text;
        reader.last = token.span;
    }
    reader.tokens.mistakes
}

/// What may come next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expects {
    /// A value: the document's, or that of a key.
    Value,
    /// The first key of an object, or its end.
    FirstKey,
    /// A key behind a comma.
    Key,
    /// The first item of a list, or its end.
    FirstItem,
    /// An item behind a comma.
    Item,
    Colon,
    /// A comma, or the end of what is open.
    Comma,
    /// Nothing: the document is over.
    End,
}

struct Reader<'t> {
    text: &'t str,
    tokens: Tokens<'t>,
    open: Vec<(Bracket, Range<usize>)>,
    expects: Expects,
    /// The token before.
    last: Range<usize>,
    last_is_text: bool,
    /// The last comma.
    comma: Range<usize>,
    /// Whether what follows cannot be told from guesses.
    is_lost: bool,
}

impl Reader<'_> {
    fn note(&mut self, mistake: Mistake) {
        self.tokens.mistakes.push(mistake);
    }

    /// Notes a mistake, and that nothing can be told of what follows.
    fn lost(&mut self, kind: MistakeKind, span: &Range<usize>) {
        self.note(Mistake::new(kind, span.clone()));
        self.is_lost = true;
    }

    fn bracket(&self) -> Bracket {
        self.open.last().map_or(Bracket::Object, |(bracket, _)| *bracket)
    }

    fn token(&mut self, token: &Token) {
        match token.kind {
            TokenKind::Comma => self.comma(&token.span),
            TokenKind::Semicolon if self.expects == Expects::Comma => {
                self.note(Mistake::new(MistakeKind::SemicolonForComma, token.span.clone()).replaced_by(","));
                self.comma(&token.span);
            }
            TokenKind::Equals if self.expects == Expects::Colon => {
                self.note(Mistake::new(MistakeKind::EqualsForColon, token.span.clone()).replaced_by(":"));
                self.expects = Expects::Value;
            }
            TokenKind::Colon => self.colon(&token.span),
            TokenKind::CloseObject => self.close(Bracket::Object, &token.span),
            TokenKind::CloseList => self.close(Bracket::List, &token.span),
            TokenKind::Other | TokenKind::Semicolon | TokenKind::Equals => {
                let kind = if self.expects == Expects::End { MistakeKind::TextAfter } else { MistakeKind::Unexpected };
                self.lost(kind, &token.span);
            }
            TokenKind::End => {}
            TokenKind::OpenObject | TokenKind::OpenList | TokenKind::Text | TokenKind::Scalar | TokenKind::Bare => {
                self.value(token);
            }
        }
    }

    fn comma(&mut self, span: &Range<usize>) {
        match self.expects {
            Expects::Comma => {}
            Expects::End => return self.lost(MistakeKind::TextAfter, span),
            Expects::Colon | Expects::Value if !self.open.is_empty() => {
                self.note(Mistake::new(MistakeKind::MissingValue, span.clone()));
            }
            Expects::FirstKey | Expects::Key | Expects::FirstItem | Expects::Item => {
                return self.note(Mistake::new(MistakeKind::ExtraComma, span.clone()));
            }
            Expects::Colon | Expects::Value => return self.lost(MistakeKind::Unexpected, span),
        }
        self.comma = span.clone();
        self.expects = match self.bracket() {
            Bracket::Object => Expects::Key,
            Bracket::List => Expects::Item,
        };
    }

    fn colon(&mut self, span: &Range<usize>) {
        match self.expects {
            Expects::Colon => self.expects = Expects::Value,
            Expects::Comma if self.bracket() == Bracket::List && self.last_is_text => {
                self.lost(MistakeKind::KeyInList, &self.last.clone());
            }
            Expects::End => self.lost(MistakeKind::TextAfter, span),
            _ => self.lost(MistakeKind::Unexpected, span),
        }
    }

    fn close(&mut self, bracket: Bracket, span: &Range<usize>) {
        match self.expects {
            Expects::Key | Expects::Item => {
                let (kind, comma) = (MistakeKind::TrailingComma(self.bracket()), self.comma.clone());
                self.note(Mistake::new(kind, comma).replaced_by(""));
            }
            Expects::Colon | Expects::Value if !self.open.is_empty() => {
                self.note(Mistake::new(MistakeKind::MissingValue, span.clone()));
            }
            _ => {}
        }
        let Some(depth) = self.open.iter().rposition(|(open, _)| *open == bracket) else {
            return self.close_nothing(span);
        };
        let unclosed = self.open.split_off(depth + 1);
        self.open.pop();
        self.after_value();
        // Those that a bracket around them closes too early.
        if let Some((inner, opened)) = unclosed.last() {
            let closing: String = unclosed.iter().rev().map(|(bracket, _)| bracket.closing()).collect();
            let end = self.last.end;
            let mut mistake = Mistake::new(MistakeKind::MissingClosing(*inner), span.clone());
            mistake.opened = Some(opened.clone());
            self.note(mistake.fixed_by(end..end, format!(" {closing}")));
        }
    }

    /// A closing bracket for which no bracket is open.
    fn close_nothing(&mut self, span: &Range<usize>) {
        match self.open.pop() {
            Some((open, opened)) => {
                let mut mistake = Mistake::new(MistakeKind::WrongClosing(open), span.clone());
                mistake.opened = Some(opened);
                self.note(mistake.replaced_by(open.closing()));
                self.after_value();
            }
            None if self.expects == Expects::End => {
                let mistake = Mistake::new(MistakeKind::ExtraClosing, span.clone());
                // With it, everything behind the document goes.
                let is_last = self.text[span.start..].chars().all(|c| "}] \t\r\n".contains(c));
                let end = span.start + self.text[span.start..].trim_end().len();
                self.note(if is_last { mistake.fixed_by(self.last.end..end, "") } else { mistake });
                self.is_lost = true;
            }
            None => self.lost(MistakeKind::Unexpected, span),
        }
    }

    fn after_value(&mut self) {
        self.expects = if self.open.is_empty() { Expects::End } else { Expects::Comma };
    }

    /// A value, or a key.
    fn value(&mut self, token: &Token) {
        match self.expects {
            Expects::Comma => {
                let is_quote = self.last_is_text && self.last.end == token.span.start && token.kind == TokenKind::Bare;
                if is_quote {
                    return self.lost(MistakeKind::QuoteInText, &token.span);
                }
                let is_key = matches!(token.kind, TokenKind::Text | TokenKind::Bare | TokenKind::Scalar);
                if self.bracket() == Bracket::Object && !is_key {
                    return self.missing_end(token);
                }
                let end = self.last.end;
                let kind = MistakeKind::MissingComma(self.bracket());
                self.note(Mistake::new(kind, end..end).fixed_by(end..end, ","));
                self.comma = end..end;
                match self.bracket() {
                    Bracket::Object => self.key(token),
                    Bracket::List => self.accept(token),
                }
            }
            Expects::Colon => {
                let end = self.last.end;
                self.note(Mistake::new(MistakeKind::MissingColon, end..end).fixed_by(end..end, ":"));
                self.accept(token);
            }
            Expects::FirstKey | Expects::Key => self.key(token),
            Expects::Value | Expects::FirstItem | Expects::Item => self.accept(token),
            Expects::End => self.lost(MistakeKind::TextAfter, &token.span),
        }
    }

    fn key(&mut self, token: &Token) {
        match token.kind {
            TokenKind::Text => {}
            TokenKind::Bare | TokenKind::Scalar => {
                let mistake = Mistake::new(MistakeKind::UnquotedKey, token.span.clone());
                let quoted = in_quotes(&self.text[token.span.clone()], token.kind == TokenKind::Bare);
                self.note(match quoted {
                    Some(quoted) => mistake.replaced_by(quoted),
                    None => mistake,
                });
            }
            _ => return self.missing_end(token),
        }
        self.expects = Expects::Colon;
    }

    /// A bracket opens where only a key can stand: the object before it was to end, if it stands in a list.
    fn missing_end(&mut self, token: &Token) {
        let in_list = self.open.len().checked_sub(2).is_some_and(|outer| self.open[outer].0 == Bracket::List);
        let is_item = token.kind == TokenKind::OpenObject && in_list;
        let Some((bracket, opened)) = self.open.last().cloned().filter(|_| is_item) else {
            return self.lost(MistakeKind::Unexpected, &token.span);
        };
        let has_comma = self.expects == Expects::Key;
        let end = if has_comma { self.comma.start } else { self.last.end };
        let mut mistake = Mistake::new(MistakeKind::MissingClosing(bracket), token.span.clone());
        mistake.opened = Some(opened);
        self.note(mistake.fixed_by(end..end, if has_comma { " }" } else { " }," }));
        self.open.pop();
        self.accept(token);
    }

    fn accept(&mut self, token: &Token) {
        let (bracket, expects) = match token.kind {
            TokenKind::OpenObject => (Bracket::Object, Expects::FirstKey),
            TokenKind::OpenList => (Bracket::List, Expects::FirstItem),
            TokenKind::Bare => {
                let mistake = Mistake::new(MistakeKind::UnquotedText, token.span.clone());
                let quoted = in_quotes(&self.text[token.span.clone()], false);
                let is_alone = self.text[token.span.end..]
                    .trim_start_matches([' ', '\t'])
                    .chars()
                    .next()
                    .is_none_or(|c| ",}]\r\n".contains(c));
                self.note(match quoted.filter(|_| is_alone && !self.open.is_empty()) {
                    Some(quoted) => mistake.replaced_by(quoted),
                    None => mistake,
                });
                return self.after_value();
            }
            _ => return self.after_value(),
        };
        self.open.push((bracket, token.span.clone()));
        self.expects = expects;
    }

    /// The end of the text.
    fn end(&mut self) {
        let end = self.last.end;
        match self.expects {
            Expects::End => return,
            Expects::Value if self.open.is_empty() => {
                return self.note(Mistake::new(MistakeKind::Empty, 0..0));
            }
            Expects::Key | Expects::Item => {
                let (kind, comma) = (MistakeKind::TrailingComma(self.bracket()), self.comma.clone());
                self.note(Mistake::new(kind, comma).replaced_by(""));
            }
            Expects::Colon | Expects::Value => self.note(Mistake::new(MistakeKind::MissingValue, end..end)),
            Expects::FirstKey | Expects::FirstItem | Expects::Comma => {}
        }
        let Some((inner, opened)) = self.open.last().cloned() else { return };
        let closing: String = self.open.iter().rev().map(|(bracket, opened)| self.closing(*bracket, opened)).collect();
        // The place to look at is where it begins.
        let mut mistake = Mistake::new(MistakeKind::MissingClosing(inner), opened.clone());
        mistake.opened = Some(opened);
        self.note(mistake.fixed_by(end..end, closing));
    }

    /// A closing bracket at the end of the text, on a line of its own if its partner stands on another line than the end.
    fn closing(&self, bracket: Bracket, opened: &Range<usize>) -> String {
        let line_start = self.text[..opened.start].rfind('\n').map_or(0, |newline| newline + 1);
        if !self.text[opened.start..self.last.end].contains('\n') {
            return format!(" {}", bracket.closing());
        }
        let line = &self.text[line_start..opened.start];
        let indentation = &line[..line.len() - line.trim_start_matches([' ', '\t']).len()];
        let newline = if self.text.contains("\r\n") { "\r\n" } else { "\n" };
        format!("{newline}{indentation}{}", bracket.closing())
    }
}
