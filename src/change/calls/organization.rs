//! Accounts, what they may, and what they cost.

use super::calls;
use crate::change::entry::Entry;
use crate::change::entry::Part::{Counted, If, Policies, Request, Response, Switch, Turn, Words};

pub(super) const CALLS: &[Entry] = calls! {
    "organizations" {
        "LeaveOrganization" => [Words("organization", "this account leaves it")];
        "DeleteOrganization" => [Words("organization", "deleted (no policy of it holds any more)")];
        "RemoveAccountFromOrganization" => [Request("removed account", "accountId")];
        "MoveAccount" => [Turn("place in the organization", "sourceParentId", "destinationParentId"), Request("account", "accountId")];
        "CreateAccount" => [Request("new account", "accountName"), Request("e-mail address", "email"), Request("role", "roleName")];
        "InviteAccountToOrganization" => [Request("invited", "target.id")];
        "AcceptHandshake" "DeclineHandshake" => [
            Request("handshake", "handshakeId"), Response("kind", "handshake.action"), Response("parties", "handshake.parties.id")
        ];
        "AttachPolicy" => [Request("attached policy", "policyId"), Request("to", "targetId")];
        "DetachPolicy" => [Request("detached policy", "policyId"), Request("from", "targetId")];
        "CreatePolicy" "UpdatePolicy" => [
            Policies("policy", "name|policyId"), Request("kind", "type"), Request("policy", "policyId|name")
        ];
        "EnablePolicyType" => [Request("kind of policies on", "policyType"), Request("in", "rootId")];
        "DisablePolicyType" => [Request("kind of policies off", "policyType"), Request("in", "rootId")];
        "RegisterDelegatedAdministrator" => [Request("administered by account", "accountId"), Request("service", "servicePrincipal")];
        "DeregisterDelegatedAdministrator" => [Request("no longer administered by", "accountId"), Request("service", "servicePrincipal")];
        "EnableAWSServiceAccess" => [Request("trusts service", "servicePrincipal")];
        "DisableAWSServiceAccess" => [Request("no longer trusts service", "servicePrincipal")];
        "CreateOrganizationalUnit" => [Request("new unit", "name"), Request("in", "parentId")];
        "CloseAccount" => [Request("closed account", "accountId")];
    }
    "account" {
        "EnableRegion" => [Request("region on", "regionName")];
        "DisableRegion" => [Request("region off", "regionName")];
        "PutAlternateContact" => [Request("contact", "alternateContactType"), Request("e-mail address", "emailAddress")];
        "StartPrimaryEmailUpdate" => [Request("e-mail address of root", "primaryEmail"), Request("of account", "accountId")];
    }
    "budgets" {
        "DeleteBudget" "DeleteBudgetAction" => [Request("deleted budget", "budgetName")];
        "CreateBudget" "UpdateBudget" "ModifyBudget" => [
            Request("limit", "budget.budgetLimit|newBudget.budgetLimit"), Request("budget", "budget.budgetName|newBudget.budgetName|budgetName")
        ];
        "DeleteNotification" "DeleteSubscriber" => [Request("nobody is told of budget", "budgetName")];
    }
    "ce" {
        "DeleteAnomalyMonitor" => [Request("deleted monitor", "monitorArn")];
        "DeleteAnomalySubscription" => [Request("nobody is told by", "subscriptionArn")];
    }
    "servicequotas" {
        "RequestServiceQuotaIncrease" "PutServiceQuotaIncreaseRequestIntoTemplate" => [
            Request("wanted", "desiredValue"), Request("quota", "quotaCode"), Request("service", "serviceCode")
        ];
    }
    "bedrock" {
        "DeleteModelInvocationLoggingConfiguration" => [Words("logging of what models are asked", "off")];
        "PutModelInvocationLoggingConfiguration" => [
            Request("logged to", "loggingConfig.s3Config.bucketName|loggingConfig.cloudWatchConfig.logGroupName"), Switch("logging of texts", "loggingConfig.textDataDeliveryEnabled")
        ];
        "DeleteGuardrail" => [Request("deleted guardrail", "guardrailIdentifier"), Request("version", "guardrailVersion")];
        "UpdateGuardrail" => [
            Request("guardrail", "guardrailIdentifier"), Request("filters", "contentPolicyConfig.filtersConfig"), Request("topics", "topicPolicyConfig.topicsConfig.name")
        ];
        "PutFoundationModelEntitlement" "CreateFoundationModelAgreement" "InvokeModel" "InvokeModelWithResponseStream" "Converse" "ConverseStream" =>
            [Request("model", "modelId")];
        "PutUseCaseForModelAccess" => [Words("use of models", "asked for"), Request("form", "formData")];
    }
    "agreement-marketplace" {
        "AcceptAgreementRequest" => [Response("agreement", "agreementId"), Request("request", "agreementRequestId")];
    }
    "ses" {
        "CreateEmailIdentity" "VerifyEmailIdentity" "VerifyDomainIdentity" "VerifyDomainDkim" => [Request("sends as", "emailIdentity|emailAddress|domain")];
        "DeleteEmailIdentity" "DeleteIdentity" => [Request("deleted identity", "emailIdentity|identity")];
        "UpdateAccountSendingEnabled" "PutAccountSendingAttributes" => [Switch("sending of mail", "enabled|sendingEnabled")];
        "PutAccountDetails" => [
            Request("kind of mail", "mailType"), Request("website", "websiteURL"), If("productionAccessEnabled", "true", "limits of the sandbox", "to be taken off")
        ];
    }
    "cloudshell" {
        "CreateSession" "CreateEnvironment" => [Words("shell", "opened in the console")];
    }
    "appsync" {
        "CreateApiKey" => [Response("new key", "apiKey.id"), Request("of API", "apiId"), Request("expires", "expires")];
        "UpdateGraphqlApi" => [Request("sign-in by", "authenticationType"), Request("API", "apiId")];
    }
    "cloudfront" {
        "UpdateDistribution" => [
            Request("origins", "distributionConfig.origins.items.domainName"), Request("names", "distributionConfig.aliases.items"), Switch("distribution", "distributionConfig.enabled")
        ];
    }
    "elasticfilesystem" {
        "DeleteFileSystem" "DeleteMountTarget" => [Request("deleted", "fileSystemId|mountTargetId")];
    }
    "cloudcontrolapi" {
        "DeleteResource" "UpdateResource" => [
            Request("kind", "typeName"), Request("resource", "identifier"), Request("changes", "patchDocument")
        ];
    }
    "acm" {
        "ExportCertificate" => [Words("what is read", "the certificate with its private key")];
        "RequestCertificate" => [Request("for", "domainName"), Counted("and", "subjectAlternativeNames", "as well")];
    }
};
