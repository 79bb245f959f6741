//! The binary files beside the rules: the table of accounts, and the databases of addresses.
#![no_main]

#[path = "../../tests/support/readers.rs"]
mod readers;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| readers::tables(data));
