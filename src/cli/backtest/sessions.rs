//! The sessions of an archive, played back: whose credentials a call was made with, for channels whose incidents follow that. The
//! decisions are the ledger's own.

use std::collections::HashMap;

use super::playback::AlertEvent;
use crate::cli::findings::{FollowedFinding, hashed};
use crate::cloudtrail::credentials::{Bearer, IssuedSession};
use crate::ledger::lineage::{self, KnownLineage, Lineage};
use crate::rules::Incidents;
use crate::ruleset::RuleSet;
use crate::time::Timestamp;

/// A session that was issued, when its record arrives.
#[derive(Debug)]
pub(super) struct ArrivedSession {
    pub(super) time: Timestamp,
    /// The findings of the archive before its record.
    pub(super) order: u32,
    pub(super) session: IssuedSession,
}

/// What is known at one moment.
#[derive(Debug, Default)]
struct PlayedSessions {
    sessions: HashMap<String, (KnownLineage, Timestamp)>,
    source_identities: HashMap<String, (KnownLineage, Timestamp)>,
}

impl PlayedSessions {
    fn lineage_of(&self, bearer: &Bearer, now: Timestamp) -> Lineage {
        let session = bearer.session_key.as_ref().and_then(|key| alive(self.sessions.get(key), now));
        let source_identity =
            bearer.source_identity.as_ref().and_then(|name| alive(self.source_identities.get(name), now));
        lineage::lineage_of(bearer, session, source_identity)
    }

    fn remember(&mut self, session: &IssuedSession, now: Timestamp) {
        let (caller, until) = (self.lineage_of(&session.caller, now), lineage::remembered_until(session));
        if caller.is_empty() || until <= now {
            return;
        }
        if let Some(name) = session.set_source_identity.as_ref().filter(|_| !session.is_of_stranger)
            && let Some(known) = lineage::set_by(caller.clone(), alive(self.source_identities.get(name), now))
        {
            self.source_identities.insert(name.clone(), (known, until));
        }
        if let Some(known) = lineage::issued(session, caller, alive(self.sessions.get(&session.key), now)) {
            self.sessions.insert(session.key.clone(), (known, until));
        }
    }
}

fn alive(known: Option<&(KnownLineage, Timestamp)>, now: Timestamp) -> Option<&KnownLineage> {
    known.filter(|(_, until)| now < *until).map(|(known, _)| known)
}

/// Puts the findings, which are in the order of their arrival, into the incidents of those from whom the credentials came.
pub(super) fn follow(rules: &RuleSet, events: &mut [AlertEvent], mut arrived: Vec<ArrivedSession>) {
    arrived.sort_by_key(|session| (session.time, session.order));
    let incidents: Vec<&Incidents> = rules.channels().iter().filter_map(|channel| channel.incidents.as_ref()).collect();
    let (mut known, mut arrived) = (PlayedSessions::default(), arrived.into_iter().peekable());
    for event in events {
        while let Some(session) = arrived.next_if(|one| (one.time, one.order) <= (event.time, event.order)) {
            known.remember(&session.session, session.time);
        }
        let Some(FollowedFinding { bearer, rests }) = event.followed.as_deref() else { continue };
        let lineage = known.lineage_of(bearer, event.time);
        for (place, rest) in rests {
            let group =
                incidents.get(*place).and_then(|incidents| lineage::group(incidents, &lineage, || rest.clone()));
            if let (Some(group), Some(of_event)) = (group, event.incidents.get_mut(*place)) {
                *of_event = hashed(&group);
            }
        }
    }
}
