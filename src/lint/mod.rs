//! What compiles and is probably not meant: rules that can never fire, alerts that arrive twice, exceptions that let
//! everybody through. For the command line alone: the function runs whatever compiles.
//!
//! A file declares one lint or a few that belong together: each a [`Lint`] with its code, its documentation and its examples,
//! and `lint`, which looks for them all. A lint reads the compiled rules beside their text ([`view`]) and what AWS can do
//! ([`catalogue`]), and reports what it finds ([`report`]); a rule may allow it with a reason.
//!
//! [`before_packaging`] refuses what can never match.
//!
//! [`each_lint`](crate::rules::each_lint) in `src/rules/lints.rs` lists the files: a line there declares and runs a file here,
//! and tells the compiler the codes. `mod` lines that a macro writes are out of `cargo fmt`'s sight: `make fmt` sees them.

mod accepted;
mod calls;
mod catalogue;
mod declaration;
mod forms;
mod known;
mod logic;
mod naming;
mod needs;
mod packaging;
mod paths;
mod report;
mod row_index;
mod run;
mod spelling;
mod view;

pub use self::declaration::Lint;
pub(crate) use self::delivery::needed_events;
pub(crate) use self::known::{KnownCall, are_alike, known_calls};
pub(crate) use self::logic::accepts;
pub use self::needs::{RuleNeeds, needs};
pub use self::packaging::before_packaging;
use self::report::LintReport;
use self::run::LintContext;
pub use self::run::{run, run_beside};
use crate::rules::each_lint;

/// Looks for the lints of one file.
type LintFn = fn(&LintContext<'_>, &mut LintReport);

macro_rules! declare {
    ($($file:ident: $($code:literal),+;)+) => {
        $(mod $file;)+

        /// What the files declare.
        const DECLARED: &[&[&Lint]] = &[$($file::LINTS),+];

        /// What the files do.
        const RUNS: &[LintFn] = &[$($file::lint),+];
    };
}
each_lint!(declare);

/// Every lint, in the order of the files in `each_lint`.
pub fn all() -> impl Iterator<Item = &'static Lint> {
    DECLARED.iter().copied().flatten().copied()
}
