//! Alternatives into patterns, cut by `eventSource`, so that no event matches two of them.
//!
//! A source belongs to the pattern that has the one of the prefixes ([`Cell`]) with which it begins; what begins with none of them,
//! and a record without a source, to the last pattern. An alternative of every service stands in each pattern, for the sources of
//! that.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::alternative::Alternative;
use super::field::PatternField;
use super::limits::BUSY;
use super::part::PatternPart;
use super::sorted::{Sorted, source_text};
use super::values::{Text, Texts, Values};

/// How a family of alternatives is cut.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cut {
    /// The characters that a pattern has for what it asks.
    pub(super) characters: usize,
    /// The most patterns.
    pub(super) patterns: usize,
    /// A source that the alternatives of every service leave out.
    pub(super) but: Option<&'static str>,
    /// The names of all calls of a source that the family is about.
    pub(super) all_names: fn(&Text) -> Texts,
    /// Whether all calls of services that are not busy may pass.
    pub(super) may_open: bool,
}

/// Sources that stay together: those that begin so.
#[derive(Debug)]
struct Cell {
    prefix: String,
    sources: Vec<Text>,
    /// Of what is asked of them.
    characters: usize,
    /// Whether the names that are asked for tell their calls, so that the sources need not be said for each.
    is_tight: bool,
}

impl Cut {
    /// The patterns; `None` where so many do not suffice.
    pub(super) fn patterns(&self, alternatives: impl IntoIterator<Item = Alternative>) -> Option<Vec<PatternPart>> {
        let mut sorted = Sorted::new(alternatives, self.all_names);
        let are_few = |patterns: &Vec<PatternPart>| patterns.len() <= self.patterns;
        if let Some(patterns) = self.cut(&sorted).filter(are_few) {
            return Some(patterns);
        }
        if self.may_open {
            let mut busy = sorted.of_services(&BUSY);
            loop {
                match self.cut_open(&busy) {
                    Some(patterns) if are_few(&patterns) => return Some(patterns),
                    _ if busy.widen() => {}
                    _ => return None,
                }
            }
        }
        while sorted.widen() {
            if let Some(patterns) = self.cut(&sorted).filter(are_few) {
                return Some(patterns);
            }
        }
        None
    }

    /// Each service is asked for its calls.
    fn cut(&self, sorted: &Sorted) -> Option<Vec<PatternPart>> {
        let sources = || sorted.of_source.keys();
        let one =
            PatternPart::new(Alternative::default(), [sorted.of_all.clone(), sorted.by_source(sources())].concat());
        if one.fits(self.characters) {
            return Some(vec![one]);
        }
        let mut cells = Vec::new();
        self.divide(sorted, &sources().collect::<Vec<_>>(), 1, &mut cells)?;
        let mut patterns = self.packed(sorted, &mut cells)?;
        if !sorted.of_all.is_empty() {
            let rest = PatternPart::of_sources(self.elsewhere(&cells), &sorted.of_all, Vec::new());
            patterns.push(Some(rest).filter(|rest| rest.fits(self.characters))?);
        }
        Some(patterns)
    }

    /// These services are asked for their calls; all calls of the others pass.
    fn cut_open(&self, busy: &Sorted) -> Option<Vec<PatternPart>> {
        let cells = busy.of_source.keys().map(|source| {
            // The names of one service pass for its neighbours too, which is less than all calls of each.
            let cell = self.cell(busy, source_text(source), &[source]);
            let is_tight = !busy.is_open(source);
            Cell { is_tight, ..cell }
        });
        let mut cells: Vec<Cell> = cells.collect();
        let mut patterns = self.packed(busy, &mut cells)?;
        let rest = PatternPart::new(self.elsewhere(&cells), vec![Alternative::default()]);
        patterns.push(Some(rest).filter(|rest| rest.fits(self.characters))?);
        Some(patterns)
    }

    /// Divides sources by how they begin, until each part has room in a pattern.
    fn divide(&self, sorted: &Sorted, sources: &[&Text], depth: usize, cells: &mut Vec<Cell>) -> Option<()> {
        let mut parts: BTreeMap<&str, Vec<&Text>> = BTreeMap::new();
        for source in sources {
            parts.entry(head(source_text(source), depth)).or_default().push(source);
        }
        for (prefix, sources) in parts {
            let cell = self.cell(sorted, prefix, &sources);
            // A source that is itself a prefix belongs to all that begins so.
            let may_divide = sources.iter().all(|source| source_text(source).len() > prefix.len());
            let covers_other = self.but.is_some_and(|but| but.starts_with(prefix) && prefix != but);
            if !covers_other && self.of_cells(sorted, &[&cell]).fits(self.characters) {
                cells.push(cell);
            } else if may_divide {
                self.divide(sorted, &sources, depth + 1, cells)?;
            } else {
                return None;
            }
        }
        Some(())
    }

    fn cell(&self, sorted: &Sorted, prefix: &str, sources: &[&Text]) -> Cell {
        let of = || sources.iter().copied();
        Cell {
            prefix: prefix.to_owned(),
            sources: of().cloned().collect(),
            characters: sorted.characters(of()),
            is_tight: Some(prefix) != self.but && sorted.is_tight(of()),
        }
    }

    /// The cells in as few patterns as go; `None` where one has no room for a cell, or there are more than there may be. The largest come first.
    fn packed(&self, sorted: &Sorted, cells: &mut [Cell]) -> Option<Vec<PatternPart>> {
        cells.sort_by_key(|cell| (Reverse(cell.characters), cell.prefix.clone()));
        let mut groups: Vec<Vec<&Cell>> = Vec::new();
        for cell in &*cells {
            let is_room = |group: &Vec<&Cell>| {
                group.iter().all(|other| other.is_tight == cell.is_tight)
                    && self.of_cells(sorted, &[group, &[cell][..]].concat()).fits(self.characters)
            };
            match groups.iter().position(is_room) {
                Some(place) => groups[place].push(cell),
                // So many are too many, however the others fit.
                None if groups.len() == self.patterns => return None,
                None => groups.push(vec![cell]),
            }
        }
        let patterns: Vec<PatternPart> = groups.iter().map(|group| self.of_cells(sorted, group)).collect();
        patterns.iter().all(|pattern| pattern.fits(self.characters)).then_some(patterns)
    }

    /// The pattern of some cells.
    fn of_cells(&self, sorted: &Sorted, cells: &[&Cell]) -> PatternPart {
        let sources = cells.iter().flat_map(|cell| &cell.sources);
        let prefixes = cells.iter().map(|cell| cell.prefix.as_str()).filter(|prefix| Some(*prefix) != self.but);
        let source = Values::some(Texts::OneOf(prefixes.map(|prefix| Text::Prefix(prefix.into())).collect()));
        if cells.iter().all(|cell| cell.is_tight) {
            let common = Alternative::default().with(PatternField::Source, source);
            return PatternPart::of_sources(common, &sorted.of_all, sorted.by_name(sources));
        }
        let of_all =
            sorted.of_all.iter().map(|alternative| alternative.clone().with(PatternField::Source, source.clone()));
        let of_all = of_all.filter(|alternative| !alternative.is_impossible());
        PatternPart::new(Alternative::default(), of_all.chain(sorted.by_source(sources)).collect())
    }

    /// The sources that are in none of the cells.
    fn elsewhere(&self, cells: &[Cell]) -> Alternative {
        let prefixes: BTreeSet<Box<str>> =
            cells.iter().map(|cell| cell.prefix.as_str()).chain(self.but).map(Into::into).collect();
        let source = Values { texts: Texts::NotBeginning(prefixes).minimal(), absent: true };
        Alternative::default().with(PatternField::Source, source)
    }
}

/// The first characters of a text.
fn head(text: &str, characters: usize) -> &str {
    text.char_indices().nth(characters).map_or(text, |(end, _)| &text[..end])
}
