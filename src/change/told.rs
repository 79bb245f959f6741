//! What has been told of a call so far.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::text::one_line;

/// Changes of one call that are told.
pub(super) const MOST_CHANGES: usize = 12;
/// Characters of each of their texts.
pub(super) const TEXT_LIMIT: usize = 400;
/// Characters of what was changed.
const NAME_LIMIT: usize = 120;
/// Characters of a text that are looked at: what is cut off is not shown anyway.
const READ_LIMIT: usize = 4 * TEXT_LIMIT;

/// One thing that a call changed, in words: one line of printable characters, of [`TEXT_LIMIT`] at most. Secrets are blanked
/// already, and are not to be looked for again; links are not broken yet, and nothing is escaped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// What was changed: `inbound`, `policy`, `instance type`.
    pub what: String,
    /// What it was before, where the record shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// What it is after the call, or what was asked for: `tcp 22 from 0.0.0.0/0`, `Allow * on *`.
    pub after: String,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.before {
            Some(before) => write!(f, "{}: {before} → {}", self.what, self.after),
            None => write!(f, "{}: {}", self.what, self.after),
        }
    }
}

/// How what was done is called where it was only asked for.
const ASKED: [(&str, &str); 10] = [
    ("shared with", "share with"),
    ("no longer shared with", "stop sharing with"),
    ("added", "add"),
    ("attached", "attach"),
    ("copied", "copy"),
    ("deleted", "delete"),
    ("detached", "detach"),
    ("disabled", "disable"),
    ("moved", "move"),
    ("removed", "remove"),
];

/// The changes of one call.
#[derive(Debug)]
pub(super) struct Told {
    changes: Vec<Change>,
    /// Whether the call failed.
    failed: bool,
}

impl Told {
    pub(super) fn new(failed: bool) -> Self {
        Self { changes: Vec::new(), failed }
    }

    /// Adds what something is after the call.
    pub(super) fn add(&mut self, what: &str, after: impl AsRef<str>) {
        self.push(what, None, after.as_ref());
    }

    /// Adds what something was before and is after the call.
    pub(super) fn turn(&mut self, what: &str, before: impl AsRef<str>, after: impl AsRef<str>) {
        self.push(what, Some(before.as_ref()), after.as_ref());
    }

    fn push(&mut self, what: &str, before: Option<&str>, after: &str) {
        if self.changes.len() >= MOST_CHANGES {
            return;
        }
        let asked = ASKED.iter().filter(|_| self.failed).find_map(|(done, asked)| {
            let rest = what.strip_prefix(done)?;
            (rest.is_empty() || rest.starts_with(' ')).then(|| format!("{asked}{rest}"))
        });
        let change = Change {
            what: shown(asked.as_deref().unwrap_or(what), NAME_LIMIT),
            before: before.map(|text| shown(text, TEXT_LIMIT)).filter(|text| !text.is_empty()),
            after: shown(after, TEXT_LIMIT),
        };
        if !change.after.is_empty() && !change.what.is_empty() && !self.changes.contains(&change) {
            self.changes.push(change);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Whether this has been told of something.
    pub(super) fn says(&self, after: &str) -> bool {
        self.changes.iter().any(|change| change.after == after)
    }

    pub(super) fn into_changes(self) -> Vec<Change> {
        self.changes
    }
}

fn shown(text: &str, limit: usize) -> String {
    let head = text.char_indices().nth(READ_LIMIT).map_or(text, |(at, _)| &text[..at]);
    one_line(head, limit).into_owned()
}
