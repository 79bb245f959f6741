//! Fetches objects ahead of the threads that read them: so many, and so many bytes, that nobody waits and memory is bounded.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::sync::Arc;

use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;

use super::bucket::{S3Bucket, S3Fault};
use crate::scan::{Input, RemoteInput};

/// The most objects that are fetched ahead of their turn.
const AHEAD: usize = 16;
/// The most bytes of them together.
const AHEAD_BYTES: u64 = 12 * 1024 * 1024;
/// Bytes of one piece. An object that is larger than that is read a piece at a time.
const PIECE: u64 = 8 * 1024 * 1024;

/// An object as a list tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedObject {
    /// Its key.
    pub key: String,
    /// Its bytes.
    pub size: u64,
    /// What changes when it does. An object is read only while it is still the one that was listed.
    pub etag: Option<String>,
}

/// What is on its way, in the order in which it is read.
pub(super) struct FetchAhead {
    // Before the runtime, so that nothing outlives it.
    ahead: VecDeque<Fetch>,
    ahead_bytes: u64,
    remote: Arc<S3Bucket>,
    runtime: Arc<Runtime>,
}

enum Fetch {
    Coming { object: ListedObject, body: JoinHandle<Result<Vec<u8>, S3Fault>> },
    Large(ListedObject),
    Failed(String, String),
    Skipped { key: String, service: String },
}

/// Waits for what S3 is asked, on threads of its own.
pub(super) fn runtime() -> Result<Arc<Runtime>, String> {
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.map(Arc::new).map_err(|error| error.to_string())
}

impl FetchAhead {
    pub(super) fn new(remote: Arc<S3Bucket>, runtime: Arc<Runtime>) -> Self {
        Self { ahead: VecDeque::new(), ahead_bytes: 0, remote, runtime }
    }

    /// Whether enough is on its way.
    pub(super) fn is_full(&self) -> bool {
        self.ahead.len() >= AHEAD || (!self.ahead.is_empty() && self.ahead_bytes >= AHEAD_BYTES)
    }

    /// Begins to fetch an object; a large one is fetched when it is read.
    pub(super) fn fetch(&mut self, object: ListedObject) {
        if object.size > PIECE {
            self.ahead.push_back(Fetch::Large(object));
            return;
        }
        self.ahead_bytes += object.size;
        let (remote, wanted) = (self.remote.clone(), object.clone());
        let body = self.runtime.spawn(async move { remote.object(&wanted.key, None, wanted.etag.as_deref()).await });
        self.ahead.push_back(Fetch::Coming { object, body });
    }

    /// An object that is another service's log.
    pub(super) fn skip(&mut self, key: String, service: String) {
        self.ahead.push_back(Fetch::Skipped { key, service });
    }

    /// Something that could not be listed.
    pub(super) fn fail(&mut self, name: String, reason: String) {
        self.ahead.push_back(Fetch::Failed(name, reason));
    }

    /// The next input.
    pub(super) fn pop(&mut self) -> Option<Input> {
        let name = |key: &str| format!("s3://{}/{key}", self.remote.name());
        Some(match self.ahead.pop_front()? {
            Fetch::Coming { object, body } => {
                self.ahead_bytes -= object.size;
                let runtime = self.runtime.clone();
                let open = move || {
                    let body = runtime.block_on(body).map_err(|error| io::Error::other(error.to_string()))?;
                    Ok(Box::new(io::Cursor::new(body.map_err(io::Error::other)?)) as Box<dyn Read + Send>)
                };
                Input::Remote(RemoteInput { name: name(&object.key), open: Box::new(open) })
            }
            Fetch::Large(object) => {
                let (remote, runtime, name) = (self.remote.clone(), self.runtime.clone(), name(&object.key));
                let open = move || {
                    let pieces = Pieces { remote, runtime, object, next: 0, piece: io::Cursor::default() };
                    Ok(Box::new(pieces) as Box<dyn Read + Send>)
                };
                Input::Remote(RemoteInput { name, open: Box::new(open) })
            }
            Fetch::Skipped { key, service } => Input::Skipped(name(&key), service),
            Fetch::Failed(name, reason) => Input::Bad(name, reason),
        })
    }
}

/// A large object, fetched a piece at a time.
struct Pieces {
    remote: Arc<S3Bucket>,
    runtime: Arc<Runtime>,
    object: ListedObject,
    next: u64,
    piece: io::Cursor<Vec<u8>>,
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.piece.read(buffer)?;
        let ListedObject { key, size, etag } = &self.object;
        if read > 0 || self.next >= *size || buffer.is_empty() {
            return Ok(read);
        }
        let last = (self.next + PIECE).min(*size) - 1;
        let piece = self.runtime.block_on(self.remote.object(key, Some((self.next, last)), etag.as_deref()));
        let piece = piece.map_err(io::Error::other)?;
        if piece.len() as u64 != last + 1 - self.next {
            return Err(io::Error::other("S3 gave another number of bytes than it was asked for"));
        }
        self.next = last + 1;
        self.piece = io::Cursor::new(piece);
        self.piece.read(buffer)
    }
}
