//! The rules of other products: Sigma's YAML, Conformity's JSON, Terraform's files and states.
#![no_main]

#[path = "../../tests/support/readers.rs"]
mod readers;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| readers::imported(&String::from_utf8_lossy(data)));
