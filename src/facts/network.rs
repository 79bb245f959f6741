//! Networks in their canonical form, and whether some of them together are the world.

use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;

/// From where something is let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Network {
    /// A network, its host bits cleared.
    Addresses(IpNet),
    /// A list of networks that the record only names: `pl-63a5400a`.
    Named(String),
}

impl Network {
    /// A network, or a single address.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let network = text.parse::<IpNet>().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))?;
        Some(Self::Addresses(network.trunc()))
    }

    pub(super) fn addresses(&self) -> Option<IpNet> {
        match self {
            Self::Addresses(network) => Some(*network),
            Self::Named(_) => None,
        }
    }
}

/// `10.0.0.0/8`, `2001:db8::/32`, or the name.
impl fmt::Display for Network {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Addresses(network) => network.fmt(formatter),
            Self::Named(name) => formatter.write_str(name),
        }
    }
}

/// The addresses, first and last, that no stranger comes from: this network, private and shared ones, loopback, link-local,
/// multicast and reserved. Source: <https://www.iana.org/assignments/iana-ipv4-special-registry/>.
const NOBODYS_V4: [(u128, u128); 8] = [
    (0, 0x00ff_ffff),
    (0x0a00_0000, 0x0aff_ffff),
    (0x6440_0000, 0x647f_ffff),
    (0x7f00_0000, 0x7fff_ffff),
    (0xa9fe_0000, 0xa9fe_ffff),
    (0xac10_0000, 0xac1f_ffff),
    (0xc0a8_0000, 0xc0a8_ffff),
    (0xe000_0000, LAST_V4),
];
/// All but the global unicast addresses, `2000::/3`. Source:
/// <https://www.iana.org/assignments/ipv6-address-space/>.
const NOBODYS_V6: [(u128, u128); 2] = [(0, (0x2000 << 112) - 1), (0x4000 << 112, u128::MAX)];
const LAST_V4: u128 = 0xffff_ffff;

/// Whether these networks together hold every public address of IPv4, or every one of IPv6.
pub(super) fn are_the_world(networks: &[IpNet]) -> bool {
    if networks.iter().any(|network| network.prefix_len() == 0) {
        return true;
    }
    let (mut v4, mut v6) = (NOBODYS_V4.to_vec(), NOBODYS_V6.to_vec());
    for network in networks {
        match network {
            IpNet::V4(network) => v4.push((u32::from(network.network()).into(), u32::from(network.broadcast()).into())),
            IpNet::V6(network) => v6.push((network.network().into(), network.broadcast().into())),
        }
    }
    covers(v4, LAST_V4) || covers(v6, u128::MAX)
}

/// Whether ranges, each with its first and last number, leave none out from 0 to `last`.
fn covers(mut ranges: Vec<(u128, u128)>, last: u128) -> bool {
    ranges.sort_unstable();
    let mut next = 0_u128;
    for (first, end) in ranges {
        if first > next {
            return false;
        }
        if end >= last {
            return true;
        }
        next = next.max(end + 1);
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn world(networks: &[&str]) -> bool {
        let networks: Vec<IpNet> =
            networks.iter().map(|text| Network::parse(text).unwrap().addresses().unwrap()).collect();
        are_the_world(&networks)
    }

    #[test]
    fn networks_have_one_spelling() {
        let spelt = |text: &str| Network::parse(text).map(|network| network.to_string());
        for (written, canonical) in [
            ("10.1.2.3/8", "10.0.0.0/8"),
            ("1.2.3.4/0", "0.0.0.0/0"),
            ("192.0.2.7", "192.0.2.7/32"),
            ("2001:0DB8:0:0::1/32", "2001:db8::/32"),
            ("0:0:0:0:0:0:0:0/0", "::/0"),
            ("FE80::1", "fe80::1/128"),
        ] {
            assert_eq!(spelt(written).as_deref(), Some(canonical));
        }
        for other in ["", "sg-1", "10.0.0.0/33", "10.0.0", "pl-1", "::/129"] {
            assert_eq!(spelt(other), None, "{other}");
        }
    }

    #[test]
    fn the_world_may_come_in_parts() {
        for all in [
            &["0.0.0.0/0"][..],
            &["::/0"],
            &["128.0.0.0/1", "0.0.0.0/1"],
            &["2000::/3"],
            &["::/1", "8000::/1"],
            // All but what is private.
            &[
                "1.0.0.0/8",
                "2.0.0.0/7",
                "4.0.0.0/6",
                "8.0.0.0/7",
                "11.0.0.0/8",
                "12.0.0.0/6",
                "16.0.0.0/4",
                "32.0.0.0/3",
                "64.0.0.0/2",
                "128.0.0.0/3",
                "160.0.0.0/5",
                "168.0.0.0/6",
                "172.0.0.0/12",
                "172.32.0.0/11",
                "172.64.0.0/10",
                "172.128.0.0/9",
                "173.0.0.0/8",
                "174.0.0.0/7",
                "176.0.0.0/4",
                "192.0.0.0/3",
            ],
        ] {
            assert!(world(all), "{all:?}");
        }
        for less in [
            &[][..],
            &["0.0.0.0/1"],
            &["0.0.0.0/1", "128.0.0.0/2"],
            &["0.0.0.0/1", "8000::/1"],
            &["2000::/4"],
            &["1.0.0.0/8", "128.0.0.0/1", "64.0.0.0/2", "32.0.0.0/3"],
        ] {
            assert!(!world(less), "{less:?}");
        }
    }
}
