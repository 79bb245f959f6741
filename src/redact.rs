//! Keeps secrets out of alerts: `AssumeRole` answers with a session token, other calls carry passwords.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::{Captures, Regex};

use crate::json::{Member, Node, Value, write_string};
use crate::text::clip;

/// Stands for what was taken out.
pub const REDACTED: &str = "<redacted>";

/// Characters of a text that stands alone that are looked at: more than anybody shows of one.
const READ_LIMIT: usize = 8000;

/// Words that are looked for in a text, in letters of either case. Every string of every alert comes through here, and a
/// searcher for each word would take longer to make than the text to read.
struct WordSet {
    all: &'static [&'static str],
    /// A bit for each word that begins with the byte, and for each whose second byte it is.
    first: [u32; 256],
    second: [u32; 256],
}

impl WordSet {
    /// Of words in lower case, each of two bytes at least, 32 at most.
    const fn new(words: &'static [&'static str]) -> Self {
        let (mut first, mut second) = ([0; 256], [0; 256]);
        let mut number = 0;
        while number < words.len() {
            let [one, two, ..] = words[number].as_bytes() else { panic!("a word of one byte") };
            first[*one as usize] |= 1 << number;
            first[one.to_ascii_uppercase() as usize] |= 1 << number;
            second[*two as usize] |= 1 << number;
            second[two.to_ascii_uppercase() as usize] |= 1 << number;
            number += 1;
        }
        Self { all: words, first, second }
    }

    fn are_in(&self, text: &str) -> bool {
        let text = text.as_bytes();
        text.array_windows().enumerate().any(|(at, [one, two])| {
            let may_be = self.first[usize::from(*one)] & self.second[usize::from(*two)];
            let is_at = |word: &str| {
                text[at..].get(..word.len()).is_some_and(|part| part.eq_ignore_ascii_case(word.as_bytes()))
            };
            may_be != 0 && self.all.iter().any(|word| is_at(word))
        })
    }
}

/// Keys whose values are secret, in lower case: a key that contains one of these words.
const SECRET_WORDS: [&str; 12] = [
    "password",
    "passwd",
    "secret",
    "token",
    "credential",
    "privatekey",
    "private_key",
    "authorization",
    "plaintext",
    "passphrase",
    "apikey",
    "keymaterial",
];

static SECRET: WordSet = WordSet::new(&SECRET_WORDS);

/// Keys that contain such a word and name something, or count it: they are what an analyst looks for.
const HARMLESS: [&str; 8] = [
    "secretid",
    "secretname",
    "secretarn",
    "credentialid",
    "nexttoken",
    "httptokens",
    "passwordlastused",
    "passwordresetrequired",
];

/// The value as compact JSON with its secrets replaced: by the key's name, and by the value's shape.
pub fn redacted(node: &Node) -> String {
    let mut out = String::with_capacity(node.span.len());
    write(node, &mut out);
    out
}

/// A value as people read it, its secrets replaced: of an object the compact JSON, of a scalar its text. `path` are the keys
/// that lead to it: where one of them names a secret, nothing of it is shown.
pub fn shown<'k>(path: impl IntoIterator<Item = &'k str>, node: &Node) -> String {
    if path.into_iter().any(is_secret_key) {
        return REDACTED.to_owned();
    }
    match &node.value {
        Value::String(text) => match text.embedded() {
            Some(document) => redacted(document),
            None => redacted_text(&clip(text.as_str(), READ_LIMIT)).into_owned(),
        },
        _ => redacted(node),
    }
}

fn write(node: &Node, out: &mut String) {
    match &node.value {
        Value::Object(members) => {
            out.push('{');
            for (index, Member { key, node, .. }) in members.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_string(out, key);
                out.push(':');
                if is_secret_key(key) && !node.is_null() { write_string(out, REDACTED) } else { write(node, out) }
            }
            out.push('}');
        }
        Value::Array(elements) => {
            out.push('[');
            for (index, element) in elements.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write(element, out);
            }
            out.push(']');
        }
        Value::String(text) => match text.embedded() {
            // A document inside a string may hold secrets of its own.
            Some(document) => write_string(out, &redacted(document)),
            None => write_string(out, &redacted_text(text.as_str())),
        },
        Value::TooDeep(_) => write_string(out, REDACTED),
        Value::Null | Value::Bool(_) | Value::Number(_) => out.push_str(&node.compact()),
    }
}

fn is_secret_key(key: &str) -> bool {
    SECRET.are_in(key) && !HARMLESS.iter().any(|harmless| harmless.eq_ignore_ascii_case(key))
}

/// `text` without what is secret by its shape, wherever it stands: private keys, tokens that vendors mark by a prefix, JSON
/// Web Tokens, sessions of AWS, Slack's webhooks, passwords in URLs, what follows `Bearer`, the value of `password=…`.
pub fn redacted_text(text: &str) -> Cow<'_, str> {
    // The expressions take longer to build than an invocation has to spare, and most texts need none.
    let mut out = Cow::Borrowed(text);
    for (marks, expression) in [(&MARKED, &SHAPES), (&SECRET, &ASSIGNMENTS)] {
        if marks.are_in(text) {
            out = match expression.as_ref() {
                Some(expression) => Cow::Owned(expression.replace_all(&out, replacement).into_owned()),
                // No expression here fails to build, and a test builds both.
                None => Cow::Borrowed(REDACTED),
            };
        }
    }
    out
}

/// What is kept before and after the secret, and what stands for it.
fn replacement(found: &Captures<'_>) -> String {
    let kept = |name: &str| found.name(name).map_or("", |kept| kept.as_str());
    let key: String = kept("key").chars().filter(char::is_ascii_alphanumeric).collect();
    if HARMLESS.contains(&key.to_ascii_lowercase().as_str()) {
        return found[0].to_owned();
    }
    let before = ["before", "hook", "user", "scheme"].map(kept).concat();
    format!("{before}{REDACTED}{}", kept("after"))
}

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
        r"|(?P<hook>://hooks\.slack(?:-gov)?\.com/)\S+",
        r"|(?P<user>://[^\s/?#@:]*:)[^\s/?#@]+(?P<after>@)",
        r"|(?P<scheme>\b(?i:bearer|basic) )[0-9A-Za-z+/_.~=-]{12,}",
    ))
    .ok()
});

/// `password=x`, `--token x`, `"secret": "x"`, and not `secretsmanager:GetSecretValue`.
static ASSIGNMENTS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let words = SECRET_WORDS.join("|");
    let quote = r#"["'\\]{0,3}"#;
    let key = format!(r"(?P<key>[0-9a-z_-]*(?:{words})[0-9a-z_-]*)");
    let joint = r#"(?:\s?=\s?|\s?:\s+|["'\\]{1,3}\s?:\s?)"#;
    let flag = format!(r"--[0-9a-z-]*(?:{words})[0-9a-z-]*\s+");
    Regex::new(&format!(r#"(?i)(?P<before>{key}{quote}{joint}{quote}|{flag}{quote})[^\s"'\\&,;]+"#)).ok()
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_wherever_they_stand() {
        static WORDS: WordSet = WordSet::new(&["ab", "://", "abc-d"]);
        for (text, found) in
            [("", false), ("a", false), ("b", false), ("xAb", true), ("aab", true), (":/:/", false), ("é://", true)]
        {
            assert_eq!(WORDS.are_in(text), found, "{text}");
        }
        for word in MARKS.iter().chain(&SECRET_WORDS) {
            assert!(word.len() > 1 && word.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase()), "{word}");
            assert!(
                WordSet::new(&MARKS).are_in(&word.to_uppercase())
                    || WordSet::new(&SECRET_WORDS).are_in(&format!("x{word}x"))
            );
        }
    }

    proptest::proptest! {
        #[test]
        fn words_are_those_that_the_text_holds(text in "[a-eE:/é -]{0,12}") {
            static WORDS: WordSet = WordSet::new(&["ab", "abc-d", "://", "e e", "dd"]);
            let lower = text.to_ascii_lowercase();
            proptest::prop_assert_eq!(WORDS.are_in(&text), WORDS.all.iter().any(|word| lower.contains(word)));
        }
    }

    #[test]
    fn secrets_go_and_names_stay() {
        let redact = |json: &str| redacted(&Node::parse(json).unwrap());
        assert_eq!(
            redact(
                r#"{"userName":"a","password":"hunter2","secretId":"prod/db","credentials":{"sessionToken":"t"},"n":1.50}"#
            ),
            r#"{"userName":"a","password":"<redacted>","secretId":"prod/db","credentials":"<redacted>","n":1.50}"#
        );
        assert_eq!(
            redact(r#"["xoxb-1", {"d":"{\"SecretString\":\"x\"}"}]"#),
            r#"["<redacted>",{"d":"{\"SecretString\":\"<redacted>\"}"}]"#
        );
    }

    #[test]
    fn a_value_alone_is_known_by_its_path() {
        let node = |json| Node::owned(json).unwrap();
        let table = [
            (&["requestParameters", "password"][..], "1", "<redacted>"),
            (&["responseElements", "credentials", "expiration"], r#""Jan 1""#, "<redacted>"),
            (&["requestParameters", "secretId"], r#""prod/db""#, "prod/db"),
            (&["requestParameters"], r#"{"password":"x","n":[1.50]}"#, r#"{"password":"<redacted>","n":[1.50]}"#),
            (&["requestParameters", "d"], r#""{\"Password\": \"x\"}""#, r#"{"Password":"<redacted>"}"#),
            (&["userAgent"], r#""a xoxb-12-ab b""#, "a <redacted> b"),
            (&["readOnly"], "true", "true"),
        ];
        for (path, json, expected) in table {
            assert_eq!(shown(path.iter().copied(), &node(json)), expected);
        }
    }

    #[test]
    fn secrets_go_by_their_shape_wherever_they_stand() {
        let table = [
            ("mysql -u a --password hunter2 -h db", "mysql -u a --password <redacted> -h db"),
            ("AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7 x", "AWS_SECRET_ACCESS_KEY=<redacted> x"),
            (r#"{"token": "abc", "n": 1}"#, r#"{"token": "<redacted>", "n": 1}"#),
            (r#"{\"Password\":\"abc\"}"#, r#"{\"Password\":\"<redacted>\"}"#),
            ("post to https://hooks.slack.com/services/T/B/x now", "post to https://hooks.slack.com/<redacted> now"),
            ("git clone https://bob:hunter2@git.example/x", "git clone https://bob:<redacted>@git.example/x"),
            ("curl -H 'Authorization: Bearer abcdefghijkl.mn'", "curl -H 'Authorization: <redacted> <redacted>'"),
            ("a xoxb-12-ab, ghp_abc", "a <redacted>, <redacted>"),
            ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.sig!", "<redacted>!"),
            ("-----BEGIN RSA PRIVATE KEY-----\nabc", "<redacted>"),
            ("x -----BEGIN PRIVATE KEY-----abc-----END PRIVATE KEY----- y", "x <redacted> y"),
            // An analyst needs these.
            (
                "not authorized to perform: secretsmanager:GetSecretValue on arn:aws:secretsmanager:us-east-1:1:secret:db-x",
                "",
            ),
            ("secretId=prod/db nextToken: abc", ""),
            ("aws-cli/2.15 https://example.com/a@b Basic auth", ""),
            ("https://[::1]:80/x", ""),
        ];
        for (text, expected) in table {
            let expected = if expected.is_empty() { text } else { expected };
            assert_eq!(redacted_text(text), expected);
            assert_eq!(redacted_text(expected), expected, "not stable");
        }
        assert!(matches!(redacted_text("James called StartInstances"), Cow::Borrowed(_)));
    }
}
