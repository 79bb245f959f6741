use std::borrow::Cow;

use super::*;
use crate::json::Node;

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
        // Beside a secret there stands what is none.
        (&["responseElements", "accessKey", "userName"], r#""bob""#, "bob"),
        (&["responseElements", "accessKey", "accessKeyId"], r#""AKIAEXAMPLE000000001""#, "AKIAEXAMPLE000000001"),
        (&["responseElements", "accessKey", "secretAccessKey"], r#""x""#, "<redacted>"),
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
        ("curl -H 'Authorization: Bearer abcdefghijkl.mn'", "curl -H 'Authorization: Bearer <redacted>'"),
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

/// Texts of a megabyte in which a value could be looked for to the end at every step: this would not end within the hour.
#[test]
fn no_text_is_read_to_its_end_at_every_step() {
    for part in [
        "name=",
        "password=${",
        "password=\"$(",
        "password='",
        "password=\\\"",
        "--password --",
        "key=password=",
        "password=AKIAIOSFODNN7EXAMPLE/",
        "mysql -p",
        "curl -u $(",
        "echo a|chpasswd|",
        "Authorization: Bearer ",
        "<password>",
        "password%3D",
    ] {
        let text = part.repeat(1_000_000 / part.len());
        let redacted = redacted_text(&text);
        assert!(redacted.len() <= 20 * text.len(), "{part}");
    }
}
