//! The stable identifiers of findings and alerts, and the jitter that is derived from them.
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
        formatter.write_str("an id consists of 32 lower-case hexadecimal digits")
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

/// What is one message of its own, such as a digest, is its own alert.
impl From<FindingId> for AlertId {
    fn from(id: FindingId) -> Self {
        Self(id.0)
    }
}

/// Lower-case hexadecimal digits, two a byte.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from(b"0123456789abcdef"[usize::from(value)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
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

    #[test]
    fn ids_are_hexadecimal_also_when_they_come_back() {
        let id = AlertId::new("rule", "group", &StableId::hash(&["x"]).into());
        assert_eq!(serde_json::from_str::<AlertId>(&serde_json::to_string(&id).unwrap()).unwrap(), id);
        for bad in [r#""a^ORactive=true""#, r#""""#, r#""ABCDEFABCDEFABCDEFABCDEFABCDEFAB""#] {
            assert!(serde_json::from_str::<AlertId>(bad).is_err(), "{bad}");
        }
    }
}
