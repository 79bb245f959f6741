//! The EventBridge rules that deliver CloudTrail's records: what of them is the same whatever the rules of `rules.json` say.

use std::fmt;

use crate::ids::StableId;

/// The state in which an EventBridge rule gets read-only calls, too:
/// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail-management.html>.
pub const WITH_READ_ONLY: &str = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS";

/// The kinds of events that CloudTrail sends, each of which the wide rule of `template.yaml` lets pass.
/// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail.html>
pub const DETAIL_TYPES: [&str; 7] = [
    "AWS API Call via CloudTrail",
    "AWS Console Sign In via CloudTrail",
    "AWS Console Signin via CloudTrail",
    "AWS Console Action via CloudTrail",
    "AWS Service Event via CloudTrail",
    "AWS Network Activity Event via CloudTrail",
    "AWS Insight via CloudTrail",
];

/// How the kinds of CloudTrail's events end, which derived patterns ask.
pub const DETAIL_TYPE_SUFFIX: &str = " via CloudTrail";

/// A rule of the templates that feeds the function, or from a spoke the hub. Their order is that in which the templates name them to the
/// sweep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TemplateRule {
    /// `FunctionTrail`: all of CloudTrail's events.
    Wide,
    /// `HubTrail`: what a hub's spokes have sent.
    Hub,
    /// `Calls1` and on: a derived one, for the calls that every rule gets.
    Calls(usize),
    /// `Reads1` and on: a derived one, for read-only calls.
    Reads(usize),
}

impl TemplateRule {
    /// The one of this logical id.
    pub fn of_logical_id(id: &str) -> Option<Self> {
        let number = |family: &str| id.strip_prefix(family)?.parse().ok();
        match id {
            "FunctionTrail" => Some(Self::Wide),
            "HubTrail" => Some(Self::Hub),
            _ => number("Calls").map(Self::Calls).or_else(|| number("Reads").map(Self::Reads)),
        }
    }

    /// The one of this ARN. `CloudFormation` calls a rule `STACK-LOGICALID-RANDOM`:
    /// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cfn-arn-format.html>.
    pub fn of_arn(arn: &str) -> Option<Self> {
        Self::of_logical_id(arn.rsplit('/').next()?.rsplit('-').nth(1)?)
    }
}

impl fmt::Display for TemplateRule {
    /// Its logical id.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wide => formatter.write_str("FunctionTrail"),
            Self::Hub => formatter.write_str("HubTrail"),
            Self::Calls(number) => write!(formatter, "Calls{number}"),
            Self::Reads(number) => write!(formatter, "Reads{number}"),
        }
    }
}

/// Which patterns these are: 12 hexadecimal digits of their SHA-256. A text is the state of the EventBridge rule and what its pattern
/// asks of `detail`, as JSON with sorted keys, with a space between.
pub fn patterns_digest(texts: &[String]) -> String {
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    StableId::hash(&texts).as_str()[..12].to_owned()
}

/// An EventBridge rule, as EventBridge tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventRuleFound {
    /// `ENABLED`, `DISABLED` or [`WITH_READ_ONLY`].
    pub state: String,
    /// The pattern, as JSON text; a schedule has none.
    pub pattern: Option<String>,
    /// Whom it tells.
    pub targets: Vec<TargetFound>,
}

/// A target of an EventBridge rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetFound {
    /// Its ARN.
    pub arn: String,
    /// Whether it is given the event as it is, and not a text or a part of it.
    pub is_given_the_event: bool,
}

#[cfg(test)]
mod tests {
    use super::TemplateRule as Rule;

    #[test]
    fn a_rule_is_known_by_its_logical_id_and_by_its_arn() {
        for rule in [Rule::Wide, Rule::Hub, Rule::Calls(1), Rule::Calls(12), Rule::Reads(2)] {
            let id = rule.to_string();
            let arn = format!("arn:aws:events:us-east-1:111111111111:rule/off-limits-{id}-1A2B");
            assert_eq!((Rule::of_logical_id(&id), Rule::of_arn(&arn)), (Some(rule), Some(rule)));
        }
        for other in ["Mover", "Sweep", "Calls", "CallsX", ""] {
            assert_eq!(Rule::of_logical_id(other), None, "{other}");
        }
        assert!(Rule::Wide < Rule::Hub && Rule::Hub < Rule::Calls(2) && Rule::Calls(10) < Rule::Reads(1));
    }
}
