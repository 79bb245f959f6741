//! The rules that an engine evaluates: all compiled, or each when it first comes into question.
//!
//! A cold start that matches nothing needs no rule, and one that matches needs a few: see [`crate::ruleset`].

use std::fmt;
use std::sync::OnceLock;

use super::error::LoadError;
use crate::rules::Rule;

/// Compiles the rules of a package on demand. A rule is asked for once, unless threads ask for it at the same time.
pub(crate) trait RuleLoader: fmt::Debug + Send + Sync {
    /// The rule of this number, from 0 in the order of the file.
    ///
    /// # Errors
    /// The package does not have it, or it does not compile.
    fn load(&self, number: usize) -> Result<Rule, LoadError>;

    /// All the rules, in the order of the file.
    ///
    /// # Errors
    /// One of them does not compile.
    fn load_all(&self) -> Result<Vec<Rule>, LoadError>;
}

/// The rules of an engine. Each has a number: its place in the order of the file, from 0.
#[derive(Debug)]
pub(crate) enum Rules {
    /// Compiled from `rules.json`.
    Compiled(Vec<Rule>),
    /// In a package: each is compiled when it first comes into question.
    Lazy(LazyRules),
}

/// Rules that a [`RuleLoader`] compiles. They are kept once they have been.
#[derive(Debug)]
pub(crate) struct LazyRules {
    loader: Box<dyn RuleLoader>,
    /// Those that have come into question.
    each: PerRule<Box<Rule>>,
    /// All of them, once a record has asked for all.
    all: OnceLock<Vec<Rule>>,
}

/// A place for something of each rule, which is made when it is first asked for. A start that asks for none allocates none.
#[derive(Debug)]
pub(super) struct PerRule<T> {
    count: usize,
    places: OnceLock<Box<[OnceLock<T>]>>,
}

impl<T> PerRule<T> {
    /// For so many rules.
    pub(super) fn new(count: usize) -> Self {
        Self { count, places: OnceLock::new() }
    }

    /// The place of a rule, by its number.
    #[inline]
    pub(super) fn place(&self, number: u32) -> &OnceLock<T> {
        &self.places.get_or_init(|| std::iter::repeat_with(OnceLock::new).take(self.count).collect())[number as usize]
    }

    /// What has been made so far, in the order of the rules.
    fn filled(&self) -> impl Iterator<Item = &T> {
        self.places.get().into_iter().flatten().filter_map(OnceLock::get)
    }
}

impl<T> From<Vec<Option<T>>> for PerRule<T> {
    fn from(made: Vec<Option<T>>) -> Self {
        let count = made.len();
        let places: Box<[_]> = made.into_iter().map(|thing| thing.map_or_else(OnceLock::new, OnceLock::from)).collect();
        Self { count, places: OnceLock::from(places) }
    }
}

impl Rules {
    /// A rule by its number.
    #[inline]
    pub(super) fn get(&self, number: u32) -> Result<&Rule, LoadError> {
        match self {
            Self::Compiled(rules) => Ok(&rules[number as usize]),
            Self::Lazy(rules) => rules.get(number),
        }
    }

    /// All of them, in the order of the file.
    pub(super) fn all(&self) -> Result<&[Rule], LoadError> {
        match self {
            Self::Compiled(rules) => Ok(rules),
            Self::Lazy(rules) => rules.all(),
        }
    }

    /// Those that are wanted, in the order of the file. Every one is asked, and of a package those that are not wanted do not stay in
    /// memory: tens of thousands would not fit.
    pub(super) fn those(&self, is_wanted: impl Fn(&Rule) -> bool) -> Result<Vec<&Rule>, LoadError> {
        match self {
            Self::Compiled(rules) => Ok(rules.iter().filter(|rule| is_wanted(rule)).collect()),
            Self::Lazy(rules) => rules.those(&is_wanted),
        }
    }

    /// Those that have been compiled so far. A rule may occur twice.
    pub(super) fn compiled(&self) -> impl Iterator<Item = &Rule> {
        let (compiled, lazy) = match self {
            Self::Compiled(rules) => (Some(rules), None),
            Self::Lazy(rules) => (None, Some(rules)),
        };
        compiled.into_iter().flatten().chain(lazy.into_iter().flat_map(LazyRules::compiled))
    }
}

impl LazyRules {
    /// So many rules, none of which has been compiled yet.
    pub(crate) fn new(loader: Box<dyn RuleLoader>, count: usize) -> Self {
        Self { loader, each: PerRule::new(count), all: OnceLock::new() }
    }

    fn get(&self, number: u32) -> Result<&Rule, LoadError> {
        let rule = self.each.place(number);
        if let Some(rule) = rule.get() {
            return Ok(rule);
        }
        let compiled = self.loader.load(number as usize)?;
        Ok(rule.get_or_init(|| Box::new(compiled)))
    }

    fn those(&self, is_wanted: &impl Fn(&Rule) -> bool) -> Result<Vec<&Rule>, LoadError> {
        let wanted = |number: usize| -> Result<Option<&Rule>, LoadError> {
            let place = self.each.place(u32::try_from(number).unwrap_or(u32::MAX));
            if let Some(rule) = place.get() {
                return Ok(is_wanted(rule).then_some(&**rule));
            }
            let rule = self.loader.load(number)?;
            Ok(if is_wanted(&rule) { Some(&**place.get_or_init(|| Box::new(rule))) } else { None })
        };
        (0..self.each.count).filter_map(|number| wanted(number).transpose()).collect()
    }

    fn all(&self) -> Result<&[Rule], LoadError> {
        if let Some(all) = self.all.get() {
            return Ok(all);
        }
        let rules = self.loader.load_all()?;
        Ok(self.all.get_or_init(|| rules))
    }

    fn compiled(&self) -> impl Iterator<Item = &Rule> {
        let each = self.each.filled().map(|rule| &**rule);
        each.chain(self.all.get().into_iter().flatten())
    }
}
