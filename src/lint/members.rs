//! Paths that lead nowhere in the records that a row accepts: misspelt members, parameters of other calls, objects that are
//! compared as texts.

use std::cell::OnceCell;

use super::accepted::AcceptedCalls;
use super::logic::PatternWord;
use super::naming::is_slip;
use super::paths::{Fault, FaultKind, Verdict, judge, keys_at};
use super::view::{CellView, Leaf, LeafCondition, RowView, RuleView, SourcePlace};
use super::{Lint, LintContext, LintReport};
use crate::config::{Advice, Fix, quoted, suggestion};
use crate::json::Node;
use crate::rules::condition::Condition;
use crate::rules::field::{Field, FieldTarget};
use crate::text::enumerated;

/// What this file declares.
pub(super) const LINTS: &[&Lint] =
    &[&MEMBER_CASE, &OTHER_CALLS_PARAMETER, &PATH_BELOW_VALUE, &UNKNOWN_MEMBER, &VALUE_FOR_OBJECT];

static MEMBER_CASE: Lint = Lint {
    code: "member-case",
    summary: "Records write a name of the path with other capitals.",
    docs: "Names are compared letter for letter. CloudTrail writes most with a small first letter, whatever comes after: \
         `dBInstanceIdentifier`. In a cell, in a title, and in `throttle` and `threshold`.",
    wrong: r#""when": { »"userIdentity.username": { "is": "mara" }, "service": { "is": "ec2.amazonaws.com" } }"#,
    right: r#""when": { "userIdentity.userName": { "is": "mara" }, "service": { "is": "ec2.amazonaws.com" } }"#,
};

static OTHER_CALLS_PARAMETER: Lint = Lint {
    code: "other-calls-parameter",
    summary: "The parameter is one of other calls than those that the row accepts.",
    docs: "The help names the calls that have it, and what the accepted ones may call theirs.",
    wrong: r#""when": {
  "service": { "is": "rds.amazonaws.com" },
  "event": { "is": "DeleteDBCluster" },
  »"requestParameters.dBInstanceIdentifier": "^prod-"
}"#,
    right: r#""when": {
  "service": { "is": "rds.amazonaws.com" },
  "event": { "is": "DeleteDBCluster" },
  "requestParameters.dBClusterIdentifier": "^prod-"
}"#,
};

static PATH_BELOW_VALUE: Lint = Lint {
    code: "path-below-value",
    summary: "The path goes on below a text or a number, where nothing stands.",
    docs: "`sourceIPAddress` is the address itself. A text that holds JSON may be entered, as a policy.",
    wrong: r#""when": { "service": { "is": "ec2.amazonaws.com" }, »"sourceIPAddress.ip": { "is": "203.0.113.7" } }"#,
    right: r#""when": { "service": { "is": "ec2.amazonaws.com" }, "sourceIPAddress": { "is": "203.0.113.7" } }"#,
};

static UNKNOWN_MEMBER: Lint = Lint {
    code: "unknown-member",
    summary: "No record that the row accepts has such a member.",
    docs: "What stands in userIdentity and beside it is known from AWS's pages, what stands in requests and answers from its \
         models of each call and from real records. A member newer than the catalogue is reported as well: allow it. Of calls that \
         no model describes, and of `additionalEventData`, only what looks misspelt is reported.",
    wrong: r#""when": {
  "service": { "is": "iam.amazonaws.com" },
  "region": { "is": "us-east-1" },
  "event": { "is": "CreateUser" },
  »"requestParameters.usrName": "^admin"
}"#,
    right: r#""when": {
  "service": { "is": "iam.amazonaws.com" },
  "region": { "is": "us-east-1" },
  "event": { "is": "CreateUser" },
  "requestParameters.userName": "^admin"
}"#,
};

static VALUE_FOR_OBJECT: Lint = Lint {
    code: "value-for-object",
    summary: "An object is compared as if it were a text or a number.",
    docs: "A pattern without `^` is searched in the object's JSON; everything else asks for a member.",
    wrong: r#""when": { "service": { "is": "ec2.amazonaws.com" }, "userIdentity": { "is": »"Root" } }"#,
    right: r#""when": { "service": { "is": "ec2.amazonaws.com" }, "userIdentity.type": { "is": "Root" } }"#,
};

pub(super) fn lint(context: &LintContext<'_>, report: &mut LintReport) {
    for rule in context.views {
        for row in &rule.rows {
            RowLook::new(rule, Some(row), &[]).row(row, &[], report);
        }
        // They are asked about what a row of the rule has matched.
        let others = rule.exceptions.iter().flat_map(|exception| &exception.rows).chain(&rule.severities);
        others.for_each(|row| RowLook::new(rule, Some(row), &rule.rows).row(row, &[], report));
        beside_rows(rule, report);
    }
}

/// What becomes of a field that leads nowhere.
#[derive(Clone, Copy)]
enum Use {
    /// A cell that asks for it: whether it then is always true.
    Cell {
        holds_of_nothing: bool,
    },
    Title,
    Count,
}

impl Use {
    fn consequence(self) -> &'static str {
        match self {
            Self::Cell { holds_of_nothing: false } => "it can never match",
            Self::Cell { holds_of_nothing: true } => "it is always true",
            Self::Title => "the title says nothing of it",
            Self::Count => "it tells no two findings apart",
        }
    }
}

/// The fields of a title, and those by which findings are told apart.
fn beside_rows(rule: &RuleView<'_>, report: &mut LintReport) {
    let info = rule.rule;
    // Who names both spellings means it.
    let is_doubled = |field: &Field, place: &[Field]| {
        place.iter().any(|other| other != field && other.written.eq_ignore_ascii_case(&field.written))
    };
    let title =
        info.title.fields().into_iter().flat_map(|place| place.iter().filter(move |field| !is_doubled(field, place)));
    let mut fields: Vec<(&Field, Use, Option<&Node<'_>>)> =
        title.map(|field| (field, Use::Title, rule.node.get("title"))).collect();
    if let Some(throttle) = rule.node.get("throttle") {
        let by = info.throttle.iter().flat_map(|throttle| &throttle.by);
        fields.extend(by.map(|field| (field, Use::Count, node_of(throttle, field))));
    }
    if let Some(threshold) = rule.node.get("threshold") {
        let by = info.threshold.iter().flat_map(|threshold| threshold.by.iter().chain(&threshold.distinct));
        fields.extend(by.map(|field| (field, Use::Count, node_of(threshold, field))));
    }
    fields.retain(|(field, ..)| matches!(&field.target, FieldTarget::Path(path) if path.len() > 1));
    if fields.is_empty() {
        return;
    }
    let look = RowLook::new(rule, None, &rule.rows);
    for (field, what, node) in fields {
        let place =
            node.map_or_else(|| rule.place(), |node| SourcePlace { file: rule.file.clone(), span: node.span.clone() });
        look.field(field, &[], what, place, report);
    }
}

/// Where one of the keys of `node` names the field.
fn node_of<'n>(node: &'n Node<'n>, field: &Field) -> Option<&'n Node<'n>> {
    let names = |node: &&Node<'_>| node.as_str() == Some(&field.written);
    let members = node.members().unwrap_or_default();
    let each = members.iter().flat_map(|member| member.node.elements().unwrap_or(std::slice::from_ref(&member.node)));
    each.into_iter().find(names)
}

/// Some fields, and the calls in whose records they are looked for.
struct RowLook<'l> {
    rule: &'l RuleView<'l>,
    row: Option<&'l RowView<'l>>,
    within: &'l [RowView<'l>],
    calls: OnceCell<AcceptedCalls>,
}

impl<'l> RowLook<'l> {
    /// The calls are those that the row accepts, and one of the rows `within`; where one of them is left out the other counts.
    fn new(rule: &'l RuleView<'l>, row: Option<&'l RowView<'l>>, within: &'l [RowView<'l>]) -> Self {
        Self { rule, row, within, calls: OnceCell::new() }
    }

    fn calls(&self) -> &AcceptedCalls {
        self.calls.get_or_init(|| match (self.row, self.within) {
            (Some(row), []) => AcceptedCalls::of_row(row),
            (Some(row), within) => AcceptedCalls::of_row(row).and(&AcceptedCalls::of_any(within)),
            (None, within) => AcceptedCalls::of_any(within),
        })
    }

    /// Looks at the cells of a row, which begin at `base`.
    fn row(&self, row: &RowView<'_>, base: &[&str], report: &mut LintReport) {
        for cell in &row.cells {
            let Some(path) = full(&cell.cell.field, base) else { continue };
            let holds_of_nothing = cell.cell.condition.holds_of_nothing();
            let what = Use::Cell { holds_of_nothing };
            if !self.field(&cell.cell.field, base, what, cell.place(), report) {
                continue;
            }
            let mut is_object = None;
            for leaf in &cell.leaves {
                if wants_value(leaf) && *is_object.get_or_insert_with(|| self.leads_to_object(&path)) {
                    self.compared(cell, leaf, &path, report);
                }
                if let LeafCondition::Else(Condition::SameAs(other)) = leaf.condition {
                    self.field(&other.field, base, Use::Cell { holds_of_nothing: leaf.negated }, cell.at(leaf), report);
                }
                for inner in leaf.item_rows(cell.file.as_ref()) {
                    self.row(&inner, &path, report);
                }
            }
        }
    }

    /// Whether a field leads to something, or may; reports it if not.
    fn field(&self, field: &Field, base: &[&str], what: Use, place: SourcePlace, report: &mut LintReport) -> bool {
        let Some(path) = full(field, base) else { return true };
        let Verdict::Impossible(fault) = judge(|| self.calls(), &path) else { return true };
        let (lint, message, Told { help, meant }) = told(&fault, &path, self.calls());
        // The path as it is written, which may be put in its place: a title holds more than its path.
        let is_plain = field.written == path[base.len()..].join(".") && !matches!(what, Use::Title);
        let meant = meant.filter(|_| is_plain && fault.index >= base.len()).map(|name| {
            let keys = path.iter().enumerate().skip(base.len());
            keys.map(|(at, key)| if at == fault.index { name } else { key }).collect::<Vec<_>>().join(".")
        });
        let fix = meant.map(|path| Fix::replace(&place.span, quoted(&path)));
        let message = format!("{message}: {}", what.consequence());
        report.warn(lint, self.rule, place, message, Advice::new(help).with_fix(fix));
        false
    }

    fn leads_to_object(&self, path: &[&str]) -> bool {
        judge(|| self.calls(), path) == Verdict::Possible { is_object: true }
    }

    fn compared(&self, cell: &CellView<'_>, leaf: &Leaf<'_>, path: &[&str], report: &mut LintReport) {
        let written = &cell.cell.field.written;
        let message = format!("\"{written}\" is an object, which is never equal to a text or a number");
        let keys = keys_at(|| self.calls(), path);
        let help = match keys.as_slice() {
            [] => "ask for one of its members".to_owned(),
            keys => format!("ask for one of its members: {}", some(keys)),
        };
        report.warn(&VALUE_FOR_OBJECT, self.rule, cell.at(leaf), message, help);
    }
}

/// The path of a field from the top of the record; `None` where it is none.
fn full<'f>(field: &'f Field, base: &[&'f str]) -> Option<Vec<&'f str>> {
    let FieldTarget::Path(path) = &field.target else { return None };
    Some(base.iter().copied().chain(path.iter().map(|key| &**key)).collect())
}

/// Whether only a text or a number satisfies the condition: an object's JSON begins with a brace.
fn wants_value(leaf: &Leaf<'_>) -> bool {
    match leaf.condition {
        // Some services write an empty text for an empty list.
        LeafCondition::Exactly(text) => !text.is_empty(),
        LeafCondition::Number(_) => true,
        LeafCondition::Pattern(pattern) => PatternWord::parse(pattern.as_str()).is_some_and(|word| word.starts),
        LeafCondition::Else(condition) => {
            matches!(condition, Condition::Cidr(_) | Condition::Above(_) | Condition::Below(_) | Condition::Time { .. })
        }
    }
}

/// What to write.
struct Told {
    help: String,
    /// The name that is meant, if it can be no other.
    meant: Option<&'static str>,
}

impl From<String> for Told {
    fn from(help: String) -> Self {
        Self { help, meant: None }
    }
}

/// The lint, what is wrong, and what to write.
fn told(fault: &Fault, path: &[&str], calls: &AcceptedCalls) -> (&'static Lint, String, Told) {
    let key = path[fault.index];
    let before = path[..fault.index].join(".");
    let put = |name: &str| {
        let path: Vec<&str> =
            path.iter().enumerate().map(|(at, key)| if at == fault.index { name } else { key }).collect();
        path.join(".")
    };
    match &fault.kind {
        FaultKind::Case(name) => (
            &MEMBER_CASE,
            format!("records write \"{name}\" in {before}, not \"{key}\""),
            Told { help: format!("write \"{}\"", put(name)), meant: Some(name) },
        ),
        FaultKind::Below => (
            &PATH_BELOW_VALUE,
            format!("{before} is a text or a number, and has no \"{key}\" in it"),
            format!("write \"{before}\"").into(),
        ),
        FaultKind::Unknown { like, beside, others, elsewhere } => {
            let near = suggestion(key, like.iter().copied()).filter(|near| near.is_sure && is_slip(key, near.name));
            let meant = near.filter(|_| elsewhere.is_none()).map(|near| near.name);
            let elsewhere = elsewhere.as_ref().map(|place| place.join("."));
            let like = elsewhere.or_else(|| like.first().map(|name| put(name)));
            let like = like.map(|path| format!("did you mean \"{path}\"?"));
            let in_calls = of_calls(calls, path[0]);
            if others.is_empty() {
                let help = like.unwrap_or_else(|| match beside.as_slice() {
                    [] => "look at a real record; if the member is new, allow this lint".to_owned(),
                    names => format!("what stands there is {}; if the member is new, allow this lint", some(names)),
                });
                (&UNKNOWN_MEMBER, format!("there is no \"{key}\" in {before}{in_calls}"), Told { help, meant })
            } else {
                let message =
                    format!("there is no \"{key}\" in {before}{in_calls}: it is one of {}", enumerated(others));
                let help = like.unwrap_or_else(|| format!("what stands there is {}", some(beside)));
                (&OTHER_CALLS_PARAMETER, message, help.into())
            }
        }
    }
}

/// ` of CreateUser`, where the part is one of calls.
fn of_calls(calls: &AcceptedCalls, part: &str) -> String {
    let AcceptedCalls::Some(calls) = calls else { return String::new() };
    if !["requestParameters", "responseElements"].contains(&part) || calls.known.is_empty() {
        return String::new();
    }
    let names: Vec<&str> = calls.known.iter().map(|(_, call)| *call).collect();
    format!(" of {}", enumerated(&names))
}

/// The first names, and how many more there are.
fn some(names: &[&str]) -> String {
    const SHOWN: usize = 16;
    match names.len().checked_sub(SHOWN).filter(|more| *more > 1) {
        None => names.join(", "),
        Some(more) => format!("{} and {more} more", names[..SHOWN].join(", ")),
    }
}
