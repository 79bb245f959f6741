//! Whether a path leads to something in the records that a row accepts.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, OnceLock, PoisonError};

use super::accepted::{AcceptedCalls, SomeCalls};
use super::catalogue::{CallPart, Lookup, Members, Service, Walk, near};
use crate::cloudtrail::TOP_LEVEL;

/// What is known of a path in the records of some calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It leads to something, or may.
    Possible {
        /// Never to a text or a number.
        is_object: bool,
    },
    /// It leads nowhere.
    Impossible(Fault),
}

/// Where a path goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    /// The index of the key that cannot stand where it stands.
    pub(super) index: usize,
    pub(super) kind: FaultKind,
}

/// How a path goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum FaultKind {
    /// Records write the key with other capitals: so.
    Case(&'static str),
    /// No object has such a key.
    Unknown {
        /// Those that stand there, which are like it.
        like: Vec<&'static str>,
        /// All that stand there.
        beside: Vec<&'static str>,
        /// Other calls of the same service that have it.
        others: Vec<&'static str>,
        /// The path, from the top of the record, to such a key in another object of the same part.
        elsewhere: Option<Vec<&'static str>>,
    },
    /// What stands before it is a value.
    Below,
}

/// What stands in two parts of a record is variable: of these a path is only told if it looks misspelt.
const VARIABLE: [&str; 2] = ["additionalEventData", "serviceEventDetails"];

const POSSIBLE: Verdict = Verdict::Possible { is_object: false };

/// Judges a path, from the top of the record, in the records of these calls, which are only worked out where it depends on them.
pub(super) fn judge<'c>(calls: impl Fn() -> &'c AcceptedCalls, path: &[&str]) -> Verdict {
    let Some((top, rest)) = path.split_first() else { return POSSIBLE };
    match *top {
        // The compiler has refused it already, where it is not inside `item`.
        top if !TOP_LEVEL.contains(&top) => POSSIBLE,
        "requestParameters" | "responseElements" if !rest.is_empty() => {
            let part = if *top == "requestParameters" { CallPart::Request } else { CallPart::Answer };
            in_part(calls(), part, rest)
        }
        "requestParameters" | "responseElements" => POSSIBLE,
        top if VARIABLE.contains(&top) => variable(calls(), path),
        _ => everywhere(calls, path),
    }
}

/// The keys of the object to which a path leads, as far as is known.
pub(super) fn keys_at<'c>(calls: impl Fn() -> &'c AcceptedCalls, path: &[&str]) -> Vec<&'static str> {
    let below: Vec<&str> = path.iter().copied().chain(["\0"]).collect();
    match judge(calls, &below) {
        Verdict::Impossible(Fault { kind: FaultKind::Unknown { beside, .. }, .. }) => beside,
        _ => Vec::new(),
    }
}

/// A path in a part that is the same in the records of every call, but for what a row of the table says of one.
fn everywhere<'c>(calls: impl Fn() -> &'c AcceptedCalls, path: &[&str]) -> Verdict {
    let walk = match Members::get().of_every_call(path) {
        None => return POSSIBLE,
        Some(Walk::Leads { is_object }) => return Verdict::Possible { is_object },
        Some(walk) => walk,
    };
    let AcceptedCalls::Some(SomeCalls { known, are_named: true, .. }) = calls() else {
        return impossible(walk, path, false);
    };
    let has = |call: &(&_, &str)| leads(look(call, CallPart::Beside, path).as_ref());
    if known.iter().any(has) { POSSIBLE } else { impossible(walk, path, false) }
}

/// A path in a part whose members vary.
fn variable(calls: &AcceptedCalls, path: &[&str]) -> Verdict {
    let mut walks: Vec<Walk> = Vec::new();
    if let AcceptedCalls::Some(calls) = calls {
        let mut services: Vec<&str> = calls.known.iter().map(|(service, _)| service.short()).collect();
        services.dedup();
        let blocks = services.iter().filter_map(|service| Members::get().service(service));
        walks.extend(blocks.filter_map(|block| block.look_beside(path)));
        walks.extend(calls.known.iter().filter_map(|call| Some(look(call, CallPart::Beside, path)?.walk)));
    }
    walks.extend(Members::get().of_every_call(path));
    merge(walks).map_or(POSSIBLE, |walk| impossible(walk, path, true))
}

/// A path below the requests or the answers of calls.
fn in_part(calls: &AcceptedCalls, part: CallPart, path: &[&str]) -> Verdict {
    let calls = match calls {
        AcceptedCalls::Every => return in_every(part, path),
        AcceptedCalls::Some(calls) => calls,
    };
    let (mut walks, mut is_partial, mut objects, mut others) = (Vec::new(), calls.has_unknown, 0, 0);
    for call in &calls.known {
        match look(call, part, path) {
            None => is_partial = true,
            Some(Lookup { walk: Walk::Leads { is_object: true }, .. }) => objects += 1,
            Some(Lookup { walk: Walk::Leads { .. }, .. }) => {
                others += 1;
                break;
            }
            Some(lookup) => {
                is_partial |= lookup.is_partial;
                walks.push(lookup.walk);
            }
        }
    }
    if objects + others > 0 {
        return Verdict::Possible { is_object: others == 0 && !is_partial };
    }
    let Some(walk) = merge(walks) else { return POSSIBLE };
    // Of a part that is known in part, a key that stands in another of its objects is no new one.
    let elsewhere = match (&walk, calls.known.as_slice()) {
        // Nearest to where it is written: below what leads to something so far.
        (Walk::Unknown { index, .. }, [call]) => {
            let key = path[*index];
            let is_meant = |member: &str| member == key || !is_partial && member.eq_ignore_ascii_case(key);
            (0..=*index).rev().find_map(|length| place_of(call, part, &path[..length], is_meant))
        }
        _ => None,
    };
    let verdict = impossible(walk, path, is_partial && elsewhere.is_none());
    let Verdict::Impossible(Fault { index, kind: FaultKind::Unknown { like, beside, .. } }) = verdict else {
        return shifted(verdict);
    };
    if index > 0 || is_partial || elsewhere.is_some() {
        let kind = FaultKind::Unknown { like, beside, others: Vec::new(), elsewhere };
        return shifted(Verdict::Impossible(Fault { index, kind }));
    }
    let mut services: Vec<&str> = calls.known.iter().map(|(service, _)| service.short()).collect();
    services.dedup();
    let others = match services.as_slice() {
        [service] => Members::get().service(service).map(|block| block.calls_with(part, &path[..1])),
        _ => None,
    };
    let mut others = others.unwrap_or_default();
    // The call that is meant has a name like this one's.
    if let Some((_, call)) = calls.known.first() {
        others.sort_by_cached_key(|other| strsim::osa_distance(other, call));
    }
    shifted(Verdict::Impossible(Fault { index: 0, kind: FaultKind::Unknown { like, beside, others, elsewhere: None } }))
}

/// A path below the requests or the answers of any call whatever.
fn in_every(part: CallPart, path: &[&str]) -> Verdict {
    type Known = HashMap<(bool, String), bool>;
    static KNOWN: OnceLock<Mutex<Known>> = OnceLock::new();
    let has = |path: &[&str]| {
        let key = (part == CallPart::Request, path.join("\0"));
        let known = KNOWN.get_or_init(Mutex::default);
        let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
        *known.entry(key).or_insert_with(|| Members::get().each().any(|block| block.any_has(part, path)))
    };
    if has(path) {
        return POSSIBLE;
    }
    let index = (1..=path.len()).find(|length| !has(&path[..*length])).map_or(0, |length| length - 1);
    // Only at the top it is worth the while to look for what may be meant.
    let beside = if index == 0 { parameters(part).iter().copied().collect() } else { Vec::new() };
    shifted(impossible(Walk::Unknown { index, beside }, path, true))
}

/// The names at the top of all requests, or of all answers.
fn parameters(part: CallPart) -> &'static BTreeSet<&'static str> {
    static OF_REQUESTS: OnceLock<BTreeSet<&str>> = OnceLock::new();
    static OF_ANSWERS: OnceLock<BTreeSet<&str>> = OnceLock::new();
    let names = if part == CallPart::Request { &OF_REQUESTS } else { &OF_ANSWERS };
    names.get_or_init(|| Members::get().each().flat_map(|block| block.names_of(part)).collect())
}

fn look(call: &(&Service, &str), part: CallPart, path: &[&str]) -> Option<Lookup> {
    Members::get().service(call.0.short())?.look(call.1, part, path)
}

/// Where a key stands in the part of a call, below what a path of the part leads to, from the top of the record.
fn place_of(
    call: &(&Service, &str),
    part: CallPart,
    within: &[&str],
    is_meant: impl Fn(&str) -> bool,
) -> Option<Vec<&'static str>> {
    let place = Members::get().service(call.0.short())?.place_of(call.1, part, within, is_meant)?;
    let top = if part == CallPart::Request { "requestParameters" } else { "responseElements" };
    Some([top].into_iter().chain(place).collect())
}

fn leads(lookup: Option<&Lookup>) -> bool {
    matches!(lookup, Some(Lookup { walk: Walk::Leads { .. }, .. }))
}

/// Of several walks that lead nowhere the one that comes farthest; `None` where one leads to something, or there are none.
fn merge(walks: Vec<Walk>) -> Option<Walk> {
    let mut farthest: Option<(usize, bool, Vec<&'static str>)> = None;
    for walk in walks {
        let (index, is_below, beside) = match walk {
            Walk::Leads { .. } => return None,
            Walk::Unknown { index, beside } => (index, false, beside),
            Walk::Below { index } => (index, true, Vec::new()),
        };
        match &mut farthest {
            Some((best, both_below, all)) if *best == index => {
                *both_below &= is_below;
                all.extend(beside);
            }
            Some((best, ..)) if *best > index => {}
            _ => farthest = Some((index, is_below, beside)),
        }
    }
    farthest.map(|(index, is_below, mut beside)| {
        beside.sort_unstable();
        beside.dedup();
        if is_below { Walk::Below { index } } else { Walk::Unknown { index, beside } }
    })
}

/// What a walk that leads nowhere says; where the part is known in part, only what looks misspelt.
fn impossible(walk: Walk, path: &[&str], is_partial: bool) -> Verdict {
    let (index, beside) = match walk {
        Walk::Leads { is_object } => return Verdict::Possible { is_object },
        Walk::Below { .. } if is_partial => return POSSIBLE,
        Walk::Below { index } => return Verdict::Impossible(Fault { index, kind: FaultKind::Below }),
        Walk::Unknown { index, beside } => (index, beside),
    };
    let key = path[index];
    if let Some(name) = beside.iter().find(|name| name.eq_ignore_ascii_case(key)) {
        return Verdict::Impossible(Fault { index, kind: FaultKind::Case(name) });
    }
    let mut like = near(key, beside.iter().copied());
    like.sort_by_cached_key(|name| {
        (strsim::osa_distance(&key.to_lowercase(), &name.to_lowercase()), strsim::osa_distance(key, name))
    });
    // `userIdentityType` in userIdentity is its `type`.
    let folded = key.to_lowercase();
    let ends = |name: &&&str| name.len() > 2 && folded.ends_with(&name.to_lowercase());
    if let Some(end) = beside.iter().filter(ends).max_by_key(|name| name.len())
        && !like.first().is_some_and(|name| is_slip(key, name))
    {
        like.insert(0, end);
    }
    if is_partial {
        like.retain(|name| is_slip(key, name));
        if like.is_empty() {
            return POSSIBLE;
        }
    }
    Verdict::Impossible(Fault { index, kind: FaultKind::Unknown { like, beside, others: Vec::new(), elsewhere: None } })
}

/// Whether a key is another with a slip of the pen, and not another name: a plural is one.
fn is_slip(key: &str, name: &str) -> bool {
    let (key, name) = (key.to_lowercase(), name.to_lowercase());
    let is_plural = key.strip_suffix('s') == Some(&name) || name.strip_suffix('s') == Some(&key);
    let allowed = match name.len() {
        0..3 => 0,
        3..9 => 1,
        _ => 2,
    };
    !is_plural && strsim::osa_distance(&key, &name) <= allowed
}

/// A verdict on the path below a part, as one from the top of the record.
fn shifted(verdict: Verdict) -> Verdict {
    match verdict {
        Verdict::Impossible(Fault { index, kind }) => Verdict::Impossible(Fault { index: index + 1, kind }),
        possible @ Verdict::Possible { .. } => possible,
    }
}
