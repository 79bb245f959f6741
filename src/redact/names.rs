//! Which names say that their value is secret, and which values are none all the same.

use super::words::WordSet;

/// What a secret's name holds, in lower case and without what separates its words: `api_key`, `api-key` and `apiKey` are one.
const PARTS: [&str; 18] = [
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "credential",
    "privatekey",
    "authorization",
    "plaintext",
    "apikey",
    "keymaterial",
    "presharedkey",
    "accountkey",
    "sharedaccesskey",
    "pswd",
    "signingkey",
    "encryptionkey",
    "xamzsignature",
];

/// The same, looked for at once: every key of every alert comes through here.
static ANY_PART: WordSet = WordSet::new(&PARTS);

/// Ends of names that are secret only where they end the name: `DB_PASS`, and neither `passRole` nor `pwdLastSet`.
const LAST: [&str; 3] = ["pass", "pwd", "pw"];

/// Words that end in one of these by chance.
const NO_PASSWORD: [&str; 14] = [
    "compass",
    "encompass",
    "bypass",
    "trespass",
    "surpass",
    "overpass",
    "underpass",
    "multipass",
    "singlepass",
    "twopass",
    "lowpass",
    "highpass",
    "bandpass",
    "oldpwd",
];

/// Names that hold such a part and name something, or count it: they are what an analyst looks for.
const HARMLESS: [&str; 11] = [
    "nexttoken",
    "starttoken",
    "clienttoken",
    "clientrequesttoken",
    "idempotencytoken",
    "continuationtoken",
    "paginationtoken",
    "maxtokens",
    "httptokens",
    "xamzcredential",
    "passwordlastused",
];

/// Last words of names that tell of a secret without being one: `secretId`, `tokenType`, `minimumPasswordLength`.
const OF_A_SECRET: [&str; 46] = [
    "id",
    "ids",
    "name",
    "names",
    "arn",
    "arns",
    "type",
    "types",
    "length",
    "policy",
    "policies",
    "required",
    "enabled",
    "disabled",
    "expiration",
    "expiry",
    "expires",
    "endpoint",
    "url",
    "uri",
    "path",
    "file",
    "count",
    "status",
    "state",
    "version",
    "versions",
    "rotation",
    "age",
    "days",
    "seconds",
    "source",
    "expression",
    "mode",
    "method",
    "algorithm",
    "format",
    "ttl",
    "validity",
    "prevention",
    "used",
    "date",
    "provider",
    "stage",
    "from",
    "stdin",
];

/// Last words of names of what holds secrets among other things: of objects and arrays alone.
const CONTAINERS: [&str; 6] = ["parameters", "configuration", "config", "settings", "options", "auth"];

/// A name, taken apart: all of it in lower case without separators, and its last word.
struct Name {
    joined: String,
    last: usize,
}

impl Name {
    /// Of a name in any spelling. Of a path (`/prod/db/password`) the last part counts.
    fn new(name: &str) -> Self {
        let name = name.rsplit(['/', ':']).next().unwrap_or(name);
        let (mut joined, mut last) = (String::with_capacity(name.len()), 0);
        let mut before = b'_';
        let bytes = name.as_bytes();
        for (at, byte) in bytes.iter().copied().enumerate() {
            if byte.is_ascii_alphabetic() {
                let next_is_lower = bytes.get(at + 1).is_some_and(u8::is_ascii_lowercase);
                let is_start = !before.is_ascii_alphabetic()
                    || (byte.is_ascii_uppercase() && (before.is_ascii_lowercase() || next_is_lower));
                if is_start {
                    last = joined.len();
                }
                joined.push(char::from(byte.to_ascii_lowercase()));
            }
            before = byte;
        }
        Self { joined, last }
    }

    fn last(&self) -> &str {
        self.joined.get(self.last..).unwrap_or_default()
    }

    fn is_secret(&self) -> bool {
        let joined = self.joined.as_str();
        // No such part is shorter than two letters, and most names are none.
        if joined.len() < 2 || HARMLESS.contains(&joined) {
            return false;
        }
        let is_last = || {
            let last = self.last();
            match last {
                "pass" => !joined.ends_with("bypass"),
                "key" => joined.ends_with("accesskey"),
                "sig" | "signature" | "cookie" => joined.len() == last.len() || joined == "setcookie",
                "auth" => joined == "auth",
                _ if NO_PASSWORD.contains(&last) => false,
                _ => last.ends_with("pass") || last.ends_with("pwd") || LAST.contains(&last),
            }
        };
        (ANY_PART.are_in(joined) && !OF_A_SECRET.contains(&self.last())) || is_last()
    }
}

/// Whether a value of this name is secret.
pub(super) fn is_secret(name: &str) -> bool {
    Name::new(name).is_secret()
}

/// Whether the name is one of what is told of a secret: its name, its ARN, when it ends.
pub(super) fn is_of_a_secret(name: &str) -> bool {
    OF_A_SECRET.contains(&Name::new(name).last())
}

/// Whether the object or array of this name is to be looked into, although its name speaks of secrets.
pub(super) fn is_container(name: &str) -> bool {
    CONTAINERS.contains(&Name::new(name).last())
}

/// Whether the name is one after which a colon alone gives the value, with no blank between: `password:x`, and not the
/// `secret:x` of an ARN.
pub(super) fn is_password(name: &str) -> bool {
    let name = Name::new(name);
    name.is_secret()
        && ["password", "passwd", "passphrase", "pass", "pwd", "apikey"].iter().any(|end| name.joined.ends_with(end))
}

/// Whether the name is that of a header of HTTP whose value begins with a scheme.
pub(super) fn is_authorization(name: &str) -> bool {
    Name::new(name).joined.ends_with("authorization")
}

/// Whether the name is that of a header of HTTP whose value goes to the end of the line.
pub(super) fn is_cookie(name: &str) -> bool {
    matches!(Name::new(name).joined.as_str(), "cookie" | "setcookie")
}

/// Whether the value of this key is the name of a value that stands beside it: `{"name": "DB_PASSWORD", "value": "…"}`.
pub(super) fn is_key_of_name(key: &str) -> bool {
    let names = ["name", "key", "optionname", "parameterkey", "parametername", "variablename", "headername"];
    key.len() <= 16 && names.contains(&Name::new(key).joined.as_str())
}

/// Whether the value of this key is what a name beside it names.
pub(super) fn is_key_of_value(key: &str) -> bool {
    let values =
        ["value", "values", "optionvalue", "parametervalue", "defaultvalue", "stringvalue", "headervalue", "default"];
    key.len() <= 16 && values.contains(&Name::new(key).joined.as_str())
}

/// Whether the key is that of a machine's first commands, which are sent in Base64.
pub(super) fn is_user_data(key: &str) -> bool {
    key.len() <= 16 && Name::new(key).joined == "userdata"
}

/// Whether a text begins with what only says where the secret is: what follows need not be read to know.
pub(super) fn begins_reference(text: &str) -> bool {
    ["arn:aws", "{{resolve:", "${", "$(", "$env:"].iter().any(|start| text.starts_with(start))
}

/// Whether a value only says where the secret is, or that there is none: an ARN, a variable, a dynamic reference of
/// `CloudFormation`, the id of an access key. An analyst needs these.
pub(super) fn is_reference(value: &str) -> bool {
    let is_capital = |byte: u8| byte == b'_' || byte.is_ascii_uppercase() || byte.is_ascii_digit();
    let is_word = |byte: u8| byte == b'_' || byte.is_ascii_alphanumeric();
    // `$DB_PASS`, `$password`, `$p`; and not `$ecret1`, which is a password.
    let is_variable = |name: &str| {
        let is_name = name.len() == 1 || name.bytes().all(is_capital) || is_secret(name);
        !name.is_empty() && is_name && name.bytes().all(is_word)
    };
    let is_key_id = || {
        let id = value.split('/').next().unwrap_or(value);
        (id.starts_with("AKIA") || id.starts_with("ASIA"))
            && (16..=32).contains(&id.len())
            && id.bytes().all(is_capital)
    };
    value.is_empty()
        || begins_reference(value)
        || value.strip_prefix('$').is_some_and(is_variable)
        || value.strip_prefix('%').and_then(|rest| rest.strip_suffix('%')).is_some_and(is_variable)
        || ["true", "false", "null", "none"].iter().any(|word| value.eq_ignore_ascii_case(word))
        || is_key_id()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_secret_in_every_spelling() {
        for name in [
            "password",
            "Password",
            "MasterUserPassword",
            "DB_PASSWORD",
            "--db-password",
            "pass",
            "PASS",
            "DB_PASS",
            "dbPass",
            "dbpass",
            "PASS2",
            "Pwd",
            "pwd",
            "PWD",
            "MYSQL_PWD",
            "rootpwd",
            "DB_PW",
            "api_key",
            "api-key",
            "x-api-key",
            "apiKey",
            "APIKEY",
            "X-API-Key",
            "secret",
            "client_secret",
            "aws_secret_access_key",
            "AWS_SECRET_ACCESS_KEY",
            "private_key",
            "PrivateKey",
            "accessKey",
            "AccountKey",
            "SharedAccessKey",
            "sig",
            "X-Amz-Signature",
            "X-Amz-Security-Token",
            "Authorization",
            "Cookie",
            "/prod/db/password",
            "spring.datasource.password",
            "-storepass",
            "pass_phrase",
            "_auth",
        ] {
            assert!(is_secret(name), "{name}");
        }
    }

    #[test]
    fn a_name_that_only_resembles_one_is_none() {
        for name in [
            "compass",
            "bypass",
            "byPass",
            "passRole",
            "iam:PassRole",
            "bypassPolicyLockoutSafetyCheck",
            "passengers",
            "OLDPWD",
            "secretId",
            "secretName",
            "SECRET_ARN",
            "tokenType",
            "nextToken",
            "clientRequestToken",
            "httpTokens",
            "minimumPasswordLength",
            "passwordResetRequired",
            "passwordLastUsed",
            "passwordPolicy",
            "accessKeyId",
            "publicKey",
            "keyId",
            "design",
            "signatureVersion",
            "apiKeyId",
            "apiKeySource",
            "authorizationType",
            "X-Amz-Credential",
            "/password-service/port",
            "name",
            "",
            "p",
        ] {
            assert!(!is_secret(name), "{name}");
        }
    }

    #[test]
    fn a_value_may_only_say_where_the_secret_is() {
        for value in [
            "arn:aws:secretsmanager:us-east-1:123456789012:secret:db-AbCdEf",
            "{{resolve:secretsmanager:db:SecretString:password}}",
            "$DB_PASS",
            "$db_pass",
            "$p",
            "$env:DB_PASS",
            "${DB_PASS}",
            "%DB_PASS%",
            "AKIAIOSFODNN7EXAMPLE",
            "AKIAIOSFODNN7EXAMPLE/20261128/us-east-1/s3/aws4_request",
            "true",
        ] {
            assert!(is_reference(value), "{value}");
        }
        for value in ["hunter2", "$ecret", "$Ecret1", "%41", "AKIA-not", "trueish"] {
            assert!(!is_reference(value), "{value}");
        }
    }
}
