//! What every sequence of events must leave behind, whatever dies in between.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use proptest::prelude::*;

use super::policy::{GuardVerdict, Holding, Throttling};
use super::windows::OpenWindows;
use super::*;
use crate::alert::AlertDigest;
use crate::finding::{Finding, FirstSeen};
use crate::ids::{AlertId, ClaimId};
use crate::ids::{FindingId, StableId};
use crate::rules::{NewTargets, RuleInfo};
use crate::severity::Severity;
use crate::time::Timestamp;

const MINUTE: Duration = Duration::from_mins(1);
/// How repeats are held back.
const HOLDING: Holding =
    Holding::Throttle(Throttling { length: Duration::from_mins(5), new_targets: NewTargets::Sent });

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000 + seconds * 1000)
}

fn finding(name: &str, severity: Severity) -> Finding {
    let rule = Arc::new(RuleInfo { id: "R".to_owned(), ..RuleInfo::default() });
    let mut finding =
        Finding { rule, severity, ..Finding::test(Arc::from("rules"), "2026-01-10T11:32:44Z".to_owned()) };
    finding.id = FindingId::from(StableId::hash(&[name]));
    finding.call.actor = Some(name.to_owned());
    finding
}

fn candidate(finding: &Finding, now: Timestamp) -> Candidate<'_> {
    Candidate {
        finding,
        channel: "soc",
        group: Some(("g", HOLDING)),
        may_be_silenced: true,
        lease: now.plus(MINUTE / 2),
    }
}

/// Asks until the roll-up has been ordered, as the handler does.
async fn admit<S: Store>(
    ledger: &Ledger<S>,
    finding: &Finding,
    now: Timestamp,
) -> Result<(Admission, bool), StoreError> {
    let (mut admissions, ordered) = admit_together(ledger, &[candidate(finding, now)], now).await?;
    Ok((admissions.pop().unwrap(), ordered))
}

/// The same of the findings of one record.
async fn admit_together<S: Store>(
    ledger: &Ledger<S>,
    candidates: &[Candidate<'_>],
    now: Timestamp,
) -> Result<(Vec<Admission>, bool), StoreError> {
    let mut ordered = false;
    loop {
        let admissions = ledger.admit(candidates, now).await?;
        let orders = admissions.iter().zip(candidates).filter_map(|(admission, candidate)| match admission {
            Admission::ScheduleRollUp(order) => Some((order, candidate.group.unwrap().0)),
            _ => None,
        });
        let orders: Vec<_> = orders.collect();
        if orders.is_empty() {
            return Ok((admissions, ordered));
        }
        for (order, group) in orders {
            ledger.roll_up_scheduled(group, order, None, now).await?;
        }
        ordered = true;
    }
}

#[tokio::test]
async fn the_first_opens_and_the_rest_are_rolled_up() {
    let ledger = Ledger::new(MemoryStore::default());
    let (first, second) = (finding("a", Severity::Low), finding("b", Severity::Low));
    let (Admission::Send(decision), false) = admit(&ledger, &first, at(0)).await.unwrap() else { panic!("not sent") };
    assert_eq!((decision.is_repeat, &decision.opener), (false, &ClaimId::from(&first.id)));
    ledger
        .delivered(DeliveryKey::new(&ClaimId::from(&first.id), "soc"), &decision, Some("ts".to_owned()), at(1))
        .await
        .unwrap();
    assert_eq!(admit(&ledger, &second, at(2)).await.unwrap(), (Admission::Throttled, true));
    for (finding, now) in [(&first, 3), (&second, 3), (&first, 4000), (&second, 4000)] {
        assert_eq!(admit(&ledger, finding, at(now)).await.unwrap(), (Admission::Duplicate, false));
    }
    assert_eq!(admit(&ledger, &finding("c", Severity::Low), at(299)).await.unwrap(), (Admission::Throttled, false));
    let sum = ledger.roll_up(&decision.alert, at(400)).await.unwrap();
    assert_eq!((sum.count, sum.actors.shown()), (2, &["b".to_owned(), "c".to_owned()][..]));
    assert_eq!(
        ledger.receipt(DeliveryKey::new(&ClaimId::from(&first.id), "soc"), at(400)).await.unwrap().as_deref(),
        Some("ts")
    );
    // The window is over: a new alert.
    let (Admission::Send(next), _) = admit(&ledger, &finding("d", Severity::Low), at(300)).await.unwrap() else {
        panic!()
    };
    assert_ne!(next.alert, decision.alert);
}

/// Keeps what another store keeps, and counts what it is asked.
#[derive(Default)]
struct Counting {
    store: MemoryStore,
    reads: AtomicUsize,
    writes: AtomicUsize,
}

impl Store for Counting {
    async fn get(&self, keys: &[ItemKey]) -> Result<Vec<Option<StoredItem>>, StoreError> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        self.store.get(keys).await
    }

    async fn write(&self, puts: Vec<Put>) -> Result<Written, StoreError> {
        self.writes.fetch_add(1, Ordering::Relaxed);
        self.store.write(puts).await
    }

    async fn count(&self, key: ItemKey, expires: Timestamp) -> Result<u64, StoreError> {
        self.store.count(key, expires).await
    }

    async fn query(
        &self,
        partition: &str,
        between: (&str, &str),
        backwards: bool,
        limit: usize,
    ) -> Result<Vec<(String, StoredItem)>, StoreError> {
        self.store.query(partition, between, backwards, limit).await
    }
}

/// A finding of the pair `Admin` and `TestAlert`, of the event of this name.
fn of_pair(event: &str) -> Finding {
    let mut finding = finding(event, Severity::Low);
    (finding.call.account, finding.call.principal) = (Some("1".to_owned()), Some("Admin".to_owned()));
    finding.call.event_id = Some(event.to_owned());
    finding
}

#[tokio::test]
async fn who_came_first_is_the_same_for_retries_copies_channels_and_rules() {
    let ledger = Ledger::new(MemoryStore::default());
    // A copy of the function knows what it has asked itself.
    let copies = [Sightings::default(), Sightings::default()];
    let [first, second] = ["a", "b"].map(of_pair);
    let happened = first.call.time().unwrap();
    let is_now = |is_now| Some(FirstSeen { is_now, at: happened });
    for copy in &copies {
        assert_eq!(copy.first_seen(&ledger, &first, at(0)).await, is_now(true));
        assert_eq!(copy.first_seen(&ledger, &second, at(1)).await, is_now(false));
        // A retry, when others have come.
        assert_eq!(copy.first_seen(&ledger, &first, at(2)).await, is_now(true));
    }
    // Another rule that the same event matched.
    let mut of_rule = of_pair("a");
    of_rule.id = FindingId::from(StableId::hash(&["another rule"]));
    assert_eq!(copies[0].first_seen(&ledger, &of_rule, at(3)).await, is_now(true));
    // Another account, another principal, another event.
    let changes: [fn(&mut Finding); 3] = [
        |finding| finding.call.account = Some("2".into()),
        |finding| finding.call.principal = Some("x".into()),
        |finding| finding.call.event = Some("x".into()),
    ];
    for change in changes {
        let mut other = of_pair("c");
        change(&mut other);
        assert_eq!(copies[0].first_seen(&ledger, &other, at(3)).await, is_now(true));
    }
    // What names nobody belongs to no pair.
    let nobody = finding("d", Severity::Low);
    assert_eq!(copies[0].first_seen(&ledger, &nobody, at(3)).await, None);
}

#[tokio::test]
async fn a_pair_is_remembered_for_thirty_days_after_its_last_finding() {
    const DAY: u64 = 24 * 3600;
    let ledger = Ledger::new(MemoryStore::default());
    let is_first = async |event: &str, days: u64| {
        // Each time another copy.
        let seen = Sightings::default().first_seen(&ledger, &of_pair(event), at(days * DAY)).await;
        seen.unwrap().is_now
    };
    assert!(is_first("a", 0).await);
    assert!(!is_first("b", 29).await);
    assert!(!is_first("c", 58).await);
    assert!(is_first("d", 88).await);
}

/// Keeps who came first, if it answers, and counts how often it was asked.
struct Asked {
    store: MemoryStore,
    answers: AtomicBool,
    count: AtomicUsize,
}

impl Store for Asked {
    async fn get(&self, keys: &[ItemKey]) -> Result<Vec<Option<StoredItem>>, StoreError> {
        self.store.get(keys).await
    }

    async fn write(&self, puts: Vec<Put>) -> Result<Written, StoreError> {
        self.store.write(puts).await
    }

    async fn count(&self, key: ItemKey, expires: Timestamp) -> Result<u64, StoreError> {
        self.store.count(key, expires).await
    }

    async fn keep_first(
        &self,
        key: ItemKey,
        attributes: Attributes,
        now: Timestamp,
        expires: Timestamp,
    ) -> Result<Option<Attributes>, StoreError> {
        self.count.fetch_add(1, Ordering::Relaxed);
        tokio::task::yield_now().await;
        // What it was asked is done, also where its answer is lost.
        let kept = self.store.keep_first(key, attributes, now, expires).await;
        if self.answers.load(Ordering::Relaxed) { kept } else { Err(StoreError("no answer".to_owned())) }
    }

    async fn query(
        &self,
        partition: &str,
        between: (&str, &str),
        backwards: bool,
        limit: usize,
    ) -> Result<Vec<(String, StoredItem)>, StoreError> {
        self.store.query(partition, between, backwards, limit).await
    }
}

#[tokio::test]
async fn a_storm_of_one_pair_asks_once_an_hour_and_a_fault_is_asked_again() {
    let asked = Asked { store: MemoryStore::default(), answers: AtomicBool::new(false), count: AtomicUsize::new(0) };
    let ledger = Ledger::new(asked);
    let seen = Sightings::default();
    assert_eq!(seen.first_seen(&ledger, &of_pair("a"), at(0)).await, None);
    ledger.store().answers.store(true, Ordering::Relaxed);
    // The answer was lost, and what was written was not.
    assert!(seen.first_seen(&ledger, &of_pair("a"), at(1)).await.unwrap().is_now);
    let events: Vec<Finding> = (0..1000).map(|number| of_pair(&number.to_string())).collect();
    let storm = events.iter().map(|finding| seen.first_seen(&ledger, finding, at(2)));
    let firsts = futures_util::future::join_all(storm).await.into_iter().filter(|seen| seen.unwrap().is_now).count();
    assert_eq!((firsts, ledger.store().count.load(Ordering::Relaxed)), (0, 2));
    assert!(!seen.first_seen(&ledger, &of_pair("b"), at(3600)).await.unwrap().is_now);
    assert_eq!(ledger.store().count.load(Ordering::Relaxed), 3);
    // Where what is kept ends with the process, nobody says that anything is the first.
    let forgetful = Ledger::new(Counting::default());
    assert_eq!(Sightings::default().first_seen(&forgetful, &of_pair("a"), at(0)).await, None);
}

fn shared(name: &str, call: &str, severity: Severity) -> Finding {
    let mut finding = finding(name, severity);
    finding.call.shared_event_id = Some(call.to_owned());
    finding
}

#[tokio::test]
async fn a_call_that_two_accounts_record_is_told_once_unless_the_second_is_worse() {
    let ledger = Ledger::new(Counting::default());
    let asked = || (ledger.store().reads.load(Ordering::Relaxed), ledger.store().writes.load(Ordering::Relaxed));
    let callers = shared("caller's", "call", Severity::Low);
    let owners = shared("owner's", "call", Severity::Low);
    assert!(matches!(admit(&ledger, &callers, at(0)).await.unwrap().0, Admission::Send(_)));
    // As many requests as for a call that one account records.
    assert_eq!(asked(), (0, 1));
    assert_eq!(admit(&ledger, &owners, at(1)).await.unwrap().0, Admission::Duplicate);
    assert_eq!(asked(), (1, 1));
    // Whoever has died sends what is its own.
    assert!(matches!(admit(&ledger, &callers, at(31)).await.unwrap().0, Admission::SendAgain(_)));
    // Of the caller's rule it was low, and of the owner's it is high.
    let worse = shared("worse", "call", Severity::High);
    assert!(matches!(admit(&ledger, &worse, at(32)).await.unwrap().0, Admission::Send(_)));
    assert_eq!(
        admit(&ledger, &shared("third", "call", Severity::Medium), at(33)).await.unwrap().0,
        Admission::Duplicate
    );
    // The end of an insight shares its id with the begin.
    let mut insight = shared("insight", "call", Severity::Low);
    insight.call.event_type = Some("AwsCloudTrailInsight".to_owned());
    assert_eq!(admit(&ledger, &insight, at(33)).await.unwrap().0, Admission::Throttled);
    // Another call, another channel, and another rule are told of.
    let other = shared("other", "another call", Severity::High);
    assert_eq!(admit(&ledger, &other, at(34)).await.unwrap().0, Admission::Throttled);
    let elsewhere = Candidate { channel: "topic", ..candidate(&owners, at(35)) };
    assert_ne!(ledger.admit(&[elsewhere], at(35)).await.unwrap(), [Admission::Duplicate]);
    let mut of_another_rule = owners.clone();
    of_another_rule.rule = Arc::new(RuleInfo { id: "Q".to_owned(), ..RuleInfo::default() });
    of_another_rule.id = FindingId::from(StableId::hash(&["Q"]));
    let ungrouped = Candidate { group: None, ..candidate(&of_another_rule, at(36)) };
    assert!(matches!(ledger.admit(&[ungrouped], at(36)).await.unwrap()[..], [Admission::Send(_)]));
}

/// What is new is claimed without a look; and what stands there is told where it is not new. Who knows of a window looks first.
#[tokio::test]
async fn who_knows_nothing_claims_without_a_look() {
    let ledger = Ledger::new(Counting::default());
    let other_copy = OpenWindows::new();
    let asked = || {
        let Counting { reads, writes, .. } = ledger.store();
        (reads.swap(0, Ordering::Relaxed), writes.swap(0, Ordering::Relaxed))
    };
    let [first, second, third] = ["a", "b", "c"].map(|name| finding(name, Severity::Low));
    assert!(matches!(admit(&ledger, &first, at(0)).await.unwrap().0, Admission::Send(_)));
    assert_eq!(asked(), (0, 1));
    let remembered = Remembered { windows: &other_copy, ..ledger.remembered() };
    let admitted = ledger.admit_with(&[candidate(&second, at(1))], remembered, at(1)).await.unwrap();
    let [Admission::ScheduleRollUp(order)] = &admitted[..] else { panic!("{admitted:?}") };
    assert_eq!(asked(), (0, 1), "in vain, and told what stands there");
    ledger.roll_up_scheduled("g", order, None, at(1)).await.unwrap();
    assert_eq!(asked(), (1, 1));
    for (repeat, writes) in [(&second, 1), (&third, 1)] {
        let admitted = ledger.admit_with(&[candidate(repeat, at(2))], remembered, at(2)).await.unwrap();
        assert_eq!(admitted, [Admission::Throttled]);
        assert_eq!(asked(), (1, writes), "it knows of the window by now");
    }
    let admitted = ledger.admit_with(&[candidate(&first, at(2))], remembered, at(2)).await.unwrap();
    assert!(matches!(admitted[..], [Admission::Held(..)]));
    assert_eq!(asked(), (1, 0));
}

#[tokio::test]
async fn what_is_worse_breaks_through_and_belongs_to_the_alert() {
    let ledger = Ledger::new(MemoryStore::default());
    let (Admission::Send(first), _) = admit(&ledger, &finding("a", Severity::Low), at(0)).await.unwrap() else {
        panic!()
    };
    let worse = finding("b", Severity::High);
    let (Admission::Send(repeat), _) = admit(&ledger, &worse, at(1)).await.unwrap() else { panic!() };
    assert_eq!((repeat.is_repeat, &repeat.alert), (true, &first.alert));
    assert_eq!(admit(&ledger, &finding("c", Severity::High), at(2)).await.unwrap().0, Admission::Throttled);
    // It died before it was sent: it may still be, although nothing is worse than it any more.
    assert_eq!(admit(&ledger, &worse, at(3)).await.unwrap().0, Admission::Held(repeat.clone(), at(31)));
    assert_eq!(admit(&ledger, &worse, at(31)).await.unwrap().0, Admission::SendAgain(repeat));
}

#[tokio::test]
async fn an_opener_that_died_is_sent_even_when_another_window_is_open() {
    let ledger = Ledger::new(MemoryStore::default());
    let opener = finding("a", Severity::Low);
    let (Admission::Send(decision), _) = admit(&ledger, &opener, at(0)).await.unwrap() else { panic!() };
    assert!(matches!(admit(&ledger, &finding("b", Severity::Low), at(400)).await.unwrap().0, Admission::Send(_)));
    assert_eq!(admit(&ledger, &opener, at(401)).await.unwrap().0, Admission::SendAgain(decision));
}

#[tokio::test]
async fn claims_end_with_their_lease_and_what_is_done_stays_done() {
    let ledger = Ledger::new(MemoryStore::default());
    let id = ClaimId::from(StableId::hash(&["a"]));
    let decision = Decision::opening(AlertId::from(id.clone()), id.clone());
    let claim = async |now| ledger.claim(DeliveryKey::new(&id, "soc"), &decision, at(now), at(now + 30)).await.unwrap();
    assert_eq!(
        (claim(0).await, claim(29).await, claim(30).await),
        (Claimed::Ours, Claimed::Held(at(30)), Claimed::Ours)
    );
    ledger.release(DeliveryKey::new(&id, "soc"), &decision, at(31)).await.unwrap();
    assert_eq!(claim(31).await, Claimed::Ours);
    // Whoever sent it says so, even if another claims it by now.
    ledger.delivered(DeliveryKey::new(&id, "soc"), &decision, None, at(32)).await.unwrap();
    ledger.release(DeliveryKey::new(&id, "soc"), &decision, at(33)).await.unwrap();
    assert_eq!((claim(34).await, claim(13 * 24 * 3600).await), (Claimed::Done, Claimed::Done));
    let (_, first) = ledger.claim_operational("soc", at(0), at(30)).await.unwrap();
    let (_, again) = ledger.claim_operational("soc", at(1), at(30)).await.unwrap();
    let (_, next_hour) = ledger.claim_operational("soc", at(3600), at(3630)).await.unwrap();
    assert_eq!((first, again, next_hour), (Claimed::Ours, Claimed::Held(at(30)), Claimed::Ours));
}

#[tokio::test]
async fn alerts_that_are_too_many_are_counted_for_one_digest() {
    let ledger = Ledger::new(MemoryStore::default());
    let decision = |finding: &Finding| {
        let opener = ClaimId::from(&finding.id);
        Decision::opening(AlertId::from(opener.clone()), opener)
    };
    let findings: Vec<Finding> = (0..5).map(|number| finding(&number.to_string(), Severity::Low)).collect();
    let guard_alert = async |severity| ledger.guard_alert("soc", severity, 3, at(0)).await.unwrap();
    let mut verdicts = Vec::new();
    for finding in &findings {
        verdicts.push(guard_alert(finding.severity).await);
    }
    assert_eq!(verdicts, [[GuardVerdict::Sends; 3].as_slice(), &[GuardVerdict::Digests; 2]].concat());
    assert_eq!(guard_alert(Severity::Extreme).await, GuardVerdict::Sends);
    // What comes from a queue is counted later.
    let guard_queued = async |most, time| ledger.guard_queued("soc", Severity::Low, most, at(time)).await.unwrap();
    for (most, time, expected) in [
        (5, 0, GuardVerdict::Digests),
        (6, 0, GuardVerdict::Sends),
        (6, 1, GuardVerdict::Sends),
        (1, 60, GuardVerdict::Sends),
    ] {
        assert_eq!(guard_queued(most, time).await, expected, "{most} {time}");
    }
    let minute = policy::minute_of(at(0));
    let digest = async |finding: &Finding| {
        let one = AlertDigest::from_rule(&finding.rule.id, finding.severity, None, 1);
        ledger
            .digest(DeliveryKey::new(&ClaimId::from(&finding.id), "soc"), minute, &decision(finding), &one, at(1))
            .await
            .unwrap()
    };
    assert_eq!(digest(&findings[0]).await, DigestAdmission::ScheduleDigest);
    ledger.digest_scheduled("soc", minute, at(1)).await.unwrap();
    for finding in findings.iter().chain(&findings) {
        assert_eq!(digest(finding).await, DigestAdmission::Digested);
        assert_eq!(admit(&ledger, finding, at(2)).await.unwrap().0, Admission::Duplicate);
    }
    let sum = ledger.digest_of("soc", minute, at(100)).await.unwrap();
    assert_eq!((sum.count, sum.rules), (5, BTreeMap::from([("R".to_owned(), 5)])));
}

#[tokio::test]
async fn thresholds_slide_by_the_events_time_and_count_each_once() {
    let ledger = Ledger::new(MemoryStore::default());
    let is_reached = async |id: &str, name: &str, seconds: u64, distinct: Option<&[String]>| {
        let finding = FindingId::from(StableId::hash(&[name]));
        let occurrence =
            Occurrence { id, finding: &finding, at: at(seconds), count: 3, window: Duration::from_mins(10), distinct };
        ledger.record_occurrence(&occurrence, at(5000)).await.unwrap()
    };
    // Out of order, and each of them twice.
    let mut reached = Vec::new();
    for (name, seconds) in [("a", 0), ("b", 601), ("a", 0), ("c", 1300), ("b", 601), ("d", 700)] {
        reached.push(is_reached("t", name, seconds, None).await);
    }
    assert_eq!(reached, [false, false, false, false, false, false]);
    assert!(is_reached("t", "e", 1201, None).await && !is_reached("other", "e", 1201, None).await);
    let value = |text: &str| vec![text.to_owned()];
    for (name, user) in [("1", "ann"), ("2", "ann"), ("3", "bob"), ("4", "ann")] {
        assert!(!is_reached("d", name, 10, Some(&value(user))).await, "{name}");
    }
    assert!(!is_reached("d", "5", 10, Some(&[])).await && is_reached("d", "6", 20, Some(&value("eve"))).await);
}

#[tokio::test(start_paused = true)]
async fn of_many_at_once_one_opens_and_every_other_is_counted() {
    let ledger = Arc::new(Ledger::new(Racing::new(0)));
    let tasks: Vec<_> = (0..50)
        .map(|number| {
            let ledger = Arc::clone(&ledger);
            tokio::spawn(
                async move { admit(&ledger, &finding(&number.to_string(), Severity::Low), at(0)).await.unwrap().0 },
            )
        })
        .collect();
    let mut opened = Vec::new();
    for task in tasks {
        match task.await.unwrap() {
            Admission::Send(decision) => opened.push(decision),
            other => assert_eq!(other, Admission::Throttled),
        }
    }
    assert_eq!(opened.len(), 1);
    assert_eq!(ledger.roll_up(&opened[0].alert, at(1)).await.unwrap().count, 49);
}

/// The findings of one record by three rules, each with a window of its own.
fn of_one_record(record: &str, severities: [Severity; 3]) -> [Finding; 3] {
    let mut number = 0;
    severities.map(|severity| {
        number += 1;
        finding(&format!("{record}, rule {number}"), severity)
    })
}

const GROUPS: [&str; 3] = ["g1", "g2", "g3"];

fn candidates(findings: &[Finding], now: Timestamp) -> Vec<Candidate<'_>> {
    let throttling = HOLDING;
    let own = |(finding, group)| Candidate { group: Some((group, throttling)), ..candidate(finding, now) };
    findings.iter().zip(GROUPS).map(own).collect()
}

/// Admits findings of one record.
async fn together<S: Store>(ledger: &Ledger<S>, findings: &[Finding], now: u64) -> Vec<Admission> {
    admit_together(ledger, &candidates(findings, at(now)), at(now)).await.unwrap().0
}

fn leads(admission: &Admission) -> Decision {
    match admission {
        Admission::Send(decision) | Admission::SendAgain(decision) => decision.clone(),
        other => panic!("{other:?}"),
    }
}

fn is_merged(admission: &Admission, leader: usize) -> bool {
    matches!(admission, Admission::Merged(place, _) if *place == leader)
}

#[tokio::test]
async fn the_most_severe_of_a_record_leads_and_the_others_are_done_when_it_is() {
    use Severity::{High, Low, Medium};
    let ledger = Ledger::new(MemoryStore::default());
    let first = of_one_record("a", [Medium, High, Low]);
    let ids = first.clone().map(|finding| ClaimId::from(&finding.id));
    let admissions = together(&ledger, &first, 0).await;
    let decision = leads(&admissions[1]);
    assert!(is_merged(&admissions[0], 1) && is_merged(&admissions[2], 1), "{admissions:?}");
    // Whoever comes meanwhile finds that another sends all of them.
    let meanwhile = together(&ledger, &first, 1).await;
    assert_eq!(meanwhile[1], Admission::Held(decision.clone(), at(30)));
    assert!(is_merged(&meanwhile[0], 1) && is_merged(&meanwhile[2], 1), "{meanwhile:?}");
    // It dies: whoever comes next has the same message to send.
    let again = together(&ledger, &first, 30).await;
    assert_eq!(again[1], Admission::SendAgain(decision.clone()));
    assert!(is_merged(&again[0], 1) && is_merged(&again[2], 1), "{again:?}");
    let with = [ids[0].clone(), ids[2].clone()];
    let key = DeliveryKey::new(&ids[1], "soc").with(&with);
    ledger.delivered(key, &decision, Some("ts".to_owned()), at(31)).await.unwrap();
    assert_eq!(together(&ledger, &first, 32).await, [const { Admission::Duplicate }; 3]);
    assert_eq!(together(&ledger, &first[..1], 32).await, [Admission::Duplicate]);
    let told = ledger.claims(&ids[0], at(32)).await.unwrap();
    assert_eq!((told[0].1.done, told[0].1.receipt.as_deref()), (Some(DoneAs::Delivered), Some("ts")));
    // Each window is its own: one that is worse takes the others with it, and what is held back alone is rolled up.
    let second = of_one_record("b", [Medium, High, Medium]);
    let admissions = together(&ledger, &second, 33).await;
    assert!(is_merged(&admissions[0], 2) && is_merged(&admissions[1], 2), "{admissions:?}");
    let repeat = leads(&admissions[2]);
    // People have read of the alert in the first message.
    assert_eq!(repeat.lead, Some(Lead { alert: decision.alert.clone(), opener: ids[1].clone() }));
    assert!(repeat.is_repeat && repeat.alert != decision.alert);
    assert_eq!(
        ledger.receipt(DeliveryKey::new(&repeat.shown_in().opener, "soc"), at(33)).await.unwrap().as_deref(),
        Some("ts")
    );
    let third = of_one_record("c", [Low, Low, Low]);
    assert_eq!(together(&ledger, &third, 34).await, [const { Admission::Throttled }; 3]);
    for alert in [&decision.alert, &repeat.alert] {
        assert_eq!(ledger.roll_up(alert, at(400)).await.unwrap().count, 1);
    }
}

#[tokio::test]
async fn two_copies_with_two_sets_of_rules_tell_of_every_finding() {
    use Severity::{High, Low, Medium};
    let of_record = of_one_record("a", [Medium, Low, High]);
    // The one has a rule more than the other.
    let (old, new) = (&of_record[..2], &of_record[..]);
    for is_old_first in [true, false] {
        let ledger = Ledger::new(MemoryStore::default());
        let (first, second) = if is_old_first { (old, new) } else { (new, old) };
        let taken = together(&ledger, first, 0).await;
        // The first dies before it has sent; the second comes meanwhile, and puts what it knows of into the queue.
        let meanwhile = together(&ledger, second, 1).await;
        let later = together(&ledger, second, 40).await;
        if is_old_first {
            assert!(matches!(&meanwhile[0], Admission::Held(..)) && is_merged(&meanwhile[1], 0), "{meanwhile:?}");
            // What the first did not know of is a message of its own.
            leads(&meanwhile[2]);
            assert_eq!(leads(&later[0]), leads(&taken[0]));
            assert!(is_merged(&later[1], 0), "{later:?}");
        } else {
            // Of what is told in the message of a finding that it does not know it tells in messages of its own.
            assert!(meanwhile.iter().all(|admission| matches!(admission, Admission::Held(..))), "{meanwhile:?}");
            later.iter().for_each(|admission| _ = leads(admission));
        }
    }
}

#[tokio::test]
async fn a_message_that_tells_less_does_not_stand_for_one_that_tells_more() {
    use Severity::{High, Low, Medium};
    let ledger = Ledger::new(MemoryStore::default());
    let of_record = of_one_record("a", [High, Medium, Low]);
    let ids = of_record.clone().map(|finding| ClaimId::from(&finding.id));
    let decision = leads(&together(&ledger, &of_record, 0).await[0]);
    // It is handed to the queue. A copy that knows only the leader tells of that.
    let key = DeliveryKey::new(&ids[0], "soc");
    ledger.release(key.with(&ids[1..]), &decision, at(1)).await.unwrap();
    assert!(matches!(together(&ledger, &of_record[..1], 2).await[..], [Admission::SendAgain(_)]));
    ledger.delivered(key, &decision, None, at(3)).await.unwrap();
    assert_eq!(ledger.claim(key, &decision, at(4), at(40)).await.unwrap(), Claimed::Done);
    // The whole of it has still to be told, whoever comes: the event, or the message from the queue.
    let again = together(&ledger, &of_record[1..], 4).await;
    again.iter().for_each(|admission| _ = leads(admission));
    assert_eq!(ledger.claim(key.with(&ids[1..]), &decision, at(5), at(40)).await.unwrap(), Claimed::Ours);
    ledger.delivered(key.with(&ids[1..]), &decision, None, at(6)).await.unwrap();
    assert_eq!(ledger.claim(key.with(&ids[2..]), &decision, at(7), at(40)).await.unwrap(), Claimed::Done);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Any order of findings, repeats, severities and pauses, with a store that fails now and then: in the end every finding
    /// has been sent or counted, exactly one of the two, and never twice.
    #[test]
    fn every_finding_is_sent_or_counted(
        events in prop::collection::vec((0..30_usize, 0..5_usize, 0..40_u64), 1..120), fail_every in 0..5_usize,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let ledger = Ledger::new(Racing::new(fail_every));
            let (mut now, mut sent) = (0, BTreeMap::<FindingId, usize>::new());
            let (mut alerts, mut seen) = (BTreeSet::new(), BTreeMap::new());
            let retry: Vec<_> = events.iter().copied().chain((0..30).map(|which| (which, 0, 100))).collect();
            for (which, severity, wait) in retry {
                now += wait;
                // The severity is the finding's own: it does not change between its copies.
                let severity = *seen.entry(which).or_insert(severity);
                let one = finding(&which.to_string(), Severity::ALL[severity]);
                for attempt in 0..20 {
                    let Ok((admission, _)) = admit(&ledger, &one, at(now)).await else { continue };
                    if let Admission::Held(..) = admission {
                        now += 40;
                        continue;
                    }
                    if let Admission::Send(decision) | Admission::SendAgain(decision) = admission {
                        alerts.insert(decision.alert.clone());
                        // One process in three dies before it has sent.
                        if (which + attempt) % 3 == 0 && attempt == 0 {
                            now += 40;
                            continue;
                        }
                        *sent.entry(one.id.clone()).or_default() += 1;
                        while ledger.delivered(DeliveryKey::new(&ClaimId::from(&one.id), "soc"), &decision, None, at(now)).await.is_err() {}
                    }
                    break;
                }
            }
            prop_assert!(sent.values().all(|times| *times == 1), "sent twice: {sent:?}");
            let mut counted = 0;
            for alert in &alerts {
                let sum = loop { if let Ok(sum) = ledger.roll_up(alert, at(now)).await { break sum } };
                counted += sum.count;
            }
            prop_assert_eq!(sent.len() + usize::try_from(counted).unwrap(), seen.len().max(30));
            Ok(())
        })?;
    }
}

/// The store in memory, where others get in between every read and write, and every n-th question is not answered: of the
/// writes, every second of those happened all the same.
struct Racing {
    store: MemoryStore,
    fail_every: usize,
    count: AtomicUsize,
    also_done: AtomicBool,
}

impl Racing {
    fn new(fail_every: usize) -> Self {
        Self {
            store: MemoryStore::default(),
            fail_every,
            count: AtomicUsize::new(0),
            also_done: AtomicBool::new(false),
        }
    }

    async fn turn(&self) -> Result<(), StoreError> {
        tokio::task::yield_now().await;
        let asked = self.count.fetch_add(1, Ordering::Relaxed) + 1;
        let fails = self.fail_every > 0 && asked.is_multiple_of(self.fail_every + 2);
        if fails { Err(StoreError("no answer".to_owned())) } else { Ok(()) }
    }
}

impl Store for Racing {
    async fn get(&self, keys: &[ItemKey]) -> Result<Vec<Option<StoredItem>>, StoreError> {
        self.turn().await?;
        self.store.get(keys).await
    }

    async fn write(&self, puts: Vec<Put>) -> Result<Written, StoreError> {
        if let Err(fault) = self.turn().await {
            if self.also_done.fetch_xor(true, Ordering::Relaxed) {
                self.store.write(puts).await?;
            }
            return Err(fault);
        }
        self.store.write(puts).await
    }

    async fn count(&self, key: ItemKey, expires: Timestamp) -> Result<u64, StoreError> {
        self.turn().await?;
        self.store.count(key, expires).await
    }

    async fn query(
        &self,
        partition: &str,
        between: (&str, &str),
        backwards: bool,
        limit: usize,
    ) -> Result<Vec<(String, StoredItem)>, StoreError> {
        self.turn().await?;
        self.store.query(partition, between, backwards, limit).await
    }
}
