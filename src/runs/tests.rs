//! Sorting with next to no memory, against sorting in memory; and what a reader of runs refuses.
//!
//! `OFFLIMITS_ROUNDS=20000 cargo test --release --lib runs::tests` asks for more rounds, and `OFFLIMITS_SEED=7` for others.

use std::collections::HashSet;

use super::*;
use crate::choices::{Choices, seeds};

/// Rounds of each test; `OFFLIMITS_ROUNDS` asks for more.
const ROUNDS: u64 = 100;

#[derive(Debug, Clone, PartialEq, Eq)]
struct Word {
    key: u128,
    number: u64,
    text: String,
}

/// A list that follows from a number.
fn few(number: u64) -> &'static [u64] {
    &[7, 300, 0][..usize::try_from(number % 4).unwrap()]
}

impl Sortable for Word {
    const KIND: &'static str = "word";
    const VERSION: u8 = 3;

    fn key(&self) -> u128 {
        self.key
    }

    fn encode(&self, to: &mut Encoder) {
        to.number(self.number);
        to.hash(self.number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        to.option(Some(self.text.as_str()).filter(|text| !text.is_empty()), Encoder::text);
        to.list(few(self.number).iter(), |to, number| to.number(*number));
    }

    fn decode(key: u128, from: &mut Decoder<'_>) -> Option<Self> {
        let number = from.number()?;
        let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
        (from.hash()? == number.wrapping_mul(0x9e37_79b9_7f4a_7c15)).then_some(())?;
        let word = Self { key, number, text: text(from.option(Decoder::text)?) };
        (from.list(Decoder::number)? == few(number)).then_some(word)
    }
}

/// Words with few and with many different keys, and their order.
fn words(choices: &mut Choices) -> (Vec<Word>, Vec<Word>) {
    let (count, keys, shift) = (choices.below(400), choices.of(&[3, 100, 1 << 40]), choices.of(&[0, 64, 80]));
    let words: Vec<Word> = (0..count as u64)
        .map(|number| Word {
            key: ((choices.below(keys) as u128) << shift) | (u128::from(shift == 0) << 127),
            number: if choices.one_in(4) { number << choices.below(64) } else { number },
            text: "ä".repeat(choices.below(40)),
        })
        .collect();
    let mut sorted = words.clone();
    sorted.sort_by_key(|word| word.key);
    (words, sorted)
}

/// So little memory that most of it goes through the disk, several times.
fn tiny(choices: &mut Choices) -> Bounds {
    Bounds { bytes: 1 + choices.below(2000), ids: 1 + choices.below(20), fan_in: 2 + choices.below(3) }
}

fn read<T>(records: impl Iterator<Item = Result<T, RunError>>) -> Vec<T> {
    records.map(|record| record.unwrap_or_else(|error| panic!("{error}"))).collect()
}

fn sorter(bounds: Bounds, words: &[Word]) -> Sorter<Word> {
    let mut sorter = Sorter::new(bounds);
    words.iter().for_each(|word| sorter.push(word).unwrap());
    sorter
}

#[test]
fn what_goes_through_the_disk_comes_back_in_order() {
    let (mut on_disk, mut levels) = (0, 0);
    for seed in seeds(ROUNDS) {
        let mut choices = Choices::new(seed);
        let (words, expected) = words(&mut choices);
        let sorter = sorter(tiny(&mut choices), &words);
        on_disk += usize::from(!sorter.is_in_memory());
        levels = levels.max(sorter.levels());
        assert_eq!(read(sorter.into_sorted().unwrap()), expected, "seed {seed}");
        let in_memory = self::sorter(Bounds::NONE, &words);
        assert!(in_memory.is_in_memory());
        assert_eq!(read(in_memory.into_sorted().unwrap()), expected, "seed {seed}");
    }
    assert!(on_disk > 10 && levels >= 4, "{on_disk} through the disk, {levels} times merged");
}

#[test]
fn runs_of_several_processes_are_one_and_each_record_is_in_it_once() {
    for seed in seeds(ROUNDS) {
        let mut choices = Choices::new(seed);
        let (words, expected) = words(&mut choices);
        let parts = 1 + choices.below(6);
        let runs: Vec<Vec<u8>> = words
            .chunks(words.len().div_ceil(parts).max(1))
            .map(|part| sorter(tiny(&mut choices), part).write(Vec::new(), "these rules").unwrap())
            .collect();
        let merged = || merge::<Word, _>(runs.iter().map(Vec::as_slice), "these rules").unwrap();
        assert_eq!(read(merged()), expected, "seed {seed}");
        let mut known = HashSet::new();
        let first: Vec<Word> = expected.into_iter().filter(|word| known.insert(word.key)).collect();
        assert_eq!(read(once_each(merged())), first, "seed {seed}");
        // What is written record by record is the same.
        let mut writer = RunWriter::new(Vec::new(), "these rules").unwrap();
        first.iter().for_each(|word| writer.push(word).unwrap());
        let run = writer.finish().unwrap();
        assert_eq!(read(Run::<Word, _>::new(run.as_slice(), "these rules").unwrap()), first, "seed {seed}");
    }
}

#[test]
fn whether_an_id_has_come_is_known_however_many_are_on_the_disk() {
    for seed in seeds(ROUNDS) {
        let mut choices = Choices::new(seed);
        let (mut ids, mut known) = (IdSet::new(tiny(&mut choices)), HashSet::new());
        let different = choices.of(&[10, 1000, 1 << 40]);
        for _ in 0..choices.below(2000) {
            let number = choices.below(different) as u128;
            // Hashes differ everywhere: ids that differ in few places are the worst that can be asked.
            let id =
                if choices.one_in(2) { number } else { number.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835) };
            assert_eq!(ids.contains(id).unwrap(), known.contains(&id), "seed {seed}");
            assert_eq!(ids.insert(id).unwrap(), known.insert(id), "seed {seed}");
        }
    }
}

fn run_of(words: &[Word]) -> Vec<u8> {
    sorter(Bounds::NONE, words).write(Vec::new(), "these rules").unwrap()
}

fn refused(run: &[u8]) -> String {
    match Run::<Word, _>::new(run, "these rules") {
        Err(error) => error.to_string(),
        Ok(run) => run.filter_map(Result::err).map(|error| error.to_string()).collect::<Vec<_>>().join(", "),
    }
}

#[test]
fn what_is_no_such_run_is_refused() {
    let word = |key| Word { key, number: 7, text: "seven".to_owned() };
    let run = run_of(&[word(1), word(2)]);
    assert_eq!(refused(&run), "");
    assert_eq!(refused(&run_of(&[])), "");
    let changed = |place: usize, byte: u8| {
        let mut changed = run.clone();
        changed[place] = byte;
        refused(&changed)
    };
    assert_eq!(refused(b""), "this is no sorted run of findings");
    assert_eq!(changed(0, b'O'), "this is no sorted run of findings");
    let other = |found: &str| {
        format!(
            "this run was written by another version of offlimits ({found}, and this version reads format 1, word 3): write it anew"
        )
    };
    assert_eq!(changed(13, 2), other("format 2"));
    assert_eq!(changed(15, b'W'), other("format 1, Word 3"));
    let version = 13 + 1 + 5 + 12;
    assert_eq!((run[version], changed(version, 4)), (3, other("format 1, word 4")));
    assert_eq!(changed(20, b'T'), r#"this run is of "These rules", and one of "these rules" is needed"#);
    for cut in version..run.len() {
        assert_eq!(refused(&run[..cut]), "this run is damaged: it ends too soon", "{cut}");
    }
    for (place, before) in run.iter().enumerate().skip(version + 1) {
        for byte in [0, 1, 0xff] {
            let told = changed(place, byte);
            assert!(*before == byte || told.starts_with("this run is damaged: "), "{place}: {told}");
        }
    }
    assert_eq!(refused(&[run.as_slice(), b"\n"].concat()), "this run is damaged: something stands behind its end");
    let mut writer = RunWriter::new(Vec::new(), "").unwrap();
    writer.push(&word(2)).unwrap();
    assert_eq!(writer.push(&word(1)).unwrap_err().to_string(), "this run is damaged: it is not in order");
    assert!(RunWriter::<Word, _>::new(Vec::new(), &"x".repeat(256)).is_err());
}

/// What a later version must still read, or refuse.
#[test]
fn the_bytes_of_a_run_are_these() {
    let run = run_of(&[Word { key: 0x0102, number: 300, text: "é".to_owned() }]);
    let expected = [
        b"offlimits-run\x01\x04word\x0bthese rules\x03".as_slice(),
        &[32],
        &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2],
        &[0xac, 0x02],
        &300_u64.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes(),
        &[1, 2, 0xc3, 0xa9],
        &[0],
        &[0],
        &[1, 0, 0, 0, 0, 0, 0, 0],
    ];
    let expected = expected.concat();
    assert_eq!(run[..expected.len()], expected);
    assert_eq!(run.len(), expected.len() + 4);
}
