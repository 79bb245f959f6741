//! The aliases: short names for what rules ask of most often. Some stand for one path; the others are computed from several
//! places of the record.

use std::borrow::Cow;

use super::accounts::AccountFact;
use super::acting_service::acting_service;
use super::alias_source::AliasSource;
use super::answer::is_error_status;
use super::identity;
use super::partition::partition_of;
use super::source_network::source_network;

/// A name that a cell, a title or a throttle may write instead of a path.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Alias {
    /// As rules write it.
    pub(crate) name: &'static str,
    /// What it stands for.
    pub(crate) target: AliasTarget,
    /// The same for people, in a few words.
    #[cfg_attr(not(feature = "cli"), expect(dead_code, reason = "the schema for editors tells it"))]
    pub(crate) description: &'static str,
}

/// What an [`Alias`] stands for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum AliasTarget {
    /// The values at one path.
    Path(&'static [&'static str]),
    /// One value at most, computed.
    Computed(ComputedAlias),
    /// The country of `sourceIPAddress`: it takes a database that the owner of the rules provides.
    Country,
    /// What people call the account, or its unit: it takes what the owner of the rules says of accounts.
    OfAccount(AccountFact),
    /// The function's own resource that the call names: it takes what the function's environment says of it.
    OwnResource,
    /// What the call acts on, as people say it: as many values as the record names.
    Targets,
}

/// The aliases that are more than a short name of one path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ComputedAlias {
    /// The account whose trail has the record: `recipientAccountId`; else the one that EventBridge's envelope names; else that
    /// of the caller.
    Account,
    /// Whether the call succeeded: `success` or `failure`.
    Outcome,
    /// Whether the caller had given a second factor: `yes` or `no`; missing where the record does not say.
    Mfa,
    /// The name of an IAM user, or the one that a sign-in was tried with.
    User,
    /// The name of the role that was assumed.
    Role,
    /// The name of the assumed role's session, which the caller chose.
    Session,
    /// The most telling name of who called.
    Actor,
    /// Who called, by nothing that the caller chooses.
    Principal,
    /// The service that acts, for itself or for somebody; missing where a person or a program of an account does.
    ActingService,
    /// The partition of the region.
    Partition,
    /// The network of the source address, or a service's name.
    SourceNetwork,
}

/// Every alias. (`userIdentityType` is what Conformity's settings call the identity.)
pub(crate) const ALIASES: [Alias; 28] = [
    path("identity", &["userIdentity", "type"], "userIdentity.type: IAMUser, AssumedRole, Root, AWSService, …"),
    path("service", &["eventSource"], "eventSource: ec2.amazonaws.com, …"),
    path("event", &["eventName"], "eventName: StartInstances, …"),
    path("region", &["awsRegion"], "awsRegion"),
    path("time", &["eventTime"], "eventTime, for \"within\" and \"outside\""),
    path("source_ip", &["sourceIPAddress"], "sourceIPAddress: an address, or a service's name"),
    path("user_agent", &["userAgent"], "userAgent: chosen by the caller"),
    path("error", &["errorCode"], "errorCode: AccessDenied, …"),
    path("read_only", &["readOnly"], "readOnly: {\"is\": true} or {\"is\": false}"),
    path("userIdentityType", &["userIdentity", "type"], "userIdentity.type: Conformity's word for identity"),
    computed(
        "account",
        ComputedAlias::Account,
        "recipientAccountId, else the event's own account, else userIdentity.accountId",
    ),
    computed("outcome", ComputedAlias::Outcome, "success or failure"),
    computed("mfa", ComputedAlias::Mfa, "yes or no; missing where the record does not say"),
    computed("user", ComputedAlias::User, "the IAM user's name"),
    computed("role", ComputedAlias::Role, "the assumed role's name"),
    computed("session", ComputedAlias::Session, "the session's name: chosen by the caller"),
    computed("actor", ComputedAlias::Actor, "the most telling of user, role/session, root and the service's name"),
    computed(
        "principal",
        ComputedAlias::Principal,
        "who called, by nothing that the caller chooses: user, role, IAM Identity Center's role/person, else as actor",
    ),
    computed(
        "acting_service",
        ComputedAlias::ActingService,
        "the service that acts, for itself or for somebody; missing where a person or a program of an account does",
    ),
    computed(
        "partition",
        ComputedAlias::Partition,
        "the partition of the region: aws, aws-cn, aws-us-gov, …; in \"is\" a region stands for its own",
    ),
    computed(
        "source_network",
        ComputedAlias::SourceNetwork,
        "the /24 (IPv6: /48) of the source address, or a service's name: for throttles",
    ),
    path(
        "delegate",
        &["userIdentity", "invokedByDelegate", "accountId"],
        "userIdentity.invokedByDelegate.accountId: the account of whoever acts here by a temporary delegation",
    ),
    path(
        "source_identity",
        &["userIdentity", "sessionContext", "sourceIdentity"],
        "userIdentity.sessionContext.sourceIdentity: whom the first of several roles was assumed by",
    ),
    Alias {
        name: "target",
        target: AliasTarget::Targets,
        description: "what the call acts on, by the request, the answer or the resources, as people say it: backup-admin, role/Admin, \
                      i-0a1b2c; with its account where that is another",
    },
    Alias {
        name: "country",
        target: AliasTarget::Country,
        description: "of the source address: two letters; needs countries.mmdb beside rules.json",
    },
    Alias {
        name: "account_name",
        target: AliasTarget::OfAccount(AccountFact::Name),
        description: "what accounts.json beside rules.json calls the account; missing where it does not have it",
    },
    Alias {
        name: "ou",
        target: AliasTarget::OfAccount(AccountFact::Unit),
        description: "the account's organizational unit by accounts.json, the outermost first: Workloads/Prod",
    },
    Alias {
        name: "own_resource",
        target: AliasTarget::OwnResource,
        description: "the function's own resource that the call names, under any stack's name; missing where it names none",
    },
];

const fn path(name: &'static str, path: &'static [&'static str], description: &'static str) -> Alias {
    Alias { name, target: AliasTarget::Path(path), description }
}

const fn computed(name: &'static str, alias: ComputedAlias, description: &'static str) -> Alias {
    Alias { name, target: AliasTarget::Computed(alias), description }
}

/// The paths that [`compute`] asks for, which the engine extracts. If one were missing here, the answers would stay right, and
/// take longer: the record would be parsed for them.
pub(crate) const ALIAS_PATHS: [&[&str]; 23] = [
    ACCOUNT,
    CALLERS_ACCOUNT,
    &["additionalEventData", "MFAUsed"],
    &["additionalEventData", "UserName"],
    &["awsRegion"],
    COGNITO_STATUS,
    &["errorCode"],
    &["errorMessage"],
    &["eventName"],
    &["eventSource"],
    &["eventType"],
    &["responseElements"],
    &["serviceEventDetails"],
    &["sessionCredentialFromConsole"],
    &["sourceIPAddress"],
    &["userIdentity", "arn"],
    &["userIdentity", "invokedBy"],
    &["userIdentity", "onBehalfOf", "userId"],
    &["userIdentity", "principalId"],
    &["userIdentity", "sessionContext", "attributes", "mfaAuthenticated"],
    &["userIdentity", "sessionContext", "sessionIssuer", "type"],
    &["userIdentity", "sessionContext", "sessionIssuer", "userName"],
    &["userIdentity", "userName"],
];

/// The status of the page that Cognito answered with
/// (<https://docs.aws.amazon.com/cognito/latest/developerguide/understanding-amazon-cognito-entries.html>).
const COGNITO_STATUS: &[&str] = &["additionalEventData", "responseParameters", "status"];
const ACCOUNT: &[&str] = &["recipientAccountId"];
const CALLERS_ACCOUNT: &[&str] = &["userIdentity", "accountId"];

/// The value of a computed alias; `None` if the record does not say.
pub(crate) fn compute(source: &impl AliasSource, alias: ComputedAlias) -> Option<Cow<'_, str>> {
    match alias {
        ComputedAlias::Account => account(source, source.envelope_account()).map(Cow::from),
        ComputedAlias::Outcome => Some(if failed(source) { "failure" } else { "success" }.into()),
        ComputedAlias::Mfa => mfa(source).map(|mfa| if mfa { "yes" } else { "no" }.into()),
        ComputedAlias::User => identity::user(source).map(Cow::from),
        ComputedAlias::Role => identity::role(source).map(Cow::from),
        ComputedAlias::Session => identity::session(source).map(Cow::from),
        ComputedAlias::Actor => identity::actor(source),
        ComputedAlias::Principal => identity::principal(source),
        ComputedAlias::ActingService => acting_service(source).map(Cow::from),
        ComputedAlias::Partition => source.non_empty(&["awsRegion"]).map(|region| partition_of(region).into()),
        ComputedAlias::SourceNetwork => source.non_empty(&["sourceIPAddress"]).map(source_network),
    }
}

/// The account of a record that arrived in an envelope which names `of_envelope`.
///
/// Somebody else's account may have made the call, so that its own comes last. The record alone is what ids are made of: they
/// must be the same whatever it arrives in.
pub(super) fn account<'s>(source: &'s impl AliasSource, of_envelope: Option<&'s str>) -> Option<&'s str> {
    source.non_empty(ACCOUNT).or(of_envelope).or_else(|| source.non_empty(CALLERS_ACCOUNT))
}

/// Whether the call failed: an error code or message that is not empty, an answer that says so, or the error page of a sign-in to
/// an application by Cognito.
pub(super) fn failed(source: &impl AliasSource) -> bool {
    source.non_empty(&["errorCode"]).is_some()
        || source.non_empty(&["errorMessage"]).is_some()
        || source.text(COGNITO_STATUS).is_some_and(is_error_status)
        || source.answers_failure()
}

/// Whether the caller had given a second factor; `None` if the record does not say.
pub(super) fn mfa(source: &impl AliasSource) -> Option<bool> {
    let said = source
        .text(&["additionalEventData", "MFAUsed"])
        .or_else(|| source.text(&["userIdentity", "sessionContext", "attributes", "mfaAuthenticated"]))?;
    match said.to_ascii_lowercase().as_str() {
        "yes" | "true" => Some(true),
        "no" | "false" => Some(false),
        _ => None,
    }
}
