//! Which rows come into question for a record: an index over what they ask of its service, its event, and its other fields.
//!
//! A row is filed once, as a *clause*, under literals that every record it matches must have:
//! - under pairs of a service's literal and an event's, if it asks for either (a row that asks for one only is filed under
//!   that literal and *any*);
//! - else under the literals of one other field (`errorCode` is `AccessDenied`, `userAgent` holds `kali`);
//! - else under the identity's literals (what it asks of these three is all checked before the memo keeps it);
//! - else nowhere: it comes into question always.
//!
//! Filing may bring up a row that does not match, and never the reverse. What the cells ask ([`super::asked`]) is checked on
//! the picked fields, by the conditions themselves; what remains is put to the simple engine.
//!
//! The index holds no rule and no condition, only numbers and literals: a package keeps it as it is, and the function starts
//! from it without a single rule compiled.

use std::hash::Hasher as _;

use serde::{Deserialize, Serialize};

use super::asked::{Asked, CALL, EVENT, IDENTITY, Parted, SERVICE, Source};
use super::extract::{Branch, Paths, SlotId};
use super::flat::{Lists, Slots, Words};
use super::hash::{Map, Mixer, Set};
use super::literals::{Growing, LiteralId, Literals};
use super::memo::Call;
use crate::cloudtrail::ALIAS_PATHS;
use crate::cloudtrail::envelope::{RECORD_MARKS, WRAPPING_MARKS};
use crate::rules::condition::Condition;
use crate::rules::field::Target;
use crate::rules::pattern::{Key, Place};
use crate::rules::{Row, Rule};

/// A clause's number, from 0, in the order of the rules and their rows.
pub(super) type ClauseId = u32;

/// Pairs of literals under which one row is filed.
const MAX_PAIRS: usize = 1_024;

/// The index.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Index {
    /// What is picked from a record.
    pub(super) paths: Paths,
    services: Literals,
    events: Literals,
    pairs: Pairs,
    identities: Literals,
    /// The clauses filed under an identity's literal.
    by_identity: Lists,
    /// The other fields by which clauses are filed.
    pub(super) fields: Vec<Filed>,
    /// The clauses that nothing is known to rule out.
    pub(super) everywhere: Words,
    /// Of each clause, its rule's place in the file and its row's in the table.
    clauses: Words,
}

/// One row of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Clause {
    /// The rule's place in the file.
    pub(super) rule: u32,
    /// The row's place in its table.
    pub(super) row: u32,
}

/// Keys at the top of a record whose presence tells what it is.
#[derive(Debug)]
pub(super) struct Marks {
    /// Those that only CloudTrail's records have.
    pub(super) record: Vec<SlotId>,
    /// Those of what a record may be wrapped in.
    pub(super) wrapping: Vec<SlotId>,
}

/// The clauses that are filed under a service's literal and an event's.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Pairs {
    /// The literals of each pair: a number and one; 0: any.
    coded: Words,
    slots: Slots,
    clauses: Lists,
}

/// The clauses that are filed under the literals of one field.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Filed {
    pub(super) slot: SlotId,
    literals: Literals,
    /// By the literal's number.
    clauses: Lists,
}

/// Buffers of a look-up.
#[derive(Debug, Default)]
pub(super) struct Buffers {
    identities: Vec<LiteralId>,
    services: Vec<LiteralId>,
    events: Vec<LiteralId>,
}

impl Marks {
    /// Where these paths are picked.
    pub(super) fn of(paths: &Paths) -> Self {
        let places = |keys: &[&str]| keys.iter().filter_map(|key| paths.place([*key])).collect();
        Self { record: places(&RECORD_MARKS), wrapping: places(&WRAPPING_MARKS) }
    }
}

impl Index {
    /// Of the rules that are on, and what those ask of a record.
    pub(super) fn of(rules: &[Rule]) -> (Self, Vec<Option<Asked>>) {
        let paths = paths(rules);
        let call = super::asked::call(&paths);
        let mut filing = Filing::default();
        let mut all = Vec::with_capacity(rules.len());
        for (number, rule) in (0..).zip(rules) {
            let asked = rule.is_on().then(|| Asked::of(rule, &paths, call));
            for (place, (row, parted)) in (0..).zip(rule.when.0.iter().zip(asked.iter().flat_map(|asked| &asked.rows)))
            {
                filing.file(Clause { rule: number, row: place }, row, parted);
            }
            all.push(asked);
        }
        (filing.finish(paths), all)
    }

    /// A clause by its number.
    #[inline]
    pub(super) fn clause(&self, id: ClauseId) -> Clause {
        let at = 2 * id as usize;
        Clause { rule: self.clauses[at], row: self.clauses[at + 1] }
    }

    /// The clauses that come into question for a call, by the literals that it has; but for those filed under other fields
    /// and those of everywhere. Ascending.
    pub(super) fn of_call(&self, call: &Call<'_>, buffers: &mut Buffers, found: &mut Vec<ClauseId>) {
        let Buffers { identities, services, events } = buffers;
        for (part, literals, numbers) in [
            (IDENTITY, &self.identities, &mut *identities),
            (SERVICE, &self.services, &mut *services),
            (EVENT, &self.events, &mut *events),
        ] {
            numbers.clear();
            if let Some(text) = call.part(part) {
                literals.find(text.as_bytes(), numbers);
            }
        }
        found.clear();
        found.extend(identities.iter().flat_map(|identity| self.by_identity.list(*identity)));
        for service in std::iter::once(None).chain(services.iter().copied().map(Some)) {
            for event in std::iter::once(None).chain(events.iter().copied().map(Some)) {
                found.extend(self.pairs.of(service, event));
            }
        }
        found.sort_unstable();
        found.dedup();
    }
}

impl Pairs {
    /// The clauses of a pair; none: of any.
    fn of(&self, service: Option<LiteralId>, event: Option<LiteralId>) -> &[ClauseId] {
        let pair = coded(service, event);
        self.slots.find(hash(pair), |at| self.at(at) == pair).map_or(&[], |at| self.clauses.list(at))
    }

    fn at(&self, pair: u32) -> [u32; 2] {
        let at = 2 * pair as usize;
        [self.coded[at], self.coded[at + 1]]
    }
}

impl Filed {
    /// Appends the clauses whose literal the text has.
    pub(super) fn of_text(&self, text: &str, buffer: &mut Vec<LiteralId>, found: &mut Vec<ClauseId>) {
        buffer.clear();
        self.literals.find(text.as_bytes(), buffer);
        found.extend(buffer.iter().flat_map(|literal| self.clauses.list(*literal)));
    }

    /// All its clauses.
    pub(super) fn all(&self) -> &[ClauseId] {
        self.clauses.all()
    }
}

fn coded(service: Option<LiteralId>, event: Option<LiteralId>) -> [u32; 2] {
    [service, event].map(|literal| literal.map_or(0, |literal| literal + 1))
}

fn hash([service, event]: [u32; 2]) -> u64 {
    let mut hasher = Mixer::default();
    hasher.write_u64(u64::from(service) << 32 | u64::from(event));
    hasher.finish()
}

/// An index while it grows.
#[derive(Default)]
struct Filing {
    services: Growing,
    events: Growing,
    /// Each pair's place in `coded`.
    pairs: Map<[u32; 2], u32>,
    coded: Vec<[u32; 2]>,
    by_pair: Vec<(u32, ClauseId)>,
    identities: Growing,
    by_identity: Vec<(LiteralId, ClauseId)>,
    fields: Vec<FiledField>,
    everywhere: Vec<ClauseId>,
    clauses: Vec<u32>,
}

struct FiledField {
    slot: SlotId,
    literals: Growing,
    by_literal: Vec<(LiteralId, ClauseId)>,
}

impl Filing {
    fn file(&mut self, clause: Clause, row: &Row, parted: &Parted) {
        let id = ClauseId::try_from(self.clauses.len() / 2).unwrap_or(ClauseId::MAX);
        self.clauses.extend([clause.rule, clause.row]);
        let keys_of = |wanted: usize| {
            let cells = parted.of_call.iter().filter(|(_, part)| usize::from(*part) == wanted);
            cells.filter_map(|(cell, _)| keys(&row.0[usize::from(*cell)].condition)).min_by_key(Vec::len)
        };
        match (keys_of(SERVICE), keys_of(EVENT)) {
            (None, None) => {
                let field = parted.others.iter().find_map(|(cell, source)| match source {
                    Source::Slot(slot) => Some((*slot, keys(&row.0[usize::from(*cell)].condition)?)),
                    Source::Alias | Source::Record => None,
                });
                if let Some((slot, keys)) = field {
                    self.file_by_field(id, slot, &keys);
                } else if let Some(keys) = keys_of(IDENTITY) {
                    self.by_identity.extend(keys.iter().map(|key| (self.identities.number(key), id)));
                } else if parted.of_call.is_empty() {
                    self.everywhere.push(id);
                } else {
                    self.file_by_pair(id, None, None);
                }
            }
            (services, events) => self.file_by_pairs(id, services, events),
        }
    }

    fn file_by_pairs(&mut self, id: ClauseId, services: Option<Vec<Key>>, events: Option<Vec<Key>>) {
        let number = |literals: &mut Growing, keys: Option<Vec<Key>>| -> Vec<Option<LiteralId>> {
            keys.map_or_else(|| vec![None], |keys| keys.iter().map(|key| Some(literals.number(key))).collect())
        };
        let mut services = number(&mut self.services, services);
        let events = number(&mut self.events, events);
        if services.len() * events.len() > MAX_PAIRS {
            services = vec![None];
        }
        for service in services {
            for event in &events {
                self.file_by_pair(id, service, *event);
            }
        }
    }

    fn file_by_pair(&mut self, id: ClauseId, service: Option<LiteralId>, event: Option<LiteralId>) {
        let coded = &mut self.coded;
        let next = u32::try_from(coded.len()).unwrap_or(u32::MAX);
        let pair = *self.pairs.entry(self::coded(service, event)).or_insert_with_key(|pair| {
            coded.push(*pair);
            next
        });
        self.by_pair.push((pair, id));
    }

    fn file_by_field(&mut self, id: ClauseId, slot: SlotId, keys: &[Key]) {
        let place = self.fields.iter().position(|field| field.slot == slot).unwrap_or_else(|| {
            self.fields.push(FiledField { slot, literals: Growing::default(), by_literal: Vec::new() });
            self.fields.len() - 1
        });
        let FiledField { literals, by_literal, .. } = &mut self.fields[place];
        by_literal.extend(keys.iter().map(|key| (literals.number(key), id)));
    }

    fn finish(self, paths: Paths) -> Index {
        let Self { services, events, coded, by_pair, identities, by_identity, fields, everywhere, clauses, .. } = self;
        let mut slots = Slots::default();
        coded.iter().for_each(|_| slots.add(|pair| hash(coded[pair as usize])));
        let pairs = Pairs { coded: coded.concat().into(), slots, clauses: Lists::of(by_pair) };
        let fields = fields.into_iter().map(|FiledField { slot, literals, by_literal }| Filed {
            slot,
            literals: literals.finish(),
            clauses: Lists::of(by_literal),
        });
        Index {
            paths,
            services: services.finish(),
            events: events.finish(),
            pairs,
            identities: identities.finish(),
            by_identity: Lists::of(by_identity),
            fields: fields.collect(),
            everywhere: everywhere.into(),
            clauses: clauses.into(),
        }
    }
}

/// What is to be picked: the call, and what the rules that are on name.
fn paths(rules: &[Rule]) -> Paths {
    let mut root = Branch::default();
    CALL.iter().for_each(|path| root.add(path.iter().copied()));
    let mut seen: Set<&[Box<str>]> = Set::default();
    let mut aliases = false;
    for rule in rules.iter().filter(|rule| rule.is_on()) {
        let exceptions = rule.unless.iter().flat_map(|exception| &exception.when.0);
        for cell in rule.when.0.iter().chain(exceptions).flat_map(|row| &row.0) {
            match &cell.field.target {
                Target::Path(path) if !cell.condition.needs_the_record() => {
                    if seen.insert(path) {
                        root.add(path.iter().map(|key| &**key));
                    }
                }
                Target::Path(_) => {}
                Target::Computed(_) | Target::Country(_) => aliases = true,
            }
        }
        if rule.unless.iter().any(|exception| exception.expires.is_some()) {
            root.add(["eventTime"]);
        }
    }
    if aliases {
        ALIAS_PATHS.iter().for_each(|path| root.add(path.iter().copied()));
    }
    RECORD_MARKS.iter().chain(&WRAPPING_MARKS).for_each(|key| root.mark(key));
    Paths::of(root)
}

/// Literals of which one value of the field at least has one, if the condition is true.
fn keys(condition: &Condition) -> Option<Vec<Key>> {
    match condition {
        Condition::Pattern(pattern) => pattern.keys(),
        Condition::Is(texts) => {
            Some(texts.iter().map(|text| Key { place: Place::Whole, bytes: text.as_bytes().into() }).collect())
        }
        Condition::Any(conditions) => {
            let keys: Option<Vec<Vec<Key>>> = conditions.iter().map(keys).collect();
            keys.map(|keys| keys.concat())
        }
        Condition::All(conditions) => conditions.iter().filter_map(keys).min_by_key(Vec::len),
        Condition::Not(_)
        | Condition::Exists(_)
        | Condition::Cidr(_)
        | Condition::Above(_)
        | Condition::Below(_)
        | Condition::Time { .. }
        | Condition::SameAs(_)
        | Condition::Item(_) => None,
    }
}
