//! Secrets that a text gives by name: `password=x`, `"api_key": "x"`, `--token x`, `<password>x</password>`, `&sig=x`,
//! `Authorization: Bearer x`, `ParameterKey=DbPassword,ParameterValue=x`; and not `secretsmanager:GetSecretValue`.

use std::ops::Range;

use super::names;
use super::values::{BETWEEN, after_blanks, is_blank, value_at};

/// The schemes after which the secret of an `Authorization` header stands.
const SCHEMES: [&str; 9] = ["basic", "bearer", "token", "apikey", "negotiate", "ntlm", "bot", "key", "sso-key"];
/// Bytes of a name that are read where a value is one.
const MOST_OF_NAME: usize = 256;
/// The scheme whose value names its parts: `Credential=…, SignedHeaders=…, Signature=…`.
const SIGNED: &str = "aws4-hmac-sha256";

/// How a value follows its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Joint {
    /// `=`, or a colon and a blank: `password=`, `Password: `.
    Said,
    /// A colon and nothing else, which ARNs and actions have too.
    Colon,
    /// A blank, after a flag: `--password x`.
    Flag,
    /// A blank and a quote: `PASSWORD 'x'`.
    Quoted,
    /// The end of an opening tag: `<password>x</password>`.
    Tag,
}

const fn is_of_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

/// Where the secrets stand, in the order of the text.
pub(super) fn find(text: &str, found: &mut Vec<Range<usize>>) {
    let bytes = text.as_bytes();
    let (mut at, mut names_a_secret) = (0, false);
    while at < bytes.len() {
        if !is_of_name(bytes[at]) {
            at += 1;
            continue;
        }
        let end = at + bytes[at..].iter().take_while(|byte| is_of_name(**byte)).count();
        let name = at..end;
        at = end;
        let Some((joint, value)) = joint(bytes, &name) else { continue };
        let text_of_name = &text[name.clone()];
        if is_secret(text_of_name, joint, bytes, name.start) {
            names_a_secret = false;
            let range =
                if joint == Joint::Tag { tagged(bytes, value) } else { secret_value(text, text_of_name, value) };
            if let Some(range) = range {
                at = range.end.max(at);
                if !names::is_reference(&text[range.clone()]) {
                    found.push(range);
                }
            }
        } else if joint == Joint::Said && names::is_key_of_name(text_of_name) {
            // What it names is short; and what follows may be a part of the next name.
            let near = &text[..text.floor_char_boundary(value + MOST_OF_NAME)];
            names_a_secret = names::is_secret(&near[value_at(near, value)]);
        } else if names_a_secret && joint == Joint::Said && names::is_key_of_value(text_of_name) {
            names_a_secret = false;
            if let Some(range) = secret_value(text, text_of_name, value) {
                at = range.end.max(at);
                if !names::is_reference(&text[range.clone()]) {
                    found.push(range);
                }
            }
        }
    }
}

/// How the value of a name follows it, and where it begins.
fn joint(bytes: &[u8], name: &Range<usize>) -> Option<(Joint, usize)> {
    let quotes = bytes[name.end..].iter().take(8).take_while(|byte| matches!(byte, b'"' | b'\'' | b'\\')).count();
    let is_quoted = quotes > 0;
    let mut end = name.end + quotes;
    if is_quoted && bytes.get(end) == Some(&b']') {
        end += 1;
    }
    let joint = after_blanks(bytes, end);
    match *bytes.get(joint)? {
        b'=' => {
            let more = bytes[joint + 1..].iter().take(1).take_while(|byte| matches!(byte, b'=' | b'>')).count();
            Some((Joint::Said, after_blanks(bytes, joint + 1 + more)))
        }
        b'%' if !is_quoted && bytes[joint..].get(1..3).is_some_and(|hex| hex.eq_ignore_ascii_case(b"3D")) => {
            Some((Joint::Said, joint + 3))
        }
        b':' => match *bytes.get(joint + 1)? {
            b':' => None,
            b'=' => Some((Joint::Said, after_blanks(bytes, joint + 2))),
            b' ' | b'\t' => Some((Joint::Said, after_blanks(bytes, joint + 1))),
            b'"' | b'\'' | b'\\' => Some((Joint::Said, joint + 1)),
            _ if is_quoted => Some((Joint::Said, joint + 1)),
            _ => Some((Joint::Colon, joint + 1)),
        },
        b'>' if !is_quoted && name.start > 0 && bytes[name.start - 1] == b'<' => Some((Joint::Tag, joint + 1)),
        BETWEEN if bytes[name.start] == b'-' && !is_quoted => Some((Joint::Flag, joint + 1)),
        b'"' | b'\'' if !is_quoted && joint > end => Some((Joint::Quoted, joint)),
        b'-' => None,
        _ if bytes[name.start] == b'-' && joint > end => Some((Joint::Flag, joint)),
        _ => None,
    }
}

fn is_secret(name: &str, joint: Joint, bytes: &[u8], start: usize) -> bool {
    match joint {
        Joint::Said | Joint::Tag | Joint::Flag => names::is_secret(name),
        Joint::Quoted => names::is_password(name) || (name.starts_with('-') && names::is_secret(name)),
        // `password:x`, `/pass:x`; and neither the parts of an ARN nor the version of a parameter: `parameter/db/password:3`.
        Joint::Colon => {
            let starts_a_word = |at: usize| at == 0 || !matches!(bytes[at - 1], b':' | b'.' | b'/' | b'@');
            let is_switch = start > 0 && bytes[start - 1] == b'/' && (start == 1 || is_blank(bytes[start - 2]));
            (starts_a_word(start) || is_switch) && names::is_password(name)
        }
    }
}

/// What stands between a tag and the next one.
fn tagged(bytes: &[u8], at: usize) -> Option<Range<usize>> {
    let length = bytes[at..].iter().take_while(|byte| !matches!(**byte, b'<' | BETWEEN)).count();
    (length > 0).then_some(at..at + length)
}

/// The value that begins at `at`; `None` where there is none, or one that need not be read to know that it only says where the
/// secret is: secrets may stand in it, as in `$(curl -u user:x)`.
fn secret_value(text: &str, name: &str, at: usize) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let mut at = at;
    if names::is_authorization(name) {
        let word = |at: usize| -> Range<usize> {
            let quotes = bytes[at..].iter().take_while(|byte| matches!(byte, b'"' | b'\'' | b'\\')).count();
            let start = at + quotes;
            start..start + bytes[start..].iter().take_while(|byte| is_of_name(**byte)).count()
        };
        let scheme = word(at);
        if bytes.get(scheme.end) == Some(&b' ') {
            let scheme_is = |one: &&str| text[scheme.clone()].eq_ignore_ascii_case(one);
            if scheme_is(&SIGNED) {
                return None;
            }
            if SCHEMES.iter().any(scheme_is) {
                at = after_blanks(bytes, scheme.end);
            }
        }
    }
    let quotes = bytes[at..].iter().take(8).take_while(|byte| matches!(byte, b'"' | b'\'' | b'\\')).count();
    if text.get(at + quotes..).is_some_and(names::begins_reference) {
        return None;
    }
    let range = if names::is_cookie(name) {
        let ends = |byte: &u8| matches!(*byte, b'"' | b'\'' | b'\n' | b'\r' | b'\\' | BETWEEN);
        at..at + bytes[at..].iter().take_while(|byte| !ends(byte)).count()
    } else {
        value_at(text, at)
    };
    // `--password --user x`: the flag has no value here. `-pass pass:x`, `-pass env:X`: OpenSSL's says where it is.
    let is_elsewhere =
        |value: &str| ["-", "pass:", "env:", "file:", "fd:"].iter().any(|start| value.starts_with(start));
    (!(name.starts_with('-') && is_elsewhere(&text[range.clone()]))).then_some(range)
}
