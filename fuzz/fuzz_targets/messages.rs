//! What lies in the redelivery queue, and the letters of spokes.
#![no_main]

#[path = "../../tests/support/readers.rs"]
mod readers;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| readers::message(&String::from_utf8_lossy(data)));
