//! What `--format jsonl` prints: one JSON object a line.
//!
//! Scripts read these lines. Each begins with the version of its format. Within a version keys may join, and none is renamed,
//! removed or given another type; the page of each command has a table of its keys, which `tests/docs/keys.rs` holds to what is
//! printed.

use std::io::{self, Write};

use clap::ValueEnum;
use serde::Serialize;

/// The version of every JSON that the command line prints.
pub(super) const VERSION: u32 = 1;

/// How a command prints what it finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum LineFormat {
    /// For people.
    Human,
    /// One JSON object a line.
    Jsonl,
}

/// A value behind the version of its format.
#[derive(Serialize)]
struct Versioned<'v, T> {
    version: u32,
    #[serde(flatten)]
    value: &'v T,
}

/// Writes an object as one line of JSON, with its `version` as the first key.
///
/// # Errors
/// Those of `out`.
pub(super) fn write_line(out: &mut impl Write, value: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *out, &Versioned { version: VERSION, value })?;
    writeln!(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_begins_with_its_version() {
        #[derive(Serialize)]
        #[serde(tag = "kind")]
        enum Tagged {
            One { a: u8 },
        }
        let mut line = Vec::new();
        write_line(&mut line, &Tagged::One { a: 2 }).unwrap();
        assert_eq!(line, b"{\"version\":1,\"kind\":\"One\",\"a\":2}\n");
    }
}
