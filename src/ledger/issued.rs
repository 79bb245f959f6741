//! The sessions that were issued, and by whom: what is kept of them in the ledger.
//!
//! [`lineage`](super::lineage) decides, [`sessions`](super::sessions) is what a process remembers, and docs/design/ledger.md ("Lineage") says
//! what it means and what it costs.

use std::time::Duration;

use super::item::{attributes, readable};
use super::lineage::{self, KnownLineage, Lineage};
use super::optimistic::{Ledger, TRIES, lost, pause};
use super::sessions::{Remembered, Sessions, place_of};
use super::store::{Expect, ItemKey, Put, Store, StoreError};
use crate::cloudtrail::credentials::{Bearer, IssuedSession};
use crate::ids::StableId;
use crate::time::Timestamp;

/// For how long a process takes its own memory's word that nobody knows of a session. Another copy may hear of it meanwhile.
const UNKNOWN_FOR: Duration = Duration::from_mins(1);

impl Sessions {
    /// Those whose credentials a bearer uses, the first of all first.
    ///
    /// # Errors
    /// That the store does not answer: then nobody is known but the bearer.
    pub async fn lineage_of<S: Store>(
        &self,
        ledger: &Ledger<S>,
        bearer: &Bearer,
        now: Timestamp,
    ) -> Result<Lineage, StoreError> {
        if !bearer.is_followed() {
            return Ok(lineage::lineage_of(bearer, None, None));
        }
        let place = place_of(bearer.session_key.as_deref(), bearer.source_identity.as_deref());
        let known = match self.remembered(&place, now) {
            Some(known) => known,
            None => self.keep(place, ledger.session_of(bearer, now).await?),
        };
        Ok(lineage::lineage_of(bearer, known.of_session.as_ref(), known.of_source_identity.as_ref()))
    }

    /// Remembers a session that was issued, in the store and here.
    ///
    /// # Errors
    /// That the store does not answer. This process remembers it all the same.
    pub async fn remember<S: Store>(
        &self,
        ledger: &Ledger<S>,
        session: &IssuedSession,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        // Who does not know who asked for it, since the store does not answer, had better say nothing.
        let caller = self.lineage_of(ledger, &session.caller, now).await?;
        if caller.is_empty() || lineage::remembered_until(session) <= now {
            return Ok(());
        }
        let kept = ledger.keep_session(session, &caller, now).await;
        self.learn(session, caller);
        kept
    }
}

/// The place of what is known of a session. Its access key stands nowhere as it is.
fn session_key(key: &str) -> ItemKey {
    ItemKey::new(format!("session#{}", StableId::hash(&["session", key])), "lineage")
}

/// The place of what is known of a source identity.
fn source_identity_key(name: &str) -> ItemKey {
    ItemKey::new(format!("source-identity#{}", StableId::hash(&["source-identity", name])), "lineage")
}

impl<S: Store> Ledger<S> {
    /// What this process remembers of sessions.
    pub const fn sessions(&self) -> &Sessions {
        &self.sessions
    }

    /// What the store knows of a bearer's session and source identity.
    async fn session_of(&self, bearer: &Bearer, now: Timestamp) -> Result<Remembered, StoreError> {
        let session = bearer.session_key.as_deref().map(session_key);
        let source_identity = bearer.source_identity.as_deref().map(source_identity_key);
        let keys: Vec<ItemKey> = session.iter().chain(&source_identity).cloned().collect();
        let items = self.store.get(&keys).await?;
        let at = |wanted: Option<&ItemKey>| {
            let place = keys.iter().position(|key| Some(key) == wanted)?;
            let item = items.get(place)?.as_ref()?;
            Some((readable::<KnownLineage>(Some(item), now)?, item.expires))
        };
        let (of_session, of_source_identity) = (at(session.as_ref()), at(source_identity.as_ref()));
        let is_final = of_session.as_ref().is_some_and(|(known, _)| !known.is_of_stranger);
        let until = of_session.as_ref().filter(|_| is_final).map_or(now.plus(UNKNOWN_FOR), |(_, expires)| *expires);
        let known = |found: Option<(KnownLineage, Timestamp)>| found.map(|(known, _)| known);
        Ok(Remembered {
            key: bearer.session_key.clone(),
            of_session: known(of_session),
            of_source_identity: known(of_source_identity),
            until,
            is_final,
        })
    }

    /// Writes down who asked for a session; and who set its source identity, if it was set with it.
    async fn keep_session(&self, session: &IssuedSession, caller: &Lineage, now: Timestamp) -> Result<(), StoreError> {
        let key = session_key(&session.key);
        let expires = lineage::remembered_until(session);
        let put = |key: &ItemKey, expect, known: &KnownLineage| {
            Ok::<_, StoreError>(Put { key: key.clone(), expect, attributes: attributes(known)?, expires })
        };
        let set = session.set_source_identity.as_deref().filter(|_| !session.is_of_stranger).map(source_identity_key);
        if set.is_none() && !session.is_of_stranger {
            // The same, whoever writes it.
            let known = lineage::issued(session, caller.clone(), None).map(|known| put(&key, Expect::Anything, &known));
            return self.put_until_taken(known.transpose()?.into_iter().collect(), &session.key).await;
        }
        let keys: Vec<ItemKey> = std::iter::once(&key).chain(&set).cloned().collect();
        for attempt in 0..TRIES {
            let items = self.store.get(&keys).await?;
            let item = |place: usize| items.get(place).and_then(Option::as_ref);
            let known: Option<KnownLineage> = readable(item(0), now);
            let issued = lineage::issued(session, caller.clone(), known.as_ref());
            let issued = issued.map(|known| put(&key, Expect::same(item(0)), &known)).transpose()?;
            let of_set = set.as_ref().map(|set| {
                let known: Option<KnownLineage> = readable(item(1), now);
                lineage::set_by(caller.clone(), known.as_ref()).map(|known| put(set, Expect::same(item(1)), &known))
            });
            let puts: Vec<Put> = issued.into_iter().chain(of_set.flatten().transpose()?).collect();
            if puts.is_empty() || self.store.put(puts).await? {
                return Ok(());
            }
            pause(attempt, &session.key).await;
        }
        Err(lost())
    }

    async fn put_until_taken(&self, puts: Vec<Put>, id: &str) -> Result<(), StoreError> {
        for attempt in 0..TRIES {
            if puts.is_empty() || self.store.put(puts.clone()).await? {
                return Ok(());
            }
            pause(attempt, id).await;
        }
        Err(lost())
    }
}
