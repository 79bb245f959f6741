//! Lists a bucket folder by folder, and fetches objects ahead of the threads that read them.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::mem;
use std::sync::Arc;

use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;

use super::access::S3Access;
use super::bucket::S3Bucket;
use crate::scan::files::{ENDS, is_log_file, nothing};
use crate::scan::layout::{LogFilter, other_service};
use crate::scan::{Input, RemoteInput};

/// The most objects that are fetched ahead of their turn.
const AHEAD: usize = 16;
/// The most bytes of them together.
const AHEAD_BYTES: u64 = 48 * 1024 * 1024;
/// Bytes of one piece. An object that is larger than that is read a piece at a time.
const PIECE: u64 = 8 * 1024 * 1024;

/// The inputs below `s3://bucket/prefix`, in the order of their keys. What keeps them from being listed is an input of its own
/// that cannot be read.
pub fn inputs(address: &str, filter: LogFilter) -> impl Iterator<Item = Input> + Send + use<> {
    let (listing, problem) = match Listing::open(address, filter) {
        Ok(listing) => (Some(listing), None),
        Err(reason) => (None, Some(Input::Bad(address.to_owned(), reason))),
    };
    problem.into_iter().chain(listing.into_iter().flatten())
}

/// Objects that are left to list, and those that are on their way.
struct Listing {
    // Before the runtime, so that nothing outlives it.
    ahead: VecDeque<Fetch>,
    ahead_bytes: u64,
    remote: Arc<S3Bucket>,
    bucket: String,
    filter: LogFilter,
    /// What is left of each level, the next one last.
    open: Vec<ListingStep>,
    found: bool,
    address: String,
    runtime: Arc<Runtime>,
}

/// One step of the walk through a bucket.
enum ListingStep {
    /// A page of what begins so; with everything below it, or folder by folder.
    List { prefix: String, token: Option<String>, whole: bool },
    /// An object, and its size.
    Object(String, u64),
    /// An object that is another service's log, and the service.
    Skip(String, String),
}

enum Fetch {
    Coming { key: String, size: u64, object: JoinHandle<Result<Vec<u8>, String>> },
    Large { key: String, size: u64 },
    Failed(String, String),
    Skipped { key: String, service: String },
}

impl Listing {
    fn open(address: &str, filter: LogFilter) -> Result<Self, String> {
        let rest = address.strip_prefix("s3://").unwrap_or(address);
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        if bucket.is_empty() {
            return Err("write s3://BUCKET/PREFIX".to_owned());
        }
        let remote = S3Bucket::new(bucket, S3Access::find()?)?;
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let whole = filter == LogFilter::default();
        Ok(Self {
            ahead: VecDeque::new(),
            ahead_bytes: 0,
            remote: Arc::new(remote),
            bucket: bucket.to_owned(),
            filter,
            open: vec![ListingStep::List { prefix: prefix.to_owned(), token: None, whole }],
            found: false,
            address: address.to_owned(),
            runtime: Arc::new(runtime.map_err(|error| error.to_string())?),
        })
    }

    /// Starts fetching until enough is on its way.
    fn fetch_ahead(&mut self) {
        while self.ahead.len() < AHEAD && (self.ahead.is_empty() || self.ahead_bytes < AHEAD_BYTES) {
            let Some(step) = self.open.pop() else { return };
            match step {
                ListingStep::Object(key, size) => {
                    self.found = true;
                    if size > PIECE {
                        self.ahead.push_back(Fetch::Large { key, size });
                        continue;
                    }
                    self.ahead_bytes += size;
                    let (remote, wanted) = (self.remote.clone(), key.clone());
                    let object = self.runtime.spawn(async move { remote.object(&wanted, None).await });
                    self.ahead.push_back(Fetch::Coming { key, size, object });
                }
                ListingStep::Skip(key, service) => {
                    self.found = true;
                    self.ahead.push_back(Fetch::Skipped { key, service });
                }
                ListingStep::List { prefix, token, whole } => {
                    let delimiter = (!whole).then_some("/");
                    match self.runtime.block_on(self.remote.list(&prefix, token.as_deref(), delimiter)) {
                        Ok(page) => self.take(prefix, page, whole),
                        Err(reason) => {
                            self.found = true;
                            self.ahead.push_back(Fetch::Failed(format!("s3://{}/{prefix}", self.bucket), reason));
                        }
                    }
                }
            }
        }
    }

    /// Opens what a page lists, in the order of its names.
    fn take(&mut self, prefix: String, page: rusty_s3::actions::ListObjectsV2Response, whole: bool) {
        if let Some(token) = page.next_continuation_token {
            self.open.push(ListingStep::List { prefix, token: Some(token), whole });
        }
        let mut steps: Vec<(String, ListingStep)> = Vec::new();
        for object in page.contents {
            if !is_log_file(&object.key) || !self.filter.accepts(&object.key) {
                continue;
            }
            if let Some(service) = other_service(&object.key) {
                let skip = ListingStep::Skip(object.key.clone(), service.to_owned());
                steps.push((object.key, skip));
            } else {
                steps.push((object.key.clone(), ListingStep::Object(object.key, object.size.unwrap_or_default())));
            }
        }
        for folder in page.common_prefixes {
            if self.filter.may_hold(&folder.prefix) {
                let whole = self.filter.holds_all(&folder.prefix);
                steps.push((folder.prefix.clone(), ListingStep::List { prefix: folder.prefix, token: None, whole }));
            }
        }
        steps.sort_by(|a, b| b.0.cmp(&a.0));
        self.open.extend(steps.into_iter().map(|(_, step)| step));
    }
}

impl Iterator for Listing {
    type Item = Input;

    fn next(&mut self) -> Option<Input> {
        self.fetch_ahead();
        let name = |key: &str| format!("s3://{}/{key}", self.bucket);
        match self.ahead.pop_front() {
            Some(Fetch::Coming { key, size, object }) => {
                self.ahead_bytes -= size;
                let runtime = self.runtime.clone();
                let open = move || {
                    let object = runtime.block_on(object).map_err(|error| io::Error::other(error.to_string()))?;
                    Ok(Box::new(io::Cursor::new(object.map_err(io::Error::other)?)) as Box<dyn Read + Send>)
                };
                Some(Input::Remote(RemoteInput { name: name(&key), open: Box::new(open) }))
            }
            Some(Fetch::Large { key, size }) => {
                let (remote, runtime, name) = (self.remote.clone(), self.runtime.clone(), name(&key));
                let open = move || {
                    let pieces = Pieces { remote, runtime, key, size, next: 0, piece: io::Cursor::default() };
                    Ok(Box::new(pieces) as Box<dyn Read + Send>)
                };
                Some(Input::Remote(RemoteInput { name, open: Box::new(open) }))
            }
            Some(Fetch::Skipped { key, service }) => Some(Input::Skipped(name(&key), service)),
            Some(Fetch::Failed(name, reason)) => Some(Input::Bad(name, reason)),
            None if mem::replace(&mut self.found, true) => None,
            None => Some(Input::Bad(self.address.clone(), nothing(&ENDS))),
        }
    }
}

/// A large object, fetched a piece at a time.
struct Pieces {
    remote: Arc<S3Bucket>,
    runtime: Arc<Runtime>,
    key: String,
    size: u64,
    next: u64,
    piece: io::Cursor<Vec<u8>>,
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.piece.read(buffer)?;
        if read > 0 || self.next >= self.size || buffer.is_empty() {
            return Ok(read);
        }
        let last = (self.next + PIECE).min(self.size) - 1;
        let piece = self.runtime.block_on(self.remote.object(&self.key, Some((self.next, last))));
        let piece = piece.map_err(io::Error::other)?;
        if piece.len() as u64 != last + 1 - self.next {
            return Err(io::Error::other("S3 gave another number of bytes than it was asked for"));
        }
        self.next = last + 1;
        self.piece = io::Cursor::new(piece);
        self.piece.read(buffer)
    }
}
