//! Texts for the roads that carry nothing but ASCII: a subject of SNS, an SMS.

/// The text in printable ASCII, as it would be typed without accents: `Zoë → 2×` becomes `Zoe -> 2x`. A run of what has no such
/// spelling is one `?`.
pub(super) fn ascii(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            ' '..='~' => out.push(c),
            c => match spelling(c) {
                "?" if out.ends_with('?') => {}
                spelling => out.push_str(spelling),
            },
        }
    }
    out
}

/// The same in the characters of which an SMS holds 160: GSM 03.38's basic set, without those that count twice. One character
/// beyond it leaves room for 70 in all.
/// Source: <https://docs.aws.amazon.com/sms-voice/latest/userguide/sms-limitations-character.html>.
pub(super) fn gsm(text: &str) -> String {
    let spelled = |c: char| match c {
        '[' | '{' => '(',
        ']' | '}' => ')',
        '|' | '\\' => '/',
        '~' => '-',
        '^' | '`' => '\'',
        c => c,
    };
    ascii(text).chars().map(spelled).collect()
}

/// At most `limit` characters of an ASCII text, two dots at its end where something was cut off.
pub(super) fn cut(text: &str, limit: usize) -> String {
    match text.get(..limit.saturating_sub(2)) {
        Some(start) if text.len() > limit => format!("{}..", start.trim_end()),
        _ => text.to_owned(),
    }
}

/// The same with the middle cut out: names begin and end with what tells them apart.
pub(super) fn cut_middle(text: &str, limit: usize) -> String {
    let kept = limit.saturating_sub(2);
    let (start, end) = (kept.div_ceil(2), text.len().saturating_sub(kept / 2));
    match (text.get(..start), text.get(end..)) {
        (Some(start), Some(end)) if text.len() > limit => format!("{start}..{end}"),
        _ => text.to_owned(),
    }
}

/// How a character beyond ASCII is typed: Latin-1, Latin Extended-A, and the signs that our own texts hold.
fn spelling(c: char) -> &'static str {
    match c {
        '…' => "...",
        '→' => "->",
        '×' => "x",
        '·' | '•' | '–' | '—' | '−' => "-",
        '‘' | '’' | '‚' | '‹' | '›' | '´' => "'",
        '“' | '”' | '„' | '«' | '»' => "\"",
        '\u{a0}' => " ",
        '€' => "EUR",
        'À'..='Å' => "A",
        'Æ' => "AE",
        'Ç' => "C",
        'È'..='Ë' => "E",
        'Ì'..='Ï' => "I",
        'Ñ' => "N",
        'Ò'..='Ö' | 'Ø' => "O",
        'Ù'..='Ü' => "U",
        'Ý' => "Y",
        'ß' => "ss",
        'à'..='å' | 'Ā'..='ą' => "a",
        'æ' => "ae",
        'ç' | 'Ć'..='č' => "c",
        'ð' | 'Ð' | 'Ď'..='đ' => "d",
        'è'..='ë' | 'Ē'..='ě' => "e",
        'Ĝ'..='ģ' => "g",
        'Ĥ'..='ħ' => "h",
        'ì'..='ï' | 'Ĩ'..='ı' => "i",
        'Ĵ' | 'ĵ' => "j",
        'Ķ'..='ĸ' => "k",
        'Ĺ'..='ł' => "l",
        'ñ' | 'Ń'..='ŋ' => "n",
        'ò'..='ö' | 'ø' | 'Ō'..='ő' => "o",
        'Œ' | 'œ' => "oe",
        'Ŕ'..='ř' => "r",
        'Ś'..='š' => "s",
        'Ţ'..='ŧ' => "t",
        'þ' | 'Þ' => "th",
        'ù'..='ü' | 'Ũ'..='ų' => "u",
        'Ŵ' | 'ŵ' => "w",
        'ý' | 'ÿ' | 'Ŷ'..='Ÿ' => "y",
        'Ź'..='ž' => "z",
        _ => "?",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_spelled_is() {
        assert_eq!(ascii("Zoë Łukasz → 2×p5 “x” – Straße…"), "Zoe lukasz -> 2xp5 \"x\" - Strasse...");
        assert_eq!(ascii("名前 in \u{1f600}"), "? in ?");
        assert_eq!(gsm("[a]{b}|~^\\`_@$"), "(a)(b)/-'/'_@$");
    }

    #[test]
    fn what_is_too_long_is_cut() {
        assert_eq!((cut("abcdef", 6).as_str(), cut("abcdefg", 6).as_str()), ("abcdef", "abcd.."));
        assert_eq!((cut_middle("abcdefg", 7).as_str(), cut_middle("abcdefgh", 7).as_str()), ("abcdefg", "abc..gh"));
        assert_eq!((cut("abc", 1).as_str(), cut_middle("abc", 1).as_str()), ("..", ".."));
    }
}
