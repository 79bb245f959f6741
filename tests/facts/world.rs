//! The judge: whether a packet is let in, and what the world gets in by, over the addresses and ports at which the answer can
//! change. It knows permissions and numbers, and nothing of the code under test.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::spelling::{Address, Net, Permission};

/// A packet from an address: its protocol and its port.
#[derive(Debug, Clone, Copy)]
pub(super) struct Packet {
    pub(super) protocol: i32,
    pub(super) port: u16,
    pub(super) from: Address,
}

/// Whether one of the permissions lets a packet in.
pub(super) fn lets_in(permissions: &[Permission], packet: Packet) -> bool {
    permissions.iter().any(|permission| {
        let (first, last) = permission.ports;
        let by_port = !matches!(permission.protocol, 6 | 17) || (first <= packet.port && packet.port <= last);
        let by_protocol = permission.protocol == -1 || permission.protocol == packet.protocol;
        by_protocol && by_port && permission.network.has(packet.from)
    })
}

/// The addresses on both sides of each edge of the networks: between two of them the answer does not change.
pub(super) fn addresses(permissions: &[Permission]) -> Vec<Address> {
    let mut found = Vec::new();
    // Edges of what is private or reserved.
    for edge in [
        "1.0.0.0",
        "10.0.0.0",
        "11.0.0.0",
        "100.64.0.0",
        "100.128.0.0",
        "127.0.0.0",
        "128.0.0.0",
        "169.254.0.0",
        "169.255.0.0",
        "172.16.0.0",
        "172.32.0.0",
        "192.168.0.0",
        "192.169.0.0",
        "224.0.0.0",
    ] {
        let edge = u32::from(edge.parse::<Ipv4Addr>().unwrap());
        found.extend([Address::V4(edge - 1), Address::V4(edge)]);
    }
    for edge in [0x2000_u128 << 112, 0x4000 << 112] {
        found.extend([Address::V6(edge - 1), Address::V6(edge)]);
    }
    for permission in permissions {
        match permission.network {
            Net::V4(first, prefix) => {
                let last = first | u32::MAX.checked_shr(prefix).unwrap_or(0);
                found.extend([first, last, first.wrapping_sub(1), last.wrapping_add(1)].map(Address::V4));
            }
            Net::V6(first, prefix) => {
                let last = first | u128::MAX.checked_shr(prefix).unwrap_or(0);
                found.extend([first, last, first.wrapping_sub(1), last.wrapping_add(1)].map(Address::V6));
            }
        }
    }
    found
}

/// The ports on both sides of each edge of the permissions.
pub(super) fn ports(permissions: &[Permission]) -> Vec<u16> {
    let mut found: Vec<u16> = permissions
        .iter()
        .flat_map(|permission| {
            let (first, last) = permission.ports;
            [first, last, first.saturating_sub(1), last.saturating_add(1)]
        })
        .chain([0, 22, 3306, 3389, 65535])
        .collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// Whether strangers may come from it.
fn is_public(address: Address) -> bool {
    match address {
        Address::V4(address) => {
            let address = Ipv4Addr::from(address);
            let [a, b, ..] = address.octets();
            let is_shared = a == 100 && (64..128).contains(&b);
            !(a == 0
                || a >= 224
                || is_shared
                || address.is_private()
                || address.is_loopback()
                || address.is_link_local())
        }
        Address::V6(address) => Ipv6Addr::from(address).segments()[0] >> 13 == 1,
    }
}

/// Whether every public address of IPv4, or every one of IPv6, gets in by this protocol and port.
pub(super) fn world_gets_in(permissions: &[Permission], addresses: &[Address], protocol: i32, port: u16) -> bool {
    let all_of = |is_v6: bool| {
        let family = addresses.iter().filter(|address| matches!(address, Address::V6(_)) == is_v6);
        family
            .filter(|address| is_public(**address))
            .all(|from| lets_in(permissions, Packet { protocol, port, from: *from }))
    };
    all_of(false) || all_of(true)
}
