//! Text that people read. What CloudTrail quotes (user agents, session names, parameters) was chosen by the caller, who may
//! be the attacker: it is cleaned before it is shown and clipped where a limit asks for it.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Stands for what was cut off.
pub const ELLIPSIS: char = '…';

/// `text` with every control, format-control and bidirectional character replaced by a space, and runs of white space
/// folded: one line that shows what it says.
pub fn clean(text: &str) -> Cow<'_, str> {
    // Most texts are names.
    if text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Cow::Borrowed(text);
    }
    let is_printable = text.bytes().all(|byte| matches!(byte, b' '..=b'~')) || !text.chars().any(is_unprintable);
    let is_clean = is_printable && !text.contains("  ") && text.trim().len() == text.len();
    if is_clean {
        return Cow::Borrowed(text);
    }
    let printable: String = text.chars().map(|c| if is_unprintable(c) { ' ' } else { c }).collect();
    Cow::Owned(printable.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// `text` with every link broken, in the way of the trade (`http[:]//evil[.]example`): mail programs, telephones and chats make
/// links of what looks like one, and this one was chosen by the caller. Names of hosts that stand alone stay as they are:
/// CloudTrail is full of those of AWS.
pub fn defang(text: &str) -> Cow<'_, str> {
    if !text.contains("://") && find_www(text).is_none() {
        return Cow::Borrowed(text);
    }
    let mut parts = text.split("://");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(|c: char| matches!(c, '/' | '?' | '#') || c.is_whitespace()).unwrap_or(part.len());
        out.push_str("[:]//");
        out.push_str(&part[..end].replace('.', "[.]"));
        out.push_str(&part[end..]);
    }
    // In one walk: a text may be nothing but these.
    let mut broken = String::with_capacity(out.len());
    let mut rest = out.as_str();
    while let Some(at) = find_www(rest) {
        broken.push_str(&rest[..at + 3]);
        broken.push_str("[.]");
        rest = &rest[at + 4..];
    }
    broken.push_str(rest);
    Cow::Owned(broken)
}

/// Where `www.` begins, in letters of either case.
fn find_www(text: &str) -> Option<usize> {
    text.as_bytes().windows(4).position(|four| four.eq_ignore_ascii_case(b"www."))
}

/// `text` as one part of a URL, or of a form: all but RFC 3986's unreserved characters escaped.
pub fn percent_encoded(text: &str) -> String {
    const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
    utf8_percent_encode(text, ESCAPED).to_string()
}

/// `text` with its lines and spaces as they are, and every other character that [`clean`] replaces as a space: what a terminal may
/// be sent.
pub fn printable(text: &str) -> String {
    text.chars().map(|c| if c != '\n' && is_unprintable(c) { ' ' } else { c }).collect()
}

/// At most `limit` characters of `text`, the last one a visible mark if something was cut off.
pub fn clip(text: &str, limit: usize) -> Cow<'_, str> {
    if text.len() <= limit {
        return Cow::Borrowed(text);
    }
    match text.char_indices().nth(limit) {
        None => Cow::Borrowed(text),
        Some(_) if limit == 0 => Cow::Borrowed(""),
        Some(_) => Cow::Owned(text.chars().take(limit - 1).chain([ELLIPSIS]).collect()),
    }
}

/// One line that shows what the text says, of so many characters at most: [`clean`], then [`clip`].
pub fn one_line(text: &str, limit: usize) -> Cow<'_, str> {
    match clean(text) {
        Cow::Borrowed(text) => clip(text, limit),
        Cow::Owned(text) => Cow::Owned(clip(&text, limit).into_owned()),
    }
}

/// `a, b, c +n`: at most three items, and how many more there are.
pub fn some_of(items: &[impl AsRef<str>]) -> String {
    const SHOWN: usize = 3;
    let shown: Vec<&str> = items.iter().take(SHOWN).map(AsRef::as_ref).collect();
    match items.len().saturating_sub(SHOWN) {
        0 => shown.join(", "),
        more => format!("{} +{more}", shown.join(", ")),
    }
}

/// Names in a sentence, three at most: `a`, `a and b`, `a, b and c`, `a, b, c and 3 more`.
pub fn enumerated(names: &[impl AsRef<str>]) -> String {
    const SHOWN: usize = 3;
    let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
    match names.as_slice() {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., last] if names.len() <= SHOWN => format!("{} and {last}", first.join(", ")),
        _ => format!("{} and {} more", names[..SHOWN].join(", "), names.len() - SHOWN),
    }
}

/// Control characters, and the format characters of Unicode that reorder or hide text (category Cf, as of Unicode 16, and
/// the line and paragraph separators).
fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{180e}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cleaning_leaves_one_honest_line() {
        assert_eq!(clean("plain text"), "plain text");
        assert_eq!(clean(" a\r\nb\0c\u{202e}d\u{200b}  e "), "a b c d e");
        assert!(matches!(clean("plain"), Cow::Borrowed(_)));
    }

    #[test]
    fn links_are_broken() {
        assert_eq!(defang("aws-cli/2 on ec2.amazonaws.com"), "aws-cli/2 on ec2.amazonaws.com");
        assert_eq!(defang("a (+https://evil.example/x.y) b"), "a (+https[:]//evil[.]example/x.y) b");
        assert_eq!(defang("WWW.evil.example, ftp://a.b://c.d"), "WWW[.]evil.example, ftp[:]//a[.]b[:]//c[.]d");
        assert_eq!(defang("é://wwwwww."), "é[:]//wwwwww[.]");
        // A walk for each would take hours.
        let many = 1 << 18;
        assert_eq!(defang(&"wWw.".repeat(many)), "wWw[.]".repeat(many));
    }

    #[test]
    fn parts_of_urls_are_escaped() {
        assert_eq!(percent_encoded("aZ0-._~"), "aZ0-._~");
        assert_eq!(percent_encoded("a/b c+é%&=\n"), "a%2Fb%20c%2B%C3%A9%25%26%3D%0A");
    }

    #[test]
    fn clipping_is_by_characters_and_shows() {
        assert_eq!(clip("añb", 3), "añb");
        assert_eq!(clip("añbc", 3), "añ…");
        assert_eq!(clip("abc", 1), "…");
        assert_eq!(clip("abc", 0), "");
    }

    #[test]
    fn lists_show_three() {
        assert_eq!(some_of(&["a", "b", "c"]), "a, b, c");
        assert_eq!(some_of(&["a", "b", "c", "d", "e"]), "a, b, c +2");
        assert_eq!(enumerated(&["a"]), "a");
        assert_eq!(enumerated(&["a", "b", "c"]), "a, b and c");
        assert_eq!(enumerated(&["a", "b", "c", "d", "e"]), "a, b, c and 2 more");
    }
}
