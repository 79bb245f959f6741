//! A policy's statements, read from a record in whatever shape they stand there: an object, a text of JSON, percent-encoded.

use super::condition::Condition;
use super::glob::{Budget, Glob};
use super::principal::Principals;
use crate::cloudtrail::Record;
use crate::facts::placed::Placed;

/// One statement of a policy.
#[derive(Debug)]
pub(in crate::facts) struct Statement<'r> {
    /// Where it stands: `requestParameters.bucketPolicy.Statement[0]`.
    pub(in crate::facts) place: String,
    /// Whether it allows; otherwise it denies.
    pub(in crate::facts) allows: bool,
    pub(in crate::facts) actions: Selection,
    pub(in crate::facts) resources: Selection,
    pub(in crate::facts) principals: Principals,
    pub(in crate::facts) conditions: Vec<Condition<'r>>,
}

/// The actions or resources that a statement is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::facts) enum Selection {
    /// `Action`, `Resource`
    Only(Vec<Glob>),
    /// `NotAction`, `NotResource`; without any exception where a statement names neither.
    AllBut(Vec<Glob>),
}

/// A part of a [`Selection`] that is covered as a whole or not at all.
#[derive(Debug, Clone, Copy)]
pub(super) enum Part<'s> {
    One(&'s Glob),
    AllBut(&'s [Glob]),
}

impl Selection {
    /// Whether something is selected.
    pub(super) fn has(&self, text: &str) -> bool {
        match self {
            Self::Only(globs) => globs.iter().any(|glob| glob.matches(text)),
            Self::AllBut(globs) => !globs.iter().any(|glob| glob.matches(text)),
        }
    }

    /// Whether something that the pattern matches may be selected.
    pub(in crate::facts) fn may_have(&self, pattern: &Glob, budget: &Budget) -> bool {
        match self {
            Self::Only(globs) => globs.iter().any(|glob| glob.overlaps(pattern, budget)),
            Self::AllBut(globs) => !globs.iter().any(|glob| glob.covers(pattern, budget)),
        }
    }

    /// Its parts: all that it selects is in one of them.
    pub(super) fn parts(&self) -> Vec<Part<'_>> {
        match self {
            Self::Only(globs) => globs.iter().map(Part::One).collect(),
            Self::AllBut(globs) => vec![Part::AllBut(globs)],
        }
    }

    /// Whether it certainly selects all of a part.
    pub(super) fn covers(&self, part: Part<'_>, budget: &Budget) -> bool {
        match (self, part) {
            (Self::Only(globs), Part::One(one)) => globs.iter().any(|glob| glob.covers(one, budget)),
            (Self::Only(globs), Part::AllBut(_)) => globs.iter().any(Glob::is_universal),
            (Self::AllBut(globs), Part::One(one)) => !globs.iter().any(|glob| glob.overlaps(one, budget)),
            (Self::AllBut(globs), Part::AllBut(others)) => {
                globs.iter().all(|glob| others.iter().any(|other| other.covers(glob, budget)))
            }
        }
    }
}

/// The statements of every policy in the request, in the order of the record. A policy is known by its `Statement`, and a statement by
/// its `Effect`; names are read in any case.
pub(in crate::facts) fn statements<'r>(record: &'r Record<'_>) -> Vec<Statement<'r>> {
    let mut found = Vec::new();
    if let Some(request) = Placed::top(record, "requestParameters") {
        request.each_object(&mut |object| {
            if let Some(list) = object.get("Statement") {
                found.extend(list.elements().iter().filter_map(Statement::read));
            }
        });
    }
    found
}

impl<'r> Statement<'r> {
    fn read(placed: &Placed<'r>) -> Option<Self> {
        let effect = placed.get("Effect")?.text()?;
        let allows = match effect {
            _ if effect.eq_ignore_ascii_case("allow") => true,
            _ if effect.eq_ignore_ascii_case("deny") => false,
            _ => return None,
        };
        Some(Self {
            place: placed.place.clone(),
            allows,
            actions: selection(placed, "Action", "NotAction", Glob::of_actions),
            resources: selection(placed, "Resource", "NotResource", Glob::of_resources),
            principals: Principals::read(placed),
            conditions: Condition::read_all(placed),
        })
    }

    /// A statement that the call's own parameters make: it lets `principals` in to all that the call is about.
    pub(in crate::facts) fn by_parameters(place: &str, principals: Principals, conditions: Vec<Condition<'r>>) -> Self {
        let everything = || Selection::AllBut(Vec::new());
        Self {
            place: place.to_owned(),
            allows: true,
            actions: everything(),
            resources: everything(),
            principals,
            conditions,
        }
    }
}

fn selection(statement: &Placed<'_>, only: &str, all_but: &str, glob: fn(&str) -> Glob) -> Selection {
    let globs = |list: &Placed<'_>| list.elements().iter().filter_map(Placed::text).map(glob).collect();
    match (statement.get(only), statement.get(all_but)) {
        (Some(list), _) => Selection::Only(globs(&list)),
        (None, Some(list)) => Selection::AllBut(globs(&list)),
        (None, None) => Selection::AllBut(Vec::new()),
    }
}
