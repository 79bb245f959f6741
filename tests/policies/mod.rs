//! What policies mean, by an evaluator of their own: `evaluator` decides a request as AWS documents it, over a small world of callers,
//! actions and things (`world`), and shares nothing with what it judges. `spelling` writes one policy in ever other ways.
//!
//! `OFFLIMITS_ROUNDS=1000000 cargo test --release --all-features --test integration policies::` asks for more rounds, and
//! `OFFLIMITS_SEED=7` for others.

mod administration;
mod admission;
mod evaluator;
mod exposure;
mod hostile;
mod providers;
mod publication;
mod sharing;
mod spelling;
mod world;

use offlimits::cloudtrail::Record;
use offlimits::facts::derived;
use serde_json::{Value, json};

/// Rounds of each test; `OFFLIMITS_ROUNDS` asks for more.
const ROUNDS: u64 = 3_000;

/// Says how often a field was asked; fails with the first few of the complaints, each of which is a disagreement with the judge.
fn agree(fields: &str, asked: usize, complaints: &[String]) {
    eprintln!("{fields}: {asked} rounds, {} disagreements", complaints.len());
    assert!(
        complaints.is_empty(),
        "{} disagreements, the first ones:\n{}",
        complaints.len(),
        complaints[..complaints.len().min(12)].join("\n")
    );
}

/// The texts that a field gives for a call.
fn values(field: &str, source: &str, event: &str, request: &Value, response: &Value) -> Vec<String> {
    let record = json!({
        "eventSource": source,
        "eventName": event,
        "awsRegion": "eu-west-1",
        "recipientAccountId": world::OWN,
        "requestParameters": request,
        "responseElements": response,
    })
    .to_string();
    let record = Record::parse(&record).unwrap();
    derived(field).unwrap().of(&record).iter().map(|value| value.text.clone()).collect()
}
