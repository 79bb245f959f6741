//! The incidents of a channel, played back.

use std::cmp::Reverse;
use std::time::Duration;

use super::queue::{PlayedUpdate, QueuedSum};
use super::{ChannelPlayback, JudgedEvent, Throttled};
use crate::cli::backtest::playback::arrival::AlertEvent;
use crate::cli::backtest::playback::step::{PlayedOutcome, PlayedStep};
use crate::ledger::incident::{self, HasIncident, IncidentFinding, IncidentVerdict, IncidentWindow};
use crate::ledger::policy::{self, Going, GuardVerdict};
use crate::severity::Severity;
use crate::time::Timestamp;

/// An incident on one channel.
#[derive(Debug, Clone)]
pub(super) struct PlayedIncident {
    incident: IncidentWindow,
    opener: u64,
    rule: u32,
    severity: Severity,
}

impl HasIncident for PlayedIncident {
    fn incident(&self) -> Option<IncidentWindow> {
        Some(self.incident.clone())
    }
}

/// What an incident's updates count.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct CountedFindings {
    /// When its last update is due.
    until: Timestamp,
    all: u64,
    held_back: u64,
    /// How many of those held back are in an update.
    in_updates: u64,
}

/// What an incident looks at in a finding.
const fn of_incident(event: &AlertEvent) -> IncidentFinding {
    IncidentFinding { severity: event.repeat.severity, rule_outcome: event.rule_outcome }
}

impl ChannelPlayback {
    /// Asks the throttles about the findings of a record, or the incidents, where the channel has any.
    pub(super) fn judge_all<'e>(&mut self, call: &[Throttled<'e>]) -> Vec<JudgedEvent<'e>> {
        let Some((place, length)) = self.incident else {
            return call.iter().map(|(event, window)| self.judge(event, *window)).collect();
        };
        // The worst opens the incident.
        let mut order: Vec<usize> = (0..call.len()).collect();
        order.sort_by_key(|place| Reverse(call[*place].0.repeat.severity));
        let mut judged: Vec<(usize, JudgedEvent<'e>)> = order
            .into_iter()
            .map(|number| {
                let event = call[number].0;
                let group = event.incidents.get(place).copied().unwrap_or_default();
                (number, self.judge_incident(event, group, length))
            })
            .collect();
        judged.sort_by_key(|(number, _)| *number);
        judged.into_iter().map(|(_, judged)| judged).collect()
    }

    fn judge_incident<'e>(&mut self, event: &'e AlertEvent, group: u64, length: Duration) -> JudgedEvent<'e> {
        let known = self.incidents.get(&group).cloned();
        let (going, known) = match incident::judge(known, length, of_incident(event), event.time) {
            IncidentVerdict::Opens(incident) => {
                let (opener, rule, severity) = (event.order, event.rule, event.repeat.severity);
                (Going::AsFirst, PlayedIncident { incident, opener, rule, severity })
            }
            IncidentVerdict::Rises(known, incident) => (Going::AsRepeat, PlayedIncident { incident, ..known }),
            IncidentVerdict::HeldBack(known) => (Going::HeldBack, known),
        };
        let (opener, now) = (known.opener, event.time);
        if going == Going::AsFirst {
            // Its last update comes a roll-up's wait after its end.
            let until = policy::roll_up_due(known.incident.ends);
            let counted = CountedFindings { until, ..CountedFindings::default() };
            self.counted_findings.insert(opener, counted, |counted| now <= counted.until);
        }
        self.incidents.insert(group, known, |known| now < known.incident.ends);
        JudgedEvent { event, going, known: None, incident: Some((group, opener)) }
    }

    /// Notes in its incident that a finding is told.
    pub(super) fn note_told(&mut self, judged: &JudgedEvent<'_>) {
        if let Some(known) = judged.incident.and_then(|(group, _)| self.incidents.get_mut(&group)) {
            known.incident.note_told(of_incident(judged.event));
        }
        self.count_finding(judged, false);
    }

    pub(super) fn count_finding(&mut self, judged: &JudgedEvent<'_>, is_held_back: bool) {
        let Some((_, opener)) = judged.incident else { return };
        if let Some(counted) = self.counted_findings.get_mut(&opener) {
            counted.all += 1;
            counted.held_back += u64::from(is_held_back);
        }
    }

    /// Orders the updates that the findings of a record need, all of which are held back.
    pub(super) fn order_updates(&mut self, judged: &[JudgedEvent<'_>], now: Timestamp) {
        let findings = judged.iter().map(|judged| of_incident(judged.event));
        let Some((group, _)) = judged.first().and_then(|judged| judged.incident) else { return };
        let Some(known) = self.incidents.get_mut(&group) else { return };
        let orders = known.incident.orders(findings, now);
        known.incident.note_ordered(&orders);
        let PlayedIncident { opener, rule, severity, .. } = *known;
        for due in orders.due {
            // An update of one step is told once.
            let is_same = |sum: &QueuedSum| matches!(sum, QueuedSum::Update(update) if update.opener == opener);
            if self.queue.range((due, 0)..=(due, u64::MAX)).any(|(_, sum)| is_same(sum)) {
                continue;
            }
            self.enqueue(due, QueuedSum::Update(PlayedUpdate { opener, rule, severity }));
        }
    }

    /// Tells an update that is due, if it has anything new to say.
    pub(super) fn tell_update(&mut self, update: PlayedUpdate, time: Timestamp, tell: &mut impl FnMut(PlayedStep)) {
        let PlayedUpdate { opener, rule, severity } = update;
        let mut none = CountedFindings::default();
        let counted = self.counted_findings.get_mut(&opener).unwrap_or(&mut none);
        let (channel, rule, of) = (Some(self.place), Some(rule as usize), Some(opener));
        let mut step =
            |outcome| tell(PlayedStep { channel, rule, time, finding: None, opener: of, thread: of, outcome });
        if !incident::has_news(counted.held_back, counted.in_updates) {
            return step(PlayedOutcome::UpdateMerged);
        }
        let (all, news) = (counted.all, counted.held_back - counted.in_updates);
        counted.in_updates = counted.held_back;
        let sent = *self.counted(severity, time);
        let outcome = match policy::storm_guard(sent, self.max_per_minute) {
            GuardVerdict::Sends => {
                *self.counted(severity, time) += 1;
                PlayedOutcome::Update(all, news)
            }
            GuardVerdict::Digests => {
                self.digest(time, news);
                PlayedOutcome::UpdateDigested(news)
            }
        };
        step(outcome);
    }
}
