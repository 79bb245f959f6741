//! With whom the calls of many services share something, in the shape of each: `shared_with`, and what of it is public. The judge is
//! who was to be told before the request was written.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{ROUNDS, agree, spelling, values};
use crate::support::choices::{Choices, seeds};

/// Where a request names them, and how.
struct Share {
    service: &'static str,
    event: &'static str,
    path: &'static [&'static str],
    /// Whether it takes several.
    is_list: bool,
    /// The word for everybody, if anything can be shared with them.
    everybody: Option<&'static str>,
    takes_organizations: bool,
    /// What stands there besides, and shares nothing.
    besides: &'static str,
}

const fn share(
    service: &'static str,
    event: &'static str,
    path: &'static [&'static str],
    is_list: bool,
    everybody: Option<&'static str>,
    takes_organizations: bool,
    besides: &'static str,
) -> Share {
    Share { service, event, path, is_list, everybody, takes_organizations, besides }
}

/// Read from botocore's models, in the spelling of CloudTrail.
const SHARES: [Share; 17] = [
    share(
        "rds",
        "ModifyDBSnapshotAttribute",
        &["valuesToAdd"],
        true,
        Some("all"),
        false,
        r#"{"attributeName":"restore","valuesToRemove":["888888888888","all"]}"#,
    ),
    share(
        "rds",
        "ModifyDBClusterSnapshotAttribute",
        &["valuesToAdd"],
        true,
        Some("all"),
        false,
        r#"{"valuesToRemove":["888888888888"]}"#,
    ),
    share(
        "ssm",
        "ModifyDocumentPermission",
        &["accountIdsToAdd"],
        true,
        Some("All"),
        false,
        r#"{"permissionType":"Share","accountIdsToRemove":["All","888888888888"]}"#,
    ),
    share("ram", "CreateResourceShare", &["principals"], true, None, true, r#"{"allowExternalPrincipals":true}"#),
    share("ram", "AssociateResourceShare", &["principals"], true, None, true, r#"{"resourceArns":[]}"#),
    share("redshift", "AuthorizeSnapshotAccess", &["accountWithRestoreAccess"], false, None, false, "{}"),
    share("redshift", "AuthorizeEndpointAccess", &["account"], false, None, false, r#"{"vpcIds":["888888888888"]}"#),
    share("redshift", "AuthorizeDataShare", &["consumerIdentifier"], false, None, false, r#"{"allowWrites":false}"#),
    share("ds", "ShareDirectory", &["shareTarget", "id"], false, None, false, r#"{"shareMethod":"HANDSHAKE"}"#),
    share("es", "AuthorizeVpcEndpointAccess", &["account"], false, None, false, "{}"),
    share("license-manager", "CreateGrant", &["principals"], true, None, true, "{}"),
    share("appstream", "UpdateImagePermissions", &["sharedAccountId"], false, None, false, "{}"),
    share(
        "workspaces",
        "UpdateWorkspaceImagePermission",
        &["sharedAccountId"],
        false,
        None,
        false,
        r#"{"allowCopyImage":true}"#,
    ),
    share(
        "lightsail",
        "UpdateBucket",
        &["readonlyAccessAccounts"],
        true,
        None,
        false,
        r#"{"bucketName":"888888888888"}"#,
    ),
    share(
        "dlm",
        "CreateLifecyclePolicy",
        &["policyDetails", "schedules", "shareRules", "targetAccounts"],
        true,
        None,
        false,
        r#"{"tags":{"targetAccounts":"888888888888"}}"#,
    ),
    share(
        "imagebuilder",
        "CreateDistributionConfiguration",
        &["distributions", "amiDistributionConfiguration", "launchPermission", "userIds"],
        true,
        None,
        false,
        "{}",
    ),
    share("servicecatalog", "CreatePortfolioShare", &["accountId"], false, None, false, "{}"),
];

const ACCOUNTS: [&str; 3] = ["999999999999", "222222222222", "012345678901"];
const ORGANIZATION: &str = "arn:aws:organizations::333333333333:organization/o-partner000";

/// Puts the texts at the end of a path; lists on the way have one element, which sometimes stands for itself.
fn at(choices: &mut Choices, path: &[&str], texts: Value) -> Value {
    path.iter().rev().fold(texts, |inner, key| {
        let is_list = ["schedules", "shareRules", "distributions"].contains(key);
        let inner = if is_list && !choices.one_in(3) { json!([inner]) } else { inner };
        json!({ *key: inner })
    })
}

#[test]
fn with_whom_something_is_shared_is_read_in_each_calls_shape() {
    let (mut complaints, mut public) = (Vec::new(), 0);
    let rounds = seeds(ROUNDS);
    for seed in rounds.clone() {
        let mut choices = Choices::new(seed);
        let share = &SHARES[choices.below(SHARES.len())];
        let mut expected = BTreeSet::new();
        let mut texts = Vec::new();
        for _ in 0..if share.is_list { choices.below(4) } else { 1 } {
            let (text, name) = match (choices.below(3), share.everybody, share.takes_organizations) {
                (0, Some(word), _) => (word.to_owned(), "everybody"),
                (1, _, true) => (ORGANIZATION.to_owned(), ORGANIZATION),
                _ => {
                    let account = choices.of(&ACCOUNTS);
                    let is_root = share.service == "license-manager" && choices.one_in(2);
                    (if is_root { format!("arn:aws:iam::{account}:root") } else { account.to_owned() }, account)
                }
            };
            texts.push(text);
            expected.insert(name.to_owned());
        }
        let written = if share.is_list { spelling::list(&mut choices, &texts) } else { json!(texts[0]) };
        let mut request = at(&mut choices, share.path, written);
        let besides: Value = share.besides.parse().unwrap();
        request.as_object_mut().unwrap().extend(besides.as_object().unwrap().clone());
        let source = format!("{}.amazonaws.com", share.service);
        let said: BTreeSet<String> =
            values("shared_with", &source, share.event, &request, &Value::Null).into_iter().collect();
        if said != expected {
            complaints.push(format!("seed {seed}: {said:?} is {expected:?}\n{} {request}", share.event));
        }
        if share.everybody.is_some() {
            let told = values("public_access", &source, share.event, &request, &Value::Null);
            let is_public = expected.contains("everybody");
            public += usize::from(is_public);
            if told != if is_public { vec!["shared with everybody"] } else { vec![] } {
                complaints.push(format!("seed {seed}: public {told:?}\n{} {request}", share.event));
            }
        }
    }
    agree("shared_with", rounds.count(), &complaints);
    assert!(public > 0);
}
