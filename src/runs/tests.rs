//! Sorting with next to no memory, against sorting in memory; and what is damaged on the disk.
//!
//! `OFFLIMITS_ROUNDS=20000 cargo test --release --lib runs::tests` asks for more rounds, and `OFFLIMITS_SEED=7` for others.

use std::collections::HashSet;

use super::format::{Run, RunWriter};
use super::merge::next_of;
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

/// A run as it lies on the disk.
fn run_of(words: &[Word]) -> Vec<u8> {
    let mut writer = RunWriter::new(Vec::new());
    for word in words {
        let mut fields = Encoder::default();
        word.encode(&mut fields);
        writer.push(word.key, &fields.bytes).unwrap();
    }
    writer.finish().unwrap()
}

fn refused(run: &[u8]) -> String {
    let (mut run, mut is_over, mut told) = (Run::new(run), false, Vec::new());
    while let Some(record) = next_of::<Word>(&mut run, &mut is_over) {
        told.extend(record.err().map(|error| error.to_string()));
    }
    told.join(", ")
}

const DAMAGED: &str = "findings that were kept in the temporary folder are damaged: ";

#[test]
fn a_run_that_has_changed_is_refused() {
    let word = |key| Word { key, number: 7, text: "seven".to_owned() };
    let run = run_of(&[word(1), word(2)]);
    assert_eq!(refused(&run), "");
    assert_eq!(refused(&run_of(&[])), "");
    for cut in 0..run.len() {
        assert_eq!(refused(&run[..cut]), format!("{DAMAGED}it ends too soon"), "{cut}");
    }
    for (place, before) in run.iter().enumerate() {
        for byte in [0, 1, 0xff] {
            let mut changed = run.clone();
            changed[place] = byte;
            let told = refused(&changed);
            assert!(*before == byte || told.starts_with(DAMAGED), "{place}: {told}");
        }
    }
    let more = [run.as_slice(), b"\n"].concat();
    assert_eq!(refused(&more), format!("{DAMAGED}something stands behind its end"));
    assert_eq!(refused(&run_of(&[word(2), word(1)])), format!("{DAMAGED}it is not in order"));
}
