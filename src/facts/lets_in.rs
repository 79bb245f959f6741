//! The fields about whom a call lets in by a policy: of a thing, or of a role.

use super::parameters::by_parameters;
use super::policy::{let_in, statements};
use super::resource_policies::RESOURCE_POLICIES;
use super::trusted::{TRUST_POLICIES, trust_statements};
use super::value::DerivedField;
use crate::cloudtrail::{FactValue, Record, is_account_id};

/// Whom a resource policy or a trust policy lets in.
pub(super) const LETS_IN: DerivedField = DerivedField {
    name: "lets_in",
    calls: RESOURCE_POLICIES,
    values: lets_in,
    description: "whom the resource policy or trust policy that the call writes lets in: everybody, 999999999999, an ARN, service \
                  ec2.amazonaws.com, federated …, everybody at … (a provider's users), and where conditions keep strangers out those whom \
                  they name: organization o-example, an endpoint, a network",
};

/// The strangers among them.
pub(super) const LETS_IN_OUTSIDE: DerivedField = DerivedField {
    name: "lets_in_outside",
    calls: RESOURCE_POLICIES,
    values: lets_in_outside,
    description: "those of lets_in who are strangers: everybody, everybody at a provider, and accounts other than the record's",
};

fn lets_in(record: &Record<'_>) -> Vec<FactValue> {
    let event = record.text(&["eventName"]).unwrap_or_default();
    if record.text(&["eventSource"]) == Some(TRUST_POLICIES.service) && TRUST_POLICIES.events.contains(&event) {
        return let_in(&trust_statements(record));
    }
    let mut statements = statements(record);
    statements.extend(by_parameters(record));
    let_in(&statements)
}

fn lets_in_outside(record: &Record<'_>) -> Vec<FactValue> {
    let own = record.own_account();
    LETS_IN.of(record).iter().filter(|value| is_outside(&value.text, own)).cloned().collect()
}

/// Whether a value of `lets_in` or `shared_with` names a stranger. Where the record does not say its account, nobody but everybody is one.
pub(crate) fn is_outside(text: &str, own: Option<&str>) -> bool {
    if text == "everybody" || text.starts_with("everybody at ") || text.starts_with("canonical user ") {
        return true;
    }
    let account = if text.starts_with("arn:") { text.split(':').nth(4).unwrap_or_default() } else { text };
    is_account_id(account) && own.is_some_and(|own| own != account)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(field: &DerivedField, service: &str, event: &str, request: &str) -> Vec<String> {
        let record = format!(
            r#"{{"eventSource":"{service}.amazonaws.com","eventName":"{event}","recipientAccountId":"111122223333",
            "requestParameters":{request}}}"#
        );
        let record = Record::parse(&record).unwrap();
        field.of(&record).iter().map(|value| value.text.clone()).collect()
    }

    fn of_bucket(statements: &str) -> Vec<String> {
        asked(&LETS_IN, "s3", "PutBucketPolicy", &format!(r#"{{"bucketPolicy":{{"Statement":{statements}}}}}"#))
    }

    #[test]
    fn a_policy_that_names_neither_action_nor_resource_lets_everybody_in() {
        assert_eq!(of_bucket(r#"[{"Effect":"Allow","Principal":"*"}]"#), ["everybody"]);
    }

    #[test]
    fn a_record_says_where_it_names_them() {
        let record = r#"{"eventSource":"kms.amazonaws.com","eventName":"PutKeyPolicy","requestParameters":{"policy":
            "{\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":[\"arn:aws:iam::999999999999:root\",\"999999999999\"]}},{\"Effect\":\"Allow\",\"Principal\":\"*\",\"Condition\":{\"StringEquals\":{\"aws:PrincipalOrgID\":\"o-a\"}}}]}"}}"#;
        let record = Record::parse(record).unwrap();
        let values: Vec<(&str, &str)> =
            LETS_IN.of(&record).iter().map(|value| (value.text.as_str(), value.place.as_str())).collect();
        assert_eq!(
            values,
            [
                ("999999999999", "requestParameters.policy.Statement[0].Principal.AWS[0]"),
                ("organization o-a", "requestParameters.policy.Statement[1].Condition.StringEquals.aws:PrincipalOrgID"),
            ]
        );
    }

    #[test]
    fn each_kind_of_principal_has_one_name() {
        let named =
            |principal: &str| of_bucket(&format!(r#"[{{"Effect":"Allow","Principal":{principal},"Action":"s3:*"}}]"#));
        for (principal, name) in [
            (r#"{"AWS":"*"}"#, "everybody"),
            (r#"["*"]"#, "everybody"),
            (r#"{"*":"*"}"#, "everybody"),
            (r#"{"AWS":"arn:aws-us-gov:iam::999999999999:root"}"#, "999999999999"),
            (r#"{"AWS":999999999999}"#, "999999999999"),
            (r#"{"aws":["arn:aws:iam::999999999999:role/r"]}"#, "arn:aws:iam::999999999999:role/r"),
            (r#"{"AWS":"AIDACKCEVSQ6C2EXAMPLE"}"#, "AIDACKCEVSQ6C2EXAMPLE"),
            (r#"{"Service":"EC2.amazonaws.com"}"#, "service ec2.amazonaws.com"),
            (r#"{"CanonicalUser":"79a59df9"}"#, "canonical user 79a59df9"),
        ] {
            assert_eq!(named(principal), [name], "{principal}");
        }
        assert_eq!(
            of_bucket(r#"[{"Effect":"Allow","NotPrincipal":{"AWS":"111122223333"},"Action":"*"}]"#),
            ["everybody"]
        );
        assert_eq!(of_bucket(r#"[{"Effect":"Allow","NotPrincipal":"*","Action":"*"}]"#), [""; 0]);
    }

    #[test]
    fn conditions_count_where_they_keep_strangers_out() {
        let under = |condition: &str| {
            of_bucket(&format!(
                r#"[{{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Condition":{condition}}}]"#
            ))
        };
        for condition in [
            "{}",
            r#"{"StringEquals":{}}"#,
            r#"{"IpAddress":{"aws:SourceIp":"0.0.0.0/0"}}"#,
            r#"{"IpAddress":{"aws:SourceIp":["128.0.0.0/1","0.0.0.0/1"]}}"#,
            r#"{"StringLike":{"aws:PrincipalArn":"*"}}"#,
            r#"{"ArnLike":{"aws:SourceArn":"arn:aws:s3:::*"}}"#,
            r#"{"StringEqualsIfExists":{"aws:PrincipalOrgID":"o-a"}}"#,
            r#"{"StringEquals":{"aws:UserAgent":"secret"}}"#,
            r#"{"StringEquals":{"aws:PrincipalOrgID":"${aws:PrincipalOrgID}"}}"#,
            r#"{"StringNotEquals":{"aws:PrincipalAccount":"111122223333"}}"#,
            r#"{"Bool":{"aws:SecureTransport":"true"},"DateGreaterThan":{"aws:CurrentTime":"2020-01-01"}}"#,
        ] {
            assert_eq!(under(condition), ["everybody"], "{condition}");
        }
        for (condition, names) in [
            (r#"{"StringEquals":{"AWS:SourceOwner":"111122223333"}}"#, "111122223333"),
            (r#"{"StringLike":{"aws:PrincipalOrgPaths":"o-a/r-b/*"}}"#, "organization o-a/r-b/*"),
            (r#"{"IpAddress":{"aws:SourceIp":"203.0.113.9/24"}}"#, "203.0.113.0/24"),
            (r#"{"StringEquals":{"aws:SourceVpce":"vpce-1"}}"#, "vpce-1"),
            (r#"{"ArnLike":{"aws:SourceArn":"arn:aws:s3:::logs"}}"#, "arn:aws:s3:::logs"),
            (
                r#"{"StringLike":{"aws:PrincipalArn":"arn:aws:iam::111122223333:role/*"},"Bool":{"aws:SecureTransport":"true"}}"#,
                "arn:aws:iam::111122223333:role/*",
            ),
            (r#"{"StringEquals":{"aws:PrincipalOrgID":"${aws:ResourceOrgID}"}}"#, "organization ${aws:ResourceOrgID}"),
        ] {
            assert_eq!(under(condition), [names], "{condition}");
        }
        assert_eq!(under(r#"{"StringEquals":{"aws:PrincipalAccount":"*"}}"#), [""; 0], "nobody's account is a star");
        // Whoever has no endpoint comes from this network, and the reverse; but a service comes by neither.
        let both = r#""IpAddressIfExists":{"aws:SourceIp":"203.0.113.0/24"},"StringEqualsIfExists":{"aws:SourceVpce":"vpce-1"}"#;
        assert_eq!(under(&format!("{{{both}}}")), ["everybody"]);
        let no_service = r#""Bool":{"aws:PrincipalIsAWSService":"false"}"#;
        assert_eq!(under(&format!("{{{both},{no_service}}}")), ["203.0.113.0/24", "vpce-1"]);
    }

    #[test]
    fn a_denial_counts_where_it_certainly_takes_back() {
        let denied = |deny: &str| {
            of_bucket(&format!(
                r#"[{{"Effect":"Allow","Principal":{{"AWS":["*","999999999999"]}},"Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}},
                {{"Effect":"Deny",{deny}}}]"#
            ))
        };
        let all = ["everybody", "999999999999"];
        assert_eq!(denied(r#""Principal":"*","Action":"s3:*","Resource":"*""#), [""; 0]);
        assert_eq!(denied(r#""Principal":"*","NotAction":"s3:Put*","Resource":"*""#), [""; 0]);
        assert_eq!(denied(r#""Principal":"*","Action":"s3:Put*","Resource":"*""#), all);
        assert_eq!(denied(r#""Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::b/secret/*""#), all);
        assert_eq!(denied(r#""Principal":{"AWS":"999999999999"},"Action":"s3:*","Resource":"*""#), ["everybody"]);
        assert_eq!(
            denied(
                r#""Principal":"*","Action":"s3:*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}}"#
            ),
            all
        );
        assert_eq!(
            denied(
                r#""Principal":"*","Action":"*","Resource":"*","Condition":{"StringNotEquals":{"aws:PrincipalOrgID":"o-a"}}"#
            ),
            ["organization o-a", "999999999999"]
        );
    }

    #[test]
    fn permissions_by_parameters_are_read_as_policies_are() {
        for (service, event, request, expected) in [
            ("lambda", "AddPermission20150331v2", r#"{"principal":"*"}"#, "everybody"),
            ("lambda", "AddPermission20150331v2", r#"{"principal":"*","principalOrgID":"o-a"}"#, "organization o-a"),
            (
                "lambda",
                "AddPermission",
                r#"{"principal":"s3.amazonaws.com","sourceArn":"arn:aws:s3:::b"}"#,
                "service s3.amazonaws.com",
            ),
            (
                "lambda",
                "AddLayerVersionPermission20181031",
                r#"{"principal":"*","organizationId":"o-a"}"#,
                "organization o-a",
            ),
            ("sns", "AddPermission", r#"{"aWSAccountId":["999999999999"]}"#, "999999999999"),
            ("sqs", "AddPermission", r#"{"aWSAccountIds":["999999999999"]}"#, "999999999999"),
            (
                "events",
                "PutPermission",
                r#"{"principal":"*","condition":{"type":"StringEquals","key":"aws:PrincipalOrgID","value":"o-a"}}"#,
                "organization o-a",
            ),
            (
                "events",
                "PutPermission",
                r#"{"policy":"{\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":\"*\"}]}"}"#,
                "everybody",
            ),
            ("kms", "CreateGrant", r#"{"granteePrincipal":"arn:aws:iam::999999999999:root"}"#, "999999999999"),
            (
                "lex",
                "CreateResourcePolicyStatement",
                r#"{"effect":"Allow","principal":[{"arn":"999999999999"}]}"#,
                "999999999999",
            ),
            (
                "serverlessrepo",
                "PutApplicationPolicy",
                r#"{"statements":[{"principals":["*"],"actions":["Deploy"]}]}"#,
                "everybody",
            ),
        ] {
            assert_eq!(asked(&LETS_IN, service, event, request), [expected], "{event} {request}");
        }
    }

    #[test]
    fn documents_are_found_under_every_name() {
        let policy =
            r#"{\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"999999999999\"},\"Action\":\"*\"}]}"#;
        for (service, event, request) in [
            ("sqs", "SetQueueAttributes", r#"{"attributes":{"Policy":"@"}}"#),
            ("sns", "SetTopicAttributes", r#"{"attributeName":"Policy","attributeValue":"@"}"#),
            ("ecr", "SetRepositoryPolicy", r#"{"policyText":"@"}"#),
            ("secretsmanager", "PutResourcePolicy", r#"{"resourcePolicy":"@"}"#),
            ("es", "UpdateDomainConfig", r#"{"accessPolicies":"@"}"#),
            ("glacier", "SetVaultAccessPolicy", r#"{"policy":{"policy":"@"}}"#),
            ("glue", "PutResourcePolicy", r#"{"policyInJson":"@"}"#),
            ("apigateway", "UpdateRestApi", r#"{"patchOperations":[{"op":"replace","path":"/policy","value":"@"}]}"#),
            ("iam", "CreateRole", r#"{"assumeRolePolicyDocument":"@"}"#),
        ] {
            assert_eq!(asked(&LETS_IN, service, event, &request.replace('@', policy)), ["999999999999"], "{event}");
        }
    }

    #[test]
    fn strangers_are_others_than_the_record_s_account() {
        let principals = r#"{"AWS":["*","111122223333","arn:aws:iam::111122223333:role/r","arn:aws:iam::999999999999:role/r"],"Service":"s3.amazonaws.com"}"#;
        let request =
            format!(r#"{{"bucketPolicy":{{"Statement":{{"Effect":"Allow","Principal":{principals},"Action":"*"}}}}}}"#);
        let outside = asked(&LETS_IN_OUTSIDE, "s3", "PutBucketPolicy", &request);
        assert_eq!(outside, ["everybody", "arn:aws:iam::999999999999:role/r"]);
    }
}
