//! What arrives, as the playback needs it, and its bytes in a run: of a finding the decisions' questions, and no more, since there may be
//! any number of them.

use std::num::NonZeroU64;

use crate::cli::findings::{EvaluatedFinding, FollowedFinding, hashed};
use crate::cloudtrail::credentials::{Ancestor, Bearer, IssuedSession};
use crate::ids::TargetId;
use crate::ledger::incident::{IncidentFinding, RuleOutcome};
use crate::ledger::policy::Repeat;
use crate::rules::{Mode, Rule};
use crate::runs::{Decoder, Encoder, Sortable};
use crate::severity::Severity;
use crate::time::Timestamp;

/// A finding on its way to people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli::backtest) struct AlertEvent {
    /// When it happened, and is taken to arrive.
    pub(in crate::cli::backtest) time: Timestamp,
    /// Its place among the findings of the archive, below 2^63.
    pub(in crate::cli::backtest) order: u64,
    /// The number of its record among those that have findings.
    pub(in crate::cli::backtest) record: u64,
    /// Its rule's place in the file.
    pub(in crate::cli::backtest) rule: u32,
    /// What a throttle looks at.
    pub(in crate::cli::backtest) repeat: Repeat,
    pub(in crate::cli::backtest) is_staged: bool,
    /// The channels that it goes to, by their places in the file.
    pub(in crate::cli::backtest) channels: Vec<usize>,
    /// A hash of the call that its record shares with that of another account, and of its rule.
    pub(in crate::cli::backtest) shared: Option<NonZeroU64>,
    /// A hash of what makes it a repeat, if its rule is throttled.
    pub(in crate::cli::backtest) group: Option<u64>,
    /// Hashes of the incidents that it is a part of, one for each channel that has incidents, in their order.
    pub(in crate::cli::backtest) incidents: Vec<u64>,
    /// Whose incidents they are, where any follows credentials: `sessions` puts it into them.
    pub(in crate::cli::backtest) followed: Option<FollowedFinding>,
    /// Its rule, and whether its call succeeded.
    pub(in crate::cli::backtest) rule_outcome: RuleOutcome,
    /// What its rule's threshold counts, if it has one.
    pub(in crate::cli::backtest) threshold: Option<ThresholdEvent>,
}

impl AlertEvent {
    /// A finding of the rule in this place of the file, which goes to these channels. Its time, and its own and its record's place in the
    /// archive are for [`Arrivals`](crate::cli::backtest::arrivals::Arrivals) and its caller to say.
    pub(in crate::cli::backtest) fn new(
        found: &EvaluatedFinding,
        (place, rule): (usize, Option<&Rule>),
        channels: Vec<usize>,
    ) -> Self {
        let finding = &found.finding;
        let new_targets = rule.and_then(|rule| rule.throttle.as_ref()).map(|throttle| throttle.new_targets);
        let counted = found.counted.as_ref();
        Self {
            time: Timestamp::default(),
            order: 0,
            record: 0,
            rule: u32::try_from(place).unwrap_or(u32::MAX),
            repeat: Repeat::new(finding, new_targets.unwrap_or_default()),
            is_staged: finding.rule.mode == Mode::Stage,
            channels,
            shared: finding.shared_call().and_then(|call| NonZeroU64::new(hashed(call.as_str()))),
            group: found.group,
            incidents: found.incidents.clone(),
            followed: found.followed.clone(),
            rule_outcome: IncidentFinding::new(finding).rule_outcome,
            threshold: counted.map(|keys| ThresholdEvent { counted: keys.group, values: keys.values.clone() }),
        }
    }
}

/// What a threshold counts of a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli::backtest) struct ThresholdEvent {
    /// A hash of what is counted together.
    pub(in crate::cli::backtest) counted: u64,
    /// Hashes of the values that are counted instead of findings.
    pub(in crate::cli::backtest) values: Option<Vec<u64>>,
}

/// A session that was issued, when its record arrives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli::backtest) struct ArrivedSession {
    pub(in crate::cli::backtest) time: Timestamp,
    /// The findings of the archive before its record.
    pub(in crate::cli::backtest) order: u64,
    pub(in crate::cli::backtest) session: IssuedSession,
}

/// One thing that arrives. They are sorted by their time, and by their order in the archive where that is equal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli::backtest) enum Arrival {
    Finding(AlertEvent),
    Session(ArrivedSession),
}

impl Sortable for Arrival {
    fn key(&self) -> u128 {
        // A session is known before the finding in its place.
        let (time, order) = match self {
            Self::Finding(event) => (event.time, event.order << 1 | 1),
            Self::Session(session) => (session.time, session.order << 1),
        };
        u128::from(time.millis()) << 64 | u128::from(order)
    }

    fn encode(&self, to: &mut Encoder) {
        match self {
            Self::Finding(event) => encode_event(event, to),
            Self::Session(session) => encode_session(&session.session, to),
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "the two halves of a key")]
    fn decode(key: u128, from: &mut Decoder<'_>) -> Option<Self> {
        let (time, order) = (Timestamp::from_millis((key >> 64) as u64), key as u64);
        if order & 1 == 1 {
            decode_event(time, order >> 1, from).map(Self::Finding)
        } else {
            Some(Self::Session(ArrivedSession { time, order: order >> 1, session: decode_session(from)? }))
        }
    }
}

/// Bits of a finding's flags, above those of its severity.
const SUCCEEDED: u64 = 8;
const STAGED: u64 = 16;

fn encode_event(event: &AlertEvent, to: &mut Encoder) {
    let AlertEvent { record, rule, repeat, is_staged, channels, shared, group, incidents, followed, .. } = event;
    let flag = |is_set: bool, flag: u64| if is_set { flag } else { 0 };
    to.number(*record);
    to.number(u64::from(*rule));
    to.number(repeat.severity as u64 | flag(repeat.succeeded, SUCCEEDED) | flag(*is_staged, STAGED));
    to.option(repeat.target, |to, target| to.hash(target.into()));
    to.list(channels.iter(), |to, channel| to.number(*channel as u64));
    to.option(*shared, |to, shared| to.hash(shared.get()));
    to.option(*group, Encoder::hash);
    to.list(incidents.iter(), |to, incident| to.hash(*incident));
    to.option(followed.as_ref(), |to, FollowedFinding { bearer, rests }| {
        encode_bearer(bearer, to);
        to.list(rests.iter(), |to, (place, rest)| {
            to.number(*place as u64);
            to.text(rest);
        });
    });
    to.number(u64::from(event.rule_outcome));
    to.option(event.threshold.as_ref(), |to, threshold| {
        to.hash(threshold.counted);
        to.option(threshold.values.as_ref(), |to, values| to.list(values.iter(), |to, value| to.hash(*value)));
    });
}

fn decode_event(time: Timestamp, order: u64, from: &mut Decoder<'_>) -> Option<AlertEvent> {
    let (record, rule, flags) = (from.number()?, from.small()?, from.number()?);
    let severity = *Severity::ALL.get(usize::try_from(flags % SUCCEEDED).ok()?)?;
    (flags < 2 * STAGED).then_some(())?;
    let target = from.option(|from| from.hash().map(TargetId::from))?;
    Some(AlertEvent {
        time,
        order,
        record,
        rule,
        repeat: Repeat { severity, succeeded: flags & SUCCEEDED != 0, target },
        is_staged: flags & STAGED != 0,
        channels: from.list(Decoder::small)?,
        shared: from.option(|from| NonZeroU64::new(from.hash()?))?,
        group: from.option(Decoder::hash)?,
        incidents: from.list(Decoder::hash)?,
        followed: from.option(|from| {
            let bearer = decode_bearer(from)?;
            let rests = from.list(|from| Some((from.small()?, from.text()?.to_owned())))?;
            Some(FollowedFinding { bearer, rests })
        })?,
        rule_outcome: from.small()?,
        threshold: from.option(|from| {
            let counted = from.hash()?;
            Some(ThresholdEvent { counted, values: from.option(|from| from.list(Decoder::hash))? })
        })?,
    })
}

fn encode_session(session: &IssuedSession, to: &mut Encoder) {
    let IssuedSession { key, caller, is_of_stranger, set_source_identity, ends } = session;
    to.text(key);
    encode_bearer(caller, to);
    to.number(u64::from(*is_of_stranger));
    to.option(set_source_identity.as_deref(), Encoder::text);
    to.number(ends.millis());
}

fn decode_session(from: &mut Decoder<'_>) -> Option<IssuedSession> {
    Some(IssuedSession {
        key: from.text()?.to_owned(),
        caller: decode_bearer(from)?,
        is_of_stranger: from.flag()?,
        set_source_identity: from.option(owned)?,
        ends: Timestamp::from_millis(from.number()?),
    })
}

fn encode_bearer(bearer: &Bearer, to: &mut Encoder) {
    let Bearer { own, is_stranger, is_person, session_key, source_identity } = bearer;
    to.option(own.as_ref(), |to, Ancestor { account, name }| {
        to.option(account.as_deref(), Encoder::text);
        to.text(name);
    });
    to.number(u64::from(*is_stranger));
    to.number(u64::from(*is_person));
    to.option(session_key.as_deref(), Encoder::text);
    to.option(source_identity.as_deref(), Encoder::text);
}

fn decode_bearer(from: &mut Decoder<'_>) -> Option<Bearer> {
    Some(Bearer {
        own: from.option(|from| Some(Ancestor { account: from.option(owned)?, name: owned(from)? }))?,
        is_stranger: from.flag()?,
        is_person: from.flag()?,
        session_key: from.option(owned)?,
        source_identity: from.option(owned)?,
    })
}

fn owned(from: &mut Decoder<'_>) -> Option<String> {
    from.text().map(str::to_owned)
}
