//! Everything of the crate that these tests use, by the names that they use. When the code's own names move, this file
//! follows, and no other.

use serde_json::Value;

pub(crate) use offlimits::channel::{Reply, Request};
pub(crate) use offlimits::deliver::{Tokens, Transport};
pub(crate) use offlimits::handler::{App, Handled, InvocationReport as Summary, OwnCalls, Response};
pub(crate) use offlimits::health::ChannelHealth;
pub(crate) use offlimits::ledger::{
    Attributes, COUNT, Expect, ItemKey as Key, Ledger, Put, Store, StoreError as Fault, StoredItem as Item, Written,
};
pub(crate) use offlimits::redelivery::{QueueError, Queues};
pub(crate) use offlimits::ruleset::RuleSet;
pub(crate) use offlimits::secret::{Credentials, CredentialsError};
pub(crate) use offlimits::time::Timestamp;

use offlimits::alert::{Alert, AlertDigest, AlertKind, RollUp, Together};
use offlimits::cloudtrail::{RawRecord, Record};
use offlimits::finding::Finding;
use offlimits::handler::{Deliveries, Findings, SpokeLetters, emf, handle};
use offlimits::ids::{AlertId, FindingId, StableId};
use offlimits::rules::LINTS;
use offlimits::ruleset::Sources;
use offlimits::time::Date;
use tokio::time::Instant;

/// The real handler.
pub(crate) async fn handled<T: Transport, S: Store, Q: Queues>(
    payload: &str,
    deadline: Instant,
    app: &App<T, S, Q>,
) -> Handled {
    handle(payload, deadline, app).await
}

pub(crate) fn compiled(rules: &str) -> RuleSet {
    RuleSet::compile(rules).unwrap().rules
}

pub(crate) fn findings(rules: &RuleSet, record: &str) -> Vec<Finding> {
    rules.evaluate(&RawRecord { json: record.to_owned(), index: 0, message_id: None, account: None }).unwrap()
}

pub(crate) fn finding_id(parts: &[&str]) -> String {
    StableId::hash(parts).as_str().to_owned()
}

pub(crate) fn alert_id(rule: &str, group: &str, opener: &[&str]) -> String {
    AlertId::new(rule, group, &FindingId::from(StableId::hash(opener))).as_str().to_owned()
}

/// The group of a rule's throttle that a record belongs to, that of its threshold, and the values that are counted.
pub(crate) fn groups(
    rules: &RuleSet,
    rule: &str,
    record: &str,
) -> (Option<String>, Option<String>, Option<Vec<String>>) {
    let rule = rules.rules().iter().find(|known| known.info.id == rule).unwrap();
    let record = Record::parse(record).unwrap();
    (
        rule.throttle.as_ref().map(|throttle| throttle.group(&rule.info.id, &record)),
        rule.threshold.as_ref().map(|threshold| threshold.group(&rule.info.id, &record)),
        rule.threshold.as_ref().and_then(|threshold| threshold.values(&record)),
    )
}

/// Calls `with` for an alert of every kind about the first finding of a record, with what it is called.
pub(crate) fn each_kind(rules: &RuleSet, record: &str, mut with: impl FnMut(&str, &Alert<'_>)) {
    let finding = findings(rules, record).remove(0);
    let (mut roll_up, mut digest) = (RollUp::default(), AlertDigest::default());
    for number in 0..25 {
        let mut finding = finding.clone();
        finding.call.actor = Some(format!("actor-{number}"));
        roll_up.add(&finding);
        digest.add(&finding);
    }
    let id = AlertId::new(&finding.rule.id, "soc", &finding.id);
    let kinds = [
        ("first", AlertKind::First),
        ("repeat", AlertKind::Repeat),
        ("roll-up", AlertKind::RollUp(&roll_up)),
        ("digest", AlertKind::Digest(&digest)),
        ("operational", AlertKind::Operational("a channel is in trouble")),
        ("test", AlertKind::Test),
    ];
    for (name, kind) in kinds {
        with(
            name,
            &Alert {
                finding: &finding,
                id: &id,
                kind,
                receipt: Some("1503435956.000247"),
                together: Together::default(),
            },
        );
    }
}

/// What makes one message recognisable to a vendor.
pub(crate) fn key(alert: &Alert<'_>) -> String {
    alert.key().as_str().to_owned()
}

/// What a channel makes of an alert, as it would travel in a queue.
pub(crate) fn rendered(rules: &RuleSet, channel: &str, alert: &Alert<'_>) -> Value {
    let channel = rules.channels().iter().find(|known| known.name == channel).unwrap();
    serde_json::to_value(channel.channel.render(alert)).unwrap()
}

/// An account in which every count is another.
pub(crate) fn account() -> Summary {
    let findings = Findings { total: 4, staged: 5, unrouted: 6, below_threshold: 7, own: 8, routed: 9 };
    let deliveries = Deliveries {
        routed: 10,
        redelivered: 11,
        roll_ups: 12,
        delivered: 13,
        throttled: 14,
        silenced: 29,
        merged: 28,
        digested: 15,
        duplicate: 16,
        queued: 17,
        dead: 18,
        failed: 19,
        latencies: vec![23, 24],
    };
    let spokes = SpokeLetters { moved: 25, refused: 26, unreached: 27 };
    Summary {
        records: 1,
        ignored: 2,
        unreadable: 3,
        findings,
        deliveries,
        operational: 20,
        ledger_faults: 21,
        spokes,
        probes: 29,
        // Its metrics are in a sweep's line alone.
        sweep: None,
    }
}

/// The line of metrics of an account.
pub(crate) fn metrics(account: &Summary) -> String {
    emf::lines(
        account,
        emf::MetricSource { function: "the-function", log_level: "INFO" },
        Timestamp::from_millis(1_768_044_764_000),
    )
    .remove(0)
}

/// The codes of what is wrong with rules: what keeps them from running, or else the compiler's warnings and the lints'.
pub(crate) fn codes(rules: &str) -> Vec<&'static str> {
    let sources = Sources::alone(rules);
    match RuleSet::compile_sources(&sources) {
        Err(diagnostics) => diagnostics.iter().map(|diagnostic| diagnostic.code).collect(),
        Ok(compiled) => {
            let lints = offlimits::lint::run(&compiled.rules, &sources, Date::parse("2026-11-25").unwrap());
            compiled.warnings.iter().chain(&lints).map(|diagnostic| diagnostic.code).collect()
        }
    }
}

pub(crate) fn lints() -> &'static [&'static str] {
    &LINTS
}

/// The schema that editors are given.
pub(crate) fn schema() -> String {
    offlimits::schema::text()
}

#[cfg(feature = "lambda")]
pub(crate) use aws::{settings, table};

#[cfg(feature = "lambda")]
mod aws {
    use offlimits::aws::{DynamoStore, FunctionSettings};

    use super::Store;

    /// The settings that a process with these variables has.
    pub(crate) fn settings(variables: &[(&str, &str)]) -> FunctionSettings {
        FunctionSettings::new(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
    }

    /// The store in this table.
    pub(crate) fn table(name: &str, settings: FunctionSettings) -> impl Store {
        DynamoStore::new(name, offlimits::aws::AwsApi::new(settings))
    }
}
