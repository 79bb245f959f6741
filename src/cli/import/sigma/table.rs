//! Any combination of cells by and, or and not, brought into rows and exceptions.
//!
//! A row is cells joined by and, a table rows joined by or, so what is wanted is the disjunctive normal form. It can grow
//! with every `or` inside an `and`; three things keep it small: what concerns one field alone becomes one condition of that
//! field; `and not X` at the top becomes an exception; rows that differ in one cell become one. Beyond [`MAX_ROWS`] the
//! rule is refused.

use serde_json::Value as Json;

use super::super::output::ImportedRow;
use super::cell::SigmaCell;
use super::logic::{all, any, not};

/// Rows of one rule.
pub(super) const MAX_ROWS: usize = 128;

/// Cells joined by and, or and not. Names are kept for the reasons of exceptions.
#[derive(Debug, Clone)]
pub(super) enum Expression {
    Cell(SigmaCell),
    Named(String, Box<Expression>),
    Not(Box<Expression>),
    All(Vec<Expression>),
    Any(Vec<Expression>),
}

/// The rows and exceptions that say what an expression says.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Tables {
    pub(super) when: Vec<ImportedRow>,
    /// Each with the name of what it excepts.
    pub(super) unless: Vec<(String, Vec<ImportedRow>)>,
}

/// Brings an expression into rows and exceptions.
///
/// # Errors
/// More rows than [`MAX_ROWS`].
pub(super) fn tables(expression: &Expression) -> Result<Tables, String> {
    let mut wanted = Vec::new();
    let mut excepted = Vec::new();
    split(expression, false, &mut wanted, &mut excepted);
    if wanted.is_empty() {
        // Nothing but exceptions: as rows, since a rule without rows is none.
        return Ok(Tables { when: rows(expression, false)?, unless: Vec::new() });
    }
    let unless = excepted
        .into_iter()
        .map(|(name, expression)| Ok((name, rows(expression, false)?)))
        .collect::<Result<_, String>>()?;
    Ok(Tables { when: conjunction(wanted.into_iter().map(|expression| (expression, false)))?, unless })
}

/// The parts that the top joins by and: those that are wanted, and those of which none may be, with a name for each.
fn split<'e>(
    expression: &'e Expression,
    negated: bool,
    wanted: &mut Vec<&'e Expression>,
    excepted: &mut Vec<(String, &'e Expression)>,
) {
    match (expression, negated) {
        (Expression::Named(_, inner), _) if compound(inner, negated) => split(inner, negated, wanted, excepted),
        (Expression::Not(inner), _) => split(inner, !negated, wanted, excepted),
        (Expression::All(parts), false) | (Expression::Any(parts), true) => {
            parts.iter().for_each(|part| split(part, negated, wanted, excepted));
        }
        (_, true) => excepted.push((described(expression), expression)),
        (_, false) => wanted.push(expression),
    }
}

/// An expression in the names of its selections.
fn described(expression: &Expression) -> String {
    let joined = |parts: &[Expression], word: &str| {
        let parts: Vec<String> = parts.iter().map(described).collect();
        format!("({})", parts.join(word))
    };
    match expression {
        Expression::Cell(cell) => cell.field.clone(),
        Expression::Named(name, _) => name.clone(),
        Expression::Not(inner) => format!("not {}", described(inner)),
        Expression::All(parts) => joined(parts, " and "),
        Expression::Any(parts) => joined(parts, " or "),
    }
}

/// Whether an expression, taken apart, gives several parts joined by and that are not all of one field.
fn compound(expression: &Expression, negated: bool) -> bool {
    match (expression, negated) {
        (Expression::Named(_, inner), _) => compound(inner, negated),
        (Expression::Not(_), _) | (Expression::All(_), false) => true,
        _ => false,
    }
}

fn rows(expression: &Expression, negated: bool) -> Result<Vec<ImportedRow>, String> {
    if let Some(cell) = one_field(expression) {
        let condition = if negated { not(&cell.condition) } else { cell.condition };
        return Ok(vec![ImportedRow(vec![(cell.field, condition)])]);
    }
    match (expression, negated) {
        (Expression::Named(_, inner), _) => rows(inner, negated),
        (Expression::Not(inner), _) => rows(inner, !negated),
        (Expression::All(parts), false) | (Expression::Any(parts), true) => {
            conjunction(parts.iter().map(|part| (part, negated)))
        }
        (Expression::All(parts), true) | (Expression::Any(parts), false) => {
            let mut union = Vec::new();
            for part in parts {
                union.extend(rows(part, negated)?);
            }
            bounded(merged(union))
        }
        // A cell is of one field.
        (Expression::Cell(_), _) => Ok(Vec::new()),
    }
}

fn conjunction<'e>(parts: impl Iterator<Item = (&'e Expression, bool)>) -> Result<Vec<ImportedRow>, String> {
    let mut product = vec![ImportedRow(Vec::new())];
    for (part, negated) in parts {
        let factor = rows(part, negated)?;
        let mut next = Vec::with_capacity(product.len() * factor.len());
        for row in &product {
            next.extend(factor.iter().map(|more| row.joined(more)));
        }
        product = bounded(merged(next))?;
    }
    Ok(product)
}

fn bounded(rows: Vec<ImportedRow>) -> Result<Vec<ImportedRow>, String> {
    match rows.len() {
        0..=MAX_ROWS => Ok(rows),
        many => Err(format!("it would need {many} rows or more, and {MAX_ROWS} are the most: split the rule")),
    }
}

/// An expression over one field as one cell.
fn one_field(expression: &Expression) -> Option<SigmaCell> {
    let several = |parts: &[Expression], join: fn(Vec<Json>) -> Json| {
        let cells = parts.iter().map(one_field).collect::<Option<Vec<_>>>()?;
        let field = cells.first()?.field.clone();
        let same = cells.iter().all(|cell| cell.field == field);
        same.then(|| SigmaCell { field, condition: join(cells.into_iter().map(|cell| cell.condition).collect()) })
    };
    match expression {
        Expression::Cell(cell) => Some(cell.clone()),
        Expression::Named(_, inner) => one_field(inner),
        Expression::Not(inner) => one_field(inner).map(|cell| SigmaCell { condition: not(&cell.condition), ..cell }),
        Expression::All(parts) => several(parts, all),
        Expression::Any(parts) => several(parts, any),
    }
}

/// Rows of which two that differ in one cell of the same field are one, with both conditions in it.
pub(in super::super) fn merged(rows: Vec<ImportedRow>) -> Vec<ImportedRow> {
    let mut kept: Vec<ImportedRow> = Vec::new();
    for row in rows {
        let mergeable = kept.iter_mut().find_map(|other| {
            let at = other.only_difference(&row)?;
            Some((other, at))
        });
        match mergeable {
            None => kept.push(row),
            // Equal rows.
            Some((_, None)) => {}
            Some((other, Some(at))) => {
                let (mine, theirs) = (other.0[at].1.take(), row.0[at].1.clone());
                other.0[at].1 = any(vec![mine, theirs]);
            }
        }
    }
    kept
}

impl ImportedRow {
    /// The cells of both, those of one field joined by and.
    fn joined(&self, more: &Self) -> Self {
        let mut row = self.clone();
        for (field, condition) in &more.0 {
            match row.0.iter_mut().find(|(name, _)| name == field) {
                None => row.0.push((field.clone(), condition.clone())),
                Some((_, mine)) if mine == condition => {}
                Some((_, mine)) => {
                    let mut conditions = match mine.get("all").and_then(Json::as_array) {
                        Some(several) => several.clone(),
                        None => vec![mine.take()],
                    };
                    conditions.push(condition.clone());
                    *mine = all(conditions);
                }
            }
        }
        row
    }

    /// Where the only cell stands that differs from another row of the same fields: `Some(None)` if they are equal, `None`
    /// if more differs.
    #[allow(clippy::option_option, reason = "three answers: equal, one difference, more")]
    fn only_difference(&self, other: &Self) -> Option<Option<usize>> {
        let same_fields = self.0.len() == other.0.len() && self.0.iter().zip(&other.0).all(|(a, b)| a.0 == b.0);
        let mut differing = (0..self.0.len()).filter(|&at| same_fields && self.0[at].1 != other.0[at].1);
        let first = differing.next();
        (same_fields && differing.next().is_none()).then_some(first)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn cell(field: &str, value: &str) -> Expression {
        Expression::Cell(SigmaCell { field: field.to_owned(), condition: json!(value) })
    }

    fn shown(expression: &Expression) -> Json {
        let Tables { when, unless } = tables(expression).unwrap();
        let table =
            |rows: &[ImportedRow]| rows.iter().map(|row| serde_json::to_value(row).unwrap()).collect::<Vec<_>>();
        let unless: Vec<Json> = unless.iter().map(|(name, rows)| json!({name: table(rows)})).collect();
        json!({"when": table(&when), "unless": unless})
    }

    #[test]
    fn filters_become_exceptions_with_their_names() {
        let filter = |name: &str, inner| Expression::Named(name.to_owned(), Box::new(inner));
        let filters = Expression::Any(vec![
            filter("filter_a", cell("b", "2")),
            filter("filter_b", Expression::All(vec![cell("c", "3"), cell("d", "4")])),
        ]);
        let rule = Expression::All(vec![
            Expression::Named("selection".to_owned(), Box::new(cell("a", "1"))),
            Expression::Not(Box::new(filters)),
        ]);
        assert_eq!(
            shown(&rule),
            json!({"when": [{"a": "1"}], "unless": [{"filter_a": [{"b": "2"}]}, {"filter_b": [{"c": "3", "d": "4"}]}]})
        );
    }

    #[test]
    fn nothing_but_a_negation_becomes_rows() {
        let rule = Expression::Not(Box::new(Expression::All(vec![cell("a", "1"), cell("b", "2")])));
        assert_eq!(shown(&rule), json!({"when": [{"a": {"not": "1"}}, {"b": {"not": "2"}}], "unless": []}));
    }

    #[test]
    fn one_field_stays_one_cell_and_rows_that_differ_in_one_are_one() {
        let either = Expression::Any(vec![
            Expression::All(vec![cell("a", "1"), cell("b", "2")]),
            Expression::All(vec![cell("a", "1"), cell("b", "3")]),
        ]);
        assert_eq!(shown(&either), json!({"when": [{"a": "1", "b": ["2", "3"]}], "unless": []}));
        let one = Expression::Any(vec![cell("a", "1"), Expression::Not(Box::new(cell("a", "2")))]);
        assert_eq!(shown(&one), json!({"when": [{"a": ["1", {"not": "2"}]}], "unless": []}));
        let both = Expression::All(vec![
            Expression::Any(vec![cell("a", "1"), cell("b", "1")]),
            Expression::Any(vec![cell("a", "2"), cell("b", "2")]),
        ]);
        assert_eq!(
            shown(&both),
            json!({"when": [
                {"a": {"all": ["1", "2"]}}, {"a": "1", "b": "2"}, {"b": "1", "a": "2"}, {"b": {"all": ["1", "2"]}}
            ], "unless": []})
        );
    }

    #[test]
    fn growth_has_a_bound() {
        let clause = |n: usize| Expression::Any(vec![cell(&format!("a{n}"), "1"), cell(&format!("b{n}"), "1")]);
        assert!(tables(&Expression::All((0..7).map(clause).collect())).is_ok());
        assert!(tables(&Expression::All((0..8).map(clause).collect())).unwrap_err().contains("256 rows"));
        assert!(tables(&Expression::All((0..10_000).map(clause).collect())).is_err());
    }
}
