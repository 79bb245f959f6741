//! The candidate index: which rows may match a record, by what they ask of its call and its other fields.
//!
//! Each row is filed once, under literals of which every record that it matches must have one:
//! - under pairs of a literal of the service and one of the event, if it asks for either (a row that asks for one of them only
//!   is filed under its literals and *any*);
//! - under the calls that a derived field understands, if the row wants a value of one and names no event;
//! - otherwise under the literals of one other field (`errorCode` is `AccessDenied`, `userAgent` contains `kali`);
//! - otherwise under those of the identity (whatever a row asks of the call is checked before the call cache remembers it);
//! - otherwise nowhere: it is *unindexed*, and a candidate for every record.
//!
//! The index may bring up a row that does not match. It never leaves out one that does. The conditions of the rows that it
//! brings up are asked by the [plan](super::plan), and what remains is left to the [simple engine](super::simple).
//!
//! It holds no rule and no condition, only numbers and literals: a package keeps it as it stands in memory, and the function
//! starts from it without having compiled a single rule.

use std::hash::Hasher as _;

use super::call::{CallKey, EVENT, IDENTITY, SERVICE};
use super::hash::Mixer;
use super::literals::{LiteralId, LiteralIndex};
use super::packed::{PackedU32s, number, packed_struct};
use super::path_trie::{FieldId, PathTrie};
use super::plan::{RowId, RowPlace};
use super::tables::{IdTable, PackedLists};

/// The index over the rows of all rules that are on. [`super::index_builder`] makes it.
#[derive(Debug)]
pub(crate) struct CandidateIndex {
    /// The fields that are extracted from every record.
    pub(super) trie: PathTrie,
    pub(super) services: LiteralIndex,
    pub(super) events: LiteralIndex,
    pub(super) pairs: PairIndex,
    pub(super) identities: LiteralIndex,
    /// The rows filed under each literal of `identities`.
    pub(super) by_identity: PackedLists,
    /// The other fields under which rows are filed.
    pub(super) fields: Vec<FieldIndex>,
    /// The rows that are candidates for every record.
    pub(super) unindexed: PackedU32s,
    /// The place of each row: its rule's, and its own in the rule's table.
    pub(super) rows: PackedU32s,
}
packed_struct!(CandidateIndex { trie, services, events, pairs, identities, by_identity, fields, unindexed, rows });

/// The rows that are filed under pairs of a literal of the service and one of the event.
#[derive(Debug, Default)]
pub(super) struct PairIndex {
    /// The two literals of each pair, as [`encode`] writes them.
    pairs: PackedU32s,
    /// The numbers of the pairs, by their hash.
    ids: IdTable,
    /// The rows of each pair.
    rows: PackedLists,
}
packed_struct!(PairIndex { pairs, ids, rows });

/// The rows that are filed under the literals of one field.
#[derive(Debug)]
pub(super) struct FieldIndex {
    pub(super) field: FieldId,
    pub(super) literals: LiteralIndex,
    /// The rows of each literal.
    pub(super) rows: PackedLists,
}
packed_struct!(FieldIndex { field, literals, rows });

/// Memory for the literals that a call has, used again for the next call.
#[derive(Debug, Default)]
pub(super) struct LookupBuffers {
    identities: Vec<LiteralId>,
    services: Vec<LiteralId>,
    events: Vec<LiteralId>,
}

impl CandidateIndex {
    /// The place of a row.
    #[inline]
    pub(super) fn row(&self, id: RowId) -> RowPlace {
        let at = 2 * id as usize;
        RowPlace { rule: number(&self.rows, at), row: number(&self.rows, at + 1) }
    }

    /// Whether every row is filed under a part of the call, so that the call alone tells which may match.
    pub(super) fn all_rows_keyed_by_call(&self) -> bool {
        self.fields.is_empty() && self.unindexed.is_empty()
    }

    /// Finds the rows that are filed under literals that the call has: ascending, each once. Those that are filed under other
    /// fields, and the unindexed, are not among them.
    pub(super) fn rows_for_call(&self, call: &CallKey<'_>, buffers: &mut LookupBuffers, found: &mut Vec<RowId>) {
        let LookupBuffers { identities, services, events } = buffers;
        for (part, literals, ids) in [
            (IDENTITY, &self.identities, &mut *identities),
            (SERVICE, &self.services, &mut *services),
            (EVENT, &self.events, &mut *events),
        ] {
            ids.clear();
            if let Some(text) = call.part(part) {
                literals.find(text.as_bytes(), ids);
            }
        }
        found.clear();
        found.extend(identities.iter().flat_map(|identity| self.by_identity.list(*identity)));
        for service in std::iter::once(None).chain(services.iter().copied().map(Some)) {
            for event in std::iter::once(None).chain(events.iter().copied().map(Some)) {
                found.extend(self.pairs.rows(service, event));
            }
        }
        found.sort_unstable();
        found.dedup();
    }
}

impl PairIndex {
    /// Makes the index of pairs, each encoded, and of the rows that are filed under each: the number of a pair, and a row.
    pub(super) fn new(pairs: &[[u32; 2]], rows: Vec<(u32, RowId)>) -> Self {
        let mut ids = IdTable::default();
        pairs.iter().for_each(|_| ids.add(|id| hash(pairs[id as usize])));
        Self { pairs: pairs.concat().into(), ids, rows: PackedLists::from_pairs(rows) }
    }

    /// The rows of a pair; `None` stands for *any*.
    fn rows(&self, service: Option<LiteralId>, event: Option<LiteralId>) -> impl Iterator<Item = RowId> {
        let pair = encode(service, event);
        self.ids.find(hash(pair), |id| self.pair(id) == pair).into_iter().flat_map(|id| self.rows.list(id))
    }

    fn pair(&self, id: u32) -> [u32; 2] {
        let at = 2 * id as usize;
        [number(&self.pairs, at), number(&self.pairs, at + 1)]
    }
}

impl FieldIndex {
    /// Appends the rows that are filed under literals that the text has. `buffer` is memory for the literals.
    pub(super) fn rows_for_text(&self, text: &str, buffer: &mut Vec<LiteralId>, found: &mut Vec<RowId>) {
        buffer.clear();
        self.literals.find(text.as_bytes(), buffer);
        found.extend(buffer.iter().flat_map(|literal| self.rows.list(*literal)));
    }

    /// All the rows that are filed here.
    pub(super) fn all_rows(&self) -> impl Iterator<Item = RowId> {
        self.rows.all()
    }
}

/// A pair as two numbers: a literal's and one, or 0 for *any*.
pub(super) fn encode(service: Option<LiteralId>, event: Option<LiteralId>) -> [u32; 2] {
    [service, event].map(|literal| literal.map_or(0, |literal| literal + 1))
}

fn hash([service, event]: [u32; 2]) -> u64 {
    let mut hasher = Mixer::default();
    hasher.write_u64(u64::from(service) << 32 | u64::from(event));
    hasher.finish()
}
