//! What is said of networks, in every shape, against the judge of packets.
//!
//! `OFFLIMITS_ROUNDS=100000 cargo test --release --all-features --test integration facts::` plays more rounds, and
//! `OFFLIMITS_SEED=7` others.

use std::collections::BTreeSet;

use offlimits::cloudtrail::Record;
use offlimits::facts::derived;

use super::spelling::{Net, Permission, call, permissions};
use super::world::{Packet, addresses, lets_in, ports, world_gets_in};
use crate::support::choices::{Choices, seeds};

/// Sets of permissions, each in as many spellings as follow.
const ROUNDS: u64 = 400;
const SPELLINGS: usize = 8;

/// The protocols of the packets: none is opened by number 47 alone.
const PROTOCOLS: [i32; 4] = [6, 17, 50, 47];

/// The values of a field of a record, each of which must say where it stands.
fn said(field: &str, json: &str) -> BTreeSet<String> {
    let record = Record::parse(json).unwrap_or_else(|error| panic!("{error}: {json}"));
    let values = derived(field).unwrap().of(&record);
    let texts: BTreeSet<String> = values.iter().map(|value| value.text.clone()).collect();
    assert_eq!(texts.len(), values.len(), "a value repeats: {values:?} {json}");
    for value in values {
        assert!(["requestParameters", "responseElements"].iter().any(|top| value.place.starts_with(top)), "{value:?}");
    }
    texts
}

/// Reads `tcp 22`, `tcp 80-443`, `all traffic`, `protocol 50`.
fn traffic(text: &str) -> (i32, (u16, u16)) {
    let (protocol, rest) = text.split_once(' ').unwrap();
    let range = || {
        let (first, last) = rest.split_once('-').unwrap_or((rest, rest));
        (first.parse().unwrap(), last.parse().unwrap())
    };
    match protocol {
        "all" => (-1, (0, u16::MAX)),
        "tcp" => (6, range()),
        "udp" => (17, range()),
        _ => (rest.parse().unwrap(), (0, u16::MAX)),
    }
}

/// Reads a network, and holds it to its one spelling.
fn network(text: &str) -> Net {
    let (address, prefix) = text.split_once('/').unwrap();
    let prefix: u32 = prefix.parse().unwrap();
    let network = if address.contains(':') {
        let address: std::net::Ipv6Addr = address.parse().unwrap();
        Net::V6(address.into(), prefix)
    } else {
        let address: std::net::Ipv4Addr = address.parse().unwrap();
        Net::V4(address.into(), prefix)
    };
    let (canonical, host) = match network {
        Net::V4(first, prefix) => {
            (std::net::Ipv4Addr::from(first).to_string(), u128::from(first & u32::MAX.checked_shr(prefix).unwrap_or(0)))
        }
        Net::V6(first, prefix) => {
            (std::net::Ipv6Addr::from(first).to_string(), first & u128::MAX.checked_shr(prefix).unwrap_or(0))
        }
    };
    assert_eq!((canonical.as_str(), host), (address, 0), "{text} is not the one spelling");
    network
}

#[test]
fn what_a_call_opens_is_what_its_packets_say() {
    let (mut calls, mut packets, mut worlds) = (0, 0, 0);
    for seed in seeds(ROUNDS) {
        let mut choices = Choices::new(seed);
        let granted = permissions(&mut choices);
        let (addresses, ports) = (addresses(&granted), ports(&granted));
        let mut first: Option<[BTreeSet<String>; 4]> = None;
        for _ in 0..SPELLINGS {
            let json = call(&mut choices, &granted);
            let fields = ["opened", "opened_networks", "opened_to_world", "sensitive_ports_to_world"];
            let values = fields.map(|field| said(field, &json));
            calls += 1;
            match &first {
                Some(first) => assert_eq!(&values, first, "seed {seed}: {granted:?} {json}"),
                None => first = Some(values),
            }
        }
        let [opened, networks, to_world, sensitive] = first.unwrap();
        // What is opened lets in the same packets.
        let read: Vec<Permission> = opened
            .iter()
            .map(|text| {
                let (by, from) = text.split_once(" from ").unwrap();
                let (protocol, ports) = traffic(by);
                Permission { protocol, ports, network: network(from) }
            })
            .collect();
        let world: Vec<(i32, (u16, u16))> = to_world.iter().map(|text| traffic(text)).collect();
        for protocol in PROTOCOLS {
            for port in &ports {
                for from in &addresses {
                    let packet = Packet { protocol, port: *port, from: *from };
                    assert_eq!(lets_in(&read, packet), lets_in(&granted, packet), "seed {seed}: {packet:?} {opened:?}");
                    packets += 1;
                }
                let is_said = world
                    .iter()
                    .any(|(of, (first, last))| (*of == -1 || *of == protocol) && (first..=last).contains(&port));
                let is_so = world_gets_in(&granted, &addresses, protocol, *port);
                assert_eq!(is_said, is_so, "seed {seed}: {protocol} {port} {to_world:?} {granted:?}");
                worlds += usize::from(is_so);
                if protocol == 6 && [22, 3306, 3389].contains(port) {
                    assert_eq!(sensitive.contains(&port.to_string()), is_so, "seed {seed}: {port} {sensitive:?}");
                }
            }
        }
        // The networks are those that are let in, and the word is there if the world gets in by anything.
        let mut expected: BTreeSet<String> =
            opened.iter().map(|text| text.split_once(" from ").unwrap().1.to_owned()).collect();
        if !to_world.is_empty() {
            expected.insert("world".to_owned());
        }
        assert_eq!(networks, expected, "seed {seed}");
        let given: Vec<Net> = granted.iter().map(|permission| permission.network).collect();
        let named = networks.iter().filter(|text| *text != "world").map(|text| network(text));
        assert!(named.into_iter().all(|network| given.contains(&network)), "seed {seed}: {networks:?} {granted:?}");
    }
    eprintln!(
        "opened, opened_networks, opened_to_world, sensitive_ports_to_world: {calls} calls, {packets} packets judged, {worlds} of \
         them by ports that the world gets in by, 0 disagreements"
    );
    assert!(worlds > 0 && calls > 0);
}
