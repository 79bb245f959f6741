//! Channels that no rule reaches, and rules that reach no channel.

use super::view::SourcePlace;
use super::{Lint, LintContext, LintReport};
use crate::json::Node;
use crate::rules::Mode;
use crate::rules::Rule;

/// What this file declares.
pub(super) const LINTS: &[&Lint] = &[&UNROUTED_CHANNEL, &UNROUTED_RULE];

static UNROUTED_CHANNEL: Lint = Lint {
    code: "unrouted-channel",
    summary: "No rule names the channel, or its filter accepts nothing that the rules find.",
    docs: "Widen its filter, name it in a rule's `notify`, or delete it.",
    wrong: r#""channels": { "all": { "type": "sns" }, »"night": { "type": "sns", "min_severity": "high" } },
"rules": [
  { "id": "R", "title": "stops", "severity": "low", "when": { "service": { "is": "ec2.amazonaws.com" }, "event": { "is": "StopInstances" } } }
]"#,
    right: r#""channels": { "all": { "type": "sns" }, "night": { "type": "sns", "min_severity": "low" } },
"rules": [
  { "id": "R", "title": "stops", "severity": "low", "when": { "service": { "is": "ec2.amazonaws.com" }, "event": { "is": "StopInstances" } } }
]"#,
};

static UNROUTED_RULE: Lint = Lint {
    code: "unrouted-rule",
    summary: "No channel takes what the rule finds: it alerts nobody.",
    docs: "Name a channel in `notify` whose filter accepts it, or set its `mode` to `stage`.",
    wrong: r#""channels": { "prod": { "type": "sns", "tags": ["prod"] } },
"rules": [
  { "id": "Q", "title": "starts", "severity": "low", "tags": ["prod"], "when": { "service": { "is": "ec2.amazonaws.com" }, "event": { "is": "RunInstances" } } },
  { "id": »"R", "title": "stops", "severity": "low", "when": { "service": { "is": "ec2.amazonaws.com" }, "event": { "is": "StopInstances" } } }
]"#,
    right: r#""channels": { "prod": { "type": "sns", "tags": ["prod"] } },
"rules": [
  { "id": "Q", "title": "starts", "severity": "low", "tags": ["prod"], "when": { "service": { "is": "ec2.amazonaws.com" }, "event": { "is": "RunInstances" } } },
  { "id": "R", "title": "stops", "severity": "low", "tags": ["prod"], "when": { "service": { "is": "ec2.amazonaws.com" }, "event": { "is": "StopInstances" } } }
]"#,
};

pub(super) fn lint(context: &LintContext<'_>, report: &mut LintReport) {
    let channels = context.rules.channels();
    let reaches = |rule: &Rule, index: usize| {
        let named = rule.info.notify.as_ref().is_none_or(|names| names.contains(&channels[index].name));
        named && channels[index].filter.may_accept(&rule.info, highest(rule))
    };
    let on: Vec<_> = context.views.iter().filter(|view| view.rule.info.mode == Mode::Alert).collect();
    for view in on.iter().filter(|_| !context.unread.channels) {
        if !(0..channels.len()).any(|index| reaches(view.rule, index)) {
            let message = "no channel takes what this rule finds: nobody hears of it".to_owned();
            let help = "name a channel in \"notify\" whose filter accepts it, or set its \"mode\" to \"stage\"";
            report.warn(&UNROUTED_RULE, view, view.place(), message, help);
        }
    }
    if context.unread.rules {
        return;
    }
    let Some(members) = context.files.root.get("channels").and_then(Node::members) else { return };
    for (index, channel) in channels.iter().enumerate() {
        if on.iter().any(|view| reaches(view.rule, index)) {
            continue;
        }
        let Some(member) = members.iter().find(|member| *member.key == channel.name) else { continue };
        let place = SourcePlace { file: None, span: member.key_span.clone() };
        let message = format!("no rule sends anything to the channel \"{}\"", channel.name);
        let help = "widen its filter, name it in a rule's \"notify\", or delete it";
        report.warn_of_file(&UNROUTED_CHANNEL, place, message, help);
    }
}

/// The highest severity that a finding of the rule may have.
fn highest(rule: &Rule) -> crate::severity::Severity {
    rule.severity_when.iter().map(|(severity, _)| *severity).fold(rule.severity, Ord::max)
}
