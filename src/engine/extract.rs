//! Picks fields from a record's text in one walk, without building a document.
//!
//! The paths that rules name make a tree of keys. The walk enters what the tree names, notes where the values stand, and
//! steps over the rest, checking all of it. What a path would find by other means than keys, arrays and scalars (an object
//! as a value, a document inside a string, repeated keys) is not worked out here: the field is *unsure*, or the record
//! *odd*, and whoever asks reads the record whole. So nothing here repeats what [`crate::rules::field::walk`] decides.

#![allow(
    clippy::inline_always,
    reason = "a scan spends most of its time here; left alone, the compiler makes calls of it"
)]

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::cloudtrail::FieldValue;
use crate::json::{Lexer, Nesting, Next, NotJson, Quoted, unescape};

/// A place in the tree of paths.
pub(super) type SlotId = u16;

/// Keys of a path that are followed, and places that the tree may have. A path beyond them is looked up in the document.
const MAX_KEYS: usize = 12;
const MAX_SLOTS: usize = 8_192;
/// Arrays within arrays that are entered.
const MAX_DEPTH: usize = 64;

/// The paths to pick, as a tree, a parent before its children.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Paths(Vec<Place>);

#[derive(Debug, Default, Serialize, Deserialize)]
struct Place {
    key: Box<str>,
    /// The key's first eight bytes.
    head: u64,
    /// A hash table of the places below, a power of two long and an eighth full; 0, which is below nothing: none.
    children: Box<[SlotId]>,
    /// Past the last of its descendants.
    end: SlotId,
    /// Whether a path ends here.
    wanted: bool,
}

/// The tree while it grows.
#[derive(Debug, Default)]
pub(super) struct Branch {
    children: BTreeMap<Box<str>, Branch>,
    wanted: bool,
}

impl Branch {
    /// Adds a path.
    pub(super) fn add<'k>(&mut self, path: impl IntoIterator<Item = &'k str>) {
        let path: Vec<&str> = path.into_iter().collect();
        if path.len() <= MAX_KEYS {
            path.into_iter().fold(self, |branch, key| branch.children.entry(key.into()).or_default()).wanted = true;
        }
    }

    /// Adds a key at the top of which only its presence counts.
    pub(super) fn mark(&mut self, key: &str) {
        self.children.entry(key.into()).or_default();
    }

    fn plant(self, key: Box<str>, places: &mut Vec<Place>) -> Option<SlotId> {
        let id = SlotId::try_from(places.len()).ok().filter(|_| places.len() < MAX_SLOTS)?;
        places.push(Place { head: head(key.as_bytes(), 0, key.len()), key, wanted: self.wanted, ..Place::default() });
        let children = self.children.into_iter();
        let children: Vec<SlotId> = children.filter_map(|(key, branch)| branch.plant(key, places)).collect();
        let end = SlotId::try_from(places.len()).unwrap_or(SlotId::MAX);
        let table = table(&children, places);
        let place = &mut places[usize::from(id)];
        (place.children, place.end) = (table, end);
        Some(id)
    }
}

impl Paths {
    /// Of a tree that has grown.
    pub(super) fn of(root: Branch) -> Self {
        let mut places = Vec::new();
        root.plant("".into(), &mut places);
        Self(places)
    }

    /// The place of a path, if it is picked.
    pub(super) fn slot<'k>(&self, path: impl IntoIterator<Item = &'k str>) -> Option<SlotId> {
        self.place(path).filter(|slot| self.0[usize::from(*slot)].wanted)
    }

    /// The place of a path, if it leads anywhere.
    pub(super) fn place<'k>(&self, path: impl IntoIterator<Item = &'k str>) -> Option<SlotId> {
        path.into_iter().try_fold(0, |slot, key| self.child(slot, key.as_bytes(), 0, key.len()))
    }

    /// The place below this one whose key stands in the text at `start`.
    #[inline(always)]
    fn child(&self, slot: SlotId, text: &[u8], start: usize, length: usize) -> Option<SlotId> {
        let children = &*self.0[usize::from(slot)].children;
        let head = head(text, start, length);
        let mut at = hash(head, length);
        loop {
            let id = *children.get(at & children.len().wrapping_sub(1))?;
            let child = &self.0[usize::from(id)];
            let is_it = child.head == head
                && child.key.len() == length
                && (length <= 8 || child.ends_as(&text[start..start + length]));
            if is_it || id == 0 {
                return (id != 0).then_some(id);
            }
            at += 1;
        }
    }
}

impl Place {
    /// Whether the key, of which the head and the length agree, is this one; it is longer than the head.
    #[inline(always)]
    fn ends_as(&self, key: &[u8]) -> bool {
        // Eight bytes at once, rather than a call that finds out how many there are.
        let ours = self.key.as_bytes();
        ours.last_chunk::<8>() == key.last_chunk() && (key.len() <= 16 || ours[8..] == key[8..])
    }
}

/// A table of places, by the hash of their keys; a place that is taken leads to the next.
fn table(children: &[SlotId], places: &[Place]) -> Box<[SlotId]> {
    if children.is_empty() {
        return Box::default();
    }
    let mut table = vec![0; (children.len() * 8).next_power_of_two()];
    for id in children {
        let Place { head, key, .. } = &places[usize::from(*id)];
        let mut at = hash(*head, key.len());
        while table[at % table.len()] != 0 {
            at += 1;
        }
        let at = at % table.len();
        table[at] = *id;
    }
    table.into()
}

/// Few of the keys that records have share their length and their first eight bytes.
#[inline(always)]
#[expect(clippy::cast_possible_truncation)]
fn hash(head: u64, length: usize) -> usize {
    let product = u128::from(head ^ (length as u64) << 56) * 0x9e37_79b9_7f4a_7c15;
    (product as u64 ^ (product >> 64) as u64) as usize
}

/// The first eight bytes of a key, as a number; zeros for those that it does not have.
#[inline(always)]
fn head(text: &[u8], start: usize, length: usize) -> u64 {
    let rest = text.get(start..).unwrap_or_default();
    let word = rest.first_chunk().copied().unwrap_or_else(|| {
        let mut word = [0; 8];
        word[..rest.len()].copy_from_slice(rest);
        word
    });
    let word = u64::from_le_bytes(word);
    if length < 8 { word & !(u64::MAX << (8 * length)) } else { word }
}

/// Where the values of one record stand. Its memory is used again for the next.
#[derive(Debug, Default)]
pub(super) struct Picked {
    slots: Vec<Slot>,
    /// The number of this record: a slot with another one's is empty.
    record: u32,
    /// Values beyond a slot's first, and whether they have escapes.
    more: Vec<(SlotId, Span, bool)>,
    /// The objects that stand where a path ends.
    objects: Vec<(SlotId, Span)>,
    /// The record holds what the walk cannot judge: a repeated or escaped key where a path leads.
    odd: bool,
    nesting: Nesting,
}

#[derive(Debug, Default, Clone)]
struct Slot {
    /// The record that it was last used for.
    record: u32,
    /// The object in which the key was seen, numbered from 1 in the order of the text.
    seen_in: u32,
    /// The first value, if there is one.
    first: Span,
    /// What there is: some of the bits below.
    has: u8,
}

/// It has a first value.
const VALUE: u8 = 1;
/// Which has escapes.
const ESCAPES: u8 = 2;
/// It has further values.
const MORE: u8 = 4;
/// A path may find something here that was not picked.
const UNSURE: u8 = 8;

/// Where a scalar stands in the text, or the object that was found in its stead.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    start: u32,
    end: u32,
}

/// One field of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scalar {
    /// The record does not have it.
    Missing,
    /// It is one plain text.
    Text(Span),
    /// It is something else.
    Other,
}

impl Span {
    // A text whose places do not fit is odd already.
    #[expect(clippy::cast_possible_truncation)]
    pub(super) fn of(range: Range<usize>) -> Self {
        Self { start: range.start as u32, end: range.end as u32 }
    }

    /// Its place in the text.
    #[inline]
    pub(super) fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    /// What stands there.
    #[inline]
    pub(super) fn raw(self, text: &str) -> &str {
        &text[self.range()]
    }

    fn value(self, text: &str, escaped: bool) -> Cow<'_, str> {
        if escaped { unescape(self.raw(text)) } else { Cow::Borrowed(self.raw(text)) }
    }
}

impl Picked {
    /// Picks the fields of the value that begins at byte `at`, and says where it ends. `lexer` is the text's.
    pub(super) fn pick(
        &mut self,
        paths: &Paths,
        lexer: &mut Lexer<'_>,
        text: &str,
        at: usize,
    ) -> Result<usize, NotJson> {
        self.record = self.record.wrapping_add(1);
        if self.slots.len() != paths.0.len() || self.record == 0 {
            self.slots = vec![Slot::default(); paths.0.len()];
            self.record = 1;
        }
        self.more.clear();
        self.objects.clear();
        // Places are noted in 32 bits.
        self.odd = u32::try_from(text.len()).is_err();
        Walk { paths, lexer, text, picked: self, objects: 0 }.value(0, 0, at)
    }

    /// Whether only the whole record tells.
    pub(super) fn is_odd(&self) -> bool {
        self.odd
    }

    /// Whether the key of a place is there, whatever its value.
    pub(super) fn has(&self, slot: SlotId) -> bool {
        self.at(slot).seen_in != 0
    }

    /// The value of a slot that has one at most.
    #[inline]
    pub(super) fn scalar(&self, slot: SlotId) -> Scalar {
        let Slot { first, has, .. } = self.at(slot);
        match *has {
            0 => Scalar::Missing,
            VALUE => Scalar::Text(*first),
            _ => Scalar::Other,
        }
    }

    /// The first scalar at a slot as it stands in the text, and whether it has escapes.
    pub(super) fn first<'t>(&self, slot: SlotId, text: &'t str) -> Option<(&'t str, bool)> {
        let Slot { first, has, .. } = self.at(slot);
        (has & VALUE != 0).then(|| (first.raw(text), has & ESCAPES != 0))
    }

    /// The objects that stand at a slot, as JSON.
    pub(super) fn objects<'t>(&self, slot: SlotId, text: &'t str) -> impl Iterator<Item = &'t str> {
        self.objects.iter().filter(move |(of, _)| *of == slot).map(|(_, span)| span.raw(text))
    }

    /// What `ask` says of a slot's values; `None` if they are not known.
    pub(super) fn ask<A>(&self, slot: SlotId, text: &str, ask: impl FnOnce(&[FieldValue<'_>]) -> A) -> Option<A> {
        let Slot { first, has, .. } = self.at(slot);
        let first = || FieldValue::Scalar(first.value(text, has & ESCAPES != 0));
        if has & UNSURE != 0 {
            None
        } else if has & VALUE == 0 {
            Some(ask(&[]))
        } else if has & MORE == 0 {
            Some(ask(&[first()]))
        } else {
            let others = self.more.iter().filter(|(of, ..)| *of == slot);
            let others = others.map(|(_, span, escaped)| FieldValue::Scalar(span.value(text, *escaped)));
            Some(ask(&std::iter::once(first()).chain(others).collect::<Vec<_>>()))
        }
    }

    /// What this record has at a slot.
    #[inline(always)]
    fn at(&self, id: SlotId) -> &Slot {
        const EMPTY: &Slot = &Slot { record: 0, seen_in: 0, first: Span { start: 0, end: 0 }, has: 0 };
        let slot = &self.slots[usize::from(id)];
        if slot.record == self.record { slot } else { EMPTY }
    }

    /// The same, to be changed.
    #[inline(always)]
    fn slot(&mut self, id: SlotId) -> &mut Slot {
        let slot = &mut self.slots[usize::from(id)];
        if slot.record != self.record {
            *slot = Slot { record: self.record, ..Slot::default() };
        }
        slot
    }

    fn add(&mut self, id: SlotId, range: Range<usize>, escaped: bool) {
        let span = Span::of(range);
        let slot = self.slot(id);
        if slot.has & VALUE == 0 {
            slot.first = span;
            slot.has |= if escaped { VALUE | ESCAPES } else { VALUE };
        } else {
            slot.has |= MORE;
            self.more.push((id, span, escaped));
        }
    }
}

struct Walk<'a, 't> {
    paths: &'a Paths,
    lexer: &'a mut Lexer<'t>,
    text: &'a str,
    picked: &'a mut Picked,
    objects: u32,
}

impl Walk<'_, '_> {
    /// The place behind the value that begins at `start`, for which the tree has a place.
    fn value(&mut self, id: SlotId, depth: usize, start: usize) -> Result<usize, NotJson> {
        let paths = self.paths;
        let place = &paths.0[usize::from(id)];
        match self.lexer.byte(start) {
            b'"' => {
                let string = self.lexer.string(start)?;
                let end = string.end();
                if !place.children.is_empty() {
                    self.enter_string(id, &string);
                }
                if place.wanted {
                    self.picked.add(id, string.inner, string.escaped);
                }
                Ok(end)
            }
            b'{' | b'[' if depth > MAX_DEPTH => {
                self.picked.odd = true;
                self.lexer.skip(start, &mut self.picked.nesting)
            }
            b'{' => {
                let end = if place.children.is_empty() {
                    self.lexer.skip(start, &mut self.picked.nesting)?
                } else {
                    self.object(id, depth, start)?
                };
                if place.wanted {
                    self.picked.slot(id).has |= UNSURE;
                    self.picked.objects.push((id, Span::of(start..end)));
                }
                Ok(end)
            }
            b'[' => self.array(id, depth, start),
            b'-' | b'0'..=b'9' => {
                let end = self.lexer.number(start)?;
                if place.wanted {
                    self.picked.add(id, start..end, false);
                }
                Ok(end)
            }
            word => {
                let end = self.lexer.word(start)?;
                if place.wanted && word != b'n' {
                    self.picked.add(id, start..end, false);
                }
                Ok(end)
            }
        }
    }

    /// A path that goes on enters the document in a string, if it is one.
    fn enter_string(&mut self, id: SlotId, string: &Quoted) {
        let may_be_one = string.escaped || self.text[string.inner.clone()].trim_start().starts_with(['{', '[', '%']);
        if may_be_one {
            (id + 1..self.paths.0[usize::from(id)].end).for_each(|below| self.picked.slot(below).has |= UNSURE);
        }
    }

    fn object(&mut self, id: SlotId, depth: usize, start: usize) -> Result<usize, NotJson> {
        self.objects += 1;
        let this = self.objects;
        let mut next = self.lexer.open(start);
        loop {
            let at = match next {
                Next::Part(at) => at,
                Next::End(end) => return Ok(end),
            };
            let (key, at) = self.lexer.key(at)?;
            self.picked.odd |= key.escaped;
            let end = match self.paths.child(id, self.text.as_bytes(), key.inner.start, key.inner.len()) {
                Some(child) => {
                    let slot = self.picked.slot(child);
                    let repeated = slot.seen_in == this;
                    slot.seen_in = this;
                    // The last of repeated keys counts, and the first has been picked.
                    self.picked.odd |= repeated;
                    self.value(child, depth + 1, at)?
                }
                None => self.lexer.skip(at, &mut self.picked.nesting)?,
            };
            next = self.lexer.next(end, b'}')?;
        }
    }

    fn array(&mut self, id: SlotId, depth: usize, start: usize) -> Result<usize, NotJson> {
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
