//! The sessions of an archive, played back: whose credentials a call was made with, for channels whose incidents follow that. The
//! decisions are the ledger's own.

use super::playback::{AlertEvent, Arrival, FORGETS_FROM, Remembered};
use crate::cli::findings::{FollowedFinding, hashed};
use crate::cloudtrail::credentials::{Bearer, IssuedSession};
use crate::ledger::lineage::{self, KnownLineage, Lineage};
use crate::rules::Incidents;
use crate::ruleset::RuleSet;
use crate::runs::RunError;
use crate::time::Timestamp;

/// What is known at one moment.
#[derive(Debug)]
struct PlayedSessions {
    sessions: Remembered<String, (KnownLineage, Timestamp)>,
    source_identities: Remembered<String, (KnownLineage, Timestamp)>,
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
        let matters = |(_, until): &(KnownLineage, Timestamp)| now < *until;
        if let Some(name) = session.set_source_identity.as_ref().filter(|_| !session.is_of_stranger)
            && let Some(known) = lineage::set_by(caller.clone(), alive(self.source_identities.get(name), now))
        {
            self.source_identities.insert(name.clone(), (known, until), matters);
        }
        if let Some(known) = lineage::issued(session, caller, alive(self.sessions.get(&session.key), now)) {
            self.sessions.insert(session.key.clone(), (known, until), matters);
        }
    }
}

fn alive(known: Option<&(KnownLineage, Timestamp)>, now: Timestamp) -> Option<&KnownLineage> {
    known.filter(|(_, until)| now < *until).map(|(known, _)| known)
}

/// The findings among what arrives, in its order, each put into the incidents of those from whom its credentials came.
pub(super) fn follow(
    rules: &RuleSet,
    arrivals: impl Iterator<Item = Result<Arrival, RunError>>,
) -> impl Iterator<Item = Result<AlertEvent, RunError>> {
    let incidents: Vec<&Incidents> = rules.channels().iter().filter_map(|channel| channel.incidents.as_ref()).collect();
    let mut known =
        PlayedSessions { sessions: Remembered::new(FORGETS_FROM), source_identities: Remembered::new(FORGETS_FROM) };
    arrivals.filter_map(move |arrival| match arrival {
        Ok(Arrival::Session(arrived)) => {
            known.remember(&arrived.session, arrived.time);
            None
        }
        Ok(Arrival::Finding(mut event)) => {
            known.follow(&incidents, &mut event);
            Some(Ok(event))
        }
        Err(error) => Some(Err(error)),
    })
}

impl PlayedSessions {
    fn follow(&self, incidents: &[&Incidents], event: &mut AlertEvent) {
        let Some(FollowedFinding { bearer, rests }) = &event.followed else { return };
        let lineage = self.lineage_of(bearer, event.time);
        for (place, rest) in rests {
            let group =
                incidents.get(*place).and_then(|incidents| lineage::group(incidents, &lineage, || rest.clone()));
            if let (Some(group), Some(of_event)) = (group, event.incidents.get_mut(*place)) {
                *of_event = hashed(&group);
            }
        }
    }
}
