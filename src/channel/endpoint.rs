//! Where a channel may send: https on the vendor's own hosts; loopback too, so that tests need no certificate. Whether anything is
//! sent to this machine or into a private network is the deployment's to say ([`leads_inside`]).

use std::net::Ipv4Addr;

use crate::config::TextFormat;
use crate::secret::{CredentialFault, Secret};

/// The name that a vendor gave an account: the first label of its host.
pub(super) static SUBDOMAIN: TextFormat = TextFormat {
    what: "name of an account",
    code: "bad-host",
    pattern: "^[a-z0-9][a-z0-9-]{0,62}$",
    max_characters: Some(LABEL_LIMIT),
    fits: |name| !name.starts_with('-') && name.bytes().all(is_of_label),
    remedy: |name| {
        let host = name.split_once("://").map_or(name, |(_, rest)| rest).to_lowercase();
        let label: String = host.chars().take_while(|c| u8::try_from(*c).is_ok_and(is_of_label)).collect();
        let such_as = if label.is_empty() { String::new() } else { format!(", such as \"{label}\"") };
        format!("write the part of the host's name before its first dot{such_as}").into()
    },
};

/// Whether it may stand in a host's label: a small letter, a digit or `-`.
fn is_of_label(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'
}

/// Characters of a host's label. Source: <https://www.rfc-editor.org/rfc/rfc1035#section-2.3.4>.
const LABEL_LIMIT: usize = 63;

/// The URL under `key`, which must be https on one of `hosts` (`.vendor.com` stands for any host below it), or on this
/// machine.
///
/// # Errors
/// That it is not; the fault names the hosts, and quotes nothing.
pub(super) fn checked(key: &str, url: Secret, hosts: &[&str]) -> Result<Secret, CredentialFault> {
    if is_allowed(url.expose(), hosts) {
        return Ok(url);
    }
    let hosts: Vec<String> =
        hosts.iter().map(|host| if host.starts_with('.') { format!("*{host}") } else { (*host).to_owned() }).collect();
    Err(CredentialFault(format!("\"{key}\" in the secret is not an https URL on {}", hosts.join(" or "))))
}

/// Whether `url` is https on one of `hosts`, or http(s) on this machine.
fn is_allowed(url: &str, hosts: &[&str]) -> bool {
    let Some(Endpoint { scheme, host, port }) = Endpoint::parse(url) else { return false };
    let of_vendor = |known: &&str| match known.strip_prefix('.') {
        Some(domain) => host.strip_suffix(domain).is_some_and(|name| name.len() > 1 && name.ends_with('.')),
        None => host == *known,
    };
    match scheme {
        _ if is_loopback(host) => matches!(scheme, "https" | "http"),
        "https" => port.is_none_or(|port| port == "443") && hosts.iter().any(of_vendor),
        _ => false,
    }
}

/// Whether `url` is https anywhere, or http on this machine.
pub(super) fn is_private(url: &str) -> bool {
    Endpoint::parse(url).is_some_and(|Endpoint { scheme, host, .. }| match scheme {
        "https" => true,
        "http" => is_loopback(host),
        _ => false,
    })
}

/// Whether `url` leads to this machine or into a network of its owner's, by its host as it is written: a name for this machine, or
/// an address that is not a public one. A host that is a number in another form counts as one, since parsers differ on it. What
/// a name stands for is not looked up.
///
/// Source of the ranges: <https://www.iana.org/assignments/iana-ipv4-special-registry>.
pub(crate) fn leads_inside(url: &str) -> bool {
    let Some(Endpoint { host, .. }) = Endpoint::parse(url) else { return true };
    let host = host.strip_suffix('.').unwrap_or(host);
    if is_loopback(host) || host.ends_with(".localhost") {
        return true;
    }
    let last = host.rsplit('.').next().unwrap_or(host);
    let is_number = last.bytes().all(|b| b.is_ascii_digit()) || last.starts_with("0x");
    is_number && host.parse().map_or(true, is_inside)
}

fn is_inside(address: Ipv4Addr) -> bool {
    let [first, second, ..] = address.octets();
    let is_shared = first == 100 && (64..128).contains(&second);
    address.is_private() || address.is_loopback() || address.is_link_local() || first == 0 || is_shared || first >= 224
}

struct Endpoint<'u> {
    scheme: &'u str,
    host: &'u str,
    port: Option<&'u str>,
}

impl<'u> Endpoint<'u> {
    /// Reads a URL, and nothing that two parsers might read differently: no user, no white space, no backslash, no host in
    /// other letters than those that hosts are made of.
    fn parse(url: &'u str) -> Option<Self> {
        let (scheme, rest) = url.split_once("://")?;
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        if url.chars().any(|c| c.is_whitespace() || c.is_control() || c == '\\') {
            return None;
        }
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) => (host, Some(port)),
            _ => (authority, None),
        };
        let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.';
        let is_host = host == "[::1]" || (!host.is_empty() && !host.starts_with(['.', '-']) && host.bytes().all(fits));
        is_host.then_some(Self { scheme, host, port })
    }
}

fn is_loopback(host: &str) -> bool {
    ["127.0.0.1", "localhost", "[::1]"].contains(&host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_vendors_hosts_and_loopback_pass() {
        let hosts = ["hooks.slack.com", ".zendesk.com"];
        for good in [
            "https://hooks.slack.com/services/x",
            "https://hooks.slack.com:443/services/x",
            "https://acme.zendesk.com/api",
            "https://a.b.zendesk.com",
            "http://127.0.0.1:8080/x",
            "http://[::1]:1/x",
        ] {
            assert!(is_allowed(good, &hosts), "{good}");
        }
        for bad in [
            "http://hooks.slack.com/x",
            "https://hooks.slack.com:8443/x",
            "https://hooks.slack.com.evil.example/x",
            "https://hooks.slack.com@evil.example/x",
            "https://hooks.slack.com%2f.evil.example/x",
            "https://evil.example/hooks.slack.com",
            "https://evil.example\\@hooks.slack.com/",
            "https://evil.example\\.zendesk.com/",
            "https://evilzendesk.com/",
            "https://zendesk.com/",
            "https://.zendesk.com/",
            "https://evil.example#.zendesk.com/",
            "https://evil.example?.zendesk.com/",
            "https://évil.zendesk.com/",
            "https://hooks.slack.com:/x",
            "https://127.0.0.1.evil.example/",
            "ftp://127.0.0.1/",
            "hooks.slack.com",
            "https://",
            "",
        ] {
            assert!(!is_allowed(bad, &hosts), "{bad}");
        }
    }

    #[test]
    fn a_webhook_is_https_or_stays_on_this_machine() {
        assert!(is_private("https://siem.example.com:8443/in?token=x") && is_private("http://localhost:1/"));
        for bad in
            ["http://siem.example.com/", "file:///etc/passwd", "https://user:pass@siem.example.com/", "https:///x"]
        {
            assert!(!is_private(bad), "{bad}");
        }
    }

    #[test]
    fn what_leads_inside_is_known_however_it_is_written() {
        for inside in [
            "http://127.0.0.1:9001/2018-06-01/runtime/invocation/next",
            "https://localhost/",
            "https://a.localhost./",
            "https://[::1]:1/",
            "https://10.0.0.1/",
            "https://172.16.3.4/",
            "https://192.168.1.1:8443/",
            "https://169.254.169.254/latest/meta-data/",
            "https://100.64.0.1/",
            "https://0.0.0.0/",
            "https://2130706433/",
            "https://0x7f.1/",
            "https://127.1/",
            "https://010.0.0.1/",
            "https://user@example.com/",
        ] {
            assert!(leads_inside(inside), "{inside}");
        }
        for outside in ["https://hooks.slack.com/x", "https://8.8.8.8/", "https://172.32.0.1/", "https://1e100.net/"] {
            assert!(!leads_inside(outside), "{outside}");
        }
    }
}
