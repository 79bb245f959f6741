//! The last state of an execution: plays all that was kept back, writes the summary and the report beside it, and says which parts are
//! missing.

use std::fs;

use serde::Serialize;
use tempfile::TempDir;

use super::kept::KeptRecords;
use super::results::{Results, result_key};
use crate::cli::backtest::{BacktestFormat, BacktestOutput, BacktestPlayed};
use crate::cli::selection::RuleSelection;
use crate::runs::Bounds;

/// What a merge keeps of findings in memory: a sixth of a laptop's, for beside it two threads read.
const MEMORY: Bounds = Bounds { bytes: 12 << 20, ids: (1 << 19) / 8 * 7, fan_in: 8 };

/// What the state machine is told.
#[derive(Debug, Serialize)]
pub(super) struct Merged {
    parts: u64,
    /// How many have not been read to their end.
    missing: u64,
    /// The first of these.
    named: Vec<String>,
    /// Things that could not be read in the others.
    unreadable: usize,
}

/// Merges what was kept for a plan.
///
/// # Errors
/// S3 does not give it, or does not take the results.
pub(super) fn merge(results: &Results, plan: &str) -> Result<Merged, String> {
    let plan = results.plan(plan)?;
    let rules = plan.rules.load(results)?;
    let folder = TempDir::new().map_err(|error| error.to_string())?;
    let page = folder.path().join("report.html");
    let output =
        BacktestOutput { format: BacktestFormat::Json, max_per_day: None, report: Some(page.clone()), top: 10 };
    let command = format!("offlimits history report {}", plan.id);
    let selection = RuleSelection::default();
    let (rules, selection, command) = (&rules.rules, &selection, &command);
    let played = BacktestPlayed { rules, selection, delivery: false, command, bounds: MEMORY };
    let (mut summary, mut merged) = (Vec::new(), None);
    let kept = KeptRecords { results, plan: &plan };
    let done = output.run(&played, &mut summary, |visitor, take| {
        let counts = kept.each(visitor, take)?;
        let parts = counts.parts.clone().unwrap_or_default();
        let (missing, named, unreadable) = (parts.missing, parts.named, counts.unreadable);
        merged = Some(Merged { parts: parts.planned, missing, named, unreadable });
        Ok(counts)
    });
    done.map_err(|error| error.to_string())?;
    results.put_bytes(&result_key(&plan.id, "summary.json"), summary)?;
    let page = fs::read(&page).map_err(|error| format!("the report was not written: {error}"))?;
    results.put_bytes(&result_key(&plan.id, "report.html"), page)?;
    merged.ok_or_else(|| "nothing was merged".to_owned())
}
