//! The function's decisions, played back over an archive: what would have been sent, to which channel, and when.
//!
//! The decisions are those of [`policy`], which the function's ledger asks too; what is known is kept in memory here. The
//! playback assumes of the world what an archive cannot tell:
//!
//! - Every finding arrives once, when it happened: at its `eventTime`, in the order of these times, and of the archive where
//!   they are equal. (CloudTrail delivers within about five minutes, out of order, and some records twice.)
//! - What comes from the queue arrives when it is due, before any finding of the same moment, and in the order in which it was
//!   put there.
//! - Every channel takes every message at once.
//!
//! Under these assumptions the playback says exactly what the function sends: `tests.rs` beside this file compares the two.

mod incidents;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::num::NonZeroU64;
use std::time::Duration;

use self::incidents::{CountedFindings, PlayedIncident, PlayedUpdate};
use crate::cli::findings::FollowedFinding;
use crate::ledger::incident::RuleOutcome;
use crate::ledger::policy::{self, Going, GuardVerdict, HasWindow, Repeat, ThrottleVerdict, ThrottleWindow};
use crate::rules::Threshold;
use crate::ruleset::RuleSet;
use crate::severity::Severity;
use crate::time::Timestamp;

/// A finding on its way to people: what the decisions need of it, and no more, since millions are kept.
#[derive(Debug, Clone)]
pub(super) struct AlertEvent {
    /// When it happened, and is taken to arrive.
    pub(super) time: Timestamp,
    /// Its place among the findings of the archive.
    pub(super) order: u32,
    /// The number of its record among those that have findings.
    pub(super) record: u32,
    /// Its rule's place in the file.
    pub(super) rule: u32,
    /// What a throttle looks at.
    pub(super) repeat: Repeat,
    pub(super) is_staged: bool,
    /// The channels that it goes to: a place among the [`Routes`].
    pub(super) route: u32,
    /// A hash of the call that its record shares with that of another account, and of its rule.
    pub(super) shared: Option<NonZeroU64>,
    /// A hash of what makes it a repeat, if its rule is throttled.
    pub(super) group: Option<u64>,
    /// Hashes of the incidents that it is a part of, one for each channel that has incidents, in their order.
    pub(super) incidents: Box<[u64]>,
    /// Whose incidents they are, where any follows credentials: `sessions` puts it into them.
    pub(super) followed: Option<Box<FollowedFinding>>,
    /// Its rule, and whether its call succeeded.
    pub(super) rule_outcome: RuleOutcome,
    /// What its rule's threshold counts, if it has one.
    pub(super) threshold: Option<Box<ThresholdEvent>>,
}

/// What a threshold counts of a finding.
#[derive(Debug, Clone)]
pub(super) struct ThresholdEvent {
    /// A hash of what is counted together.
    pub(super) counted: u64,
    /// Hashes of the values that are counted instead of findings.
    pub(super) values: Option<Vec<u64>>,
}

/// The sets of channels that findings go to, each kept once.
#[derive(Debug, Default)]
pub(super) struct Routes {
    sets: Vec<Vec<usize>>,
    places: HashMap<Vec<usize>, u32>,
}

impl Routes {
    /// The place of a set of channels, which are given by their places in the file.
    pub(super) fn place(&mut self, channels: Vec<usize>) -> u32 {
        if let Some(place) = self.places.get(&channels) {
            return *place;
        }
        let place = u32::try_from(self.sets.len()).unwrap_or(u32::MAX);
        self.sets.push(channels.clone());
        self.places.insert(channels, place);
        place
    }

    /// The channels at a place.
    pub(super) fn channels(&self, place: u32) -> &[usize] {
        self.sets.get(place as usize).map(Vec::as_slice).unwrap_or_default()
    }
}

/// Which findings are played back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StagedRules {
    /// Those of staged rules are left out: nobody is told of them.
    Silent,
    /// Those of staged rules as if they alerted.
    Alerting,
}

/// One thing that becomes of a finding, or of what was held back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PlayedStep {
    /// The channel's place in the file; none for what concerns no channel.
    pub(super) channel: Option<usize>,
    /// The rule's place in the file; none for a digest, which is of many rules.
    pub(super) rule: Option<usize>,
    pub(super) time: Timestamp,
    /// The finding's place among those of the archive; none for a sum.
    pub(super) finding: Option<u32>,
    /// The place of the finding that opened the alert that it belongs to; none for a digest, and for what comes before there
    /// is an alert.
    pub(super) opener: Option<u32>,
    /// The place of the finding in whose alert people read of it: the opener, or the one in whose message that was told.
    pub(super) thread: Option<u32>,
    pub(super) outcome: PlayedOutcome,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PlayedOutcome {
    /// Its rule's threshold has not been reached; of every channel that it would go to, and once of none.
    BelowThreshold,
    /// No channel takes it.
    Unrouted,
    /// It goes to channels.
    Routed,
    /// Another account's record of the same call was told of.
    Duplicate,
    /// A message: it opens an alert.
    First,
    /// A message: a repeat that is news, such as one that is worse than those before it.
    Repeat,
    /// It is told in the message of the finding at this place, of the same record.
    Merged(u32),
    /// A repeat that is counted for the roll-up.
    HeldBack,
    /// One alert too many, counted for the digest.
    Digested,
    /// A message: the sum of so many repeats.
    RollUp(u64),
    /// The sum of so many repeats, told in the message of another roll-up, or in the digest with that: of the alert that the finding
    /// at this place opened.
    RollUpMerged(u32, u64),
    /// The sum of so many repeats, one message too many: they are counted for the digest.
    RollUpDigested(u64),
    /// A message: all findings of an incident so far, and how many of them are new.
    Update(u64, u64),
    /// An update that has nothing new to say.
    UpdateMerged,
    /// The same as [`PlayedOutcome::Update`], one message too many: so many that are new are counted for the digest.
    UpdateDigested(u64),
    /// A message: the sum of so many findings.
    Digest(u64),
}

/// Plays findings back, which are in the order of their arrival, and tells each step.
pub(super) fn play(
    rules: &RuleSet,
    routes: &Routes,
    events: &[AlertEvent],
    staged: StagedRules,
    tell: &mut impl FnMut(PlayedStep),
) {
    let mut thresholds: HashMap<u64, CountedTogether> = HashMap::new();
    let mut with_incidents = 0;
    let mut channels: Vec<ChannelPlayback> = Vec::with_capacity(rules.channels().len());
    for (place, channel) in rules.channels().iter().enumerate() {
        let tells_together = channel.channel.tells_roll_ups_together();
        let length = channel.incidents.as_ref().map(|incidents| Duration::from_secs(incidents.window));
        let incidents = length.map(|length| (with_incidents, length));
        with_incidents += usize::from(incidents.is_some());
        channels.push(ChannelPlayback::new(place, channel.max_per_minute, tells_together, incidents));
    }
    for record in events.chunk_by(|one, next| one.record == next.record) {
        let mut calls: Vec<Vec<Throttled<'_>>> = vec![Vec::new(); channels.len()];
        for event in record {
            let Some(rule) = rules.rules().get(event.rule as usize) else { continue };
            if event.is_staged && staged == StagedRules::Silent {
                continue;
            }
            let route = routes.channels(event.route);
            let mut step = |channel, outcome| {
                let (rule, finding) = (Some(event.rule as usize), Some(event.order));
                tell(PlayedStep { channel, rule, time: event.time, finding, opener: None, thread: None, outcome });
            };
            if let (Some(threshold), Some(counted)) = (&rule.threshold, &event.threshold)
                && !thresholds.entry(counted.counted).or_default().reaches(threshold, counted, event.time)
            {
                step(None, PlayedOutcome::BelowThreshold);
                route.iter().for_each(|channel| step(Some(*channel), PlayedOutcome::BelowThreshold));
                continue;
            }
            step(None, if route.is_empty() { PlayedOutcome::Unrouted } else { PlayedOutcome::Routed });
            let window = rule.throttle.as_ref().map(|throttle| Duration::from_secs(throttle.window));
            for place in route {
                if let Some(call) = calls.get_mut(*place) {
                    call.push((event, window));
                }
            }
        }
        for (channel, call) in channels.iter_mut().zip(&calls) {
            call.chunks(policy::MOST_TOGETHER).for_each(|call| channel.take_up(call, tell));
        }
    }
    for channel in &mut channels {
        channel.advance(None, tell);
    }
}

/// A finding, with how long its rule holds repeats back, if it does.
type Throttled<'e> = (&'e AlertEvent, Option<Duration>);

/// What the throttle makes of a finding.
#[derive(Debug, Clone, Copy)]
struct JudgedEvent<'e> {
    event: &'e AlertEvent,
    going: Going,
    /// Its group with the window as it is then, if its rule has a throttle.
    known: Option<(u64, PlayedWindow)>,
    /// Its incident, if its channel has any, and the finding that opened that.
    incident: Option<(u64, u32)>,
}

impl JudgedEvent<'_> {
    /// The finding that opened its alert, and the one in whose alert people read of it.
    fn alert(&self) -> (u32, u32) {
        let opener = self.incident.map_or(self.event.order, |(_, opener)| opener);
        self.known.map_or((opener, opener), |(_, known)| (known.opener, known.thread))
    }
}

/// What a threshold counts together, of the last window's length.
#[derive(Debug, Default)]
struct CountedTogether {
    /// When its findings happened, the last of them.
    findings: VecDeque<Timestamp>,
    /// When each value occurred last.
    values: HashMap<u64, Timestamp>,
    /// The same, by time.
    values_by_time: BTreeSet<(Timestamp, u64)>,
}

impl CountedTogether {
    /// Counts a finding that happens after all before it, and says whether there are enough.
    fn reaches(&mut self, threshold: &Threshold, event: &ThresholdEvent, at: Timestamp) -> bool {
        let length = Duration::from_secs(threshold.window);
        let most = usize::try_from(threshold.count).unwrap_or(usize::MAX);
        // Nothing that happens later is within one window with what is older than this.
        let oldest = at.minus(length);
        let Some(values) = &event.values else {
            self.findings.push_back(at);
            while self.findings.len() > most || self.findings.front().is_some_and(|time| *time < oldest) {
                self.findings.pop_front();
            }
            return policy::reaches_threshold(self.findings.make_contiguous(), at, threshold.count, length);
        };
        for value in values {
            if let Some(before) = self.values.insert(*value, at) {
                self.values_by_time.remove(&(before, *value));
            }
            self.values_by_time.insert((at, *value));
        }
        while let Some((time, value)) = self.values_by_time.first().copied()
            && time < oldest
        {
            self.values_by_time.pop_first();
            self.values.remove(&value);
        }
        let mut times: Vec<Timestamp> = self.values_by_time.iter().rev().take(most).map(|(time, _)| *time).collect();
        times.reverse();
        policy::reaches_threshold(&times, at, threshold.count, length)
    }
}

/// A message in the queue, by when it is due and in which order it was put there.
type QueueKey = (Timestamp, u64);

/// A sum that waits in the queue.
#[derive(Debug, Clone, Copy)]
enum QueuedSum {
    RollUp(PlayedRollUp),
    Update(PlayedUpdate),
    Digest { count: u64 },
}

/// A roll-up that waits in the queue.
#[derive(Debug, Clone, Copy)]
struct PlayedRollUp {
    rule: u32,
    opener: u32,
    thread: u32,
    severity: Severity,
    count: u64,
}

/// What is known of a group on one channel.
#[derive(Debug, Clone, Copy)]
struct PlayedWindow {
    window: ThrottleWindow,
    opener: u32,
    /// The finding in whose alert people read of it.
    thread: u32,
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

/// What the storm guard knows of the minute that is running.
#[derive(Debug, Default)]
struct PlayedMinute {
    minute: u64,
    /// Alerts that have been counted, by severity.
    counted: [u64; Severity::ALL.len()],
    /// The digest that waits, if something is in it.
    digest: Option<QueueKey>,
}

/// One channel.
#[derive(Debug)]
struct ChannelPlayback {
    place: usize,
    max_per_minute: u64,
    /// Whether the roll-ups of one minute are one message.
    tells_together: bool,
    windows: HashMap<u64, PlayedWindow>,
    /// The place of its incidents among those of all channels, and their length, if it has incidents.
    incident: Option<(usize, Duration)>,
    incidents: HashMap<u64, PlayedIncident>,
    /// By the finding that opened an incident.
    counted_findings: HashMap<u32, CountedFindings>,
    /// The severity of the last finding that went this way of each call that several accounts record.
    shared: HashMap<NonZeroU64, Severity>,
    /// At so many windows, those that have ended are forgotten.
    windows_at_most: usize,
    minute: PlayedMinute,
    queue: BTreeMap<QueueKey, QueuedSum>,
    /// Messages that were put into the queue.
    queued: u64,
}

/// Windows that a channel remembers before it looks for those that have ended.
const WINDOWS: usize = 1024;

impl ChannelPlayback {
    fn new(place: usize, max_per_minute: u64, tells_together: bool, incident: Option<(usize, Duration)>) -> Self {
        Self {
            place,
            max_per_minute,
            tells_together,
            windows: HashMap::new(),
            incident,
            incidents: HashMap::new(),
            counted_findings: HashMap::new(),
            shared: HashMap::new(),
            windows_at_most: WINDOWS,
            minute: PlayedMinute::default(),
            queue: BTreeMap::new(),
            queued: 0,
        }
    }

    /// What becomes of the findings of a record.
    fn take_up(&mut self, call: &[Throttled<'_>], tell: &mut impl FnMut(PlayedStep)) {
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
                if policy::is_told_of(self.shared.get(&call).copied(), event.repeat.severity) {
                    tell(step(event, (None, None), PlayedOutcome::Duplicate));
                    continue;
                }
                self.shared.insert(call, event.repeat.severity);
            }
            judged.push((event, *window));
        }
        let judged = self.judge_all(&judged);
        let leader = policy::leader(judged.iter().map(|judged| (judged.event.repeat.severity, judged.going)));
        let Some(leader) = leader.map(|leader| judged[leader]) else {
            self.order_updates(&judged, *now);
            for judged in &judged {
                if let Some((group, known)) = judged.known {
                    self.hold_back(group, known, judged.event.rule);
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
                self.windows.insert(group, PlayedWindow { thread, ..known });
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
    fn hold_back(&mut self, group: u64, known: PlayedWindow, rule: u32) {
        if let Some(QueuedSum::RollUp(PlayedRollUp { count, .. })) =
            known.roll_up.and_then(|key| self.queue.get_mut(&key))
        {
            *count += 1;
            return;
        }
        let PlayedWindow { window, opener, thread, severity, .. } = known;
        let roll_up = QueuedSum::RollUp(PlayedRollUp { rule, opener, thread, severity, count: 1 });
        let due = policy::roll_up_due(window.ends);
        let due = if self.tells_together { policy::roll_ups_due(due) } else { due };
        let key = self.enqueue(due, roll_up);
        self.windows.insert(group, PlayedWindow { roll_up: Some(key), ..known });
    }

    fn remember(&mut self, group: u64, window: PlayedWindow, now: Timestamp) {
        if self.windows.len() >= self.windows_at_most {
            self.windows.retain(|_, known| now < known.window.ends);
            self.windows_at_most = WINDOWS.max(2 * self.windows.len());
        }
        self.windows.insert(group, window);
    }

    /// Asks the storm guard about an alert that tells of so many findings, and counts it.
    fn guard(&mut self, event: &AlertEvent, findings: u64, if_sent: PlayedOutcome) -> PlayedOutcome {
        let counted = self.counted(event.repeat.severity, event.time);
        let before = *counted;
        *counted += 1;
        match policy::storm_guard(before, self.max_per_minute) {
            GuardVerdict::Sends => if_sent,
            GuardVerdict::Digests => {
                self.digest(event.time, findings);
                PlayedOutcome::Digested
            }
        }
    }

    /// The alerts of a severity that have been counted in this minute.
    fn counted(&mut self, severity: Severity, now: Timestamp) -> &mut u64 {
        let minute = policy::minute_of(now);
        if self.minute.minute != minute {
            self.minute = PlayedMinute { minute, ..PlayedMinute::default() };
        }
        &mut self.minute.counted[severity as usize]
    }

    /// Counts findings for the digest of this minute.
    fn digest(&mut self, now: Timestamp, findings: u64) {
        if let Some(QueuedSum::Digest { count }) = self.minute.digest.and_then(|key| self.queue.get_mut(&key)) {
            *count += findings;
            return;
        }
        let due = policy::digest_due(policy::minute_of(now));
        self.minute.digest = Some(self.enqueue(due, QueuedSum::Digest { count: findings }));
    }

    fn enqueue(&mut self, due: Timestamp, sum: QueuedSum) -> QueueKey {
        let key = (due, self.queued);
        self.queued += 1;
        self.queue.insert(key, sum);
        key
    }

    /// Takes up what is due until then, or all that waits.
    fn advance(&mut self, until: Option<Timestamp>, tell: &mut impl FnMut(PlayedStep)) {
        while let Some(next) = self.queue.first_entry() {
            let time = next.key().0;
            if until.is_some_and(|until| time > until) {
                return;
            }
            match next.remove() {
                QueuedSum::Digest { count } => {
                    let outcome = PlayedOutcome::Digest(count);
                    let (channel, finding, opener, thread) = (Some(self.place), None, None, None);
                    tell(PlayedStep { channel, rule: None, time, finding, opener, thread, outcome });
                }
                QueuedSum::RollUp(roll_up) => self.tell_roll_ups(roll_up, time, tell),
                QueuedSum::Update(update) => self.tell_update(update, time, tell),
            }
        }
    }

    /// Tells a roll-up that is due, with those of its minute where they are told together.
    fn tell_roll_ups(&mut self, first: PlayedRollUp, time: Timestamp, tell: &mut impl FnMut(PlayedStep)) {
        let mut together = vec![first];
        if self.tells_together {
            let due = self.queue.range((time, 0)..=(time, u64::MAX));
            let others = due.filter_map(|(key, sum)| match sum {
                QueuedSum::RollUp(roll_up) => Some((*key, *roll_up)),
                QueuedSum::Update(_) | QueuedSum::Digest { .. } => None,
            });
            for (key, roll_up) in others.take(policy::MOST_ROLL_UPS - 1).collect::<Vec<_>>() {
                self.queue.remove(&key);
                together.push(roll_up);
            }
        }
        let leader = policy::leading_roll_up(together.iter().map(|roll_up| roll_up.severity)).unwrap_or_default();
        together.swap(0, leader);
        let PlayedRollUp { severity, opener, count, .. } = together[0];
        let findings = together.iter().map(|roll_up| roll_up.count).sum();
        let counted = *self.counted(severity, time);
        let outcome = match policy::storm_guard(counted, self.max_per_minute) {
            GuardVerdict::Sends => {
                *self.counted(severity, time) += 1;
                PlayedOutcome::RollUp(count)
            }
            GuardVerdict::Digests => {
                self.digest(time, findings);
                PlayedOutcome::RollUpDigested(count)
            }
        };
        for (place, PlayedRollUp { rule, opener: own, thread, count, .. }) in together.into_iter().enumerate() {
            let outcome = if place == 0 { outcome } else { PlayedOutcome::RollUpMerged(opener, count) };
            let (channel, rule) = (Some(self.place), Some(rule as usize));
            tell(PlayedStep { channel, rule, time, finding: None, opener: Some(own), thread: Some(thread), outcome });
        }
    }
}
