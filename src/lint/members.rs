//! Paths that lead nowhere in the records that a row accepts: misspelt members, parameters of other calls, objects that are
//! compared as texts.

use std::cell::OnceCell;
use std::slice;

use super::accepted::AcceptedCalls;
use super::logic::PatternWord;
use super::naming::is_slip;
use super::paths::{Fault, FaultKind, Verdict, judge, keys_at};
use super::view::{CellView, Leaf, LeafCondition, RowView, RuleView, SourcePlace, StepView};
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
         `dBInstanceIdentifier`. In a cell, in a title, in `throttle` and \
         `threshold`, and in the steps of `respond`.",
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
            RowLook::new(rule, slice::from_ref(row), &[]).row(row, &[], false, report);
        }
        for row in rule.rows_within() {
            RowLook::new(rule, slice::from_ref(row), &rule.rows).row(row, &[], false, report);
        }
        beside_rows(rule, report);
        rule.steps.iter().for_each(|step| of_step(rule, step, report));
    }
}

/// What becomes of a field that leads nowhere.
#[derive(Clone, Copy)]
enum Use {
    /// A cell that asks for it: whether it then is always true, and whether it is asked whether a row is *not* so.
    Cell {
        holds_of_nothing: bool,
        is_negated: bool,
    },
    Title,
    Count,
    Step,
    Command,
}

impl Use {
    /// Whether a rule that asks so never matches.
    fn is_dead(self) -> bool {
        matches!(self, Self::Cell { holds_of_nothing: false, is_negated: false })
    }

    fn consequence(self) -> &'static str {
        match self {
            Self::Cell { holds_of_nothing: false, .. } => "it can never match",
            Self::Cell { holds_of_nothing: true, .. } => "it is always true",
            Self::Title => "the title says nothing of it",
            Self::Count => "it tells no two findings apart",
            Self::Step => "the step says nothing of it",
            Self::Command => "the command gets no value of it",
        }
    }
}

/// The fields of a title, and those by which findings are told apart.
fn beside_rows(rule: &RuleView<'_>, report: &mut LintReport) {
    let info = rule.rule;
    let title = rule.node.get("title").map(|node| (rule.file.clone(), node));
    let mut fields: Vec<_> =
        info.title.fields().into_iter().flat_map(single).map(|field| (field, Use::Title, title.clone())).collect();
    if let Some((file, throttle)) = rule.setting("throttle") {
        let by = info.throttle.iter().flat_map(|throttle| &throttle.by);
        fields.extend(by.map(|field| (field, Use::Count, node_of(throttle, field).map(|node| (file.clone(), node)))));
    }
    if let Some((file, threshold)) = rule.setting("threshold") {
        let by = info.threshold.iter().flat_map(|threshold| threshold.by.iter().chain(&threshold.distinct));
        fields.extend(by.map(|field| (field, Use::Count, node_of(threshold, field).map(|node| (file.clone(), node)))));
    }
    let look = RowLook::new(rule, &[], &rule.rows);
    for (field, what, node) in fields.into_iter().filter(|(field, ..)| is_below_top(field)) {
        let place = node.map_or_else(|| rule.place(), |(file, node)| SourcePlace { file, span: node.span.clone() });
        look.field(field, &[], what, place, report);
    }
}

/// The fields of a step's text, and of its command.
fn of_step(rule: &RuleView<'_>, step: &StepView<'_>, report: &mut LintReport) {
    let says = &step.step.says;
    let text = says.text_fields().into_iter().map(|place| (place, Use::Step, step.text));
    let command = says.command_fields().into_iter();
    let command = command.map(|place| (place, Use::Command, step.command.unwrap_or(step.text)));
    let look = RowLook::new(rule, &step.rows, &rule.rows);
    for (place, what, node) in text.chain(command) {
        // Steps for several calls name what each of them has: that is no mistake where one of the names leads to something.
        let leads = place.iter().any(|field| look.leads(field));
        let told = single(place).filter(|field| is_below_top(field) && !(leads && look.is_of_other_calls(field)));
        for field in told {
            let place = SourcePlace { file: step.file.clone(), span: node.span.clone() };
            look.field(field, &[], what, place, report);
        }
    }
}

/// The fields of a template's place, but for those that stand beside their other spelling: who names both means it.
fn single(place: &[Field]) -> impl Iterator<Item = &Field> {
    let is_doubled =
        |field: &Field| place.iter().any(|other| other != field && other.written.eq_ignore_ascii_case(&field.written));
    place.iter().filter(move |field| !is_doubled(field))
}

/// Whether a field is a path below a part of the record.
fn is_below_top(field: &Field) -> bool {
    matches!(&field.target, FieldTarget::Path(path) if path.len() > 1)
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
    rows: &'l [RowView<'l>],
    within: &'l [RowView<'l>],
    calls: OnceCell<AcceptedCalls>,
}

impl<'l> RowLook<'l> {
    /// The calls are those that one of `rows` accepts, and one of the rows `within`; where either is empty the other counts.
    fn new(rule: &'l RuleView<'l>, rows: &'l [RowView<'l>], within: &'l [RowView<'l>]) -> Self {
        Self { rule, rows, within, calls: OnceCell::new() }
    }

    fn calls(&self) -> &AcceptedCalls {
        self.calls.get_or_init(|| match (self.rows, self.within) {
            ([], rows) | (rows, []) => AcceptedCalls::of_any(rows),
            (rows, within) => AcceptedCalls::of_any(rows).and(&AcceptedCalls::of_any(within)),
        })
    }

    /// Looks at the cells of a row, which begin at `base`; `is_negated`: it stands inside `not`.
    fn row(&self, row: &RowView<'_>, base: &[&str], is_negated: bool, report: &mut LintReport) {
        for cell in &row.cells {
            let Some(path) = full(&cell.cell.field, base) else { continue };
            let holds_of_nothing = cell.cell.condition.holds_of_nothing();
            let what = Use::Cell { holds_of_nothing, is_negated };
            if !self.field(&cell.cell.field, base, what, cell.place(), report) {
                continue;
            }
            let mut is_object = None;
            for leaf in &cell.leaves {
                if wants_value(leaf) && *is_object.get_or_insert_with(|| self.leads_to_object(&path)) {
                    self.compared(cell, leaf, &path, is_negated, report);
                }
                if let LeafCondition::Else(Condition::SameAs(other)) = leaf.condition {
                    let what = Use::Cell { holds_of_nothing: leaf.negated, is_negated };
                    self.field(&other.field, base, what, cell.at(leaf), report);
                }
                for inner in leaf.item_rows(cell.file.as_ref()) {
                    self.row(&inner, &path, is_negated != leaf.negated, report);
                }
            }
        }
    }

    /// Whether a field leads to something, or may; reports it if not.
    fn field(&self, field: &Field, base: &[&str], what: Use, place: SourcePlace, report: &mut LintReport) -> bool {
        let Some(path) = full(field, base) else { return true };
        let Verdict::Impossible(fault) = judge(|| self.calls(), &path) else { return true };
        let (lint, message, Told { help, meant }) = told(&fault, &path, self.calls());
        // The path as it is written, which may be put in its place: a title and a step hold more than their paths.
        let is_alone = matches!(what, Use::Cell { .. } | Use::Count);
        let is_plain = is_alone && field.written == path[base.len()..].join(".");
        let meant = meant.filter(|_| is_plain && fault.index >= base.len()).map(|name| {
            let keys = path.iter().enumerate().skip(base.len());
            keys.map(|(at, key)| if at == fault.index { name } else { key }).collect::<Vec<_>>().join(".")
        });
        let fix = meant.map(|path| Fix::replace(&place.span, quoted(&path)));
        let message = format!("{message}: {}", what.consequence());
        report.condition(lint, self.rule, place, (message, what.is_dead()), Advice::new(help).with_fix(fix));
        false
    }

    /// Whether a field leads to something, or may.
    fn leads(&self, field: &Field) -> bool {
        let path = full(field, &[]);
        path.is_none_or(|path| !matches!(judge(|| self.calls(), &path), Verdict::Impossible(_)))
    }

    /// Whether a field leads nowhere because it is a parameter of other calls.
    fn is_of_other_calls(&self, field: &Field) -> bool {
        let verdict = full(field, &[]).map(|path| judge(|| self.calls(), &path));
        let Some(Verdict::Impossible(Fault { kind: FaultKind::Unknown { others, .. }, .. })) = verdict else {
            return false;
        };
        !others.is_empty()
    }

    fn leads_to_object(&self, path: &[&str]) -> bool {
        judge(|| self.calls(), path) == Verdict::Possible { is_object: true }
    }

    fn compared(&self, cell: &CellView<'_>, leaf: &Leaf<'_>, path: &[&str], is_negated: bool, report: &mut LintReport) {
        let written = &cell.cell.field.written;
        let message = format!("\"{written}\" is an object, which is never equal to a text or a number");
        let keys = keys_at(|| self.calls(), path);
        let help = match keys.as_slice() {
            [] => "ask for one of its members".to_owned(),
            keys => format!("ask for one of its members: {}", some(keys)),
        };
        let is_dead = !is_negated && !leaf.negated;
        report.condition(&VALUE_FOR_OBJECT, self.rule, cell.at(leaf), (message, is_dead), help);
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
