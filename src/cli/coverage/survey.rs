//! What rules watch for, in numbers and names.

use std::collections::{BTreeMap, BTreeSet};

use super::attack::{self, TACTICS, Tactic, Technique};
use super::guardduty::{self, Compared, TableError};
use super::reach::{Reach, Reacher};
use crate::lint::{KnownCall, known_calls};
use crate::rules::{Mode, Rule};
use crate::ruleset::RuleSet;
use crate::severity::Severity;

/// What rules watch for. Of rules that are off only their number is told.
#[derive(Debug)]
pub(super) struct Survey<'r> {
    /// How many rules there are of each severity (from the worst to the least) and of each mode (in the order of [`Mode::WORDS`]).
    pub(super) numbers: Vec<(Severity, [usize; 3])>,
    /// The techniques that the rules' tags name, by id, with the ids of the rules.
    pub(super) techniques: BTreeMap<&'static str, (&'static Technique, Vec<&'r str>)>,
    /// The ids that tags name and that are not known, with the ids of the rules.
    pub(super) unknown: BTreeMap<String, Vec<&'r str>>,
    /// The rules that are not off, and what each can match.
    pub(super) rules: Vec<(&'r Rule, Reach<'static>)>,
    /// `GuardDuty`'s own rules, beside these.
    pub(super) guardduty: Vec<Compared>,
}

/// What is watched of one service.
#[derive(Debug, Default)]
pub(super) struct ServiceCoverage<'r> {
    /// The rules that name the service or one of its calls.
    pub(super) rules: Vec<&'r str>,
    /// Those of its calls that change something and that a rule names.
    pub(super) writes: BTreeSet<&'static str>,
    /// The same of its calls that only read.
    pub(super) reads: BTreeSet<&'static str>,
}

impl<'r> Survey<'r> {
    /// What these rules watch for.
    ///
    /// # Errors
    /// The program's own table of `GuardDuty`'s rules is damaged.
    pub(super) fn of(rules: &'r RuleSet) -> Result<Self, TableError> {
        let all = rules.rules();
        let reacher = Reacher::new(calls())?;
        let on: Vec<&Rule> = all.iter().filter(|rule| rule.is_on()).collect();
        let (mut techniques, mut unknown) = (BTreeMap::new(), BTreeMap::<String, Vec<&str>>::new());
        for rule in &on {
            for id in rule.info.tags.iter().filter_map(|tag| attack::id_of_tag(tag)) {
                let rules = match Technique::of_id(&id) {
                    Some(technique) => &mut techniques.entry(technique.id).or_insert((technique, Vec::new())).1,
                    None => unknown.entry(id).or_default(),
                };
                if !rules.contains(&rule.info.id.as_str()) {
                    rules.push(rule.info.id.as_str());
                }
            }
        }
        let count = |severity: Severity, mode: Mode| {
            all.iter().filter(|rule| rule.severity == severity && rule.info.mode == mode).count()
        };
        Ok(Self {
            numbers: Severity::ALL
                .into_iter()
                .rev()
                .map(|severity| (severity, Mode::WORDS.map(|(_, mode)| count(severity, mode))))
                .collect(),
            techniques,
            unknown,
            rules: on.into_iter().map(|rule| (rule, reacher.of(rule))).collect(),
            guardduty: guardduty::compare(rules)?,
        })
    }

    /// How many rules there are of each mode, in the order of [`Mode::WORDS`].
    pub(super) fn modes(&self) -> [usize; 3] {
        [0, 1, 2].map(|mode| self.numbers.iter().map(|(_, modes)| modes[mode]).sum())
    }

    /// The tactics that a technique of the rules serves, in the order of the matrix: with the ids of the techniques, and of the
    /// rules.
    pub(super) fn tactics(&self) -> Vec<(Tactic, Vec<&'static str>, BTreeSet<&'r str>)> {
        let with_techniques = TACTICS.into_iter().map(|tactic| {
            let serving: Vec<_> =
                self.techniques.values().filter(|(technique, _)| technique.tactics.contains(&tactic.word)).collect();
            let rules = serving.iter().flat_map(|(_, rules)| rules.iter().copied()).collect();
            (tactic, serving.iter().map(|(technique, _)| technique.id).collect::<Vec<_>>(), rules)
        });
        with_techniques.filter(|(_, techniques, _)| !techniques.is_empty()).collect()
    }

    /// What is watched of each service that a rule names, by the value of `eventSource`.
    pub(super) fn services(&self) -> BTreeMap<&'static str, ServiceCoverage<'r>> {
        let mut services = BTreeMap::<&str, ServiceCoverage<'_>>::new();
        for (rule, reach) in &self.rules {
            for service in reach.all_services() {
                services.entry(service).or_default().rules.push(&rule.info.id);
            }
        }
        for call in self.calls().keys() {
            let Some(service) = services.get_mut(call.service) else { continue };
            if call.reads { &mut service.reads } else { &mut service.writes }.insert(call.name);
        }
        services
    }

    /// The calls that rules name, with the rules, and whether each can match when a person's role makes the call.
    pub(super) fn calls(&self) -> BTreeMap<KnownCall, Vec<(&'r Rule, bool)>> {
        let known: BTreeMap<(&str, &str), &KnownCall> =
            calls().iter().map(|call| ((call.service, call.name), call)).collect();
        let mut named = BTreeMap::<KnownCall, Vec<(&Rule, bool)>>::new();
        for (rule, reach) in &self.rules {
            for (call, person) in &reach.calls {
                let Some(known) = known.get(call) else { continue };
                named.entry(**known).or_default().push((rule, *person));
            }
        }
        named
    }

    /// The rules that name neither calls nor services.
    pub(super) fn of_any_call(&self) -> Vec<&'r str> {
        self.rules.iter().filter(|(_, reach)| reach.any_call).map(|(rule, _)| rule.info.id.as_str()).collect()
    }

    /// The rules that find none of the calls that `GuardDuty`'s rules are about.
    pub(super) fn beyond_guardduty(&self) -> Vec<&'r str> {
        let found: BTreeSet<&String> =
            self.guardduty.iter().flat_map(|compared| compared.alerting.iter().chain(&compared.staged)).collect();
        let ids = self.rules.iter().map(|(rule, _)| &rule.info.id);
        ids.filter(|id| !found.contains(id)).map(String::as_str).collect()
    }
}

/// Every known call.
fn calls() -> &'static [KnownCall] {
    static CALLS: std::sync::OnceLock<Vec<KnownCall>> = std::sync::OnceLock::new();
    CALLS.get_or_init(|| known_calls().collect())
}
