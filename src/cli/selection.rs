//! Which rules a command is asked about: the options `--rule` and `--severity`, which commands share.

use super::words::is_there;
use crate::finding::Finding;
use crate::rules::Rule;
use crate::ruleset::RuleSet;
use crate::severity::Severity;

/// The options `--rule ID` and `--severity SEVERITY`.
#[derive(Debug, Clone, Default, clap::Args)]
pub(super) struct RuleSelection {
    /// Only the rule with this id; may be repeated
    #[arg(long = "rule", value_name = "ID")]
    ids: Vec<String>,
    /// Only what is at least as bad as this: low, medium, high, very-high or extreme
    #[arg(long, value_name = "SEVERITY", value_parser = severity)]
    severity: Option<Severity>,
}

impl RuleSelection {
    /// This rule alone.
    pub(super) fn of_rule(id: String) -> Self {
        Self { ids: vec![id], severity: None }
    }

    /// Whether the rules that the options name are there, in one of these sets; says on stderr which are, where one is not.
    pub(super) fn is_of(&self, sets: &[&RuleSet]) -> bool {
        let rules = || sets.iter().flat_map(|rules| rules.rules());
        let is_known = |id: &String| rules().any(|rule| rule.info.id == *id);
        let Some(unknown) = self.ids.iter().find(|id| !is_known(id)) else { return true };
        let known: Vec<&str> = rules().map(|rule| rule.info.id.as_str()).collect();
        is_there("rule", Some(unknown), &known)
    }

    /// Whether every rule and every finding is taken.
    pub(super) fn takes_all(&self) -> bool {
        self.ids.is_empty() && self.severity.is_none()
    }

    /// Whether a rule is taken: one whose findings may be as bad as that.
    pub(super) fn takes_rule(&self, rule: &Rule) -> bool {
        let severities = rule.severity_when.iter().map(|(severity, _)| *severity).chain([rule.severity]);
        self.names(&rule.info.id) && severities.max() >= self.severity
    }

    /// Whether a finding is taken.
    pub(super) fn takes_finding(&self, finding: &Finding) -> bool {
        self.names(&finding.rule.id) && Some(finding.severity) >= self.severity
    }

    fn names(&self, id: &str) -> bool {
        self.ids.is_empty() || self.ids.iter().any(|asked| asked == id)
    }
}

/// A severity, as an option takes it.
pub(super) fn severity(text: &str) -> Result<Severity, String> {
    Severity::from_word(text).ok_or_else(|| "write low, medium, high, very-high or extreme".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_as_bad_as_the_worst_that_it_may_say() {
        let source = r#"{"rules":[
            {"id":"A","title":"t","severity":"low","when":{"event":"x"},"severity_when":[{"severity":"extreme","when":{"event":"y"}}]},
            {"id":"B","title":"t","severity":"medium","when":{"event":"x"}}]}"#;
        let compiled = RuleSet::compile(source).unwrap().rules;
        let taken = |ids: &[&str], severity| {
            let selection = RuleSelection { ids: ids.iter().map(|id| (*id).to_owned()).collect(), severity };
            let rules = compiled.rules().iter().filter(|rule| selection.takes_rule(rule));
            rules.map(|rule| rule.info.id.as_str()).collect::<Vec<_>>().concat()
        };
        assert_eq!(taken(&[], None), "AB");
        assert_eq!(taken(&["B"], None), "B");
        assert_eq!(taken(&[], Some(Severity::Medium)), "AB");
        assert_eq!(taken(&[], Some(Severity::High)), "A");
        assert_eq!(taken(&["B"], Some(Severity::High)), "");
    }
}
