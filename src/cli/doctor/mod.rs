//! `offlimits doctor`: asks AWS whether a deployment hears, runs and reaches people, and says of each thing that is wrong what to
//! do. Nothing is changed.
//!
//! `command` is the command line, `question` what is asked, and `round` goes over the regions: `region` finds who watches each, and the files of `checks`
//! look, one thing each, and declare what they find as [`Check`](check::Check)s. They ask through `asker`. `delivery` says what the
//! local rules want of EventBridge and of trails. `report` keeps what was found and who did not answer, and `print` shows it.

#[cfg(feature = "aws")]
mod asker;
#[cfg(feature = "aws")]
mod check;
#[cfg(feature = "aws")]
mod checks;
mod command;
#[cfg(feature = "aws")]
mod delivery;
#[cfg(feature = "aws")]
mod print;
mod question;
#[cfg(feature = "aws")]
mod region;
#[cfg(feature = "aws")]
mod remedy;
#[cfg(feature = "aws")]
mod report;
#[cfg(feature = "aws")]
mod round;
#[cfg(feature = "aws")]
mod stack;
#[cfg(feature = "aws")]
mod zip;

pub(super) use self::command::DoctorCommand;
