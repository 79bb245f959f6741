//! What a record matches, and the findings that are made of it: whole, to be told to people, or in outline, to be counted.

use crate::change::changes;
use crate::cloudtrail::{ApiCall, Names, Record};
use crate::finding::{Change, Finding, Step};
use crate::ids::{FindingId, StableId};
use crate::rules::{Rule, STEPS_SHOWN};

/// The rules that a record matches, before anything is told of it.
///
/// To decide is cheap, and to tell is not: what people read of a finding takes several times what it takes to find it. So whoever
/// asks the engine says what is to be made of a match.
#[derive(Debug)]
pub struct Matches<'m, 't> {
    record: &'m Record<'t>,
    /// The rules, in the order of the file, each with the place of its first row that matched.
    rules: Vec<(&'m Rule, usize)>,
    /// What is told besides the record.
    names: &'m Names,
}

impl<'m, 't> Matches<'m, 't> {
    /// `rules` are in the order of the file, each with the place of its first row that matched.
    pub(super) const fn new(record: &'m Record<'t>, rules: Vec<(&'m Rule, usize)>, names: &'m Names) -> Self {
        Self { record, rules, names }
    }

    /// Whether no rule matches.
    pub const fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// The record.
    pub const fn record(&self) -> &'m Record<'t> {
        self.record
    }

    /// The rules that it matches, in the order of the file: one for each finding.
    pub fn rules(&self) -> impl Iterator<Item = &'m Rule> {
        self.rules.iter().map(|(rule, _)| *rule)
    }

    /// The findings, with all that people are told.
    pub fn findings(&self) -> Vec<Finding> {
        if self.is_empty() {
            return Vec::new();
        }
        // Worked out once, however many rules have matched.
        let call = ApiCall::with_names(self.record, self.names);
        let changes = changes(self.record, &call);
        self.of(call, changes, |rule| (rule.title.render(self.record), steps(rule, self.record)))
    }

    /// The findings in outline: all that decides whether one is told, where, and whether it is a repeat. What is only told is
    /// left empty: the title, the changes and the steps, and of the call the sentence, the targets, the request and the answer.
    pub fn outlines(&self) -> Vec<Finding> {
        if self.is_empty() {
            return Vec::new();
        }
        self.of(self.outline(), Vec::new(), |_| <(String, Vec<Step>)>::default())
    }

    /// The findings as a list shows them: in outline, with the title, and with what was acted on.
    pub fn summaries(&self) -> Vec<Finding> {
        if self.is_empty() {
            return Vec::new();
        }
        let mut call = self.outline();
        call.name_targets(self.record);
        self.of(call, Vec::new(), |rule| (rule.title.render(self.record), Vec::new()))
    }

    fn outline(&self) -> ApiCall {
        let mut call = ApiCall::outline(self.record, self.names);
        let is_throttled_by_target = |rule: &Rule| rule.throttle.as_ref().is_some_and(|it| it.new_targets.are_sent());
        if self.rules().any(is_throttled_by_target) {
            call.target_id = ApiCall::target_of(self.record);
        }
        call
    }

    /// A finding of each match, with the facts of the record, and with the texts that are its rule's own.
    fn of(&self, call: ApiCall, changes: Vec<Change>, texts: impl Fn(&Rule) -> (String, Vec<Step>)) -> Vec<Finding> {
        let facts = std::iter::repeat_n((call, changes), self.rules.len());
        let finding = |((rule, row), (call, changes)): (&(&Rule, usize), (ApiCall, Vec<Change>))| {
            let (title, steps) = texts(rule);
            Finding {
                id: finding_id(rule, self.record, &call),
                rule: rule.info.clone(),
                severity: rule.severity_of(self.record),
                title,
                row: *row,
                call,
                first_seen: None,
                lineage: Vec::new(),
                changes,
                steps,
            }
        };
        self.rules.iter().zip(facts).map(finding).collect()
    }
}

/// What the rule says to do first about this record.
fn steps(rule: &Rule, record: &Record) -> Vec<Step> {
    let steps = rule.respond.iter().filter(|step| step.is_for(record)).take(STEPS_SHOWN);
    steps.map(|step| step.says.render(record)).map(|(text, command)| Step { text, command }).collect()
}

/// The id of a finding: the same in every copy of the function, and when a record is evaluated again.
fn finding_id(rule: &Rule, record: &Record, call: &ApiCall) -> FindingId {
    match &call.event_id {
        Some(event_id) => {
            let account = record.own_account().unwrap_or_default();
            FindingId::from(StableId::hash(&[&rule.info.id, account, event_id]))
        }
        // eventVersion 1.0 has no eventID.
        None => FindingId::from(StableId::hash(&[&rule.info.id, &record.root().canonical()])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::simple;
    use crate::ruleset::RuleSet;

    #[test]
    fn an_outline_has_all_that_decides_and_nothing_that_is_only_told() {
        let rules = RuleSet::compile(
            r#"{"rules":[
                {"id":"a","title":"{event} on {target}","severity":"low","severity_when":[{"severity":"high","when":{"user":"James"}}],
                 "when":{"event":"StopLogging"},"respond":["Ask {actor}."]},
                {"id":"b","title":"no throttle","severity":"low","throttle":"off","when":{"service":"cloudtrail"}}]}"#,
        )
        .unwrap()
        .rules;
        let json = r#"{"eventSource":"cloudtrail.amazonaws.com","eventName":"StopLogging","eventID":"e","recipientAccountId":"111122223333",
            "userIdentity":{"type":"IAMUser","userName":"James"},"requestParameters":{"name":"main"},"responseElements":{"x":"y"}}"#;
        let record = Record::parse(json).unwrap();
        let names = Names::default();
        let matches = simple::matches(rules.rules(), &record, &names);
        let (whole, outlines) = (matches.findings(), matches.outlines());
        assert!(
            whole
                .iter()
                .all(|one| !one.title.is_empty() && !one.call.sentence.is_empty() && one.call.request.is_some())
        );
        let without = |finding: &Finding| {
            let call = &finding.call;
            let call =
                ApiCall { sentence: String::new(), targets: Vec::new(), request: None, response: None, ..call.clone() };
            Finding { title: String::new(), changes: Vec::new(), steps: Vec::new(), call, ..finding.clone() }
        };
        let expected: Vec<Finding> = whole.iter().map(without).collect();
        assert_eq!(format!("{outlines:?}"), format!("{expected:?}"));
        assert!(outlines[0].call.target_id.is_some());
        // A list shows titles and targets, too.
        let listed = |(outline, whole): (&Finding, &Finding)| {
            let call = ApiCall { targets: whole.call.targets.clone(), ..outline.call.clone() };
            Finding { title: whole.title.clone(), call, ..outline.clone() }
        };
        let expected: Vec<Finding> = outlines.iter().zip(&whole).map(listed).collect();
        assert_eq!(format!("{:?}", matches.summaries()), format!("{expected:?}"));
        assert!(!expected[0].call.targets.is_empty());
        // Where no throttle looks at targets, nobody asks what they are.
        let matches = simple::matches(&rules.rules()[1..], &record, &names);
        assert_eq!(matches.outlines()[0].call.target_id, None);
    }
}
