//! Makes rules of `rules.json`, and reports every mistake in it at once.
//!
//! One file a level: the file, a rule, a table, a condition. To add a key to a rule, see `rule`; an operator, `condition`.

mod condition;
mod file;
mod rule;
mod table;

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::RuleSet;
use super::diagnostic::{Diagnostic, Level, Problems, syntax_error};
use super::field::FieldError;
use super::reader::wrong_kind;
use crate::finding::hex;
use crate::json::{Node, Value};

/// Rules that can run, and what their author should look at.
#[derive(Debug)]
pub struct Compiled {
    /// The rules.
    pub rules: RuleSet,
    /// Warnings only.
    pub warnings: Vec<Diagnostic>,
}

impl RuleSet {
    /// Makes rules of the text of a `rules.json`.
    ///
    /// # Errors
    /// Every mistake in it (and the warnings), in the order of the file. Nothing half-loaded is ever returned.
    pub fn compile(source: &str) -> Result<Compiled, Vec<Diagnostic>> {
        let root = Node::parse(source).map_err(|error| vec![syntax_error(source, &error)])?;
        let digest: Arc<str> = hex(&Sha256::digest(source)[..6]).into();
        let mut compiler = Compiler { digest: Arc::clone(&digest), ..Compiler::default() };
        let (rules, channels) = compiler.file(&root);
        let failed = compiler.problems.errors() > 0;
        let diagnostics = compiler.problems.finish(source, &root);
        if failed || diagnostics.iter().any(|diagnostic| diagnostic.level == Level::Error) {
            return Err(diagnostics);
        }
        Ok(Compiled { rules: RuleSet { rules, channels, digest }, warnings: diagnostics })
    }
}

#[derive(Default)]
struct Compiler<'n> {
    problems: Problems,
    digest: Arc<str>,
    lists: HashMap<&'n str, &'n [Node]>,
    /// Equal patterns are compiled once.
    patterns: HashMap<String, regex::Regex>,
}

/// Where a cell stands: it decides what its key may be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Record,
    Element,
}

impl Compiler<'_> {
    /// Ids and names become keys, attributes and file names elsewhere.
    fn name(&mut self, name: &str, span: &Range<usize>, what: &str) {
        let fits = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if name.is_empty() || name.len() > 100 || !name.chars().all(fits) {
            self.problems.error(
                "bad-name",
                span,
                format!("{what} has 1 to 100 letters, digits, \"-\", \"_\" and \".\", and this has others"),
                "rename it",
            );
        }
    }

    /// The value, or a note of what is wrong with it.
    fn understood<T>(&mut self, result: Result<T, FieldError>, span: &Range<usize>) -> Option<T> {
        result.map_err(|FieldError { code, message, help }| self.problems.error(code, span, message, help)).ok()
    }

    fn boolean(&mut self, node: &Node, what: &str) -> Option<bool> {
        if let Value::Bool(value) = node.value {
            return Some(value);
        }
        wrong_kind(node, &format!("\"{what}\" is true or false"), &mut self.problems);
        None
    }
}
