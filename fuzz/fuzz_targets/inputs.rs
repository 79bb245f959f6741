//! Files with events, in every form: gzip, log files, lines, CloudWatch Logs, Logs Insights, CloudTrail Lake, Athena.
#![no_main]

#[path = "../../tests/support/readers.rs"]
mod readers;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| readers::an_input(data));
