//! `history plan` and `history search`: what would be read, and what it would cost.

use std::io::{self, Write};

use serde::Serialize;

use super::options::{PlanFormat, PlanOptions};
use super::pack::{PackBounds, pack};
use super::part::Part;
use super::place::Deployment;
use super::plan::{Plan, PlanFilter, PlanSize, VERSION};
use super::price::Price;
use super::results::{Results, parts_key, plan_key};
use super::rules_kept::RulesToKeep;
use super::survey::{Survey, SurveyBounds, survey};
use super::walk::walk;
use crate::cli::Exit;
use crate::cli::lines::write_line;
use crate::cli::out;
use crate::cli::stack_access::now;
use crate::cli::words::{counted, grouped};
use crate::ids::StableId;
use crate::scan::s3::{ObjectStore, address_parts};

/// Log files of a part: what a reader reads in some minutes, however small they are.
const OBJECTS: u64 = 100_000;

/// A plan as `--format json` prints it.
#[derive(Debug, Serialize)]
struct PlanLine<'p> {
    plan: &'p str,
    archive: String,
    rules: &'p str,
    parts: u64,
    objects: u64,
    bytes: u64,
    /// Whether objects and bytes have been counted.
    exact: bool,
    days: u64,
    listed_days: u64,
    /// Requests that it took to plan.
    lists: u64,
    price: Price,
    /// Whether it has been kept, for `start`.
    kept: bool,
}

/// Plans to read an archive by these rules, prints the plan, and keeps it where `start` finds it.
///
/// # Errors
/// Those of stdout.
pub(super) fn run(options: &PlanOptions, rules: RulesToKeep) -> io::Result<Exit> {
    match planned(options, rules) {
        Ok(Some(planned)) => planned.print(options.format).map(|()| Exit::Done),
        Ok(None) => {
            eprintln!("error: there is no log file in {}, as far as the options choose", options.archive);
            Ok(Exit::Unreadable)
        }
        Err(reason) => {
            eprintln!("error: {reason}");
            Ok(Exit::Unreadable)
        }
    }
}

struct Planned {
    plan: Plan,
    price: Price,
    lists: u64,
    kept: bool,
}

fn planned(options: &PlanOptions, rules: RulesToKeep) -> Result<Option<Planned>, String> {
    let (bucket, prefix) = address_parts(&options.archive)?;
    let deployment = if options.dry_run { None } else { Some(Deployment::open(&options.place.history_stack)?) };
    let filter = options.part.filter();
    let store = ObjectStore::open(bucket)?;
    let told = |fault: crate::scan::s3::S3Fault| format!("{}: {fault}", options.archive);
    let walked = walk(&store, prefix, &filter).map_err(told)?;
    let bytes = options.part_megabytes.saturating_mul(1_000_000);
    let bounds = SurveyBounds { bytes, objects: OBJECTS, days: options.list_days, today: now().date() };
    let walks = walked.requests;
    let Survey { blocks, days, listed_days, requests } = survey(&store, walked.places, bounds).map_err(told)?;
    let filter = PlanFilter::from(&filter);
    let filter_text = serde_json::to_string(&filter).map_err(|error| error.to_string())?;
    let parts = pack(bucket, &filter_text, blocks, PackBounds { bytes, objects: OBJECTS });
    if parts.is_empty() {
        return Ok(None);
    }
    let size = PlanSize {
        parts: parts.len() as u64,
        objects: parts.iter().map(|part| part.objects).sum(),
        bytes: parts.iter().map(|part| part.bytes).sum(),
        days,
        listed_days,
    };
    let mut plan = Plan {
        version: VERSION,
        id: String::new(),
        tool: env!("CARGO_PKG_VERSION").to_owned(),
        bucket: bucket.to_owned(),
        prefix: prefix.to_owned(),
        filter,
        rules: rules.kept.clone(),
        size,
    };
    plan.id = id(&plan, &parts)?;
    let readers = options.readers.or(deployment.as_ref().map(|it| it.readers)).unwrap_or(100);
    let is_encrypted = options.kms || deployment.as_ref().is_some_and(|it| it.is_encrypted);
    let price = Price::of(size, readers, is_encrypted);
    if let Some(deployment) = &deployment {
        keep(&Results::open(&deployment.results)?, &plan, &parts, rules)?;
    }
    Ok(Some(Planned { plan, price, lists: walks + requests, kept: deployment.is_some() }))
}

/// The id of a plan: a hash of what it asks.
fn id(plan: &Plan, parts: &[Part]) -> Result<String, String> {
    let text = serde_json::to_string(plan).map_err(|error| error.to_string())?;
    let mut hashed = vec![text.as_str()];
    hashed.extend(parts.iter().map(|part| part.id.as_str()));
    Ok(StableId::hash(&hashed).as_str()[..12].to_owned())
}

fn keep(results: &Results, plan: &Plan, parts: &[Part], rules: RulesToKeep) -> Result<(), String> {
    let mut lines = Vec::new();
    for part in parts {
        serde_json::to_writer(&mut lines, part).map_err(|error| error.to_string())?;
        lines.push(b'\n');
    }
    rules.keep(results)?;
    results.put_bytes(&parts_key(&plan.id), lines)?;
    // Last: whoever finds it finds all of it.
    results.put(&plan_key(&plan.id), plan)
}

impl Planned {
    fn print(&self, format: PlanFormat) -> io::Result<()> {
        let Self { plan, price, lists, kept } = self;
        let Plan { id, bucket, prefix, rules, size, .. } = plan;
        let mut out = out::stdout();
        if format == PlanFormat::Json {
            write_line(
                &mut out,
                &PlanLine {
                    plan: id,
                    archive: format!("s3://{bucket}/{prefix}"),
                    rules: &rules.id,
                    parts: size.parts,
                    objects: size.objects,
                    bytes: size.bytes,
                    exact: size.is_exact(),
                    days: size.days,
                    listed_days: size.listed_days,
                    lists: *lists,
                    price: *price,
                    kept: *kept,
                },
            )?;
            return out.flush();
        }
        let how = if size.is_exact() {
            "counted".to_owned()
        } else {
            format!("estimated from {} listed days of {}", grouped(size.listed_days), grouped(size.days))
        };
        writeln!(out, "plan {id}: s3://{bucket}/{prefix} by the rules {}", rules.id)?;
        let (parts, files) = (counted(size.parts, "part"), counted(size.objects, "log file"));
        writeln!(out, "  {files} of {}, {how}, in {parts}", bytes_words(size.bytes))?;
        price.print(&mut out)?;
        if *kept {
            writeln!(out, "to read it: offlimits history start {id} --max-usd {}", price.ceiling())?;
        } else {
            writeln!(out, "nothing has been kept, for --dry-run")?;
        }
        out.flush()
    }
}

impl Price {
    /// Prints it for people.
    pub(super) fn print(&self, out: &mut impl Write) -> io::Result<()> {
        let Self { dollars, s3_get, s3_list_and_put, lambda, step_functions, kms, minutes, readers } = self;
        writeln!(out, "  about {dollars:.2} dollars by list prices of us-east-1:")?;
        write!(out, "    S3 GET {s3_get:.2}, S3 LIST and PUT {s3_list_and_put:.2}, Lambda {lambda:.2}, ")?;
        write!(out, "Step Functions {step_functions:.2}")?;
        if *kms > 0.0 {
            write!(out, ", KMS {kms:.2}")?;
        }
        writeln!(out, "\n  about {} with {}", minutes_words(*minutes), counted(*readers, "reader"))
    }

    /// Whole dollars that are enough, were it half as much again.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "dollars of a plan are few")]
    pub(super) fn ceiling(&self) -> u64 {
        (self.dollars * 1.5).ceil().max(1.0) as u64
    }
}

/// `3.2 GB`
pub(super) fn bytes_words(bytes: u64) -> String {
    let steps = [(1_000_000_000_000_u64, "TB"), (1_000_000_000, "GB"), (1_000_000, "MB"), (1000, "kB")];
    match steps.iter().find(|(step, _)| bytes >= *step) {
        Some((step, unit)) => format!("{}.{} {unit}", bytes / step, bytes % step * 10 / step),
        None => format!("{bytes} bytes"),
    }
}

fn minutes_words(minutes: f64) -> String {
    if minutes < 1.0 { "a minute or less".to_owned() } else { format!("{minutes:.0} minutes") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_told_in_their_units() {
        let told = [0, 999, 1500, 2_000_000, 3_290_000_000, 10_000_000_000_000].map(bytes_words);
        assert_eq!(told, ["0 bytes", "999 bytes", "1.5 kB", "2.0 MB", "3.2 GB", "10.0 TB"]);
    }
}
