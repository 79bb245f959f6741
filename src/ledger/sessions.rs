//! What a process remembers of the sessions that were issued, so that it asks once for each.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::lineage::{self, KnownLineage, Lineage};
use crate::cloudtrail::credentials::IssuedSession;
use crate::ids::StableId;
use crate::time::Timestamp;

/// Sessions that a process remembers: about 500 KB.
const REMEMBERED: usize = 1000;

/// What a process remembers of sessions.
#[derive(Debug, Default)]
pub struct Sessions(Mutex<BTreeMap<StableId, Remembered>>);

#[derive(Debug, Clone)]
pub(super) struct Remembered {
    /// The session, if there is one.
    pub(super) key: Option<String>,
    pub(super) of_session: Option<KnownLineage>,
    pub(super) of_source_identity: Option<KnownLineage>,
    pub(super) until: Timestamp,
    /// Whether nobody will ever know better.
    pub(super) is_final: bool,
}

impl Sessions {
    pub(super) const fn new() -> Self {
        Self(Mutex::new(BTreeMap::new()))
    }

    /// Learns of a session that was issued to somebody of this lineage.
    pub(super) fn learn(&self, session: &IssuedSession, caller: Lineage) {
        let mut remembered = self.lock();
        // What was not known may be known now.
        remembered.retain(|_, one| one.is_final && one.key.as_ref() != Some(&session.key));
        if !session.is_of_stranger
            && let Some(of_session) = lineage::issued(session, caller, None)
        {
            let source_identity = session.caller.source_identity.as_deref().or(session.set_source_identity.as_deref());
            let until = lineage::remembered_until(session);
            let key = Some(session.key.clone());
            let one = Remembered { key, of_session: Some(of_session), of_source_identity: None, until, is_final: true };
            make_room(&mut remembered);
            let _former = remembered.insert(place_of(Some(&session.key), source_identity), one);
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<StableId, Remembered>> {
        // No code that holds the lock can panic.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is remembered, and still holds.
    pub(super) fn remembered(&self, place: &StableId, now: Timestamp) -> Option<Remembered> {
        self.lock().get(place).filter(|one| now < one.until).cloned()
    }

    pub(super) fn keep(&self, place: StableId, one: Remembered) -> Remembered {
        let mut remembered = self.lock();
        make_room(&mut remembered);
        let _former = remembered.insert(place, one.clone());
        one
    }
}

/// What a process forgets costs it a request, and nothing else.
fn make_room(remembered: &mut BTreeMap<StableId, Remembered>) {
    if remembered.len() >= REMEMBERED {
        remembered.clear();
    }
}

/// The place of a session and of a source identity.
pub(super) fn place_of(key: Option<&str>, source_identity: Option<&str>) -> StableId {
    StableId::hash(&["bearer", key.unwrap_or_default(), source_identity.unwrap_or_default()])
}
