//! Finds where the elements of a JSON array end, without reading what is in them.

use memchr::memchr2;

/// Finds where the elements of an array end.
#[derive(Debug, Default)]
pub(super) struct ElementScanner {
    /// The next byte to look at.
    at: usize,
    depth: usize,
    in_string: bool,
}

impl ElementScanner {
    /// For a text that begins with the array's `[`.
    pub(super) fn after_bracket() -> Self {
        Self { at: 1, ..Self::default() }
    }

    /// The place of the next comma between elements, or of the array's `]`; `None` if there is none yet.
    pub(super) fn next_end(&mut self, bytes: &[u8]) -> Option<usize> {
        while self.at < bytes.len() {
            if self.in_string {
                match memchr2(b'"', b'\\', &bytes[self.at..]) {
                    None => {
                        self.at = bytes.len();
                        return None;
                    }
                    Some(found) if bytes[self.at + found] == b'"' => {
                        self.at += found + 1;
                        self.in_string = false;
                    }
                    // What is escaped may not have been read yet: look at the backslash again then.
                    Some(found) if self.at + found + 1 >= bytes.len() => {
                        self.at += found;
                        return None;
                    }
                    Some(found) => self.at += found + 2,
                }
                continue;
            }
            let place = self.at;
            self.at += 1;
            match bytes[place] {
                b'"' => self.in_string = true,
                b'{' | b'[' => self.depth += 1,
                b',' | b']' if self.depth == 0 => return Some(place),
                b'}' | b']' => self.depth = self.depth.saturating_sub(1),
                _ => {}
            }
        }
        None
    }
}
