//! Writes a database of countries, or of networks, in MaxMind's format, version 2: <https://maxmind.github.io/MaxMind-DB/>.

#![allow(clippy::expect_used, reason = "a helper fails its test")]

use std::net::IpAddr;

/// A database that knows these networks: `("81.2.69.0/24", "GB")`. IPv4 stands in it as `::/96`.
pub(crate) fn countries(networks: &[(&str, &str)]) -> Vec<u8> {
    let country = |code: &str| [map(1), text("country"), map(1), text("iso_code"), text(code)].concat();
    let values: Vec<(&str, Vec<u8>)> = networks.iter().map(|(network, code)| (*network, country(code))).collect();
    database("Test-Country", &values)
}

/// A database of autonomous systems that knows these networks: `("81.2.69.0/24", 20_712, "Andrews & Arnold")`.
#[allow(dead_code, reason = "each test takes what it needs")]
pub(crate) fn networks(networks: &[(&str, u32, &str)]) -> Vec<u8> {
    let system = |asn: u32, owner: &str| {
        let (key, number) = (text("autonomous_system_number"), number(6, &asn.to_be_bytes()));
        // Of 29 characters and more, a byte behind the first says how many.
        let size = u8::try_from("autonomous_system_organization".len() - 29).expect("a short key");
        let long_key = [&[0b0101_1101, size], "autonomous_system_organization".as_bytes()].concat();
        [map(2), key, number, long_key, text(owner)].concat()
    };
    let values: Vec<(&str, Vec<u8>)> =
        networks.iter().map(|(network, asn, owner)| (*network, system(*asn, owner))).collect();
    database("Test-ASN", &values)
}

fn database(kind: &str, networks: &[(&str, Vec<u8>)]) -> Vec<u8> {
    // Each node has a record for the next bit 0 and one for 1.
    let mut nodes = vec![[Record::Empty; 2]];
    let mut data: Vec<u8> = Vec::new();
    for (network, value) in networks {
        let (address, length) = network.split_once('/').expect("a network");
        let length: u32 = length.parse().expect("a length");
        let (bits, length) = match address.parse().expect("an address") {
            IpAddr::V4(address) => (u128::from(address.to_bits()), length + 96),
            IpAddr::V6(address) => (address.to_bits(), length),
        };
        let mut node = 0;
        for depth in 0..length {
            let bit = usize::from(bits >> (127 - depth) & 1 == 1);
            if depth + 1 == length {
                nodes[node][bit] = Record::Data(data.len());
            } else if let Record::Node(next) = nodes[node][bit] {
                node = next;
            } else {
                nodes.push([Record::Empty; 2]);
                nodes[node][bit] = Record::Node(nodes.len() - 1);
                node = nodes.len() - 1;
            }
        }
        data.extend(value);
    }
    let count = nodes.len();
    let mut out = Vec::new();
    for record in nodes.into_iter().flatten() {
        let value = match record {
            Record::Empty => count,
            Record::Node(node) => node,
            Record::Data(offset) => count + 16 + offset,
        };
        out.extend(&u32::try_from(value).expect("a small database").to_be_bytes()[1..]);
    }
    out.extend([0; 16]);
    out.extend(data);
    out.extend(b"\xab\xcd\xefMaxMind.com");
    out.extend(map(9));
    for (key, value) in [
        ("node_count", number(6, &u32::try_from(count).expect("a small database").to_be_bytes())),
        ("record_size", number(5, &24_u16.to_be_bytes())),
        ("ip_version", number(5, &6_u16.to_be_bytes())),
        ("database_type", text(kind)),
        ("languages", vec![0, 4]),
        ("binary_format_major_version", number(5, &2_u16.to_be_bytes())),
        ("binary_format_minor_version", number(5, &0_u16.to_be_bytes())),
        ("build_epoch", [&[8, 2][..], &1_767_225_600_u64.to_be_bytes()].concat()),
        ("description", map(0)),
    ] {
        out.extend(text(key));
        out.extend(value);
    }
    out
}

#[derive(Clone, Copy)]
enum Record {
    Empty,
    Node(usize),
    Data(usize),
}

fn text(text: &str) -> Vec<u8> {
    let size = u8::try_from(text.len()).ok().filter(|size| *size < 29).expect("a short text");
    [&[2 << 5 | size], text.as_bytes()].concat()
}

fn map(size: u8) -> Vec<u8> {
    vec![7 << 5 | size]
}

fn number(kind: u8, bytes: &[u8]) -> Vec<u8> {
    let size = u8::try_from(bytes.len()).expect("a short number");
    [&[kind << 5 | size], bytes].concat()
}
