//! The records that rules match, as a reader keeps them: NDJSON that every other command reads, and beside it where each record stood.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{self, BufWriter, Read as _, Write as _};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde::{Deserialize, Serialize};

use crate::cli::findings::{RuleAddress, address};
use crate::cloudtrail::ComputedAlias;
use crate::cloudtrail::credentials::IssuedSession;
use crate::engine::{EvaluateError, Matches, Scanned, ScannedElements, Scanner};
use crate::ruleset::RuleSet;
use crate::scan::RecordVisitor;
use crate::time::Timestamp;

/// Bytes that are packed at a time.
const BUFFER: usize = 64 * 1024;

/// A record that rules match.
#[derive(Debug)]
pub(super) struct MatchedRecord {
    /// Its JSON on one line; in an envelope of `EventBridge`, if only that says the account.
    line: String,
    /// The rules, by their places in the file.
    rules: Vec<usize>,
}

/// Finds the records that rules match, and makes no findings of them.
#[derive(Debug)]
pub(super) struct MatchVisitor<'r> {
    /// The rules, or those with that which finds issued sessions before them.
    evaluated: &'r RuleSet,
    /// The address of that one.
    issuing: Option<RuleAddress>,
    /// The places of the rules, by their addresses.
    places: BTreeMap<RuleAddress, usize>,
}

impl<'r> MatchVisitor<'r> {
    /// `both`: as `with_issuing_calls` makes them, if a channel follows credentials.
    pub(super) fn new(rules: &'r RuleSet, both: Option<&'r RuleSet>) -> Self {
        let places = rules.rules().iter().enumerate().map(|(place, rule)| (address(&rule.info), place)).collect();
        let issuing = both.and_then(|both| Some(address(&both.rules().first()?.info)));
        Self { evaluated: both.unwrap_or(rules), issuing, places }
    }

    /// What is to be kept of a record: its rules' places, and the account that its envelope named. One of these is enough, and there may
    /// be none.
    fn told(&self, matches: &Matches<'_, '_>) -> Vec<Told> {
        let record = matches.record();
        let account = record.computed(ComputedAlias::Account).map(Cow::into_owned);
        let account = account.filter(|account| record.own_account() != Some(account));
        let is_session = || IssuedSession::of(record, Timestamp::default()).is_some();
        let rules = matches.rules().filter_map(|rule| {
            let at = address(&rule.info);
            if self.issuing == Some(at) { is_session().then_some(None) } else { Some(self.places.get(&at).copied()) }
        });
        rules.map(|place| (place, account.clone())).collect()
    }
}

impl<'r> RecordVisitor for MatchVisitor<'r> {
    type Output = MatchedRecord;
    type State = Scanner<'r>;

    fn state(&self) -> Scanner<'r> {
        self.evaluated.scanner()
    }

    fn document(
        &self,
        scanner: &mut Scanner<'r>,
        text: &str,
        take: &mut dyn FnMut(usize, Result<MatchedRecord, EvaluateError>),
    ) -> Scanned {
        scanner.scan(text, |matches| self.told(matches), keeping(take))
    }

    fn elements(
        &self,
        scanner: &mut Scanner<'r>,
        text: &str,
        take: &mut dyn FnMut(usize, Result<MatchedRecord, EvaluateError>),
    ) -> ScannedElements {
        scanner.scan_elements(text, |matches| self.told(matches), keeping(take))
    }
}

/// What [`MatchVisitor::told`] says of one rule that matches a record.
type Told = (Option<usize>, Option<String>);

/// Hands over what is kept of each record.
fn keeping(
    take: &mut dyn FnMut(usize, Result<MatchedRecord, EvaluateError>),
) -> impl FnMut(usize, &str, Result<Vec<Told>, EvaluateError>) {
    |index, json, told| {
        told.map(|told| kept(json, &told)).transpose().into_iter().for_each(|kept| take(index, kept));
    }
}

/// What is kept of a record of which this is told.
fn kept(json: &str, told: &[Told]) -> Option<MatchedRecord> {
    let account = told.iter().find_map(|(_, account)| account.as_deref());
    let rules = told.iter().filter_map(|(place, _)| *place).collect();
    (!told.is_empty()).then(|| MatchedRecord { line: line(json, account), rules })
}

/// A record on one line. Line breaks are white space of JSON: within a text they are escaped.
fn line(json: &str, account: Option<&str>) -> String {
    let line = json.replace(['\n', '\r'], " ");
    match account {
        None => line,
        Some(account) => format!(
            r#"{{"version":"0","source":"aws.cloudtrail","detail-type":"AWS API Call via CloudTrail","account":"{account}","detail":{line}}}"#
        ),
    }
}

/// Where the records of one file stood.
#[derive(Debug, Serialize, Deserialize)]
struct FilePlaces {
    file: String,
    /// From 0.
    records: Vec<usize>,
}

/// Packs what a slice keeps.
#[derive(Debug)]
pub(super) struct MatchedWriter {
    records: BufWriter<GzEncoder<Vec<u8>>>,
    places: BufWriter<GzEncoder<Vec<u8>>>,
    file: Option<FilePlaces>,
    /// Records so far.
    pub(super) count: usize,
    /// Of each rule, by its place, how many.
    pub(super) rules: Vec<u64>,
}

impl MatchedWriter {
    pub(super) fn new(rules: usize) -> Self {
        // An encoder is slow with a few bytes at a time.
        let encoder = || BufWriter::with_capacity(BUFFER, GzEncoder::new(Vec::new(), Compression::fast()));
        Self { records: encoder(), places: encoder(), file: None, count: 0, rules: vec![0; rules] }
    }

    pub(super) fn add(&mut self, file: &str, index: usize, record: &MatchedRecord) -> io::Result<()> {
        self.records.write_all(record.line.as_bytes())?;
        self.records.write_all(b"\n")?;
        self.count += 1;
        for place in &record.rules {
            self.rules[*place] += 1;
        }
        match &mut self.file {
            Some(places) if places.file == file => places.records.push(index),
            _ => {
                self.end_file()?;
                self.file = Some(FilePlaces { file: file.to_owned(), records: vec![index] });
            }
        }
        Ok(())
    }

    fn end_file(&mut self) -> io::Result<()> {
        if let Some(places) = self.file.take() {
            serde_json::to_writer(&mut self.places, &places)?;
            self.places.write_all(b"\n")?;
        }
        Ok(())
    }

    /// Bytes that are packed so far.
    pub(super) fn packed(&self) -> usize {
        self.records.get_ref().get_ref().len()
    }

    /// The records and their places, packed.
    pub(super) fn finish(mut self) -> io::Result<(Vec<u8>, Vec<u8>)> {
        self.end_file()?;
        let end = |packed: BufWriter<GzEncoder<Vec<u8>>>| packed.into_inner()?.finish();
        Ok((end(self.records)?, end(self.places)?))
    }
}

/// Where the records of a kept object stood: the reverse of [`MatchedWriter`].
#[derive(Debug, Default)]
pub(super) struct KeptPlaces {
    files: Vec<String>,
    /// Of each record, the place of its file and its own.
    records: Vec<(u32, u32)>,
}

impl KeptPlaces {
    /// # Errors
    /// It is not what we write.
    pub(super) fn read(packed: &[u8]) -> io::Result<Self> {
        let mut text = String::new();
        GzDecoder::new(packed).read_to_string(&mut text)?;
        let mut places = Self::default();
        for line in text.lines() {
            let FilePlaces { file, records } = serde_json::from_str(line)?;
            let number = u32::try_from(places.files.len()).map_err(io::Error::other)?;
            places.files.push(file);
            for record in records {
                places.records.push((number, u32::try_from(record).map_err(io::Error::other)?));
            }
        }
        Ok(places)
    }

    /// The file of the record in this place, and the record's place in it.
    pub(super) fn of(&self, record: usize) -> Option<(&str, usize)> {
        let (file, index) = self.records.get(record)?;
        Some((self.files.get(*file as usize)?, *index as usize))
    }

    /// How many records there are.
    pub(super) fn count(&self) -> usize {
        self.records.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules() -> RuleSet {
        let rules = r#"{"rules":[
            {"id":"A","title":"t","severity":"low","when":{"event":"StopLogging"}},
            {"id":"B","title":"t","severity":"low","when":{"account":"444455556666"}}]}"#;
        RuleSet::compile(rules).unwrap().rules
    }

    fn kept(text: &str) -> (Vec<String>, Vec<usize>, KeptPlaces) {
        let rules = rules();
        let visitor = MatchVisitor::new(&rules, None);
        let mut writer = MatchedWriter::new(rules.rules().len());
        visitor.document(&mut visitor.state(), text, &mut |index, record| {
            writer.add("log.json", index, &record.unwrap()).unwrap();
        });
        let by_rule = writer.rules.iter().map(|count| usize::try_from(*count).unwrap()).collect();
        let (records, places) = writer.finish().unwrap();
        let mut text = String::new();
        GzDecoder::new(&*records).read_to_string(&mut text).unwrap();
        (text.lines().map(str::to_owned).collect(), by_rule, KeptPlaces::read(&places).unwrap())
    }

    #[test]
    fn records_are_kept_whole_on_a_line_with_their_places() {
        let text = "{\"Records\":[{\"eventName\":\"A\",\"eventID\":\"1\"},\n{\"eventName\":\n\"StopLogging\",\"eventID\":\"2\"},\
                    {\"eventName\":\"StopLogging\",\"recipientAccountId\":\"444455556666\",\"eventID\":\"3\"}]}";
        let (lines, by_rule, places) = kept(text);
        assert_eq!(lines[0], r#"{"eventName": "StopLogging","eventID":"2"}"#);
        assert_eq!((lines.len(), by_rule, places.count()), (2, vec![2, 1], 2));
        assert_eq!((places.of(0), places.of(1), places.of(2)), (Some(("log.json", 1)), Some(("log.json", 2)), None));
    }

    /// Rules ask for the account, and only the envelope says it.
    #[test]
    fn what_the_envelope_says_is_kept() {
        let event = r#"{"version":"0","detail-type":"AWS API Call via CloudTrail","source":"aws.iam","account":"444455556666",
            "detail":{"eventName":"X","eventSource":"iam.amazonaws.com","eventID":"9"}}"#;
        let (lines, by_rule, _) = kept(event);
        assert_eq!(by_rule, [0, 1]);
        let (again, by_rule, _) = kept(&lines[0]);
        assert_eq!((again, by_rule), (lines, vec![0, 1]));
    }
}
