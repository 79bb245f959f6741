//! What was found, and who did not answer.

use serde::Serialize;

use super::check::Check;
use super::remedy::Remedy;
use crate::aws::ApiError;
use crate::cli::silence::SilenceLine;
use crate::text::one_line;

/// Characters of a sentence or of a name that AWS told.
const MAX_CHARACTERS: usize = 1000;

/// What a look at a deployment has come to.
#[derive(Debug, Default, Serialize)]
pub(super) struct DoctorReport {
    /// The stack's name.
    pub(super) stack: String,
    /// Each region that was asked about.
    pub(super) regions: Vec<RegionReport>,
    /// What is wrong, in the order of the regions.
    pub(super) findings: Vec<Finding>,
    /// Who did not answer, and why.
    pub(super) unanswered: Vec<String>,
}

/// Who watches a region.
#[derive(Debug, Serialize)]
pub(super) struct RegionReport {
    pub(super) region: String,
    /// The account, where a stack has told it.
    pub(super) account: Option<String>,
    pub(super) watched_by: WatchedBy,
    /// The silences that run there.
    pub(super) silences: Vec<SilenceLine>,
}

/// Who watches a region.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum WatchedBy {
    /// The stack is there.
    Stack,
    /// A rule sends its events to a stack elsewhere.
    Forwarding,
    /// Nobody.
    Nobody,
    /// It could not be found out.
    Unknown,
}

/// Something that is wrong.
#[derive(Debug, Serialize)]
pub(super) struct Finding {
    /// Its [`Check`].
    pub(super) code: &'static str,
    pub(super) region: String,
    /// Of which account, where it is another than the stack's.
    pub(super) account: Option<String>,
    /// What it is about: a name, an ARN or a URL.
    pub(super) resource: String,
    pub(super) message: String,
    /// Commands for a POSIX shell that set it right, in their order.
    pub(super) remedy: Vec<String>,
}

/// What AWS says of a thing.
#[derive(Debug)]
pub(super) enum Told<T> {
    /// It is so.
    There(T),
    /// There is no such thing.
    Missing,
    /// Nobody knows: that has been noted.
    Unknown,
}

/// What the checks of one region have found.
#[derive(Debug)]
pub(super) struct Notes {
    region: String,
    pub(super) findings: Vec<Finding>,
    pub(super) unanswered: Vec<String>,
}

impl Notes {
    pub(super) fn of(region: &str) -> Self {
        Self { region: region.to_owned(), findings: Vec::new(), unanswered: Vec::new() }
    }

    /// Notes that something is wrong.
    pub(super) fn find(&mut self, check: &Check, resource: &str, message: impl AsRef<str>, remedy: Remedy) {
        let finding = Finding {
            code: check.code,
            region: self.region.clone(),
            account: None,
            resource: one_line(resource, MAX_CHARACTERS).into_owned(),
            message: one_line(message.as_ref(), MAX_CHARACTERS).into_owned(),
            remedy: remedy.commands(),
        };
        self.findings.push(finding);
    }

    /// Says of which account and region the last finding is.
    pub(super) fn last_is_of(&mut self, account: &str, region: &str) {
        if let Some(last) = self.findings.last_mut() {
            (last.account, last.region) = (Some(account.to_owned()), region.to_owned());
        }
    }

    /// Notes who did not answer.
    pub(super) fn unanswered(&mut self, reason: &impl std::fmt::Display) {
        let note = format!("{}: {}", self.region, one_line(&reason.to_string(), MAX_CHARACTERS));
        if !self.unanswered.contains(&note) {
            self.unanswered.push(note);
        }
    }

    /// What an answer says; whoever did not answer is noted.
    pub(super) fn told<T>(&mut self, answer: Result<T, ApiError>) -> Told<T> {
        match answer {
            Ok(answer) => Told::There(answer),
            Err(error) if error.is_missing() => Told::Missing,
            Err(error) => {
                self.unanswered(&error);
                Told::Unknown
            }
        }
    }

    /// What an answer says, of a thing whose absence is somebody else's finding.
    pub(super) fn there<T>(&mut self, answer: Result<T, ApiError>) -> Option<T> {
        match self.told(answer) {
            Told::There(answer) => Some(answer),
            Told::Missing | Told::Unknown => None,
        }
    }
}
