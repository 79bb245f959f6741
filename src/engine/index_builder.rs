//! Makes the candidate index of rules: which fields are extracted, and where each row is filed.

use super::call::{CALL_PATHS, EVENT, IDENTITY, SERVICE, call_fields};
use super::candidate_index::{CandidateIndex, FieldIndex, PairIndex, encode};
use super::hash::{Map, Set};
use super::literals::{LiteralId, LiteralsBuilder};
use super::path_trie::{FieldId, PathTrie, TrieBuilder};
use super::plan::{RowId, RowPlace, RowPlan, RulePlan, ValueSource};
use super::tables::PackedLists;
use crate::cloudtrail::ALIAS_PATHS;
use crate::cloudtrail::envelope::{RECORD_KEYS, WRAPPER_KEYS};
use crate::cloudtrail::own_resources::{OWN_RESOURCE_PATHS, RECORDED_IN_PATHS};
use crate::rules::field::FieldTarget;
use crate::rules::pattern::{Anchor, AnchoredLiteral};
use crate::rules::{Exception, Row, Rule};

/// The most pairs of literals under which one row is filed. A row with more is filed under its event's literals alone, or as if
/// it asked for no derived field.
const MAX_PAIRS: usize = 1_024;

/// Makes the index of the rules that are on, and the plans of those. Rules stand in the order of the file.
pub(super) fn build(rules: &[Rule]) -> (CandidateIndex, Vec<Option<RulePlan>>) {
    let trie = build_trie(rules);
    let call = call_fields(trie.view());
    let mut builder = IndexBuilder::default();
    let mut plans = Vec::with_capacity(rules.len());
    for (number, rule) in (0..).zip(rules) {
        let plan = rule.is_on().then(|| RulePlan::new(rule, trie.view(), call));
        for (place, (row, plan)) in (0..).zip(rule.when.0.iter().zip(plan.iter().flat_map(|plan| &plan.rows))) {
            builder.file(RowPlace { rule: number, row: place }, row, plan);
        }
        plans.push(plan);
    }
    (builder.build(trie), plans)
}

/// The fields that are extracted: the call, what the rules that are on name, and what tells a record from its wrappings.
fn build_trie(rules: &[Rule]) -> PathTrie {
    let mut trie = TrieBuilder::default();
    CALL_PATHS.iter().for_each(|path| trie.add_field(path.iter().copied()));
    let mut seen: Set<&[Box<str>]> = Set::default();
    let (mut has_aliases, mut asks_for_own) = (false, false);
    for rule in rules.iter().filter(|rule| rule.is_on()) {
        let exceptions = rule.unless.iter().flat_map(|exception| &exception.when.0);
        for cell in rule.when.0.iter().chain(exceptions).flat_map(|row| &row.0) {
            match &cell.field.target {
                FieldTarget::Path(path) if !cell.condition.needs_the_record() => {
                    if seen.insert(path) {
                        trie.add_field(path.iter().map(|key| &**key));
                    }
                }
                // A derived field is asked of the whole record, or not at all.
                FieldTarget::Path(_) | FieldTarget::Derived(_) | FieldTarget::Targets => {}
                FieldTarget::Computed(_) | FieldTarget::Country(_) | FieldTarget::OfAccount(..) => has_aliases = true,
                FieldTarget::OwnResource(_) => asks_for_own = true,
            }
        }
        if rule.unless.iter().any(Exception::is_timed) {
            trie.add_field(["eventTime"]);
        }
    }
    if has_aliases {
        ALIAS_PATHS.iter().for_each(|path| trie.add_field(path.iter().copied()));
    }
    if asks_for_own {
        let paths = OWN_RESOURCE_PATHS.iter().chain(&RECORDED_IN_PATHS);
        paths.for_each(|path| trie.add_field(path.iter().copied()));
    }
    RECORD_KEYS.iter().chain(&WRAPPER_KEYS).for_each(|key| trie.add_key(key));
    trie.build()
}

/// The calls, by service and event, of which every record that the row matches must have one, because derived fields must have
/// a value: those that all of these fields understand; `None` if there is no such field.
fn understood_calls(row: &Row, plan: &RowPlan) -> Option<Vec<(&'static str, &'static str)>> {
    let (first, others) = plan.derived.split_first()?;
    let calls = first.each_call().filter(|(service, event)| {
        plan.accepts_service(row, service) && others.iter().all(|other| other.understands(service, event))
    });
    Some(calls.collect::<Vec<_>>()).filter(|calls| calls.len() <= MAX_PAIRS)
}

/// An index while rows are filed.
#[derive(Default)]
struct IndexBuilder {
    services: LiteralsBuilder,
    events: LiteralsBuilder,
    /// The number of each encoded pair: its place in `pairs`.
    pair_ids: Map<[u32; 2], u32>,
    pairs: Vec<[u32; 2]>,
    by_pair: Vec<(u32, RowId)>,
    identities: LiteralsBuilder,
    by_identity: Vec<(LiteralId, RowId)>,
    fields: Vec<FieldIndexBuilder>,
    unindexed: Vec<RowId>,
    rows: Vec<u32>,
}

/// The index of one field while rows are filed.
struct FieldIndexBuilder {
    field: FieldId,
    literals: LiteralsBuilder,
    by_literal: Vec<(LiteralId, RowId)>,
}

impl IndexBuilder {
    /// Files the next row.
    fn file(&mut self, place: RowPlace, row: &Row, plan: &RowPlan) {
        let id = RowId::try_from(self.rows.len() / 2).unwrap_or(RowId::MAX);
        self.rows.extend([place.rule, place.row]);
        let literals_of = |wanted: usize| {
            let cells = plan.call_cells.iter().filter(|(_, part)| usize::from(*part) == wanted);
            cells.filter_map(|(cell, _)| row.0[usize::from(*cell)].condition.required_literals()).min_by_key(Vec::len)
        };
        let (services, events) = (literals_of(SERVICE), literals_of(EVENT));
        if events.is_none()
            && let Some(calls) = understood_calls(row, plan)
        {
            return self.file_by_calls(id, &calls);
        }
        match (services, events) {
            (None, None) => {
                let field = plan.other_cells.iter().find_map(|(cell, source)| match source {
                    ValueSource::Field(field) => {
                        Some((*field, row.0[usize::from(*cell)].condition.required_literals()?))
                    }
                    ValueSource::Alias | ValueSource::Derived(_) | ValueSource::Record => None,
                });
                if let Some((field, literals)) = field {
                    self.file_by_field(id, field, &literals);
                } else if let Some(literals) = literals_of(IDENTITY) {
                    self.by_identity.extend(literals.iter().map(|literal| (self.identities.intern(literal), id)));
                } else if plan.call_cells.is_empty() {
                    self.unindexed.push(id);
                } else {
                    self.file_by_pair(id, None, None);
                }
            }
            (services, events) => self.file_by_pairs(id, services, events),
        }
    }

    /// Files a row under calls that derived fields understand: under the name of the service, and the beginning of the event's,
    /// since a version may follow.
    fn file_by_calls(&mut self, id: RowId, calls: &[(&str, &str)]) {
        let literal = |anchor, text: &str| AnchoredLiteral { anchor, bytes: text.as_bytes().into() };
        for (service, event) in calls {
            let service = self.services.intern(&literal(Anchor::Whole, service));
            let event = self.events.intern(&literal(Anchor::Start, event));
            self.file_by_pair(id, Some(service), Some(event));
        }
    }

    fn file_by_pairs(
        &mut self,
        id: RowId,
        services: Option<Vec<AnchoredLiteral>>,
        events: Option<Vec<AnchoredLiteral>>,
    ) {
        let intern = |builder: &mut LiteralsBuilder, literals: Option<Vec<AnchoredLiteral>>| match literals {
            None => vec![None],
            Some(literals) => literals.iter().map(|literal| Some(builder.intern(literal))).collect(),
        };
        let mut services = intern(&mut self.services, services);
        let events = intern(&mut self.events, events);
        if services.len() * events.len() > MAX_PAIRS {
            services = vec![None];
        }
        for service in services {
            for event in &events {
                self.file_by_pair(id, service, *event);
            }
        }
    }

    fn file_by_pair(&mut self, id: RowId, service: Option<LiteralId>, event: Option<LiteralId>) {
        let pairs = &mut self.pairs;
        let next = u32::try_from(pairs.len()).unwrap_or(u32::MAX);
        let pair = *self.pair_ids.entry(encode(service, event)).or_insert_with_key(|pair| {
            pairs.push(*pair);
            next
        });
        self.by_pair.push((pair, id));
    }

    fn file_by_field(&mut self, id: RowId, field: FieldId, required: &[AnchoredLiteral]) {
        let place = self.fields.iter().position(|builder| builder.field == field).unwrap_or_else(|| {
            self.fields.push(FieldIndexBuilder { field, literals: LiteralsBuilder::default(), by_literal: Vec::new() });
            self.fields.len() - 1
        });
        let FieldIndexBuilder { literals, by_literal, .. } = &mut self.fields[place];
        by_literal.extend(required.iter().map(|literal| (literals.intern(literal), id)));
    }

    fn build(self, trie: PathTrie) -> CandidateIndex {
        let fields = self.fields.into_iter().map(|FieldIndexBuilder { field, literals, by_literal }| FieldIndex {
            field,
            literals: literals.build(),
            rows: PackedLists::from_pairs(by_literal),
        });
        CandidateIndex {
            trie,
            services: self.services.build(),
            events: self.events.build(),
            pairs: PairIndex::new(&self.pairs, self.by_pair),
            identities: self.identities.build(),
            by_identity: PackedLists::from_pairs(self.by_identity),
            fields: fields.collect(),
            unindexed: self.unindexed.into(),
            rows: self.rows.into(),
        }
    }
}
