//! Whether a finding goes out on a channel: it opens an alert, or is a repeat of one that is open.

use std::time::Duration;

use super::item::{AFTERMATH, Claim, Group, How, MEMORY, Ticket, attributes, claim_key, group_key, read, repeats};
use super::store::{Attributes, Expect, Fault, Key, Put, Store};
use super::sum::RollUpOrder;
use super::{Ledger, TRIES, lost, pause};
use crate::alert::RollUp;
use crate::finding::Finding;
use crate::ids::AlertId;
use crate::ids::FindingId;
use crate::time::Timestamp;

/// A finding on its way to a channel.
#[derive(Debug, Clone, Copy)]
pub struct Candidate<'a> {
    /// The finding.
    pub finding: &'a Finding,
    /// The channel's name.
    pub channel: &'a str,
    /// What makes two findings repeats of one another on this channel, as a hash, and for how long; none: every finding goes
    /// out.
    pub group: Option<(&'a str, Duration)>,
    /// When our claim is to end.
    pub lease: Timestamp,
}

/// What becomes of a [`Candidate`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admission {
    /// It goes out, and it is ours to send until the lease ends.
    Send(Ticket),
    /// As [`Admission::Send`], and it was somebody's before, who has died or handed it back.
    SendAgain(Ticket),
    /// It goes out, and somebody else is sending it, who will have ended by then.
    Held(Ticket, Timestamp),
    /// It is a repeat, the first that is held back: order the roll-up, [say so](Ledger::announced), and ask again.
    Announce(Box<RollUpOrder>),
    /// It is a repeat, held back and counted.
    Throttled,
    /// It was done with before.
    Duplicate,
}

/// What is written if nothing has changed since it was read.
type Plan = (Admission, Vec<(Key, Expect, Attributes, Timestamp)>);

impl<S: Store> Ledger<S> {
    /// Decides what becomes of a finding on a channel, and claims it if it goes out. Asked again, the answer is the same, but
    /// for what has been done meanwhile.
    ///
    /// # Errors
    /// That the store does not answer.
    pub async fn admit(&self, candidate: &Candidate<'_>, now: Timestamp) -> Result<Admission, Fault> {
        let mut keys = vec![claim_key(&candidate.finding.id, candidate.channel)];
        keys.extend(candidate.group.map(|(group, _)| group_key(group)));
        for attempt in 0..TRIES {
            let mut items = self.store.get(&keys).await?.into_iter();
            let (claim_item, group_item) = (items.next().flatten(), items.next().flatten());
            let (claim, group) = (read(claim_item.as_ref(), now)?, read(group_item.as_ref(), now)?);
            let expect = (Expect::same(claim_item.as_ref()), Expect::same(group_item.as_ref()));
            let (admission, writes) = plan(candidate, claim, group, expect, now)?;
            let puts: Vec<Put> = writes
                .into_iter()
                .map(|(key, expect, attributes, expires)| Put { key, expect, attributes, expires })
                .collect();
            if puts.is_empty() || self.store.put(puts).await? {
                return Ok(admission);
            }
            pause(attempt, &candidate.finding.id).await;
        }
        Err(lost())
    }

    /// Notes that a roll-up has been ordered. That another noted it first is as good.
    ///
    /// # Errors
    /// That the store does not answer.
    pub async fn announced(&self, group: &str, order: &RollUpOrder, now: Timestamp) -> Result<(), Fault> {
        for attempt in 0..TRIES {
            let key = group_key(group);
            let item = self.get(&key).await?;
            let Some(window) = read::<Group>(item.as_ref(), now)?.filter(|w| w.alert == order.alert && !w.announced)
            else {
                return Ok(());
            };
            let expires = window.ends.plus(AFTERMATH);
            if self.write(key, Expect::same(item.as_ref()), &Group { announced: true, ..window }, expires).await? {
                return Ok(());
            }
            pause(attempt, &order.finding.id).await;
        }
        Err(lost())
    }
}

/// The whole decision, of what was read.
fn plan(
    candidate: &Candidate<'_>,
    claim: Option<Claim>,
    group: Option<Group>,
    (claim_expect, group_expect): (Expect, Expect),
    now: Timestamp,
) -> Result<Plan, Fault> {
    let Candidate { finding, channel, lease, .. } = *candidate;
    let claims = |ticket: &Ticket, done: Option<How>| {
        let claim = Claim { ticket: ticket.clone(), until: lease, done, receipt: None };
        Ok((claim_key(&finding.id, channel), claim_expect, attributes(&claim)?, now.plus(MEMORY)))
    };
    match claim {
        Some(Claim { done: Some(_), .. }) => return Ok((Admission::Duplicate, Vec::new())),
        Some(Claim { ticket, until, .. }) if until > now => return Ok((Admission::Held(ticket, until), Vec::new())),
        // Whoever claimed it has died, or handed it back. What was decided then holds.
        Some(Claim { ticket, .. }) => {
            let write = claims(&ticket, None)?;
            return Ok((Admission::SendAgain(ticket), vec![write]));
        }
        None => {}
    }
    let Some((group_id, window)) = candidate.group else {
        let ticket = opening(finding, &format!("{channel}#{}", finding.id));
        let write = claims(&ticket, None)?;
        return Ok((Admission::Send(ticket), vec![write]));
    };
    let expect_group = |group: &Group, expect: Expect| {
        Ok((group_key(group_id), expect, attributes(group)?, group.ends.plus(AFTERMATH)))
    };
    match group.filter(|group| group.ends > now) {
        None => {
            let ticket = opening(finding, group_id);
            let opened = Group {
                alert: ticket.alert.clone(),
                opener: finding.id.clone(),
                ends: now.plus(window),
                highest: finding.severity,
                announced: false,
                finding: serde_json::to_string(&finding.brief()).map_err(|error| Fault(error.to_string()))?,
            };
            let writes = vec![claims(&ticket, None)?, expect_group(&opened, group_expect)?];
            Ok((Admission::Send(ticket), writes))
        }
        // Its claim was forgotten, not its right.
        Some(group) if group.opener == finding.id => {
            let ticket = Ticket { alert: group.alert, opener: group.opener, repeat: false };
            let write = claims(&ticket, None)?;
            Ok((Admission::Send(ticket), vec![write]))
        }
        Some(group) if finding.severity > group.highest => {
            let ticket = Ticket { alert: group.alert.clone(), opener: group.opener.clone(), repeat: true };
            let raised = Group { highest: finding.severity, ..group };
            let writes = vec![claims(&ticket, None)?, expect_group(&raised, group_expect)?];
            Ok((Admission::Send(ticket), writes))
        }
        Some(group) if !group.announced => {
            let order = RollUpOrder { alert: group.alert.clone(), ends: group.ends, finding: group.opener_finding()? };
            Ok((Admission::Announce(Box::new(order)), Vec::new()))
        }
        Some(group) => {
            let mut one = RollUp::default();
            one.add(finding);
            let entry = Key::new(repeats(&group.alert), finding.id.as_str());
            let expires = group.ends.plus(AFTERMATH);
            let ticket = Ticket { alert: group.alert, opener: group.opener, repeat: true };
            // The group's item is not written: in a storm everybody would wait for it. Each repeat has an item of its own,
            // which makes counting it twice impossible.
            let writes =
                vec![claims(&ticket, Some(How::Throttled))?, (entry, Expect::Anything, attributes(&one)?, expires)];
            Ok((Admission::Throttled, writes))
        }
    }
}

fn opening(finding: &Finding, group: &str) -> Ticket {
    let opener: FindingId = finding.id.clone();
    Ticket { alert: AlertId::new(&finding.rule.id, group, &opener), opener, repeat: false }
}
