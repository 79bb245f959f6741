//! One channel, played back: which findings go out on it, and which are held back.

mod incidents;
mod queue;
mod sums;

use std::collections::BTreeMap;
use std::num::NonZeroU64;
use std::time::Duration;

use self::incidents::{CountedFindings, PlayedIncident};
use self::queue::{PlayedRollUp, QueueKey, QueuedSum};
use self::sums::PlayedMinute;
use super::arrival::AlertEvent;
use super::remembered::Remembered;
use super::step::{PlayedOutcome, PlayedStep};
use crate::channel::ConfiguredChannel;
use crate::ledger::policy::{self, Going, HasWindow, ThrottleVerdict, ThrottleWindow};

use crate::severity::Severity;
use crate::time::Timestamp;

/// A finding, with how long its rule holds repeats back, if it does.
pub(super) type Throttled<'e> = (&'e AlertEvent, Option<Duration>);

/// What the throttle makes of a finding.
#[derive(Debug, Clone, Copy)]
struct JudgedEvent<'e> {
    event: &'e AlertEvent,
    going: Going,
    /// Its group with the window as it is then, if its rule has a throttle.
    known: Option<(u64, PlayedWindow)>,
    /// Its incident, if its channel has any, and the finding that opened that.
    incident: Option<(u64, u64)>,
}

impl JudgedEvent<'_> {
    /// The finding that opened its alert, and the one in whose alert people read of it.
    fn alert(&self) -> (u64, u64) {
        let opener = self.incident.map_or(self.event.order, |(_, opener)| opener);
        self.known.map_or((opener, opener), |(_, known)| (known.opener, known.thread))
    }
}

/// What is known of a group on one channel.
#[derive(Debug, Clone, Copy)]
struct PlayedWindow {
    window: ThrottleWindow,
    opener: u64,
    /// The finding in whose alert people read of it.
    thread: u64,
    /// The opener's severity, which is the roll-up's.
    severity: Severity,
    /// The roll-up that waits, once something has been held back.
    roll_up: Option<QueueKey>,
}

impl HasWindow for PlayedWindow {
    fn window(&self) -> ThrottleWindow {
        self.window
    }
}

/// One channel.
#[derive(Debug)]
pub(super) struct ChannelPlayback {
    place: usize,
    max_per_minute: u64,
    /// Whether the roll-ups of one minute are one message.
    tells_together: bool,
    windows: Remembered<u64, PlayedWindow>,
    /// The place of its incidents among those of all channels, and their length, if it has incidents.
    incident: Option<(usize, Duration)>,
    incidents: Remembered<u64, PlayedIncident>,
    /// By the finding that opened an incident.
    counted_findings: Remembered<u64, CountedFindings>,
    /// The severity of the last finding that went this way of each call that several accounts record, and until when that is known.
    shared: Remembered<NonZeroU64, (Severity, Timestamp)>,
    minute: PlayedMinute,
    queue: BTreeMap<QueueKey, QueuedSum>,
    /// Messages that were put into the queue.
    queued: u64,
}

impl ChannelPlayback {
    /// The channel in this place of the file. `incidents`: the place among the channels that have incidents, if it has any.
    pub(super) fn new(place: usize, channel: &ConfiguredChannel, incidents: usize, forgets_from: usize) -> Self {
        let length = channel.incidents.as_ref().map(|incidents| Duration::from_secs(incidents.window));
        Self {
            place,
            max_per_minute: channel.max_per_minute,
            tells_together: channel.channel.tells_roll_ups_together(),
            windows: Remembered::new(forgets_from),
            incident: length.map(|length| (incidents, length)),
            incidents: Remembered::new(forgets_from),
            counted_findings: Remembered::new(forgets_from),
            shared: Remembered::new(forgets_from),
            minute: PlayedMinute::default(),
            queue: BTreeMap::new(),
            queued: 0,
        }
    }

    /// What becomes of the findings of a record.
    pub(super) fn take_up(&mut self, call: &[Throttled<'_>], tell: &mut impl FnMut(PlayedStep)) {
        let Some((AlertEvent { time: now, .. }, _)) = call.first().copied() else { return };
        self.advance(Some(*now), tell);
        let channel = Some(self.place);
        let step = |event: &AlertEvent, (opener, thread), outcome| {
            let (rule, finding) = (Some(event.rule as usize), Some(event.order));
            PlayedStep { channel, rule, time: event.time, finding, opener, thread, outcome }
        };
        let mut judged: Vec<Throttled<'_>> = Vec::with_capacity(call.len());
        for (event, window) in call {
            if let Some(call) = event.shared {
                let told = self.shared.get(&call).filter(|(_, until)| *now < *until).map(|(severity, _)| *severity);
                if policy::is_told_of(told, event.repeat.severity) {
                    tell(step(event, (None, None), PlayedOutcome::Duplicate));
                    continue;
                }
                let until = now.plus(policy::CLAIM_TTL);
                self.shared.insert(call, (event.repeat.severity, until), |(_, until)| now < until);
            }
            judged.push((event, *window));
        }
        let judged = self.judge_all(&judged);
        let leader = policy::leader(judged.iter().map(|judged| (judged.event.repeat.severity, judged.going)));
        let Some(leader) = leader.map(|leader| judged[leader]) else {
            self.order_updates(&judged, *now);
            for judged in &judged {
                if let Some((group, known)) = judged.known {
                    self.hold_back(group, known, judged.event);
                }
                let (opener, thread) = judged.alert();
                self.count_finding(judged, true);
                tell(step(judged.event, (Some(opener), Some(thread)), PlayedOutcome::HeldBack));
            }
            return;
        };
        judged.iter().for_each(|judged| self.note_told(judged));
        let outcome = if leader.going == Going::AsFirst { PlayedOutcome::First } else { PlayedOutcome::Repeat };
        let outcome = self.guard(leader.event, judged.len() as u64, outcome);
        let (opener, thread) = leader.alert();
        tell(step(leader.event, (Some(opener), Some(thread)), outcome));
        for other in judged.iter().filter(|other| other.event.order != leader.event.order) {
            // What is opened in another's message is read of there.
            if let (Going::AsFirst, Some((group, known))) = (other.going, other.known) {
                self.remember(group, PlayedWindow { thread, ..known }, *now);
            }
            let outcome = PlayedOutcome::Merged(leader.event.order);
            tell(step(other.event, (Some(other.alert().0), Some(thread)), outcome));
        }
    }

    /// Asks the throttle about a finding whose rule holds repeats back for `window`, if it does; and remembers the window.
    fn judge<'e>(&mut self, event: &'e AlertEvent, window: Option<Duration>) -> JudgedEvent<'e> {
        let Some((group, length)) = event.group.zip(window) else {
            return JudgedEvent { event, going: Going::AsFirst, known: None, incident: None };
        };
        let now = event.time;
        let (going, known) = match policy::throttle(self.windows.get(&group).copied(), length, event.repeat, now) {
            ThrottleVerdict::Opens(window) => {
                let (opener, severity) = (event.order, event.repeat.severity);
                (Going::AsFirst, PlayedWindow { window, opener, thread: opener, severity, roll_up: None })
            }
            ThrottleVerdict::BreaksThrough(known, window) => (Going::AsRepeat, PlayedWindow { window, ..known }),
            ThrottleVerdict::HeldBack(known) => (Going::HeldBack, known),
        };
        if going != Going::HeldBack {
            self.remember(group, known, now);
        }
        JudgedEvent { event, going, known: Some((group, known)), incident: None }
    }

    /// Counts a repeat for the roll-up of its window.
    fn hold_back(&mut self, group: u64, known: PlayedWindow, event: &AlertEvent) {
        if let Some(QueuedSum::RollUp(PlayedRollUp { count, .. })) =
            known.roll_up.and_then(|key| self.queue.get_mut(&key))
        {
            *count += 1;
            return;
        }
        let PlayedWindow { window, opener, thread, severity, .. } = known;
        let roll_up = QueuedSum::RollUp(PlayedRollUp { rule: event.rule, opener, thread, severity, count: 1 });
        let due = policy::roll_up_due(window.ends);
        let due = if self.tells_together { policy::roll_ups_due(due) } else { due };
        let key = self.enqueue(due, roll_up);
        self.remember(group, PlayedWindow { roll_up: Some(key), ..known }, event.time);
    }

    fn remember(&mut self, group: u64, window: PlayedWindow, now: Timestamp) {
        self.windows.insert(group, window, |known| now < known.window.ends);
    }
}
