//! How every finding has ended, once all is quiet.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;
use std::ops::AddAssign;

use offlimits::cloudtrail::RawRecord;
use offlimits::finding::Finding;
use offlimits::handler::Invariant;
use offlimits::ids::{AlertId, ClaimId};
use offlimits::ledger::{ItemKey, Store as _};
use offlimits::ruleset::RuleSet;
use offlimits::severity::Severity;
use serde_json::Value;

use super::play::{INCIDENT, THRESHOLD, THRESHOLD_COUNT, rules};
use super::transcript::Ids;
use super::world::World;
use crate::support::choices::Choices;

const TOLD: Invariant = Invariant::ToldOrQueued;
const SUMMED: Invariant = Invariant::OrderedBeforeHeldBack;

/// How findings have ended: each on each of its channels.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Ends {
    /// People have had a message about it.
    pub(super) told: usize,
    /// It is counted in a roll-up that was told.
    pub(super) rolled_up: usize,
    /// A silence held it back: it is counted in a roll-up too.
    pub(super) silenced: usize,
    /// It is counted in a digest that was told.
    pub(super) digested: usize,
    /// It lies in the dead-letter queue or in the on-failure queue.
    pub(super) watched: usize,
    /// Another account's record of the same call was told of, or waits.
    pub(super) shared: usize,
    /// Messages that said when a finding of their pair first came.
    pub(super) said_when: usize,
    /// Findings that were told in the message of another one of their record.
    pub(super) merged: usize,
    /// Roll-ups that were told in the message of another one of their minute.
    pub(super) merged_roll_ups: usize,
    /// Updates of incidents that were told.
    pub(super) updates: usize,
}

impl AddAssign for Ends {
    fn add_assign(&mut self, other: Self) {
        self.told += other.told;
        self.rolled_up += other.rolled_up;
        self.silenced += other.silenced;
        self.digested += other.digested;
        self.watched += other.watched;
        self.shared += other.shared;
        self.said_when += other.said_when;
        self.merged += other.merged;
        self.merged_roll_ups += other.merged_roll_ups;
        self.updates += other.updates;
    }
}

/// What was told, and what lies in the queues, by channel.
struct Traces {
    /// Findings of which a vendor has had a message of their own.
    findings: HashMap<(String, String), usize>,
    /// Of every sum that was told, by the finding that opened its alert, or by its alert, how many findings it counts: the most
    /// that any copy of it said.
    roll_ups: HashMap<(String, String), u64>,
    /// Of every incident, by its alert, how many findings the fullest of its updates counts.
    updates: HashMap<(String, String), u64>,
    digests: HashMap<(String, String), u64>,
    /// What is among the dead letters: ids of deliveries, and alerts whose roll-up was never made.
    dead: BTreeSet<(String, String)>,
    /// Channels with a digest among the dead letters.
    dead_digests: BTreeSet<String>,
    given_up: BTreeSet<String>,
    /// Findings that were told in the message of another.
    merged: usize,
    /// Roll-ups that were told in the message of another.
    merged_roll_ups: usize,
    /// Updates of incidents.
    updated: usize,
}

impl Traces {
    fn of(world: &World, ids: &Ids) -> Self {
        let mut traces = Self {
            findings: HashMap::new(),
            roll_ups: HashMap::new(),
            updates: HashMap::new(),
            updated: 0,
            digests: HashMap::new(),
            dead: BTreeSet::new(),
            dead_digests: BTreeSet::new(),
            given_up: world.given_up.lock().unwrap().iter().cloned().collect(),
            merged: 0,
            merged_roll_ups: 0,
        };
        for told in &*world.told.lock().unwrap() {
            let alert = match &told.alert {
                Value::String(text) => ids.alert(text),
                alert => alert.clone(),
            };
            let text = |key: &str| (told.channel.clone(), alert[key].as_str().unwrap().to_owned());
            let count = alert["sum"]["count"].as_u64().unwrap_or_default();
            let most = |sums: &mut HashMap<_, u64>, key| {
                let sum = sums.entry(text(key)).or_default();
                *sum = count.max(*sum);
            };
            match alert["kind"].as_str().unwrap() {
                "first" | "repeat" => {
                    *traces.findings.entry(text("finding")).or_default() += 1;
                    for also in alert["also"].as_array().into_iter().flatten() {
                        let also = also["finding"].as_str().unwrap().to_owned();
                        *traces.findings.entry((told.channel.clone(), also)).or_default() += 1;
                        traces.merged += 1;
                    }
                }
                "roll-up" => {
                    most(&mut traces.roll_ups, "finding");
                    for also in alert["also"].as_array().into_iter().flatten() {
                        let opener = also["finding"].as_str().unwrap().to_owned();
                        let sum = traces.roll_ups.entry((told.channel.clone(), opener)).or_default();
                        *sum = also["count"].as_u64().unwrap().max(*sum);
                        traces.merged_roll_ups += 1;
                    }
                }
                "update" => {
                    most(&mut traces.updates, "alert");
                    traces.updated += 1;
                }
                "digest" => most(&mut traces.digests, "alert"),
                "operational" => {}
                other => panic!("an alert of the kind {other}"),
            }
        }
        for letter in &*world.dead.lock().unwrap() {
            let letter: Value = serde_json::from_str(letter).unwrap();
            let channel = letter["channel"].as_str().unwrap().to_owned();
            let (task, value) = letter["task"].as_object().unwrap().iter().next().unwrap();
            let text = |key: &str| value[key].as_str().unwrap().to_owned();
            match task.as_str() {
                "deliver" => {
                    for merged in value["merged"].as_array().into_iter().flatten() {
                        traces.dead.insert((channel.clone(), merged["id"].as_str().unwrap().to_owned()));
                    }
                    if value["step"].is_u64() {
                        let alert = value["ticket"]["alert"].as_str().unwrap().to_owned();
                        traces.dead.insert((channel.clone(), alert));
                    }
                    traces.dead.insert((channel, text("id")));
                }
                "roll_up" | "update" => _ = traces.dead.insert((channel, text("alert"))),
                "digest" => _ = traces.dead_digests.insert(channel),
                "admit" => {
                    for order in std::iter::once(value).chain(value["also"].as_array().into_iter().flatten()) {
                        traces.dead.insert((channel.clone(), order["finding"]["id"].as_str().unwrap().to_owned()));
                    }
                }
                other => panic!("a task {other}"),
            }
        }
        traces
    }
}

/// What the ledger says of a claim: how it was done with, its alert, and the finding that opened that. What is told in the message
/// of another, one of the `siblings`, is done with as that is, if that lists it.
async fn claim(world: &World, channel: &str, id: &str, siblings: &[Finding]) -> Option<(String, String, String)> {
    let read = async |id: &str| {
        let key = ItemKey::new(format!("finding#{id}"), channel);
        world.table.get(&[key]).await.unwrap().pop().flatten().map(|item| Value::from((*item.attributes).clone()))
    };
    let text = |claim: &Value, name: &str| claim[name].as_str().map(str::to_owned);
    let lists = |claim: &Value| claim["with"].as_array().is_some_and(|with| with.contains(&Value::from(id)));
    let own = read(id).await;
    if let Some(own) = own.as_ref().filter(|own| own["leader"].is_null()) {
        return Some((text(own, "done")?, text(own, "alert")?, text(own, "opener")?));
    }
    // Where the ledger did not answer, a message went out unclaimed: then only that of the leader knows of it.
    let leader = own.as_ref().and_then(|own| own["leader"].as_str());
    for sibling in leader.into_iter().chain(siblings.iter().map(|sibling| sibling.id.as_str())) {
        if let Some(leading) = read(sibling).await.filter(lists) {
            let own = own.as_ref().unwrap_or(&leading);
            return Some((text(&leading, "done")?, text(own, "alert")?, text(own, "opener")?));
        }
    }
    None
}

/// Checks the end of each finding, and counts them.
pub(super) fn ends(seed: u64, world: &World, records: &[String]) -> Ends {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(check(seed, world, records))
}

async fn check(seed: u64, world: &World, records: &[String]) -> Ends {
    let rules = RuleSet::compile(&rules(&mut Choices::new(seed)).0).unwrap().rules;
    let evaluated = |record: &String| {
        rules.evaluate(&RawRecord { json: record.clone(), index: 0, message_id: None, account: None }).unwrap()
    };
    let mut ids = Ids::default();
    records.iter().flat_map(evaluated).for_each(|finding| ids.add(&finding));
    let traces = Traces::of(world, &ids);
    let mut ends = Ends {
        said_when: firsts(seed, world),
        merged: traces.merged,
        merged_roll_ups: traces.merged_roll_ups,
        updates: traces.updated,
        ..Ends::default()
    };
    // What is held back, by channel and alert, and what is left to the digests, by channel.
    let (mut held_back, mut digested) =
        (BTreeMap::<(String, String, String), u64>::new(), BTreeMap::<String, u64>::new());
    // Of calls that two accounts record, by channel, rule and call: the highest severity that is heard of, and how often each was
    // told; and those whose other record was told instead.
    let mut shared = BTreeMap::<(String, String, String), (Option<Severity>, Vec<(Severity, usize)>)>::new();
    let mut left_to_others = Vec::new();
    // The alerts of silences.
    let mut silences = BTreeSet::new();
    // Of what a threshold counts, who is heard of, by channel and caller: of how many.
    let mut counted: BTreeMap<(String, String), (usize, usize)> = BTreeMap::new();
    for record in records {
        let findings = evaluated(record);
        for finding in findings.clone() {
            for channel in if finding.rule.id == "USUAL" {
                &[INCIDENT, "many", "topic"][..]
            } else {
                &["few", INCIDENT, "many", "topic"]
            } {
                let key = ((*channel).to_owned(), finding.id.to_string());
                let times = traces.findings.get(&key).copied().unwrap_or_default();
                assert!(
                    !world.is_well() || times < 2,
                    "seed {seed}: nothing failed, and {key:?} was told {times} times"
                );
                let known = claim(world, channel, finding.id.as_str(), &findings).await;
                let is_heard = if times > 0 {
                    ends.told += 1;
                    true
                } else if traces.given_up.contains(record) || traces.dead.contains(&key) {
                    ends.watched += 1;
                    true
                } else if let Some((done, alert, opener)) = known.clone().filter(|(done, ..)| done != "delivered") {
                    match done.as_str() {
                        "throttled" | "silenced" => {
                            if done == "silenced" {
                                ends.silenced += 1;
                                silences.insert(alert.clone());
                            }
                            *held_back.entry((key.0.clone(), alert, opener)).or_default() += 1;
                        }
                        "digested" => *digested.entry(key.0.clone()).or_default() += 1,
                        other => panic!("seed {seed}: done as {other}"),
                    }
                    true
                } else {
                    false
                };
                let call = finding.call.shared_event_id.clone();
                let call = call.map(|call| (key.0.clone(), finding.rule.id.clone(), call));
                if let Some(call) = &call {
                    let (highest, told) = shared.entry(call.clone()).or_default();
                    told.push((finding.severity, times));
                    if is_heard {
                        *highest = (*highest).max(Some(finding.severity));
                    }
                }
                if let (Some(call), false) = (call, is_heard) {
                    ends.shared += 1;
                    left_to_others.push((call, finding.severity, finding.id.clone()));
                } else if finding.rule.id == THRESHOLD {
                    let actor = finding.call.actor.clone().unwrap();
                    let (heard, all) = counted.entry((key.0, actor)).or_default();
                    *heard += usize::from(is_heard);
                    *all += 1;
                } else {
                    assert!(
                        is_heard,
                        "{TOLD}: seed {seed}: nobody hears of {key:?} ({}), whose claim is {known:?}; {}",
                        finding.rule.id,
                        world.journal_of(finding.id.as_str())
                            + &world
                                .journal_of(&format!("eventID\":\"{}\"", finding.call.event_id.as_deref().unwrap())),
                    );
                }
            }
        }
    }
    for (call, severity, id) in left_to_others {
        let heard = shared[&call].0;
        assert!(
            heard >= Some(severity),
            "{TOLD}: seed {seed}: nobody hears of {call:?}, of which {heard:?} was told and {severity:?} left out; {}",
            world.journal_of(id.as_str())
        );
    }
    for (call, (_, told)) in &shared {
        let is_equal = told.iter().all(|(severity, _)| *severity == told[0].0);
        let times: usize = told.iter().map(|(_, times)| times).sum();
        assert!(!world.is_well() || !is_equal || times < 2, "seed {seed}: nothing failed, and {call:?} was told twice");
    }
    for ((channel, caller), (heard, all)) in counted {
        // Whoever writes third or later sees three.
        assert!(
            heard + THRESHOLD_COUNT > all,
            "{TOLD}: seed {seed}: of {all} by {caller}, {heard} are heard of on {channel}"
        );
    }
    for ((channel, alert, opener), count) in held_back {
        let key = (channel.clone(), alert.clone());
        // What a silence holds back is in no incident.
        if channel == INCIDENT && !silences.contains(&alert) {
            // The fullest update counts those that were held back, and the opener at least; and the marker counts them.
            let told = traces.updates.get(&key).copied().unwrap_or_default();
            let marker = ItemKey::new(format!("alert#{alert}"), "updated");
            let marker = world.table.get(&[marker]).await.unwrap().pop().flatten();
            let in_updates = marker.and_then(|item| item.attributes["count"].as_u64()).unwrap_or_default();
            // The opener is in every update, and what was new in one is without it.
            let untold = count.saturating_sub(told.saturating_sub(1));
            if untold == 0 && in_updates >= count {
                ends.rolled_up += usize::try_from(count).unwrap();
            } else if in_updates >= count && has_digested_update(world, &key).await {
                // The digest counts what was new in it.
                *digested.entry(channel).or_default() += untold;
                ends.rolled_up += usize::try_from(count - untold.min(count)).unwrap();
            } else {
                assert!(
                    traces.dead.contains(&key),
                    "{SUMMED}: seed {seed}: {told} are in the fullest update of {alert}, {in_updates} in all, and {count} are \
                     held back; {}",
                    updates_of(world, &key).await
                );
                ends.watched += usize::try_from(count).unwrap();
            }
            continue;
        }
        let own = ClaimId::for_roll_up(&AlertId::from(stable(&alert)));
        let is_digested = claim(world, &channel, own.as_str(), &[]).await.is_some_and(|(done, ..)| done == "digested");
        match traces.roll_ups.get(&(channel.clone(), opener)) {
            Some(told) => {
                assert!(
                    *told >= count,
                    "{SUMMED}: seed {seed}: {told} of {count} are in the roll-up of {alert} on {channel}"
                );
                ends.rolled_up += usize::try_from(count).unwrap();
            }
            None if traces.dead.contains(&key) || traces.dead.contains(&(channel.clone(), own.to_string())) => {
                ends.watched += usize::try_from(count).unwrap();
            }
            None if is_digested => *digested.entry(channel).or_default() += count,
            None => panic!(
                "{SUMMED}: seed {seed}: {count} are held back for a roll-up of {alert} on {channel}, which never came"
            ),
        }
    }
    for (channel, count) in digested {
        let told: u64 = traces.digests.iter().filter(|((of, _), _)| *of == channel).map(|(_, count)| count).sum();
        if traces.dead_digests.contains(&channel) || told >= count {
            ends.digested += usize::try_from(count).unwrap();
            continue;
        }
        // A digest that was made and then given up lies there as a delivery.
        let given_up = traces.dead.iter().filter(|(of, _)| *of == channel).count();
        assert!(given_up > 0, "{SUMMED}: seed {seed}: {told} of {count} are in digests on {channel}");
        ends.watched += usize::try_from(count).unwrap();
    }
    ends
}

/// The updates of an incident that were ordered: the step of each, its claim's id, and how that is done with.
async fn ordered_updates(
    world: &World,
    (channel, alert): &(String, String),
) -> Vec<(u64, ClaimId, Option<(String, String, String)>)> {
    let ordered: BTreeSet<u64> = world
        .ordered
        .lock()
        .unwrap()
        .iter()
        .filter(|(of, incident, _)| of == channel && incident == alert)
        .map(|(.., step)| *step)
        .collect();
    let mut updates = Vec::new();
    for step in ordered {
        let id = ClaimId::for_update(&AlertId::from(stable(alert)), step);
        let claim = claim(world, channel, id.as_str(), &[]).await;
        updates.push((step, id, claim));
    }
    updates
}

/// What became of each update of an incident that was ordered, and what the journal has of it.
async fn updates_of(world: &World, key: &(String, String)) -> String {
    let mut told = String::new();
    for (step, id, claim) in ordered_updates(world, key).await {
        let _ = write!(told, "\nthe update of {step}: {claim:?}{}", world.journal_of(id.as_str()));
    }
    told + &world.journal_of(&key.1)
}

/// Whether an update of an incident was one message too many in its minute.
async fn has_digested_update(world: &World, key: &(String, String)) -> bool {
    let updates = ordered_updates(world, key).await;
    updates.iter().any(|(.., claim)| claim.as_ref().is_some_and(|(done, ..)| done == "digested"))
}

/// Checks that of each pair of a principal and an event one event at most was told as the first, whoever told it and how often;
/// and counts the messages that said when the pair first came.
fn firsts(seed: u64, world: &World) -> usize {
    let mut said = 0;
    let mut firsts = BTreeMap::<[String; 3], BTreeSet<String>>::new();
    for told in &*world.told.lock().unwrap() {
        let text = |key: &str| told.alert[key].as_str().unwrap_or_default().to_owned();
        let Some(is_first) = told.alert["is_first_seen"].as_bool() else { continue };
        said += 1;
        if is_first {
            firsts.entry(["account", "principal", "event"].map(text)).or_default().insert(text("event_id"));
        }
    }
    for (pair, events) in firsts {
        assert_eq!(events.len(), 1, "seed {seed}: {events:?} are each the first of {pair:?}");
    }
    said
}

fn stable(id: &str) -> offlimits::ids::StableId {
    id.to_owned().try_into().unwrap()
}
