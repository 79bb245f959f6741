//! Diagnostics for people: the line that each speaks of, or the part of it around the mark.
//!
//! `report` draws them, `window` cuts what is shown out of a line.

mod report;
mod window;

pub(super) use self::report::{path_in, path_of, report};
