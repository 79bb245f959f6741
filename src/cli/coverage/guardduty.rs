//! The Custom Detection Rules that `GuardDuty` offers, each with the smallest call that it is about: `guardduty.json`.

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::cloudtrail::{Record, RecordError};
use crate::rules::Mode;
use crate::ruleset::RuleSet;

const TABLE: &str = include_str!("guardduty.json");

/// One of `GuardDuty`'s rules, and which of the rules at hand find its call.
#[derive(Debug)]
pub(super) struct Compared {
    pub(super) theirs: TheirRule,
    /// Those that alert.
    pub(super) alerting: Vec<String>,
    /// Those that are staged.
    pub(super) staged: Vec<String>,
}

/// What AWS says of one of its rules.
#[derive(Debug, Deserialize)]
pub(super) struct TheirRule {
    pub(super) name: String,
    pub(super) severity: String,
    /// As ATT&CK writes it in layers: `defense-impairment`.
    pub(super) tactic: String,
    pub(super) technique: String,
    /// The members of a record that say what is done; who does it is added.
    call: Map<String, Value>,
}

#[derive(Debug, Deserialize)]
struct TheirRules {
    rules: Vec<TheirRule>,
}

/// Why the table of `GuardDuty`'s rules could not be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum TableError {
    /// It is not the table that this program was built with.
    #[error("the table of GuardDuty's rules: {0}")]
    Json(#[from] serde_json::Error),
    /// A call of it is no record.
    #[error("the table of GuardDuty's rules: {0}")]
    Record(#[from] RecordError),
}

/// Whoever makes the calls: an administrator of IAM Identity Center with a second factor, from a laptop.
pub(super) const PERSON: &str = r#"{
    "eventVersion": "1.11",
    "eventTime": "2026-09-03T10:00:00Z",
    "eventID": "00000000-0000-4000-8000-000000000000",
    "eventType": "AwsApiCall",
    "eventCategory": "Management",
    "managementEvent": true,
    "readOnly": false,
    "awsRegion": "us-east-1",
    "recipientAccountId": "111122223333",
    "sourceIPAddress": "198.51.100.7",
    "userAgent": "aws-cli/2.31.0",
    "userIdentity": {
        "type": "AssumedRole",
        "principalId": "AROAEXAMPLEEXAMPLEEX:jana.novak",
        "arn": "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_AdministratorAccess_0123456789abcdef/jana.novak",
        "accountId": "111122223333",
        "accessKeyId": "ASIAEXAMPLEEXAMPLEEX",
        "sessionContext": {
            "sessionIssuer": {
                "type": "Role",
                "principalId": "AROAEXAMPLEEXAMPLEEX",
                "arn": "arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_AdministratorAccess_0123456789abcdef",
                "accountId": "111122223333",
                "userName": "AWSReservedSSO_AdministratorAccess_0123456789abcdef"
            },
            "attributes": { "creationDate": "2026-09-03T09:00:00Z", "mfaAuthenticated": "false" }
        }
    }
}"#;

/// `GuardDuty`'s rules, and what the rules at hand find of the call that each is about.
///
/// # Errors
/// The table is damaged.
pub(super) fn compare(rules: &RuleSet) -> Result<Vec<Compared>, TableError> {
    let theirs: TheirRules = serde_json::from_str(TABLE)?;
    let person: Map<String, Value> = serde_json::from_str(PERSON)?;
    let compared = theirs.rules.into_iter().map(|theirs| {
        let mut record = person.clone();
        record.extend(theirs.call.clone());
        let text = serde_json::to_string(&record)?;
        let findings = rules.evaluate_record(&Record::parse(&text)?);
        let of_mode = |mode: Mode| {
            let found = findings.iter().filter(|finding| finding.rule.mode == mode);
            found.map(|finding| finding.rule.id.clone()).collect()
        };
        Ok(Compared { alerting: of_mode(Mode::Alert), staged: of_mode(Mode::Stage), theirs })
    });
    compared.collect()
}
