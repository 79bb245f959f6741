//! Which proposals would lose a finding in other records: those of attacks, of which nothing must go quiet.

use std::io;
use std::path::PathBuf;

use super::proposal::Proposal;
use crate::cli::findings::FindingVisitor;
use crate::cli::input::{self, ArchivePart, InputCounts};
use crate::cloudtrail::Record;
use crate::config::Diagnostic;
use crate::engine::{EvaluateError, Scanned, Scanner};
use crate::ruleset::RuleSet;
use crate::scan::RecordVisitor;
use crate::severity::Severity;

/// A finding that a proposal would lose.
#[derive(Debug, Clone)]
pub(super) struct Lost {
    pub(super) title: String,
    pub(super) place: String,
}

/// A proposal that was refused, and the finding that it would lose.
pub(super) struct Refused {
    pub(super) proposal: Proposal,
    pub(super) lost: Lost,
}

/// Which proposals cover the records that have findings. Each proposal stands as a rule, whose `when` is the exception's: so it is
/// judged by the engine that will judge the exception.
struct Covered<'r> {
    findings: FindingVisitor<'r>,
    proposals: Option<&'r RuleSet>,
}

/// A finding, and the proposals that cover its record, by their places.
struct CoveredFinding {
    rule: String,
    severity: Severity,
    title: String,
    proposals: Vec<usize>,
}

impl<'r> RecordVisitor for Covered<'r> {
    type Output = CoveredFinding;
    type State = Scanner<'r>;

    fn state(&self) -> Self::State {
        self.findings.state()
    }

    fn document(
        &self,
        scanner: &mut Self::State,
        text: &str,
        take: &mut dyn FnMut(usize, Result<Self::Output, EvaluateError>),
    ) -> Scanned {
        self.findings.records_with_text(scanner, text, |index, json, found| {
            let found = match found {
                Ok(found) if found.is_empty() => return,
                Ok(found) => found,
                Err(error) => return take(index, Err(error)),
            };
            let Ok(record) = Record::parse(json) else { return };
            let record = record.in_envelope_of(found[0].finding.call.account.as_deref());
            let covering = self.proposals.map(|proposals| proposals.evaluate_record(&record));
            let proposals: Vec<usize> =
                covering.iter().flatten().filter_map(|finding| finding.rule.id.parse().ok()).collect();
            for one in found {
                let rule = one.finding.rule.id.clone();
                let title = one.finding.shown_title().into_owned();
                let severity = one.finding.severity;
                take(index, Ok(CoveredFinding { rule, severity, title, proposals: proposals.clone() }));
            }
        })
    }
}

/// Of each proposal the first finding in these files that it would lose.
/// `standing` are the [`rules_of`] these proposals.
///
/// # Errors
/// Those of reading.
pub(super) fn lost(
    rules: &RuleSet,
    proposals: &[Proposal],
    standing: Option<&RuleSet>,
    files: &[PathBuf],
) -> io::Result<(Vec<Option<Lost>>, InputCounts)> {
    let mut lost: Vec<Option<Lost>> = vec![None; proposals.len()];
    let covered = Covered { findings: FindingVisitor::new(rules), proposals: standing };
    let counts = input::each(files, &ArchivePart::default(), &covered, |file, index, found| {
        for place in found.proposals {
            let Some(proposal) = proposals.get(place) else { continue };
            if proposal.key.rule == found.rule && found.severity <= proposal.max_severity && lost[place].is_none() {
                lost[place] = Some(Lost { title: found.title.clone(), place: format!("{file}, record {index}") });
            }
        }
        Ok(())
    })?;
    Ok((lost, counts))
}

/// The proposals as rules, whose ids are their places; none if there are none.
///
/// # Errors
/// What does not compile, which no proposal should be.
pub(super) fn rules_of(proposals: &[Proposal]) -> Result<Option<RuleSet>, Vec<Diagnostic>> {
    if proposals.is_empty() {
        return Ok(None);
    }
    let rules: Vec<String> = proposals
        .iter()
        .enumerate()
        .map(|(place, proposal)| {
            format!(r#"{{"id":"{place}","title":"{place}","severity":"low","when":{}}}"#, proposal.when())
        })
        .collect();
    RuleSet::compile(&format!(r#"{{"rules":[{}]}}"#, rules.join(","))).map(|compiled| Some(compiled.rules))
}
