//! Numbers where CloudTrail writes texts, and digits in quotes where it writes numbers.

use super::view::{CellView, RuleView, SourcePlace};
use super::{Lint, LintContext, LintReport};
use crate::cloudtrail::is_account_id;
use crate::config::{Advice, Fix, quoted};
use crate::json::{Node, Value};
use crate::rules::decimal::Decimal;
use crate::rules::field::{Field, FieldTarget};

/// What this file declares.
pub(super) const LINTS: &[&Lint] = &[&DIGITS_IN_QUOTES, &NUMBER_FOR_TEXT];

static DIGITS_IN_QUOTES: Lint = Lint {
    code: "digits-in-quotes",
    summary: "A note: digits in quotes are compared with a number.",
    docs: "CloudTrail writes one number as `70`, `70.0` or `7E1`, from service to service and from day to day. What is in \
         quotes is compared as it is written; a number equals each of these.",
    wrong: r#""when": {
  "service": { "is": "rds.amazonaws.com" },
  "event": { "is": "ModifyDBInstance" },
  "requestParameters.backupRetentionPeriod": { "is": »"0" }
}"#,
    right: r#""when": {
  "service": { "is": "rds.amazonaws.com" },
  "event": { "is": "ModifyDBInstance" },
  "requestParameters.backupRetentionPeriod": { "is": 0 }
}"#,
};

static NUMBER_FOR_TEXT: Lint = Lint {
    code: "number-for-text",
    summary: "A note: a number is compared with digits in a text.",
    docs: "CloudTrail writes account ids and versions as texts, in which every digit counts: the number `1.10` also equals \
         `1.1`, and an account id that begins with 0 is no number. Write it in quotes.",
    wrong: r#""when": { "service": { "is": "ec2.amazonaws.com" }, "event": { "is": "StopInstances" }, "account": { "is": »111122223333 } }"#,
    right: r#""when": { "service": { "is": "ec2.amazonaws.com" }, "event": { "is": "StopInstances" }, "account": { "is": "111122223333" } }"#,
};

/// Keys beside requests whose value is a number. Source: the example records of
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/cloudtrail-logging-understanding-s3-entries.html>.
const OTHER_NUMBERS: [&str; 2] = ["bytesTransferredIn", "bytesTransferredOut"];

pub(super) fn lint(context: &LintContext<'_>, report: &mut LintReport) {
    for rule in context.views {
        for row in rule.all_rows() {
            let members = row.node.members().unwrap_or_default();
            for (member, cell) in members.iter().zip(&row.cells) {
                CellLook { context, rule, cell }.condition(&cell.cell.field, &member.node, report);
            }
        }
    }
}

/// The cell that is looked through, and what is around it.
struct CellLook<'l> {
    context: &'l LintContext<'l>,
    rule: &'l RuleView<'l>,
    cell: &'l CellView<'l>,
}

impl CellLook<'_> {
    /// Looks through a condition on `field`, and through those that it holds.
    fn condition(&self, field: &Field, node: &Node<'_>, report: &mut LintReport) {
        if let Some(alternatives) = node.elements() {
            alternatives.iter().for_each(|node| self.condition(field, node, report));
        }
        for member in node.members().unwrap_or_default() {
            match &*member.key {
                "is" => each(&member.node, &mut |literal| self.literal(field, literal, report)),
                "not" | "all" => self.condition(field, &member.node, report),
                "item" => each(&member.node, &mut |row| {
                    for member in row.members().unwrap_or_default() {
                        let below = Field::parse_in_element(&member.key).map(|element| field.below(&element));
                        if let Ok(below) = below {
                            self.condition(&below, &member.node, report);
                        }
                    }
                }),
                _ => {}
            }
        }
    }

    fn literal(&self, field: &Field, node: &Node<'_>, report: &mut LintReport) {
        let written = &field.written;
        let place = SourcePlace { file: self.cell.file.clone(), span: node.span.clone() };
        match &node.value {
            Value::String(text) if holds_numbers(self.context, field) && Decimal::parse(text.as_str()).is_some() => {
                let digits = text.as_str();
                let message =
                    format!("\"{written}\" is a number, and \"{digits}\" in quotes is only found where it is spelt so");
                let is_json = digits.parse::<serde_json::Number>().is_ok();
                let advice = Advice::new(format!("write {digits}, without quotes"))
                    .with_fix(is_json.then(|| Fix::replace(&node.span, digits)));
                report.note(&DIGITS_IN_QUOTES, self.rule, place, message, advice);
            }
            Value::Number(digits) if field.always_text() => {
                let message = format!("\"{written}\" is a text, and {digits} is compared with it as a number");
                let help = format!("write \"{digits}\", in quotes and with all its digits, zeros at its beginning too");
                // An account's id is a text of exactly these digits.
                let fix = is_account_id(digits).then(|| Fix::replace(&node.span, quoted(digits)));
                report.note(&NUMBER_FOR_TEXT, self.rule, place, message, Advice::new(help).with_fix(fix));
            }
            _ => {}
        }
    }
}

/// One, or the elements of a list.
fn each<'n>(node: &'n Node<'n>, look: &mut impl FnMut(&'n Node<'n>)) {
    match node.elements() {
        Some(elements) => elements.iter().for_each(look),
        None => look(node),
    }
}

/// Whether CloudTrail writes the field's values as numbers, as far as is known.
fn holds_numbers(context: &LintContext<'_>, field: &Field) -> bool {
    let FieldTarget::Path(path) = &field.target else { return false };
    let (Some(top), Some(key)) = (path.first(), path.last().filter(|_| path.len() > 1)) else { return false };
    match &**top {
        "requestParameters" | "responseElements" => context.catalogue.numbers.contains(&**key),
        "additionalEventData" => OTHER_NUMBERS.contains(&&**key),
        _ => false,
    }
}
