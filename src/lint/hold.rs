//! Throttles that hold the repeats of what is grave for longer than a shift.

use super::view::{RuleView, SourcePlace};
use super::{Lint, LintContext, LintReport};
use crate::rules::Throttle;
use crate::severity::Severity;

/// What this file declares.
pub(super) const LINTS: &[&Lint] = &[&LONG_HOLD];

static LONG_HOLD: Lint = Lint {
    code: "long-hold",
    summary: "A throttle holds repeats for more than eight hours, and the rule's findings may be high or worse.",
    docs: "Whoever is on duty next hears of none of them until the window has ended. Hold those of a low or medium rule for a day, \
         and those of this one for an hour, or make two rules of it.",
    wrong: r#""when": { "service": { "is": "ec2.amazonaws.com" }, "event": { "is": "StopInstances" } },
"severity_when": [ { "severity": "high", "when": { "outcome": "success" } } ],
"throttle": »{ "window": "24h", "by": ["principal", "event", "target", "outcome", "source_network"] }"#,
    right: r#""when": { "service": { "is": "ec2.amazonaws.com" }, "event": { "is": "StopInstances" } },
"severity_when": [ { "severity": "medium", "when": { "outcome": "success" } } ],
"throttle": { "window": "24h", "by": ["principal", "event", "target", "outcome", "source_network"] }"#,
};

/// The seconds of a shift: who works longer than that is relieved.
const SHIFT: u64 = 8 * 3600;

pub(super) fn lint(context: &LintContext<'_>, report: &mut LintReport) {
    for view in context.views {
        let rule = view.rule;
        let Some(throttle) = rule.throttle.as_ref().filter(|throttle| throttle.window > SHIFT) else { continue };
        // Nobody wrote it: it follows the threshold.
        if *throttle == Throttle::default_for(rule.threshold.as_ref()) {
            continue;
        }
        let cases = rule.severity_when.iter().map(|(severity, _)| *severity);
        let Some(worst) = cases.chain([rule.severity]).max().filter(|worst| *worst >= Severity::High) else { continue };
        let message = format!(
            "repeats are held back for {} hours, and a finding of this rule may be {}",
            throttle.window / 3600,
            worst.as_str()
        );
        let help = "hold them for an hour, or make a rule of its own of what is low or medium";
        report.warn(&LONG_HOLD, view, place(view), message, help);
    }
}

/// Where the rule has its throttle; where it stands in an override, the rule itself.
fn place(view: &RuleView<'_>) -> SourcePlace {
    match view.node.get("throttle") {
        Some(node) => SourcePlace { file: view.file.clone(), span: node.span.clone() },
        None => view.place(),
    }
}
