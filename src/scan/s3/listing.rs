//! Lists a bucket: folder by folder in CloudTrail's layout, or the keys of certain ranges.

use std::mem;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tokio::runtime::Runtime;

use super::access::S3Access;
use super::bucket::{ListQuestion, S3Bucket};
use super::fetch::{FetchAhead, ListedObject, runtime};
use crate::scan::Input;
use crate::scan::files::{ENDS, is_log_file, nothing};
use crate::scan::layout::{LogFilter, other_service};

/// Keys that follow one another: those with a prefix, behind one key, up to another.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct KeyRange {
    /// With what the keys begin.
    pub prefix: String,
    /// The key behind which they begin; none: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// The last of them; none: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub through: Option<String>,
}

impl KeyRange {
    /// All keys with a prefix.
    pub fn of_prefix(prefix: impl Into<String>) -> Self {
        Self { prefix: prefix.into(), after: None, through: None }
    }

    /// Whether a key is one of them.
    pub fn holds(&self, key: &str) -> bool {
        key.starts_with(&self.prefix)
            && self.after.as_deref().is_none_or(|after| key > after)
            && self.through.as_deref().is_none_or(|through| key <= through)
    }
}

/// The inputs below `s3://bucket/prefix`, in the order of their keys. What keeps them from being listed is an input of its own
/// that cannot be read.
pub fn inputs(address: &str, filter: LogFilter) -> impl Iterator<Item = Input> + Send + use<> {
    let (listing, problem) = match Listing::of_address(address, filter) {
        Ok(listing) => (Some(listing), None),
        Err(reason) => (None, Some(Input::Bad(address.to_owned(), reason))),
    };
    problem.into_iter().chain(listing.into_iter().flatten())
}

/// The log files in ranges of keys of a bucket, in the order of the ranges and of the keys in each. What cannot be listed is an
/// [`Input::Bad`]; ranges that hold nothing are none.
///
/// # Errors
/// There is no way to the bucket: why.
pub fn inputs_of_ranges(
    bucket: &str,
    ranges: &[KeyRange],
    filter: LogFilter,
) -> Result<impl Iterator<Item = Input> + Send + use<>, String> {
    let steps = ranges.iter().map(|range| ListingStep::List { range: range.clone(), token: None, whole: true });
    let mut listing = Listing::open(bucket, filter, steps.rev().collect())?;
    listing.found = true;
    Ok(listing)
}

/// The bucket and the prefix of `s3://BUCKET/PREFIX`.
///
/// # Errors
/// It is no such address.
pub fn address_parts(address: &str) -> Result<(&str, &str), String> {
    let rest = address.strip_prefix("s3://").unwrap_or(address);
    let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    if bucket.is_empty() { Err("write s3://BUCKET/PREFIX".to_owned()) } else { Ok((bucket, prefix)) }
}

/// Whether an object of this name is read, by its ending and by what its name says; or the service whose log it is.
///
/// # Errors
/// The service: nobody need open the object.
pub fn is_read<'k>(key: &'k str, filter: &LogFilter) -> Result<bool, &'k str> {
    if !is_log_file(key) || !filter.accepts(key) {
        return Ok(false);
    }
    other_service(key).map_or(Ok(true), Err)
}

/// Objects that are left to list, and those that are on their way.
struct Listing {
    ahead: FetchAhead,
    remote: Arc<S3Bucket>,
    bucket: String,
    filter: LogFilter,
    /// What is left of each level, the next one last.
    open: Vec<ListingStep>,
    found: bool,
    /// What was asked for, as messages name it.
    address: String,
    runtime: Arc<Runtime>,
}

/// One step of the walk through a bucket.
enum ListingStep {
    /// A page of a range; with everything below it, or folder by folder.
    List { range: KeyRange, token: Option<String>, whole: bool },
    /// An object.
    Object(ListedObject),
    /// An object that is another service's log, and the service.
    Skip(String, String),
}

impl Listing {
    fn of_address(address: &str, filter: LogFilter) -> Result<Self, String> {
        let (bucket, prefix) = address_parts(address)?;
        let whole = filter == LogFilter::default();
        let step = ListingStep::List { range: KeyRange::of_prefix(prefix), token: None, whole };
        Ok(Self { address: address.to_owned(), ..Self::open(bucket, filter, vec![step])? })
    }

    fn open(bucket: &str, filter: LogFilter, open: Vec<ListingStep>) -> Result<Self, String> {
        let remote = Arc::new(S3Bucket::new(bucket, S3Access::find()?)?);
        let runtime = runtime()?;
        Ok(Self {
            ahead: FetchAhead::new(remote.clone(), runtime.clone()),
            remote,
            bucket: bucket.to_owned(),
            filter,
            open,
            found: false,
            address: format!("s3://{bucket}"),
            runtime,
        })
    }

    /// Starts fetching until enough is on its way.
    fn fetch_ahead(&mut self) {
        while !self.ahead.is_full() {
            let Some(step) = self.open.pop() else { return };
            match step {
                ListingStep::Object(object) => {
                    self.found = true;
                    self.ahead.fetch(object);
                }
                ListingStep::Skip(key, service) => {
                    self.found = true;
                    self.ahead.skip(key, service);
                }
                ListingStep::List { range, token, whole } => {
                    let delimiter = (!whole).then_some("/");
                    let (token, after) = (token.as_deref(), range.after.as_deref());
                    let question = ListQuestion { prefix: &range.prefix, token, delimiter, after };
                    match self.runtime.block_on(self.remote.list(question)) {
                        Ok(page) => self.take(range, page, whole),
                        Err(fault) => {
                            self.found = true;
                            self.ahead.fail(format!("s3://{}/{}", self.bucket, range.prefix), fault.to_string());
                        }
                    }
                }
            }
        }
    }

    /// Opens what a page lists, in the order of its names.
    fn take(&mut self, range: KeyRange, page: rusty_s3::actions::ListObjectsV2Response, whole: bool) {
        let is_behind = |key: &str| range.through.as_deref().is_some_and(|through| key > through);
        let mut steps: Vec<(String, ListingStep)> = Vec::new();
        let mut is_at_end = false;
        for object in page.contents {
            if is_behind(&object.key) {
                is_at_end = true;
                break;
            }
            match is_read(&object.key, &self.filter) {
                Ok(false) => {}
                Ok(true) => {
                    let listed = ListedObject {
                        key: object.key.clone(),
                        size: object.size.unwrap_or_default(),
                        etag: object.etag,
                    };
                    steps.push((object.key, ListingStep::Object(listed)));
                }
                Err(service) => {
                    let skip = ListingStep::Skip(object.key.clone(), service.to_owned());
                    steps.push((object.key, skip));
                }
            }
        }
        for folder in page.common_prefixes {
            if self.filter.may_hold(&folder.prefix) {
                let whole = self.filter.holds_all(&folder.prefix);
                let below = KeyRange::of_prefix(folder.prefix.clone());
                steps.push((folder.prefix, ListingStep::List { range: below, token: None, whole }));
            }
        }
        if let Some(token) = page.next_continuation_token.filter(|_| !is_at_end) {
            self.open.push(ListingStep::List { range, token: Some(token), whole });
        }
        steps.sort_by(|a, b| b.0.cmp(&a.0));
        self.open.extend(steps.into_iter().map(|(_, step)| step));
    }
}

impl Iterator for Listing {
    type Item = Input;

    fn next(&mut self) -> Option<Input> {
        self.fetch_ahead();
        match self.ahead.pop() {
            Some(input) => Some(input),
            None if mem::replace(&mut self.found, true) => None,
            None => Some(Input::Bad(self.address.clone(), nothing(&ENDS))),
        }
    }
}
