//! Tables: rows of cells, and the fields that cells name.

use std::ops::Range;

use super::{Place, RuleCompiler};
use crate::config::{array, repeated_keys, string, wrong_kind};
use crate::json::{Node, Value};
use crate::rules::field::Field;
use crate::rules::{Cell, Row, Table};

impl<'n> RuleCompiler<'n> {
    pub(super) fn table(&mut self, node: &'n Node<'n>, place: Place) -> Table {
        let rows = match &node.value {
            Value::Array(_) => array(node, "a table", &mut self.problems),
            _ => std::slice::from_ref(node),
        };
        Table(rows.iter().map(|row| self.row(row, place)).collect())
    }

    fn row(&mut self, node: &'n Node<'n>, place: Place) -> Row {
        let Some(members) = node.members() else {
            wrong_kind(node, "a row is an object of cells", &mut self.problems);
            return Row(Vec::new());
        };
        if members.is_empty() {
            let help = "write what is off limits, such as {\"event\": \"StopLogging\"}";
            self.problems.error("empty-row", &node.span, "an empty row matches every record", help);
        }
        repeated_keys(members, &mut self.problems);
        let mut cells = Vec::new();
        for member in members {
            let Some(field) = self.field(&member.key, &member.key_span, place) else { continue };
            if let Some(condition) = self.condition(&member.node, &field, place) {
                cells.push(Cell { field, condition, written: member.node.compact() });
            }
        }
        Row(cells)
    }

    pub(super) fn field(&mut self, written: &str, span: &Range<usize>, place: Place) -> Option<Field> {
        let field = match place {
            Place::Record => Field::of_record_in(written, self.countries.as_ref()),
            Place::Element => Field::of_element(written),
        };
        self.understood(field, span)
    }

    pub(super) fn field_at(&mut self, node: &Node, what: &str, place: Place) -> Option<Field> {
        let written = string(node, what, &mut self.problems)?;
        self.field(written, &node.span, place)
    }
}
