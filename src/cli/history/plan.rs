//! A plan: what is to be read, by which rules, and in which parts. It lies beside the results.

use serde::{Deserialize, Serialize};

use crate::scan::layout::LogFilter;
use crate::time::Date;

/// The version of plans and of what readers write.
pub(super) const VERSION: u32 = 1;

/// What was planned. Its parts are a file of their own, a line each.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Plan {
    pub(super) version: u32,
    /// A hash of all that follows and of the parts: the same question has the same plan.
    pub(super) id: String,
    /// The version of the tool that made it. What reads it must be of the same, so that all evaluate alike.
    pub(super) tool: String,
    /// The archive's bucket.
    pub(super) bucket: String,
    /// With what its keys begin.
    pub(super) prefix: String,
    pub(super) filter: PlanFilter,
    pub(super) rules: KeptRules,
    pub(super) size: PlanSize,
}

/// The rules of a plan, by what they are made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct KeptRules {
    /// A hash of all files, of the stack's names, and of the tool's version.
    pub(super) id: String,
    /// The files' names.
    pub(super) files: Vec<String>,
    /// As `--stack` and `--stack-set` say.
    pub(super) stack: String,
    pub(super) stack_set: String,
}

/// How much it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PlanSize {
    pub(super) parts: u64,
    /// Log files.
    pub(super) objects: u64,
    /// Their bytes.
    pub(super) bytes: u64,
    /// The folders of a day, and how many of them have been listed. The others are estimated by those.
    pub(super) days: u64,
    pub(super) listed_days: u64,
}

impl PlanSize {
    /// Whether all has been counted.
    pub(super) const fn is_exact(&self) -> bool {
        self.days == self.listed_days
    }
}

/// Which log files are read, as `--since` and so on say.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PlanFilter {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    since: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    until: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    accounts: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    regions: Vec<String>,
}

impl From<&LogFilter> for PlanFilter {
    fn from(filter: &LogFilter) -> Self {
        Self {
            since: filter.since.map(|day| day.to_string()),
            until: filter.until.map(|day| day.to_string()),
            accounts: filter.accounts.clone(),
            regions: filter.regions.clone(),
        }
    }
}

impl PlanFilter {
    /// The filter of names.
    pub(super) fn filter(&self) -> LogFilter {
        LogFilter {
            since: self.since.as_deref().and_then(Date::parse),
            until: self.until.as_deref().and_then(Date::parse),
            accounts: self.accounts.clone(),
            regions: self.regions.clone(),
        }
    }
}

impl Plan {
    /// Whether this program can work on it.
    ///
    /// # Errors
    /// It is of another version.
    pub(super) fn is_ours(&self) -> Result<(), String> {
        if self.version == VERSION && self.tool == env!("CARGO_PKG_VERSION") {
            return Ok(());
        }
        Err(format!(
            "the plan {} was made by offlimits {}, and this is {}: plan anew, and deploy the same version (make history)",
            self.id,
            self.tool,
            env!("CARGO_PKG_VERSION")
        ))
    }
}
