//! A silence: findings of one rule that somebody wants to hear no more of for some hours, and what it may hold back.
//!
//! Everything here is a pure function of what an item says and of what came; `silencing` reads and writes. docs/design/ledger.md
//! ("Silences") has the reasons.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::alert::SilenceNotice;
use crate::finding::Finding;
use crate::ids::{AlertId, StableId};
use crate::severity::Severity;
use crate::text::one_line;
use crate::time::Timestamp;

/// The longest that a silence may last. One that says it lasts longer silences nothing.
pub const LONGEST_SILENCE: Duration = Duration::from_hours(24);
/// The fields that a silence may be narrowed by: AWS vouches for each of them, and no caller chooses one.
pub const SILENCE_FIELDS: [&str; 4] = ["account", "event", "principal", "region"];
/// How the ids of the rules begin that watch this monitor. They are never silenced.
const SELF_DEFENSE: &str = "SELF-";
/// Characters of who and why that people are told.
const TOLD: usize = 200;

/// A silence, as its item says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Silence {
    /// The rule.
    pub rule: String,
    /// The values that a finding's fields must have, by their names; none: every finding of the rule.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub by: BTreeMap<String, String>,
    /// When it was made.
    pub created: Timestamp,
    /// When it ends.
    pub until: Timestamp,
    /// Who made it: an ARN.
    pub who: String,
    /// Why.
    pub reason: String,
    /// When somebody ended it before its time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Timestamp>,
}

impl Silence {
    /// The id of a silence that is made.
    pub fn id(&self) -> String {
        let (created, until) = (self.created.millis().to_string(), self.until.millis().to_string());
        let by: Vec<String> = self.by.iter().map(|(field, value)| format!("{field}={value}")).collect();
        let parts = ["silence", &self.rule, &by.join("\n"), &created, &until, &self.who, &self.reason];
        StableId::hash(&parts).as_str()[..16].to_owned()
    }

    /// Whether it runs: it was made, it has not ended, and it is no longer than one may be.
    pub fn runs(&self, now: Timestamp) -> bool {
        self.created <= now
            && now < self.until
            && self.until <= self.created.plus(LONGEST_SILENCE)
            && self.ended.is_none_or(|ended| now < ended)
    }

    /// Whether it is about this finding. Nothing is about a rule that watches this monitor, or about what is extreme.
    pub fn is_about(&self, finding: &Finding) -> bool {
        may_be_silenced(&finding.rule.id, finding.severity)
            && self.rule == finding.rule.id
            && self.by.iter().all(|(field, value)| value_of(finding, field) == Some(value))
    }

    /// What people are told of it.
    pub fn notice(&self, id: &str) -> SilenceNotice {
        let short = |text: &str| one_line(text, TOLD).into_owned();
        SilenceNotice { id: id.to_owned(), until: self.until, who: short(&self.who), reason: short(&self.reason) }
    }
}

/// Whether findings of a rule and of a severity may be silenced at all.
pub fn may_be_silenced(rule: &str, severity: Severity) -> bool {
    let is_self_defense = rule.get(..SELF_DEFENSE.len()).is_some_and(|start| start.eq_ignore_ascii_case(SELF_DEFENSE));
    !is_self_defense && severity < Severity::Extreme
}

/// The alert to which all belongs that a silence holds back on a channel.
pub fn alert_of_silence(id: &str, channel: &str) -> AlertId {
    AlertId::from(StableId::hash(&["silence", id, channel]))
}

fn value_of<'f>(finding: &'f Finding, field: &str) -> Option<&'f String> {
    let call = &finding.call;
    match field {
        "account" => call.account.as_ref(),
        "event" => call.event.as_ref(),
        "principal" => call.principal.as_ref(),
        "region" => call.region.as_ref(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::rules::RuleInfo;

    const HOUR: Duration = Duration::from_hours(1);

    fn silence() -> Silence {
        let created = Timestamp::from_millis(1_768_044_764_000);
        Silence {
            rule: "CIS-4".to_owned(),
            by: BTreeMap::new(),
            created,
            until: created.plus(4 * HOUR),
            who: "arn:aws:iam::111111111111:user/jana".to_owned(),
            reason: "the migration".to_owned(),
            ended: None,
        }
    }

    fn finding(rule: &str, severity: Severity) -> Finding {
        let mut finding = Finding::test(Arc::from("digest"), "2026-01-10T11:32:44Z".to_owned());
        finding.rule = Arc::new(RuleInfo { id: rule.to_owned(), ..RuleInfo::default() });
        finding.severity = severity;
        finding.call.principal = Some("Admin".to_owned());
        finding
    }

    #[test]
    fn it_runs_from_when_it_was_made_until_it_ends_and_no_longer_than_a_day() {
        let silence = silence();
        let at = |hours: u32| silence.created.plus(hours * HOUR);
        assert!(!silence.runs(silence.created.minus(Duration::from_millis(1))));
        assert!(silence.runs(at(0)) && silence.runs(at(4).minus(Duration::from_millis(1))) && !silence.runs(at(4)));
        let ended = Silence { ended: Some(at(2)), ..silence.clone() };
        assert!(ended.runs(at(1)) && !ended.runs(at(2)));
        let day = Silence { until: at(24), ..silence.clone() };
        let longer = Silence { until: at(24).plus(Duration::from_millis(1)), ..silence.clone() };
        assert!(day.runs(at(1)) && !longer.runs(at(1)), "what lasts longer silences nothing at all");
        assert_ne!(silence.id(), day.id());
    }

    #[test]
    fn it_is_about_its_rule_and_its_values_and_never_about_self_defense_or_what_is_extreme() {
        let by = |pairs: &[(&str, &str)]| Silence {
            by: pairs.iter().map(|(field, value)| ((*field).to_owned(), (*value).to_owned())).collect(),
            ..silence()
        };
        let told = finding("CIS-4", Severity::High);
        assert!(silence().is_about(&told) && by(&[("principal", "Admin")]).is_about(&told));
        assert!(!by(&[("principal", "admin")]).is_about(&told) && !by(&[("account", "1")]).is_about(&told));
        assert!(!by(&[("user_agent", "x")]).is_about(&told), "a field that nobody vouches for");
        assert!(!silence().is_about(&finding("CIS-5", Severity::Low)));
        assert!(!silence().is_about(&finding("CIS-4", Severity::Extreme)));
        for rule in ["SELF-1", "self-15"] {
            let forged = Silence { rule: rule.to_owned(), ..silence() };
            assert!(!forged.is_about(&finding(rule, Severity::Low)), "{rule}");
        }
    }
}
