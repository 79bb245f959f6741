//! Which rows come into question for a record: an index over what they ask of its service, its event, and its other fields.
//!
//! A row is filed once, as a *clause*, under literals that every record it matches must have:
//! - under pairs of a service's literal and an event's, if it asks for either (a row that asks for one only is filed under
//!   that literal and *any*); the identity and all else that it asks of these three is checked before the memo keeps it;
//! - else under the literals of one other field (`errorCode` is `AccessDenied`, `userAgent` holds `kali`);
//! - else nowhere: it comes into question always.
//!
//! Filing may bring up a row that does not match, and never the reverse. What the other cells ask is checked on the picked
//! fields, by the conditions themselves; what remains is put to the simple engine.

use super::extract::{Branch, Paths, Scalar, SlotId};
use super::hash::{Map, Set};
use super::literals::{LiteralId, Literals};
use crate::envelope::{RECORD_MARKS, WRAPPING_MARKS};
use crate::record::{FACTS, Found, Scope};
use crate::rules::condition::Condition;
use crate::rules::field::Target;
use crate::rules::pattern::{Key, Place};
use crate::rules::{Cell, Row, Rule, Table};

/// A clause's number, from 0, in the order of the rules and their rows.
pub(super) type ClauseId = u32;

/// The fields by which the memo remembers, in the order of its key.
const CALL: [&[&str]; 3] = [&["userIdentity", "type"], &["eventSource"], &["eventName"]];
const SERVICE: usize = 1;
const EVENT: usize = 2;

/// Pairs of literals under which one row is filed.
const MAX_PAIRS: usize = 1_024;

/// The index.
#[derive(Debug)]
pub(super) struct Index {
    /// What is picked from a record.
    pub(super) paths: Paths,
    /// The three fields of a call.
    pub(super) call: [SlotId; 3],
    pub(super) marks: Marks,
    services: Literals,
    events: Literals,
    /// The clauses filed under a service's literal and an event's.
    pairs: Map<Pair, Vec<ClauseId>>,
    /// The other fields by which clauses are filed.
    pub(super) fields: Vec<Filed>,
    /// The clauses that nothing is known to rule out.
    pub(super) everywhere: Vec<ClauseId>,
    clauses: Vec<Clause>,
    /// The exceptions of each rule, by its place in the file.
    exceptions: Map<u32, Vec<Vec<Clause>>>,
}

/// Keys at the top of a record whose presence tells what it is.
#[derive(Debug)]
pub(super) struct Marks {
    /// Those that only CloudTrail's records have.
    pub(super) record: Vec<SlotId>,
    /// Those of what a record may be wrapped in.
    pub(super) wrapping: Vec<SlotId>,
}

/// A service's literal and an event's; none: any.
type Pair = (Option<LiteralId>, Option<LiteralId>);

/// The clauses that are filed under the literals of one field.
#[derive(Debug)]
pub(super) struct Filed {
    pub(super) slot: SlotId,
    literals: Literals,
    /// By the literal's number.
    clauses: Vec<Vec<ClauseId>>,
}

/// One row of a rule, and where the values of its cells come from.
#[derive(Debug)]
pub(super) struct Clause {
    /// The rule's place in the file.
    pub(super) rule: u32,
    /// The row's place in its table.
    pub(super) row: u32,
    /// The cells that ask for a part of the call: their place in the row, and the part.
    pub(super) of_call: Box<[(u16, u8)]>,
    /// The other cells.
    pub(super) others: Box<[(u16, Source)]>,
}

/// Where a cell's values come from.
#[derive(Debug, Clone, Copy)]
pub(super) enum Source {
    /// A field that is picked.
    Slot(SlotId),
    /// An alias, worked out from picked fields.
    Alias,
    /// The whole record alone.
    Record,
}

/// Buffers of a look-up.
#[derive(Debug, Default)]
pub(super) struct Buffers {
    services: Vec<LiteralId>,
    events: Vec<LiteralId>,
}

impl Index {
    /// Of the rules that are on.
    pub(super) fn of(rules: &[Rule]) -> Self {
        let paths = paths(rules);
        let call = CALL.map(|path| paths.slot(path.iter().copied()).unwrap_or_default());
        let places = |keys: &[&str]| keys.iter().filter_map(|key| paths.place([*key])).collect();
        let marks = Marks { record: places(&RECORD_MARKS), wrapping: places(&WRAPPING_MARKS) };
        let mut index = Self {
            paths,
            call,
            marks,
            services: Literals::default(),
            events: Literals::default(),
            pairs: Map::default(),
            fields: Vec::new(),
            everywhere: Vec::new(),
            clauses: Vec::new(),
            exceptions: Map::default(),
        };
        for (number, rule) in (0_u32..).zip(rules).filter(|(_, rule)| rule.is_on()) {
            for (place, row) in (0_u32..).zip(&rule.when.0) {
                let clause = index.clause(number, place, row, &index.call);
                index.file(clause, row);
            }
            if !rule.unless.is_empty() {
                let rows = |table: &Table| {
                    (0_u32..).zip(&table.0).map(|(place, row)| index.clause(number, place, row, &[])).collect()
                };
                let exceptions = rule.unless.iter().map(|exception| rows(&exception.when)).collect();
                index.exceptions.insert(number, exceptions);
            }
        }
        index.services.finish();
        index.events.finish();
        index.fields.iter_mut().for_each(|field| field.literals.finish());
        index
    }

    /// A row, with its cells parted: those that ask for one of `call`, and the others.
    fn clause(&self, rule: u32, place: u32, row: &Row, call: &[SlotId]) -> Clause {
        let (mut of_call, mut others) = (Vec::new(), Vec::new());
        for (place, cell) in (0_u16..).zip(&row.0) {
            let source = self.source(cell);
            let part =
                if let Source::Slot(slot) = source { (0_u8..).zip(call).find(|(_, of)| **of == slot) } else { None };
            match part {
                Some((part, _)) => of_call.push((place, part)),
                None => others.push((place, source)),
            }
        }
        Clause { rule, row: place, of_call: of_call.into(), others: others.into() }
    }

    fn source(&self, cell: &Cell) -> Source {
        if cell.condition.needs_the_record() {
            return Source::Record;
        }
        match &cell.field.target {
            Target::Derived(_) | Target::Country(_) => Source::Alias,
            Target::Path(path) => self.paths.slot(path.iter().map(|key| &**key)).map_or(Source::Record, Source::Slot),
        }
    }

    fn file(&mut self, clause: Clause, row: &Row) {
        let id = ClauseId::try_from(self.clauses.len()).unwrap_or(ClauseId::MAX);
        let keys_of = |wanted: usize| {
            let cells = clause.of_call.iter().filter(|(_, part)| usize::from(*part) == wanted);
            cells.filter_map(|(cell, _)| keys(&row.0[usize::from(*cell)].condition)).min_by_key(Vec::len)
        };
        match (keys_of(SERVICE), keys_of(EVENT)) {
            (None, None) => {
                let field = clause.others.iter().find_map(|(cell, source)| match source {
                    Source::Slot(slot) => Some((*slot, keys(&row.0[usize::from(*cell)].condition)?)),
                    Source::Alias | Source::Record => None,
                });
                if let Some((slot, keys)) = field {
                    self.file_by_field(id, slot, &keys);
                } else if clause.of_call.is_empty() {
                    self.everywhere.push(id);
                } else {
                    self.pairs.entry((None, None)).or_default().push(id);
                }
            }
            (services, events) => self.file_by_pairs(id, services, events),
        }
        self.clauses.push(clause);
    }

    fn file_by_pairs(&mut self, id: ClauseId, services: Option<Vec<Key>>, events: Option<Vec<Key>>) {
        let number = |literals: &mut Literals, keys: Option<Vec<Key>>| -> Vec<Option<LiteralId>> {
            keys.map_or_else(|| vec![None], |keys| keys.iter().map(|key| Some(literals.number(key))).collect())
        };
        let mut services = number(&mut self.services, services);
        let events = number(&mut self.events, events);
        if services.len() * events.len() > MAX_PAIRS {
            services = vec![None];
        }
        for service in services {
            for event in &events {
                let filed = self.pairs.entry((service, *event)).or_default();
                if filed.last() != Some(&id) {
                    filed.push(id);
                }
            }
        }
    }

    fn file_by_field(&mut self, id: ClauseId, slot: SlotId, keys: &[Key]) {
        let place = self.fields.iter().position(|field| field.slot == slot).unwrap_or_else(|| {
            self.fields.push(Filed { slot, literals: Literals::default(), clauses: Vec::new() });
            self.fields.len() - 1
        });
        let Filed { literals, clauses, .. } = &mut self.fields[place];
        for key in keys {
            let literal = literals.number(key) as usize;
            if clauses.len() <= literal {
                clauses.resize_with(literal + 1, Vec::new);
            }
            clauses[literal].push(id);
        }
    }

    /// A clause by its number.
    pub(super) fn clause_at(&self, id: ClauseId) -> &Clause {
        &self.clauses[id as usize]
    }

    /// The exceptions of a rule, the rows of each.
    pub(super) fn exceptions(&self, rule: u32) -> &[Vec<Clause>] {
        if self.exceptions.is_empty() { &[] } else { self.exceptions.get(&rule).map_or(&[], Vec::as_slice) }
    }

    /// The clauses that come into question for a call, but for those filed under other fields and those of everywhere: all
    /// that they ask of the call is true. Ascending.
    pub(super) fn of_call(
        &self,
        rules: &[Rule],
        call: &[Scalar<'_>; 3],
        buffers: &mut Buffers,
        found: &mut Vec<ClauseId>,
    ) {
        let Buffers { services, events } = buffers;
        for (part, literals, numbers) in
            [(SERVICE, &self.services, &mut *services), (EVENT, &self.events, &mut *events)]
        {
            numbers.clear();
            if let Scalar::Text(text) = call[part] {
                literals.find(text.as_bytes(), numbers);
            }
        }
        found.clear();
        for service in std::iter::once(None).chain(services.iter().copied().map(Some)) {
            for event in std::iter::once(None).chain(events.iter().copied().map(Some)) {
                found.extend(self.pairs.get(&(service, event)).into_iter().flatten());
            }
        }
        found.sort_unstable();
        found.dedup();
        found.retain(|id| asks_for(rules, self.clause_at(*id), call));
    }
}

impl Filed {
    /// Calls `take` with the clauses whose literal one of the texts has.
    pub(super) fn of_text(&self, text: &str, buffer: &mut Vec<LiteralId>, found: &mut Vec<ClauseId>) {
        buffer.clear();
        self.literals.find(text.as_bytes(), buffer);
        found.extend(buffer.iter().flat_map(|literal| &self.clauses[*literal as usize]));
    }

    /// All its clauses.
    pub(super) fn all(&self) -> impl Iterator<Item = ClauseId> {
        self.clauses.iter().flatten().copied()
    }
}

/// Whether what a clause asks of the call is true of this one.
pub(super) fn asks_for(rules: &[Rule], clause: &Clause, call: &[Scalar<'_>; 3]) -> bool {
    let row = &rules[clause.rule as usize].when.0[clause.row as usize];
    clause.of_call.iter().all(|(cell, part)| {
        let condition = &row.0[usize::from(*cell)].condition;
        match call[usize::from(*part)] {
            Scalar::Text(text) => condition.holds(&[Found::Derived(text.into())], Scope::Unread),
            Scalar::Missing | Scalar::Other => condition.holds(&[], Scope::Unread),
        }
    })
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
                Target::Derived(_) | Target::Country(_) => aliases = true,
            }
        }
        if rule.unless.iter().any(|exception| exception.expires.is_some()) {
            root.add(["eventTime"]);
        }
    }
    if aliases {
        FACTS.iter().for_each(|path| root.add(path.iter().copied()));
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
