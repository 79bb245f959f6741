//! The field about whom a role trusts.

use super::policy::{Budget, Glob, Selection, Statement, let_in, statements};
use super::value::{DerivedField, ServiceCalls};
use crate::cloudtrail::{FactValue, Record};

/// The calls that write a role's trust policy.
pub(super) const TRUST_POLICIES: ServiceCalls =
    ServiceCalls { service: "iam.amazonaws.com", events: &["CreateRole", "UpdateAssumeRolePolicy"] };

/// Who may assume a role.
pub(super) const TRUSTED: DerivedField = DerivedField {
    name: "trusted",
    calls: &[TRUST_POLICIES],
    values,
    description: "who may assume the role that the call makes or changes, as lets_in says it; everybody at token.actions.githubusercontent.com \
                  where no claim is asked for that only some of the provider's users have",
};

fn values(record: &Record<'_>) -> Vec<FactValue> {
    let_in(&trust_statements(record))
}

/// The actions that assume a role. Source:
/// <https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecuritytokenservice.html>.
const ASSUME: [&str; 3] = ["sts:AssumeRole", "sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity"];

/// The statements of a trust policy that are about assuming the role, rather than about tags of the session alone. What they allow
/// besides is left out: nothing of it must be denied before they let nobody in.
pub(super) fn trust_statements<'r>(record: &'r Record<'_>) -> Vec<Statement<'r>> {
    let budget = Budget::default();
    let mut statements = statements(record);
    statements.retain_mut(|statement| {
        let mut assume = ASSUME.map(Glob::of_actions).to_vec();
        assume.retain(|action| statement.actions.may_have(action, &budget));
        let is_about = !assume.is_empty();
        if statement.allows {
            statement.actions = Selection::Only(assume);
        }
        is_about
    });
    statements
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trusted(statement: &str) -> Vec<String> {
        let record = format!(
            r#"{{"eventSource":"iam.amazonaws.com","eventName":"UpdateAssumeRolePolicy","requestParameters":{{"policyDocument":{{"Statement":{statement}}}}}}}"#
        );
        let record = Record::parse(&record).unwrap();
        TRUSTED.of(&record).iter().map(|value| value.text.clone()).collect()
    }

    #[test]
    fn a_service_an_account_and_everybody_are_told() {
        assert_eq!(
            trusted(
                r#"[{"Effect":"Allow","Principal":{"Service":["ec2.amazonaws.com"]},"Action":"sts:AssumeRole"},
            {"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::999999999999:root"},"Action":"sts:*"}]"#
            ),
            ["service ec2.amazonaws.com", "999999999999"]
        );
        // An external id is no secret: <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_common-scenarios_third-party.html>.
        let condition = r#""Condition":{"StringEquals":{"sts:ExternalId":"12345"}}"#;
        let everybody = format!(r#"{{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole",{condition}}}"#);
        assert_eq!(trusted(&everybody), ["everybody"]);
        assert_eq!(trusted(r#"{"Effect":"Allow","Principal":"*","Action":"sts:TagSession"}"#), [""; 0]);
    }

    #[test]
    fn a_provider_s_users_are_everybody_where_no_claim_tells_them_apart() {
        let by = |provider: &str, condition: &str| {
            trusted(&format!(
                r#"{{"Effect":"Allow","Principal":{{"Federated":"{provider}"}},"Action":"sts:AssumeRoleWith*","Condition":{condition}}}"#
            ))
        };
        let github = "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com";
        let eks = "arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/ABC";
        for (provider, condition, expected) in [
            (github, "{}", "everybody at token.actions.githubusercontent.com"),
            (
                github,
                r#"{"StringEquals":{"token.actions.githubusercontent.com:aud":"sts.amazonaws.com"}}"#,
                "everybody at token.actions.githubusercontent.com",
            ),
            (
                github,
                r#"{"StringLike":{"token.actions.githubusercontent.com:sub":"repo:*"}}"#,
                "everybody at token.actions.githubusercontent.com",
            ),
            (
                github,
                r#"{"StringLike":{"token.actions.githubusercontent.com:sub":"repo:example/*"}}"#,
                "federated token.actions.githubusercontent.com",
            ),
            (
                eks,
                r#"{"StringEquals":{"oidc.eks.eu-west-1.amazonaws.com/id/ABC:sub":"system:serviceaccount:default:app"}}"#,
                "federated oidc.eks.eu-west-1.amazonaws.com/id/ABC",
            ),
            (
                "arn:aws:iam::111122223333:saml-provider/Example",
                r#"{"StringEquals":{"SAML:aud":"https://signin.aws.amazon.com/saml"}}"#,
                "federated saml-provider/Example",
            ),
            ("arn:aws:iam::111122223333:saml-provider/Example", "{}", "everybody at saml-provider/Example"),
            (
                "cognito-identity.amazonaws.com",
                r#"{"StringEquals":{"cognito-identity.amazonaws.com:aud":"eu-west-1:1"}}"#,
                "federated cognito-identity.amazonaws.com",
            ),
            (
                "cognito-identity.amazonaws.com",
                r#"{"ForAnyValue:StringLike":{"cognito-identity.amazonaws.com:amr":"authenticated"}}"#,
                "everybody at cognito-identity.amazonaws.com",
            ),
        ] {
            assert_eq!(by(provider, condition), [expected], "{condition}");
        }
    }
}
