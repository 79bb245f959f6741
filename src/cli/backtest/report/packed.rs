//! The listed findings as the page carries them: columns, in each of which a text stands once, as compressed JSON.
//!
//! The page's script reads them with what browsers have of their own (`atob`, `DecompressionStream`). In this form no text of a
//! record can end an element or begin another: base64 has no such character.

use std::collections::HashMap;
use std::io::{self, BufWriter};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde::Serialize;

use super::row::{COLUMNS, ReportRow, place_of};
use super::texts::{TextNumber, TextPool};

/// Bytes that are handed to the encoder at a time: it is slow with a few.
const BUFFER: usize = 64 * 1024;

/// All that the script is given.
#[derive(Debug, Serialize)]
struct PackedFindings<'p> {
    /// Findings that were found, listed or not.
    offered: u64,
    rules: &'p [PackedRule<'p>],
    /// Of the listed findings, how many have their request, from the first on.
    with_request: usize,
    severity: Vec<i64>,
    /// Seconds since 1970; -1 where there is no time.
    time: Vec<i64>,
    rule: Vec<i64>,
    record: Vec<i64>,
    columns: Vec<PackedColumn<'p>>,
}

/// What findings of one rule have in common.
#[derive(Debug, Serialize)]
pub(super) struct PackedRule<'p> {
    pub(super) id: &'p str,
    pub(super) title: &'p str,
    pub(super) description: &'p str,
    pub(super) runbook: &'p str,
    /// The ids of ATT&CK's techniques.
    pub(super) techniques: &'p [&'static str],
}

#[derive(Debug, Serialize)]
struct PackedColumn<'p> {
    key: &'static str,
    label: &'static str,
    /// Each once, in the order in which they come.
    texts: Vec<&'p str>,
    /// The place of each row's text.
    rows: Vec<i64>,
}

/// What is packed, and how much of it.
pub(super) struct Packing<'p> {
    pub(super) offered: u64,
    pub(super) rules: &'p [PackedRule<'p>],
    pub(super) rows: &'p [&'p ReportRow],
    pub(super) texts: &'p TextPool,
}

/// What became of it.
#[derive(Debug, Default)]
pub(super) struct Packed {
    pub(super) base64: String,
    /// Findings that are listed, from the first on.
    pub(super) listed: usize,
    /// Of these, how many have their request.
    pub(super) with_request: usize,
}

impl Packing<'_> {
    /// Packs as much as fits in so many bytes: first the requests of the last findings go, then the last findings. To pack takes a second
    /// or two, so what each finding takes is estimated.
    pub(super) fn fit(&self, bytes: usize) -> io::Result<Packed> {
        let all = self.rows.len();
        let whole = self.pack(all, all)?;
        if whole.len() <= bytes {
            return Ok(Packed { base64: whole, listed: all, with_request: all });
        }
        let least = self.pack(all, 0)?;
        let (mut listed, mut with_request) = if least.len() <= bytes {
            (all, share(all, bytes - least.len(), whole.len() - least.len()))
        } else {
            (share(all, bytes, least.len()), 0)
        };
        // A few requests help nobody.
        if with_request <= all / 20 {
            with_request = 0;
        }
        loop {
            let base64 =
                if (listed, with_request) == (all, 0) { least.clone() } else { self.pack(listed, with_request)? };
            if base64.len() <= bytes || listed == 0 {
                return Ok(Packed { base64, listed, with_request });
            }
            let less = if with_request > 0 { &mut with_request } else { &mut listed };
            *less = *less * 9 / 10;
        }
    }

    fn pack(&self, listed: usize, with_request: usize) -> io::Result<String> {
        let rows = &self.rows[..listed];
        let numbers = |number: fn(&ReportRow) -> i64| differences(rows.iter().map(|row| number(row)));
        let request = place_of("request");
        let findings = PackedFindings {
            offered: self.offered,
            rules: self.rules,
            with_request,
            severity: numbers(|row| row.severity as i64),
            time: numbers(|row| row.time.and_then(|time| i64::try_from(time).ok()).unwrap_or(-1)),
            rule: numbers(|row| i64::try_from(row.rule).unwrap_or_default()),
            record: numbers(|row| i64::try_from(row.record).unwrap_or_default()),
            columns: (0..COLUMNS.len())
                .map(|place| {
                    let most = if place == request { with_request } else { listed };
                    let text = |(number, row): (usize, &&ReportRow)| {
                        if number < most { row.texts[place] } else { TextNumber::default() }
                    };
                    PackedColumn::new(place, rows.iter().enumerate().map(text), self.texts)
                })
                .collect(),
        };
        let mut writer = BufWriter::with_capacity(BUFFER, GzEncoder::new(Vec::new(), Compression::best()));
        serde_json::to_writer(&mut writer, &findings)?;
        let encoder = writer.into_inner().map_err(io::IntoInnerError::into_error)?;
        Ok(BASE64.encode(encoder.finish()?))
    }
}

/// How many of `all`, which take `needed` bytes, fit in `bytes`; a little less, for an estimate is not exact.
fn share(all: usize, bytes: usize, needed: usize) -> usize {
    (all * bytes / needed.max(1) * 49 / 50).min(all)
}

impl<'p> PackedColumn<'p> {
    fn new(place: usize, of_rows: impl Iterator<Item = TextNumber>, pool: &'p TextPool) -> Self {
        let (mut texts, mut places) = (vec![""], HashMap::from([(TextNumber::default(), 0)]));
        let rows = of_rows.map(|number| {
            *places.entry(number).or_insert_with(|| {
                texts.push(pool.text(number));
                i64::try_from(texts.len() - 1).unwrap_or_default()
            })
        });
        let rows = differences(rows);
        let Some(column) = COLUMNS.get(place) else { return Self { key: "", label: "", texts, rows } };
        Self { key: column.key, label: column.label.unwrap_or_default(), texts, rows }
    }
}

/// Each number less the one before it: of what is equal, or goes up by one, nothing is left when it is compressed.
fn differences(numbers: impl Iterator<Item = i64>) -> Vec<i64> {
    let mut before = 0;
    numbers.map(|number| number - std::mem::replace(&mut before, number)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Finding;
    use crate::time::Timestamp;

    #[test]
    fn what_does_not_fit_is_left_out_from_the_end() {
        let mut pool = TextPool::default();
        let rows: Vec<ReportRow> = (0..500)
            .map(|number| {
                let mut finding = Finding::test("rules".into(), "2025-03-03T11:05:00Z".to_owned());
                // Nothing that compresses.
                finding.call.request = Some(crate::ids::StableId::hash(&[&number.to_string()]).as_str().into());
                finding.call.user_agent =
                    Some(crate::ids::StableId::hash(&["agent", &number.to_string()]).as_str().into());
                ReportRow::new((&finding, 0), &[], ("log.json", number), Timestamp::default(), &mut pool)
            })
            .collect();
        let rows: Vec<&ReportRow> = rows.iter().collect();
        let packing = Packing { offered: 500, rules: &[], rows: &rows, texts: &pool };
        let whole = packing.fit(usize::MAX).unwrap();
        assert_eq!((whole.listed, whole.with_request), (500, 500));
        let less = packing.fit(whole.base64.len() * 3 / 4).unwrap();
        assert!(less.listed == 500 && (1..500).contains(&less.with_request), "{}", less.with_request);
        let least = packing.fit(whole.base64.len() / 8).unwrap();
        assert!((1..500).contains(&least.listed) && least.with_request == 0, "{}", least.listed);
        assert!(least.base64.len() <= whole.base64.len() / 8);
        assert_eq!(packing.fit(0).unwrap().listed, 0);
    }

    #[test]
    fn differences_add_up() {
        assert_eq!(differences([5, 5, 6, 2].into_iter()), [5, 0, 1, -4]);
    }
}
