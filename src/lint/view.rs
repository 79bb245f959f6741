//! Compiled rules beside the text that they were made of: a lint needs what a condition means, and where it stands.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use super::catalogue::Service;
use super::declaration::Lint;
use crate::config::{Advice, Fix, quoted};
use crate::json::{Node, Value};
use crate::rules::condition::{Condition, Literal};
use crate::rules::decimal::Decimal;
use crate::rules::field::FieldTarget;
use crate::rules::pattern::{Anchor, AnchoredLiteral, Pattern};
use crate::rules::{Cell, Exception, ResponseStep, Row, Rule, Table};
use crate::ruleset::{RuleSet, Sources};

/// The parsed texts of `rules.json` and of its packs.
#[derive(Debug)]
pub(super) struct SourceFiles<'s> {
    pub(super) root: Node<'s>,
    packs: HashMap<Arc<str>, Node<'s>>,
}

impl<'s> SourceFiles<'s> {
    /// Parses texts that have compiled; `None` otherwise.
    pub(super) fn parse(sources: &'s Sources) -> Option<Self> {
        let root = Node::parse(sources.root()).ok()?;
        let packs = sources.packs().filter_map(|(name, text)| Some((name.into(), Node::parse(text.ok()?).ok()?)));
        Some(Self { packs: packs.collect(), root })
    }

    /// The text of a file that a place names.
    pub(super) fn node(&self, file: Option<&str>) -> &Node<'s> {
        file.and_then(|name| self.packs.get(name)).unwrap_or(&self.root)
    }

    /// The elements of `include` that name this pack.
    fn include(&self, pack: &str) -> Option<&Node<'s>> {
        let includes = self.root.get("include")?.elements()?;
        includes.iter().find(|include| include.get("pack").and_then(Node::as_str) == Some(pack))
    }
}

/// Some bytes of some file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SourcePlace {
    /// A pack's name; none: `rules.json`.
    pub(super) file: Option<Arc<str>>,
    pub(super) span: Range<usize>,
}

/// A rule and its text.
#[derive(Debug)]
pub(super) struct RuleView<'a> {
    pub(super) rule: &'a Rule,
    pub(super) node: &'a Node<'a>,
    pub(super) file: Option<Arc<str>>,
    pub(super) rows: Vec<RowView<'a>>,
    pub(super) exceptions: Vec<ExceptionView<'a>>,
    /// The rows of `severity_when`.
    pub(super) severities: Vec<RowView<'a>>,
    /// The steps of `respond`.
    pub(super) steps: Vec<StepView<'a>>,
    settings: SettingNodes<'a>,
}

impl<'a> RuleView<'a> {
    /// Every row that the rule has: of `when`, of its exceptions, of `severity_when`, of the steps of `respond`.
    pub(super) fn all_rows(&self) -> impl Iterator<Item = &RowView<'a>> {
        self.rows.iter().chain(self.rows_within())
    }

    /// The rows that are asked only about what a row of `when` has matched: all the others.
    pub(super) fn rows_within(&self) -> impl Iterator<Item = &RowView<'a>> {
        let exceptions = self.exceptions.iter().flat_map(|exception| &exception.rows);
        exceptions.chain(&self.severities).chain(self.steps.iter().flat_map(|step| &step.rows))
    }

    /// Where one of the rule's settings stands, which an override may replace: the file, and the value.
    pub(super) fn setting(&self, key: &str) -> Option<(Option<Arc<str>>, &'a Node<'a>)> {
        self.settings.get(key)
    }

    /// Whether the rule allows this lint.
    pub(super) fn allows(&self, lint: &Lint) -> bool {
        self.rule.allow.iter().any(|allow| allow.lint == lint.code)
    }

    /// Whether a place is in the rule's `when`.
    pub(super) fn holds(&self, place: &SourcePlace) -> bool {
        let when = self.node.get("when").map(|node| &node.span);
        place.file == self.file && when.is_some_and(|when| when.start <= place.span.start && place.span.end <= when.end)
    }

    /// Where the rule says its id.
    pub(super) fn place(&self) -> SourcePlace {
        let node = self.node.get("id").unwrap_or(self.node);
        SourcePlace { file: self.file.clone(), span: node.span.clone() }
    }
}

/// An exception and its text, which may stand in `overrides`.
#[derive(Debug)]
pub(super) struct ExceptionView<'a> {
    pub(super) exception: &'a Exception,
    pub(super) node: &'a Node<'a>,
    pub(super) file: Option<Arc<str>>,
    pub(super) rows: Vec<RowView<'a>>,
}

/// A step of `respond` and its text.
#[derive(Debug)]
pub(super) struct StepView<'a> {
    pub(super) step: &'a ResponseStep,
    pub(super) file: Option<Arc<str>>,
    /// What it says to do.
    pub(super) text: &'a Node<'a>,
    /// The command for it.
    pub(super) command: Option<&'a Node<'a>>,
    /// The records that it is for; none: all of the rule's.
    pub(super) rows: Vec<RowView<'a>>,
}

/// Where the settings of a rule stand, that which counts first: in an override of the rule, in one of its whole pack, in the rule.
#[derive(Debug)]
struct SettingNodes<'a> {
    overrides: [Option<&'a Node<'a>>; 2],
    file: Option<Arc<str>>,
    rule: &'a Node<'a>,
}

impl<'a> SettingNodes<'a> {
    fn get(&self, key: &str) -> Option<(Option<Arc<str>>, &'a Node<'a>)> {
        let overrides = self.overrides.iter().map(|node| (None, *node));
        let mut places = overrides.chain([(self.file.clone(), Some(self.rule))]);
        places.find_map(|(file, node)| Some((file, node?.get(key)?)))
    }
}

/// A row and its text.
#[derive(Debug)]
pub(super) struct RowView<'a> {
    pub(super) node: &'a Node<'a>,
    pub(super) file: Option<Arc<str>>,
    pub(super) row: &'a Row,
    pub(super) cells: Vec<CellView<'a>>,
    /// What [`services`](super::calls::services) has found, which several lints ask for.
    pub(super) services: OnceCell<Vec<&'static Service>>,
}

impl<'a> RowView<'a> {
    /// The cells that ask for this path of the record, aliases followed.
    pub(super) fn cell(&self, path: &[&str]) -> Option<&CellView<'a>> {
        self.cells.iter().find(|cell| cell.is(path))
    }

    pub(super) fn place(&self) -> SourcePlace {
        SourcePlace { file: self.file.clone(), span: self.node.span.clone() }
    }
}

/// A cell and its text.
#[derive(Debug)]
pub(super) struct CellView<'a> {
    pub(super) key_span: Range<usize>,
    /// What the cell asks.
    pub(super) node: &'a Node<'a>,
    pub(super) file: Option<Arc<str>>,
    pub(super) cell: &'a Cell,
    pub(super) leaves: Vec<Leaf<'a>>,
}

impl CellView<'_> {
    /// Whether the cell's field is this path of the record.
    pub(super) fn is(&self, path: &[&str]) -> bool {
        matches!(&self.cell.field.target, FieldTarget::Path(keys) if keys.iter().map(|key| &**key).eq(path.iter().copied()))
    }

    /// Where the key stands.
    pub(super) fn place(&self) -> SourcePlace {
        SourcePlace { file: self.file.clone(), span: self.key_span.clone() }
    }

    /// Where one of its leaves stands.
    pub(super) fn at(&self, leaf: &Leaf<'_>) -> SourcePlace {
        SourcePlace { file: self.file.clone(), span: leaf.node.span.clone() }
    }
}

/// One condition that holds no others.
#[derive(Debug)]
pub(super) struct Leaf<'a> {
    pub(super) node: &'a Node<'a>,
    pub(super) condition: LeafCondition<'a>,
    /// Whether it stands inside an odd number of `not`.
    pub(super) negated: bool,
}

impl<'a> Leaf<'a> {
    /// Where its own text stands: not where a list is named that brings it.
    pub(super) fn literal(&self) -> Option<&'a Range<usize>> {
        (self.node.scalar() == Some(self.condition.written())).then_some(&self.node.span)
    }

    /// What to do, which is to write this text instead.
    pub(super) fn replaced_by(&self, text: &str, help: impl Into<String>) -> Advice {
        Advice::new(help).with_fix(self.literal().map(|span| Fix::replace(span, quoted(text))))
    }

    /// The rows that it asks about one element of an array; none where it asks something else.
    pub(super) fn item_rows(&self, file: Option<&Arc<str>>) -> Vec<RowView<'a>> {
        let LeafCondition::Else(Condition::Item(rows)) = self.condition else { return Vec::new() };
        let Some(item) = self.node.get("item") else { return Vec::new() };
        let nodes = item.elements().unwrap_or(std::slice::from_ref(item));
        nodes.iter().zip(rows).map(|(node, row)| row_view(row, node, file)).collect()
    }
}

/// What a leaf asks.
#[derive(Debug, Clone, Copy)]
pub(super) enum LeafCondition<'a> {
    Pattern(&'a Pattern),
    Exactly(&'a str),
    Number(&'a Decimal),
    Else(&'a Condition),
}

impl LeafCondition<'_> {
    /// Whether a text satisfies it; `None` where that depends on more than a text.
    pub(super) fn accepts(self, text: &str) -> Option<bool> {
        match self {
            Self::Pattern(regex) => Some(regex.is_match(text)),
            Self::Exactly(wanted) => Some(wanted == text),
            Self::Number(wanted) => Some(Decimal::parse(text).is_some_and(|number| number == *wanted)),
            Self::Else(condition) => super::logic::accepts(condition, text),
        }
    }

    /// Literals of which every text has one that satisfies it; none where none are known.
    pub(super) fn literals(self) -> Option<Vec<AnchoredLiteral>> {
        match self {
            Self::Pattern(pattern) => pattern.required_literals(),
            Self::Exactly(text) => Some(vec![AnchoredLiteral { anchor: Anchor::Whole, bytes: text.as_bytes().into() }]),
            Self::Number(_) => None,
            Self::Else(condition) => condition.required_literals(),
        }
    }

    /// The text as it was written; empty for what is neither pattern, text nor number.
    pub(super) fn written(&self) -> &str {
        match self {
            Self::Pattern(regex) => regex.as_str(),
            Self::Exactly(text) => text,
            Self::Number(number) => number.written(),
            Self::Else(_) => "",
        }
    }
}

/// Every rule with its text, in the order of [`RuleSet::rules`].
pub(super) fn rules<'a>(rules: &'a RuleSet, files: &'a SourceFiles<'a>) -> Vec<RuleView<'a>> {
    let mut by_id = HashMap::new();
    rules.rules().iter().filter_map(|rule| view(rule, files, &mut by_id)).collect()
}

/// The elements of `rules` of a text, by their ids; of repeated ids the first counts. The text is known by its address.
type RulesById<'a> = HashMap<*const Node<'a>, HashMap<&'a str, &'a Node<'a>>>;

fn view<'a>(rule: &'a Rule, files: &'a SourceFiles<'a>, by_id: &mut RulesById<'a>) -> Option<RuleView<'a>> {
    let pack = rule.pack.as_ref();
    let include = pack.and_then(|name| files.include(name));
    // A bundle's pack stands in the bundle.
    let content = include.and_then(|include| include.get("content"));
    let (file, text) = match (pack, content) {
        (Some(_), Some(content)) => (None, content),
        (Some(name), None) => (Some(Arc::clone(name)), files.node(Some(name))),
        (None, _) => (None, &files.root),
    };
    let id = rule.info.id.as_str();
    let node = *by_id.entry(std::ptr::from_ref(text)).or_insert_with(|| by_id_of(text)).get(id)?;
    let rows = table(&rule.when, node.get("when")?, file.as_ref());
    // The rule's own exceptions, then what overrides add, in the order in which the compiler adds them.
    let overrides = include.and_then(|include| include.get("overrides"));
    let added = ["*", id].into_iter().filter_map(|key| Some((None, overrides?.get(key)?)));
    let exceptions = std::iter::once((file.clone(), node))
        .chain(added)
        .flat_map(|(file, node)| {
            let exceptions = node.get("unless").and_then(Node::elements).unwrap_or_default();
            exceptions.iter().map(move |exception| (file.clone(), exception))
        })
        .zip(&rule.unless)
        .filter_map(|((file, node), exception)| {
            let rows = table(&exception.when, node.get("when")?, file.as_ref());
            Some(ExceptionView { exception, node, file, rows })
        })
        .collect();
    let of_pack = |key| overrides.and_then(|node| node.get(key));
    let settings = SettingNodes { overrides: [of_pack(id), of_pack("*")], file, rule: node };
    let severities = settings
        .get("severity_when")
        .into_iter()
        .flat_map(|(file, nodes)| {
            let cases = nodes.elements().unwrap_or_default().iter().zip(&rule.severity_when);
            cases.filter_map(move |(node, (_, when))| Some(table(when, node.get("when")?, file.as_ref())))
        })
        .flatten()
        .collect();
    // In a bundle the steps stand apart from the rules.
    let apart = files.root.get("respond").and_then(|steps| steps.get(id));
    let steps = settings.get("respond").or(apart.map(|node| (None, node)));
    let steps = steps.into_iter().flat_map(|(file, nodes)| {
        let nodes = nodes.elements().unwrap_or_default();
        nodes.iter().zip(&rule.respond).map(move |(node, step)| step_view(step, node, file.clone()))
    });
    let (steps, file) = (steps.collect(), settings.file.clone());
    Some(RuleView { rule, node, file, rows, exceptions, severities, steps, settings })
}

fn step_view<'a>(step: &'a ResponseStep, node: &'a Node<'a>, file: Option<Arc<str>>) -> StepView<'a> {
    let rows = step.when.as_ref().zip(node.get("when")).map(|(when, node)| table(when, node, file.as_ref()));
    let (text, command) = (node.get("do").unwrap_or(node), node.get("run"));
    StepView { step, file, text, command, rows: rows.unwrap_or_default() }
}

fn by_id_of<'a>(text: &'a Node<'a>) -> HashMap<&'a str, &'a Node<'a>> {
    let nodes = text.get("rules").and_then(Node::elements).unwrap_or_default();
    let mut by_id = HashMap::with_capacity(nodes.len());
    for node in nodes {
        if let Some(id) = node.get("id").and_then(Node::as_str) {
            by_id.entry(id).or_insert(node);
        }
    }
    by_id
}

fn table<'a>(table: &'a Table, node: &'a Node<'a>, file: Option<&Arc<str>>) -> Vec<RowView<'a>> {
    let nodes = node.elements().unwrap_or(std::slice::from_ref(node));
    nodes.iter().zip(&table.0).map(|(node, row)| row_view(row, node, file)).collect()
}

fn row_view<'a>(row: &'a Row, node: &'a Node<'a>, file: Option<&Arc<str>>) -> RowView<'a> {
    let members = node.members().unwrap_or_default();
    let cells = members
        .iter()
        .zip(&row.0)
        .map(|(member, cell)| {
            let mut leaves = Vec::new();
            gather(&cell.condition, &member.node, false, &mut leaves);
            CellView { key_span: member.key_span.clone(), node: &member.node, file: file.cloned(), cell, leaves }
        })
        .collect();
    RowView { node, file: file.cloned(), row, cells, services: OnceCell::new() }
}

/// The leaves of a condition, each with the node that it was made of: what a named list brings stands where it is named.
fn gather<'a>(condition: &'a Condition, node: &'a Node<'a>, negated: bool, leaves: &mut Vec<Leaf<'a>>) {
    let mut leaf = |node: &'a Node<'a>, condition: LeafCondition<'a>| leaves.push(Leaf { node, condition, negated });
    match condition {
        Condition::Pattern(regex) => leaf(node, LeafCondition::Pattern(regex)),
        Condition::Is(literals) => {
            let value = node.get("is").unwrap_or(node);
            for literal in literals {
                let elements = value.elements().unwrap_or_default();
                let written = |element: &&Node<'_>| element.scalar() == Some(literal.written());
                let at = elements.iter().find(written).unwrap_or(value);
                leaf(
                    at,
                    match literal {
                        Literal::Text(text) => LeafCondition::Exactly(text),
                        Literal::Number(number) => LeafCondition::Number(number),
                    },
                );
            }
        }
        Condition::Not(inner) => gather(inner, node.get("not").unwrap_or(node), !negated, leaves),
        Condition::Any(inner) => match &node.value {
            Value::Array(nodes) => {
                inner.iter().zip(nodes).for_each(|(inner, node)| gather(inner, node, negated, leaves));
            }
            _ => inner.iter().for_each(|inner| gather(inner, node, negated, leaves)),
        },
        Condition::All(inner) => {
            let nodes = node.get("all").and_then(Node::elements).unwrap_or_default();
            inner.iter().zip(nodes).for_each(|(inner, node)| gather(inner, node, negated, leaves));
        }
        other => leaf(node, LeafCondition::Else(other)),
    }
}
