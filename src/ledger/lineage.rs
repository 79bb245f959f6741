//! Whose credentials a call was made with, decided once: pure functions of what is known of the sessions that were issued, for the
//! ledger, which keeps that in its store, and for `offlimits backtest`, which keeps it in memory.
//!
//! docs/design/ledger.md ("Lineage") has the reasons.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::cloudtrail::credentials::{Ancestor, Bearer, IssuedSession};
use crate::rules::Incidents;
use crate::time::Timestamp;

/// The ancestors of one lineage that are remembered: of a longer one the first, since an incident goes by them.
pub const MOST_ANCESTORS: usize = 8;

/// How long a session is remembered after its end: a record may come so much later, by way of a queue.
const LATE: Duration = Duration::from_hours(24);

/// Those whose credentials a call was made with, the first of all first, and whoever made it last. Nobody, where a service of AWS's did.
pub type Lineage = Vec<Ancestor>;

/// What is known of those behind a session, or behind a source identity.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownLineage {
    /// Those by whom it was asked for, the first of all first.
    pub lineage: Lineage,
    /// Whether it is known by the account of the role alone, which does not name a caller from another account. Whoever knows better
    /// writes over it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_of_stranger: bool,
    /// Of a source identity: whether several have set it, so that it says nothing about who it is.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_of_several: bool,
}

/// Those whose credentials were used by a bearer, of whose session and source identity this is known.
pub fn lineage_of(
    bearer: &Bearer,
    of_session: Option<&KnownLineage>,
    of_source_identity: Option<&KnownLineage>,
) -> Lineage {
    let Some(own) = bearer.own.clone() else { return Lineage::new() };
    let mut lineage = match (of_session, &bearer.source_identity, of_source_identity) {
        _ if bearer.is_person => Lineage::new(),
        // The caller's own account has told who it was, and the stranger is that caller.
        (Some(known), ..) if bearer.is_stranger && !known.is_of_stranger => return known.lineage.clone(),
        (Some(known), ..) => known.lineage.clone(),
        (None, Some(_), Some(KnownLineage { is_of_several: true, .. })) | (None, None, _) => Lineage::new(),
        (None, Some(name), known) => {
            let mut lineage = known.map(|known| known.lineage.clone()).unwrap_or_default();
            lineage.push(Ancestor { account: None, name: name.clone() });
            lineage
        }
    };
    lineage.truncate(MOST_ANCESTORS - 1);
    if lineage.last() != Some(&own) {
        lineage.push(own);
    }
    lineage
}

/// What is to be remembered of a session that somebody of this lineage has asked for, where `known` was remembered before; none if that
/// is as good.
pub fn issued(session: &IssuedSession, caller: Lineage, known: Option<&KnownLineage>) -> Option<KnownLineage> {
    let is_better = !session.is_of_stranger || known.is_none();
    let is_of_stranger = session.is_of_stranger;
    is_better.then_some(KnownLineage { lineage: caller, is_of_stranger, is_of_several: false })
}

/// What is to be remembered of a source identity that somebody of this lineage has set; none if it is known.
pub fn set_by(caller: Lineage, known: Option<&KnownLineage>) -> Option<KnownLineage> {
    match known {
        None => Some(KnownLineage { lineage: caller, is_of_stranger: false, is_of_several: false }),
        Some(known) if known.is_of_several || known.lineage == caller => None,
        Some(_) => Some(KnownLineage { is_of_several: true, ..KnownLineage::default() }),
    }
}

/// Until when a session is remembered.
pub fn remembered_until(session: &IssuedSession) -> Timestamp {
    session.ends.plus(LATE)
}

/// Whose an incident is: the first of a lineage, but nobody who is shared, and nobody before one who is.
pub fn origin(lineage: &[Ancestor], is_shared: impl Fn(&Ancestor) -> bool) -> Option<&Ancestor> {
    let after = lineage.iter().rposition(is_shared).map_or(0, |place| place + 1);
    lineage.get(after).or_else(|| lineage.last())
}

/// The group of a finding on a channel whose incidents follow credentials. `rest` is what the record alone decides of it. None where
/// they follow none, and where a service of AWS's called.
pub fn group(incidents: &Incidents, lineage: &[Ancestor], rest: impl FnOnce() -> String) -> Option<String> {
    let shared = incidents.lineage.as_ref()?;
    let origin = origin(lineage, |one| shared.contains(one))?;
    Some(incidents.group_of(origin, &rest()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(name: &str) -> Ancestor {
        Ancestor { account: Some("1".to_owned()), name: name.to_owned() }
    }

    fn person(name: &str) -> Ancestor {
        Ancestor { account: None, name: name.to_owned() }
    }

    fn bearer(name: &str, source_identity: Option<&str>) -> Bearer {
        let source_identity = source_identity.map(str::to_owned);
        Bearer { own: Some(one(name)), session_key: Some("ASIA".to_owned()), source_identity, ..Bearer::default() }
    }

    fn known(names: &[&str]) -> KnownLineage {
        KnownLineage { lineage: names.iter().map(|name| one(name)).collect(), ..KnownLineage::default() }
    }

    #[test]
    fn a_session_is_of_whoever_asked_for_it() {
        let audit = bearer("Audit", None);
        assert_eq!(lineage_of(&audit, None, None), [one("Audit")]);
        assert_eq!(
            lineage_of(&audit, Some(&known(&["jana", "Relay"])), None),
            [one("jana"), one("Relay"), one("Audit")]
        );
        // Who assumes a role from itself is the same.
        assert_eq!(lineage_of(&audit, Some(&known(&["jana", "Audit"])), None), [one("jana"), one("Audit")]);
        let service = Bearer::default();
        assert!(lineage_of(&service, Some(&known(&["jana"])), None).is_empty());
        let jana = Bearer { own: Some(person("jana")), is_person: true, ..bearer("x", Some("mara")) };
        assert_eq!(lineage_of(&jana, Some(&known(&["tomas"])), None), [person("jana")]);
        let names: Vec<String> = (0..20).map(|number| number.to_string()).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let long = lineage_of(&audit, Some(&known(&names)), None);
        assert_eq!((long.len(), &long[0], &long[7]), (MOST_ANCESTORS, &one("0"), &one("Audit")));
    }

    #[test]
    fn a_source_identity_stands_in_for_a_session_that_nobody_knows() {
        let audit = bearer("Audit", Some("jana"));
        assert_eq!(lineage_of(&audit, None, None), [person("jana"), one("Audit")]);
        assert_eq!(lineage_of(&audit, None, Some(&known(&["mara"]))), [one("mara"), person("jana"), one("Audit")]);
        assert_eq!(lineage_of(&audit, Some(&known(&["tomas"])), Some(&known(&["mara"]))), [one("tomas"), one("Audit")]);
        // Whoever may assume a role may say that they are somebody else, where its trust policy does not ask for more.
        let several = set_by(vec![one("tomas")], Some(&known(&["mara"]))).unwrap();
        assert!(several.is_of_several);
        assert_eq!(lineage_of(&audit, None, Some(&several)), [one("Audit")]);
        assert_eq!(set_by(vec![one("mara")], Some(&several)), None);
        assert_eq!(set_by(vec![one("mara")], Some(&known(&["mara"]))), None);
    }

    #[test]
    fn a_stranger_is_nobody_whom_the_own_account_knows_better() {
        let session = |is_of_stranger| IssuedSession {
            key: "ASIA".to_owned(),
            caller: bearer("Relay", None),
            is_of_stranger,
            set_source_identity: None,
            ends: Timestamp::default(),
        };
        // The stranger's own record is of whoever the session is.
        let seen = Bearer { is_stranger: true, ..bearer("AROA", None) };
        assert_eq!(lineage_of(&seen, Some(&known(&["jana", "Relay"])), None), [one("jana"), one("Relay")]);
        let unknown = KnownLineage { is_of_stranger: true, ..known(&["AROA"]) };
        assert_eq!(lineage_of(&seen, Some(&unknown), None), [one("AROA")]);
        let (stranger, own) = (session(true), session(false));
        let first = issued(&stranger, vec![one("AROA")], None).unwrap();
        assert!(first.is_of_stranger);
        assert_eq!(issued(&own, vec![one("jana")], Some(&first)), Some(known(&["jana"])));
        assert_eq!(issued(&stranger, vec![one("AROA")], Some(&known(&["jana"]))), None);
    }

    #[test]
    fn who_is_shared_joins_nobody() {
        let lineage = [one("runner"), one("pipeline"), one("Deploy")];
        let origin =
            |shared: &[&str]| origin(&lineage, |one| shared.contains(&one.name.as_str())).unwrap().name.clone();
        assert_eq!(origin(&[]), "runner");
        assert_eq!(origin(&["runner"]), "pipeline");
        assert_eq!(origin(&["pipeline"]), "Deploy");
        assert_eq!(origin(&["Deploy"]), "Deploy");
        assert_eq!(super::origin(&[], |_| false), None);
    }
}
