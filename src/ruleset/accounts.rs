//! `accounts.json`: what people call accounts, and the organizational unit of each. It stands beside `rules.json`, and is written
//! by hand or by `offlimits accounts`.
//!
//! ```json
//! { "111122223333": { "name": "production", "unit": "Workloads/Prod" } }
//! ```

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::cloudtrail::account_number;
pub(super) use crate::cloudtrail::accounts::FILE;
use crate::cloudtrail::accounts::{AccountFacts, MAX_CHARACTERS};
use crate::config::{
    Diagnostic, KeySpec, ObjectReader, ObjectSpec, Problems, TextFormat, ValueShape, docs, repeated_keys,
    syntax_errors, wrong_kind,
};
use crate::json::Node;
#[cfg(any(test, all(feature = "aws", feature = "cli")))]
use crate::json::write_string;

/// What is said of one account.
static ACCOUNT: ObjectSpec = ObjectSpec {
    name: "Account",
    what: "an account",
    docs: docs!("What people call an account, and its organizational unit."),
    keys: [
        &[
            KeySpec::required("name", ValueShape::Formatted(&TEXT), docs!("What people call it.")),
            KeySpec::new("unit", ValueShape::Formatted(&TEXT), docs!("Its organizational unit: `Workloads/Prod`.")),
        ],
        &[],
    ],
    at_least_one: &[],
};

static TEXT: TextFormat = TextFormat {
    what: "name",
    code: "bad-account",
    pattern: "",
    max_characters: Some(MAX_CHARACTERS),
    fits: |text| !text.chars().any(char::is_control),
    remedy: |_| "write a short text on one line".into(),
};

/// The accounts of a file's text, and every mistake in it. What is mistaken is left out.
pub(crate) fn read(text: &str) -> (BTreeMap<u64, AccountFacts>, Vec<Diagnostic>) {
    let mut accounts = BTreeMap::new();
    let file: Arc<str> = FILE.into();
    let root = match Node::parse(text) {
        Ok(root) => root,
        Err(error) => {
            let mut found = syntax_errors(Some(&file), text, &error);
            if text.trim().is_empty() {
                let help =
                    "write an object with an account's id as each key: {\"111122223333\": {\"name\": \"production\"}}";
                found.iter_mut().for_each(|mistake| help.clone_into(&mut mistake.help));
            }
            return (accounts, found);
        }
    };
    let mut problems = Problems::default();
    problems.enter(Some(file));
    let Some(members) = root.members() else {
        wrong_kind(&root, "accounts.json must be an object, with an account's id as each key", &mut problems);
        return (accounts, problems.finish(text, &root));
    };
    repeated_keys(members, &mut problems);
    for member in members {
        let number = account_number(&member.key);
        if number.is_none() {
            let message = format!("\"{}\" is not the id of an account", crate::text::clip(&member.key, 80));
            problems.error("bad-account", &member.key_span, message, "an id is a text of twelve digits");
        }
        let Some(mut fields) = ObjectReader::new(&member.node, &ACCOUNT, &mut problems) else { continue };
        let (name, unit) = (fields.text("name", &mut problems), fields.text("unit", &mut problems));
        fields.finish(&mut problems);
        if let (Some(number), Some(name)) = (number, name) {
            accounts.insert(number, AccountFacts { name: name.to_owned(), unit: unit.map(str::to_owned) });
        }
    }
    (accounts, problems.finish(text, &root))
}

#[cfg(any(test, all(feature = "aws", feature = "cli")))]
/// The text of a file of these accounts: a line for each, by ascending ids.
pub(crate) fn write(accounts: &BTreeMap<u64, AccountFacts>) -> String {
    use std::fmt::Write as _;

    let mut text = String::from("{");
    for (place, (number, AccountFacts { name, unit })) in accounts.iter().enumerate() {
        text.push_str(if place == 0 { "\n" } else { ",\n" });
        let _ = write!(text, "  \"{number:012}\": {{ \"name\": ");
        write_string(&mut text, name);
        if let Some(unit) = unit {
            text.push_str(", \"unit\": ");
            write_string(&mut text, unit);
        }
        text.push_str(" }");
    }
    text.push_str(if accounts.is_empty() { "}\n" } else { "\n}\n" });
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let facts =
            |name: &str, unit: Option<&str>| AccountFacts { name: name.to_owned(), unit: unit.map(str::to_owned) };
        let accounts = BTreeMap::from([
            (7, facts("a \"b\" é", None)),
            (111_122_223_333, facts("production", Some("Workloads/Prod"))),
        ]);
        let text = write(&accounts);
        assert!(text.contains(r#""000000000007": { "name": "a \"b\" é" }"#), "{text}");
        let (read_again, mistakes) = read(&text);
        assert_eq!((read_again, mistakes.len()), (accounts, 0));
        assert_eq!(read(&write(&BTreeMap::new())), (BTreeMap::new(), Vec::new()));
    }

    #[test]
    fn each_mistake_has_its_place_and_its_remedy() {
        let mistakes = |text: &str| {
            let mistakes = read(text).1;
            assert!(mistakes.iter().all(|found| found.file.as_deref() == Some(FILE) && !found.help.is_empty()));
            mistakes.iter().map(|found| format!("{} {}:{}", found.code, found.line, found.column)).collect::<Vec<_>>()
        };
        assert_eq!(mistakes("{"), ["syntax 1:1"]);
        assert_eq!(mistakes("[]"), ["wrong-type 1:1"]);
        let several = "{\n \"123\": {\"name\": \"a\"},\n \"111122223333\": {\"nane\": \"b\"},\n \"111122223333\": {\"name\": \"\", \"unit\": 5},\n \"222222222222\": {\"name\": \"c\\nd\"}\n}";
        assert_eq!(
            mistakes(several),
            [
                "bad-account 2:2",
                "missing-key 3:18",
                "unknown-key 3:19",
                "repeated-key 4:2",
                "empty 4:27",
                "wrong-type 4:39",
                "bad-account 5:27",
            ]
        );
    }
}
