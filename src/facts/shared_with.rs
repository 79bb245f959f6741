//! The field about whom something is shared with, by other means than a policy.

use super::lets_in::is_outside;
use super::placed::Placed;
use super::policy::{Found, Who};
use super::value::{DerivedField, ServiceCalls};
use crate::cloudtrail::{FactValue, Record, is_account_id};

/// Whom a call shares something with.
pub(super) const SHARED_WITH: DerivedField = DerivedField {
    name: "shared_with",
    calls: SHARES,
    values: shared_with,
    description: "whom the call shares a snapshot, an image, a document or a resource with: an account, everybody, the ARN of an organization or \
                  a unit of one; what it takes away from somebody gives nothing",
};

macro_rules! calls {
    ($($service:literal: $($event:literal)+;)+) => {
        &[$(ServiceCalls { service: concat!($service, ".amazonaws.com"), events: &[$($event),+] },)+]
    };
}

/// The calls, collected from botocore 1.43: those that name accounts or organizations which something is given to.
pub(super) const SHARES: &[ServiceCalls] = calls! {
    "appstream": "UpdateImagePermissions";
    "appstream2": "UpdateImagePermissions";
    "dlm": "CreateLifecyclePolicy" "UpdateLifecyclePolicy";
    "ds": "ShareDirectory";
    "ec2": "ModifyFpgaImageAttribute" "ModifyImageAttribute" "ModifySnapshotAttribute" "ModifyVpcEndpointServicePermissions";
    "es": "AuthorizeVpcEndpointAccess";
    "imagebuilder": "CreateDistributionConfiguration" "UpdateDistributionConfiguration";
    "lakeformation": "BatchGrantPermissions" "GrantPermissions";
    "license-manager": "CreateGrant";
    "lightsail": "UpdateBucket";
    "omics": "CreateShare";
    "ram": "AssociateResourceShare" "CreateResourceShare";
    "rds": "ModifyDBClusterSnapshotAttribute" "ModifyDBSnapshotAttribute";
    "redshift": "AuthorizeDataShare" "AuthorizeEndpointAccess" "AuthorizeSnapshotAccess";
    "servicecatalog": "CreatePortfolioShare";
    "ssm": "ModifyDocumentPermission";
    "workspaces": "UpdateWorkspaceImagePermission";
};

/// Where requests name the recipients; lists on the way are walked.
const RECIPIENTS: &[&[&str]] = &[
    &["createVolumePermission", "add", "userId"],
    &["createVolumePermission", "add", "group"],
    &["launchPermission", "add", "userId"],
    &["launchPermission", "add", "group"],
    &["launchPermission", "add", "organizationArn"],
    &["launchPermission", "add", "organizationalUnitArn"],
    &["loadPermission", "add", "userId"],
    &["loadPermission", "add", "group"],
    &["addAllowedPrincipals"],
    &["valuesToAdd"],
    &["accountWithRestoreAccess"],
    &["consumerIdentifier"],
    &["account"],
    &["service"],
    &["accountIdsToAdd"],
    &["principals"],
    &["shareTarget", "id"],
    &["sharedAccountId"],
    &["readonlyAccessAccounts"],
    &["distributions", "amiDistributionConfiguration", "targetAccountIds"],
    &["distributions", "amiDistributionConfiguration", "launchPermission", "userIds"],
    &["distributions", "amiDistributionConfiguration", "launchPermission", "userGroups"],
    &["distributions", "amiDistributionConfiguration", "launchPermission", "organizationArns"],
    &["distributions", "amiDistributionConfiguration", "launchPermission", "organizationalUnitArns"],
    &["accountId"],
    &["organizationNode", "value"],
    &["principalSubscriber"],
    &["policyDetails", "schedules", "shareRules", "targetAccounts"],
    &["principal", "dataLakePrincipalIdentifier"],
    &["entries", "principal", "dataLakePrincipalIdentifier"],
];

/// The older form of EC2's requests, which count where `operationType` says that they add.
const OLD_RECIPIENTS: &[&[&str]] = &[
    &["userId"],
    &["userIds"],
    &["userGroup"],
    &["userGroups"],
    &["groupNames"],
    &["organizationArn"],
    &["organizationArns"],
    &["organizationalUnitArn"],
    &["organizationalUnitArns"],
];

fn shared_with(record: &Record<'_>) -> Vec<FactValue> {
    let mut found = Found::default();
    let Some(request) = Placed::request(record) else { return found.into_values() };
    if request.text_of(&["allowCopyImage"]).is_some_and(|allowed| allowed != "true") {
        return found.into_values();
    }
    let adds = request.text_of(&["operationType"]).is_some_and(|operation| operation.eq_ignore_ascii_case("add"));
    let paths = RECIPIENTS.iter().chain(if adds { OLD_RECIPIENTS } else { &[] });
    for path in paths {
        each_text(&request, path, &mut |text, place| {
            let only_outside = path.last() == Some(&"dataLakePrincipalIdentifier");
            let name = recipient(text);
            if !only_outside || is_outside(&name, record.own_account()) || name.contains(":organizations:") {
                found.add(name, place);
            }
        });
    }
    found.into_values()
}

/// From whom a call takes away what was shared: in the words of `shared_with`.
pub(crate) fn no_longer_shared_with(record: &Record<'_>) -> Vec<FactValue> {
    let mut found = Found::default();
    let is_known = SHARED_WITH.understands_call_of(record);
    let Some(request) = Placed::request(record).filter(|_| is_known) else { return found.into_values() };
    let removed = |key: &&'static str| match *key {
        "add" => Some("remove"),
        "valuesToAdd" => Some("valuesToRemove"),
        "addAllowedPrincipals" => Some("removeAllowedPrincipals"),
        "accountIdsToAdd" => Some("accountIdsToRemove"),
        _ => None,
    };
    for path in RECIPIENTS.iter().filter(|path| path.iter().any(|key| removed(key).is_some())) {
        let path: Vec<&str> = path.iter().map(|key| removed(key).unwrap_or(key)).collect();
        each_text(&request, &path, &mut |text, place| found.add(recipient(text), place));
    }
    let removes = request.text_of(&["operationType"]).is_some_and(|operation| operation.eq_ignore_ascii_case("remove"));
    for path in OLD_RECIPIENTS.iter().filter(|_| removes) {
        each_text(&request, path, &mut |text, place| found.add(recipient(text), place));
    }
    found.into_values()
}

/// Visits the texts to which a path leads. EC2 writes the elements of some lists as objects with a `content`.
pub(super) fn each_text(placed: &Placed<'_>, path: &[&str], visit: &mut dyn FnMut(&str, &str)) {
    for element in placed.elements() {
        if let Some((key, rest)) = path.split_first() {
            if let Some(member) = element.get(key) {
                each_text(&member, rest, visit);
            }
        } else {
            let inner = element.get("content").unwrap_or(element);
            if let Some(text) = inner.text() {
                visit(text, &inner.place);
            }
        }
    }
}

/// In one spelling, whoever it is.
fn recipient(text: &str) -> String {
    match text {
        _ if text.eq_ignore_ascii_case("all") || text.bytes().all(|byte| byte == b'*') => Who::Everybody.name(),
        _ if is_account_id(text) || text.starts_with("arn:") => Who::aws(text).name(),
        _ if text.ends_with(".amazonaws.com") => Who::service(text).name(),
        _ if text.starts_with("o-") => format!("organization {text}"),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shared(service: &str, event: &str, request: &str) -> Vec<(String, String)> {
        let record = format!(
            r#"{{"eventSource":"{service}.amazonaws.com","eventName":"{event}","recipientAccountId":"111122223333","requestParameters":{request}}}"#
        );
        let record = Record::parse(&record).unwrap();
        SHARED_WITH.of(&record).iter().map(|value| (value.text.clone(), value.place.clone())).collect()
    }

    #[test]
    fn a_description_or_a_removal_shares_nothing() {
        assert_eq!(
            shared("ec2", "ModifyImageAttribute", r#"{"imageId":"ami-1","description":{"value":"built by ci"}}"#),
            []
        );
        let removed =
            r#"{"launchPermission":{"remove":{"items":[{"group":"all"}]}},"attributeType":"launchPermission"}"#;
        assert_eq!(shared("ec2", "ModifyImageAttribute", removed), []);
        assert_eq!(
            shared("ec2", "ModifyImageAttribute", r#"{"operationType":"remove","userIds":["999999999999"]}"#),
            []
        );
        assert_eq!(shared("ssm", "ModifyDocumentPermission", r#"{"accountIdsToRemove":["all"]}"#), []);
        assert_eq!(
            shared(
                "workspaces",
                "UpdateWorkspaceImagePermission",
                r#"{"allowCopyImage":false,"sharedAccountId":"999999999999"}"#
            ),
            []
        );
        assert_eq!(shared("rds", "ModifyDBSnapshotAttribute", r#"{"attributeName":"restore","valuesToAdd":[]}"#), []);
    }

    #[test]
    fn the_place_of_each_recipient_is_told() {
        let added = r#"{"snapshotId":"snap-1","createVolumePermission":{"add":{"items":[{"userId":"999999999999"},{"group":"all"}]}}}"#;
        let place = |rest: &str| format!("requestParameters.createVolumePermission.add.items{rest}");
        assert_eq!(
            shared("ec2", "ModifySnapshotAttribute", added),
            [("999999999999".to_owned(), place("[0].userId")), ("everybody".to_owned(), place("[1].group"))]
        );
    }

    #[test]
    fn each_call_is_read_where_it_names_them() {
        let organization = "arn:aws:organizations::333333333333:organization/o-a";
        for (service, event, request, expected) in [
            ("rds", "ModifyDBSnapshotAttribute", r#"{"attributeName":"restore","valuesToAdd":["all"]}"#, "everybody"),
            ("rds", "ModifyDBClusterSnapshotAttribute", r#"{"valuesToAdd":["999999999999"]}"#, "999999999999"),
            ("redshift", "AuthorizeSnapshotAccess", r#"{"accountWithRestoreAccess":"999999999999"}"#, "999999999999"),
            ("ssm", "ModifyDocumentPermission", r#"{"accountIdsToAdd":["All"],"permissionType":"Share"}"#, "everybody"),
            (
                "ram",
                "CreateResourceShare",
                r#"{"principals":["arn:aws:organizations::333333333333:organization/o-a"]}"#,
                organization,
            ),
            ("ds", "ShareDirectory", r#"{"shareTarget":{"id":"999999999999","type":"ACCOUNT"}}"#, "999999999999"),
            (
                "ec2",
                "ModifyVpcEndpointServicePermissions",
                r#"{"ModifyVpcEndpointServicePermissionsRequest":{"AddAllowedPrincipals":{"tag":1,"content":"arn:aws:iam::999999999999:root"}}}"#,
                "999999999999",
            ),
            (
                "lakeformation",
                "GrantPermissions",
                r#"{"principal":{"dataLakePrincipalIdentifier":"999999999999"}}"#,
                "999999999999",
            ),
            (
                "servicecatalog",
                "CreatePortfolioShare",
                r#"{"organizationNode":{"type":"ORGANIZATION","value":"o-a"}}"#,
                "organization o-a",
            ),
        ] {
            let texts: Vec<String> = shared(service, event, request).into_iter().map(|(text, _)| text).collect();
            assert_eq!(texts, [expected], "{event} {request}");
        }
        let own = r#"{"principal":{"dataLakePrincipalIdentifier":"arn:aws:iam::111122223333:role/etl"}}"#;
        assert_eq!(shared("lakeformation", "GrantPermissions", own), []);
    }
}
