//! The calls that issue sessions, as records tell of them.

use super::record::Record;

/// The service that issues sessions.
pub const ISSUER: &str = "sts.amazonaws.com";

/// Its calls whose sessions do not name who asked for them. A session of `GetSessionToken` does: its records name the user.
pub const ISSUING_CALLS: [&str; 5] =
    ["AssumeRole", "AssumeRoleWithSAML", "AssumeRoleWithWebIdentity", "AssumeRoot", "GetFederationToken"];

/// The access key of the session that a call has issued; none if it has issued none.
pub(super) fn issued_key<'a>(record: &'a Record<'_>) -> Option<&'a str> {
    let is_issuing = record.non_empty(&["eventSource"]) == Some(ISSUER)
        && record.non_empty(&["eventName"]).is_some_and(|event| ISSUING_CALLS.contains(&event));
    is_issuing.then(|| record.non_empty(&["responseElements", "credentials", "accessKeyId"])).flatten()
}

/// Whether a record is that of the account whose role it is, and the caller's account another one.
pub(super) fn is_of_stranger(record: &Record<'_>) -> bool {
    record.non_empty(&["userIdentity", "type"]) == Some("AWSAccount")
}
