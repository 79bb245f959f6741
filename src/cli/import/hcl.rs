//! Terraform's HCL as a tree: blocks become lists of maps, expressions are computed where that takes no Terraform.
//!
//! `hcl-edit` does the parsing. Literals, lists, objects, `jsonencode`, `toset`, `tolist`, and the variables and locals of a
//! [`Scope`] are computed; every other expression stays [`TreeValue::Unknown`], with its text, and so does a `dynamic` block,
//! where its block would stand.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::rc::Rc;

use hcl_edit::Span;
use hcl_edit::expr::{Expression, ObjectKey, Traversal, TraversalOperator};
use hcl_edit::structure::{Block, Body, Structure};

use super::hcl_depth::check_depth;
use super::tree::{Lines, Tree, TreeValue};

/// A variable's value may name others; no further than this.
const MAX_DEPTH: usize = 32;

/// Values that one document may be grown to by its variables: some name others, twice each.
const MAX_VALUES: usize = 100_000;

/// A file that was parsed, and in which nothing is computed yet.
#[derive(Debug)]
pub(super) struct HclFile {
    text: String,
    lines: Lines,
    body: Body,
}

impl HclFile {
    /// Reads a file.
    ///
    /// # Errors
    /// The first mistake of syntax, with its line, or what [`check_depth`] says.
    pub(super) fn parse(text: &str) -> Result<Rc<Self>, String> {
        check_depth(text)?;
        let body = hcl_edit::parser::parse_body(text).map_err(|error| {
            let place = error.location();
            format!("line {}, column {}: not HCL: {}", place.line(), place.column(), error.message())
        })?;
        Ok(Rc::new(Self { text: text.to_owned(), lines: Lines::new(text), body }))
    }

    fn line(&self, span: Option<std::ops::Range<usize>>) -> usize {
        span.map_or(1, |span| self.lines.line(span.start))
    }
}

/// What the names of a module stand for: its variables and locals, by `var.NAME` and `local.NAME`.
#[derive(Debug, Default)]
pub(super) struct Scope {
    known: HashMap<String, Known>,
    /// The variables that have nothing but a default.
    defaults: HashSet<String>,
}

#[derive(Debug, Clone)]
enum Known {
    Expression(Rc<HclFile>, Box<Expression>),
    Tree(Tree),
    /// Why it is not known.
    Withheld(String),
}

impl Scope {
    /// Takes what a file declares: the defaults of variables, and the locals. What two files declare is not known.
    pub(super) fn declare(&mut self, file: &Rc<HclFile>) {
        for block in file.body.blocks() {
            match (block.ident.as_str(), block.labels.first()) {
                ("variable", Some(name)) => {
                    if let Some(default) = block.body.get_attribute("default") {
                        let name = format!("var.{}", name.as_str());
                        self.defaults.insert(name.clone());
                        self.declare_one(name, file, &default.value);
                    }
                }
                ("locals", _) => {
                    for local in block.body.attributes() {
                        self.declare_one(format!("local.{}", local.key.as_str()), file, &local.value);
                    }
                }
                _ => {}
            }
        }
    }

    fn declare_one(&mut self, name: String, file: &Rc<HclFile>, value: &Expression) {
        let known = if self.known.contains_key(&name) {
            Known::Withheld(format!("{name}, which stands twice,"))
        } else {
            Known::Expression(Rc::clone(file), Box::new(value.clone()))
        };
        self.known.insert(name, known);
    }

    /// Takes the values that a file of variables gives (`terraform.tfvars`), in the place of any before.
    pub(super) fn assign(&mut self, file: &Rc<HclFile>) {
        for attribute in file.body.attributes() {
            let value = Known::Expression(Rc::clone(file), Box::new(attribute.value.clone()));
            self.set(attribute.key.as_str(), value);
        }
    }

    /// As [`Scope::assign`], of JSON.
    pub(super) fn assign_json(&mut self, tree: &Tree) {
        for (name, value) in tree.entries().unwrap_or_default() {
            self.set(name, Known::Tree(value.clone()));
        }
    }

    /// Forgets a variable: `file` sets it, and nobody can tell whether Terraform was told to read that.
    pub(super) fn withhold(&mut self, name: &str, file: &str) {
        self.set(name, Known::Withheld(format!("var.{name}, which {file} sets,")));
    }

    /// Forgets every variable.
    pub(super) fn withhold_all(&mut self, file: &str) {
        let names: Vec<String> =
            self.known.keys().filter_map(|name| name.strip_prefix("var.").map(str::to_owned)).collect();
        names.iter().for_each(|name| self.withhold(name, file));
    }

    fn set(&mut self, name: &str, value: Known) {
        let name = format!("var.{name}");
        self.defaults.remove(&name);
        self.known.insert(name, value);
    }
}

impl HclFile {
    /// The names of the variables that it sets, if it is a file of variables.
    pub(super) fn assigned(&self) -> impl Iterator<Item = &str> {
        self.body.attributes().map(|attribute| attribute.key.as_str())
    }

    /// The file as a tree. A resource is `{"type": …, "name": …, …its body}` in the list `resource`. Returns also the variables
    /// whose defaults were taken.
    pub(super) fn tree(self: &Rc<Self>, scope: &Scope) -> (Tree, Vec<String>) {
        let mut reader = HclReader { file: Rc::clone(self), scope, used: BTreeSet::new(), left: MAX_VALUES };
        let value = TreeValue::Map(reader.body(&self.body));
        (Tree { line: 1, value }, reader.used.into_iter().collect())
    }
}

struct HclReader<'s> {
    file: Rc<HclFile>,
    scope: &'s Scope,
    /// The variables whose defaults were taken.
    used: BTreeSet<String>,
    /// Values that may still be made.
    left: usize,
}

impl HclReader<'_> {
    fn body(&mut self, body: &Body) -> Vec<(String, Tree)> {
        let mut entries: Vec<(String, Tree)> = Vec::new();
        for structure in body {
            match structure {
                Structure::Attribute(attribute) => {
                    entries.push((attribute.key.as_str().to_owned(), self.expression(&attribute.value, 0)));
                }
                Structure::Block(block) => {
                    let (name, tree) = self.named(block);
                    match entries.iter_mut().find(|(key, _)| *key == name) {
                        Some((_, Tree { value: TreeValue::List(blocks), .. })) => blocks.push(tree),
                        Some((_, other)) => {
                            let line = other.line;
                            let first = std::mem::replace(other, Tree { line, value: TreeValue::Null });
                            other.value = TreeValue::List(vec![first, tree]);
                        }
                        None => {
                            let line = tree.line;
                            entries.push((name, Tree { line, value: TreeValue::List(vec![tree]) }));
                        }
                    }
                }
            }
        }
        entries
    }

    /// A block, and the name under which it stands: of a `dynamic` block that of those which it makes.
    fn named(&mut self, block: &Block) -> (String, Tree) {
        match (block.ident.as_str(), block.labels.first()) {
            ("dynamic", Some(label)) => {
                let name = label.as_str().to_owned();
                let value = TreeValue::Unknown(format!("the dynamic block \"{name}\""));
                (name, Tree { line: self.file.line(block.span()), value })
            }
            (name, _) => (name.to_owned(), self.block(block)),
        }
    }

    fn block(&mut self, block: &Block) -> Tree {
        let line = self.file.line(block.span());
        let mut entries = Vec::new();
        for (key, label) in ["type", "name"].into_iter().zip(&block.labels) {
            entries.push((key.to_owned(), Tree { line, value: TreeValue::Text(label.as_str().to_owned()) }));
        }
        entries.extend(self.body(&block.body));
        Tree { line, value: TreeValue::Map(entries) }
    }

    fn expression(&mut self, expression: &Expression, depth: usize) -> Tree {
        let line = self.file.line(expression.span());
        self.left = self.left.saturating_sub(1);
        if self.left == 0 {
            return Tree { line, value: self.unknown(expression) };
        }
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
            Expression::Array(array) => {
                TreeValue::List(array.iter().map(|part| self.expression(part, depth)).collect())
            }
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
            Expression::Traversal(traversal) => match name(traversal) {
                Some(name) if depth < MAX_DEPTH => match self.named_value(&name, line, depth) {
                    Some(tree) => return tree,
                    None => self.unknown(expression),
                },
                _ => self.unknown(expression),
            },
            _ => self.unknown(expression),
        };
        Tree { line, value }
    }

    /// What a variable or local stands for, as if it stood on this line.
    fn named_value(&mut self, name: &str, line: usize, depth: usize) -> Option<Tree> {
        let scope = self.scope;
        let known = scope.known.get(name)?;
        if scope.defaults.contains(name) {
            self.used.insert(name.to_owned());
        }
        Some(match known {
            Known::Withheld(reason) => Tree { line, value: TreeValue::Unknown(reason.clone()) },
            Known::Tree(tree) => tree.on_line(line),
            Known::Expression(file, value) => {
                let here = std::mem::replace(&mut self.file, Rc::clone(file));
                let tree = self.expression(value, depth + 1);
                self.file = here;
                tree.on_line(line)
            }
        })
    }

    fn unknown(&self, expression: &Expression) -> TreeValue {
        let written = expression.span().and_then(|span| self.file.text.get(span)).unwrap_or_default();
        TreeValue::Unknown(written.split_whitespace().collect::<Vec<_>>().join(" "))
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
    use std::fmt::Write as _;

    use super::*;

    fn parse(text: &str) -> Result<Tree, String> {
        let file = HclFile::parse(text)?;
        let mut scope = Scope::default();
        scope.declare(&file);
        Ok(file.tree(&scope).0)
    }

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
  dynamic "inner" {
    for_each = [1]
    content { x = 2 }
  }
}
"#;
        let tree = parse(hcl).unwrap();
        let resource = &tree.get("resource").unwrap().items()[0];
        assert_eq!((resource.line, resource.get("type").unwrap().text()), (4, Some("a")));
        assert_eq!(resource.get("level").unwrap().text(), Some("HIGH"));
        let ips = resource.get("ips").unwrap().items();
        assert_eq!((ips[0].text(), ips[0].line), (Some("10.0.0.1"), 6));
        assert!(matches!(&ips[1].value, TreeValue::Unknown(text) if text == "var.unset"));
        let inner = resource.get("inner").unwrap().items();
        assert_eq!((inner.len(), inner[1].line), (3, 8));
        assert_eq!(inner[1].get("x").unwrap().get("eventName").unwrap().text(), Some("Create"));
        assert!(matches!(inner[1].get("y").unwrap().value, TreeValue::Unknown(_)));
        assert_eq!(resource.unknown().len(), 3);
        assert_eq!(inner[2].unknown(), [(12, "the dynamic block \"inner\"")]);
    }

    #[test]
    fn a_file_of_variables_comes_before_defaults() {
        let file = HclFile::parse("variable \"a\" { default = 1 }\nvariable \"b\" { default = 2 }\nx = [var.a, var.b]")
            .unwrap();
        let mut scope = Scope::default();
        scope.declare(&file);
        scope.assign(&HclFile::parse("a = 3").unwrap());
        let (tree, used) = file.tree(&scope);
        let values: Vec<_> = tree.get("x").unwrap().items().iter().map(Tree::text).collect();
        assert_eq!((values, used), (vec![Some("3"), Some("2")], vec!["var.b".to_owned()]));
        scope.withhold("b", "prod.tfvars");
        assert_eq!(file.tree(&scope).0.get("x").unwrap().unknown(), [(3, "var.b, which prod.tfvars sets,")]);
    }

    #[test]
    fn mistakes_have_a_line_and_circles_an_end() {
        assert!(parse("a {\n  b = \n}").unwrap_err().contains("line 2"));
        let circle = parse("locals {\n a = local.b\n b = local.a\n}\nx = local.a").unwrap();
        assert!(matches!(circle.get("x").unwrap().value, TreeValue::Unknown(_)));
        // Each names the one before it twice.
        let mut doubling = "locals {\n a0 = [1]\n".to_owned();
        for n in 1..=30 {
            writeln!(doubling, " a{n} = [local.a{p}, local.a{p}]", p = n - 1).unwrap();
        }
        let tree = parse(&format!("{doubling}}}\nx = local.a30")).unwrap();
        assert!(!tree.get("x").unwrap().unknown().is_empty());
    }
}
