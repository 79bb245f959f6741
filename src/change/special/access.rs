//! Who gets in: keys, passwords, roles, identity providers, what is shared; and until when something can be saved.

use crate::change::reading::{Reading, said};
use crate::change::statement::statements;
use crate::change::told::Told;
use crate::change::value::{listed, on_or_off};
use crate::facts::{is_outside, no_longer_shared_with};
use crate::redact::redacted_text;
use crate::time::Date;

/// `new key: AKIA… for backup-admin`
pub(in crate::change) fn new_credential(reading: &Reading<'_, '_>, told: &mut Told) {
    let what = match reading.record.text(&["eventName"]).unwrap_or_default() {
        "CreateAccessKey" => "new key",
        "CreateVirtualMFADevice" => "new MFA device",
        "CreateKeyPair" | "ImportKeyPair" => "new key pair",
        "GetFederationToken" | "GetSessionToken" => "key of the session",
        _ => "new credential",
    };
    let whose = reading
        .asked("userName")
        .or_else(|| reading.answered("accessKey.userName|sSHPublicKey.userName|certificate.userName"));
    let values = reading.fact("new_credential");
    let is_own = what == "new key" && whose.is_none() && !values.is_empty();
    let own = if reading.record.text(&["userIdentity", "type"]) == Some("Root") { "root" } else { "the caller" };
    let whose = whose.or_else(|| is_own.then(|| own.to_owned())).map(|name| format!(" for {name}")).unwrap_or_default();
    if !values.is_empty() {
        told.add(what, format!("{}{whose}", listed(&values)));
    } else if !whose.is_empty() {
        told.add(what, whose.trim_start());
    }
}

/// A password for the console.
pub(in crate::change) fn login_profile(reading: &Reading<'_, '_>, told: &mut Told) {
    let reset =
        reading.asked("passwordResetRequired").or_else(|| reading.answered("loginProfile.passwordResetRequired"));
    let is_new = reading.record.text(&["eventName"]) == Some("CreateLoginProfile");
    let whose = reading.asked("userName").map(|name| format!(" for {name}")).unwrap_or_default();
    let set = if is_new { "new" } else { "set anew" };
    let words = match reset.as_deref() {
        Some("true") => format!("{set}{whose}; to be changed at the next sign-in"),
        Some("false") => format!("{set}{whose}; not to be changed at the next sign-in"),
        _ => format!("{set}{whose}"),
    };
    told.add("console password", words);
}

/// Whom a role trusts, and where conditions narrow that, how.
pub(in crate::change) fn trust(reading: &Reading<'_, '_>, told: &mut Told) {
    let trusted = reading.fact("trusted");
    let own = reading.record.own_account();
    let (outside, others): (Vec<String>, Vec<String>) = trusted.into_iter().partition(|name| is_outside(name, own));
    if !outside.is_empty() || !others.is_empty() {
        told.add("trusts", listed(&[outside, others].concat()));
    }
    let statements = statements(reading);
    let tells_all = told.is_empty();
    for said in statements.iter().filter(|said| tells_all || said.is_narrowing).take(3) {
        told.add("trust policy", &said.words);
    }
}

/// `deleted: on 2026-03-15, in 7 days`
pub(in crate::change) fn deletion(reading: &Reading<'_, '_>, told: &mut Told) {
    let Some(date) = reading.fact("deletion_date").into_iter().next() else { return };
    let forced = reading.asked("forceDeleteWithoutRecovery").is_some_and(|forced| forced == "true");
    if forced {
        return told.add("deleted", "at once, without recovery");
    }
    let called = reading.record.text(&["eventTime"]).and_then(Date::of_time);
    let days = called.zip(Date::parse(&date)).map(|(called, day)| called.days_until(day));
    match days {
        Some(1) => told.add("deleted", format!("on {date}, in 1 day")),
        Some(days) if days > 1 => told.add("deleted", format!("on {date}, in {days} days")),
        _ => told.add("deleted", format!("on {date}")),
    }
}

/// With whom something is shared, and with whom no longer.
pub(in crate::change) fn sharing(reading: &Reading<'_, '_>, told: &mut Told) {
    let added = reading.fact("shared_with");
    if !added.is_empty() {
        told.add("shared with", listed(&added));
    }
    let removed = reading.blanked.map(no_longer_shared_with).unwrap_or_default();
    let removed: Vec<String> = removed.into_iter().map(|value| value.text).collect();
    if !removed.is_empty() {
        told.add("no longer shared with", listed(&removed));
    }
}

/// An access control list of S3.
pub(in crate::change) fn acl(reading: &Reading<'_, '_>, told: &mut Told) {
    let public = reading.fact("public_access");
    if !public.is_empty() {
        told.add("ACL", listed(&public));
    }
    let canned = reading.asked("x-amz-acl");
    let is_usual = |canned: &String| {
        canned == "private" && !reading.record.text(&["eventName"]).is_some_and(|event| event.ends_with("Acl"))
    };
    if let Some(canned) = canned.filter(|canned| public.is_empty() && !is_usual(canned)) {
        told.add("ACL", canned);
    }
    let Some(request) = reading.request.as_ref().filter(|_| public.is_empty()) else { return };
    for (key, _) in request.members().filter(|(key, _)| key.to_ascii_lowercase().starts_with("x-amz-grant-")) {
        if let Some(value) = reading.asked(key) {
            told.add(&key[12..], value);
        }
    }
    let grants = crate::change::reading::at(request, "AccessControlPolicy.AccessControlList.Grant");
    for grant in grants.iter().take(3) {
        let whom = said(Some(grant), "Grantee.URI|Grantee.EmailAddress|Grantee.DisplayName|Grantee.ID");
        if let (Some(whom), Some(permission)) = (whom, said(Some(grant), "Permission")) {
            told.add("ACL", format!("{permission} to {whom}"));
        }
    }
}

/// S3's block of public access, or the parts of it that are off.
pub(in crate::change) fn public_block(reading: &Reading<'_, '_>, told: &mut Told) {
    let off = reading.fact("public_access");
    if off.iter().any(|part| part.contains("block off")) {
        told.add("public access block", "off");
    } else if !off.is_empty() {
        told.add("public access block", listed(&off));
    } else if reading.asked("PublicAccessBlockConfiguration").is_some() {
        told.add("public access block", "on");
    }
}

/// The role from which another was assumed, and the key of the session.
pub(in crate::change) fn chained_from(reading: &Reading<'_, '_>, told: &mut Told) {
    let record = reading.record;
    let text = |path: &[&str]| record.non_empty(path).map(redacted_text);
    if let Some(arn) =
        text(&["userIdentity", "sessionContext", "sessionIssuer", "arn"]).filter(|arn| arn.contains(":role/"))
    {
        told.add("chained from", arn);
    }
    // The key's id is none of the secrets, among which it stands.
    if let Some(key) = text(&["responseElements", "credentials", "accessKeyId"]) {
        told.add("key of the session", key);
    }
}

/// A provider of identities, whose users get in.
pub(in crate::change) fn identity_provider(reading: &Reading<'_, '_>, told: &mut Told) {
    let Some(request) = &reading.request else { return };
    let metadata = request.text_of(&["sAMLMetadataDocument"]).unwrap_or_default();
    let attribute = |text: &str, name: &str| {
        let after = text.split_once(name)?.1.trim_start().strip_prefix('=')?.trim_start();
        let quote = after.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
        Some(after[1..].split_once(quote)?.0.to_owned())
    };
    if let Some(entity) = attribute(metadata, "entityID") {
        told.add("identity provider", entity);
    }
    let service = metadata.split_once("SingleSignOnService").map(|(_, after)| after).unwrap_or_default();
    if let Some(location) = attribute(service, "Location") {
        told.add("signs in at", location);
    }
}

/// The assignment of a permission set.
pub(in crate::change) fn account_assignment(reading: &Reading<'_, '_>, told: &mut Told) {
    // The account leads: it is what an SMS has room for.
    if let Some(account) = reading.asked("targetId") {
        told.add("in account", account);
    }
    if let Some(set) = reading.asked("permissionSetArn") {
        told.add("permission set", set);
    }
    if let Some(principal) = reading.asked("principalId") {
        let kind = reading.asked("principalType").unwrap_or_default().to_ascii_lowercase();
        told.add("to", format!("{kind} {principal}").trim_start());
    }
}

/// The parts of a policy of passwords.
const PASSWORD_POLICY: [(&str, &str); 8] = [
    ("minimumPasswordLength", "least length"),
    ("requireSymbols", "symbols required"),
    ("requireNumbers", "numbers required"),
    ("requireUppercaseCharacters", "upper case required"),
    ("requireLowercaseCharacters", "lower case required"),
    ("maxPasswordAge", "days until it expires"),
    ("passwordReusePrevention", "earlier passwords refused"),
    ("hardExpiry", "hard expiry"),
];

/// What passwords must be like from now on: what is not named is not asked for.
pub(in crate::change) fn password_policy(reading: &Reading<'_, '_>, told: &mut Told) {
    let parts = PASSWORD_POLICY.iter().filter_map(|(key, what)| {
        let value = reading.asked(key)?;
        let value = match on_or_off(&value) {
            "on" => "yes",
            "off" => "no",
            value => value,
        };
        Some(format!("{what} {value}"))
    });
    let parts: Vec<String> = parts.collect();
    if !parts.is_empty() {
        told.add("password policy", parts.join(", "));
    }
}

/// How somebody signed in, or tried to.
pub(in crate::change) fn sign_in(reading: &Reading<'_, '_>, told: &mut Told) {
    let more = |path: &str| said(reading.more.as_ref(), path);
    match more("MFAUsed").as_deref() {
        Some("Yes") => told.add("MFA", "used"),
        // Of a role's session it was the identity provider's to ask for one.
        Some("No") if reading.record.text(&["userIdentity", "type"]) != Some("AssumedRole") => told.add("MFA", "none"),
        _ => {}
    }
    for (what, path) in [
        ("by way of", "SamlProviderArn"),
        ("credential", "CredentialType"),
        ("switched from", "SwitchFrom"),
        ("to role", "SwitchTo"),
        ("passkey", "MFAIdentifier"),
    ] {
        if let Some(value) = more(path) {
            told.add(what, value);
        }
    }
}
