//! The databases of addresses beside the rules, which are read where the first finding asks.

use std::fs;
use std::io;
use std::path::Path;

use crate::cloudtrail::places::Places;

/// Bytes of a database that are read for a message's sake. A function of 128 MB must not die of one; those of countries and of
/// networks that are given away have up to 12 MB.
const LIMIT: u64 = 32 * 1024 * 1024;

/// The databases beside a rules file. Nothing is read or looked for yet.
pub(super) fn beside(rules: &Path) -> Places {
    let rules = rules.to_owned();
    Places::new(move |name| {
        let file = rules.with_file_name(name);
        if fs::metadata(&file)?.len() > LIMIT {
            return Err(io::Error::other("it has more than 32 MB"));
        }
        fs::read(file)
    })
}
