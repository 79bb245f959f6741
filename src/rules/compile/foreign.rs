//! Operators that people bring along from other tools, and what to write instead.

use super::operators::OPERATORS;
use crate::config::{Advice, Fix, listed, quoted, suggestion};
use crate::json::{Member, Node, Value};

/// What stands for an operator of elsewhere.
enum Instead {
    /// Our operator, with the same value.
    Operator(&'static str),
    /// `not`, around our operator.
    Not(&'static str),
    /// The value itself: a pattern needs no operator.
    Value,
    /// What these words say.
    Words(&'static str),
}

/// Operators of elsewhere, in small letters.
const FOREIGN: [(&[&str], Instead); 10] = [
    (&["equals", "equal", "eq", "==", "=", "in", "one_of", "oneof", "is_in", "exactly"], Instead::Operator("is")),
    (&["ne", "neq", "!=", "not_equals", "notequals", "not_equal", "not_in", "notin", "is_not"], Instead::Not("is")),
    (&["gt", ">", "greater_than", "greater", "greaterthan"], Instead::Operator("above")),
    (&["lt", "<", "less_than", "less", "lessthan"], Instead::Operator("below")),
    (&["ip", "network", "in_cidr", "subnet"], Instead::Operator("cidr")),
    (&["and", "allof", "all_of"], Instead::Operator("all")),
    (&["regex", "re", "regexp", "pattern"], Instead::Value),
    (
        &["or", "any", "any_of", "anyof"],
        Instead::Words("write a list of conditions, without an operator: one is enough"),
    ),
    (
        &[
            "contains",
            "matches",
            "match",
            "like",
            "startswith",
            "starts_with",
            "endswith",
            "ends_with",
            "prefix",
            "suffix",
        ],
        Instead::Words("write a pattern, without an operator: it is found anywhere, ^ is the beginning and $ the end"),
    ),
    (
        &["gte", "lte", ">=", "<=", "ge", "le"],
        Instead::Words(
            "write {\"above\": …} or {\"below\": …} with the next number, since neither takes the bound itself",
        ),
    ),
];

/// What to write instead of the one operator of `node`, which is none of ours.
pub(super) fn operator_advice(node: &Node<'_>, member: &Member<'_>) -> Advice {
    let folded = member.key.to_lowercase();
    if let Some((_, instead)) = FOREIGN.iter().find(|(theirs, _)| theirs.contains(&folded.as_str())) {
        return match instead {
            Instead::Operator(ours) => {
                Advice::new(format!("write \"{ours}\"")).with_fix(Fix::replace(&member.key_span, quoted(ours)))
            }
            Instead::Not(ours) => {
                let end = member.node.span.end..member.node.span.end;
                let fix = Fix::replace(&member.key_span, format!("\"not\": {{{}", quoted(ours))).and(&end, "}");
                Advice::new(format!("write {{\"not\": {{\"{ours}\": …}}}}")).with_fix(fix)
            }
            Instead::Value => {
                let is_pattern = matches!(member.node.value, Value::String(_) | Value::Array(_));
                let before = node.span.start..member.node.span.start;
                let after = member.node.span.end..node.span.end;
                let fix = is_pattern.then(|| Fix::replace(&before, "").and(&after, ""));
                Advice::new("write the pattern itself, without an operator").with_fix(fix)
            }
            Instead::Words(help) => (*help).into(),
        };
    }
    let names = OPERATORS.iter().map(|operator| operator.key.name);
    match suggestion(&member.key, names.clone()) {
        Some(near) => near.advice(&member.key_span),
        None => format!("the operators are {}", listed(names)).into(),
    }
}
