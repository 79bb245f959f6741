//! Asks a deployed stack: its outputs, then its log and its ledger.

use std::collections::BTreeSet;
use std::fmt;

use crate::aws::{ApiError, DynamoStore, LogLine, StackReader};
use crate::cli::silence::running;
use crate::cli::stack_access::{StackAccess, now};
use crate::ids::{ClaimId, StableId};
use crate::ledger::{DoneAs, Ledger, StoreError};
use crate::time::Timestamp;

use super::advice;
use super::question::{Question, Subject};
use super::report::{self, FINDING, FindingStatus, KnownClaim, Line, StatusReport, has, is_late};

/// Lines about one subject that are read: an event that comes again and again has a few for each time.
const MOST_LINES: usize = 10_000;
/// Findings that one pattern names: CloudWatch takes 1,024 characters. Source:
/// <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html>.
const FINDINGS_OF_PATTERN: usize = 8;

/// A stack, and what is asked of it.
pub(super) struct Source<'q> {
    question: &'q Question,
    reader: StackReader,
    region: String,
    now: Timestamp,
    since: Timestamp,
}

impl<'q> Source<'q> {
    /// Finds the region, the addresses and the credentials; asks nobody yet.
    ///
    /// # Errors
    /// What is missing, and the remedy.
    pub(super) fn open(question: &'q Question) -> Result<Self, String> {
        let StackAccess { reader, region, .. } = StackAccess::open(question.region.as_ref())?;
        let now = now();
        Ok(Self { question, reader, region, now, since: question.since.point(now) })
    }

    /// All that is known. Who does not answer is named in it, and the others are asked all the same.
    pub(super) async fn report(&self) -> StatusReport {
        let Question { subject, stack, .. } = self.question;
        let mut unanswered = Unanswered::default();
        let (table, log_group) = self.names(&mut unanswered).await;
        let mut lines = match &log_group {
            Some(group) => unanswered.or_none(&format!("the log {group}"), self.lines_of_subject(group, subject).await),
            None => Vec::new(),
        };
        let known = self.known(table.as_deref(), report::findings(subject, &lines), &mut unanswered).await;
        let mut findings = self.findings(&known, &lines);
        // The lines that say why a delivery is late name no event.
        if let (Subject::Event(_), Some(group)) = (subject, &log_group) {
            let late: Vec<&str> = findings.iter().filter(|f| is_late(f)).map(|f| f.finding.as_str()).collect();
            lines.extend(unanswered.or_none(&format!("the log {group}"), self.reasons(group, &late).await));
            findings = self.findings(&known, &lines);
        }
        let log_tells = match &log_group {
            Some(group) if findings.is_empty() && unanswered.0.is_empty() => self.log_tells(group).await.ok(),
            _ => None,
        };
        let mut silences = Vec::new();
        if let Some(table) = &table {
            let ledger = Ledger::new(self.reader.store(table));
            silences = unanswered.or_none(&format!("the table {table}"), running(&ledger, self.now).await);
        }
        let mut report = StatusReport::new(subject, self.since, findings, unanswered.0);
        report.silences = silences;
        if !report.known {
            report.log_tells = log_tells;
            report.next = advice::of_nothing(subject, stack, &self.region, log_tells);
        }
        report
    }

    /// The names of the table and of the log group: those that were given, else the stack's.
    async fn names(&self, unanswered: &mut Unanswered) -> (Option<String>, Option<String>) {
        let Question { stack, table, log_group, .. } = self.question;
        if table.is_some() && log_group.is_some() {
            return (table.clone(), log_group.clone());
        }
        let outputs = self.reader.outputs(stack).await;
        let mut outputs = unanswered.or_none(&format!("the stack {stack} in {}", self.region), outputs);
        let mut name = |given: &Option<String>, output: &str, what: &str, option: &str| {
            let name = given.clone().or_else(|| outputs.remove(output));
            if name.is_none() {
                unanswered.note(what, &format!("its name is not known: give it with {option}"));
            }
            name
        };
        (name(table, "TableName", "the table", "--table"), name(log_group, "LogGroupName", "the log", "--log-group"))
    }

    /// What the ledger knows of these findings.
    async fn known(
        &self,
        table: Option<&str>,
        findings: BTreeSet<String>,
        unanswered: &mut Unanswered,
    ) -> Vec<(String, Vec<KnownClaim>)> {
        let mut known = Vec::new();
        for finding in findings {
            let mut claims = Vec::new();
            if let Some(table) = table {
                let ledger = Ledger::new(self.reader.store(table));
                claims = unanswered.or_none(&format!("the table {table}"), self.claims(&ledger, &finding).await);
            }
            known.push((finding, claims));
        }
        known
    }

    fn findings(&self, known: &[(String, Vec<KnownClaim>)], lines: &[Line]) -> Vec<FindingStatus> {
        known.iter().filter_map(|(id, claims)| report::finding(id, lines, claims, self.now)).collect()
    }

    async fn lines_of_subject(&self, group: &str, subject: &Subject) -> Result<Vec<Line>, ApiError> {
        match subject {
            Subject::Finding(id) => self.lines(group, &["finding", "what"], &[id.as_str()]).await,
            Subject::Event(id) => self.lines(group, &["event_id"], &[id]).await,
        }
    }

    /// The lines that are about these findings.
    async fn reasons(&self, group: &str, findings: &[&str]) -> Result<Vec<Line>, ApiError> {
        let mut lines = Vec::new();
        for findings in findings.chunks(FINDINGS_OF_PATTERN) {
            let found = self.lines(group, &["finding", "what"], findings).await?;
            // The ends of findings are there already.
            lines.extend(found.into_iter().filter(|line| !line.is_end()));
        }
        Ok(lines)
    }

    /// The lines of which one of these members is one of these texts.
    async fn lines(&self, group: &str, members: &[&str], texts: &[&str]) -> Result<Vec<Line>, ApiError> {
        let is_wanted = |fields: &serde_json::Value| members.iter().any(|member| has(fields, member, texts));
        let found = self.reader.log_lines(group, self.since, &pattern(members, texts), is_wanted, MOST_LINES).await?;
        Ok(found.into_iter().map(Line::read).collect())
    }

    /// Whether the log would have the line of a finding: it has one, or a line of metrics says that the function's `LogLevel` lets it through.
    async fn log_tells(&self, group: &str) -> Result<bool, ApiError> {
        // Versions before 2026-11-30 wrote a line for each invocation, and no level.
        const MESSAGES: [&str; 2] = ["invocation", FINDING];
        const LEVELS: [&str; 2] = ["INFO", "DEBUG"];
        let is_wanted =
            |fields: &serde_json::Value| has(fields, "message", &MESSAGES) || has(fields, "LogLevel", &LEVELS);
        let messages = MESSAGES.map(|text| format!("($.fields.message = \"{text}\")"));
        let levels = LEVELS.map(|text| format!("($.LogLevel = \"{text}\")"));
        let pattern = format!("{{ {} }}", [messages, levels].concat().join(" || "));
        let found: Vec<LogLine> = self.reader.log_lines(group, self.since, &pattern, is_wanted, 1).await?;
        Ok(!found.is_empty())
    }

    /// The claims of a finding, each with that of its roll-up.
    async fn claims(&self, ledger: &Ledger<DynamoStore>, finding: &str) -> Result<Vec<KnownClaim>, StoreError> {
        // A line of the log may hold anything.
        let Ok(id) = StableId::try_from(finding.to_owned()) else { return Ok(Vec::new()) };
        let mut known = Vec::new();
        for (channel, claim) in ledger.claims(&ClaimId::from(id), self.now).await? {
            let mut roll_up = None;
            if matches!(claim.done, Some(DoneAs::Throttled | DoneAs::Silenced)) {
                let claims = ledger.claims(&ClaimId::for_roll_up(&claim.decision.alert), self.now).await?;
                roll_up = claims.into_iter().find(|(name, _)| *name == channel).map(|(_, claim)| claim);
            }
            known.push(KnownClaim { channel, claim, roll_up });
        }
        Ok(known)
    }
}

/// Who did not answer, and why.
#[derive(Default)]
struct Unanswered(Vec<String>);

impl Unanswered {
    fn note(&mut self, what: &str, reason: &dyn fmt::Display) {
        let note = format!("{what}: {reason}");
        if !self.0.contains(&note) {
            self.0.push(note);
        }
    }

    /// What was answered; nothing, with a note, if it is an error.
    fn or_none<T: Default, E: fmt::Display>(&mut self, what: &str, answer: Result<T, E>) -> T {
        answer.unwrap_or_else(|error| {
            self.note(what, &error);
            T::default()
        })
    }
}

/// CloudWatch's pattern for the lines of which one of these members is one of these texts. The function writes them below `fields`.
fn pattern(members: &[&str], texts: &[&str]) -> String {
    let terms =
        members.iter().flat_map(|member| texts.iter().map(move |text| format!("($.fields.{member} = \"{text}\")")));
    format!("{{ {} }}", terms.collect::<Vec<_>>().join(" || "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_names_every_text_and_is_as_long_as_cloudwatch_takes() {
        assert_eq!(pattern(&["event_id"], &["e-1"]), r#"{ ($.fields.event_id = "e-1") }"#);
        let id = "e3b0c44298fc1c149afbf4c8996fb924";
        let long = pattern(&["finding", "what"], &[id; FINDINGS_OF_PATTERN]);
        assert_eq!(long.matches(id).count(), 2 * FINDINGS_OF_PATTERN);
        assert!(long.len() <= 1024, "{}", long.len());
    }
}
