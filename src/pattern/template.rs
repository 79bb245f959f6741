//! The EventBridge rules as CloudFormation, in marked blocks of a template that people write.

use std::fmt::Write as _;

use serde_json::json;

use super::derived::{DerivedPatterns, EventRule};
use crate::cloudtrail::event_rule::TemplateRule;

/// Which template it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TemplateKind {
    /// `template.yaml`: the rules feed the function.
    Stack,
    /// `deploy/spoke.yaml`: the rules send to the hub.
    Spoke,
}

/// A block that a template keeps for what is derived: between a line `# offlimits pattern: begin NAME` and one with `end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Block {
    /// The resources.
    Rules,
    /// The elements of a list of the rules' ARNs.
    Arns,
    /// The mapping that says which patterns these are.
    Digest,
}

/// Why a template cannot be written.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum TemplateError {
    /// It has no block at all.
    #[error("it has no line \"# offlimits pattern: begin rules\"")]
    NoBlock,
    /// A block does not end, or is none that is known.
    #[error("line {line}: \"{text}\" begins no block that is known and ends")]
    BadBlock {
        /// The line, from 1.
        line: usize,
        /// What stands there.
        text: String,
    },
}

const MARK: &str = "# offlimits pattern: ";

/// The condition of the rules for the calls that every rule gets.
const IS_DERIVED: &str = "IsDerived";
/// The condition of the rules for read-only calls.
const TAKES_READS: &str = "TakesReads";

/// The template with its blocks as the patterns want them.
///
/// # Errors
/// There is no block of rules in it, or one that cannot be read.
pub fn written(template: &str, patterns: &DerivedPatterns) -> Result<String, TemplateError> {
    // What sends to a hub is told its bus.
    let kind =
        if template.contains("\n  HubBusArn:\n    Type: String") { TemplateKind::Spoke } else { TemplateKind::Stack };
    let mut lines = template.lines().enumerate();
    let mut out = String::with_capacity(template.len());
    let mut has_rules = false;
    while let Some((number, line)) = lines.next() {
        let _ = writeln!(out, "{line}");
        let Some(name) = line.trim_start().strip_prefix(MARK) else { continue };
        let bad = || TemplateError::BadBlock { line: number + 1, text: line.trim().to_owned() };
        let name = name.strip_prefix("begin ").ok_or_else(bad)?;
        let block = Block::named(name).ok_or_else(bad)?;
        has_rules |= block == Block::Rules;
        let indent = &line[..line.len() - line.trim_start().len()];
        for written in block.lines(kind, patterns) {
            let _ = if written.is_empty() { writeln!(out) } else { writeln!(out, "{indent}{written}") };
        }
        let end = format!("{MARK}end {name}");
        let (_, last) = lines.find(|(_, line)| line.trim() == end).ok_or_else(bad)?;
        let _ = writeln!(out, "{last}");
    }
    if has_rules { Ok(out) } else { Err(TemplateError::NoBlock) }
}

impl Block {
    fn named(name: &str) -> Option<Self> {
        match name {
            "rules" => Some(Self::Rules),
            "arns" => Some(Self::Arns),
            "digest" => Some(Self::Digest),
            _ => None,
        }
    }

    fn lines(self, kind: TemplateKind, patterns: &DerivedPatterns) -> Vec<String> {
        let rules = named(patterns);
        match self {
            Self::Rules => rules.into_iter().flat_map(|named| resource(kind, &named, &patterns.digest)).collect(),
            Self::Arns => rules
                .into_iter()
                .map(|named| format!("- !If [{}, !GetAtt {}.Arn, !Ref AWS::NoValue]", named.condition, named.name))
                .collect(),
            // In quotes, for twelve digits may look like a number.
            Self::Digest => vec![
                "Patterns:".to_owned(),
                "  Digest:".to_owned(),
                format!("    All: \"{}\"", patterns.digest),
                format!("    Calls: \"{}\"", patterns.plain_digest),
                format!("    Reads: \"{}\"", patterns.reads_digest),
            ],
        }
    }
}

/// The lines of all the rules' resources.
pub fn resources(kind: TemplateKind, patterns: &DerivedPatterns) -> Vec<String> {
    Block::Rules.lines(kind, patterns)
}

/// An EventBridge rule, and how the template calls it.
struct NamedRule<'p> {
    name: String,
    condition: &'static str,
    what: String,
    rule: &'p EventRule,
}

fn named(patterns: &DerivedPatterns) -> Vec<NamedRule<'_>> {
    let families = [
        (TemplateRule::Calls as fn(usize) -> TemplateRule, IS_DERIVED, "Calls that rules can match", &patterns.plain),
        (TemplateRule::Reads, TAKES_READS, "Read-only calls that rules can match", &patterns.reads),
    ];
    let mut all = Vec::new();
    for (name, condition, what, rules) in families {
        all.extend((1..).zip(rules).map(|(place, rule)| NamedRule {
            name: name(place).to_string(),
            condition,
            what: format!("{what}, {place} of {}", rules.len()),
            rule,
        }));
    }
    all
}

/// The lines of a rule, and of what it needs to do its work.
fn resource(kind: TemplateKind, named: &NamedRule<'_>, digest: &str) -> Vec<String> {
    let NamedRule { name, condition, what, rule } = named;
    let mut lines = vec![
        format!("{name}:"),
        "  Type: AWS::Events::Rule".to_owned(),
        format!("  Condition: {condition}"),
        "  Properties:".to_owned(),
        format!("    Description: {what}; patterns {digest}."),
        format!("    State: {}", rule.state.as_str()),
        // JSON is YAML.
        format!("    EventPattern: {}", rule.pattern(&json!({ "Ref": "AWS::AccountId" }))),
        "    Targets:".to_owned(),
    ];
    let target: &[&str] = match kind {
        TemplateKind::Stack => &[
            "- Id: Function",
            "  Arn: !GetAtt Function.Arn",
            "  RetryPolicy: { MaximumEventAgeInSeconds: 3600, MaximumRetryAttempts: 30 }",
            "  DeadLetterConfig: { Arn: !GetAtt UndeliveredEvents.Arn }",
        ],
        TemplateKind::Spoke => &[
            "- Id: Hub",
            "  Arn: !Ref HubBusArn",
            "  RoleArn: !GetAtt Role.Arn",
            "  RetryPolicy: { MaximumEventAgeInSeconds: 86400, MaximumRetryAttempts: 185 }",
            "  DeadLetterConfig: { Arn: !GetAtt Letters.Arn }",
        ],
    };
    lines.extend(target.iter().map(|line| format!("      {line}")));
    if kind == TemplateKind::Stack {
        lines.extend([
            format!("{name}Permission:"),
            "  Type: AWS::Lambda::Permission".to_owned(),
            format!("  Condition: {condition}"),
            "  Properties:".to_owned(),
            "    Action: lambda:InvokeFunction".to_owned(),
            "    FunctionName: !Ref Function".to_owned(),
            "    Principal: events.amazonaws.com".to_owned(),
            format!("    SourceArn: !GetAtt {name}.Arn"),
        ]);
        lines.extend(alarms(name, condition));
    }
    lines
}

/// The lines of a rule's alarms, as the wide rule has them: an event could not be handed over, and not even put into the queue.
fn alarms(name: &str, condition: &str) -> Vec<String> {
    let small = name.to_ascii_lowercase();
    let mut lines = Vec::new();
    for (of, metric, runbook, what) in [
        (
            "FailedInvocations",
            "FailedInvocations",
            "failed-invocations",
            "gave up handing a further event to offlimits. It waits in the queue UndeliveredEvents.",
        ),
        (
            "LostEvents",
            "InvocationsFailedToBeSentToDlq",
            "lost-events",
            "could neither hand an event to offlimits nor put it into the queue UndeliveredEvents: it is lost.",
        ),
    ] {
        lines.extend([
            format!("{name}{of}Alarm:"),
            "  Type: AWS::CloudWatch::Alarm".to_owned(),
            format!("  Condition: {condition}"),
            "  Properties:".to_owned(),
            format!("    AlarmName: !Sub ${{AWS::StackName}}-{runbook}-{small}"),
            "    AlarmDescription: !Sub >-".to_owned(),
            format!("      EventBridge {what} The rule: {name}. Runbook:"),
            format!("      ${{Documentation}}alarms.md#{runbook}"),
            "    Namespace: AWS/Events".to_owned(),
            format!("    MetricName: {metric}"),
            format!("    Dimensions: [{{ Name: RuleName, Value: !Ref {name} }}]"),
            "    Statistic: Sum".to_owned(),
            "    Period: 60".to_owned(),
            "    EvaluationPeriods: 1".to_owned(),
            "    ComparisonOperator: GreaterThanThreshold".to_owned(),
            "    Threshold: 0".to_owned(),
            "    TreatMissingData: notBreaching".to_owned(),
            "    AlarmActions: [!Ref Topic, !If [HasAlarmTopic, !Ref AlarmTopicArn, !Ref AWS::NoValue]]".to_owned(),
        ]);
    }
    lines
}
