//! What an entry of the table is.

use super::reading::Reading;
use super::told::Told;

/// What is told of some calls of one service.
#[derive(Debug)]
pub(super) struct Entry {
    /// `eventSource` without `.amazonaws.com`.
    pub(super) service: &'static str,
    /// `eventName`, without the version that some services append.
    pub(super) events: &'static [&'static str],
    pub(super) parts: &'static [Part],
}

/// One thing that is told of a call: what was changed, and where the record says it. A path is written with dots, lists on the
/// way are walked, and of several paths with `|` between them the first that leads anywhere counts.
#[derive(Debug)]
pub(super) enum Part {
    /// The values of a derived field, by its name.
    Fact(&'static str, &'static str),
    /// What the request has at a path.
    Request(&'static str, &'static str),
    /// The same with its unit behind it.
    Counted(&'static str, &'static str, &'static str),
    /// The same of something that is on or off.
    Switch(&'static str, &'static str),
    /// What the answer has at a path.
    Response(&'static str, &'static str),
    /// What `serviceEventDetails` has at a path.
    Details(&'static str, &'static str),
    /// What `additionalEventData` has at a path.
    More(&'static str, &'static str),
    /// What the request has at one path before, and at another after.
    Turn(&'static str, &'static str, &'static str),
    /// The same words of every such call.
    Words(&'static str, &'static str),
    /// The same words where the request has a value at a path: the path, the value, what was changed, the words.
    If(&'static str, &'static str, &'static str, &'static str),
    /// The same words where the request has the first key of a path, and nothing at its end: the path, what was changed, the words.
    Without(&'static str, &'static str, &'static str),
    /// The statements of the policies in the request. Behind what was changed stands what the request has at the path.
    Policies(&'static str, &'static str),
    /// What takes more than a path; for the documentation what it tells.
    Special(&'static str, fn(&Reading<'_, '_>, &mut Told)),
}

impl Part {
    /// What it tells of.
    pub(super) fn what(&self) -> &'static str {
        match self {
            Self::Fact(what, _)
            | Self::Request(what, _)
            | Self::Counted(what, _, _)
            | Self::Switch(what, _)
            | Self::Response(what, _)
            | Self::Details(what, _)
            | Self::More(what, _)
            | Self::Turn(what, _, _)
            | Self::Words(what, _)
            | Self::If(_, _, what, _)
            | Self::Without(_, what, _)
            | Self::Policies(what, _)
            | Self::Special(what, _) => what,
        }
    }
}
