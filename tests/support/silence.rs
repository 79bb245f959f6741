//! A silence that runs, as the ledger's table has it.

use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

/// The item, made a minute ago and for an hour.
pub(crate) fn running() -> Value {
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_millis();
    let minute = Duration::from_mins(1).as_millis();
    let millis = |time: u128| json!({ "N": time.to_string() });
    json!({
        "partition": { "S": "silences" }, "sort": { "S": "3f0a5bd2c1e94a77" }, "version": { "N": "1" },
        "expires": { "N": "4102444800" }, "rule": { "S": "IMP-4" },
        "created": millis(now - minute), "until": millis(now + 59 * minute),
        "who": { "S": "arn:aws:iam::111122223333:user/jana" }, "reason": { "S": "CHG-1042: the database moves" },
    })
}
