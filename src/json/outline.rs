//! The members of an object, or the elements of an array, checked and otherwise unread.

use std::borrow::Cow;

use super::{Lexer, Nesting, NotJson, unescape};

/// One value of JSON, taken apart by one level. The parts are JSON texts without white space around them.
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
    /// Takes a text apart, which holds one value and nothing else.
    pub(crate) fn of(text: &'t str) -> Result<Self, NotJson> {
        let mut lexer = Lexer::new(text, 0);
        let mut nesting = Nesting::default();
        lexer.space();
        let outline = match lexer.peek() {
            Some(b'{') => Self::Object(Members(parts(&mut lexer, b'}', |lexer| {
                let key = lexer.key()?;
                let inner = &text[key.inner];
                let key = if key.escaped { unescape(inner) } else { Cow::Borrowed(inner) };
                Ok((key, skipped(text, lexer, &mut nesting)?))
            })?)),
            Some(b'[') => Self::Array(parts(&mut lexer, b']', |lexer| skipped(text, lexer, &mut nesting))?),
            _ => {
                lexer.skip(&mut nesting)?;
                Self::Scalar
            }
        };
        if lexer.is_at_end() { Ok(outline) } else { Err(NotJson) }
    }
}

fn parts<'t, P>(
    lexer: &mut Lexer<'t>,
    close: u8,
    mut part: impl FnMut(&mut Lexer<'t>) -> Result<P, NotJson>,
) -> Result<Vec<P>, NotJson> {
    let mut parts = Vec::new();
    lexer.open()?;
    if lexer.take(close) {
        return Ok(parts);
    }
    loop {
        parts.push(part(lexer)?);
        if !lexer.goes_on(close)? {
            return Ok(parts);
        }
    }
}

fn skipped<'t>(text: &'t str, lexer: &mut Lexer<'t>, nesting: &mut Nesting) -> Result<&'t str, NotJson> {
    let start = lexer.at();
    lexer.skip(nesting)?;
    Ok(&text[start..lexer.at()])
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

/// The text of a string that has been checked.
fn string(json: &str) -> Option<Cow<'_, str>> {
    json.strip_prefix('"')?.strip_suffix('"').map(unescape)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_texts_and_mistakes_in_them_are_found() {
        let Ok(Outline::Object(members)) = Outline::of(r#" {"a" : [1, {}] , "\u0062":"x\n", "a":null} "#) else {
            panic!("an object")
        };
        assert_eq!((members.get("a"), members.string("b").as_deref()), (Some("null"), Some("x\n")));
        assert_eq!((members.get("c"), members.string("a")), (None, None));
        assert!(matches!(Outline::of("[1 , [2]]"), Ok(Outline::Array(parts)) if parts == ["1", "[2]"]));
        assert!(matches!((Outline::of("{}"), Outline::of("5")), (Ok(Outline::Object(_)), Ok(Outline::Scalar))));
        for bad in ["", "{", "[1,]", r#"{"a":[}"#, "{} {}", r#"{"a":tru}"#] {
            assert!(Outline::of(bad).is_err(), "{bad}");
        }
    }
}
