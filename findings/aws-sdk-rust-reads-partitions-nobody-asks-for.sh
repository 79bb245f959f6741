#!/usr/bin/env bash
# The first client of each service that the AWS SDK for Rust makes in a process reads the SDK's table of all partitions and regions,
# also where it is given an endpoint resolver of one's own, which never looks into that table.
#
# `Config::set_endpoint_resolver` replaces who says where a service is. But each client also makes its default resolver, which holds a
# reference to the table, and the reference is what makes the table: JSON is parsed, and a regular expression is compiled for each
# partition. Each SDK crate has a table of its own, so a program that asks two services pays twice. In a function that starts for one
# alert these were 700,000 instructions a service, of 30 million. Whoever counts on a fixed endpoint for a lean start gains nothing by it.
#
# Seen with aws-sdk-sns 1.121.0, in allocations of two processes: the default resolver 320, and a client after it 147; a client with an
# endpoint resolver of one's own 466, and the default resolver after it 1, for there is nothing left to read.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/src"
cat > "$folder/Cargo.toml" <<'TOML'
[package]
name = "partitions"
version = "0.0.0"
edition = "2024"

[dependencies]
aws-sdk-sns = { version = "=1.121.0", default-features = false, features = ["rt-tokio"] }
aws-smithy-runtime-api = { version = "1", features = ["client"] }
aws-smithy-types = "1"

[workspace]
TOML
cat > "$folder/src/main.rs" <<'RUST'
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_sdk_sns::config::endpoint::DefaultResolver;
use aws_sdk_sns::config::{BehaviorVersion, Config, Region};
use aws_smithy_runtime_api::client::endpoint::{EndpointFuture, EndpointResolverParams, ResolveEndpoint, SharedEndpointResolver};
use aws_smithy_types::endpoint::Endpoint;

static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

struct Counting;

unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        unsafe { System.dealloc(place, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[derive(Debug)]
struct Fixed;

impl ResolveEndpoint for Fixed {
    fn resolve_endpoint<'a>(&'a self, _: &'a EndpointResolverParams) -> EndpointFuture<'a> {
        EndpointFuture::ready(Ok(Endpoint::builder().url("https://sns.eu-west-1.amazonaws.com").build()))
    }
}

fn allocations<T>(make: impl FnOnce() -> T) -> usize {
    let before = ALLOCATIONS.load(Ordering::Relaxed);
    let _made = make();
    ALLOCATIONS.load(Ordering::Relaxed) - before
}

fn main() {
    let mut config = Config::builder().behavior_version(BehaviorVersion::latest()).region(Region::new("eu-west-1"));
    config.set_endpoint_resolver(Some(SharedEndpointResolver::new(Fixed)));
    let config = config.build();
    let client = || allocations(|| aws_sdk_sns::Client::from_conf(config.clone()));
    let resolver = || allocations(DefaultResolver::new);
    if std::env::args().nth(1).as_deref() == Some("resolver") {
        println!("the default resolver first: {} allocations, then a client: {}", resolver(), client());
    } else {
        let (client, resolver) = (client(), resolver());
        println!("a client first: {client} allocations, then the default resolver: {resolver}");
        assert!(client > 400 && resolver < 10, "the behaviour has changed");
    }
}
RUST
cargo build -q --manifest-path "$folder/Cargo.toml"
"$folder/target/debug/partitions" resolver
"$folder/target/debug/partitions" client
