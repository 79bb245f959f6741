//! The format of a bundle: what a function must understand to read it.
//!
//! Rules come to say more as the product grows, and a function refuses what it does not know: half of a rule never runs. So a
//! bundle names the format that its writer knows (`"needs": 2`), a function says at its start that a bundle is too new for it, and
//! `package` pairs none with a function that does not read it. A bundle that names nothing is of the first format.
//!
//! The number grows with the first release in which a rule may say something new: a key, an operator, a field, a word, or a form
//! of a text. `tests/golden/formats.rs` holds the words to it.

use crate::config::{Diagnostic, Level};
use crate::json::{Node, line_and_column};

/// The newest format, in one place for the number and for the mark.
macro_rules! newest {
    () => {
        4
    };
}

/// The newest format of bundles: this version writes it, and reads it and all before it.
pub const FORMAT: u64 = newest!();

/// The key that names a bundle's format.
pub(super) const KEY: &str = "needs";

/// What stands in a function's program, so that its format can be told without running it, whatever processor it is for.
const MARK: &str = concat!("offlimits reads rules of format ", newest!(), "\n");

/// What is wrong with a file of a newer format; `None` if there is nothing.
pub(super) fn too_new(source: &str, root: &Node<'_>) -> Option<Diagnostic> {
    let (place, needs) = root.get(KEY).and_then(|node| Some((node, node.scalar()?.parse::<u64>().ok()?)))?;
    if needs <= FORMAT {
        return None;
    }
    // Looked at here, so that it is in every program.
    let mark = std::hint::black_box(MARK).trim_end();
    let (line, column) = line_and_column(source, place.span.start);
    Some(Diagnostic {
        level: Level::Error,
        code: "newer-rules",
        file: None,
        pointer: format!("/{KEY}"),
        line,
        column,
        span: place.span.clone(),
        message: format!("these rules are of format {needs}, and this version of {mark} and before"),
        help: "update it, or write the bundle with the tool of its own version: see docs/upgrading.md".to_owned(),
        fix: None,
        related: Vec::new(),
        hidden: None,
    })
}

/// The newest format that a function's program reads. One without a mark is older than marks are, and reads the first.
#[cfg(feature = "cli")]
pub fn read_by(program: &[u8]) -> u64 {
    let digits = MARK.trim_end().trim_end_matches(|c: char| c.is_ascii_digit());
    let number = |at: usize| {
        let rest = program.get(at + digits.len()..)?;
        let end = rest.iter().position(|byte| !byte.is_ascii_digit())?;
        std::str::from_utf8(&rest[..end]).ok()?.parse().ok()
    };
    memchr::memmem::find_iter(program, digits.as_bytes()).filter_map(number).max().unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_programs_mark_tells_what_it_reads() {
        assert_eq!(read_by(b"\x7fELF"), 1);
        assert_eq!(read_by(format!("\0x{MARK}\0").as_bytes()), FORMAT);
        assert_eq!(read_by(b"..offlimits reads rules of format 17\n..offlimits reads rules of format x"), 17);
        assert_eq!(read_by(b"offlimits reads rules of format 3"), 1, "cut off");
    }

    #[test]
    fn only_a_newer_format_is_refused() {
        let found = |source: &str| too_new(source, &Node::parse(source).unwrap()).map(|found| found.to_string());
        assert_eq!(found("{}"), None);
        assert_eq!(found(&format!(r#"{{"needs":{FORMAT}}}"#)), None);
        let newer = found(&format!(r#"{{"needs":{}}}"#, FORMAT + 1)).unwrap();
        let said = "error[newer-rules] at /needs: these rules are of format 5, and this version of offlimits reads rules of format 4";
        assert!(newer.contains(said), "{newer}");
    }
}
