//! The network that a call came from, as people who hold repeats back see it: the alias `source_network`.

use std::borrow::Cow;
use std::net::IpAddr;

use ipnet::IpNet;

/// The bits of an address by which two callers count as one place: what a provider gives to one customer or one office at most,
/// and for IPv6 what a site gets of old (<https://www.rfc-editor.org/rfc/rfc6177>).
const BITS: (u8, u8) = (24, 48);

/// `203.0.113.0/24` of an address of IPv4 and `2001:db8:1::/48` of one of IPv6; what is no address, such as a service's name, as
/// it is.
pub(super) fn source_network(address: &str) -> Cow<'_, str> {
    let Ok(parsed) = address.parse::<IpAddr>() else { return address.into() };
    // One of IPv4 that is written as IPv6 is IPv4's.
    let parsed = parsed.to_canonical();
    let bits = if parsed.is_ipv4() { BITS.0 } else { BITS.1 };
    IpNet::new(parsed, bits).map_or(address.into(), |network| network.trunc().to_string().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_says_its_network() {
        for (address, network) in [
            ("203.0.113.7", "203.0.113.0/24"),
            ("::ffff:203.0.113.7", "203.0.113.0/24"),
            ("2001:db8:1:2::7", "2001:db8:1::/48"),
            ("ec2.amazonaws.com", "ec2.amazonaws.com"),
            ("AWS Internal", "AWS Internal"),
        ] {
            assert_eq!(source_network(address), network);
        }
    }
}
