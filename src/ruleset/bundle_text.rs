//! The text of a bundle, of which a start reads the head alone: what stands before the steps of what to do first, which a rule
//! asks for when it comes into question.

use std::fmt;
use std::io;
use std::sync::OnceLock;

use crate::engine::checksum;

/// A bundle's text, its end perhaps not read yet.
pub struct BundleText {
    /// All of it, or what stands before the steps.
    pub(super) head: String,
    rest: Option<Rest>,
}

/// What is not read yet.
struct Rest {
    length: u64,
    read: Box<dyn Fn() -> io::Result<String> + Send + Sync>,
    text: OnceLock<Option<String>>,
}

impl BundleText {
    /// The head of a bundle ([`super::package::head_length`]), and how many bytes follow, which `read` gives when a finding
    /// asks for them.
    pub fn with_rest(head: String, length: u64, read: impl Fn() -> io::Result<String> + Send + Sync + 'static) -> Self {
        Self { head, rest: Some(Rest { length, read: Box::new(read), text: OnceLock::new() }) }
    }

    /// Bytes of the whole.
    pub(super) fn length(&self) -> u64 {
        self.head.len() as u64 + self.rest.as_ref().map_or(0, |rest| rest.length)
    }

    /// What follows the head, which has this sum; none where it cannot be read or is another's, which the log says once.
    pub(super) fn rest(&self, head: usize, sum: u64) -> Option<&str> {
        let Some(Rest { read, text, .. }) = &self.rest else { return self.head.get(head..) };
        let read = || {
            let reason = match read() {
                Ok(text) if checksum(text.as_bytes()) == sum => return Some(text),
                Ok(_) => "they are of another rules.json".to_owned(),
                Err(error) => error.to_string(),
            };
            tracing::error!(reason, "what to do first is missing from the alerts: package the rules again");
            None
        };
        text.get_or_init(read).as_deref()
    }
}

impl From<String> for BundleText {
    fn from(whole: String) -> Self {
        Self { head: whole, rest: None }
    }
}

impl fmt::Debug for BundleText {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("BundleText").field("length", &self.length()).finish_non_exhaustive()
    }
}
