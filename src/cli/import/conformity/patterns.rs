//! RTM-011's patterns: `{eventName, eventSource, userIdentityType}`, each a regular expression.
//!
//! The examples that Trend published have the three columns rotated: the service stands under `eventName`, the identity
//! under `eventSource`, the event under `userIdentityType`. As written they can never match. They are told by what the
//! values can match, and put right.

use regex::Regex;
use serde_json::Value as Json;

use super::super::output::ImportedRow;
use super::super::tree::{Tree, TreeValue};

/// The columns, folded, in the order identity, service, event.
const COLUMNS: [&str; 3] = ["useridentitytype", "eventsource", "eventname"];
/// The same as rules.json has them.
const FIELDS: [&str; 3] = ["identity", "service", "event"];

/// The types of `userIdentity`. Source: AWS CloudTrail User Guide, "CloudTrail userIdentity element".
const IDENTITIES: [&str; 12] = [
    "Root",
    "IAMUser",
    "AssumedRole",
    "Role",
    "FederatedUser",
    "Directory",
    "AWSAccount",
    "AWSService",
    "IdentityCenterUser",
    "SAMLUser",
    "WebIdentityUser",
    "Unknown",
];

/// Some services, for patterns that do not say `amazonaws`.
const SERVICES: [&str; 16] = [
    "iam.amazonaws.com",
    "sts.amazonaws.com",
    "signin.amazonaws.com",
    "ec2.amazonaws.com",
    "s3.amazonaws.com",
    "cloudtrail.amazonaws.com",
    "lambda.amazonaws.com",
    "rds.amazonaws.com",
    "kms.amazonaws.com",
    "dynamodb.amazonaws.com",
    "config.amazonaws.com",
    "guardduty.amazonaws.com",
    "organizations.amazonaws.com",
    "monitoring.amazonaws.com",
    "logs.amazonaws.com",
    "cloudformation.amazonaws.com",
];

/// What became of a pattern.
#[derive(Debug, PartialEq)]
pub(super) enum Read {
    /// As it was written.
    ImportedRow(ImportedRow),
    /// With its columns put right: what to say of it.
    Repaired(ImportedRow, String),
    /// As it was written, although it can hardly match: what to say of it.
    Doubtful(ImportedRow, String),
}

/// Reads one pattern of RTM-011 as a row.
///
/// # Errors
/// Why it cannot be carried over.
pub(super) fn row(pattern: &Tree) -> Result<Read, String> {
    let mut columns: [Option<&str>; 3] = [None; 3];
    for (column, key) in columns.iter_mut().zip(COLUMNS) {
        let Some(value) = pattern.field(key) else { continue };
        match &value.value {
            TreeValue::Text(text) | TreeValue::Number(text) if !text.is_empty() => *column = Some(text),
            TreeValue::Unknown(written) => {
                return Err(format!("its {key} is the expression {written}: write its value"));
            }
            _ => {}
        }
    }
    let patterns = columns.iter().flatten().map(|text| Regex::new(text).map_err(|error| broken(text, &error)));
    patterns.collect::<Result<Vec<_>, _>>()?;
    if columns.iter().all(Option::is_none) {
        return Err("it names no eventName, eventSource or userIdentityType".to_owned());
    }
    let written = |columns: &[Option<&str>; 3]| {
        ImportedRow(
            FIELDS
                .iter()
                .zip(columns)
                .filter_map(|(field, text)| Some(((*field).to_owned(), Json::from(bare((*text)?)))))
                .collect(),
        )
    };
    if columns.iter().flatten().any(|text| text.contains(char::is_whitespace)) {
        let said = "it holds a blank or a line break, which no such name has, so it may never match".to_owned();
        return Ok(Read::Doubtful(written(&columns), said));
    }
    if plausible(&columns) {
        return Ok(Read::ImportedRow(written(&columns)));
    }
    let [identity, service, event] = columns;
    // The rotation of the published examples first: with a column missing, others may be plausible too.
    let rotated = [service, event, identity];
    let others = [
        [event, service, identity],
        [identity, event, service],
        [service, identity, event],
        [event, identity, service],
    ];
    let mut repairs: Vec<_> = others.into_iter().filter(plausible).collect();
    if plausible(&rotated) {
        repairs = vec![rotated];
    }
    let [repair] = repairs.as_slice() else {
        let said = "its columns look misplaced, and it may never match: ask `offlimits check`".to_owned();
        return Ok(Read::Doubtful(written(&columns), said));
    };
    let row = written(repair);
    let said = format!(
        "its columns stand in each other's place, and as written it could never match; now it reads {}",
        serde_json::to_string(&row).unwrap_or_default()
    );
    Ok(Read::Repaired(row, said))
}

fn broken(pattern: &str, error: &regex::Error) -> String {
    let text = error.to_string();
    let last = text.lines().last().unwrap_or_default().trim_start_matches("error: ");
    format!("\"{pattern}\" cannot be carried over: {last}")
}

/// Whether each value can match something of its column.
fn plausible(columns: &[Option<&str>; 3]) -> bool {
    let fits = |text: Option<&str>, fits: fn(&str, &Regex) -> bool| {
        text.is_none_or(|text| Regex::new(text).is_ok_and(|regex| fits(text, &regex)))
    };
    fits(columns[0], |_, regex| IDENTITIES.iter().any(|identity| regex.is_match(identity)))
        && fits(columns[1], |text, regex| {
            text.contains("amazonaws") || SERVICES.iter().any(|service| regex.is_match(service))
        })
        && fits(columns[2], |text, regex| regex.is_match("x") || looks_like_an_event(text))
}

/// An event's name begins with a capital letter and holds no dot that is meant as one.
fn looks_like_an_event(text: &str) -> bool {
    let literal = text.trim_start_matches(|character: char| !character.is_alphanumeric());
    literal.starts_with(|character: char| character.is_ascii_uppercase()) && !text.contains("amazonaws")
}

/// A pattern that begins with @ would name a list.
fn bare(pattern: &str) -> String {
    pattern.strip_prefix('@').map_or_else(|| pattern.to_owned(), |rest| format!("[@]{rest}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::super::tree;
    use super::*;

    fn read(json: &Json) -> (&'static str, Json) {
        match row(&tree::parse_json(&json.to_string()).unwrap()).unwrap() {
            Read::ImportedRow(row) => ("as written", serde_json::to_value(row).unwrap()),
            Read::Repaired(row, _) => ("repaired", serde_json::to_value(row).unwrap()),
            Read::Doubtful(row, _) => ("doubtful", serde_json::to_value(row).unwrap()),
        }
    }

    #[test]
    fn rotated_columns_are_put_right() {
        let right = json!({"identity": "^(IAM).*", "service": "^(iam.amazonaws.com)", "event": "^(Delete).*"});
        let published =
            json!({"eventName": "^(iam.amazonaws.com)", "eventSource": "^(IAM).*", "userIdentityType": "^(Delete).*"});
        assert_eq!(read(&published), ("repaired", right.clone()));
        // The other rotation, and two columns exchanged.
        let other =
            json!({"eventName": "^(IAM).*", "eventSource": "^(Delete).*", "userIdentityType": "^(iam.amazonaws.com)"});
        assert_eq!(read(&other), ("repaired", right.clone()));
        let exchanged =
            json!({"eventName": "^(iam.amazonaws.com)", "eventSource": "^(Delete).*", "userIdentityType": "^(IAM).*"});
        assert_eq!(read(&exchanged), ("repaired", right));
        let two = json!({"event_name": "ec2.amazonaws.com", "event_source": "Root"});
        assert_eq!(read(&two), ("repaired", json!({"identity": "Root", "service": "ec2.amazonaws.com"})));
    }

    #[test]
    fn what_can_match_stays_as_it_is() {
        for (written, row) in [
            (
                json!({"userIdentityType": "^(IAM).*", "eventSource": "^(ec2.amazonaws.com).*", "eventName": "StartInstances"}),
                json!({"identity": "^(IAM).*", "service": "^(ec2.amazonaws.com).*", "event": "StartInstances"}),
            ),
            (json!({"eventName": ".*", "eventSource": "ec2"}), json!({"service": "ec2", "event": ".*"})),
            (json!({"eventName": "User", "eventSource": ""}), json!({"event": "User"})),
            (json!({"eventName": "^(Create|Put)"}), json!({"event": "^(Create|Put)"})),
        ] {
            assert_eq!(read(&written), ("as written", row));
        }
        assert_eq!(read(&json!({"userIdentityType": "Nobody", "eventName": "CreateUser"})).0, "doubtful");
    }

    #[test]
    fn what_cannot_be_carried_over_is_said() {
        for pattern in [json!({}), json!({"eventName": ""}), json!({"eventName": "(?!Get)"})] {
            assert!(row(&tree::parse_json(&pattern.to_string()).unwrap()).is_err(), "{pattern}");
        }
    }
}
