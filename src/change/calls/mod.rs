//! The table: what is told of which call.
//!
//! ```text
//! identity      IAM, STS, IAM Identity Center, signing in, IAM Roles Anywhere
//! network       what EC2 lets in and where it sends things, names of domains, firewalls
//! machines      what runs: instances, functions, containers, sessions on them, stacks
//! data          buckets, databases, keys, secrets, snapshots, queues and topics
//! watchers      trails, detectors, logs, alarms, rules of events
//! organization  accounts, policies of the organization, money, models, mail
//! ```

mod data;
mod identity;
mod machines;
mod network;
mod organization;
mod watchers;

use super::entry::{Entry, Part};
use crate::cloudtrail::without_version;

/// The parts of the table. An event is looked for from the first to the last.
pub(super) const TABLES: [&[Entry]; 6] =
    [identity::CALLS, network::CALLS, machines::CALLS, data::CALLS, watchers::CALLS, organization::CALLS];

/// One call's entry; the service as `eventSource` has it.
pub(super) fn entry(service: &str, event: &str) -> Option<&'static Entry> {
    let service = service.strip_suffix(".amazonaws.com").unwrap_or(service);
    let event = without_version(event);
    TABLES.into_iter().flatten().find(|entry| entry.service == service && entry.events.contains(&event))
}

/// Each call of the table for the documentation: the service, the event, and what is told of it.
pub fn documented_calls() -> impl Iterator<Item = (&'static str, &'static str, Vec<&'static str>)> {
    TABLES.into_iter().flatten().flat_map(|entry| {
        entry.events.iter().map(|event| {
            let mut told: Vec<&'static str> = Vec::new();
            for what in entry.parts.iter().map(Part::what).flat_map(|what| what.split(", ")) {
                if !told.contains(&what) {
                    told.push(what);
                }
            }
            (entry.service, *event, told)
        })
    })
}

/// Writes a table: a service, its events, and the parts of what is told of them.
macro_rules! calls {
    ($($service:literal { $($($event:literal)+ => [$($part:expr),+ $(,)?];)+ })+) => {
        &[$($($crate::change::entry::Entry { service: $service, events: &[$($event),+], parts: &[$($part),+] },)+)+]
    };
}
use calls;
