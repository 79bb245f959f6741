//! A bucket as a place to keep things: objects are read and written whole, and listed, by whoever waits for them.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::runtime::Runtime;

use super::access::S3Access;
use super::bucket::{ListQuestion, S3Bucket, S3Fault};
use super::fetch::{FetchAhead, ListedObject, runtime};
use crate::scan::Input;

/// A bucket, whose requests are waited for.
#[derive(Debug, Clone)]
pub struct ObjectStore {
    remote: Arc<S3Bucket>,
    runtime: Arc<Runtime>,
}

/// What a list of a bucket holds: objects, and the folders of those that were not asked for one by one.
#[derive(Debug, Default)]
pub struct Listed {
    /// The objects, in the order of their keys.
    pub objects: Vec<ListedObject>,
    /// The prefixes up to the next `/`, in their order.
    pub folders: Vec<String>,
    /// How many requests it took.
    pub requests: u64,
}

impl ObjectStore {
    /// Finds the way to a bucket; asks nobody yet.
    ///
    /// # Errors
    /// What is missing, and the remedy.
    pub fn open(bucket: &str) -> Result<Self, String> {
        Ok(Self { remote: Arc::new(S3Bucket::new(bucket, S3Access::find()?)?), runtime: runtime()? })
    }

    /// Its name.
    pub fn bucket(&self) -> &str {
        self.remote.name()
    }

    /// An object, whole; none where there is none.
    ///
    /// # Errors
    /// S3 does not give it.
    pub fn get(&self, key: &str) -> Result<Option<Vec<u8>>, S3Fault> {
        match self.runtime.block_on(self.remote.object(key, None, None)) {
            Ok(body) => Ok(Some(body)),
            Err(S3Fault::Missing(_)) => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    /// Writes an object whole, over whatever is there.
    ///
    /// # Errors
    /// S3 does not take it.
    pub fn put(&self, key: &str, body: Vec<u8>) -> Result<(), S3Fault> {
        self.runtime.block_on(self.remote.put(key, body, false))
    }

    /// Writes an object, unless there is one; whether it has been written.
    /// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html>
    ///
    /// # Errors
    /// S3 does not take it.
    pub fn put_first(&self, key: &str, body: Vec<u8>) -> Result<bool, S3Fault> {
        match self.runtime.block_on(self.remote.put(key, body, true)) {
            Ok(()) => Ok(true),
            Err(S3Fault::Precondition(_)) => Ok(false),
            Err(fault) => Err(fault),
        }
    }

    /// All objects with a prefix; with `by_folder`, those of its own level, and the folders below it.
    ///
    /// # Errors
    /// S3 does not list them.
    pub fn list(&self, prefix: &str, by_folder: bool) -> Result<Listed, S3Fault> {
        let (mut listed, mut token) = (Listed::default(), None::<String>);
        loop {
            let delimiter = by_folder.then_some("/");
            let question = ListQuestion { prefix, token: token.as_deref(), delimiter, after: None };
            let page = self.runtime.block_on(self.remote.list(question))?;
            listed.requests += 1;
            let objects = page.contents.into_iter().map(|object| ListedObject {
                key: object.key,
                size: object.size.unwrap_or_default(),
                etag: object.etag,
            });
            listed.objects.extend(objects);
            listed.folders.extend(page.common_prefixes.into_iter().map(|folder| folder.prefix));
            match page.next_continuation_token {
                Some(next) => token = Some(next),
                None => return Ok(listed),
            }
        }
    }

    /// These objects as inputs of a scan, fetched ahead of the threads that read them.
    pub fn inputs(&self, objects: Vec<ListedObject>) -> impl Iterator<Item = Input> + Send + use<> {
        let mut ahead = FetchAhead::new(self.remote.clone(), self.runtime.clone());
        let mut left = VecDeque::from(objects);
        std::iter::from_fn(move || {
            while !ahead.is_full()
                && let Some(object) = left.pop_front()
            {
                ahead.fetch(object);
            }
            ahead.pop()
        })
    }
}
