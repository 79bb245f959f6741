//! Where plans, rules, kept records and results lie in the bucket of results.
//!
//! ```text
//! plans/PLAN/plan.json, parts.jsonl     what is to be read
//! rules/RULES/…                         the files of the rules
//! runs/RULES/PART/SLICE.…               kept records, their places, and the slice's tally, which is written last
//! runs/RULES/done/PART.json             the mark of a part that has been read to its end, with all its tallies
//! results/PLAN/summary.json, report.html
//! maps/…                                what Step Functions notes of each execution
//! ```

use std::io::{BufRead as _, BufReader};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::part::Part;
use super::plan::Plan;
use super::tally::PartTally;
use crate::scan::Input;
use crate::scan::s3::{ObjectStore, S3Fault};

/// The bucket of results.
#[derive(Debug, Clone)]
pub(super) struct Results {
    pub(super) store: ObjectStore,
}

impl Results {
    pub(super) fn open(bucket: &str) -> Result<Self, String> {
        Ok(Self { store: ObjectStore::open(bucket)? })
    }

    /// A document, if it is there.
    ///
    /// # Errors
    /// S3 does not give it, or it is not what we write.
    pub(super) fn document<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, String> {
        let told = |reason: String| format!("s3://{}/{key}: {reason}", self.store.bucket());
        let Some(body) = self.store.get(key).map_err(|fault| told(fault.to_string()))? else { return Ok(None) };
        serde_json::from_slice(&body).map(Some).map_err(|error| told(error.to_string()))
    }

    /// Writes a document.
    ///
    /// # Errors
    /// S3 does not take it.
    pub(super) fn put(&self, key: &str, document: &impl Serialize) -> Result<(), String> {
        let body = serde_json::to_vec(document).map_err(|error| error.to_string())?;
        self.put_bytes(key, body)
    }

    /// Writes an object.
    ///
    /// # Errors
    /// S3 does not take it.
    pub(super) fn put_bytes(&self, key: &str, body: Vec<u8>) -> Result<(), String> {
        self.store.put(key, body).map_err(|fault| self.told(key, &fault))
    }

    pub(super) fn told(&self, key: &str, fault: &S3Fault) -> String {
        format!("s3://{}/{key}: {fault}", self.store.bucket())
    }

    /// A plan.
    ///
    /// # Errors
    /// There is none of this name, or it is of another version.
    pub(super) fn plan(&self, id: &str) -> Result<Plan, String> {
        let plan: Option<Plan> = self.document(&plan_key(id))?;
        let plan = plan.ok_or_else(|| format!("there is no plan {id} in s3://{}", self.store.bucket()))?;
        plan.is_ours().map(|()| plan)
    }

    /// Hands over the parts of a plan, in the archive's order. They are read a piece at a time: there may be many.
    ///
    /// # Errors
    /// They are not there, or are not what we write.
    pub(super) fn each_part(&self, plan: &str, mut take: impl FnMut(Part)) -> Result<(), String> {
        let key = parts_key(plan);
        let told = |reason: String| format!("s3://{}/{key}: {reason}", self.store.bucket());
        let listed = self.store.list(&key, false).map_err(|fault| self.told(&key, &fault))?;
        let Some(Input::Remote(object)) = self.store.inputs(listed.objects).next() else {
            return Err(told("it is missing".to_owned()));
        };
        for line in BufReader::new((object.open)().map_err(|error| told(error.to_string()))?).lines() {
            let line = line.map_err(|error| told(error.to_string()))?;
            take(serde_json::from_str(&line).map_err(|error| told(error.to_string()))?);
        }
        Ok(())
    }

    /// What has been read of a part, if it has been read to its end.
    ///
    /// # Errors
    /// As [`Self::document`].
    pub(super) fn done(&self, rules: &str, part: &str) -> Result<Option<PartTally>, String> {
        self.document(&done_key(rules, part))
    }

    /// The ids of the parts that have been read to their end by these rules.
    ///
    /// # Errors
    /// S3 does not list them.
    pub(super) fn done_ids(&self, rules: &str) -> Result<std::collections::HashSet<String>, String> {
        let prefix = done_prefix(rules);
        let listed = self.store.list(&prefix, false).map_err(|fault| self.told(&prefix, &fault))?;
        let id = |key: &str| Some(key.strip_prefix(&prefix)?.strip_suffix(".json")?.to_owned());
        Ok(listed.objects.iter().filter_map(|object| id(&object.key)).collect())
    }
}

pub(super) fn plan_key(plan: &str) -> String {
    format!("plans/{plan}/plan.json")
}

pub(super) fn parts_key(plan: &str) -> String {
    format!("plans/{plan}/parts.jsonl")
}

pub(super) fn rules_key(rules: &str, file: &str) -> String {
    format!("rules/{rules}/{file}")
}

fn done_prefix(rules: &str) -> String {
    format!("runs/{rules}/done/")
}

pub(super) fn done_key(rules: &str, part: &str) -> String {
    format!("{}{part}.json", done_prefix(rules))
}

/// The beginning of the keys of a slice's objects. `again`: the execution that reads once more what could not be read, if any does.
pub(super) fn slice_prefix(rules: &str, part: &str, again: &str, number: u32) -> String {
    let again = if again.is_empty() { String::new() } else { format!("{again}/") };
    format!("runs/{rules}/{part}/{again}{number:04}")
}

pub(super) fn result_key(plan: &str, file: &str) -> String {
    format!("results/{plan}/{file}")
}
