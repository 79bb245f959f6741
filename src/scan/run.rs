//! A scan: every input on its way from bytes to records, on several threads.

use std::borrow::Cow;
use std::io;
use std::num::NonZero;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use super::ahead::AheadReader;
use super::batch::Batches;
use super::gzip::Damage;
use super::input::Input;
use super::pool::{self, IdleThreads};
use super::split::Documents;
use super::unpack::{UnpackedInput, Unpacker};
use super::visit::{RecordVisitor, ScanEvent};
use crate::cloudtrail::envelope::NotARecord;
use crate::engine::{EvaluateError, Scanned};

/// How a scan is done. [`Scan::run`] does it.
#[derive(Debug)]
pub struct Scan<'s> {
    /// How many threads there are: each reads one input at a time, and one for which there is none left reads ahead for another.
    pub threads: NonZero<usize>,
    /// Once it is set no further input is begun, and of a large one no further part.
    pub stop: &'s AtomicBool,
    /// Counts the bytes that have been read, compressed as they are stored: for a progress bar.
    pub bytes: &'s AtomicU64,
}

/// As many threads as this machine has cores for this process; one, where that cannot be known.
pub fn all_cores() -> NonZero<usize> {
    thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN)
}

impl Scan<'_> {
    /// Reads every input and hands `take` each [`ScanEvent`], on the caller's thread. What cannot be read is an event too, and
    /// the scan goes on.
    ///
    /// # Errors
    /// Those of `take`, which end the scan.
    pub fn run<W: RecordVisitor>(
        &self,
        inputs: impl Iterator<Item = Input> + Send,
        work: &W,
        take: impl FnMut(ScanEvent<W::Output>) -> io::Result<()>,
    ) -> io::Result<()> {
        let idle = IdleThreads::default();
        let is_stopped = || self.stop.load(Ordering::Relaxed);
        let read = |(unpacker, state): &mut (Unpacker, W::State), input: Input, events: &mut pool::Sender<_>| {
            if let Input::Skipped(name, service) = input {
                return events.send(ScanEvent::Skipped { input: name.into(), service });
            }
            let (name, stop) = (Arc::from(input.to_string()), self.stop);
            let mut reader = InputReader { work, state, input: name, records: 0, is_cut_short: false, stop, events };
            if let Err(error) = reader.read(unpacker, input, self.bytes, &idle) {
                reader.report_unreadable(None, error.to_string());
            }
            let InputReader { input, records, is_cut_short, .. } = reader;
            let is_done = !is_cut_short;
            events.send(if is_done {
                ScanEvent::Done { input, records }
            } else {
                ScanEvent::Stopped { input, records }
            });
        };
        let read_all = |state: &mut (Unpacker, W::State), batch: Vec<Input>, events: &mut pool::Sender<_>| {
            // The first was begun when the batch was taken.
            for (place, input) in batch.into_iter().enumerate() {
                if events.is_closed() || (place > 0 && is_stopped()) {
                    break;
                }
                read(state, input, events);
            }
        };
        let batches = Batches::new(inputs.take_while(|_| !is_stopped()));
        pool::in_order(self.threads, &idle, batches, || (Unpacker::new(), work.state()), read_all, take)
    }
}

/// Reads one input, on the thread that took it.
struct InputReader<'r, W: RecordVisitor> {
    work: &'r W,
    state: &'r mut W::State,
    input: Arc<str>,
    /// Records read so far.
    records: usize,
    /// Whether parts of it were left when the scan was stopped.
    is_cut_short: bool,
    stop: &'r AtomicBool,
    events: &'r mut pool::Sender<ScanEvent<W::Output>>,
}

impl<W: RecordVisitor> InputReader<'_, W> {
    fn read(&mut self, unpacker: &mut Unpacker, input: Input, bytes: &AtomicU64, idle: &IdleThreads) -> io::Result<()> {
        let damage = Damage::new();
        let (path, is_remote) = match &input {
            Input::File(path) => (Some(path.clone()), false),
            other => (None, matches!(other, Input::Remote(_))),
        };
        // What a pipe has next may never be written, and whoever waits for it could not be ended.
        let is_at_hand = || is_remote || path.as_deref().is_some_and(Path::is_file);
        let read = match unpacker.open(input, bytes, &damage)? {
            UnpackedInput::Large(beginning, rest) if is_at_hand() => thread::scope(|scope| {
                let rest = Box::new(AheadReader::new(scope, idle, rest));
                self.documents(Documents::new(UnpackedInput::Large(beginning, rest)), &damage)
            }),
            unpacked => self.documents(Documents::new(unpacked), &damage),
        };
        if let Some(reason) = damage.into_inner() {
            self.events.send(ScanEvent::Damaged { input: self.input.clone(), reason });
        }
        read
    }

    fn documents(&mut self, mut documents: Documents<'_>, damage: &Damage) -> io::Result<()> {
        let mut is_cut = false;
        loop {
            if is_cut && self.stop.load(Ordering::Relaxed) {
                self.is_cut_short = true;
                break;
            }
            if let Some(elements) = documents.elements()? {
                let end = self.visit_elements(elements);
                if end > 0 {
                    documents.pass(end);
                    is_cut = true;
                    if self.events.is_closed() {
                        break;
                    }
                    continue;
                }
            }
            let Some(document) = documents.next()? else { break };
            // What is left of a list that breaks off is a part of a record, which the report of the damage covers.
            if is_cut && !document.is_part() && damage.get().is_some() {
                break;
            }
            is_cut = document.is_part();
            let scanned = self.visit(document.bytes);
            let is_broken = scanned.records == 0 && scanned.unreadable.iter().any(|one| one.line.is_none());
            let damaged = if is_broken && !document.is_part() { Documents::of_damaged(document.bytes) } else { None };
            if let Some(elements) = damaged {
                self.elements(elements, damage)?;
            } else if is_broken && document.is_part() {
                // One damaged record must not take the others of its part with it.
                for (piece, line) in document.pieces() {
                    let scanned = self.visit(piece);
                    self.report_rest(scanned, line);
                }
            } else {
                self.report_rest(scanned, document.first_line);
            }
            if self.events.is_closed() {
                break;
            }
        }
        Ok(())
    }

    /// Reads the elements of a list that is damaged: those that are intact are records like others.
    fn elements(&mut self, mut elements: Documents<'_>, damage: &Damage) -> io::Result<()> {
        while let Some(part) = elements.next()? {
            if !part.is_part() && damage.get().is_some() {
                break;
            }
            for (piece, _) in part.pieces() {
                let scanned = self.visit(piece);
                self.report_rest(scanned, None);
            }
        }
        Ok(())
    }

    /// Visits the next elements of a large list, as far as they are plain records; where that ends.
    fn visit_elements(&mut self, elements: &[u8]) -> usize {
        let Ok(text) = simdutf8::basic::from_utf8(whole_characters(elements)) else { return 0 };
        let Self { work, state, input, records, events, .. } = self;
        let scanned = work.elements(state, text, &mut |place, result| {
            events.send(event(input, *records + place, result));
        });
        self.records += scanned.records;
        scanned.end
    }

    fn visit(&mut self, bytes: &[u8]) -> Scanned {
        let Self { work, state, input, records, events, .. } = self;
        // Bytes that are not UTF-8 become U+FFFD, so that one odd byte cannot hide a record. `from_utf8_lossy` looks at one byte
        // at a time, which would take as long as all the rest.
        let text = simdutf8::basic::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed);
        let scanned = work.document(state, &text, &mut |place, result| {
            events.send(event(input, *records + place, result));
        });
        self.records += scanned.records;
        scanned
    }

    /// Reports what a document held besides records. `first_line`: that of the document in its input, from 0, where lines are known.
    fn report_rest(&mut self, scanned: Scanned, first_line: Option<usize>) {
        let Scanned { mut ignored, unreadable, deliveries, .. } = scanned;
        ignored.extend(deliveries.into_iter().map(NotARecord::from));
        for one in unreadable {
            let line = one.line.or(first_line.map(|_| 1)).map(|line| line + first_line.unwrap_or_default());
            self.report_unreadable(line, one.reason);
        }
        if let Some(first) = ignored.first() {
            let (reason, count) = (first.reason.clone(), ignored.len());
            self.events.send(ScanEvent::Ignored { input: self.input.clone(), reason, count });
        }
    }

    fn report_unreadable(&mut self, line: Option<usize>, reason: String) {
        let place = line.map_or_else(|| self.input.to_string(), |line| format!("{}:{line}", self.input));
        self.events.send(ScanEvent::Unreadable { place, reason });
    }
}

/// What is told of a record.
fn event<T>(input: &Arc<str>, index: usize, result: Result<T, EvaluateError>) -> ScanEvent<T> {
    match result {
        Ok(output) => ScanEvent::Output { input: input.clone(), index, output },
        Err(error) => ScanEvent::Unreadable { place: format!("record {index} of {input}"), reason: error.to_string() },
    }
}

/// Bytes without the beginning of a character of UTF-8 whose end has not come yet.
fn whole_characters(bytes: &[u8]) -> &[u8] {
    let is_continuation = |byte: &u8| byte & 0xc0 == 0x80;
    let Some(place) = bytes.iter().rev().take(4).position(|byte| !is_continuation(byte)) else { return bytes };
    let lead = bytes.len() - 1 - place;
    let length = match bytes[lead] {
        0xf0.. => 4,
        0xe0.. => 3,
        0xc0.. => 2,
        _ => 1,
    };
    if length > place + 1 { &bytes[..lead] } else { bytes }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write as _};

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::super::input::RemoteInput;
    use super::*;
    use crate::choices::{Choices, seeds};

    /// Takes each document for a hundred records.
    struct Sums;

    impl RecordVisitor for Sums {
        type Output = (usize, u32);
        type State = ();

        fn state(&self) {}

        fn document(
            &self,
            (): &mut (),
            text: &str,
            take: &mut dyn FnMut(usize, Result<(usize, u32), crate::engine::EvaluateError>),
        ) -> Scanned {
            let sum = libdeflater::crc32(text.as_bytes());
            (0..100).for_each(|place| take(place, Ok((text.len(), sum))));
            Scanned { records: 100, ..Scanned::default() }
        }
    }

    fn run(
        input: Input,
        threads: usize,
        stop: &AtomicBool,
        mut take: impl FnMut(&ScanEvent<(usize, u32)>) -> io::Result<()>,
    ) -> (Vec<String>, io::Result<()>) {
        let scan = Scan { threads: NonZero::new(threads).unwrap(), stop, bytes: &AtomicU64::new(0) };
        let mut told = Vec::new();
        let result = scan.run(std::iter::once(input), &Sums, |event| {
            told.push(format!("{event:?}"));
            take(&event)
        });
        (told, result)
    }

    /// A large file of records, as lines or as a list, in several members.
    fn packed(choices: &mut Choices, is_list: bool) -> Vec<u8> {
        let records: Vec<String> = (0..64)
            .map(|_| {
                let words: Vec<String> = (0..1000).map(|_| format!("{:x}", choices.below(usize::MAX))).collect();
                let words = words.concat();
                format!(r#"{{"eventName":"x","a":["\"{}}},{words}"]}}"#, choices.below(9))
            })
            .collect();
        let mut text = String::from(if is_list { "{\"Records\":[" } else { "" });
        while text.len() < 38 << 20 {
            text.push_str(&records[choices.below(64)]);
            text.push(if is_list { ',' } else { '\n' });
        }
        if is_list {
            text.pop();
            text.push_str("]}");
        }
        let (mut rest, mut packed) = (text.as_bytes(), Vec::new());
        while !rest.is_empty() {
            let (member, after) = rest.split_at((1 + choices.below(30 << 20)).min(rest.len()));
            let mut encoder = GzEncoder::new(packed, Compression::fast());
            encoder.write_all(member).unwrap();
            (packed, rest) = (encoder.finish().unwrap(), after);
        }
        packed
    }

    /// However many threads there are, the same is told of a large file, and of a damaged one.
    #[test]
    fn a_large_file_is_the_same_on_any_number_of_threads() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("large.gz");
        for (seed, is_list) in seeds(2).zip([true, false].into_iter().cycle()) {
            let mut choices = Choices::new(seed);
            let whole = packed(&mut choices, is_list);
            let place = whole.len() - 1 - choices.below(whole.len() / 10);
            let mut flipped = whole.clone();
            flipped[place] ^= 1 << choices.below(8);
            let appended = [&whole[..], b"no gzip"].concat();
            let (cut, appended) = (("cut", &whole[..place]), ("appended", &appended[..]));
            let ways =
                if is_list { vec![("whole", &whole[..]), cut, ("flipped", &flipped)] } else { vec![cut, appended] };
            for (name, bytes) in ways {
                std::fs::write(&path, bytes).unwrap();
                let scan = |threads| run(Input::File(path.clone()), threads, &AtomicBool::new(false), |_| Ok(())).0;
                let alone = scan(1);
                assert!(alone.len() > 800, "{seed} {name}: {}", alone.len());
                // A list that seems to end early is not read on, so that nobody hears of the damage.
                let is_told = alone.iter().any(|event| event.starts_with("Damaged") || event.starts_with("Unreadable"));
                assert_eq!(is_told, name != "whole", "{seed} {name}");
                let beside = scan(2);
                let odd = alone.iter().zip(&beside).find(|(one, other)| one != other);
                assert_eq!((odd, alone.len()), (None, beside.len()), "{seed} {name}");
            }
        }
    }

    /// Whoever stops early, or is told to stop, is not kept by a thread that reads on.
    #[test]
    fn a_scan_that_is_ended_ends_whoever_reads_ahead() {
        /// Lines, of which there are as good as no end.
        struct Lines(Arc<AtomicU64>);
        impl Read for Lines {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                let lines = b"{\"eventName\":\"x\"}\n".repeat(1000);
                let read = if self.0.load(Ordering::Relaxed) < 1 << 30 { (&lines[..]).read(buffer)? } else { 0 };
                self.0.fetch_add(read as u64, Ordering::Relaxed);
                Ok(read)
            }
        }
        for is_told in [true, false] {
            let (read, stop) = (Arc::new(AtomicU64::new(0)), AtomicBool::new(false));
            let source = Lines(read.clone());
            let open = Box::new(move || Ok(Box::new(source) as Box<dyn Read + Send>));
            let input = Input::Remote(RemoteInput { name: "lines".to_owned(), open });
            let (told, result) = run(input, 2, &stop, |_| {
                stop.store(is_told, Ordering::Relaxed);
                if is_told { Ok(()) } else { Err(io::ErrorKind::BrokenPipe.into()) }
            });
            assert_eq!(result.is_ok(), is_told);
            assert_eq!(told.last().is_some_and(|last| last.starts_with("Stopped")), is_told);
            assert!(read.load(Ordering::Relaxed) < 128 << 20, "{read:?}");
        }
    }
}
