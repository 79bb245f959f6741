//! What has been delivered, and counted: what makes a repeat recognisable, in every copy of the function.
//!
//! # The life of a claim
//! A claim is one delivery: a finding, or a sum of some, on one channel. Whoever is about to send takes it, with a lease that
//! ends just after the process must have ended ([`Ledger::admit`], [`Ledger::claim`]). Then one of three things happens:
//!
//! - It is *done*: delivered ([`Ledger::delivered`]), or left to a sum. For 15 days whoever comes with the same finding finds a
//!   duplicate.
//! - It is handed back ([`Ledger::release`]): the delivery waits in a queue, or has failed.
//! - Its holder dies, and the lease runs out.
//!
//! In the last two cases whoever comes next takes it anew, under what was decided the first time. Whether a finding opens an
//! alert, or is a repeat that is held back, is decided in the same write as its claim, so that a crash loses neither.
//!
//! # Who decides
//! [`policy`] decides, of what is known and what came; on a channel with incidents [`incident`] does in the throttle's place. [`Ledger`] reads what is known from a [`Store`], asks, and writes what
//! follows on the condition that nobody else has written meanwhile. The store keeps, and knows nothing.
//!
//! # The files
//! - [`Ledger`] itself, and how it writes, are in `optimistic`. Its methods lie where their subject does: `threshold` counts the
//!   occurrences of a rule (`record_occurrence`), `admit` decides whether the findings of a record go out (`admit`; `together` is what is decided and written then), `claim` takes and ends
//!   claims (`claim`, `delivered`, `release`, `receipt`), `sum` has the storm guard, the roll-ups and the digests, `roll_ups` tells those of a minute together (`claim_roll_ups`), `updates` tells an incident so far (`claim_update`), `lookup` tells
//!   people what is known of a delivery (`claims`), `sighting` knows who called what for the first time (`sightings`; `pairs` is what a process remembers of it), `silencing` what is held back for a time by hand (`silence` says what may be, `silences` what a process has read), `issued` knows who asked for a session (`sessions`, which is also what a process remembers; `lineage` decides), `spokes` knows a hub's spokes (`hear_of_spoke`, `spoke_queues`), and `probes` when each account and region was last heard (`hear_of_probe`, `probes_seen`).
//! - `item` is what the items hold, and `store` is the interface to where they are kept: `memory`, or DynamoDB
//!   (`aws/dynamodb.rs`).
//!
//! `docs/design/ledger.md` has the order in which a finding is judged, and the items.

// Whether a write was refused is never dropped: what was not written must be written again, or told as a fault.
#![deny(unused_results)]

mod admit;
mod candidate;
mod claim;
pub mod incident;
mod issued;
mod item;
pub mod lineage;
mod lookup;
mod memory;
mod optimistic;
mod pairs;
pub mod policy;
mod probes;
mod roll_ups;
mod sessions;
mod sighting;
mod silence;
mod silences;
mod silencing;
mod spokes;
mod store;
mod sum;
mod threshold;
mod together;
mod updates;
mod windows;

pub use self::admit::Remembered;
pub use self::candidate::{Admission, Candidate};
pub use self::claim::{Claimed, OPERATIONAL, operational_decision};
pub use self::item::{Claim, Decision, DeliveryKey, DoneAs, Lead};
pub use self::memory::MemoryStore;
pub use self::optimistic::Ledger;
pub use self::pairs::Sightings;
pub use self::probes::{SILENT_AFTER, SeenProbe, SweepMemory, ToldFault};
pub use self::roll_ups::{ClaimedRollUps, ListedRollUp, RollUpList};
pub use self::sessions::Sessions;
pub use self::silence::{LONGEST_SILENCE, SILENCE_FIELDS, Silence, alert_of_silence, may_be_silenced};
pub use self::silences::{KnownSilence, Silences};
pub use self::silencing::{AFTER_EARLY_END, LOOKS_AGAIN_AFTER, SilenceStanding, silence_roll_up_due};
pub use self::store::{ALL, Attributes, COUNT, Expect, ItemKey, Put, Store, StoreError, StoredItem, Written};
pub use self::sum::{DigestAdmission, RollUpOrder, SilenceOrder};
pub use self::threshold::Occurrence;
pub use self::updates::{ClaimedUpdate, IncidentUpdate};

#[cfg(test)]
#[allow(unused_results, reason = "a test says what it looks at")]
mod tests;
