//! A small world: who there is, from where they come, and what there is to do.

use std::collections::BTreeMap;

/// The account of the record.
pub(super) const OWN: &str = "111111111111";
/// An account that policies name.
pub(super) const PARTNER: &str = "222222222222";
pub(super) const OWN_ROLE: &str = "arn:aws:iam::111111111111:role/app";
pub(super) const PARTNER_ROLE: &str = "arn:aws:iam::222222222222:role/reader";
pub(super) const OWN_ORGANIZATION: &str = "o-own0000000";
pub(super) const PARTNER_ORGANIZATION: &str = "o-partner000";
pub(super) const OWN_ENDPOINT: &str = "vpce-0aaaaaaaaaaaaaaaa";
pub(super) const NETWORK: &str = "203.0.113.0/24";
pub(super) const OWN_BUCKET: &str = "arn:aws:s3:::own-logs";

/// Actions, among them some that nobody names.
pub(super) const ACTIONS: [&str; 6] =
    ["s3:GetObject", "s3:PutObject", "s3:GetZz9zz", "s3:Zz9zz", "sts:AssumeRole", "qq9:Zz9zz"];

/// Things, among them some that nobody names.
pub(super) const THINGS: [&str; 3] = ["arn:aws:s3:::b/1", "arn:aws:s3:::b/zz9zz", "arn:aws:qq9:::zz9zz"];

/// Somebody who makes a request, and its keys of conditions, in small letters. A key of many values has all of them.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    /// The account, if one has signed.
    pub(super) account: Option<&'static str>,
    /// The user or role, if one has signed.
    pub(super) arn: Option<&'static str>,
    pub(super) service: Option<&'static str>,
    /// Nobody and nothing about it is named in any policy.
    pub(super) is_stranger: bool,
    pub(super) keys: BTreeMap<String, Vec<String>>,
}

/// Who has signed: the account, the ARN, the organization, and whether policies name any of it.
type Identity = (Option<&'static str>, Option<&'static str>, Option<&'static str>, bool);
/// From where a request comes: the keys, and whether policies name any of it.
type Road = (Vec<(&'static str, &'static str)>, bool);

/// Everybody, from everywhere.
pub(super) fn callers() -> Vec<Caller> {
    let mut identities: Vec<Identity> = vec![
        (None, None, None, false),
        (Some("999999999999"), Some("arn:aws:iam::999999999999:role/zz9"), None, false),
        (Some("888888888888"), Some("arn:aws:iam::888888888888:role/zz9"), Some("o-zz9zz9zz9z"), false),
    ];
    for (account, arns) in [
        (OWN, [OWN_ROLE, "arn:aws:iam::111111111111:role/zz9"]),
        (PARTNER, [PARTNER_ROLE, "arn:aws:iam::222222222222:role/zz9"]),
    ] {
        for arn in arns {
            for organization in [None, Some(OWN_ORGANIZATION), Some(PARTNER_ORGANIZATION)] {
                identities.push((Some(account), Some(arn), organization, true));
            }
        }
    }
    // The organizations have accounts besides.
    for organization in [OWN_ORGANIZATION, PARTNER_ORGANIZATION] {
        let account = (Some("333333333333"), Some("arn:aws:iam::333333333333:role/zz9"), Some(organization), true);
        identities.push(account);
    }
    let roads: Vec<Road> = vec![
        (vec![("aws:sourceip", "198.51.100.7")], false),
        (vec![("aws:sourceip", "9.9.9.9")], false),
        (vec![("aws:sourceip", "2001:db8::9")], false),
        (vec![("aws:sourceip", "203.0.113.9")], true),
        (vec![("aws:sourcevpce", OWN_ENDPOINT), ("aws:sourcevpc", "vpc-own")], true),
        (vec![("aws:sourcevpce", "vpce-0zz9zz9zz9zz9zz9z"), ("aws:sourcevpc", "vpc-zz9")], false),
    ];
    let mut callers = Vec::new();
    for (account, arn, organization, is_named) in identities {
        for (road, comes_by_name) in &roads {
            for secure in ["true", "false"] {
                let mut keys: Vec<(&str, &str)> = road.clone();
                keys.push(("aws:securetransport", secure));
                keys.push(("aws:principalisawsservice", "false"));
                keys.extend(account.map(|account| ("aws:principalaccount", account)));
                keys.extend(arn.map(|arn| ("aws:principalarn", arn)));
                keys.extend(organization.map(|organization| ("aws:principalorgid", organization)));
                callers.push(Caller {
                    account,
                    arn,
                    service: None,
                    is_stranger: !is_named && !comes_by_name,
                    keys: owned(&keys),
                });
            }
        }
    }
    for service in ["s3.amazonaws.com", "sns.amazonaws.com", "zz9.amazonaws.com"] {
        for (account, thing) in [(OWN, OWN_BUCKET), (OWN, "arn:aws:s3:::zz9own"), ("888888888888", "arn:aws:s3:::zz9")]
        {
            callers.push(Caller {
                account: None,
                arn: None,
                service: Some(service),
                // A service that is named is no stranger, whomever it acts for.
                is_stranger: service.starts_with("zz9") && account != OWN,
                keys: owned(&[
                    ("aws:securetransport", "true"),
                    ("aws:principalisawsservice", "true"),
                    ("aws:principalservicename", service),
                    ("aws:sourceaccount", account),
                    ("aws:sourcearn", thing),
                ]),
            });
        }
    }
    callers
}

fn owned(keys: &[(&str, &str)]) -> BTreeMap<String, Vec<String>> {
    keys.iter().map(|(key, value)| ((*key).to_owned(), vec![(*value).to_owned()])).collect()
}
