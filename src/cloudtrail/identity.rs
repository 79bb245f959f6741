//! Who called: the names that `userIdentity` gives, for each of its types.
//!
//! Source of the types and of what each has: AWS CloudTrail User Guide, "CloudTrail userIdentity element",
//! <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html>.

use std::borrow::Cow;

use super::alias_source::AliasSource;

/// The values of `userIdentity.type`.
pub const IDENTITY_TYPES: [&str; 12] = [
    "AWSAccount",
    "AWSService",
    "AssumedRole",
    "Directory",
    "FederatedUser",
    "IAMUser",
    "IdentityCenterUser",
    "Role",
    "Root",
    "SAMLUser",
    "Unknown",
    "WebIdentityUser",
];

const TYPE: &[&str] = &["userIdentity", "type"];
const ISSUER_TYPE: &[&str] = &["userIdentity", "sessionContext", "sessionIssuer", "type"];
const ISSUER_NAME: &[&str] = &["userIdentity", "sessionContext", "sessionIssuer", "userName"];

/// The name of an IAM user (also of the one behind a federated session), or the one that a sign-in was tried with. The
/// `userName` of root is the alias of the account, and not a user's.
pub fn user(record: &impl AliasSource) -> Option<&str> {
    match record.text(TYPE) {
        Some("Root") => None,
        Some("FederatedUser") if record.text(ISSUER_TYPE) == Some("IAMUser") => record.non_empty(ISSUER_NAME),
        _ => record.non_empty(&["userIdentity", "userName"]).or_else(|| {
            (record.text(&["eventSource"]) == Some("signin.amazonaws.com"))
                .then(|| record.non_empty(&["additionalEventData", "UserName"]))
                .flatten()
        }),
    }
}

/// The name of the role that was assumed, or of the persistent role that called.
pub fn role(record: &impl AliasSource) -> Option<&str> {
    match record.text(TYPE) {
        Some("FederatedUser") => None,
        Some("Role") => record.non_empty(ISSUER_NAME).or_else(|| arn_resource(record)?.rsplit('/').next()),
        _ if matches!(record.text(ISSUER_TYPE), Some("Role") | None) => {
            record.non_empty(ISSUER_NAME).or_else(|| assumed_role(record).map(|(role, _)| role))
        }
        _ => None,
    }
}

/// The name of the session of an assumed role or a federated user. **The caller chooses it.**
pub fn session(record: &impl AliasSource) -> Option<&str> {
    match record.text(TYPE) {
        Some("FederatedUser") => arn_resource(record)
            .and_then(|name| name.strip_prefix("federated-user/"))
            .or_else(|| principal_suffix(record)),
        // Some services write `Unknown` for a role's session, and name it in the arn all the same.
        kind => assumed_role(record)
            .map(|(_, session)| session)
            .or_else(|| (kind == Some("AssumedRole")).then(|| principal_suffix(record)).flatten()),
    }
}

/// How the names of the roles begin that IAM Identity Center makes in an account for its permission sets. Source:
/// <https://docs.aws.amazon.com/singlesignon/latest/userguide/referencingpermissionsets.html>.
pub(super) const IDENTITY_CENTER_ROLE: &str = "AWSReservedSSO_";

/// The names of who called that are made of others, worked out together.
#[derive(Debug)]
pub(super) struct Names<'r> {
    /// [`actor`].
    pub(super) actor: Option<Cow<'r, str>>,
    /// [`principal`].
    pub(super) principal: Option<Cow<'r, str>>,
    /// [`person`].
    pub(super) person: Option<&'r str>,
}

impl<'r> Names<'r> {
    pub(super) fn of(record: &'r impl AliasSource) -> Self {
        let (user, role, session) = (user(record), role(record), session(record));
        let person = person_of(role, || session);
        Self {
            actor: actor_of(record, user.or(role), session),
            principal: principal_of(record, user, || role, || person),
            person,
        }
    }
}

/// The person whom IAM Identity Center has named the session of its role after.
pub fn person(record: &impl AliasSource) -> Option<&str> {
    person_of(role(record), || session(record))
}

fn person_of<'r>(role: Option<&str>, session: impl FnOnce() -> Option<&'r str>) -> Option<&'r str> {
    role.filter(|role| role.starts_with(IDENTITY_CENTER_ROLE)).and_then(|_| session())
}

/// The most telling name of who called, for people to read.
pub fn actor(record: &impl AliasSource) -> Option<Cow<'_, str>> {
    actor_of(record, user(record).or_else(|| role(record)), session(record))
}

fn actor_of<'r>(record: &'r impl AliasSource, name: Option<&'r str>, session: Option<&str>) -> Option<Cow<'r, str>> {
    let who = match (name, session) {
        (Some(name), Some(session)) => Some(Cow::from(format!("{name}/{session}"))),
        (Some(name), None) => Some(Cow::from(name)),
        // A session alone names nobody: its caller chose it, and might have chosen a user's name.
        (None, _) => None,
    };
    who.or_else(|| unnamed(record).map(Cow::from))
}

/// Who called, by nothing that the caller chooses, to group by: the user, or the role without its session. For a role of IAM
/// Identity Center it is the role with the session, which Identity Center names after the person. Where there is neither, it is
/// what [`actor`] falls back on, without a session's name in it.
pub fn principal(record: &impl AliasSource) -> Option<Cow<'_, str>> {
    principal_of(record, user(record), || role(record), || person(record))
}

fn principal_of<'r>(
    record: &'r impl AliasSource,
    user: Option<&'r str>,
    role: impl FnOnce() -> Option<&'r str>,
    person: impl FnOnce() -> Option<&'r str>,
) -> Option<Cow<'r, str>> {
    if let Some(user) = user {
        return Some(user.into());
    }
    if let Some(role) = role() {
        return Some(person().map_or(role.into(), |person| format!("{role}/{person}").into()));
    }
    let name = unnamed(record)?;
    // A role of another account is known by its id alone, and a federated user without an issuer by the account: the name of the
    // session stands behind it.
    let has_session = name.starts_with("AROA") || record.text(TYPE) == Some("FederatedUser");
    let id = name.split(':').next().filter(|id| has_session && !id.is_empty());
    Some(id.unwrap_or(name).into())
}

/// The most telling name of a caller who is neither a user nor a role.
fn unnamed(record: &impl AliasSource) -> Option<&str> {
    const OTHERS: [&[&str]; 4] = [
        &["userIdentity", "invokedBy"],
        &["userIdentity", "onBehalfOf", "userId"],
        &["userIdentity", "principalId"],
        &["userIdentity", "accountId"],
    ];
    (record.text(TYPE) == Some("Root"))
        .then_some("root")
        .or_else(|| OTHERS.iter().find_map(|path| record.non_empty(path)))
}

/// The kind of caller, in words: `IAM user`, `IAM Identity Center role`. `None` if the record does not say, as with the type
/// `Unknown`, which sign-ins have before it is known who they are.
pub fn kind(record: &impl AliasSource) -> Option<Cow<'_, str>> {
    Some(match record.non_empty(TYPE)? {
        "Root" => "root user".into(),
        "IAMUser" => "IAM user".into(),
        "AssumedRole" if role(record).is_some_and(|role| role.starts_with(IDENTITY_CENTER_ROLE)) => {
            "IAM Identity Center role".into()
        }
        "AssumedRole" => "assumed role".into(),
        "Role" => "role".into(),
        "FederatedUser" => "federated user".into(),
        "AWSAccount" => record
            .non_empty(&["userIdentity", "accountId"])
            .map_or("another AWS account".into(), |account| format!("AWS account {account}").into()),
        "AWSService" => "AWS service".into(),
        "SAMLUser" => "SAML user".into(),
        "WebIdentityUser" => "web identity user".into(),
        "IdentityCenterUser" => "IAM Identity Center user".into(),
        "Directory" => "directory user".into(),
        "Unknown" => return None,
        other => other.into(),
    })
}

/// What follows the account in `userIdentity.arn`: `user/James`, `assumed-role/Role/Session`.
fn arn_resource(record: &impl AliasSource) -> Option<&str> {
    record.text(&["userIdentity", "arn"])?.splitn(6, ':').nth(5)
}

/// The names of the role and of the session, from the ARN of an assumed role.
fn assumed_role(record: &impl AliasSource) -> Option<(&str, &str)> {
    arn_resource(record)?.strip_prefix("assumed-role/")?.rsplit_once('/').filter(|(_, session)| !session.is_empty())
}

/// What follows the colon in `userIdentity.principalId`: `AROA…:Session`.
fn principal_suffix(record: &impl AliasSource) -> Option<&str> {
    record.text(&["userIdentity", "principalId"])?.split_once(':').map(|(_, name)| name).filter(|name| !name.is_empty())
}
