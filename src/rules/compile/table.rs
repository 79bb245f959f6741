//! Tables: rows of cells, and the fields that cells name.

use std::ops::Range;

use super::{RowSubject, RuleCompiler};
use crate::config::{Advice, Fix, array, quoted, repeated_keys, string, wrong_kind};
use crate::json::{Node, Value};
use crate::rules::field::{Field, FieldError};
use crate::rules::{Cell, Row, Table};

impl<'n> RuleCompiler<'n> {
    pub(super) fn table(&mut self, node: &'n Node<'n>, subject: RowSubject) -> Table {
        let rows = match &node.value {
            Value::Array(_) => array(node, "a table", &mut self.problems),
            _ => std::slice::from_ref(node),
        };
        Table(rows.iter().map(|row| self.row(row, subject)).collect())
    }

    fn row(&mut self, node: &'n Node<'n>, subject: RowSubject) -> Row {
        let Some(members) = node.members() else {
            wrong_kind(node, "a row must be an object of cells", &mut self.problems);
            return Row(Vec::new());
        };
        if members.is_empty() {
            let help = "write what is off limits, such as {\"event\": \"StopLogging\"}";
            self.problems.error("empty-row", &node.span, "an empty row matches every record", help);
        }
        repeated_keys(members, &mut self.problems);
        let mut cells = Vec::new();
        for member in members {
            let Some(field) = self.field(&member.key, &member.key_span, subject) else { continue };
            if let Some(condition) = self.condition(&member.node, &field, subject) {
                cells.push(Cell { field, condition, written: member.node.compact() });
            }
        }
        Row(cells)
    }

    pub(super) fn field(&mut self, written: &str, span: &Range<usize>, subject: RowSubject) -> Option<Field> {
        let field = match subject {
            RowSubject::Record => Field::parse_with(written, &self.surroundings),
            RowSubject::Element => Field::parse_in_element(written),
        };
        match field {
            Err(FieldError { code, message, help, meant: Some(meant) }) => {
                let advice = Advice::new(help).with_fix(Fix::replace(span, quoted(&meant)));
                self.problems.error(code, span, message, advice);
                None
            }
            field => self.understood(field, span),
        }
    }

    pub(super) fn field_at(&mut self, node: &Node, what: &str, subject: RowSubject) -> Option<Field> {
        let written = string(node, what, &mut self.problems)?;
        self.field(written, &node.span, subject)
    }
}
