//! Terraform's HCL as a tree: blocks become lists of maps, expressions are computed where that takes no Terraform.
//!
//! `hcl-edit` does the parsing. Literals, lists, objects, `jsonencode`, `toset`, `tolist`, and variables and locals that
//! stand in the same file are computed; every other expression stays [`TreeValue::Unknown`], with its text.

use std::collections::HashMap;

use hcl_edit::Span;
use hcl_edit::expr::{Expression, ObjectKey, Traversal, TraversalOperator};
use hcl_edit::structure::{Block, Body, Structure};

use super::tree::{Lines, Tree, TreeValue};

/// A variable's value may name others; no further than this.
const MAX_DEPTH: usize = 32;

/// Reads a file. A resource is `{"type": …, "name": …, …its body}` in the list `resource`.
///
/// # Errors
/// The first mistake of syntax, with its line.
pub(super) fn parse(text: &str) -> Result<Tree, String> {
    let body = hcl_edit::parser::parse_body(text).map_err(|error| {
        let place = error.location();
        format!("line {}, column {}: not HCL: {}", place.line(), place.column(), error.message())
    })?;
    let mut reader = HclReader { text, lines: Lines::new(text), known: HashMap::new() };
    reader.collect(&body);
    Ok(Tree { line: 1, value: TreeValue::Map(reader.body(&body)) })
}

struct HclReader<'t> {
    text: &'t str,
    lines: Lines,
    /// The variables that have a default, and the locals: by `var.NAME` and `local.NAME`.
    known: HashMap<String, Expression>,
}

impl HclReader<'_> {
    fn collect(&mut self, body: &Body) {
        for block in body.blocks() {
            match (block.ident.as_str(), block.labels.first()) {
                ("variable", Some(name)) => {
                    if let Some(default) = block.body.get_attribute("default") {
                        self.known.insert(format!("var.{}", name.as_str()), default.value.clone());
                    }
                }
                ("locals", _) => {
                    for local in block.body.attributes() {
                        self.known.insert(format!("local.{}", local.key.as_str()), local.value.clone());
                    }
                }
                _ => {}
            }
        }
    }

    fn body(&self, body: &Body) -> Vec<(String, Tree)> {
        let mut entries: Vec<(String, Tree)> = Vec::new();
        for structure in body {
            match structure {
                Structure::Attribute(attribute) => {
                    entries.push((attribute.key.as_str().to_owned(), self.expression(&attribute.value, 0)));
                }
                Structure::Block(block) => {
                    let name = block.ident.as_str();
                    let tree = self.block(block);
                    let same = entries.iter_mut().find(|(key, _)| key == name);
                    if let Some((_, Tree { value: TreeValue::List(blocks), .. })) = same {
                        blocks.push(tree);
                    } else {
                        let line = tree.line;
                        entries.push((name.to_owned(), Tree { line, value: TreeValue::List(vec![tree]) }));
                    }
                }
            }
        }
        entries
    }

    fn block(&self, block: &Block) -> Tree {
        let line = self.line(block.span());
        let mut entries = Vec::new();
        for (key, label) in ["type", "name"].into_iter().zip(&block.labels) {
            entries.push((key.to_owned(), Tree { line, value: TreeValue::Text(label.as_str().to_owned()) }));
        }
        entries.extend(self.body(&block.body));
        Tree { line, value: TreeValue::Map(entries) }
    }

    fn expression(&self, expression: &Expression, depth: usize) -> Tree {
        let line = self.line(expression.span());
        let each = |parts: &mut dyn Iterator<Item = &Expression>| {
            TreeValue::List(parts.map(|part| self.expression(part, depth)).collect())
        };
        let value = match expression {
            Expression::Null(_) => TreeValue::Null,
            Expression::Bool(value) => TreeValue::Text(value.value().to_string()),
            Expression::Number(number) => TreeValue::Number(number.value().to_string()),
            Expression::String(text) => TreeValue::Text(text.value().clone()),
            Expression::HeredocTemplate(heredoc) => match heredoc.template.as_single_element() {
                Some(element) if element.is_literal() => {
                    TreeValue::Text(element.as_literal().map(|text| text.value().clone()).unwrap_or_default())
                }
                _ => self.unknown(expression),
            },
            Expression::Array(array) => each(&mut array.iter()),
            Expression::Object(object) => {
                let key = |key: &ObjectKey| match key {
                    ObjectKey::Ident(name) => Some(name.as_str().to_owned()),
                    ObjectKey::Expression(expression) => expression.as_str().map(str::to_owned),
                };
                let entries: Option<Vec<_>> = object
                    .iter()
                    .map(|(name, value)| Some((key(name)?, self.expression(value.expr(), depth))))
                    .collect();
                entries.map_or_else(|| self.unknown(expression), TreeValue::Map)
            }
            Expression::Parenthesis(inner) => return self.expression(inner.inner(), depth),
            Expression::FuncCall(call) if call.args.len() == 1 => match (call.name.name.as_str(), call.args.get(0)) {
                // What would be encoded is read as it is.
                ("jsonencode" | "toset" | "tolist", Some(argument)) => return self.expression(argument, depth),
                _ => self.unknown(expression),
            },
            Expression::Traversal(traversal) if depth < MAX_DEPTH => {
                match name(traversal).and_then(|name| self.known.get(&name)) {
                    Some(known) => return Tree { line, ..self.expression(known, depth + 1) },
                    None => self.unknown(expression),
                }
            }
            _ => self.unknown(expression),
        };
        Tree { line, value }
    }

    fn unknown(&self, expression: &Expression) -> TreeValue {
        let written = expression.span().and_then(|span| self.text.get(span)).unwrap_or_default();
        TreeValue::Unknown(written.split_whitespace().collect::<Vec<_>>().join(" "))
    }

    fn line(&self, span: Option<std::ops::Range<usize>>) -> usize {
        span.map_or(1, |span| self.lines.line(span.start))
    }
}

/// `var.NAME` or `local.NAME`, if it is one.
fn name(traversal: &Traversal) -> Option<String> {
    let Expression::Variable(root) = &traversal.expr else { return None };
    match traversal.operators.as_slice() {
        [operator] => match operator.value() {
            TraversalOperator::GetAttr(attribute) => Some(format!("{}.{}", root.as_str(), attribute.as_str())),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_and_expressions_become_a_tree() {
        let hcl = r#"
variable "level" { default = "HIGH" }
locals { ips = ["10.0.0.1", var.unset] }
resource "a" "b" {
  level = var.level
  ips   = local.ips
  inner { x = 1 }
  inner {
    x = jsonencode({ eventName = "Create", "a.b" = true })
    y = "x-${var.level}"
  }
}
"#;
        let tree = parse(hcl).unwrap();
        let resource = &tree.get("resource").unwrap().items()[0];
        assert_eq!((resource.line, resource.get("type").unwrap().text()), (4, Some("a")));
        assert_eq!(resource.get("level").unwrap().text(), Some("HIGH"));
        let ips = resource.get("ips").unwrap().items();
        assert_eq!(ips[0].text(), Some("10.0.0.1"));
        assert!(matches!(&ips[1].value, TreeValue::Unknown(text) if text == "var.unset"));
        let inner = resource.get("inner").unwrap().items();
        assert_eq!((inner.len(), inner[1].line), (2, 8));
        assert_eq!(inner[1].get("x").unwrap().get("eventName").unwrap().text(), Some("Create"));
        assert!(matches!(inner[1].get("y").unwrap().value, TreeValue::Unknown(_)));
    }

    #[test]
    fn mistakes_have_a_line_and_circles_an_end() {
        assert!(parse("a {\n  b = \n}").unwrap_err().contains("line 2"));
        let circle = parse("locals {\n a = local.b\n b = local.a\n}\nx = local.a").unwrap();
        assert!(matches!(circle.get("x").unwrap().value, TreeValue::Unknown(_)));
    }
}
