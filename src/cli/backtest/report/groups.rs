//! Findings grouped by rule, actor and target: what a reader looks at first.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use super::row::{self, NOBODY, NONE};
use super::texts::TextPool;
use crate::cli::list_cutoff::time_of;
use crate::finding::Finding;
use crate::severity::Severity;

/// Groups that are told apart. Callers name targets, and may name a new one in each call.
const GROUPS: usize = 50_000;
/// Accounts, regions and events of one group that are remembered.
const NAMES: usize = 20;

/// All groups of an archive.
#[derive(Debug, Default)]
pub(super) struct GroupTally {
    groups: HashMap<GroupKey, Group>,
    /// Findings of groups that were too many to be told apart.
    pub(super) others: u64,
}

#[derive(Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Clone)]
struct GroupKey {
    rule: usize,
    actor: Arc<str>,
    target: Arc<str>,
}

/// The findings of one rule, about one actor and one target.
#[derive(Debug)]
pub(super) struct Group {
    /// The rule's place in the file.
    pub(super) rule: usize,
    pub(super) actor: Arc<str>,
    /// What was acted on; empty where no record of the group names it.
    pub(super) target: Arc<str>,
    /// The highest of its findings.
    pub(super) severity: Severity,
    /// The title that all its findings have; none where they differ.
    pub(super) title: Option<Arc<str>>,
    pub(super) findings: u64,
    /// Findings of calls that failed.
    pub(super) failed: u64,
    /// Seconds since 1970 of the first and the last finding that has a time.
    pub(super) span: Option<(u64, u64)>,
    pub(super) accounts: NameSet,
    pub(super) regions: NameSet,
    pub(super) events: NameSet,
}

/// Distinct names, in their order.
#[derive(Debug, Default)]
pub(super) struct NameSet {
    pub(super) names: Vec<Arc<str>>,
    /// Whether there were more than are remembered.
    pub(super) is_full: bool,
}

impl NameSet {
    pub(super) fn add(&mut self, name: &str, pool: &mut TextPool) {
        // Most groups have one name: a vector of one is the smallest there is.
        match self.names.binary_search_by(|known| (**known).cmp(name)) {
            Ok(_) => {}
            Err(_) if self.names.len() >= NAMES => self.is_full = true,
            Err(place) => {
                self.names.reserve_exact(1);
                self.names.insert(place, pool.get(name));
            }
        }
    }
}

impl GroupTally {
    /// Counts a finding of the rule in this place.
    pub(super) fn add(&mut self, finding: &Finding, rule: usize, pool: &mut TextPool) {
        let call = &finding.call;
        let (actor, target) = (row::text_or(call.actor.as_deref(), NOBODY), row::target_of(finding));
        let title = row::text_or(Some(&finding.title), "");
        let is_full = self.groups.len() >= GROUPS;
        // Callers choose these texts, and what no group has is not kept.
        let key = if is_full {
            pool.find(&actor).zip(pool.find(&target))
        } else {
            Some((pool.get(&actor), pool.get(&target)))
        };
        let group = match key.map(|(actor, target)| self.groups.entry(GroupKey { rule, actor, target })) {
            Some(Entry::Occupied(group)) => group.into_mut(),
            None => {
                self.others += 1;
                return;
            }
            Some(Entry::Vacant(_)) if is_full => {
                self.others += 1;
                return;
            }
            Some(Entry::Vacant(place)) => {
                let GroupKey { rule, actor, target } = place.key().clone();
                place.insert(Group {
                    rule,
                    actor,
                    target,
                    severity: finding.severity,
                    title: Some(pool.get(&title)),
                    findings: 0,
                    failed: 0,
                    span: None,
                    accounts: NameSet::default(),
                    regions: NameSet::default(),
                    events: NameSet::default(),
                })
            }
        };
        group.severity = group.severity.max(finding.severity);
        if group.title.as_ref().is_some_and(|known| **known != *title) {
            group.title = None;
        }
        group.findings += 1;
        group.failed += u64::from(call.failed);
        if let Some(time) = time_of(finding) {
            let (first, last) = group.span.unwrap_or((time, time));
            group.span = Some((first.min(time), last.max(time)));
        }
        group.accounts.add(&row::text_or(call.shown_account().as_deref(), NONE), pool);
        group.regions.add(&row::text_or(call.region.as_deref(), NONE), pool);
        group.events.add(&row::text_or(call.event.as_deref(), NONE), pool);
    }

    /// All groups: the worst first, of these the largest, of these the earliest.
    pub(super) fn sorted(&self) -> Vec<&Group> {
        let mut groups: Vec<(&GroupKey, &Group)> = self.groups.iter().collect();
        groups.sort_unstable_by(|(a, one), (b, other)| {
            let by_first = |group: &Group| group.span.map_or(u64::MAX, |span| span.0);
            other
                .severity
                .cmp(&one.severity)
                .then_with(|| other.findings.cmp(&one.findings))
                .then_with(|| by_first(one).cmp(&by_first(other)))
                .then_with(|| a.cmp(b))
        });
        groups.into_iter().map(|(_, group)| group).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(actor: &str, severity: Severity, time: &str) -> Finding {
        let mut finding = Finding::test("rules".into(), time.to_owned());
        finding.call.actor = Some(actor.to_owned());
        Finding { severity, ..finding }
    }

    #[test]
    fn a_group_counts_all_its_findings_and_the_worst_comes_first() {
        let (mut tally, mut pool) = (GroupTally::default(), TextPool::default());
        for (actor, severity, time) in [
            ("a", Severity::Low, "2025-03-03T11:05:00Z"),
            ("a", Severity::Low, "2025-03-01T00:00:00Z"),
            ("b", Severity::Medium, "no time"),
            ("a", Severity::Low, "no time"),
        ] {
            tally.add(&finding(actor, severity, time), 0, &mut pool);
        }
        let sorted = tally.sorted();
        let figures: Vec<_> = sorted.iter().map(|group| (&*group.actor, group.findings, group.span)).collect();
        assert_eq!(figures, [("b", 1, None), ("a", 3, Some((1_740_787_200, 1_740_999_900)))]);
    }

    #[test]
    fn memory_is_bounded_and_what_is_left_out_is_counted() {
        let (mut tally, mut pool) = (GroupTally::default(), TextPool::default());
        let total = GROUPS as u64 + 10;
        for number in 0..total {
            let mut finding = finding(&number.to_string(), Severity::Low, "2025-03-03T11:05:00Z");
            finding.title = format!("title {number}");
            tally.add(&finding, 0, &mut pool);
            // A group that is known is found, and another title is not kept.
            finding.call.actor = Some("0".to_owned());
            tally.add(&finding, 0, &mut pool);
        }
        // Of each group its actor and its first title, and what all have.
        assert!(pool.len() <= 2 * GROUPS + 10, "{}", pool.len());
        let sorted = tally.sorted();
        assert_eq!((sorted.len(), tally.others), (GROUPS, 10));
        assert_eq!(sorted.iter().map(|group| group.findings).sum::<u64>() + tally.others, 2 * total);
        let mut set = NameSet::default();
        (0..2 * NAMES).for_each(|number| set.add(&number.to_string(), &mut pool));
        assert_eq!((set.names.len(), set.is_full), (NAMES, true));
    }
}
