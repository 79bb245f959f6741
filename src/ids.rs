//! The stable identifiers of findings, alerts, groups and claims, and the jitter that is derived from them.
//!
//! An identifier is a hash of what it stands for. It is therefore the same in every copy of the function and at every attempt,
//! and nobody has to agree with anybody about it. The values are held outside the program for as long as an alert lives: as
//! claims in the ledger (15 days), as the keys of open incidents at vendors, and in messages that wait in queues. They must
//! never change for the same input.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The first 128 bits of a SHA-256, as 32 lower-case hexadecimal digits: safe in a key, a header and a query.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct StableId(String);

impl StableId {
    /// Hashes the parts, each preceded by its length so that no two lists of parts collide.
    pub fn hash(parts: &[&str]) -> Self {
        let mut hasher = Sha256::new();
        for part in parts {
            hasher.update((part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
        Self(hex(&hasher.finalize()[..16]))
    }

    /// The 32 digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A text that should have been a [`StableId`] and is not one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidId;

impl fmt::Display for InvalidId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an id consists of 32 lower-case hexadecimal digits (16 where it is a target's)")
    }
}

impl std::error::Error for InvalidId {}

impl TryFrom<String> for StableId {
    type Error = InvalidId;

    fn try_from(digits: String) -> Result<Self, Self::Error> {
        let fits = digits.len() == 32 && digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if fits { Ok(Self(digits)) } else { Err(InvalidId) }
    }
}

impl From<StableId> for String {
    fn from(id: StableId) -> Self {
        id.0
    }
}

impl fmt::Display for StableId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// A kind of [`StableId`], so that the id of one thing is never taken for that of another.
macro_rules! kind_of_id {
    ($(#[$meta:meta])* $name:ident) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(StableId);

        impl $name {
            /// The 32 digits.
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }
        }

        impl From<StableId> for $name {
            fn from(id: StableId) -> Self {
                Self(id)
            }
        }

        impl From<$name> for StableId {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0.into()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(formatter)
            }
        }
    };
}

kind_of_id! {
    /// The identity of a finding: the same rule and the same event give the same one, in every copy of the function and
    /// however often the event is delivered.
    FindingId
}

kind_of_id! {
    /// What makes an alert and its repeats recognisable to a vendor: PagerDuty's `dedup_key`, Zendesk's `external_id`,
    /// ServiceNow's `correlation_id`.
    AlertId
}

impl AlertId {
    /// The alert of a rule that the finding `opener` opened in a group (the values that make two findings repeats of one
    /// another).
    pub fn new(rule: &str, group: &str, opener: &FindingId) -> Self {
        Self(StableId::hash(&["alert", rule, group, opener.as_str()]))
    }
}

kind_of_id! {
    /// A group on one channel: the findings that are repeats of one another there, since their rule's throttle finds the same
    /// values in all of them.
    GroupId
}

impl GroupId {
    /// The group of a throttle (a hash of the rule and of the values of its `by`) on the channel of this name.
    pub fn new(throttle_group: &str, channel: &str) -> Self {
        Self(StableId::hash(&["group", throttle_group, channel]))
    }
}

kind_of_id! {
    /// What a delivery is claimed by in the ledger, beside its channel: the id of the finding that it tells of, or an id of its
    /// own where it tells of many findings, or of offlimits itself. Whoever finds the claim done has a duplicate.
    ClaimId
}

kind_of_id! {
    /// A call that several accounts record, each in its own trail, as far as one rule is concerned.
    SharedCallId
}

impl SharedCallId {
    /// The call that the records with this `sharedEventID` tell of, as far as one rule is concerned.
    pub fn new(rule: &str, shared_event_id: &str) -> Self {
        Self(StableId::hash(&["shared", rule, shared_event_id]))
    }
}

kind_of_id! {
    /// Who called what, in an account: the pair of a principal and an event.
    PairId
}

impl PairId {
    /// The pair of a principal (who called, without what the caller chooses) and an event, in this account.
    pub fn new(account: &str, principal: &str, event: &str) -> Self {
        Self(StableId::hash(&["pair", account, principal, event]))
    }
}

impl ClaimId {
    /// The claim of the roll-up of an alert: there is one roll-up an alert.
    pub fn for_roll_up(alert: &AlertId) -> Self {
        Self(StableId::hash(&["roll-up", alert.as_str()]))
    }

    /// The claim of the update of an incident that is due then, in milliseconds since 1970.
    pub fn for_update(alert: &AlertId, step: u64) -> Self {
        Self(StableId::hash(&["update", alert.as_str(), &step.to_string()]))
    }

    /// The claim of the digest of a channel's minute, which is counted in minutes since 1970.
    pub fn for_digest(channel: &str, minute: u64) -> Self {
        Self(StableId::hash(&["digest", channel, &minute.to_string()]))
    }

    /// The claim of the right to tell people about a channel in trouble, in an hour that is counted in hours since 1970.
    pub fn for_operational(channel: &str, hour: u64) -> Self {
        Self(StableId::hash(&["operational", channel, &hour.to_string()]))
    }
}

/// What a call acts on, all of it together, as the first 64 bits of a hash: two calls on the same have the same one. A window of
/// the ledger keeps those that people were told of, and a repeat on another is news.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TargetId(u64);

impl TargetId {
    /// The id of the things of these names, in whatever order and however often each is named; none where nothing is named.
    pub fn new(names: &[impl AsRef<str>]) -> Option<Self> {
        let mut parts: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
        parts.sort_unstable();
        parts.dedup();
        let head = StableId::hash(&parts).0;
        (!parts.is_empty()).then(|| u64::from_str_radix(&head[..16], 16).map(Self).ok())?
    }
}

impl TryFrom<String> for TargetId {
    type Error = InvalidId;

    fn try_from(digits: String) -> Result<Self, Self::Error> {
        let fits = digits.len() == 16 && digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if !fits {
            return Err(InvalidId);
        }
        u64::from_str_radix(&digits, 16).map(Self).map_err(|_| InvalidId)
    }
}

/// The number whose digits it is.
impl From<TargetId> for u64 {
    fn from(id: TargetId) -> Self {
        id.0
    }
}

impl From<u64> for TargetId {
    fn from(number: u64) -> Self {
        Self(number)
    }
}

impl From<TargetId> for String {
    fn from(id: TargetId) -> Self {
        format!("{:016x}", id.0)
    }
}

/// The number whose digits it is.
impl From<&FindingId> for u128 {
    fn from(id: &FindingId) -> Self {
        Self::from_str_radix(id.as_str(), 16).unwrap_or_default()
    }
}

/// A finding's delivery is claimed by the finding's own id.
impl From<FindingId> for ClaimId {
    fn from(id: FindingId) -> Self {
        Self(id.0)
    }
}

impl From<&FindingId> for ClaimId {
    fn from(id: &FindingId) -> Self {
        Self(id.0.clone())
    }
}

/// What is one message of its own, such as a digest, is its own alert.
impl From<ClaimId> for AlertId {
    fn from(id: ClaimId) -> Self {
        Self(id.0)
    }
}

/// A number from 0 to 1 that differs between ids and between attempts, and is the same whenever it is asked for: the jitter of
/// every wait. What fails together must not come back together, and with no randomness a test sees what production sees.
///
/// The text of `id` may be any. The mixer is the finaliser of SplitMix64, by Steele, Lea and Flood:
/// <https://doi.org/10.1145/2660193.2660195>; its constants are those of <https://prng.di.unimi.it/splitmix64.c>.
pub fn spread(id: &str, attempt: u32) -> f64 {
    let seed = id.bytes().fold(u64::from(attempt), |seed, byte| seed.wrapping_mul(31).wrapping_add(byte.into()));
    let mut mixed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^= mixed >> 31;
    // The upper 32 bits: a double holds them exactly.
    f64::from((mixed >> 32) as u32) / f64::from(u32::MAX)
}

/// Lower-case hexadecimal digits, two a byte.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from(b"0123456789abcdef"[usize::from(value)]);
    let mut out = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        out.push(digit(byte >> 4));
        out.push(digit(byte & 15));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_depend_on_every_part_and_on_their_bounds() {
        assert_eq!(StableId::hash(&["a", "b"]), StableId::hash(&["a", "b"]));
        assert_ne!(StableId::hash(&["a", "b"]), StableId::hash(&["ab", ""]));
        assert_eq!(StableId::hash(&[]).as_str(), "e3b0c44298fc1c149afbf4c8996fb924");
    }

    /// The values that the ledger holds.
    #[test]
    fn a_claim_is_the_hash_that_it_always_was() {
        let finding = FindingId::from(StableId::hash(&["x"]));
        assert_eq!(ClaimId::from(&finding).as_str(), finding.as_str());
        let alert = AlertId::new("rule", "group", &finding);
        for (id, parts) in [
            (ClaimId::for_roll_up(&alert), &["roll-up", alert.as_str()][..]),
            (ClaimId::for_update(&alert, 7), &["update", alert.as_str(), "7"]),
            (ClaimId::for_digest("soc", 7), &["digest", "soc", "7"]),
            (ClaimId::for_operational("soc", 7), &["operational", "soc", "7"]),
        ] {
            assert_eq!(StableId::from(id.clone()), StableId::hash(parts));
            assert_eq!(AlertId::from(id.clone()).as_str(), id.as_str());
        }
        assert_eq!(StableId::from(GroupId::new("g", "soc")), StableId::hash(&["group", "g", "soc"]));
        assert_eq!(StableId::from(PairId::new("1", "Admin", "X")), StableId::hash(&["pair", "1", "Admin", "X"]));
    }

    #[test]
    fn the_spread_fills_its_range_evenly_for_ids_and_for_attempts() {
        let ids = (0..1000).map(|number: u32| spread(StableId::hash(&[&number.to_string()]).as_str(), 1));
        let attempts = (0..1000).map(|attempt| spread("e3b0c44298fc1c149afbf4c8996fb924", attempt));
        for spreads in [ids.collect::<Vec<_>>(), attempts.collect()] {
            assert!(spreads.iter().all(|spread| (0.0..=1.0).contains(spread)));
            for tenth in 0..10 {
                let bounds = f64::from(tenth) / 10.0..f64::from(tenth + 1) / 10.0;
                let inside = spreads.iter().filter(|spread| bounds.contains(spread)).count();
                assert!((60..140).contains(&inside), "{inside} of 1,000 lie in {bounds:?}");
            }
        }
        assert_eq!(spread("a", 1).to_bits(), spread("a", 1).to_bits());
    }

    #[test]
    fn ids_are_hexadecimal_also_when_they_come_back() {
        let id = AlertId::new("rule", "group", &StableId::hash(&["x"]).into());
        assert_eq!(serde_json::from_str::<AlertId>(&serde_json::to_string(&id).unwrap()).unwrap(), id);
        for bad in [r#""a^ORactive=true""#, r#""""#, r#""ABCDEFABCDEFABCDEFABCDEFABCDEFAB""#] {
            assert!(serde_json::from_str::<AlertId>(bad).is_err(), "{bad}");
        }
    }
}
