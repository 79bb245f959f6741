//! The field about policies that make an administrator.

use super::call::partition;
use super::placed::Placed;
use super::policy::{administration, statements};
use super::value::{DerivedField, ServiceCalls};
use crate::cloudtrail::{FactValue, Record};

/// Where a call grants administration.
pub(super) const ADMIN_GRANT: DerivedField = DerivedField {
    name: "admin_grant",
    calls: &[
        ServiceCalls {
            service: "iam.amazonaws.com",
            events: &[
                "AttachGroupPolicy",
                "AttachRolePolicy",
                "AttachUserPolicy",
                "CreatePolicy",
                "CreatePolicyVersion",
                "PutGroupPolicy",
                "PutRolePolicy",
                "PutUserPolicy",
            ],
        },
        ServiceCalls {
            service: "sso.amazonaws.com",
            events: &["AttachManagedPolicyToPermissionSet", "PutInlinePolicyToPermissionSet"],
        },
    ],
    values,
    description: "how an identity policy that the call writes or attaches grants administration: Allow * on *, Allow iam:* on * (all that \
                  it takes to give oneself the rest), AdministratorAccess; with under conditions behind it where not everybody meets them",
};

/// AWS's own policies that make an administrator.
const MANAGED: [&str; 2] = ["AdministratorAccess", "IAMFullAccess"];

fn values(record: &Record<'_>) -> Vec<FactValue> {
    let Some(request) = Placed::top(record, "requestParameters") else { return Vec::new() };
    let attached = ["policyArn", "managedPolicyArn"].into_iter().find_map(|key| request.get(key));
    let managed = attached.and_then(|arn| {
        let name = arn.text()?.strip_prefix("arn:")?.split_once(":iam::aws:policy/")?.1;
        MANAGED.contains(&name).then(|| FactValue { text: name.to_owned(), place: arn.place.clone() })
    });
    let account = record.own_account().unwrap_or("\u{1}");
    managed.into_iter().chain(administration(&statements(record), partition(record), account)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn granted(event: &str, request: &str) -> Vec<(String, String)> {
        let source = if event.ends_with("PermissionSet") { "sso" } else { "iam" };
        let record = format!(
            r#"{{"eventSource":"{source}.amazonaws.com","eventName":"{event}","awsRegion":"us-east-1",
            "recipientAccountId":"111122223333","requestParameters":{request}}}"#
        );
        let record = Record::parse(&record).unwrap();
        ADMIN_GRANT.of(&record).iter().map(|value| (value.text.clone(), value.place.clone())).collect()
    }

    fn of_policy(statements: &str) -> Vec<String> {
        let document = format!(r#"{{"policyDocument":{{"Statement":{statements}}}}}"#);
        granted("PutUserPolicy", &document).into_iter().map(|(text, _)| text).collect()
    }

    #[test]
    fn the_case_of_an_action_does_not_count() {
        let request = r#"{"userName":"x","policyName":"p","policyDocument":
            "{\"Version\": \"2012-10-17\", \"Statement\": [{\"Effect\": \"Allow\", \"Action\": \"IAM:*\", \"Resource\": \"*\"}]}"}"#;
        let place = "requestParameters.policyDocument.Statement[0]";
        assert_eq!(granted("PutUserPolicy", request), [("Allow iam:* on *".to_owned(), place.to_owned())]);
        assert_eq!(granted("GetUserPolicy", request), []);
    }

    #[test]
    fn a_policy_counts_by_what_it_allows() {
        let all = ["Allow * on *"];
        let iam = ["Allow iam:* on *"];
        assert_eq!(of_policy(r#"{"Effect":"Allow","Action":["s3:Get*","*:*"],"Resource":"*"}"#), all);
        assert_eq!(of_policy(r#"[{"effect":"allow","action":"**","resource":["*"]}]"#), all);
        assert_eq!(of_policy(r#"[{"Effect":"Allow","NotAction":"s3:*","Resource":"*"}]"#), iam);
        assert_eq!(of_policy(r#"[{"Effect":"Allow","Action":"*","NotResource":"arn:aws:s3:::x"}]"#), iam);
        assert_eq!(of_policy(r#"[{"Effect":"Allow","Action":"iam:*","Resource":"arn:aws:iam::111122223333:*"}]"#), iam);
        assert_eq!(of_policy(r#"[{"Effect":"Allow","NotAction":"iam:*","Resource":"*"}]"#), [""; 0]);
        assert_eq!(
            of_policy(r#"[{"Effect":"Allow","Action":"iam:*","Resource":"arn:aws:iam::111122223333:user/x"}]"#),
            [""; 0]
        );
        assert_eq!(of_policy(r#"[{"Effect":"Deny","Action":"*","Resource":"*"}]"#), [""; 0]);
    }

    #[test]
    fn a_condition_that_everybody_meets_is_none_and_a_denial_of_all_takes_all_back() {
        let allow = |condition: &str| {
            of_policy(&format!(r#"[{{"Effect":"Allow","Action":"*","Resource":"*","Condition":{condition}}}]"#))
        };
        assert_eq!(allow("{}"), ["Allow * on *"]);
        assert_eq!(allow(r#"{"IpAddress":{"aws:SourceIp":["0.0.0.0/1","128.0.0.0/1"]}}"#), ["Allow * on *"]);
        assert_eq!(allow(r#"{"BoolIfExists":{"aws:MultiFactorAuthPresent":"true"}}"#), ["Allow * on *"]);
        assert_eq!(allow(r#"{"Bool":{"aws:MultiFactorAuthPresent":"true"}}"#), ["Allow * on * under conditions"]);
        let denied = |actions: &str| {
            of_policy(&format!(
                r#"[{{"Effect":"Allow","Action":"*","Resource":"*"}},{{"Effect":"Deny","Action":{actions},"Resource":"*"}}]"#
            ))
        };
        assert_eq!(denied(r#""iam:PutUserPolicy""#), ["Allow * on *"]);
        assert_eq!(denied(r#"["iam:A*","iam:C*","IAM:Put*","iam:U*"]"#), [""; 0]);
    }

    #[test]
    fn aws_s_own_policies_count_in_every_partition() {
        for (event, key, arn, expected) in [
            (
                "AttachUserPolicy",
                "policyArn",
                "arn:aws:iam::aws:policy/AdministratorAccess",
                Some("AdministratorAccess"),
            ),
            ("AttachRolePolicy", "policyArn", "arn:aws-cn:iam::aws:policy/IAMFullAccess", Some("IAMFullAccess")),
            (
                "AttachManagedPolicyToPermissionSet",
                "managedPolicyArn",
                "arn:aws:iam::aws:policy/AdministratorAccess",
                Some("AdministratorAccess"),
            ),
            ("AttachRolePolicy", "policyArn", "arn:aws:iam::aws:policy/AdministratorAccess-Amplify", None),
            ("AttachRolePolicy", "policyArn", "arn:aws:iam::111122223333:policy/AdministratorAccess", None),
            ("DetachRolePolicy", "policyArn", "arn:aws:iam::aws:policy/AdministratorAccess", None),
        ] {
            let granted = granted(event, &format!(r#"{{"{key}":"{arn}"}}"#));
            let place = format!("requestParameters.{key}");
            let expected: Vec<_> = expected.into_iter().map(|name| (name.to_owned(), place.clone())).collect();
            assert_eq!(granted, expected, "{event} {arn}");
        }
    }

    #[test]
    fn another_partition_has_arns_of_its_own() {
        let record = r#"{"eventSource":"iam.amazonaws.com","eventName":"PutRolePolicy","awsRegion":"cn-north-1","recipientAccountId":"111122223333",
            "requestParameters":{"policyDocument":{"Statement":{"Effect":"Allow","Action":"iam:*","Resource":"arn:aws-cn:iam::*:*"}}}}"#;
        let record = Record::parse(record).unwrap();
        assert_eq!(ADMIN_GRANT.of(&record)[0].text, "Allow iam:* on *");
    }
}
