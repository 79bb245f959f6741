//! The EventBridge rules that deliver CloudTrail's records: what of them is the same whatever the rules of `rules.json` say.

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
