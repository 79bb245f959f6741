//! Whether a finding goes out on a channel: it opens an alert, or is a repeat of one that is open.

use super::item::{
    CLAIM_TTL, Claim, Decision, DeliveryKey, DoneAs, Group, SUM_GRACE, SharedCall, WINDOW_GRACE, attributes, claim_key,
    group_key, readable, repeats, shared_key,
};
use super::optimistic::{Ledger, TRIES, lost, pause};
use super::policy;
use super::policy::{HasWindow as _, Repeat, ThrottleVerdict, Throttling};
use super::store::{Attributes, Expect, ItemKey, Put, Store, StoreError};
use super::sum::RollUpOrder;
use crate::alert::RollUp;
use crate::finding::Finding;
use crate::ids::{AlertId, ClaimId};
use crate::time::Timestamp;

/// A finding on its way to a channel.
#[derive(Debug, Clone, Copy)]
pub struct Candidate<'a> {
    /// The finding.
    pub finding: &'a Finding,
    /// The channel's name.
    pub channel: &'a str,
    /// What makes two findings repeats of one another on this channel, as a hash, and how they are throttled; none: every
    /// finding goes out.
    pub group: Option<(&'a str, Throttling)>,
    /// When our claim is to end.
    pub lease: Timestamp,
}

/// What becomes of a [`Candidate`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admission {
    /// It goes out, and it is ours to send until the lease ends.
    Send(Decision),
    /// As [`Admission::Send`]; but another had claimed it before, and has died or handed it back.
    SendAgain(Decision),
    /// It goes out, but another copy of the function is sending it, and will have ended by this time.
    Held(Decision, Timestamp),
    /// It is a repeat, the first that is held back: put the roll-up in the queue, [say so](Ledger::roll_up_scheduled), and
    /// ask again.
    ScheduleRollUp(Box<RollUpOrder>),
    /// It is a repeat, held back and counted.
    Throttled,
    /// It was done with before; or the call was, since another account's record of it went this way.
    Duplicate,
}

/// A decision, and the items that are written for it if nothing has changed since they were read.
type Plan = (Admission, Vec<(ItemKey, Expect, Attributes, Timestamp)>);

impl<S: Store> Ledger<S> {
    /// Decides what becomes of a finding on a channel, and claims it if it goes out. Asked again, the answer is the same, but
    /// for what has been done meanwhile.
    ///
    /// # Errors
    /// That the store does not answer.
    pub async fn admit(&self, candidate: &Candidate<'_>, now: Timestamp) -> Result<Admission, StoreError> {
        let id = ClaimId::from(&candidate.finding.id);
        let delivery = DeliveryKey::new(&id, candidate.channel);
        let shared_key = candidate.finding.shared_call().map(|call| shared_key(&call, candidate.channel));
        let mut keys = vec![claim_key(delivery)];
        keys.extend(candidate.group.map(|(group, _)| group_key(group)));
        // It is asked for together with the others: a record that shares nothing costs nothing, and one that does no request.
        keys.extend(shared_key.clone());
        for attempt in 0..TRIES {
            let mut items = self.store.get(&keys).await?.into_iter();
            let claim_item = items.next().flatten();
            let group_item = candidate.group.and_then(|_| items.next().flatten());
            let shared_item = items.next().flatten();
            let (claim, group) = (readable(claim_item.as_ref(), now), Group::in_item(group_item.as_ref(), now));
            let expect = (Expect::same(claim_item.as_ref()), Expect::same(group_item.as_ref()));
            let told: Option<SharedCall> = readable(shared_item.as_ref(), now);
            let told = told.filter(|told| told.finding != id).map(|told| told.severity);
            if claim.is_none() && policy::is_told_of(told, candidate.finding.severity) {
                return Ok(Admission::Duplicate);
            }
            let is_new = claim.is_none();
            let (admission, mut writes) = plan(candidate, delivery, (claim, group), expect, now)?;
            if let Some(key) = shared_key.clone().filter(|_| is_new && !writes.is_empty()) {
                let shared = SharedCall { finding: id.clone(), severity: candidate.finding.severity };
                let expect = Expect::same(shared_item.as_ref());
                writes.push((key, expect, attributes(&shared)?, now.plus(CLAIM_TTL)));
            }
            let puts: Vec<Put> = writes
                .into_iter()
                .map(|(key, expect, attributes, expires)| Put { key, expect, attributes, expires })
                .collect();
            if puts.is_empty() || self.store.put(puts).await? {
                return Ok(admission);
            }
            pause(attempt, id.as_str()).await;
        }
        Err(lost())
    }

    /// Notes that a roll-up has been ordered. That another noted it first is as good.
    ///
    /// # Errors
    /// That the store does not answer.
    pub async fn roll_up_scheduled(&self, group: &str, order: &RollUpOrder, now: Timestamp) -> Result<(), StoreError> {
        for attempt in 0..TRIES {
            let key = group_key(group);
            let item = self.get(&key).await?;
            let Some(window) =
                Group::in_item(item.as_ref(), now).filter(|w| w.alert == order.alert && !w.roll_up_scheduled)
            else {
                return Ok(());
            };
            let expires = window.ends.plus(WINDOW_GRACE);
            if self
                .write(key, Expect::same(item.as_ref()), &Group { roll_up_scheduled: true, ..window }, expires)
                .await?
            {
                return Ok(());
            }
            pause(attempt, order.finding.id.as_str()).await;
        }
        Err(lost())
    }
}

/// Decides what becomes of a finding, from what was read of its claim and of its group, and what is to be written then.
fn plan(
    candidate: &Candidate<'_>,
    delivery: DeliveryKey<'_>,
    (claim, group): (Option<Claim>, Option<Group>),
    (claim_expect, group_expect): (Expect, Expect),
    now: Timestamp,
) -> Result<Plan, StoreError> {
    let Candidate { finding, channel, lease, .. } = *candidate;
    let claims = |decision: &Decision, done: Option<DoneAs>| {
        let claim = Claim { decision: decision.clone(), until: lease, done, receipt: None };
        Ok((claim_key(delivery), claim_expect, attributes(&claim)?, now.plus(CLAIM_TTL)))
    };
    match claim {
        Some(Claim { done: Some(_), .. }) => return Ok((Admission::Duplicate, Vec::new())),
        Some(Claim { decision, until, .. }) if policy::is_held(until, now) => {
            return Ok((Admission::Held(decision, until), Vec::new()));
        }
        // Whoever claimed it has died, or handed it back. What was decided then holds.
        Some(Claim { decision, .. }) => {
            let write = claims(&decision, None)?;
            return Ok((Admission::SendAgain(decision), vec![write]));
        }
        None => {}
    }
    let Some((group_id, throttling)) = candidate.group else {
        let decision = opening(finding, &format!("{channel}#{}", finding.id));
        let write = claims(&decision, None)?;
        return Ok((Admission::Send(decision), vec![write]));
    };
    let expect_group = |group: &Group, expect: Expect| {
        Ok((group_key(group_id), expect, attributes(group)?, group.ends.plus(WINDOW_GRACE)))
    };
    if let Some(group) = &group
        && group.opener == *delivery.id
        && group.window().is_open(throttling.length, now)
    {
        // Its claim was forgotten, not its right.
        let decision = group.decision(false);
        let write = claims(&decision, None)?;
        return Ok((Admission::Send(decision), vec![write]));
    }
    match policy::throttle(group, throttling.length, Repeat::new(finding, throttling.new_targets), now) {
        ThrottleVerdict::Opens(window) => {
            let decision = opening(finding, group_id);
            let opened = Group::opened(window, &decision, finding)?;
            let writes = vec![claims(&decision, None)?, expect_group(&opened, group_expect)?];
            Ok((Admission::Send(decision), writes))
        }
        ThrottleVerdict::BreaksThrough(group, window) => {
            let is_no_worse = finding.severity <= group.highest;
            let decision = Decision { is_no_worse, ..group.decision(true) };
            let writes = vec![claims(&decision, None)?, expect_group(&group.with_window(window), group_expect)?];
            Ok((Admission::Send(decision), writes))
        }
        ThrottleVerdict::HeldBack(group) if !group.roll_up_scheduled => {
            let order = RollUpOrder { alert: group.alert.clone(), ends: group.ends, finding: group.opener_finding()? };
            Ok((Admission::ScheduleRollUp(Box::new(order)), Vec::new()))
        }
        ThrottleVerdict::HeldBack(group) => {
            let mut one = RollUp::default();
            one.add(finding);
            let entry = ItemKey::new(repeats(&group.alert), finding.id.as_str());
            let expires = group.ends.plus(SUM_GRACE);
            // The group's item is not written: in a storm everybody would wait for it. Each repeat has an item of its own,
            // which makes counting it twice impossible.
            let writes = vec![
                claims(&group.decision(true), Some(DoneAs::Throttled))?,
                (entry, Expect::Anything, attributes(&one)?, expires),
            ];
            Ok((Admission::Throttled, writes))
        }
    }
}

fn opening(finding: &Finding, group: &str) -> Decision {
    let alert = AlertId::new(&finding.rule.id, group, &finding.id);
    Decision { alert, opener: ClaimId::from(&finding.id), is_repeat: false, is_no_worse: false }
}
