//! What the engine is compared with.

use aho_corasick::AhoCorasick;
use libdeflater::Decompressor;
use regex::{Regex, RegexSet};

use crate::traffic::Row;

/// sonic-rs steps over a record.
pub(crate) fn sonic(record: &str) -> bool {
    sonic_rs::from_str::<serde::de::IgnoredAny>(record).is_ok()
}

/// One `RegexSet` a field, and for each row the patterns that it needs. Conditions on further fields are left out.
pub(crate) struct Sets {
    fields: [RegexSet; 3],
    /// Of each row, the numbers of its patterns in the sets.
    rows: Vec<[Vec<usize>; 3]>,
}

impl Sets {
    pub(crate) fn of(rows: &[Row]) -> Self {
        let mut patterns: [Vec<String>; 3] = Default::default();
        let mut numbers: [std::collections::HashMap<String, usize>; 3] = Default::default();
        let mut number = |field: usize, pattern: &str| {
            *numbers[field].entry(pattern.to_owned()).or_insert_with(|| {
                patterns[field].push(pattern.to_owned());
                patterns[field].len() - 1
            })
        };
        let rows = rows
            .iter()
            .map(|row| {
                [
                    vec![number(0, row.identity)],
                    vec![number(1, &row.service)],
                    row.events.iter().map(|event| number(2, event)).collect(),
                ]
            })
            .collect();
        let fields = patterns.map(|patterns| {
            regex::RegexSetBuilder::new(patterns).size_limit(1 << 30).dfa_size_limit(1 << 28).build().unwrap()
        });
        Self { fields, rows }
    }

    pub(crate) fn matching(&self, [identity, service, event]: [Option<&str>; 3]) -> usize {
        let found = [(0, identity), (1, service), (2, event)]
            .map(|(field, text)| self.fields[field].matches(text.unwrap_or_default()));
        let holds = |row: &&[Vec<usize>; 3]| {
            row.iter().zip(&found).all(|(any, found)| any.iter().any(|one| found.matched(*one)))
        };
        self.rows.iter().filter(holds).count()
    }
}

/// The literals that may stand anywhere in an event's name, in one automaton.
pub(crate) fn automaton(rows: &[Row]) -> AhoCorasick {
    let is_literal = |event: &&String| event.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let mut literals: Vec<&String> = rows.iter().flat_map(|row| &row.events).filter(is_literal).collect();
    literals.sort();
    literals.dedup();
    AhoCorasick::new(literals).unwrap()
}

/// Every pattern of every row.
pub(crate) struct Regexes(Vec<[Vec<Regex>; 3]>);

impl Regexes {
    pub(crate) fn of(rows: &[Row]) -> Self {
        let regex = |pattern: &str| Regex::new(pattern).unwrap();
        let row = |row: &Row| {
            [
                vec![regex(row.identity)],
                vec![regex(&row.service)],
                row.events.iter().map(|event| regex(event)).collect(),
            ]
        };
        Self(rows.iter().map(row).collect())
    }

    pub(crate) fn matching(&self, [identity, service, event]: [Option<&str>; 3]) -> usize {
        let texts = [identity, service, event].map(Option::unwrap_or_default);
        let holds = |row: &&[Vec<Regex>; 3]| {
            row.iter().zip(texts).all(|(any, text)| any.iter().any(|regex| regex.is_match(text)))
        };
        self.0.iter().filter(holds).count()
    }
}

/// libdeflate, into memory that is used again.
pub(crate) struct Unpacker(Decompressor, Vec<u8>);

impl Unpacker {
    pub(crate) fn new() -> Self {
        Self(Decompressor::new(), Vec::new())
    }

    pub(crate) fn unpack(&mut self, file: &[u8]) -> &[u8] {
        let length = file.last_chunk().map_or(0, |last| u32::from_le_bytes(*last) as usize);
        self.1.resize(self.1.len().max(length), 0);
        let bytes = self.0.gzip_decompress(file, &mut self.1).unwrap();
        &self.1[..bytes]
    }
}
