//! Whether a text is spelt as values of records are: names, networks, traffic.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::cloudtrail::is_account_id;

/// What stands in the ARN of a role before its path and name.
pub(super) const ROLE: &str = ":role/";

/// Whether a text has only the characters of IAM's names
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>).
pub(super) fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "+=,.@_-".contains(c))
}

pub(super) fn is_no_arn(text: &str) -> bool {
    !text.is_empty() && !text.starts_with("arn:") && !text.contains('*')
}

/// Whether somebody may be called so in `actor` and `principal`.
pub(super) fn is_caller(text: &str) -> bool {
    is_no_arn(text) && !text.starts_with("assumed-role/") && (!is_root(text) || text == "root")
}

pub(super) fn is_root(text: &str) -> bool {
    text.eq_ignore_ascii_case("root")
}

/// The name behind the last slash, if it is one.
pub(super) fn last_name(text: &str) -> Option<String> {
    let (_, name) = text.rsplit_once('/')?;
    is_name(name).then(|| name.to_owned())
}

/// The name of the user or the role in an ARN, and the account.
pub(super) fn name_in_arn(text: &str) -> Option<(&str, Option<&str>)> {
    let parts: Vec<&str> = text.strip_prefix("arn:")?.splitn(5, ':').collect();
    let [_, _, _, account, resource] = parts.as_slice() else { return None };
    let name = match resource.split_once('/')? {
        ("assumed-role", rest) => rest.split('/').next()?,
        ("role" | "user", rest) => rest.rsplit('/').next()?,
        _ => return None,
    };
    is_name(name).then_some((name, Some(*account).filter(|account| is_account_id(account))))
}

/// Whether a call may come from there: an address, or a service's name.
pub(super) fn is_source(text: &str) -> bool {
    text.parse::<IpNet>().is_err() && !text.contains('*') && beginning_of_network(text).is_none()
}

/// The network of an address of IPv4 of which the end is missing: `192.0.2.`, `192.0.2.*`.
pub(super) fn beginning_of_network(text: &str) -> Option<IpNet> {
    let numbers: Vec<&str> = text.trim_end_matches(['.', '*']).split('.').collect();
    if !(1..4).contains(&numbers.len()) || text.parse::<IpAddr>().is_ok() {
        return None;
    }
    let mut address = [0; 4];
    for (place, number) in numbers.iter().enumerate() {
        address[place] = number.parse().ok()?;
    }
    IpNet::new(address.into(), u8::try_from(8 * numbers.len()).ok()?).ok()
}

/// The `source_network` of an address, or of a network of about that size.
pub(super) fn network_of(text: &str) -> Option<String> {
    let address = text.parse::<IpAddr>().ok().or_else(|| text.parse::<IpNet>().ok().map(|network| network.addr()))?;
    let network = IpNet::new(address, if address.is_ipv4() { 24 } else { 48 }).ok()?;
    Some(network.trunc().to_string())
}

/// A network, or an address, in the spelling of `opened_networks`.
pub(super) fn network(text: &str) -> Option<String> {
    let network = text.parse::<IpNet>().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))?;
    Some(network.trunc().to_string())
}

pub(super) fn is_opened_network(text: &str) -> bool {
    network(text).map_or(is_name(text), |network| network == text)
}

/// Whether it is traffic as `opened_to_world` says it.
pub(super) fn is_traffic(text: &str) -> bool {
    let is_range = |text: &str| text.split('-').all(|number| number.parse::<u16>().is_ok());
    match text.split_once(' ') {
        None => ["icmp", "icmpv6"].contains(&text),
        Some(("all", "traffic") | ("database", "port")) => true,
        Some(("tcp" | "udp", ports)) => is_range(ports),
        Some(("protocol", number)) => number.parse::<u16>().is_ok(),
        Some(("icmp" | "icmpv6", kinds)) => kinds.starts_with("type"),
        Some(_) => false,
    }
}

/// Whether `lets_in` may say it.
pub(super) fn is_let_in(text: &str) -> bool {
    // What AWS knows by another name, such as the id of a user that is gone, is said as it is.
    let is_everybody = ["", "*", "all", "public", "everyone", "world"].contains(&text);
    let is_account =
        text.starts_with("arn:") && text.contains(":iam::") && text.ends_with(":root") && !text.contains('*');
    let is_said_so = ["service ", "federated ", "everybody at "].iter().any(|word| text.starts_with(word));
    is_said_so || !(is_boolean(text) || is_everybody || is_account || text.ends_with(".amazonaws.com"))
}

pub(super) fn is_boolean(text: &str) -> bool {
    ["true", "false", "yes", "no"].iter().any(|word| text.eq_ignore_ascii_case(word))
}
