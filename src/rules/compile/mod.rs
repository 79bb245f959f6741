//! Makes rules of `rules.json`, and reports every mistake in it at once.
//!
//! One file a level: the file, a rule, a table, a condition. To add a key to a rule, see `rule`; an operator, `condition`.

mod condition;
mod file;
mod include;
mod limits;
mod rule;
mod table;

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::countries::Countries;
use super::diagnostic::{Diagnostic, Level, Problems, syntax_error};
use super::field::FieldError;
use super::pattern::Pattern;
use super::reader::wrong_kind;
use super::sources::bundled;
use super::{Rule, RuleSet, Rules, Sources};
use crate::engine::Engine;
use crate::finding::hex;
use crate::json::{Node, Value};
use crate::route::ConfiguredChannel;

/// Rules that can run, and what their author should look at.
#[derive(Debug)]
pub struct Compiled {
    /// The rules.
    pub rules: RuleSet,
    /// Warnings only.
    pub warnings: Vec<Diagnostic>,
}

impl RuleSet {
    /// Makes rules of the text of a `rules.json` that stands alone, or of a bundle.
    ///
    /// # Errors
    /// Every mistake in it (and the warnings), in the order of the file. Nothing half-loaded is ever returned.
    pub fn compile(source: &str) -> Result<Compiled, Vec<Diagnostic>> {
        Self::compile_sources(&Sources::alone(source))
    }

    /// Makes rules of a `rules.json` and the packs that it includes.
    ///
    /// # Errors
    /// Every mistake in any of them, as [`RuleSet::compile`].
    pub fn compile_sources(sources: &Sources) -> Result<Compiled, Vec<Diagnostic>> {
        let root = Node::parse(sources.root()).map_err(|error| vec![syntax_error(None, sources.root(), &error)])?;
        let mut diagnostics = Vec::new();
        let packs: Vec<Pack<'_>> =
            sources.packs().map(|(name, text)| Pack::parse(name, text, &mut diagnostics)).collect();
        let (digest, countries) = (digest(&root, &packs), sources.countries().cloned());
        let mut compiler = Compiler { digest, countries, ..Compiler::default() };
        let (rules, channels) = compiler.file(&root, &packs);
        let Compiler { problems, digest, .. } = compiler;
        diagnostics.extend(problems.finish_in(|file| {
            let pack = file.and_then(|name| packs.iter().find(|pack| &*pack.name == name));
            pack.and_then(|pack| Some((pack.text, pack.node.as_ref().ok()?))).unwrap_or((sources.root(), &root))
        }));
        if diagnostics.iter().any(|diagnostic| diagnostic.level == Level::Error) {
            return Err(diagnostics);
        }
        let engine = Engine::of(&rules);
        let rules = Rules::Compiled(rules);
        Ok(Compiled { rules: RuleSet { rules, channels, digest, engine }, warnings: diagnostics })
    }
}

/// Makes what a part of a bundle holds, whose whole has compiled before: the names of rules that it leaves out are not missed.
///
/// # Errors
/// What cannot be: that it does not compile.
pub(super) fn part(
    text: &str,
    digest: &Arc<str>,
    countries: Option<&Countries>,
) -> Result<(Vec<Rule>, Vec<ConfiguredChannel>), String> {
    let root = Node::parse(text).map_err(|error| syntax_error(None, text, &error).to_string())?;
    let (digest, countries) = (Arc::clone(digest), countries.cloned());
    let mut compiler = Compiler { digest, countries, is_part: true, ..Compiler::default() };
    let made = compiler.file(&root, &[]);
    let diagnostics = compiler.problems.finish_in(|_| (text, &root));
    match diagnostics.iter().find(|diagnostic| diagnostic.level == Level::Error) {
        None => Ok(made),
        Some(error) => Err(format!("a part of the rules does not compile: {error}")),
    }
}

/// A pack's text, parsed.
struct Pack<'s> {
    name: Arc<str>,
    text: &'s str,
    /// What it holds, or why it could not be read; no reason where its syntax error is told already.
    node: Result<Node<'s>, Option<&'s str>>,
}

impl<'s> Pack<'s> {
    fn parse(name: &str, text: Result<&'s str, &'s str>, diagnostics: &mut Vec<Diagnostic>) -> Self {
        let name: Arc<str> = name.into();
        let node = match text {
            Err(reason) => Err(Some(reason)),
            Ok(text) => Node::parse(text).map_err(|error| {
                diagnostics.push(syntax_error(Some(Arc::clone(&name)), text, &error));
                None
            }),
        };
        Self { name, text: text.unwrap_or_default(), node }
    }
}

/// Equal for the files on a laptop and the bundle that the function has of them.
fn digest(root: &Node, packs: &[Pack<'_>]) -> Arc<str> {
    let packs: Vec<(&str, &Node)> =
        packs.iter().filter_map(|pack| Some((&*pack.name, pack.node.as_ref().ok()?))).collect();
    hex(&Sha256::digest(bundled(root, &packs))[..6]).into()
}

#[derive(Default)]
struct Compiler<'n> {
    problems: Problems,
    digest: Arc<str>,
    /// Whether other rules have been left out.
    is_part: bool,
    lists: HashMap<&'n str, &'n [Node<'n>]>,
    /// Which country an address belongs to, for the alias `country`.
    countries: Option<Countries>,
    /// What precedes the runbooks that are paths.
    runbooks: Option<&'n str>,
    /// The ids so far, and the pack that has each.
    ids: HashMap<String, Option<Arc<str>>>,
    /// Equal patterns are compiled once.
    patterns: HashMap<String, Pattern>,
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
