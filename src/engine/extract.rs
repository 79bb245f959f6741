//! Extracts fields from a record's text in one walk, without building a document.
//!
//! The walk enters the objects that the [`PathTrie`] names, notes where in the text the values of fields stand, and steps
//! over the rest, checking all of it. It only finds what keys, arrays and scalars lead to. There are other ways to a value:
//! a path may end at an object (whose JSON a pattern searches), go on inside a document that a string holds, or lead through
//! a repeated key. Those are not worked out here. The field is then *unsure*, or the whole record needs to be parsed, and
//! whoever asks parses it. So nothing here repeats what [`crate::cloudtrail::walk`] decides.

#![allow(
    clippy::inline_always,
    reason = "a scan spends most of its time here; left alone, the compiler makes calls of it"
)]

use std::borrow::Cow;
use std::ops::Range;

use super::known_keys::{KeyPlace, KnownKeys};
use super::path_trie::{FieldId, TrieView};
use crate::cloudtrail::FieldValue;
use crate::json::{Lexer, Nesting, Next, NotJson, Quoted, unescape};

/// Arrays and objects within each other that are entered. The record is parsed if it goes deeper where a path leads.
const MAX_DEPTH: usize = 64;

/// What has been extracted from one record: places in its text. The memory is used again for the next record.
#[derive(Debug, Default)]
pub(super) struct Extracted {
    /// What the record has at each node of the trie, by the node's number, which is also the field's.
    fields: Vec<ExtractedField>,
    /// The number of this record: a field with the number of another is empty. (Nothing has to be cleared between records.)
    record: u32,
    /// Values beyond a field's first, and whether they have escapes.
    more: Vec<(FieldId, ByteSpan, bool)>,
    /// The objects that stand where a path ends.
    objects: Vec<(FieldId, ByteSpan)>,
    /// The record holds what the walk cannot judge: a repeated or an escaped key where a path leads, or nesting that is too
    /// deep.
    needs_full_parse: bool,
    nesting: Nesting,
    known_keys: KnownKeys,
}

/// What one record has at one node of the trie.
#[derive(Debug, Default, Clone)]
struct ExtractedField {
    /// The number of the record that it was last used for.
    record: u32,
    /// The object in which the key was last seen, numbered from 1 in the order of the text; 0: the key is missing.
    seen_in: u32,
    /// The first value, if there is one.
    first: ByteSpan,
    /// What there is at the node: some of the bits that are declared below.
    has: u8,
}

/// The field has a first value.
const VALUE: u8 = 1;
/// Its first value has escapes.
const ESCAPES: u8 = 2;
/// It has further values.
const MORE: u8 = 4;
/// A path may find something here that was not extracted.
const UNSURE: u8 = 8;

/// A part of a record's text. Half the size of a `Range<usize>`: a cache line of the processor holds four fields.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct ByteSpan {
    start: u32,
    end: u32,
}

/// What a field holds, of those that nearly always hold one plain text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scalar {
    /// The record does not have the field.
    Missing,
    /// The field is one text without escapes, a number or a boolean.
    Text(ByteSpan),
    /// The field is something else.
    Other,
}

impl ByteSpan {
    #[expect(clippy::cast_possible_truncation, reason = "a text whose places do not fit needs a full parse already")]
    pub(super) fn new(range: Range<usize>) -> Self {
        Self { start: range.start as u32, end: range.end as u32 }
    }

    /// Its place in the text.
    #[inline]
    pub(super) fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    /// What stands there, as it is written.
    #[inline]
    pub(super) fn raw(self, text: &str) -> &str {
        &text[self.range()]
    }

    fn value(self, text: &str, escaped: bool) -> Cow<'_, str> {
        if escaped { unescape(self.raw(text)) } else { Cow::Borrowed(self.raw(text)) }
    }
}

impl Extracted {
    /// Extracts the fields of the value that begins at byte `at`, and returns where it ends. `lexer` is the text's.
    pub(super) fn extract(
        &mut self,
        trie: TrieView<'_>,
        lexer: &mut Lexer<'_>,
        text: &str,
        at: usize,
    ) -> Result<usize, NotJson> {
        self.record = self.record.wrapping_add(1);
        if self.fields.len() != trie.len() || self.record == 0 {
            self.fields = vec![ExtractedField::default(); trie.len()];
            self.record = 1;
            if self.known_keys.is_on() {
                self.known_keys = KnownKeys::new(trie.len());
            }
        }
        self.more.clear();
        self.objects.clear();
        // Places are noted in 32 bits.
        self.needs_full_parse = u32::try_from(text.len()).is_err();
        FieldExtractor { trie, lexer, text, extracted: self, objects: 0 }.value(0, 0, at)
    }

    /// Remembers the keys of the records that come, for whoever reads many: those of a trie of so many nodes.
    pub(super) fn remember_keys(&mut self, nodes: usize) {
        self.known_keys = KnownKeys::new(nodes);
    }

    /// Whether nothing that was extracted may be believed: only the whole record tells.
    pub(super) fn needs_full_parse(&self) -> bool {
        self.needs_full_parse
    }

    /// Whether the record has the key of a node, whatever its value.
    pub(super) fn has_key(&self, id: FieldId) -> bool {
        self.field(id).seen_in != 0
    }

    /// The value of a field, if it is missing or one plain text.
    #[inline]
    pub(super) fn scalar(&self, id: FieldId) -> Scalar {
        let ExtractedField { first, has, .. } = self.field(id);
        match *has {
            0 => Scalar::Missing,
            VALUE => Scalar::Text(*first),
            _ => Scalar::Other,
        }
    }

    /// The first scalar of a field as it is written, and whether it has escapes.
    pub(super) fn first_scalar<'t>(&self, id: FieldId, text: &'t str) -> Option<(&'t str, bool)> {
        let ExtractedField { first, has, .. } = self.field(id);
        (has & VALUE != 0).then(|| (first.raw(text), has & ESCAPES != 0))
    }

    /// Whether a path may find something at a field that was not extracted.
    pub(super) fn is_unsure(&self, id: FieldId) -> bool {
        self.field(id).has & UNSURE != 0
    }

    /// The objects that stand where the path of a field ends, as JSON.
    pub(super) fn objects<'t>(&self, id: FieldId, text: &'t str) -> impl Iterator<Item = &'t str> {
        self.objects.iter().filter(move |(of, _)| *of == id).map(|(_, span)| span.raw(text))
    }

    /// What `judge` makes of a field's values; `None` if they are not all known.
    pub(super) fn with_values<A>(
        &self,
        id: FieldId,
        text: &str,
        judge: impl FnOnce(&[FieldValue<'_>]) -> A,
    ) -> Option<A> {
        let ExtractedField { first, has, .. } = self.field(id);
        let first = || FieldValue::Scalar(first.value(text, has & ESCAPES != 0));
        if has & UNSURE != 0 {
            None
        } else if has & VALUE == 0 {
            Some(judge(&[]))
        } else if has & MORE == 0 {
            Some(judge(&[first()]))
        } else {
            let others = self.more.iter().filter(|(of, ..)| *of == id);
            let others = others.map(|(_, span, escaped)| FieldValue::Scalar(span.value(text, *escaped)));
            Some(judge(&std::iter::once(first()).chain(others).collect::<Vec<_>>()))
        }
    }

    /// What this record has at a node.
    #[inline(always)]
    fn field(&self, id: FieldId) -> &ExtractedField {
        const EMPTY: &ExtractedField =
            &ExtractedField { record: 0, seen_in: 0, first: ByteSpan { start: 0, end: 0 }, has: 0 };
        let field = &self.fields[usize::from(id)];
        if field.record == self.record { field } else { EMPTY }
    }

    /// What this record has at a node, to be changed.
    #[inline(always)]
    fn field_mut(&mut self, id: FieldId) -> &mut ExtractedField {
        let field = &mut self.fields[usize::from(id)];
        if field.record != self.record {
            *field = ExtractedField { record: self.record, ..ExtractedField::default() };
        }
        field
    }

    fn add_value(&mut self, id: FieldId, range: Range<usize>, escaped: bool) {
        let span = ByteSpan::new(range);
        let field = self.field_mut(id);
        if field.has & VALUE == 0 {
            field.first = span;
            field.has |= if escaped { VALUE | ESCAPES } else { VALUE };
        } else {
            field.has |= MORE;
            self.more.push((id, span, escaped));
        }
    }
}

/// The walk over one record.
struct FieldExtractor<'a, 't> {
    trie: TrieView<'a>,
    lexer: &'a mut Lexer<'t>,
    text: &'a str,
    extracted: &'a mut Extracted,
    /// The objects that have been entered.
    objects: u32,
}

impl FieldExtractor<'_, '_> {
    /// Walks over the value that begins at `start` and belongs to a node of the trie. Returns the place behind it.
    fn value(&mut self, id: FieldId, depth: usize, start: usize) -> Result<usize, NotJson> {
        let trie = self.trie;
        let node = trie.node(id);
        match self.lexer.byte(start) {
            b'"' => {
                let string = self.lexer.string(start)?;
                let end = string.end();
                if node.has_children() {
                    self.enter_string(id, &string);
                }
                if node.is_field() {
                    self.extracted.add_value(id, string.inner, string.escaped);
                }
                Ok(end)
            }
            b'{' | b'[' if depth > MAX_DEPTH => {
                self.extracted.needs_full_parse = true;
                self.lexer.skip(start, &mut self.extracted.nesting)
            }
            b'{' => {
                let end = if node.has_children() {
                    self.object(id, depth, start)?
                } else {
                    self.lexer.skip(start, &mut self.extracted.nesting)?
                };
                if node.is_field() {
                    self.extracted.field_mut(id).has |= UNSURE;
                    self.extracted.objects.push((id, ByteSpan::new(start..end)));
                }
                Ok(end)
            }
            b'[' => self.array(id, depth, start),
            b'-' | b'0'..=b'9' => {
                let end = self.lexer.number(start)?;
                if node.is_field() {
                    self.extracted.add_value(id, start..end, false);
                }
                Ok(end)
            }
            word => {
                let end = self.lexer.word(start)?;
                // `null` is no value.
                if node.is_field() && word != b'n' {
                    self.extracted.add_value(id, start..end, false);
                }
                Ok(end)
            }
        }
    }

    /// A path that goes on enters the document that a string may hold: all fields below are unsure then.
    fn enter_string(&mut self, id: FieldId, string: &Quoted) {
        let may_be_one = string.escaped || self.text[string.inner.clone()].trim_start().starts_with(['{', '[', '%']);
        if may_be_one {
            (id + 1..self.trie.node(id).end()).for_each(|below| self.extracted.field_mut(below).has |= UNSURE);
        }
    }

    fn object(&mut self, id: FieldId, depth: usize, start: usize) -> Result<usize, NotJson> {
        let node = self.trie.node(id);
        self.objects += 1;
        let this = self.objects;
        let mut next = self.lexer.open(start);
        let mut place = KeyPlace::first(id);
        loop {
            let at = match next {
                Next::Part(at) => at,
                Next::End(end) => return Ok(end),
            };
            let text = self.text.as_bytes();
            let (child, at) = if let Some(key) = self.extracted.known_keys.key_at(place, text, at) {
                place = key.place;
                (key.child, self.lexer.space(at + usize::from(key.length)))
            } else {
                let (key, value) = self.lexer.key(at)?;
                self.extracted.needs_full_parse |= key.escaped;
                let child = self.trie.child(node, text, key.inner.start, key.inner.len()).unwrap_or_default();
                if !key.escaped && self.extracted.known_keys.is_on() {
                    place = self.extracted.known_keys.learn(place, id, child, &text[at..=key.end()]);
                }
                (child, value)
            };
            let end = if child == 0 {
                self.lexer.skip(at, &mut self.extracted.nesting)?
            } else {
                let field = self.extracted.field_mut(child);
                let repeated = field.seen_in == this;
                field.seen_in = this;
                // Of repeated keys the last counts, and the first has been extracted.
                self.extracted.needs_full_parse |= repeated;
                if self.lexer.byte(at) == b'"' && self.trie.node(child).is_only_field() {
                    // Most values: nothing has to be called for one.
                    let string = self.lexer.string(at)?;
                    let end = string.end();
                    self.extracted.add_value(child, string.inner, string.escaped);
                    end
                } else {
                    self.value(child, depth + 1, at)?
                }
            };
            next = self.lexer.next(end, b'}')?;
        }
    }

    fn array(&mut self, id: FieldId, depth: usize, start: usize) -> Result<usize, NotJson> {
        let mut next = self.lexer.open(start);
        loop {
            match next {
                Next::Part(at) => {
                    let end = self.value(id, depth + 1, at)?;
                    next = self.lexer.next(end, b']')?;
                }
                Next::End(end) => return Ok(end),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::path_trie::TrieBuilder;
    use super::*;

    /// The values of a field, as they come to a condition; `None` if they are not all known.
    fn values(json: &str, path: &[&str]) -> Option<Vec<String>> {
        let mut builder = TrieBuilder::default();
        builder.add_field(path.iter().copied());
        let trie = builder.build();
        let mut extracted = Extracted::default();
        extracted.extract(trie.view(), &mut Lexer::new(json), json, 0).unwrap();
        assert!(!extracted.needs_full_parse(), "{json}");
        let field = trie.view().field(path.iter().copied()).unwrap();
        extracted.with_values(field, json, |values| values.iter().map(|value| value.text().into_owned()).collect())
    }

    #[test]
    fn scalars_are_found_where_keys_and_arrays_lead() {
        let some = |texts: &[&str]| Some(texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>());
        assert_eq!(values(r#"{"a":{"b":"x"}}"#, &["a", "b"]), some(&["x"]));
        assert_eq!(
            values(r#"{"a":[{"b":1},{"b":[true,["\n"]]},{"b":null},7]}"#, &["a", "b"]),
            some(&["1", "true", "\n"])
        );
        assert_eq!(values(r#"{"a":{"c":"x"},"b":"y"}"#, &["a", "b"]), some(&[]));
    }

    #[test]
    fn what_takes_a_document_is_unsure() {
        // A field that is an object, and fields inside a string that may be a document.
        assert_eq!(values(r#"{"a":{"b":{}}}"#, &["a", "b"]), None);
        assert_eq!(values(r#"{"a":"{\"b\":1}"}"#, &["a", "b"]), None);
        assert_eq!(values(r#"{"a":"plain"}"#, &["a", "b"]), Some(Vec::new()));
    }

    #[test]
    fn what_the_walk_cannot_judge_needs_a_full_parse() {
        let mut builder = TrieBuilder::default();
        builder.add_field(["a", "b"]);
        let trie = builder.build();
        let mut extracted = Extracted::default();
        let mut needs_full_parse = |json: &str| {
            extracted.extract(trie.view(), &mut Lexer::new(json), json, 0).unwrap();
            extracted.needs_full_parse()
        };
        let nested = |levels: usize| format!(r#"{{"a":{}{}}}"#, "[".repeat(levels), "]".repeat(levels));
        assert!(needs_full_parse(r#"{"a":{"b":1},"a":2}"#) && needs_full_parse(r#"{"\u0061":1}"#));
        assert!(needs_full_parse(&nested(MAX_DEPTH + 1)) && !needs_full_parse(&nested(MAX_DEPTH)));
        // Elsewhere neither repetition nor depth matters, and one record tells nothing of the next.
        assert!(!needs_full_parse(&format!(r#"{{"c":1,"c":{},"a":[{{"b":1}},{{"b":2}}]}}"#, nested(1_000))));
    }
}
