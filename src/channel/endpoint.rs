//! Where a channel may send: https on the vendor's own hosts; loopback too, so that tests need no certificate.

/// Whether `url` is https on one of `hosts`, or http(s) on this machine.
pub(super) fn is_allowed(url: &str, hosts: &[&str]) -> bool {
    let Some((scheme, rest)) = url.split_once("://") else { return false };
    let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    if authority.contains('@') || url.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return false;
    }
    let host = authority.rsplit_once(':').map_or(authority, |(host, port)| {
        if port.bytes().all(|digit| digit.is_ascii_digit()) { host } else { authority }
    });
    let is_loopback = ["127.0.0.1", "localhost", "[::1]"].contains(&host);
    match scheme {
        "https" => is_loopback || hosts.contains(&host),
        "http" => is_loopback,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::is_allowed;

    #[test]
    fn only_the_vendors_hosts_and_loopback_pass() {
        let hosts = ["hooks.slack.com"];
        for good in ["https://hooks.slack.com/services/x", "http://127.0.0.1:8080/x", "http://[::1]:1/x"] {
            assert!(is_allowed(good, &hosts), "{good}");
        }
        for bad in [
            "http://hooks.slack.com/x",
            "https://hooks.slack.com.evil.example/x",
            "https://hooks.slack.com@evil.example/x",
            "https://evil.example/hooks.slack.com",
            "https://evil.example\\@hooks.slack.com/",
            "ftp://127.0.0.1/",
            "hooks.slack.com",
            "",
        ] {
            assert!(!is_allowed(bad, &hosts), "{bad}");
        }
    }
}
