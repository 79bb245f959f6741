//! Reads a large input ahead of whoever makes something of it, on a thread that has nothing else to do.
//!
//! Of an archive of many files every thread has its own. At its end, or where all of it is one large file, some have none left; and
//! unpacking takes as long as all the rest: so one of them unpacks while the other evaluates. It does so in the same steps as the
//! reader itself would, whenever it begins, so that what comes of a file, be it damaged, never depends on the threads.

use std::io::{self, Read};
use std::mem;
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread::Scope;

use super::buffer::STEP;
use super::pool::IdleThreads;

/// Bytes of a chunk: they stay in the processor's cache from the thread that makes them to the one that takes them.
pub(super) const CHUNK: usize = STEP;
/// Chunks that wait for the reader: what is unpacked while it evaluates a few of its parts.
const CHUNKS: usize = 32;

/// Reads what is left of an input: on its own thread, until one is idle that can do it beside.
pub(super) struct AheadReader<'scope, 'env> {
    scope: &'scope Scope<'scope, 'env>,
    idle: &'scope IdleThreads,
    source: Source<'scope>,
    chunk: Chunk,
    /// Bytes of the chunk that have been handed over.
    at: usize,
}

/// Where the chunks are made.
enum Source<'s> {
    Here(Box<dyn Read + Send + 's>),
    /// On another thread, which ends with its source, or when nobody listens any more.
    Beside {
        chunks: Receiver<Chunk>,
        /// Chunks that have been read, to be filled anew.
        spent: SyncSender<Chunk>,
    },
}

/// Some bytes of the input, and what comes after them.
struct Chunk {
    /// None before it is first needed.
    buffer: Box<[u8]>,
    length: usize,
    then: Then,
}

enum Then {
    More,
    End,
    Failure(io::Error),
}

impl Chunk {
    fn new() -> Self {
        Self { buffer: Box::default(), length: 0, then: Then::More }
    }

    /// Fills it anew.
    fn fill(&mut self, source: &mut dyn Read) {
        if self.buffer.is_empty() {
            self.buffer = vec![0; CHUNK].into();
        }
        (self.length, self.then) = fill(&mut self.buffer, source);
    }
}

/// Fills a buffer as far as there is something to fill it with.
fn fill(buffer: &mut [u8], source: &mut dyn Read) -> (usize, Then) {
    let mut length = 0;
    let then = loop {
        match source.read(&mut buffer[length..]) {
            Ok(0) => break Then::End,
            Ok(read) => length += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => break Then::Failure(error),
        }
        if length == buffer.len() {
            break Then::More;
        }
    };
    (length, then)
}

impl<'scope, 'env> AheadReader<'scope, 'env> {
    /// For what is left of an input, which must not wait for what may never come: the scope ends when the thread beside has read
    /// its chunk.
    pub(super) fn new(
        scope: &'scope Scope<'scope, 'env>,
        idle: &'scope IdleThreads,
        rest: Box<dyn Read + Send + 'scope>,
    ) -> Self {
        let mut reader = Self { scope, idle, source: Source::Here(rest), chunk: Chunk::new(), at: 0 };
        reader.share();
        reader
    }

    /// Hands the source to an idle thread, if there is one.
    fn share(&mut self) {
        let Source::Here(source) = &mut self.source else { return };
        if !self.idle.take() {
            return;
        }
        let mut source = mem::replace(source, Box::new(io::empty()));
        let (full, chunks) = mpsc::sync_channel(CHUNKS);
        let (spent, empty) = mpsc::sync_channel::<Chunk>(CHUNKS);
        self.source = Source::Beside { chunks, spent };
        let idle = self.idle;
        self.scope.spawn(move || {
            loop {
                let mut chunk = empty.try_recv().unwrap_or_else(|_| Chunk::new());
                chunk.fill(&mut *source);
                let is_last = !matches!(chunk.then, Then::More);
                if full.send(chunk).is_err() || is_last {
                    break;
                }
            }
            idle.add();
        });
    }

    /// Gets the next chunk.
    fn go_on(&mut self) {
        self.at = 0;
        match &mut self.source {
            Source::Here(source) => self.chunk.fill(source),
            Source::Beside { chunks, spent } => {
                if let Ok(chunk) = chunks.recv() {
                    // Where as many wait to be filled as there may be, it is not needed.
                    let _ = spent.try_send(mem::replace(&mut self.chunk, chunk));
                } else {
                    // The other thread has panicked, and so will the scope.
                    (self.chunk.length, self.chunk.then) = (0, Then::End);
                }
            }
        }
    }
}

impl Read for AheadReader<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.at == self.chunk.length {
            match mem::replace(&mut self.chunk.then, Then::End) {
                Then::More => {
                    self.share();
                    // Who can take a whole chunk needs no copy of it.
                    if let (Source::Here(source), Some(chunk)) = (&mut self.source, buffer.first_chunk_mut::<CHUNK>()) {
                        let (length, then) = fill(chunk, source);
                        self.chunk.then = then;
                        if length > 0 {
                            return Ok(length);
                        }
                    } else {
                        self.go_on();
                    }
                }
                Then::End => return Ok(0),
                Then::Failure(error) => return Err(error),
            }
        }
        let read = (&self.chunk.buffer[self.at..self.chunk.length]).read(buffer)?;
        self.at += read;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    use super::*;
    use crate::choices::{Choices, seeds};

    /// Gives so many bytes, never more at a time than it is told, and then fails, where it is told to. It notes how many it was
    /// asked for, and on which threads.
    struct Uneven<'t> {
        choices: Choices,
        left: usize,
        most: usize,
        fails: bool,
        asked: &'t Mutex<Vec<(usize, thread::ThreadId)>>,
    }

    impl Read for Uneven<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.asked.lock().unwrap().push((buffer.len(), thread::current().id()));
            if self.choices.one_in(20) {
                return Err(io::ErrorKind::Interrupted.into());
            }
            if self.left == 0 && mem::take(&mut self.fails) {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "damaged"));
            }
            let length = (1 + self.choices.below(self.most)).min(self.left).min(buffer.len());
            for (place, byte) in buffer[..length].iter_mut().enumerate() {
                *byte = ((self.left - place) % 251).to_le_bytes()[0];
            }
            self.left -= length;
            Ok(length)
        }
    }

    /// What a reader that asks for various amounts is given, the error in which it ends, what the source was asked for, and on how
    /// many threads. A thread becomes idle once so many bytes have been read.
    fn read_all(seed: u64, idle_from: Option<usize>) -> (Vec<u8>, Option<String>, Vec<usize>, usize) {
        let mut choices = Choices::new(seed);
        let left = choices.of(&[0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 50 * CHUNK]) + choices.below(3);
        let (most, fails) = (choices.of(&[1000, CHUNK, 2 * CHUNK]), choices.one_in(2));
        let (asked, idle) = (Mutex::default(), IdleThreads::default());
        let source = Uneven { choices: Choices::new(seed), left, most, fails, asked: &asked };
        let mut add = idle_from;
        let mut become_idle = |read: usize| add.take_if(|from| *from <= read).into_iter().for_each(|_| idle.add());
        become_idle(0);
        let (mut all, mut failure) = (Vec::new(), None);
        thread::scope(|scope| {
            let mut reader = AheadReader::new(scope, &idle, Box::new(source));
            let mut buffer = vec![0; 2 * CHUNK];
            loop {
                let size = 1 + choices.below(buffer.len());
                match reader.read(&mut buffer[..size]) {
                    Ok(0) => break,
                    Ok(read) => all.extend_from_slice(&buffer[..read]),
                    Err(error) => {
                        failure = Some(error.to_string());
                        // Nothing comes after it.
                        assert_eq!(reader.read(&mut buffer).unwrap(), 0);
                        break;
                    }
                }
                become_idle(all.len());
            }
        });
        // A thread that was borrowed has been given back.
        assert_eq!(idle.take(), idle_from.is_some_and(|from| from <= all.len()), "{seed}");
        let asked = asked.into_inner().unwrap();
        let mut threads: Vec<_> = asked.iter().map(|(_, thread)| *thread).collect();
        threads.dedup();
        (all, failure, asked.into_iter().map(|(size, _)| size).collect(), threads.len())
    }

    #[test]
    fn what_is_read_beside_is_read_in_the_same_steps() {
        let mut switched = 0;
        for seed in seeds(60) {
            let (all, failure, asked, threads) = read_all(seed, None);
            assert_eq!(threads, 1, "{seed}");
            let from = Choices::new(!seed).below(all.len() + 1);
            for idle_from in [0, from] {
                let (beside, beside_failure, beside_asked, threads) = read_all(seed, Some(idle_from));
                assert!(all == beside && asked == beside_asked, "{seed}: {idle_from} of {}", all.len());
                assert_eq!(failure, beside_failure, "{seed}: {idle_from} of {}", all.len());
                switched += usize::from(threads > 1);
            }
        }
        assert!(switched > 0);
    }

    #[test]
    fn a_reader_that_stops_ends_the_thread_beside() {
        struct Endless<'t>(&'t AtomicUsize);
        impl Read for Endless<'_> {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                // If nobody ended it, it would end here.
                let read = if self.0.load(Ordering::Relaxed) < 1000 * CHUNK { buffer.len() } else { 0 };
                self.0.fetch_add(read, Ordering::Relaxed);
                Ok(read)
            }
        }
        for taken in [0, 1, 3 * CHUNK] {
            let (read, idle) = (AtomicUsize::new(0), IdleThreads::default());
            idle.add();
            thread::scope(|scope| {
                let mut reader = AheadReader::new(scope, &idle, Box::new(Endless(&read)));
                reader.read_exact(&mut vec![0; taken]).unwrap();
                assert!(!idle.take());
            });
            // One is with the reader, one is being filled.
            assert!(read.into_inner() <= taken + (CHUNKS + 2) * CHUNK, "{taken}");
            assert!(idle.take() && !idle.take());
        }
    }
}
