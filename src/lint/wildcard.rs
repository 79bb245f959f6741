//! Patterns in which `*` is meant as in a file's name.

use super::view::{CellView, Leaf, LeafCondition, RuleView};
use super::{Lint, LintContext, LintReport};

/// What this file declares.
pub(super) const LINTS: &[&Lint] = &[&WILDCARD_PATTERN];

static WILDCARD_PATTERN: Lint = Lint {
    code: "wildcard-pattern",
    summary: "A `*` stands in a pattern as it does in the names of files, where it means something else.",
    docs: "A pattern is a regular expression, found anywhere in the value: `Run*` is `Ru` and any number of `n`, and is found in \
         `CreateRule`. What begins so is `^Run`, what ends so `Instances$`, and anything in between is `.*`.",
    wrong: r#""when": { "service": { "is": "ec2.amazonaws.com" }, "event": »"Stop*" }"#,
    right: r#""when": { "service": { "is": "ec2.amazonaws.com" }, "event": "^Stop" }"#,
};

pub(super) fn lint(context: &LintContext<'_>, report: &mut LintReport) {
    for rule in context.views {
        for row in rule.all_rows() {
            for cell in &row.cells {
                cell.leaves.iter().for_each(|leaf| look(rule, cell, leaf, report));
            }
        }
    }
}

fn look(rule: &RuleView<'_>, cell: &CellView<'_>, leaf: &Leaf<'_>, report: &mut LintReport) {
    let LeafCondition::Pattern(pattern) = leaf.condition else { return };
    let written = pattern.as_str();
    let Some(meant) = meant(written) else { return };
    let message =
        format!("in the pattern \"{written}\" the * repeats the letter before it, and stands for nothing else");
    report.warn(&WILDCARD_PATTERN, rule, cell.at(leaf), message, format!("write \"{meant}\""));
}

/// The pattern that a text with wildcards means, if it looks like one: `Run*` → `^Run`.
pub(super) fn meant(written: &str) -> Option<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-:/@ ".contains(c);
    let bare = written.trim_start_matches('^').trim_end_matches('$');
    // `.*` is a regular expression's; a name with dots and a star of its own is not.
    let is_wildcard = bare.contains('*')
        && !bare.contains(".*")
        && bare.chars().all(|c| plain(c) || c == '*' || c == '.')
        && bare.chars().any(|c| c.is_ascii_alphanumeric());
    if !is_wildcard {
        return None;
    }
    let starts = if bare.starts_with('*') { "" } else { "^" };
    let ends = if bare.ends_with('*') { "" } else { "$" };
    let inner = bare.trim_matches('*').replace('.', "\\.").replace('*', ".*");
    Some(format!("{starts}{inner}{ends}"))
}

#[cfg(test)]
mod tests {
    use super::meant;

    #[test]
    fn wildcards_are_told_from_regular_expressions() {
        for (written, pattern) in [
            ("Run*", "^Run"),
            ("^Delete*", "^Delete"),
            ("*Instances", "Instances$"),
            ("*Bucket*", "Bucket"),
            ("Put*Policy", "^Put.*Policy$"),
            ("s3*.amazonaws.com", "^s3.*\\.amazonaws\\.com$"),
            ("arn:aws:iam::*:role/admin", "^arn:aws:iam::.*:role/admin$"),
        ] {
            assert_eq!(meant(written).as_deref(), Some(pattern), "{written}");
        }
        for pattern in ["^Run", "Run.*", "^(Run).*", "a|b*", "[ab]*", "\\d*", "*", "Run", ".*Bucket*"] {
            assert_eq!(meant(pattern), None, "{pattern}");
        }
    }
}
