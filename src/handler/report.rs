//! The report of one invocation: every finding and every delivery, and what became of it. Its JSON is the function's answer, and
//! its counts are the metrics: neither changes its names.

use std::ops::AddAssign;

use serde::Serialize;

/// The report of one invocation. Both of its sums hold exactly (`SumsHold`): [`InvocationReport::adds_up`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct InvocationReport {
    /// Records that were read.
    pub records: usize,
    /// Parts of the payload that are not CloudTrail's.
    pub ignored: usize,
    /// Parts of the payload that should have been records, or deliveries of our own, and cannot be read.
    pub unreadable: usize,
    /// The findings, and what became of them.
    pub findings: Findings,
    /// The deliveries, and what became of them.
    pub deliveries: Deliveries,
    /// Alerts about offlimits itself that went out.
    pub operational: usize,
    /// Questions that the ledger did not answer: what they were about went out all the same, perhaps twice.
    pub ledger_faults: usize,
    /// What the mover found in the spokes' queues. A deployment that is no hub does not name it.
    #[serde(skip_serializing_if = "SpokeLetters::is_empty")]
    pub spokes: SpokeLetters,
    /// Probes among the records: no rule is asked about them. Where there are none, they are not named.
    #[serde(skip_serializing_if = "is_zero")]
    pub probes: usize,
    /// What a sweep found, if this was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sweep: Option<SweepCounts>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
const fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// What a sweep found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct SweepCounts {
    /// Accounts × regions that should be heard.
    pub sources: usize,
    /// Those of them that are not.
    pub silent: usize,
    /// All that is wrong: these, those whose patterns are others than ours, and what differs in our own EventBridge rules.
    pub faults: usize,
    /// The longest that the last probe of any of them took, in milliseconds; none if none came lately.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<u64>,
}

/// What the mover found in the queues of a hub's spokes. None of it is a delivery: what was moved is counted there when it comes
/// from the redelivery queue.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct SpokeLetters {
    /// Letters that are in the redelivery queue now.
    pub moved: usize,
    /// Letters that are no event of the queue's account, and stay where they are.
    pub refused: usize,
    /// Queues that did not answer, or could not be emptied.
    pub unreached: usize,
}

impl SpokeLetters {
    /// Whether there was nothing to tell.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl AddAssign<&Self> for SpokeLetters {
    fn add_assign(&mut self, other: &Self) {
        self.moved += other.moved;
        self.refused += other.refused;
        self.unreached += other.unreached;
    }
}

/// The findings, and what became of them: total = staged + unrouted + below threshold + own + routed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Findings {
    /// All of them: one for each rule that a record matched.
    pub total: usize,
    /// The findings of rules that are staged.
    pub staged: usize,
    /// The findings that no channel accepts.
    pub unrouted: usize,
    /// The findings of rules whose threshold has not been reached.
    pub below_threshold: usize,
    /// The findings of calls that the function makes itself: `self` in JSON.
    #[serde(rename = "self")]
    pub own: usize,
    /// The findings that went to one channel or more.
    pub routed: usize,
}

/// The deliveries. What there was to deliver is equal to what became of it:
/// routed + redelivered + roll-ups = delivered + throttled + silenced + merged + digested + duplicate + queued + dead + failed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Deliveries {
    /// Routed findings × their channels.
    pub routed: usize,
    /// Deliveries that came back from the redelivery queue.
    pub redelivered: usize,
    /// Roll-ups and digests that came due.
    pub roll_ups: usize,
    /// Those that arrived.
    pub delivered: usize,
    /// Repeats that were held back, for the roll-up.
    pub throttled: usize,
    /// What a silence held back, for its roll-up.
    pub silenced: usize,
    /// What was told in the message of another finding of its record, or of another roll-up, or is to be told so.
    pub merged: usize,
    /// Alerts that were too many in their minute, and were held back for the digest.
    pub digested: usize,
    /// Those that were done with before.
    pub duplicate: usize,
    /// Those that wait in the redelivery queue.
    pub queued: usize,
    /// Those that were given up, and lie in the dead-letter queue.
    pub dead: usize,
    /// Those that did not arrive, and could not be handed to a queue: the invocation fails.
    pub failed: usize,
    /// For each message about a finding that arrived on a channel, the milliseconds since its call was made. It is a metric, and no part of the
    /// answer. A sum has none, since it tells of many calls.
    #[serde(skip)]
    pub latencies: Vec<u64>,
}

impl Deliveries {
    /// The number of deliveries that there were to make.
    pub fn total(&self) -> usize {
        self.routed + self.redelivered + self.roll_ups
    }
}

impl InvocationReport {
    /// Whether nothing is missing from the report, and nothing is in it twice: `SumsHold`.
    pub fn adds_up(&self) -> bool {
        let Self { findings: f, deliveries: d, .. } = self;
        f.total == f.staged + f.unrouted + f.below_threshold + f.own + f.routed
            && d.total()
                == d.delivered
                    + d.throttled
                    + d.silenced
                    + d.merged
                    + d.digested
                    + d.duplicate
                    + d.queued
                    + d.dead
                    + d.failed
    }

    /// Whether records were read, and nothing else happened: none matched.
    pub fn is_quiet(&self) -> bool {
        let records = self.records;
        records > 0 && *self == Self { records, ..Self::default() }
    }

    /// Every count of the report, by the name of its metric.
    pub fn counts(&self) -> [(&'static str, usize); 27] {
        let Self { records, ignored, unreadable, findings: f, deliveries: d, operational, ledger_faults, .. } = self;
        let Self { spokes, probes, .. } = self;
        [
            ("Records", *records),
            ("Ignored", *ignored),
            ("Unreadable", *unreadable),
            ("Findings", f.total),
            ("Staged", f.staged),
            ("Unrouted", f.unrouted),
            ("BelowThreshold", f.below_threshold),
            ("Self", f.own),
            ("Routed", f.routed),
            ("RoutedDeliveries", d.routed),
            ("Redelivered", d.redelivered),
            ("RollUps", d.roll_ups),
            ("Delivered", d.delivered),
            ("Throttled", d.throttled),
            ("Digested", d.digested),
            ("Duplicate", d.duplicate),
            ("Queued", d.queued),
            ("Dead", d.dead),
            ("Failed", d.failed),
            ("Operational", *operational),
            ("LedgerFaults", *ledger_faults),
            ("SpokeLettersMoved", spokes.moved),
            ("SpokeLettersRefused", spokes.refused),
            ("SpokeQueuesUnreached", spokes.unreached),
            ("Merged", d.merged),
            ("Silenced", d.silenced),
            ("Probes", *probes),
        ]
    }
}

impl AddAssign<&Deliveries> for Deliveries {
    fn add_assign(&mut self, other: &Self) {
        self.routed += other.routed;
        self.redelivered += other.redelivered;
        self.roll_ups += other.roll_ups;
        self.delivered += other.delivered;
        self.throttled += other.throttled;
        self.silenced += other.silenced;
        self.merged += other.merged;
        self.digested += other.digested;
        self.duplicate += other.duplicate;
        self.queued += other.queued;
        self.dead += other.dead;
        self.failed += other.failed;
        self.latencies.extend(&other.latencies);
    }
}

impl AddAssign<&InvocationReport> for InvocationReport {
    fn add_assign(&mut self, other: &Self) {
        self.records += other.records;
        self.ignored += other.ignored;
        self.unreadable += other.unreadable;
        self.findings.total += other.findings.total;
        self.findings.staged += other.findings.staged;
        self.findings.unrouted += other.findings.unrouted;
        self.findings.below_threshold += other.findings.below_threshold;
        self.findings.own += other.findings.own;
        self.findings.routed += other.findings.routed;
        self.deliveries += &other.deliveries;
        self.operational += other.operational;
        self.ledger_faults += other.ledger_faults;
        self.spokes += &other.spokes;
        self.probes += other.probes;
        self.sweep = self.sweep.or(other.sweep);
    }
}
