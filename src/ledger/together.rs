//! What becomes of the findings of one record on one channel, from what was read of them, and what is to be written then.
//!
//! docs/design/ledger.md ("One call, one message") has the reasons.

use std::cmp::Reverse;

use super::candidate::{Admission, Candidate};
use super::incident::{self, HasIncident as _, IncidentFinding, IncidentVerdict, UpdateOrders};
use super::item::{
    Claim, Decision, DoneAs, Group, IncidentItem, Lead, SUM_GRACE, SharedCall, WINDOW_GRACE, attributes, claim_expires,
    group_key, repeats,
};
use super::policy::{self, Going, HasWindow as _, Holding, Repeat, ThrottleVerdict};
use super::silencing::{Announces, HoldsBack, Silencing};
use super::store::{Attributes, Expect, ItemKey, Put, StoreError};
use super::sum::RollUpOrder;
use crate::alert::RollUp;
use crate::finding::Finding;
use crate::ids::{AlertId, ClaimId};
use crate::time::Timestamp;

/// What was read of the candidates.
pub(super) struct Known {
    pub(super) candidates: Vec<KnownCandidate>,
    /// The claims of leaders that are not among them.
    pub(super) leaders: Vec<(ClaimId, Claim)>,
    /// What silences make of each, if it is new.
    pub(super) silencing: Vec<Silencing>,
}

/// What was read of a candidate: its claim, its group, and the call that another account recorded too.
pub(super) struct KnownCandidate {
    pub(super) claim: Option<Claim>,
    pub(super) claim_key: ItemKey,
    pub(super) claim_expect: Expect,
    pub(super) group: Option<Group>,
    pub(super) group_expect: Expect,
    pub(super) shared: Option<(ItemKey, Expect, Option<SharedCall>)>,
}

/// The answers, and the items that are written for them if nothing has changed since they were read.
pub(super) struct Plan {
    pub(super) admissions: Vec<Admission>,
    pub(super) puts: Vec<Put>,
}

/// How a candidate stands before anything is decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// Nobody has taken it up.
    New,
    /// It was done with, or told.
    Done,
    /// Somebody else is sending it until then.
    Held(Timestamp),
    /// Whoever claimed it has died, or handed it back.
    Lapsed,
    /// It is told in the message of the candidate at this place.
    Led(usize),
}

/// Decides what becomes of the candidates.
pub(super) fn plan(
    candidates: &[Candidate<'_>],
    ids: &[ClaimId],
    known: &Known,
    now: Timestamp,
) -> Result<Plan, StoreError> {
    let standings: Vec<Standing> =
        (0..candidates.len()).map(|place| standing(place, candidates, ids, known, now)).collect();
    let mut plan = Plan { admissions: vec![Admission::Duplicate; candidates.len()], puts: Vec::new() };
    for (place, standing) in standings.iter().enumerate() {
        let KnownCandidate { claim, claim_key, claim_expect, .. } = &known.candidates[place];
        let Some(decision) = claim.as_ref().map(|claim| claim.decision.clone()) else { continue };
        plan.admissions[place] = match *standing {
            Standing::New | Standing::Done => continue,
            Standing::Held(until) => Admission::Held(decision, until),
            Standing::Led(leader) => Admission::Merged(leader, decision),
            // What was decided then holds.
            Standing::Lapsed => {
                let led = ids.iter().zip(&standings).filter(|(_, led)| **led == Standing::Led(place));
                let with = led.map(|(id, _)| id.clone()).collect();
                let claim = Claim::held(decision.clone(), candidates[place].lease, with);
                plan.puts.push(claim_put(claim_key, *claim_expect, &claim, now)?);
                Admission::SendAgain(decision)
            }
        };
    }
    let (silenced, mut new): (Vec<usize>, Vec<usize>) = (0..candidates.len())
        .filter(|place| standings[*place] == Standing::New)
        .partition(|place| matches!(known.silencing[*place], Silencing::HoldsBack(_)));
    if !silence(candidates, (known, &silenced), now, &mut plan)? {
        return Ok(plan);
    }
    // Where two are of one group, the worse one opens it.
    new.sort_by_key(|place| Reverse(candidates[*place].finding.severity));
    decide(candidates, ids, (known, &new), now, &mut plan)?;
    Ok(plan)
}

/// Holds back what silences do, before any throttle looks at it: false if a roll-up has still to be ordered, before which nothing
/// is written.
fn silence(
    candidates: &[Candidate<'_>],
    (known, silenced): (&Known, &[usize]),
    now: Timestamp,
    plan: &mut Plan,
) -> Result<bool, StoreError> {
    let mut ordered: Vec<AlertId> = Vec::new();
    let mut puts = Vec::with_capacity(2 * silenced.len());
    for place in silenced {
        let Silencing::HoldsBack(held) = &known.silencing[*place] else { continue };
        let (HoldsBack { order, is_unordered, expires }, candidate) = (&**held, &candidates[*place]);
        plan.admissions[*place] = Admission::Silenced;
        if *is_unordered && !ordered.contains(&order.alert) {
            ordered.push(order.alert.clone());
            plan.admissions[*place] = Admission::ScheduleRollUp(Box::new(order.clone()));
        }
        let KnownCandidate { claim_key, claim_expect, .. } = &known.candidates[*place];
        let decision =
            Decision { lead: order.lead.clone(), ..Decision::opening(order.alert.clone(), (&order.finding.id).into()) };
        let held = Claim::held(Decision { is_repeat: true, ..decision }, candidate.lease, Vec::new());
        puts.push(claim_put(claim_key, *claim_expect, &Claim { done: Some(DoneAs::Silenced), ..held }, now)?);
        let key = ItemKey::new(repeats(&order.alert), candidate.finding.id.as_str());
        let attributes = attributes(&sum_of(candidate.finding))?;
        puts.push(Put { key, expect: Expect::Anything, attributes, expires: *expires });
    }
    if !ordered.is_empty() {
        plan.puts.clear();
        return Ok(false);
    }
    plan.puts.extend(puts);
    Ok(true)
}

fn standing(place: usize, candidates: &[Candidate<'_>], ids: &[ClaimId], known: &Known, now: Timestamp) -> Standing {
    let (id, claims) = (&ids[place], known.candidates.iter().map(|known| known.claim.as_ref()));
    let KnownCandidate { claim, shared, .. } = &known.candidates[place];
    let Some(claim) = claim else {
        let told = shared.as_ref().and_then(|(.., told)| told.as_ref()).filter(|told| told.finding != *id);
        let told = told.map(|told| told.severity);
        // Whoever sent without having claimed has noted of what the message told.
        let is_listed = claims.flatten().any(|claim| claim.done.is_some() && claim.with.contains(id));
        let is_done = is_listed || policy::is_told_of(told, candidates[place].finding.severity);
        return if is_done { Standing::Done } else { Standing::New };
    };
    let held_or_lapsed = |until| if policy::is_held(until, now) { Standing::Held(until) } else { Standing::Lapsed };
    let Some(leader) = &claim.leader else {
        return if claim.done.is_some() { Standing::Done } else { held_or_lapsed(claim.until) };
    };
    let among = ids.iter().position(|id| id == leader);
    let leading = match among {
        Some(place) => known.candidates[place].claim.as_ref(),
        None => known.leaders.iter().find(|(id, _)| id == leader).map(|(_, claim)| claim),
    };
    match (leading.filter(|leading| leading.with.contains(id)), among) {
        // Whoever sends, or has sent, the leader's message does not tell of this one in it.
        (None, _) => Standing::Lapsed,
        (Some(leading), _) if leading.done.is_some() => Standing::Done,
        (Some(_), Some(place)) => Standing::Led(place),
        (Some(leading), None) => held_or_lapsed(leading.until),
    }
}

/// What the throttle makes of a candidate that is new.
struct Judged {
    place: usize,
    going: Going,
    decision: Decision,
    /// Of one that would be held back: its group.
    held_back_in: Option<Group>,
    /// What its incident looks at, if its group is one.
    of_incident: Option<IncidentFinding>,
}

/// The groups of new candidates as they are after each of these was judged; and whether it has changed since it was read.
struct Groups<'a>(Vec<(&'a str, Option<Group>, Expect, bool)>);

/// Decides what becomes of the candidates that are new, at these places.
fn decide(
    candidates: &[Candidate<'_>],
    ids: &[ClaimId],
    (known, new): (&Known, &[usize]),
    now: Timestamp,
    plan: &mut Plan,
) -> Result<(), StoreError> {
    let mut groups = Groups(Vec::new());
    for place in new {
        let KnownCandidate { group, group_expect, .. } = &known.candidates[*place];
        if let Some((id, _)) =
            candidates[*place].group.filter(|(id, _)| !groups.0.iter().any(|(known, ..)| known == id))
        {
            groups.0.push((id, group.clone(), *group_expect, false));
        }
    }
    let judged: Result<Vec<Judged>, StoreError> =
        new.iter().map(|place| judge(*place, &candidates[*place], &ids[*place], &mut groups, now)).collect();
    let mut judged = judged?;
    // In the order of the rules.
    judged.sort_by_key(|judged| judged.place);
    let leader = policy::leader(judged.iter().map(|judged| (candidates[judged.place].finding.severity, judged.going)));
    let claims: Vec<(Claim, Option<Put>)> = match leader.map(|leader| &judged[leader]) {
        None => match hold_back(&judged, candidates, now, plan)? {
            Some(claims) => claims,
            // Nothing is written before every roll-up has been ordered.
            None => return Ok(()),
        },
        Some(leader) => {
            let (leader, lead) = (leader.place, leader.decision.shown_in());
            let is_opened = |opener: &ClaimId| new.iter().any(|place| ids[*place] == *opener);
            for Judged { decision, .. } in &mut judged {
                if decision.lead.is_none() && decision.alert != lead.alert && is_opened(&decision.opener) {
                    decision.lead = Some(lead.clone());
                }
            }
            groups.lead(&lead, is_opened);
            // One message names one silence.
            let announces = judged.iter().find_map(|judged| match &known.silencing[judged.place] {
                Silencing::Announces(announces) => Some((judged.place, announces.clone())),
                _ => None,
            });
            if let Some((place, announces)) = announces {
                plan.puts.push(announces.put(&ids[leader], candidates[place].finding, lead.clone())?);
                name(&mut judged, leader, announces);
            }
            let mut claims = Vec::with_capacity(judged.len());
            for judged in &judged {
                let told = groups.tell(judged, &candidates[judged.place])?;
                claims.push((merged(judged, leader, (candidates, ids, new), plan), told));
            }
            claims
        }
    };
    for (Judged { place, .. }, (claim, entry)) in judged.iter().zip(claims) {
        let (KnownCandidate { claim_key, claim_expect, shared, .. }, id) = (&known.candidates[*place], &ids[*place]);
        plan.puts.push(claim_put(claim_key, *claim_expect, &claim, now)?);
        plan.puts.extend(entry);
        if let Some(put) = candidates[*place].group.and_then(|(id, _)| groups.put(id).transpose()) {
            plan.puts.push(put?);
        }
        if let Some((key, expect, _)) = shared {
            let call = SharedCall { finding: id.clone(), severity: candidates[*place].finding.severity };
            let (key, expires) = (key.clone(), claim_expires(now));
            plan.puts.push(Put { key, expect: *expect, attributes: attributes(&call)?, expires });
        }
    }
    Ok(())
}

/// Asks the throttle.
fn judge(
    place: usize,
    candidate: &Candidate<'_>,
    id: &ClaimId,
    groups: &mut Groups<'_>,
    now: Timestamp,
) -> Result<Judged, StoreError> {
    let Candidate { finding, channel, .. } = *candidate;
    let of_incident = candidate.group.and_then(|(_, holding)| match holding {
        Holding::Incident(_) => Some(IncidentFinding::new(finding)),
        Holding::Throttle(_) => None,
    });
    let judged = |going, decision, held_back_in| Judged { place, going, decision, held_back_in, of_incident };
    let known = candidate.group.and_then(|(group, holding)| {
        let known = groups.0.iter_mut().find(|(known, ..)| *known == group)?;
        Some((group, holding, known))
    });
    let Some((group_id, holding, (_, known, _, has_changed))) = known else {
        return Ok(judged(Going::AsFirst, opening(finding, &format!("{channel}#{}", finding.id)), None));
    };
    if let Some(group) = known
        && group.opener == *id
        && group.window().is_open(holding.length(), now)
    {
        // Its claim was forgotten, not its right.
        return Ok(judged(Going::AsFirst, group.decision(false), None));
    }
    let throttling = match (holding, of_incident) {
        (Holding::Throttle(throttling), _) => throttling,
        (Holding::Incident(length), of_incident) => {
            let of_incident = of_incident.unwrap_or_else(|| IncidentFinding::new(finding));
            return Ok(match incident::judge(known.clone(), length, of_incident, now) {
                IncidentVerdict::Opens(incident) => {
                    let decision = opening(finding, group_id);
                    (*known, *has_changed) = (Some(Group::of_incident(incident, &decision, finding)?), true);
                    judged(Going::AsFirst, decision, None)
                }
                IncidentVerdict::Rises(group, incident) => {
                    let group = Group { raised: Some(finding.severity), ..group.with_incident(incident) };
                    let decision = group.decision(true);
                    (*known, *has_changed) = (Some(group), true);
                    judged(Going::AsRepeat, decision, None)
                }
                IncidentVerdict::HeldBack(group) => judged(Going::HeldBack, group.decision(true), Some(group)),
            });
        }
    };
    match policy::throttle(known.clone(), throttling.length, Repeat::new(finding, throttling.new_targets), now) {
        ThrottleVerdict::Opens(window) => {
            let decision = opening(finding, group_id);
            (*known, *has_changed) = (Some(Group::opened(window, &decision, finding)?), true);
            Ok(judged(Going::AsFirst, decision, None))
        }
        ThrottleVerdict::BreaksThrough(group, window) => {
            let is_no_worse = finding.severity <= group.highest;
            let decision = Decision { is_no_worse, ..group.decision(true) };
            (*known, *has_changed) = (Some(group.with_window(window)), true);
            Ok(judged(Going::AsRepeat, decision, None))
        }
        ThrottleVerdict::HeldBack(group) => Ok(judged(Going::HeldBack, group.decision(true), Some(group))),
    }
}

/// Notes in the decision of the leading finding which silence its message names.
fn name(judged: &mut [Judged], leader: usize, announces: Announces) {
    if let Some(leading) = judged.iter_mut().find(|judged| judged.place == leader) {
        leading.decision.silence = Some(announces.notice);
    }
}

impl Groups<'_> {
    /// Notes in the groups that were opened now where people read of their alerts.
    fn lead(&mut self, lead: &Lead, is_opened: impl Fn(&ClaimId) -> bool) {
        for (_, group, ..) in &mut self.0 {
            if let Some(group) = group.as_mut().filter(|group| is_opened(&group.opener) && group.alert != lead.alert) {
                group.lead = Some(lead.clone());
            }
        }
    }

    /// Notes in its incident that a finding is told, and returns the item that says so; none of what is of no incident.
    fn tell(&mut self, judged: &Judged, candidate: &Candidate<'_>) -> Result<Option<Put>, StoreError> {
        let Some((of_incident, (id, _))) = judged.of_incident.zip(candidate.group) else { return Ok(None) };
        let Some((_, known, _, has_changed)) = self.0.iter_mut().find(|(known, ..)| *known == id) else {
            return Ok(None);
        };
        let told = known.clone().and_then(|group| group.incident().map(|incident| (group, incident)));
        let Some((group, mut incident)) = told else { return Ok(None) };
        incident.note_told(of_incident);
        let group = group.with_incident(incident);
        let item = incident_put(candidate.finding, &group, true)?;
        (*known, *has_changed) = (Some(group), true);
        Ok(Some(item))
    }

    /// What is to be written of a group, once.
    fn put(&mut self, id: &str) -> Result<Option<Put>, StoreError> {
        let Some((id, Some(group), expect, has_changed)) = self.0.iter_mut().find(|(known, ..)| *known == id) else {
            return Ok(None);
        };
        if !std::mem::take(has_changed) {
            return Ok(None);
        }
        let (attributes, expires) = (attributes(group)?, group.ends.plus(WINDOW_GRACE));
        Ok(Some(Put { key: group_key(id), expect: *expect, attributes, expires }))
    }
}

/// The claims of what is held back, each with what it adds to its roll-up.
type HeldBack = Vec<(Claim, Option<Put>)>;

/// Each is held back: the claims that say so, each with what it adds to its roll-up; none if a roll-up has still to be ordered.
fn hold_back(
    judged: &[Judged],
    candidates: &[Candidate<'_>],
    now: Timestamp,
    plan: &mut Plan,
) -> Result<Option<HeldBack>, StoreError> {
    let mut ordered: Vec<&AlertId> = Vec::new();
    for Judged { place, held_back_in, .. } in judged {
        plan.admissions[*place] = Admission::Throttled;
        let Some(group) = held_back_in.as_ref().filter(|group| !ordered.contains(&&group.alert)) else { continue };
        let updates = group.incident().map(|incident| incident.orders(of_alert(judged, &group.alert), now));
        if updates.as_ref().map_or(group.roll_up_scheduled, UpdateOrders::is_empty) {
            continue;
        }
        ordered.push(&group.alert);
        let (alert, finding) = (group.alert.clone(), group.opener_finding()?);
        let order = RollUpOrder { alert, ends: group.ends, finding, lead: group.lead.clone(), updates, silence: None };
        plan.admissions[*place] = Admission::ScheduleRollUp(Box::new(order));
    }
    if !ordered.is_empty() {
        plan.puts.clear();
        return Ok(None);
    }
    let mut claims = Vec::with_capacity(judged.len());
    for Judged { place, decision, held_back_in, .. } in judged {
        let (Candidate { finding, lease, .. }, Some(group)) = (candidates[*place], held_back_in) else { continue };
        let held = Claim::held(decision.clone(), lease, Vec::new());
        // The group's item is not written: in a storm everybody would wait for it. Each repeat has an item of its own, which
        // makes counting it twice impossible.
        let entry = if group.opened.is_some() {
            incident_put(finding, group, false)?
        } else {
            entry_put(finding, group, attributes(&sum_of(finding))?)
        };
        claims.push((Claim { done: Some(DoneAs::Throttled), ..held }, Some(entry)));
    }
    Ok(Some(claims))
}

/// What the incident of an alert looks at in those of its findings that are held back.
fn of_alert<'j>(judged: &'j [Judged], alert: &'j AlertId) -> impl Iterator<Item = IncidentFinding> + 'j {
    let of_alert =
        judged.iter().filter(move |judged| judged.held_back_in.as_ref().is_some_and(|group| group.alert == *alert));
    of_alert.filter_map(|judged| judged.of_incident)
}

/// The item of a finding of an incident.
fn incident_put(finding: &Finding, group: &Group, told: bool) -> Result<Put, StoreError> {
    let item = IncidentItem { rule: finding.rule.id.clone(), told, one: sum_of(finding) };
    Ok(entry_put(finding, group, attributes(&item)?))
}

/// An item of a finding in its alert.
fn entry_put(finding: &Finding, group: &Group, attributes: Attributes) -> Put {
    let key = ItemKey::new(repeats(&group.alert), finding.id.as_str());
    Put { key, expect: Expect::Anything, attributes, expires: group.ends.plus(SUM_GRACE) }
}

fn sum_of(finding: &Finding) -> RollUp {
    let mut one = RollUp::default();
    one.add(finding);
    one
}

/// The claim of one that is told in the message of the candidate at the place `leader`, or leads that message.
fn merged(
    judged: &Judged,
    leader: usize,
    (candidates, ids, new): (&[Candidate<'_>], &[ClaimId], &[usize]),
    plan: &mut Plan,
) -> Claim {
    let Judged { place, going, decision, .. } = judged;
    let lease = candidates[*place].lease;
    if *place == leader {
        plan.admissions[*place] = Admission::Send(decision.clone());
        let with = (0..ids.len()).filter(|other| *other != leader && new.contains(other));
        return Claim::held(decision.clone(), lease, with.map(|other| ids[other].clone()).collect());
    }
    // Should it go out alone after all, it is no worse than those before it.
    let decision = Decision { is_no_worse: decision.is_no_worse || *going == Going::HeldBack, ..decision.clone() };
    plan.admissions[*place] = Admission::Merged(leader, decision.clone());
    Claim { leader: Some(ids[leader].clone()), ..Claim::held(decision, lease, Vec::new()) }
}

fn claim_put(key: &ItemKey, expect: Expect, claim: &Claim, now: Timestamp) -> Result<Put, StoreError> {
    Ok(Put { key: key.clone(), expect, attributes: attributes(claim)?, expires: claim_expires(now) })
}

fn opening(finding: &Finding, group: &str) -> Decision {
    let alert = AlertId::new(&finding.rule.id, group, &finding.id);
    Decision::opening(alert, ClaimId::from(&finding.id))
}
