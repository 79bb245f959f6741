//! Both rule sets over the same records: what each of them finds, side by side.

use std::collections::HashSet;

use crate::cli::findings::{EvaluatedFinding, FindingVisitor, RuleAddress, address};
use crate::engine::{EvaluateError, Scanned, Scanner};
use crate::ruleset::RuleSet;
use crate::scan::RecordVisitor;

/// A finding before and after.
#[derive(Debug)]
pub(super) struct Pair {
    pub(super) old: Option<EvaluatedFinding>,
    pub(super) new: Option<EvaluatedFinding>,
}

impl Pair {
    /// The finding as the new rules make it, or else as the old ones did.
    pub(super) fn found(&self) -> Option<&EvaluatedFinding> {
        self.new.as_ref().or(self.old.as_ref())
    }
}

/// Both rule sets, which are asked about each record in one walk.
pub(super) struct BothRuleSets {
    both: RuleSet,
    /// The rules of the new set.
    new: HashSet<RuleAddress>,
}

impl BothRuleSets {
    pub(super) fn new(old: &RuleSet, new: &RuleSet) -> Self {
        let both = old.with_rules_of(new);
        Self { both, new: new.rules().iter().map(|rule| address(&rule.info)).collect() }
    }

    /// The visitor of an archive.
    pub(super) fn visitor(&self) -> PairVisitor<'_> {
        PairVisitor { both: FindingVisitor::new(&self.both), new: &self.new }
    }
}

/// Evaluates both rule sets over each record of a scan.
pub(super) struct PairVisitor<'r> {
    both: FindingVisitor<'r>,
    new: &'r HashSet<RuleAddress>,
}

impl<'r> RecordVisitor for PairVisitor<'r> {
    type Output = Pair;
    type State = Scanner<'r>;

    fn state(&self) -> Self::State {
        self.both.state()
    }

    fn document(
        &self,
        scanner: &mut Self::State,
        text: &str,
        take: &mut dyn FnMut(usize, Result<Pair, EvaluateError>),
    ) -> Scanned {
        self.both.records(scanner, text, |index, found| match found {
            Ok(found) => {
                let (new, old) = found.into_iter().partition(|one| self.new.contains(&address(&one.finding.rule)));
                pairs(old, new).into_iter().for_each(|pair| take(index, Ok(pair)));
            }
            Err(error) => take(index, Err(error)),
        })
    }
}

/// What both rule sets find in one record.
fn pairs(old: Vec<EvaluatedFinding>, new: Vec<EvaluatedFinding>) -> Vec<Pair> {
    let mut new: Vec<Option<EvaluatedFinding>> = new.into_iter().map(Some).collect();
    let mut pairs = Vec::new();
    for old in old {
        let same = new.iter_mut().find(|new| new.as_ref().is_some_and(|new| new.finding.id == old.finding.id));
        pairs.push(Pair { new: same.and_then(Option::take), old: Some(old) });
    }
    pairs.extend(new.into_iter().flatten().map(|new| Pair { old: None, new: Some(new) }));
    // The walk was one over both: each set has a first finding of its own.
    let (mut is_after_old, mut is_after_new) = (false, false);
    for Pair { old, new } in &mut pairs {
        for (found, is_after) in [(old, &mut is_after_old), (new, &mut is_after_new)] {
            if let Some(found) = found {
                found.is_with_previous = std::mem::replace(is_after, true);
            }
        }
    }
    pairs
}
