//! Picks fields from a record's text in one walk, without building a document.
//!
//! The paths that rules name make a tree of keys. The walk enters what the tree names, notes where the values stand, and
//! steps over the rest, checking all of it. What a path would find by other means than keys, arrays and scalars (an object
//! as a value, a document inside a string, repeated keys) is not worked out here: the field is *unsure*, or the record
//! *odd*, and whoever asks reads the record whole. So nothing here repeats what [`crate::rules::field::walk`] decides.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

use crate::json::{Lexer, Nesting, NotJson, unescape};
use crate::record::Found;

/// A place in the tree of paths.
pub(super) type SlotId = u16;

/// Keys of a path that are followed, and places that the tree may have. A path beyond them is looked up in the document.
const MAX_KEYS: usize = 12;
const MAX_SLOTS: usize = 8_192;
/// Arrays within arrays that are entered.
const MAX_DEPTH: usize = 64;

/// The paths to pick, as a tree, a parent before its children.
#[derive(Debug)]
pub(super) struct Paths(Vec<Place>);

#[derive(Debug, Default)]
struct Place {
    key: Box<str>,
    /// The length of each one's key, which settles most comparisons, and its place.
    children: Vec<(usize, SlotId)>,
    /// Past the last of its descendants.
    end: SlotId,
    /// Whether a path ends here.
    wanted: bool,
}

/// The tree while it grows.
#[derive(Debug, Default)]
pub(super) struct Branch {
    children: BTreeMap<(usize, Box<str>), Branch>,
    wanted: bool,
}

impl Branch {
    /// Adds a path.
    pub(super) fn add<'k>(&mut self, path: impl IntoIterator<Item = &'k str>) {
        let path: Vec<&str> = path.into_iter().collect();
        if path.len() <= MAX_KEYS {
            path.into_iter()
                .fold(self, |branch, key| branch.children.entry((key.len(), key.into())).or_default())
                .wanted = true;
        }
    }

    /// Adds a key at the top of which only its presence counts.
    pub(super) fn mark(&mut self, key: &str) {
        self.children.entry((key.len(), key.into())).or_default();
    }

    fn plant(self, key: Box<str>, places: &mut Vec<Place>) -> Option<SlotId> {
        let id = SlotId::try_from(places.len()).ok().filter(|_| places.len() < MAX_SLOTS)?;
        places.push(Place { key, wanted: self.wanted, ..Place::default() });
        let children = self.children.into_iter();
        let children =
            children.filter_map(|((length, key), branch)| Some((length, branch.plant(key, places)?))).collect();
        let end = SlotId::try_from(places.len()).unwrap_or(SlotId::MAX);
        let place = &mut places[usize::from(id)];
        (place.children, place.end) = (children, end);
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
        path.into_iter().try_fold(0, |slot, key| self.child(slot, key.as_bytes()))
    }

    #[inline]
    fn child(&self, slot: SlotId, key: &[u8]) -> Option<SlotId> {
        let is_it = |child: &SlotId| *self.0[usize::from(*child)].key.as_bytes() == *key;
        let children = self.0[usize::from(slot)].children.iter();
        children.filter(|(length, _)| *length == key.len()).map(|(_, child)| *child).find(is_it)
    }
}

/// Where the values of one record stand. Its memory is used again for the next.
#[derive(Debug, Default)]
pub(super) struct Picked {
    slots: Vec<Slot>,
    /// The slots that this record has changed.
    touched: Vec<SlotId>,
    /// Values beyond a slot's first.
    more: Vec<(SlotId, Span)>,
    /// The objects that stand where a path ends.
    objects: Vec<(SlotId, Span)>,
    /// The record holds what the walk cannot judge: a repeated or escaped key where a path leads.
    odd: bool,
    nesting: Nesting,
}

#[derive(Debug, Default, Clone)]
struct Slot {
    first: Option<Span>,
    more: bool,
    /// A path may find something here that was not picked.
    unsure: bool,
    /// The object in which the key was seen, numbered from 1 in the order of the text.
    seen_in: u32,
}

/// A scalar, or the object that was found in its stead.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    start: u32,
    end: u32,
    escaped: bool,
}

/// One field of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scalar<'t> {
    /// The record does not have it.
    Missing,
    /// It is one plain text.
    Text(&'t str),
    /// It is something else.
    Other,
}

impl Span {
    // A text whose places do not fit is odd already.
    #[expect(clippy::cast_possible_truncation)]
    fn of(range: Range<usize>, escaped: bool) -> Self {
        Self { start: range.start as u32, end: range.end as u32, escaped }
    }

    fn raw(self, text: &str) -> &str {
        &text[self.start as usize..self.end as usize]
    }

    fn value(self, text: &str) -> Cow<'_, str> {
        if self.escaped { unescape(self.raw(text)) } else { Cow::Borrowed(self.raw(text)) }
    }
}

impl Picked {
    /// Picks the fields of the value that begins at byte `at`, and says where it ends.
    pub(super) fn pick(&mut self, paths: &Paths, text: &str, at: usize) -> Result<usize, NotJson> {
        if self.slots.len() == paths.0.len() {
            self.touched.drain(..).for_each(|slot| self.slots[usize::from(slot)] = Slot::default());
        } else {
            self.slots = vec![Slot::default(); paths.0.len()];
            self.touched.clear();
        }
        self.more.clear();
        self.objects.clear();
        // Places are noted in 32 bits.
        self.odd = u32::try_from(text.len()).is_err();
        let mut walk = Walk { paths, lexer: Lexer::new(text, at), text, picked: self, objects: 0 };
        walk.value(0, 0)?;
        Ok(walk.lexer.at())
    }

    /// Whether only the whole record tells.
    pub(super) fn is_odd(&self) -> bool {
        self.odd
    }

    /// Whether the key of a place is there, whatever its value.
    pub(super) fn has(&self, slot: SlotId) -> bool {
        self.slots[usize::from(slot)].seen_in != 0
    }

    /// The value of a slot that has one at most.
    pub(super) fn scalar<'t>(&self, slot: SlotId, text: &'t str) -> Scalar<'t> {
        match &self.slots[usize::from(slot)] {
            Slot { first: None, unsure: false, .. } => Scalar::Missing,
            Slot { first: Some(span), more: false, unsure: false, .. } if !span.escaped => Scalar::Text(span.raw(text)),
            _ => Scalar::Other,
        }
    }

    /// The first scalar at a slot as it stands in the text, and whether it has escapes.
    pub(super) fn first<'t>(&self, slot: SlotId, text: &'t str) -> Option<(&'t str, bool)> {
        self.slots[usize::from(slot)].first.map(|span| (span.raw(text), span.escaped))
    }

    /// The objects that stand at a slot, as JSON.
    pub(super) fn objects<'t>(&self, slot: SlotId, text: &'t str) -> impl Iterator<Item = &'t str> {
        self.objects.iter().filter(move |(of, _)| *of == slot).map(|(_, span)| span.raw(text))
    }

    /// What `ask` says of a slot's values; `None` if they are not known.
    pub(super) fn ask<A>(&self, slot: SlotId, text: &str, ask: impl FnOnce(&[Found<'_>]) -> A) -> Option<A> {
        match &self.slots[usize::from(slot)] {
            Slot { unsure: true, .. } => None,
            Slot { first: None, .. } => Some(ask(&[])),
            Slot { first: Some(span), more: false, .. } => Some(ask(&[Found::Derived(span.value(text))])),
            Slot { first: Some(span), .. } => {
                let others = self.more.iter().filter(|(of, _)| *of == slot).map(|(_, span)| *span);
                let values: Vec<_> =
                    std::iter::once(*span).chain(others).map(|span| Found::Derived(span.value(text))).collect();
                Some(ask(&values))
            }
        }
    }

    fn slot(&mut self, id: SlotId) -> &mut Slot {
        self.touched.push(id);
        &mut self.slots[usize::from(id)]
    }

    fn add(&mut self, id: SlotId, range: Range<usize>, escaped: bool) {
        let span = Span::of(range, escaped);
        let slot = self.slot(id);
        if slot.first.is_none() {
            slot.first = Some(span);
        } else {
            slot.more = true;
            self.more.push((id, span));
        }
    }
}

struct Walk<'a> {
    paths: &'a Paths,
    lexer: Lexer<'a>,
    text: &'a str,
    picked: &'a mut Picked,
    objects: u32,
}

impl Walk<'_> {
    /// A value where the tree has a place.
    fn value(&mut self, id: SlotId, depth: usize) -> Result<(), NotJson> {
        let paths = self.paths;
        let place = &paths.0[usize::from(id)];
        let start = self.lexer.at();
        match self.lexer.peek() {
            Some(b'{' | b'[') if depth > MAX_DEPTH => {
                self.picked.odd = true;
                self.lexer.skip(&mut self.picked.nesting)?;
            }
            Some(b'{') => {
                if place.children.is_empty() {
                    self.lexer.skip(&mut self.picked.nesting)?;
                } else {
                    self.object(id, depth)?;
                }
                if place.wanted {
                    self.picked.slot(id).unsure = true;
                    self.picked.objects.push((id, Span::of(start..self.lexer.at(), false)));
                }
            }
            Some(b'[') => self.array(id, depth)?,
            Some(b'"') => {
                let string = self.lexer.string()?;
                // A path that goes on enters the document in a string, if it is one.
                let inner = &self.text[string.inner.clone()];
                let may_hold_more =
                    !place.children.is_empty() && (string.escaped || inner.trim_start().starts_with(['{', '[', '%']));
                if may_hold_more {
                    (id + 1..place.end).for_each(|below| self.picked.slot(below).unsure = true);
                }
                if place.wanted {
                    self.picked.add(id, string.inner, string.escaped);
                }
            }
            Some(b'-' | b'0'..=b'9') => {
                let digits = self.lexer.number()?;
                if place.wanted {
                    self.picked.add(id, digits, false);
                }
            }
            word => {
                self.lexer.word()?;
                if place.wanted && word != Some(b'n') {
                    self.picked.add(id, start..self.lexer.at(), false);
                }
            }
        }
        Ok(())
    }

    fn object(&mut self, id: SlotId, depth: usize) -> Result<(), NotJson> {
        self.objects += 1;
        let this = self.objects;
        self.lexer.open()?;
        if self.lexer.take(b'}') {
            return Ok(());
        }
        loop {
            let key = self.lexer.key()?;
            self.picked.odd |= key.escaped;
            match self.paths.child(id, &self.text.as_bytes()[key.inner]) {
                Some(child) => {
                    let slot = self.picked.slot(child);
                    let repeated = slot.seen_in == this;
                    slot.seen_in = this;
                    // The last of repeated keys counts, and the first has been picked.
                    self.picked.odd |= repeated;
                    self.value(child, depth + 1)?;
                }
                None => self.lexer.skip(&mut self.picked.nesting)?,
            }
            if !self.lexer.goes_on(b'}')? {
                return Ok(());
            }
        }
    }

    fn array(&mut self, id: SlotId, depth: usize) -> Result<(), NotJson> {
        self.lexer.open()?;
        if self.lexer.take(b']') {
            return Ok(());
        }
        loop {
            self.value(id, depth + 1)?;
            if !self.lexer.goes_on(b']')? {
                return Ok(());
            }
        }
    }
}
