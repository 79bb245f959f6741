//! Who can sign in, and as what.

use super::calls;
use crate::change::entry::Entry;
use crate::change::entry::Part::{Details, If, More, Policies, Request, Response, Special, Switch, Words};
use crate::change::special::{
    account_assignment, chained_from, identity_provider, login_profile, new_credential, password_policy, sign_in, trust,
};

const GRANT: &str = "policyArn|managedPolicyArn";

pub(super) const CALLS: &[Entry] = calls! {
    "iam" {
        "CreateAccessKey" => [Special("new key", new_credential)];
        "CreateLoginProfile" "UpdateLoginProfile" => [Special("console password", login_profile)];
        "DeleteLoginProfile" => [Words("console password", "removed")];
        "ChangePassword" => [Words("console password", "set anew by the user")];
        "CreateServiceSpecificCredential" "ResetServiceSpecificCredential" =>
            [Special("new credential", new_credential), Request("for service", "serviceName")];
        "CreateVirtualMFADevice" => [Special("new MFA device", new_credential)];
        "UploadSSHPublicKey" "UploadSigningCertificate" => [Special("new credential", new_credential)];
        "EnableMFADevice" => [Request("added MFA device", "serialNumber")];
        "DeactivateMFADevice" "DeleteVirtualMFADevice" => [Request("removed MFA device", "serialNumber")];
        "UpdateAccessKey" => [Request("key", "accessKeyId"), Request("status", "status")];
        "UpdateSSHPublicKey" => [Request("key", "sSHPublicKeyId"), Request("status", "status")];
        "UpdateSigningCertificate" => [Request("certificate", "certificateId"), Request("status", "status")];
        "DeleteAccessKey" => [Request("deleted key", "accessKeyId")];
        "DeleteSSHPublicKey" => [Request("deleted key", "sSHPublicKeyId")];
        "AttachUserPolicy" "AttachRolePolicy" "AttachGroupPolicy" => [Request("attached policy", GRANT)];
        "DetachUserPolicy" "DetachRolePolicy" "DetachGroupPolicy" => [Request("detached policy", GRANT)];
        "PutUserPolicy" "PutRolePolicy" "PutGroupPolicy" => [Policies("policy", "policyName")];
        "DeleteUserPolicy" "DeleteRolePolicy" "DeleteGroupPolicy" => [Request("deleted policy", "policyName")];
        "CreatePolicy" => [Policies("policy", "policyName")];
        "CreatePolicyVersion" =>
            [Policies("policy", ""), If("setAsDefault", "true", "version", "becomes the default one"), Response("version", "policyVersion.versionId")];
        "SetDefaultPolicyVersion" => [Request("default version", "versionId")];
        "DeletePolicyVersion" => [Request("deleted version", "versionId")];
        "CreateRole" => [Special("trusts, trust policy", trust), Request("permissions boundary", "permissionsBoundary")];
        "UpdateAssumeRolePolicy" => [Special("trusts, trust policy", trust)];
        "CreateUser" => [Request("permissions boundary", "permissionsBoundary")];
        "PutUserPermissionsBoundary" "PutRolePermissionsBoundary" => [Request("permissions boundary", "permissionsBoundary")];
        "DeleteUserPermissionsBoundary" "DeleteRolePermissionsBoundary" => [Words("permissions boundary", "none any more")];
        "AddUserToGroup" => [Request("added to group", "groupName")];
        "RemoveUserFromGroup" => [Request("removed from group", "groupName")];
        "AddRoleToInstanceProfile" =>
            [Request("added role", "roleName"), Request("to instance profile", "instanceProfileName")];
        "RemoveRoleFromInstanceProfile" =>
            [Request("removed role", "roleName"), Request("from instance profile", "instanceProfileName")];
        "CreateServiceLinkedRole" => [Request("role of service", "aWSServiceName")];
        "CreateSAMLProvider" "UpdateSAMLProvider" =>
            [Special("identity provider, signs in at", identity_provider), Request("name", "name"), Request("provider", "sAMLProviderArn")];
        "DeleteSAMLProvider" => [Request("deleted provider", "sAMLProviderArn")];
        "CreateOpenIDConnectProvider" => [
            Request("identity provider", "url"), Request("audience", "clientIDList"), Request("thumbprints", "thumbprintList")
        ];
        "AddClientIDToOpenIDConnectProvider" =>
            [Request("added audience", "clientID"), Request("provider", "openIDConnectProviderArn")];
        "UpdateOpenIDConnectProviderThumbprint" =>
            [Request("thumbprints", "thumbprintList"), Request("provider", "openIDConnectProviderArn")];
        "DeleteOpenIDConnectProvider" => [Request("deleted provider", "openIDConnectProviderArn")];
        "UpdateAccountPasswordPolicy" => [Special("password policy", password_policy)];
        "DeleteAccountPasswordPolicy" => [Words("password policy", "none (AWS's own rules apply)")];
        "EnableOrganizationsRootCredentialsManagement" => [Words("root of member accounts", "managed from here")];
        "EnableOrganizationsRootSessions" => [Words("root of member accounts", "sessions from here")];
    }
    "sts" {
        "AssumeRole" => [
            Request("session", "roleSessionName"), Request("source identity", "sourceIdentity"),
            Special("chained from, key of the session", chained_from), Policies("session policy", "")
        ];
        "AssumeRoot" => [
            Request("for the task", "taskPolicyArn.arn|taskPolicyArn"), Request("root of account", "targetPrincipal"),
            Special("key of the session", chained_from)
        ];
        "AssumeRoleWithSAML" => [Request("provider", "principalArn"), Request("session", "roleSessionName"), Special("key of the session", chained_from)];
        "AssumeRoleWithWebIdentity" => [Request("provider", "providerId"), Request("session", "roleSessionName"), Special("key of the session", chained_from)];
        "GetFederationToken" => [
            Request("session", "name"), Special("key of the session", new_credential), Policies("session policy", "")
        ];
        "GetSessionToken" => [Special("key of the session", new_credential), Request("MFA device", "serialNumber")];
    }
    "signin" {
        "ConsoleLogin" "CheckMfa" "SwitchRole" "ExitRole" "RenewRole" "GetSigninToken" "UserAuthentication" "CredentialChallenge"
        "CredentialVerification" => [Special("MFA, by way of, credential, switched from, to role", sign_in)];
        "PasswordRecoveryRequested" => [Words("password of root", "a link to set another one was asked for")];
        "PasswordRecoveryCompleted" => [Words("password of root", "set anew, by the link in an e-mail")];
        "PasswordUpdated" => [Words("password of root", "set anew")];
        "EmailUpdated" => [Words("e-mail address of root", "changed")];
    }
    "sso" {
        "CreateAccountAssignment" "DeleteAccountAssignment" =>
            [Special("in account, permission set, to", account_assignment)];
        "AttachManagedPolicyToPermissionSet" =>
            [Request("attached policy", GRANT), Request("to permission set", "permissionSetArn")];
        "DetachManagedPolicyFromPermissionSet" =>
            [Request("detached policy", GRANT), Request("from permission set", "permissionSetArn")];
        "AttachCustomerManagedPolicyReferenceToPermissionSet" => [
            Request("attached policy", "customerManagedPolicyReference.name"), Request("to permission set", "permissionSetArn")
        ];
        "PutInlinePolicyToPermissionSet" => [Policies("policy", ""), Request("of permission set", "permissionSetArn")];
        "PutPermissionsBoundaryToPermissionSet" => [
            Request("permissions boundary", "permissionsBoundary.managedPolicyArn|permissionsBoundary.customerManagedPolicyReference.name"),
            Request("of permission set", "permissionSetArn")
        ];
        "DeletePermissionsBoundaryFromPermissionSet" =>
            [Words("permissions boundary", "none any more"), Request("of permission set", "permissionSetArn")];
        "CreatePermissionSet" "UpdatePermissionSet" => [
            Request("permission set", "name|permissionSetArn"), Request("length of a session", "sessionDuration")
        ];
        "CreateTrustedTokenIssuer" => [
            Request("trusts the issuer", "trustedTokenIssuerConfiguration.oidcJwtConfiguration.issuerUrl"), Request("name", "name")
        ];
        "AssociateDirectory" => [Request("users come from", "directoryId|directoryType")];
        "DisassociateDirectory" => [Request("users no longer come from", "directoryId|directoryType")];
    }
    "sso-directory" {
        "AddMemberToGroup" "RemoveMemberFromGroup" => [Request("group", "groupId"), Request("member", "memberId|member.memberId|member.userId")];
        "UpdatePassword" => [Request("password of user", "userId"), Request("way", "passwordMode")];
        "CreateUser" => [Response("new user", "user.userId|user.userName")];
        "UpdateUser" "EnableUser" "DisableUser" "DeleteUser" => [Request("user", "userId")];
    }
    "identitystore" {
        "CreateGroupMembership" => [Request("group", "groupId"), Request("member", "memberId.userId|memberId")];
        "CreateUser" => [Response("new user", "userId")];
    }
    "rolesanywhere" {
        "CreateTrustAnchor" "UpdateTrustAnchor" => [
            Request("trusts certificates of", "source.sourceData.acmPcaArn|source.sourceType"), Request("name", "name"), Switch("trust anchor", "enabled")
        ];
        "CreateProfile" "UpdateProfile" =>
            [Request("roles", "roleArns"), Switch("profile", "enabled"), Request("name", "name")];
        "DisableCrl" => [Words("revocation of certificates", "no longer checked by this list")];
    }
    "support" {
        "CreateCase" => [Request("subject", "subject"), Request("service", "serviceCode")];
    }
    "organizations" {
        "CreateAccountResult" => [
            Details("account", "createAccountStatus.accountId|createAccountStatus.accountName"),
            Details("state", "createAccountStatus.state"), Details("reason", "createAccountStatus.failureReason"),
            More("more", "note")
        ];
    }
};
