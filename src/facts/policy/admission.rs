//! Whom statements let in.

use std::collections::HashSet;

use super::caller::{Caller, STRANGERS, roads_of};
use super::condition::{Condition, Holds, named_by};
use super::glob::Budget;
use super::principal::{Principal, Principals, Who};
use super::statement::{Selection, Statement};
use crate::cloudtrail::FactValue;

/// Values without repeats, however many they are.
#[derive(Debug, Default)]
pub(in crate::facts) struct Found {
    values: Vec<FactValue>,
    texts: HashSet<String>,
}

impl Found {
    pub(in crate::facts) fn add(&mut self, text: String, place: &str) {
        if !self.texts.contains(&text) {
            self.texts.insert(text.clone());
            self.values.push(FactValue { text, place: place.to_owned() });
        }
    }

    pub(in crate::facts) fn into_values(self) -> Vec<FactValue> {
        self.values
    }
}

/// Whom statements let in, in the order in which they name them: `everybody`, an account, an ARN, `service ec2.amazonaws.com`,
/// `federated …`, `everybody at …` (an identity provider any of whose users gets in), and where a condition keeps strangers out
/// those whom it names: `organization o-example`, an endpoint, a network.
pub(in crate::facts) fn let_in(statements: &[Statement<'_>]) -> Vec<FactValue> {
    let budget = Budget::default();
    let denies: Vec<&Statement<'_>> = statements.iter().filter(|statement| !statement.allows).collect();
    let mut found = Found::default();
    for statement in statements.iter().filter(|statement| statement.allows) {
        let allow = Allow { statement, denies: &denies, budget: &budget };
        match &statement.principals {
            Principals::Unsaid => {}
            Principals::AllBut(excluded, place) => {
                if excluded.iter().all(|principal| principal.who != Who::Everybody) {
                    allow.anybody(place, &mut found);
                }
            }
            Principals::Only(principals) => {
                principals.iter().for_each(|principal| allow.principal(principal, &mut found));
            }
        }
    }
    found.into_values()
}

/// A statement that allows, among those that deny.
struct Allow<'s, 'r> {
    statement: &'s Statement<'r>,
    denies: &'s [&'s Statement<'r>],
    budget: &'s Budget,
}

impl Allow<'_, '_> {
    fn principal(&self, principal: &Principal, found: &mut Found) {
        let who = &principal.who;
        if *who == Who::Everybody {
            return self.anybody(&principal.place, found);
        }
        if !self.lets_in_named(who) {
            return;
        }
        match who {
            Who::Federated(provider) if !self.statement.conditions.iter().any(Condition::fixes_claim) => {
                found.add(format!("everybody at {provider}"), &principal.place);
            }
            _ => found.add(who.name(), &principal.place),
        }
    }

    /// Everybody is named. If no stranger gets in, those are told whom the conditions name.
    fn anybody(&self, place: &str, found: &mut Found) {
        let admitted: Vec<Caller<'_>> = STRANGERS.into_iter().filter(|stranger| self.admits(*stranger)).collect();
        if admitted.is_empty() {
            return self.named_by_conditions(found);
        }
        let mut spared = Vec::new();
        for stranger in admitted {
            match self.denying(stranger) {
                Some(denies) if denies.is_empty() => return found.add(Who::Everybody.name(), place),
                Some(denies) => spared.extend(denies),
                None => {}
            }
        }
        // Where a `Deny` keeps out strangers who lack a key, those who have it get in by the condition that takes both.
        self.named_by_conditions(found);
        for deny in spared {
            if let Principals::AllBut(spared, _) = &deny.principals {
                for principal in spared.iter().filter(|principal| self.leaves_in(&principal.who)) {
                    found.add(principal.who.name(), &principal.place);
                }
            }
            for condition in deny.conditions.iter().filter(|condition| condition.spares()) {
                for value in condition.values.iter().filter(|value| self.leaves_in_bearer(&condition.key, value)) {
                    if let Some((_, name)) = named_by(&condition.key, value) {
                        found.add(name, &condition.place);
                    }
                }
            }
        }
    }

    /// Whether somebody whom a `Deny` spares gets in by a statement for everybody.
    fn leaves_in(&self, who: &Who) -> bool {
        !self.excludes(who) && self.lets_in_named(who)
    }

    /// The same of somebody for whom a key holds a value.
    fn leaves_in_bearer(&self, key: &str, value: &str) -> bool {
        let is_excluded = is_principal(key) && self.excludes(&Who::aws(value));
        !is_excluded && self.lets_in_bearer(key, value)
    }

    /// Whether somebody for whom a key holds a value can get in, by some way.
    fn lets_in_bearer(&self, key: &str, value: &str) -> bool {
        if is_principal(key) {
            return self.lets_in_named(&Who::aws(value));
        }
        roads_of(key).any(|road| self.lets_in(Caller::Bearer(key, value, road)))
    }

    /// Whether the statement is for everybody but him.
    fn excludes(&self, who: &Who) -> bool {
        match &self.statement.principals {
            Principals::AllBut(excluded, _) => excluded.iter().any(|one| {
                one.who == *who || (matches!(one.who, Who::Account(_)) && one.who.account() == who.account())
            }),
            Principals::Only(_) | Principals::Unsaid => false,
        }
    }

    /// Whether somebody whom a statement names can get in, by some way.
    fn lets_in_named(&self, who: &Who) -> bool {
        who.roads().iter().any(|road| self.lets_in(Caller::Named(who, *road)))
    }

    /// Whether a caller whom something names can get in.
    fn lets_in(&self, caller: Caller<'_>) -> bool {
        self.admits(caller) && self.denying(caller).is_some()
    }

    /// Whether the conditions can hold of a caller. If the budget ends, they can.
    fn admits(&self, caller: Caller<'_>) -> bool {
        self.statement.conditions.iter().all(|condition| {
            self.budget.spend(1 + condition.values.len()).is_none()
                || condition.holds(caller.holds(&condition.key)) != Holds::Never
        })
    }

    /// The statements that deny a caller all that this one allows: none if something is left to him. `None` if they do so
    /// without any condition, and so to everybody of the kind. If the budget ends, nobody is denied anything.
    fn denying(&self, caller: Caller<'_>) -> Option<Vec<&Statement<'_>>> {
        if self.denies.is_empty() || self.budget.spend(1).is_none() {
            return Some(Vec::new());
        }
        let denying: Vec<&Statement<'_>> =
            self.denies.iter().copied().filter(|deny| self.always_denies(deny, caller)).collect();
        if denying.is_empty() || !self.is_taken_back_by(&denying) {
            return Some(Vec::new());
        }
        let spares_nobody =
            |deny: &&Statement<'_>| deny.conditions.is_empty() && !matches!(deny.principals, Principals::AllBut(..));
        let unconditional: Vec<&Statement<'_>> = denying.iter().copied().filter(spares_nobody).collect();
        let named = matches!(caller, Caller::Named(..) | Caller::Bearer(..));
        if named || (!unconditional.is_empty() && self.is_taken_back_by(&unconditional)) {
            return None;
        }
        Some(denying)
    }

    fn always_denies(&self, deny: &Statement<'_>, caller: Caller<'_>) -> bool {
        let principals = match &deny.principals {
            Principals::Only(list) | Principals::AllBut(list, _) => list.len(),
            Principals::Unsaid => 0,
        };
        let values: usize = deny.conditions.iter().map(|condition| 1 + condition.values.len()).sum();
        self.budget.spend(1 + principals + values).is_some()
            && (names(&deny.principals, caller) || self.is_for_services_of(&deny.principals))
            && always(deny, caller)
    }

    /// Whether a condition lets nobody in but services that are named.
    fn is_for_services_of(&self, principals: &Principals) -> bool {
        let Principals::Only(list) = principals else { return false };
        let is_named = |value: &&str| {
            list.iter()
                .any(|principal| matches!(&principal.who, Who::Service(name) if name.eq_ignore_ascii_case(value)))
        };
        self.statement.conditions.iter().any(|condition| {
            condition.key == "aws:principalservicename"
                && condition.names()
                && !condition.is_lenient()
                && condition.values.iter().all(is_named)
        })
    }

    fn is_taken_back_by(&self, denies: &[&Statement<'_>]) -> bool {
        let Statement { actions, resources, .. } = self.statement;
        let (actions, resources) = (actions.parts(), resources.parts());
        if self.budget.spend(actions.len() + resources.len()).is_none() {
            return false;
        }
        actions.into_iter().all(|action| {
            resources.iter().all(|resource| {
                denies.iter().any(|deny| {
                    Selection::covers(&deny.actions, action, self.budget)
                        && Selection::covers(&deny.resources, *resource, self.budget)
                })
            })
        })
    }

    /// Those whom the narrowest of the conditions names. Of conditions that a key which is missing meets as well, each lets others
    /// in: they are told together, where there are no others.
    fn named_by_conditions(&self, found: &mut Found) {
        let mut named: Vec<(u8, String, &Condition<'_>, &str)> = Vec::new();
        for condition in self.statement.conditions.iter().filter(|condition| condition.names()) {
            for value in condition.values.iter().filter(|value| !condition.is_nobody(value)) {
                if let Some((rank, name)) = named_by(&condition.key, value) {
                    named.push((rank, name, condition, value));
                }
            }
        }
        let narrowest =
            named.iter().filter(|(_, _, condition, _)| !condition.is_lenient()).map(|(rank, ..)| *rank).min();
        for (rank, name, condition, value) in named {
            if narrowest.is_some_and(|narrowest| rank != narrowest || condition.is_lenient()) {
                continue;
            }
            let is_left = self.statement.conditions.iter().all(|other| {
                self.budget.spend(1 + other.values.len()).is_none()
                    || other.key != condition.key
                    || other == condition
                    || other.leaves(value)
            });
            if is_left && self.lets_in_bearer(&condition.key, value) {
                found.add(name, &condition.place);
            }
        }
    }
}

/// Whether a key tells who has signed a request, as statements name him.
fn is_principal(key: &str) -> bool {
    matches!(key, "aws:principalaccount" | "aws:principalarn")
}

/// Whether a statement's conditions hold of a caller whatever he does.
fn always(statement: &Statement<'_>, caller: Caller<'_>) -> bool {
    statement.conditions.iter().all(|condition| condition.holds(caller.holds(&condition.key)) == Holds::Always)
}

/// Whether a statement that denies certainly is about a caller.
fn names(principals: &Principals, caller: Caller<'_>) -> bool {
    let among = |list: &[Principal]| list.iter().any(|principal| is_among(&principal.who, caller));
    match principals {
        Principals::Only(list) => among(list),
        Principals::AllBut(list, _) => !list.iter().any(|principal| may_be_among(&principal.who, caller)),
        Principals::Unsaid => true,
    }
}

/// Whether a caller certainly is one of those whom a principal names.
fn is_among(who: &Who, caller: Caller<'_>) -> bool {
    match caller {
        _ if *who == Who::Everybody => true,
        Caller::Named(named, _) => match who {
            Who::Account(account) => named.account() == Some(account),
            _ => who == named,
        },
        Caller::Bearer("aws:principalservicename", value, _) => matches!(who, Who::Service(name) if name == value),
        Caller::Stranger(..) | Caller::Bearer(..) | Caller::Holder => false,
    }
}

/// Whether some of a caller's kind may be named.
fn may_be_among(who: &Who, caller: Caller<'_>) -> bool {
    let known = match caller {
        Caller::Named(named, _) => named.account().map(str::to_owned),
        Caller::Bearer(key, ..) => return who.may_bear(key),
        Caller::Stranger(..) | Caller::Holder => None,
    };
    is_among(who, caller) || (known.is_some() && known.as_deref() == who.account())
}
