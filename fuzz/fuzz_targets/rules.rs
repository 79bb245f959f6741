//! `rules.json` and `accounts.json`: compiled, linted, bundled.
#![no_main]

#[path = "../../tests/support/readers.rs"]
mod readers;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    readers::rules(&text);
    readers::accounts(&text);
});
