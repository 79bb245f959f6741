//! Secrets that are known by their shape, wherever they stand: private keys, tokens that vendors mark by a prefix, JSON Web
//! Tokens, sessions of AWS, Slack's webhooks, passwords in URLs, what follows `Bearer`.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::words::WordSet;

/// What each of the shapes holds, in lower case.
const MARKS: [&str; 22] = [
    "private key-----",
    "xox",
    "xapp-",
    "gho_",
    "ghp_",
    "ghr_",
    "ghs_",
    "ghu_",
    "github_pat_",
    "glpat-",
    "npm_",
    "hvs.",
    "sk-ant-",
    "k_live_",
    "whsec_",
    "aiza",
    "eyj",
    "fwogzxivyxdz",
    "iqojb3jpz2lu",
    "://",
    "bearer ",
    "basic ",
];

static MARKED: WordSet = WordSet::new(&MARKS);

static SHAPES: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r"-----BEGIN[A-Z ]*PRIVATE KEY-----(?s:.)*?(?:-----END[A-Z ]*PRIVATE KEY-----|\z)",
        r"|\b(?:xox[a-z]|xapp)-[0-9A-Za-z-]*",
        r"|\b(?:gh[oprsu]_|github_pat_|glpat-|npm_|hvs\.|sk-ant-|[rs]k_live_|whsec_)[0-9A-Za-z_.+/=-]*",
        r"|\bAIza[0-9A-Za-z_-]{20,}",
        r"|\beyJ[0-9A-Za-z_-]{8,}[0-9A-Za-z_.-]*",
        r"|\b(?:FwoGZXIvYXdz|IQoJb3JpZ2lu)[0-9A-Za-z+/=_-]*",
        // A link ends where what it stands in goes on: at a quote, which JSON may have escaped, or a bracket of markup.
        r#"|(?P<hook>://hooks\.slack(?:-gov)?\.com/)[^\s\x1f"'\\<>,;|)]+"#,
        r#"|(?P<user>://[^\s\x1f/?#@:"]*:)[^\s\x1f/?#@"]+(?P<after>@)"#,
        r"|(?P<scheme>\b(?i:bearer|basic) )[0-9A-Za-z+/_.~=-]{12,}",
    ))
    .ok()
});

/// Where the secrets stand, in the order of the text.
pub(super) fn find(text: &str, found: &mut Vec<Range<usize>>) {
    // The expression takes longer to build than an invocation has to spare, and most texts need none.
    if !MARKED.are_in(text) {
        return;
    }
    let Some(shapes) = SHAPES.as_ref() else {
        // The expression builds, and a test builds it.
        found.push(0..text.len());
        return;
    };
    for shape in shapes.captures_iter(text) {
        let Some(whole) = shape.get(0) else { continue };
        let before = ["hook", "user", "scheme"].iter().find_map(|name| shape.name(name));
        let start = before.map_or(whole.start(), |kept| kept.end());
        found.push(start..shape.name("after").map_or(whole.end(), |kept| kept.start()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_expression_builds_and_its_marks_are_words() {
        assert!(SHAPES.is_some());
        for word in MARKS {
            assert!(word.len() > 1 && word.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase()), "{word}");
            assert!(MARKED.are_in(&word.to_uppercase()));
        }
    }
}
