//! Where a value that stands in a text ends.

use std::ops::Range;

/// Stands between the elements of an array that are read as the words of one command.
pub(super) const BETWEEN: u8 = 0x1f;

/// Backslashes before a quote that are taken for its own.
const MOST_SLASHES: usize = 7;

/// Whether words end here. (The bytes of other characters than ASCII's are parts of words.)
pub(super) fn is_blank(byte: u8) -> bool {
    byte.is_ascii_whitespace() || byte == BETWEEN
}

/// The quotes that open at `at`, with the backslashes before them where the text is a part of a quoted text.
fn opening(bytes: &[u8], at: usize) -> Option<(usize, u8)> {
    // Each level of quoting doubles them. With more levels a text could hold many openings that nothing closes, and each
    // would be looked for to the end.
    let slashes = bytes.get(at..)?.iter().take(MOST_SLASHES).take_while(|byte| **byte == b'\\').count();
    let quote = *bytes.get(at + slashes)?;
    matches!(quote, b'"' | b'\'' | b'`').then_some((slashes, quote))
}

/// The value that begins at `at`, without its quotes. In quotes it ends with them, or with the line where nobody closes
/// them; else at a blank, or at what separates one value from the next in a URL, a connection string, a list or JSON.
pub(super) fn value_at(text: &str, at: usize) -> Range<usize> {
    let bytes = text.as_bytes();
    if at > 0 && bytes.get(at - 1) == Some(&BETWEEN) {
        // A word of a command that stands alone is a value as a whole.
        let length = bytes[at..].iter().take_while(|byte| **byte != BETWEEN).count();
        return at..at + length;
    }
    if let Some((slashes, quote)) = opening(bytes, at) {
        let start = at + slashes + 1;
        let mut before = 0;
        for (index, byte) in bytes.iter().enumerate().skip(start) {
            match *byte {
                b'\\' => before += 1,
                b'\n' | BETWEEN => return start..index,
                byte if byte == quote && (before <= slashes || (quote == b'\'' && slashes == 0)) => {
                    return start..(index - before.min(slashes)).max(start);
                }
                _ => before = 0,
            }
        }
        return start..bytes.len();
    }
    let mut end = at;
    while let Some(byte) = bytes.get(end) {
        let stops = match byte {
            b'"' | b'\'' | b'`' | b'&' | b',' | b';' | b'|' => true,
            b'\\' => matches!(bytes.get(end + 1), None | Some(b'n' | b'r' | b't' | b'"' | b'\'' | b'\\')),
            byte => is_blank(*byte),
        };
        if stops {
            break;
        }
        end += 1;
    }
    // A bracket that the value does not open belongs to what it stands in.
    while let Some(closing) = bytes[at..end].last() {
        let open = match closing {
            b')' => b'(',
            b']' => b'[',
            b'}' => b'{',
            _ => break,
        };
        if bytes[at..end].contains(&open) {
            break;
        }
        end -= 1;
    }
    at..end
}

/// The first place from `at` on that is no blank on the same line, nor of the next word of a command.
pub(super) fn after_blanks(bytes: &[u8], at: usize) -> usize {
    at + bytes.iter().skip(at).take_while(|byte| matches!(**byte, b' ' | b'\t')).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_ends_where_its_surroundings_go_on() {
        for (text, value) in [
            ("hunter2", "hunter2"),
            ("hunter2 -h db", "hunter2"),
            ("hunter2&x=1", "hunter2"),
            ("hunter2;Server=db", "hunter2"),
            ("hunter2,b", "hunter2"),
            (r#"hunter2"}"#, "hunter2"),
            (r#"hunter2\",\"b\""#, "hunter2"),
            (r"hunter2\nexport", "hunter2"),
            (r"DOM\hunter2", r"DOM\hunter2"),
            ("hunter2)", "hunter2"),
            ("hunter(2)", "hunter(2)"),
            ("'a b c' d", "a b c"),
            (r#""a b\" c" d"#, r#"a b\" c"#),
            (r#"\"a b\" c"#, "a b"),
            (r#"\"a \\\" b\" c"#, r#"a \\\" b"#),
            ("\"a b c\nd", "a b c"),
            ("\"a b c", "a b c"),
            (r"'a\' b", r"a\"),
            ("''", ""),
            ("", ""),
            ("é1 b", "é1"),
        ] {
            assert_eq!(&text[value_at(text, 0)], value, "{text}");
        }
        assert_eq!(value_at("x\u{1f}a b\u{1f}c", 2), 2..5);
    }
}
