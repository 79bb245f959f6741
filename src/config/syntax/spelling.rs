//! How JSON spells what other languages spell otherwise: escapes, numbers, words without quotes.

use crate::config::words::quoted;

/// What was meant by a backslash before this character, if that is clear: that of a pattern, which JSON wants twice.
pub(super) fn mended_escape(c: char) -> Option<String> {
    match c {
        '\'' => Some("'".to_owned()),
        'd' | 'D' | 'w' | 'W' | 's' | 'S' | 'A' | 'z' | 'B' | 'p' | 'P' => Some(format!("\\\\{c}")),
        c if c.is_ascii_punctuation() => Some(format!("\\\\{c}")),
        _ => None,
    }
}

/// Whether JSON writes a number so. Source: RFC 8259, section 6.
pub(super) fn is_number(word: &str) -> bool {
    fn digits(text: &str) -> &str {
        text.trim_start_matches(|c: char| c.is_ascii_digit())
    }
    let rest = word.strip_prefix('-').unwrap_or(word);
    let after = digits(rest);
    let whole = &rest[..rest.len() - after.len()];
    if whole.is_empty() || (whole.len() > 1 && whole.starts_with('0')) {
        return false;
    }
    let after = match after.strip_prefix('.') {
        Some(fraction) if digits(fraction).len() < fraction.len() => digits(fraction),
        Some(_) => return false,
        None => after,
    };
    let Some(exponent) = after.strip_prefix(['e', 'E']) else { return after.is_empty() };
    let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    !exponent.is_empty() && digits(exponent).is_empty()
}

/// A number in another language's spelling, as JSON writes it: `+5`, `.5`, `5.`, `1_000`.
pub(super) fn mended_number(word: &str) -> Option<String> {
    let is_digit = |c: char| c.is_ascii_digit();
    let (sign, digits) = match word.strip_prefix(['+', '-']) {
        Some(digits) => (if word.starts_with('-') { "-" } else { "" }, digits),
        None => ("", word),
    };
    let mut digits = digits.to_owned();
    if digits.contains('_') && digits.starts_with(is_digit) && digits.ends_with(is_digit) {
        digits.retain(|c| c != '_');
    }
    if digits.starts_with('.') {
        digits.insert(0, '0');
    }
    if digits.len() > 1 && digits.ends_with('.') {
        digits.pop();
    }
    let number = format!("{sign}{digits}");
    (number != word && is_number(&number)).then_some(number)
}

/// A word with its quotes, where it is one for certain.
pub(super) fn in_quotes(word: &str, is_key: bool) -> Option<String> {
    let mut chars = word.chars();
    let first = chars.next()?;
    let begins = first.is_ascii_alphabetic() || "_$".contains(first) || !is_key;
    let is_word = begins && word.chars().all(|c| c.is_ascii_alphanumeric() || "_-.$@*/+".contains(c));
    is_word.then(|| quoted(word))
}
