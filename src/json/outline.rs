//! The members of an object or the elements of an array, as texts: checked, and otherwise unread.
//!
//! An envelope is opened with it, level by level: what is inside need not become a tree to be handed on.

use std::borrow::Cow;

use super::{Lexer, Nesting, Next, NotJson, unescape};

/// One value of JSON, taken apart by one level. Its parts are JSON texts, without white space around them.
#[derive(Debug)]
pub(crate) enum Outline<'t> {
    /// An object.
    Object(Members<'t>),
    /// An array.
    Array(Vec<&'t str>),
    /// Anything else.
    Scalar,
}

/// The members of an object, in their order.
#[derive(Debug)]
pub(crate) struct Members<'t>(pub(crate) Vec<(Cow<'t, str>, &'t str)>);

impl<'t> Outline<'t> {
    /// Takes a text apart that holds one value and nothing else.
    ///
    /// # Errors
    /// The text is not JSON. All of it is checked, the parts within parts too.
    pub(crate) fn parse(text: &'t str) -> Result<Self, NotJson> {
        let mut lexer = Lexer::new(text);
        let mut nesting = Nesting::default();
        let start = lexer.space(0);
        let (outline, end) = match lexer.byte(start) {
            b'{' => {
                let (members, end) = parts(&mut lexer, start, b'}', |lexer, at| {
                    let (key, at) = lexer.key(at)?;
                    let inner = &text[key.inner];
                    let key = if key.escaped { unescape(inner) } else { Cow::Borrowed(inner) };
                    let end = lexer.skip(at, &mut nesting)?;
                    Ok(((key, &text[at..end]), end))
                })?;
                (Self::Object(Members(members)), end)
            }
            b'[' => {
                let (elements, end) = parts(&mut lexer, start, b']', |lexer, at| {
                    let end = lexer.skip(at, &mut nesting)?;
                    Ok((&text[at..end], end))
                })?;
                (Self::Array(elements), end)
            }
            _ => (Self::Scalar, lexer.skip(start, &mut nesting)?),
        };
        if lexer.is_at_end(end) { Ok(outline) } else { Err(NotJson) }
    }
}

/// The members or elements between two brackets, and the place behind them.
fn parts<'t, P>(
    lexer: &mut Lexer<'t>,
    start: usize,
    close: u8,
    mut part: impl FnMut(&mut Lexer<'t>, usize) -> Result<(P, usize), NotJson>,
) -> Result<(Vec<P>, usize), NotJson> {
    let (mut parts, mut next) = (Vec::new(), lexer.open(start));
    loop {
        match next {
            Next::End(end) => return Ok((parts, end)),
            Next::Part(at) => {
                let (made, end) = part(lexer, at)?;
                parts.push(made);
                next = lexer.next(end, close)?;
            }
        }
    }
}

impl<'t> Members<'t> {
    /// The value of `key`; the last one if it is repeated.
    pub(crate) fn get(&self, key: &str) -> Option<&'t str> {
        self.0.iter().rev().find(|(name, _)| *name == key).map(|(_, value)| *value)
    }

    /// The string at `key`, unescaped.
    pub(crate) fn string(&self, key: &str) -> Option<Cow<'t, str>> {
        string(self.get(key)?)
    }
}

/// The text of a JSON string that has been checked; `None` if the value is something else.
fn string(json: &str) -> Option<Cow<'_, str>> {
    json.strip_prefix('"')?.strip_suffix('"').map(unescape)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_texts_and_mistakes_in_them_are_found() {
        let Ok(Outline::Object(members)) = Outline::parse(r#" {"a" : [1, {}] , "\u0062":"x\n", "a":null} "#) else {
            panic!("an object")
        };
        assert_eq!((members.get("a"), members.string("b").as_deref()), (Some("null"), Some("x\n")));
        assert_eq!((members.get("c"), members.string("a")), (None, None));
        assert!(matches!(Outline::parse("[1 , [2]]"), Ok(Outline::Array(parts)) if parts == ["1", "[2]"]));
        assert!(matches!((Outline::parse("{}"), Outline::parse("5")), (Ok(Outline::Object(_)), Ok(Outline::Scalar))));
        for bad in ["", "{", "[1,]", r#"{"a":[}"#, "{} {}", r#"{"a":tru}"#] {
            assert!(Outline::parse(bad).is_err(), "{bad}");
        }
    }
}
