//! Keeps secrets out of alerts: `AssumeRole` answers with a session token, other calls carry passwords.

use crate::json::{Member, Node, Value, write_string};

/// Stands for what was taken out.
pub const REDACTED: &str = "<redacted>";

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
    let mut out = String::new();
    write(node, &mut out);
    out
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
            None if is_secret_value(text.as_str()) => write_string(out, REDACTED),
            None => write_string(out, text.as_str()),
        },
        Value::TooDeep(_) => write_string(out, REDACTED),
        Value::Null | Value::Bool(_) | Value::Number(_) => out.push_str(&node.compact()),
    }
}

fn is_secret_key(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    !HARMLESS.contains(&key.as_str()) && SECRET_WORDS.iter().any(|word| key.contains(word))
}

/// Values that are secret wherever they stand: PEM private keys, and the tokens that vendors mark by a prefix.
fn is_secret_value(text: &str) -> bool {
    text.contains("PRIVATE KEY-----")
        || ["xoxb-", "xoxp-", "ghp_", "github_pat_", "glpat-", "sk_live_"].iter().any(|prefix| text.starts_with(prefix))
        // A JSON Web Token.
        || (text.starts_with("eyJ") && text.matches('.').count() == 2)
        // A session token of AWS STS.
        || (text.len() > 200 && ["FwoGZXIvYXdz", "IQoJb3JpZ2lu"].iter().any(|prefix| text.starts_with(prefix)))
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
