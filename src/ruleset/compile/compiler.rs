//! A whole `rules.json`, from its texts to rules and channels.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::channel::ConfiguredChannel;
use crate::config::{Diagnostic, Level, syntax_errors};
use crate::ids::hex;
use crate::json::Node;
use crate::rules::Rule;
use crate::rules::compile::RuleCompiler;
use crate::rules::field::Surroundings;
use crate::ruleset::error::{PackError, PartError};
use crate::ruleset::format;
use crate::ruleset::sources::{Sources, bundled, includes, pack_name};

/// What a `rules.json` holds, in the order of the file.
pub(in crate::ruleset) struct CompiledFile {
    pub(in crate::ruleset) rules: Vec<Rule>,
    pub(in crate::ruleset) channels: Vec<ConfiguredChannel>,
    pub(in crate::ruleset) digest: Arc<str>,
    /// What is wrong with it.
    pub(in crate::ruleset) diagnostics: Vec<Diagnostic>,
}

/// Makes rules of a `rules.json` and the packs that it includes.
///
/// # Errors
/// Every mistake in any of them, and the warnings.
pub(in crate::ruleset) fn compile(sources: &Sources) -> Result<CompiledFile, Vec<Diagnostic>> {
    let file = read(sources)?;
    if file.diagnostics.iter().any(|diagnostic| diagnostic.level == Level::Error) {
        return Err(file.diagnostics);
    }
    Ok(file)
}

/// Makes rules of what can be read: those that are right, and whose surroundings are. Of what is wrong there are errors among the
/// diagnostics.
///
/// # Errors
/// What is wrong with a `rules.json` of which nothing can be read.
pub(in crate::ruleset) fn read(sources: &Sources) -> Result<CompiledFile, Vec<Diagnostic>> {
    let root = Node::parse(sources.root()).map_err(|error| syntax_errors(None, sources.root(), &error))?;
    // What a newer version knows would be told as so many mistakes.
    if let Some(newer) = format::too_new(sources.root(), &root) {
        return Err(vec![newer]);
    }
    let mut diagnostics = sources.mistakes_of_accounts().to_vec();
    let packs: Vec<ParsedPack<'_>> =
        sources.packs().map(|(name, text)| ParsedPack::parse(name, text, &mut diagnostics)).collect();
    let mut compiler = FileCompiler::new(digest(&root, &packs), sources.surroundings().clone());
    let (mut rules, channels) = compiler.file(&root, &packs);
    let RuleCompiler { problems, digest, .. } = compiler.rule_compiler;
    diagnostics.extend(problems.finish_in(|file| {
        let pack = file.and_then(|name| packs.iter().find(|pack| &*pack.name == name));
        pack.and_then(|pack| Some((pack.text, pack.node.as_ref().ok()?))).unwrap_or((sources.root(), &root))
    }));
    if diagnostics.iter().any(|diagnostic| diagnostic.level == Level::Error) {
        rules.retain(|rule| !is_unsure(rule, &root, &packs));
    }
    Ok(CompiledFile { rules, channels, digest, diagnostics })
}

/// Whether a rule stands in a text, or is changed by an `include`, of which it is not sure what counts: a key stands there twice.
fn is_unsure(rule: &Rule, root: &Node<'_>, packs: &[ParsedPack<'_>]) -> bool {
    let Some(name) = &rule.pack else { return repeats_keys(root) };
    let pack = packs.iter().find(|pack| pack.name == *name).and_then(|pack| pack.node.as_ref().ok());
    let include = includes(root).iter().find(|include| pack_name(include) == Some(name));
    let content = include.and_then(|include| include.get("content"));
    [Some(root), pack, include, content].into_iter().flatten().any(repeats_keys)
}

fn repeats_keys(node: &Node<'_>) -> bool {
    let members = node.members().unwrap_or_default();
    members.iter().enumerate().any(|(place, member)| members[..place].iter().any(|other| other.key == member.key))
}

/// Makes what a part of a bundle holds, whose whole has compiled before: the names of rules that it leaves out are not missed.
///
/// # Errors
/// Its first mistake. The whole had none, so that this takes a bundle that was changed.
pub(in crate::ruleset) fn part(
    text: &str,
    digest: &Arc<str>,
    surroundings: &Surroundings,
) -> Result<(Vec<Rule>, Vec<ConfiguredChannel>), PartError> {
    let root = Node::parse(text).map_err(|error| syntax_errors(None, text, &error));
    let root = match root {
        Ok(root) => root,
        Err(errors) => {
            return errors.into_iter().next().map_or_else(|| Ok(Default::default()), |error| Err(error.into()));
        }
    };
    let mut compiler = FileCompiler::new(Arc::clone(digest), surroundings.clone());
    compiler.is_part = true;
    let made = compiler.file(&root, &[]);
    let diagnostics = compiler.rule_compiler.problems.finish_in(|_| (text, &root));
    match diagnostics.into_iter().find(|diagnostic| diagnostic.level == Level::Error) {
        None => Ok(made),
        Some(error) => Err(error.into()),
    }
}

/// A pack's text, parsed.
pub(super) struct ParsedPack<'s> {
    pub(super) name: Arc<str>,
    pub(super) text: &'s str,
    /// What it holds, or why it could not be read; no reason where its syntax error is told already.
    pub(super) node: Result<Node<'s>, Option<&'s PackError>>,
}

impl<'s> ParsedPack<'s> {
    fn parse(name: &str, text: Result<&'s str, &'s PackError>, diagnostics: &mut Vec<Diagnostic>) -> Self {
        let name: Arc<str> = name.into();
        let node = match text {
            Err(reason) => Err(Some(reason)),
            Ok(text) => Node::parse(text).map_err(|error| {
                diagnostics.extend(syntax_errors(Some(&name), text, &error));
                None
            }),
        };
        Self { name, text: text.unwrap_or_default(), node }
    }
}

/// Equal for the files on a laptop and the bundle that the function has of them.
fn digest(root: &Node, packs: &[ParsedPack<'_>]) -> Arc<str> {
    let packs: Vec<(&str, &Node)> =
        packs.iter().filter_map(|pack| Some((&*pack.name, pack.node.as_ref().ok()?))).collect();
    hex(&Sha256::digest(bundled(root, &packs))[..6]).into()
}

/// The digest of the rules of a bundle, by which alerts and `check` call them; `None` where the text is no JSON.
#[cfg(all(feature = "aws", feature = "cli"))]
pub(crate) fn digest_of_bundle(bundle: &str) -> Option<Arc<str>> {
    Some(digest(&Node::parse(bundle).ok()?, &[]))
}

/// Makes the rules of all files, one after the other, with one compiler of single rules.
pub(super) struct FileCompiler<'n> {
    pub(super) rule_compiler: RuleCompiler<'n>,
    /// Whether other rules have been left out.
    pub(super) is_part: bool,
    /// The ids so far, and where each stands.
    pub(super) ids: HashMap<String, (Option<Arc<str>>, Range<usize>)>,
}

impl FileCompiler<'_> {
    fn new(digest: Arc<str>, surroundings: Surroundings) -> Self {
        Self { rule_compiler: RuleCompiler::new(digest, surroundings), is_part: false, ids: HashMap::new() }
    }
}
