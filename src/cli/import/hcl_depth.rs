//! How deeply calculations stand in one another's brackets in a file of HCL, asked before it is parsed.
//!
//! `hcl-edit` 0.10 may take exponential time to find a mistake that lies at the bottom of such a nest. A limit of our own leaves it
//! a few hundred readings of a file at most.

use super::tree::Lines;

/// Brackets that may stand behind a chain of operators, each inside the one before it.
const MAX_CHAINS: usize = 8;

/// Where the scan stands.
#[derive(Debug)]
enum Level<'t> {
    /// Code: the file itself, or the inside of a bracket or of an interpolation.
    Code {
        /// Characters of operators since the expression began. Two of them count as a chain, though they may be one operator.
        operators: usize,
        /// A new line ends an expression here, as in a block and in an object.
        lines: bool,
        /// The bracket that opened this level stands behind a chain.
        chained: bool,
    },
    /// A quoted string.
    Quoted,
    /// A heredoc, and the word that ends it.
    Heredoc(&'t str),
}

impl Level<'_> {
    const fn code(lines: bool, chained: bool) -> Self {
        Self::Code { operators: 0, lines, chained }
    }
}

/// Asks whether a file nests so few chains of operators that even a mistake in it is found soon.
///
/// # Errors
/// The line of the bracket that is one too many, and what to do.
pub(super) fn check_depth(text: &str) -> Result<(), String> {
    let mut scan = Scan { text, at: 0, levels: vec![Level::code(true, false)], chains: 0 };
    while scan.at < text.len() {
        scan.step();
        if scan.chains > MAX_CHAINS {
            let line = Lines::new(text).line(scan.at);
            return Err(format!(
                "line {line}: calculations stand in the brackets of more than {MAX_CHAINS} others, or brackets were not closed: \
                 close them, or give the inner ones names in `locals`"
            ));
        }
    }
    Ok(())
}

struct Scan<'t> {
    text: &'t str,
    /// The byte that is read next.
    at: usize,
    /// From the file itself to the innermost bracket, string or heredoc.
    levels: Vec<Level<'t>>,
    /// Levels that are `chained`.
    chains: usize,
}

impl<'t> Scan<'t> {
    fn rest(&self) -> &'t [u8] {
        &self.text.as_bytes()[self.at..]
    }

    /// Where the line ends that is being read.
    fn line_end(&self) -> usize {
        memchr::memchr(b'\n', self.rest()).map_or(self.text.len(), |end| self.at + end)
    }

    /// Reads the next character, comment, or mark of an interpolation or heredoc.
    fn step(&mut self) {
        match self.levels.last() {
            Some(Level::Quoted) => self.quoted(),
            Some(Level::Heredoc(word)) => self.heredoc(word),
            Some(Level::Code { .. }) | None => self.code(),
        }
    }

    fn code(&mut self) {
        let rest = self.rest();
        let Some(Level::Code { operators, lines, .. }) = self.levels.last_mut() else {
            // More was closed than opened, which the parser tells.
            self.levels.push(Level::code(true, false));
            return;
        };
        match rest {
            [b'#', ..] | [b'/', b'/', ..] => {
                self.at = self.line_end();
                return;
            }
            [b'/', b'*', ..] => {
                let end = memchr::memmem::find(&rest[2..], b"*/");
                self.at += end.map_or(rest.len(), |end| end + 4);
                return;
            }
            [b'<', b'<', ..] => {
                if let Some((word, length)) = heredoc_word(&self.text[self.at..]) {
                    self.levels.push(Level::Heredoc(word));
                    self.at += length;
                    return;
                }
                *operators += 1;
            }
            [b'"', ..] => self.levels.push(Level::Quoted),
            [b'\n', ..] if *lines => *operators = 0,
            [b',', ..] => *operators = 0,
            [b'(' | b'[' | b'{', ..] => self.open(rest[0] == b'{'),
            [b')' | b']' | b'}', ..] => self.close(),
            [b'=' | b'!' | b'<' | b'>' | b'+' | b'-' | b'*' | b'/' | b'%' | b'&' | b'|', ..] => *operators += 1,
            _ => {}
        }
        self.at += 1;
    }

    /// Opens a bracket or an interpolation.
    fn open(&mut self, lines: bool) {
        let chained = self.levels.iter().rev().find_map(|level| match level {
            Level::Code { operators, .. } => Some(*operators >= 2),
            Level::Quoted | Level::Heredoc(_) => None,
        });
        let chained = chained.unwrap_or(false);
        self.chains += usize::from(chained);
        self.levels.push(Level::code(lines, chained));
    }

    fn close(&mut self) {
        if let Some(Level::Code { chained: true, .. }) = self.levels.pop() {
            self.chains -= 1;
        }
    }

    fn quoted(&mut self) {
        match self.rest() {
            [b'\\', ..] => {
                self.at += 1;
                self.pass_character();
            }
            // A quoted string ends with its line, though its quotation mark is forgotten.
            [b'"' | b'\n', ..] => {
                self.levels.pop();
                self.at += 1;
            }
            _ => self.template(),
        }
    }

    fn heredoc(&mut self, word: &str) {
        let line_end = self.line_end();
        let begins = self.at == 0 || self.text.as_bytes()[self.at - 1] == b'\n';
        if begins && self.text[self.at..line_end].trim() == word {
            self.levels.pop();
            self.at = line_end;
        } else {
            self.template();
        }
    }

    /// A character of a template, or the beginning of an interpolation or directive.
    fn template(&mut self) {
        match self.rest() {
            [b'$', b'$', b'{', ..] | [b'%', b'%', b'{', ..] => self.at += 3,
            [b'$' | b'%', b'{', ..] => {
                self.open(false);
                self.at += 2;
            }
            _ => self.pass_character(),
        }
    }

    fn pass_character(&mut self) {
        self.at += self.text[self.at..].chars().next().map_or(0, char::len_utf8);
    }
}

/// The word of a heredoc that begins here, and the length of its first line.
fn heredoc_word(text: &str) -> Option<(&str, usize)> {
    let first = text.split_inclusive('\n').next()?;
    let word = first.strip_prefix("<<")?;
    let word = word.strip_prefix('-').unwrap_or(word).trim_end();
    let named = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    (first.ends_with('\n') && !word.is_empty() && word.chars().all(named)).then_some((word, first.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `depth` chains, each in the brackets of the one before it, all of them closed.
    fn nested(open: &str, close: &str, depth: usize) -> String {
        format!("resource \"a\" \"b\" {{\n  x = {}1{}\n}}\n", open.repeat(depth), close.repeat(depth))
    }

    #[test]
    fn chains_in_chains_have_a_limit() {
        for (open, close) in [("a + b * (", ")"), ("a < b % c[", "]"), ("1 + 1 + f(", ")"), ("a != \"${", "}\"")] {
            assert_eq!(check_depth(&nested(open, close, MAX_CHAINS)), Ok(()), "{open}");
            let error = check_depth(&nested(open, close, MAX_CHAINS + 1)).unwrap_err();
            assert!(error.starts_with("line 2: calculations stand"), "{error}");
        }
    }

    #[test]
    fn depth_alone_is_left_to_the_parser() {
        for (open, close) in [("[", "]"), ("f(", ")"), ("{ a = ", " }"), ("x ? y : (", ")"), ("\"${", "}\"")] {
            assert_eq!(check_depth(&nested(open, close, 60)), Ok(()), "{open}");
        }
        // Side by side they are not in one another.
        assert_eq!(check_depth(&"x = [a + b * (1), a - b - (2)]\n".repeat(100)), Ok(()));
    }

    #[test]
    fn what_is_not_code_is_not_counted() {
        let brackets = "a + b * (".repeat(20);
        for text in [
            format!("# {brackets}\n// {brackets}\n/* {brackets}\n{brackets} */ x = 1\n"),
            format!("x = \"{brackets} \\\" $${{ {brackets}\"\n"),
            format!("x = <<-EOT\n  {brackets}\n  \"\n  EOT\ny = \"\"\n"),
        ] {
            assert_eq!(check_depth(&text), Ok(()), "{text}");
        }
        assert_eq!(
            check_depth("x = \"\\é\"\ny = \"\\"),
            Ok(()),
            "characters of several bytes, and a file that ends in a string"
        );
        let after = format!("x = <<EOT\n\" EOT\nEOT\ny = {}", nested("a + b * (", ")", 9));
        assert!(check_depth(&after).unwrap_err().starts_with("line 5:"), "the heredoc ends");
        assert!(check_depth(&format!("x = \"${{{}}}\"", "a + b * (".repeat(9))).is_err(), "an interpolation is code");
    }
}
