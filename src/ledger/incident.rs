//! What becomes of a finding on a channel that has incidents, decided once: pure functions of what is known and of what came, as
//! in [`policy`](super::policy), and for the same two who ask.
//!
//! The first finding of an incident opens it and goes out, and so does what is more severe than all that went out in it. Everything
//! else is held back for an update, which lists all of the incident so far. docs/design/ledger.md ("Incidents") has the reasons.

use std::time::Duration;

use super::policy::{self, CLOCK_SKEW, MAX_LEASE, SETTLING};
use crate::finding::Finding;
use crate::ids::StableId;
use crate::severity::Severity;
use crate::time::Timestamp;

/// When an incident is told of for the first times after its opener; then it is every hour.
const EARLY_UPDATES: [Duration; 3] = [Duration::from_mins(1), Duration::from_mins(5), Duration::from_mins(15)];
/// Between two updates, later.
const LATE_UPDATES: Duration = Duration::from_hours(1);
/// From an incident's end to its last update: what came just before the end has been written by then, as a rule. What has not
/// is in one more.
const AFTER_END: Duration = Duration::from_secs(15);
/// The severity from which on a rule × outcome that nobody has been told of is in an update within a minute.
const GRAVE: Severity = Severity::VeryHigh;
/// The rules × outcomes of such a severity that an incident remembers.
pub const MOST_GRAVE: usize = 64;

/// A rule with the outcome of a call, as 32 bits of a hash.
pub type RuleOutcome = u32;

/// What an incident looks at in a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IncidentFinding {
    /// Its severity.
    pub severity: Severity,
    /// Its rule, and whether the call succeeded.
    pub rule_outcome: RuleOutcome,
}

impl IncidentFinding {
    /// What an incident looks at in this finding.
    pub fn new(finding: &Finding) -> Self {
        let outcome = if finding.call.failed { "failure" } else { "success" };
        let hash = StableId::hash(&["rule-outcome", &finding.rule.id, outcome]);
        let rule_outcome = u32::from_str_radix(&hash.as_str()[..8], 16).unwrap_or_default();
        Self { severity: finding.severity, rule_outcome }
    }

    /// The rule × outcome, if people are to be told of it within a minute.
    pub fn grave(self) -> Option<RuleOutcome> {
        (self.severity >= GRAVE).then_some(self.rule_outcome)
    }
}

/// What is known of an incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IncidentWindow {
    /// When its first finding came.
    pub opened: Timestamp,
    /// When it ends: a finding that comes at that very moment is outside.
    pub ends: Timestamp,
    /// The highest severity that has gone out in it as a finding's own message.
    pub highest: Severity,
    /// The time of the last regular update that is ordered; that of the opener if none is.
    pub ordered: Timestamp,
    /// The rules × outcomes of very-high and extreme findings that were told, or are in an update that is ordered.
    pub grave: Vec<RuleOutcome>,
}

/// The orders of updates that a finding needs before it can be held back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UpdateOrders {
    /// When they are due, in order.
    pub due: Vec<Timestamp>,
    /// The time of the last regular one among them, if there is one.
    pub ordered: Option<Timestamp>,
    /// The rules × outcomes for which one of them is.
    pub grave: Vec<RuleOutcome>,
}

impl UpdateOrders {
    /// Whether nothing has to be ordered.
    pub const fn is_empty(&self) -> bool {
        self.due.is_empty()
    }
}

impl IncidentWindow {
    /// The incident that a finding opens.
    pub fn opened_by(finding: IncidentFinding, length: Duration, now: Timestamp) -> Self {
        let grave = finding.grave().into_iter().collect();
        Self { opened: now, ends: now.plus(length), highest: finding.severity, ordered: now, grave }
    }

    /// Whether what comes `now` belongs to it, where an incident that opens now would be of this length. As with a throttle's
    /// window, one that ends later than any could is not open.
    pub fn is_open(&self, length: Duration, now: Timestamp) -> bool {
        now < self.ends && self.ends <= now.plus(length + CLOCK_SKEW)
    }

    /// Notes what is told of a finding that goes out in it, or is told with one.
    pub fn note_told(&mut self, finding: IncidentFinding) {
        self.highest = self.highest.max(finding.severity);
        self.note_grave(finding.grave());
    }

    /// Notes that updates have been ordered.
    pub fn note_ordered(&mut self, orders: &UpdateOrders) {
        self.ordered = orders.ordered.map_or(self.ordered, |ordered| ordered.max(self.ordered));
        self.note_grave(orders.grave.iter().copied());
    }

    fn note_grave(&mut self, rule_outcomes: impl IntoIterator<Item = RuleOutcome>) {
        for rule_outcome in rule_outcomes {
            if self.grave.len() < MOST_GRAVE && !self.grave.contains(&rule_outcome) {
                self.grave.push(rule_outcome);
            }
        }
    }

    /// The updates that have still to be ordered before these findings are held back `now`: the next regular one, and the first that
    /// is due when whoever decides now has written; and one within a minute, for what is very-high or extreme and that nobody
    /// has been told of.
    pub fn orders(&self, findings: impl IntoIterator<Item = IncidentFinding>, now: Timestamp) -> UpdateOrders {
        let settled = now.plus(MAX_LEASE);
        let mut orders = UpdateOrders::default();
        for due in self.regular_updates().filter(|due| *due > now) {
            if due > self.ordered {
                orders.due.push(due);
                orders.ordered = Some(due);
            }
            if due >= settled {
                break;
            }
        }
        for rule_outcome in findings.into_iter().filter_map(IncidentFinding::grave) {
            let is_known = self.grave.contains(&rule_outcome) || orders.grave.contains(&rule_outcome);
            if !is_known && self.grave.len() + orders.grave.len() < MOST_GRAVE {
                orders.grave.push(rule_outcome);
            }
        }
        if !orders.grave.is_empty() && !orders.due.contains(&settled) {
            orders.due.push(settled);
            orders.due.sort_unstable();
        }
        orders
    }

    /// When the regular updates are due, in order; after the end there are two, the second for what was written late.
    fn regular_updates(&self) -> impl Iterator<Item = Timestamp> {
        let (opened, ends) = (self.opened, self.ends);
        let late = (1..).map(move |hour| opened.plus(LATE_UPDATES * hour));
        let within = EARLY_UPDATES.into_iter().map(move |after| opened.plus(after)).chain(late);
        within.take_while(move |due| *due < ends).chain([ends.plus(AFTER_END), ends.plus(SETTLING)])
    }
}

/// Something that holds what is known of an incident: the ledger's item of a group, or what `backtest` remembers of one.
pub trait HasIncident {
    /// The incident, if it is one.
    fn incident(&self) -> Option<IncidentWindow>;
}

/// What an incident makes of a finding. `W` is what was known of the group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IncidentVerdict<W> {
    /// It goes out, and opens this incident.
    Opens(IncidentWindow),
    /// It is more severe than all that went out before it: it goes out, and the incident is this from now on.
    Rises(W, IncidentWindow),
    /// It is held back for an update.
    HeldBack(W),
}

/// What becomes of a finding that comes `now`, where `known` is the last incident of its group, if there was one, and a new one
/// would be of this length.
pub fn judge<W: HasIncident>(
    known: Option<W>,
    length: Duration,
    finding: IncidentFinding,
    now: Timestamp,
) -> IncidentVerdict<W> {
    let known = known.and_then(|known| known.incident().map(|incident| (known, incident)));
    match known.filter(|(_, incident)| incident.is_open(length, now)) {
        None => IncidentVerdict::Opens(IncidentWindow::opened_by(finding, length, now)),
        Some((known, mut incident)) if finding.severity > incident.highest => {
            incident.note_told(finding);
            IncidentVerdict::Rises(known, incident)
        }
        Some((known, _)) => IncidentVerdict::HeldBack(known),
    }
}

/// Whether an update has something to say, where so many findings are held back, of which so many are in an update already.
pub const fn has_news(held_back: u64, in_updates: u64) -> bool {
    held_back > in_updates
}

/// The severity to which an incident has risen, by those of its opener and of the highest that went out since.
pub fn raised(opener: Severity, highest: Severity) -> Option<Severity> {
    (highest > opener).then_some(highest)
}

// An update that is ordered by now finds what is decided by now, and people have it within a minute.
const _: () = assert!(MAX_LEASE.as_secs() <= 60 && policy::SETTLING.as_secs() > MAX_LEASE.as_secs());

#[cfg(test)]
mod tests {
    use super::*;

    impl HasIncident for IncidentWindow {
        fn incident(&self) -> Option<IncidentWindow> {
            Some(self.clone())
        }
    }

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    fn finding(severity: Severity, rule_outcome: RuleOutcome) -> IncidentFinding {
        IncidentFinding { severity, rule_outcome }
    }

    fn due(incident: &IncidentWindow, severity: Severity, rule_outcome: u32, seconds: u64) -> Vec<u64> {
        let orders = incident.orders([finding(severity, rule_outcome)], at(seconds));
        orders.due.iter().map(|due| due.seconds()).collect()
    }

    #[test]
    fn what_is_worse_goes_out_and_all_else_waits() {
        use IncidentVerdict::{HeldBack, Opens, Rises};
        let hour = Duration::from_hours(1);
        let opened = IncidentWindow::opened_by(finding(Severity::Medium, 1), hour, at(0));
        let decide = |known: &IncidentWindow, severity, seconds| {
            judge(Some(known.clone()), hour, finding(severity, 2), at(seconds))
        };
        assert_eq!(judge::<IncidentWindow>(None, hour, finding(Severity::Medium, 1), at(0)), Opens(opened.clone()));
        assert_eq!(decide(&opened, Severity::Medium, 3599), HeldBack(opened.clone()));
        let raised = IncidentWindow { highest: Severity::Extreme, grave: vec![2], ..opened.clone() };
        assert_eq!(decide(&opened, Severity::Extreme, 3599), Rises(opened.clone(), raised.clone()));
        assert_eq!(decide(&raised, Severity::Extreme, 10), HeldBack(raised));
        assert!(matches!(decide(&opened, Severity::Low, 3600), Opens(_)));
        // One whose window was shortened, or whose end somebody else wrote.
        let long = IncidentWindow { ends: at(3661), ..opened };
        assert!(matches!(decide(&long, Severity::Low, 0), Opens(_)));
    }

    #[test]
    fn updates_are_ordered_for_people_and_for_certainty() {
        let mut incident = IncidentWindow::opened_by(finding(Severity::Low, 1), Duration::from_hours(3), at(0));
        assert_eq!(due(&incident, Severity::Low, 1, 1), [60]);
        assert_eq!(due(&incident, Severity::Low, 1, 2), [60, 300], "who writes after a minute is in the next");
        incident.note_ordered(&incident.orders([finding(Severity::Low, 1)], at(2)));
        assert_eq!(due(&incident, Severity::Low, 1, 70), [0; 0]);
        assert_eq!(due(&incident, Severity::Low, 1, 300), [900]);
        assert_eq!(due(&incident, Severity::Low, 1, 1000), [3600]);
        assert_eq!(due(&incident, Severity::Low, 1, 3600), [7200]);
        assert_eq!(due(&incident, Severity::Low, 1, 7200), [10_815]);
        assert_eq!(due(&incident, Severity::Low, 1, 10_799), [10_815, 10_860]);
    }

    #[test]
    fn what_is_grave_and_new_is_told_within_a_minute_once() {
        let mut incident = IncidentWindow::opened_by(finding(Severity::Extreme, 1), Duration::from_hours(1), at(0));
        assert_eq!(due(&incident, Severity::Extreme, 1, 100), [300], "it was the opener's");
        assert_eq!(due(&incident, Severity::VeryHigh, 2, 100), [159, 300]);
        assert_eq!(due(&incident, Severity::High, 2, 100), [300]);
        let orders = incident.orders([2, 3, 2].map(|rule| finding(Severity::VeryHigh, rule)), at(100));
        assert_eq!((orders.grave.as_slice(), orders.due.len(), orders.ordered), (&[2, 3][..], 2, Some(at(300))));
        incident.note_ordered(&orders);
        assert_eq!(due(&incident, Severity::VeryHigh, 3, 101), [0; 0]);
        incident.grave = (0..64).collect();
        assert_eq!(due(&incident, Severity::VeryHigh, 99, 101), [0; 0], "one too many waits for the regular update");
    }
}
