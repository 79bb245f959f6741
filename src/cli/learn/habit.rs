//! A habit: one caller makes one call that one rule finds, and what is known of that.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::caller::Caller;
use crate::severity::Severity;
use crate::time::{Date, Timestamp};

/// What a habit is of.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct HabitKey {
    pub(super) rule: String,
    pub(super) caller: Caller,
    pub(super) service: String,
    pub(super) event: String,
}

/// Seconds of the slots that occasions are told by.
const SLOT: u64 = 1800;
/// Slots from one occasion to the next, so that an hour at least lies between any two of their calls: what happens within an
/// hour may be one act.
const OCCASION: u64 = 3;
/// The most slots that are remembered.
const SLOTS: usize = 100_000;
/// The most different values of a kind that are told apart; more are "many".
const FEW: usize = 5;
/// The most days that are remembered.
const DAYS: usize = 4000;

/// What is known of a habit.
#[derive(Debug, Default)]
pub(super) struct Habit {
    /// Calls that succeeded.
    pub(super) calls: u64,
    /// The highest severity of their findings.
    pub(super) severity: Option<Severity>,
    pub(super) days: BTreeSet<Date>,
    /// The slots of time in which there was a call.
    slots: BTreeSet<u64>,
    pub(super) first: Option<Timestamp>,
    pub(super) last: Option<Timestamp>,
    /// What the calls act on, by the place among the targets that each names.
    targets: Vec<Few<String>>,
    /// Whether some call names fewer targets than others do, or none.
    uneven: bool,
    /// The networks that they came from.
    networks: Few<IpNet>,
    /// Whether some address was none.
    elsewhere: bool,
    /// The programs that made them, shortened.
    pub(super) agents: Few<String>,
    /// The findings' places among those of the archive.
    pub(super) findings: Vec<u32>,
}

/// A few different values, and how often each came; no more are remembered once there are many.
#[derive(Debug, Default)]
pub(super) struct Few<T: Ord> {
    values: BTreeMap<T, u64>,
    many: bool,
}

impl<T: Ord> Few<T> {
    fn add(&mut self, value: T) {
        if self.values.len() >= FEW && !self.values.contains_key(&value) {
            self.many = true;
        } else {
            *self.values.entry(value).or_default() += 1;
        }
    }

    /// The values, if they are few.
    fn few(&self) -> Option<&BTreeMap<T, u64>> {
        (!self.many && !self.values.is_empty()).then_some(&self.values)
    }

    /// Whether there are more than are remembered.
    pub(super) fn is_many(&self) -> bool {
        self.many
    }

    /// Those that are remembered, the most frequent first.
    pub(super) fn frequent(&self) -> Vec<&T> {
        let mut values: Vec<_> = self.values.iter().collect();
        values.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        values.into_iter().map(|(value, _)| value).collect()
    }
}

/// One call of a habit.
pub(super) struct Call<'a> {
    pub(super) time: Timestamp,
    pub(super) severity: Severity,
    pub(super) targets: &'a [String],
    pub(super) address: Option<IpAddr>,
    pub(super) agent: Option<String>,
    /// The finding's place among those of the archive.
    pub(super) finding: u32,
}

impl Habit {
    pub(super) fn add(&mut self, call: Call<'_>) {
        let Call { time, severity, targets, address, agent, finding } = call;
        self.calls += 1;
        self.severity = self.severity.max(Some(severity));
        if self.days.len() < DAYS {
            self.days.insert(time.date());
        }
        if self.slots.len() < SLOTS {
            self.slots.insert(time.seconds() / SLOT);
        }
        self.first = Some(self.first.map_or(time, |first| first.min(time)));
        self.last = self.last.max(Some(time));
        if self.calls == 1 {
            self.targets.extend(targets.iter().map(|_| Few::default()));
        }
        self.uneven |= self.targets.len() != targets.len();
        self.targets.iter_mut().zip(targets).for_each(|(few, target)| few.add(target.clone()));
        match address.and_then(network) {
            Some(network) => self.networks.add(network),
            None => self.elsewhere = true,
        }
        if let Some(agent) = agent {
            self.agents.add(agent);
        }
        self.findings.push(finding);
    }

    /// How often it happened, at times that lie an hour apart at least.
    pub(super) fn occasions(&self) -> usize {
        let mut next = 0;
        let is_another = |slot: &&u64| {
            let is_another = **slot >= next;
            next = if is_another { **slot + OCCASION } else { next };
            is_another
        };
        self.slots.iter().filter(is_another).count()
    }

    /// What all calls act on, if it is one thing or a few, each of them again and again: for each place among the targets that
    /// has few, which these are.
    pub(super) fn few_targets(&self) -> Vec<Vec<&str>> {
        if self.uneven {
            return Vec::new();
        }
        let again = |few: &BTreeMap<String, u64>| few.values().all(|count| *count >= 2);
        let few = self.targets.iter().filter_map(|few| few.few().filter(|few| again(few)));
        few.map(|few| few.keys().map(String::as_str).collect()).collect()
    }

    /// The networks that all calls came from, if these are few.
    pub(super) fn few_networks(&self) -> Option<Vec<IpNet>> {
        let networks = self.networks.few().filter(|_| !self.elsewhere)?;
        Some(networks.keys().copied().collect())
    }
}

/// The network of an address: what an office or a provider's customer has, not one machine of it.
fn network(address: IpAddr) -> Option<IpNet> {
    match address {
        IpAddr::V4(address) => Ipv4Net::new(address, 24).ok().map(|network| network.trunc().into()),
        IpAddr::V6(address) => Ipv6Net::new(address, 48).ok().map(|network| network.trunc().into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn habit(calls: &[(u64, &str, &str)]) -> Habit {
        let mut habit = Habit::default();
        for (number, (minute, target, address)) in (0..).zip(calls) {
            habit.add(Call {
                time: Timestamp::from_millis(1_800_000_000_000 + minute * 60_000),
                severity: Severity::Low,
                targets: &[(*target).to_owned()],
                address: address.parse().ok(),
                agent: None,
                finding: number,
            });
        }
        habit
    }

    #[test]
    fn what_happens_within_an_hour_is_one_occasion() {
        assert_eq!(habit(&[(0, "a", ""), (1, "a", ""), (59, "a", "")]).occasions(), 1);
        assert_eq!(habit(&[(0, "a", ""), (59, "a", ""), (100, "a", ""), (300, "a", "")]).occasions(), 3);
        // In whatever order the files of an archive have them.
        assert_eq!(habit(&[(100, "a", ""), (300, "a", ""), (2, "a", "")]).occasions(), 3);
    }

    #[test]
    fn few_targets_are_those_that_come_again() {
        assert_eq!(habit(&[(0, "a", ""), (1, "b", ""), (2, "b", ""), (3, "a", "")]).few_targets(), [["a", "b"]]);
        assert!(habit(&[(0, "a", ""), (1, "b", ""), (2, "b", "")]).few_targets().is_empty());
        let many: Vec<String> = (0..=FEW as u64).flat_map(|number| vec![number.to_string(); 2]).collect();
        let many: Vec<(u64, &str, &str)> = many.iter().map(|target| (0, target.as_str(), "")).collect();
        assert!(habit(&many).few_targets().is_empty());
    }

    #[test]
    fn networks_are_known_only_if_every_call_has_an_address() {
        let near = [(0, "a", "203.0.113.7"), (1, "a", "203.0.113.9"), (2, "a", "2001:db8:1:2::3")];
        let networks = habit(&near).few_networks().unwrap();
        assert_eq!(networks.iter().map(ToString::to_string).collect::<Vec<_>>(), ["203.0.113.0/24", "2001:db8:1::/48"]);
        assert_eq!(habit(&[(0, "a", "203.0.113.7"), (1, "a", "lambda.amazonaws.com")]).few_networks(), None);
    }
}
