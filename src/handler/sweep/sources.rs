//! What should be watched, and which of it is not heard.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::deployed::DeployedRules;
use crate::cloudtrail::probe::Probes;
use crate::ledger::{SILENT_AFTER, SeenProbe};
use crate::time::Timestamp;

/// What this deployment watches, and how it is fed.
#[derive(Debug, Clone, Default)]
pub struct Watch {
    /// Which calls are probes.
    pub probes: Probes,
    /// The account and the region that the deployment is in, whose own probe it should hear.
    pub home: Option<(String, String)>,
    /// Of a hub: the regions in which every account of `accounts.json` should be heard. Empty, and whoever was heard once should be
    /// heard.
    pub regions: Vec<String>,
    /// The ARN of our function.
    pub function_arn: Option<String>,
    /// The EventBridge rules as they were deployed.
    pub rules: Option<DeployedRules>,
}

/// An account, and a region.
pub(super) type Source = (String, String);

impl Watch {
    /// The accounts and regions that should be heard.
    pub(super) fn sources(&self, accounts: &[String], seen: &[SeenProbe]) -> BTreeSet<Source> {
        let mut sources: BTreeSet<Source> = self.home.iter().cloned().collect();
        if self.regions.is_empty() || accounts.is_empty() {
            sources.extend(seen.iter().map(|probe| (probe.account.clone(), probe.region.clone())));
        } else {
            let all =
                accounts.iter().flat_map(|account| self.regions.iter().map(|region| (account.clone(), region.clone())));
            sources.extend(all);
        }
        sources
    }
}

/// How it stands with the sources.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Standing {
    /// Those that are silent, each with its last probe, if there was one.
    pub(super) silent: BTreeMap<Source, Option<Timestamp>>,
    /// Those whose patterns are others than ours, each with the digest that it has.
    pub(super) other_patterns: BTreeMap<Source, String>,
    /// The longest that a probe took which is not older than [`SILENT_AFTER`].
    pub(super) worst_latency: Option<Duration>,
}

/// Judges the sources by their last probes. What has never been heard is silent when the first sweep was so long ago.
pub(super) fn standing(
    sources: &BTreeSet<Source>,
    seen: &[SeenProbe],
    ours: Option<&str>,
    (first, now): (Timestamp, Timestamp),
) -> Standing {
    let mut standing = Standing::default();
    let mut unheard: BTreeSet<&Source> = sources.iter().collect();
    for probe in seen {
        let source = (probe.account.clone(), probe.region.clone());
        if !unheard.remove(&source) {
            continue;
        }
        if probe.is_silent(now) {
            standing.silent.insert(source, Some(probe.at));
            continue;
        }
        standing.worst_latency = standing.worst_latency.max(Some(probe.latency));
        if let Some(other) = ours.and_then(|ours| probe.other_patterns(ours)) {
            standing.other_patterns.insert(source, other.to_owned());
        }
    }
    if first.plus(SILENT_AFTER) < now {
        standing.silent.extend(unheard.into_iter().map(|source| (source.clone(), None)));
    }
    standing
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(account: &str, region: &str, minute: u64, patterns: &str) -> SeenProbe {
        let at = Timestamp::from_millis(minute * 60_000);
        let latency = Duration::from_secs(minute);
        SeenProbe {
            account: account.to_owned(),
            region: region.to_owned(),
            at,
            latency,
            patterns: Some(patterns.to_owned()),
        }
    }

    fn source(account: &str, region: &str) -> Source {
        (account.to_owned(), region.to_owned())
    }

    #[test]
    fn a_hub_watches_every_account_in_every_region_and_otherwise_whoever_was_heard() {
        let home = Some(source("1", "us-east-1"));
        let seen = [seen("9", "eu-west-1", 1, "all")];
        let watch = Watch { home, ..Watch::default() };
        assert_eq!(watch.sources(&[], &[]), [source("1", "us-east-1")].into());
        assert_eq!(
            watch.sources(&["2".to_owned()], &seen),
            [source("1", "us-east-1"), source("9", "eu-west-1")].into()
        );
        let watch = Watch { regions: vec!["eu-west-1".to_owned(), "us-east-1".to_owned()], ..watch };
        let all = [source("1", "us-east-1"), source("2", "eu-west-1"), source("2", "us-east-1")];
        assert_eq!(watch.sources(&["2".to_owned()], &seen), all.into(), "an account that has left is missed no more");
        assert_eq!(watch.sources(&[], &seen), [source("1", "us-east-1"), source("9", "eu-west-1")].into());
    }

    #[test]
    fn who_has_not_been_heard_for_half_an_hour_is_silent_and_who_never_was_after_as_long() {
        let sources: BTreeSet<Source> = ["1", "2", "3", "4"].map(|account| source(account, "eu-west-1")).into();
        let seen =
            [seen("1", "eu-west-1", 71, "mine"), seen("2", "eu-west-1", 60, "old"), seen("3", "eu-west-1", 69, "all")];
        let at = |minute: u64| Timestamp::from_millis(minute * 60_000);
        let judged = |first, now| standing(&sources, &seen, Some("mine"), (at(first), at(now)));
        let early = judged(60, 90);
        assert_eq!((early.silent.len(), early.worst_latency), (0, Some(Duration::from_secs(71))));
        assert_eq!(early.other_patterns, [(source("2", "eu-west-1"), "old".to_owned())].into());
        let later = judged(60, 91);
        let silent = [(source("2", "eu-west-1"), Some(at(60))), (source("4", "eu-west-1"), None)];
        assert_eq!((later.silent, later.other_patterns.len()), (silent.into(), 0));
        assert_eq!(standing(&sources, &seen, None, (at(60), at(90))).other_patterns.len(), 0);
    }
}
