//! A document of JSON without its secrets.

use std::borrow::Cow;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::text::{blanked, redacted_text, secrets};
use super::values::BETWEEN;
use super::{REDACTED, names};
use crate::json::{Member, Node, Value, write_string};
use crate::text::clip;

/// Characters of a text that stands alone that are looked at: more than anybody shows of one.
const READ_LIMIT: usize = 8000;

/// The value as compact JSON with its secrets replaced: by the key's name, and by the value's shape.
pub fn redacted(node: &Node) -> String {
    let mut out = String::with_capacity(node.span.len());
    write(node, &mut out);
    out
}

/// What stands beside the secret in an object that is named for it, and is none: of `accessKey`, as IAM and Lightsail answer with it,
/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_AccessKey.html>.
const BESIDE_THE_SECRET: [&str; 4] = ["accessKeyId", "createDate", "status", "userName"];

/// A value as people read it, its secrets replaced: of an object the compact JSON, of a scalar its text. `path` are the keys
/// that lead to it: where one of them names a secret, nothing of it is shown, but for what only stands beside the secret.
pub fn shown<'k>(path: impl IntoIterator<Item = &'k str>, node: &Node) -> String {
    let (mut is_secret, mut last) = (false, "");
    for key in path {
        is_secret |= names::is_secret(key);
        last = key;
    }
    if is_secret && !BESIDE_THE_SECRET.contains(&last) && !is_harmless(node) {
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
        Value::Object(members) => write_object(members, out),
        Value::Array(elements) => write_array(elements, out),
        Value::String(text) => match text.embedded() {
            // A document inside a string may hold secrets of its own.
            Some(document) => write_string(out, &redacted(document)),
            None => write_string(out, &redacted_text(text.as_str())),
        },
        Value::TooDeep(_) => write_string(out, REDACTED),
        Value::Null | Value::Bool(_) | Value::Number(_) => out.push_str(&node.compact()),
    }
}

fn write_object(members: &[Member], out: &mut String) {
    let value_is_secret = names_a_secret(members);
    out.push('{');
    for (index, Member { key, node, .. }) in members.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        write_string(out, key);
        out.push(':');
        let is_secret = names::is_secret(key) || (value_is_secret && names::is_key_of_value(key));
        let is_parent = matches!(node.value, Value::Object(_) | Value::Array(_));
        if is_secret && !is_harmless(node) && !(is_parent && names::is_container(key)) {
            write_string(out, REDACTED);
        } else if let Some(script) = node.as_str().filter(|_| names::is_user_data(key)).and_then(redacted_script) {
            write_string(out, &script);
        } else {
            write(node, out);
        }
    }
    out.push('}');
}

/// An array; one of texts is read as the lines of a script, or the words of a command, which belong together.
fn write_array(elements: &[Node], out: &mut String) {
    let texts: Option<Vec<&str>> = elements
        .iter()
        .map(|element| match &element.value {
            Value::String(text) if text.embedded().is_none() => Some(text.as_str()),
            _ => None,
        })
        .collect();
    let texts = texts.filter(|texts| texts.len() > 1).unwrap_or_default();
    let (mut joined, mut follows_option, mut follows_line) = (String::new(), false, false);
    for (index, text) in texts.iter().enumerate() {
        // A line is a command of its own, unless it is what the option before it is given.
        let is_line = text.contains(' ') && !follows_option;
        if index > 0 {
            joined.push_str(if is_line || follows_line { "\n" } else { SEPARATOR });
        }
        joined.push_str(text);
        (follows_option, follows_line) = (text.starts_with('-'), is_line);
    }
    let secrets = secrets(&joined);
    let mut at = 0;
    out.push('[');
    for (index, element) in elements.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        match texts.get(index) {
            Some(text) => {
                write_string(out, &blanked(&joined, at..at + text.len(), &secrets));
                at += text.len() + 1;
            }
            None => write(element, out),
        }
    }
    out.push(']');
}

/// [`BETWEEN`] as a text.
const SEPARATOR: &str = "\u{1f}";
const _: () = assert!(SEPARATOR.len() == 1 && SEPARATOR.as_bytes()[0] == BETWEEN);

/// Whether the value of an object is secret by what stands beside it: by its name, as AWS writes environments, options and
/// parameters (`{"name": "DB_PASSWORD", "value": "…"}`), or because it says so.
fn names_a_secret(members: &[Member]) -> bool {
    let said = |is_key: fn(&str) -> bool| members.iter().filter(move |member| is_key(&member.key));
    let mut names = said(names::is_key_of_name).filter_map(|member| member.node.as_str());
    let text = |key: &str| {
        let is_it = |member: &&Member| member.key.eq_ignore_ascii_case(key);
        members.iter().find(is_it).and_then(|member| member.node.scalar())
    };
    match text("type") {
        // The value of these is the name of the secret: https://docs.aws.amazon.com/codebuild/latest/APIReference/API_EnvironmentVariable.html
        Some("PARAMETER_STORE" | "SECRETS_MANAGER") => false,
        // https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html
        Some("SecureString") => true,
        _ => names.any(names::is_secret) || text("isValueSecret") == Some("true"),
    }
}

/// Whether what a secret's name stands for holds none: a flag, where the secret is, what is told of it.
fn is_harmless(node: &Node) -> bool {
    match &node.value {
        Value::Null | Value::Bool(_) => true,
        Value::Number(_) | Value::TooDeep(_) => false,
        Value::String(text) => names::is_reference(text.as_str()),
        Value::Array(elements) => elements.iter().all(is_harmless),
        Value::Object(members) => members.iter().all(|Member { key, node, .. }| {
            let is_told = node.scalar().is_some() && names::is_of_a_secret(key);
            is_told || is_harmless(node)
        }),
    }
}

/// A machine's first commands as they were sent, in Base64, with their secrets blanked; `None` where they are no text in
/// Base64, or hold no secret.
fn redacted_script(text: &str) -> Option<String> {
    let script = String::from_utf8(BASE64_STANDARD.decode(text.trim()).ok()?).ok()?;
    match redacted_text(&script) {
        Cow::Borrowed(_) => None,
        Cow::Owned(script) => Some(BASE64_STANDARD.encode(script)),
    }
}
