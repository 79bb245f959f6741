//! A silence that runs, as the ledger's table has it.

use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

/// The item, made a minute ago and for an hour.
pub(crate) fn running() -> Value {
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap();
    let millis = |time: Duration| json!({ "N": time.as_millis().to_string() });
    json!({
        "partition": { "S": "silences" }, "sort": { "S": "3f0a5bd2c1e94a77" }, "version": { "N": "1" },
        "expires": { "N": "4102444800" }, "rule": { "S": "IMP-4" },
        "created": millis(now - Duration::from_mins(1)), "until": millis(now + Duration::from_mins(59)),
        "who": { "S": "arn:aws:iam::111122223333:user/jana" }, "reason": { "S": "CHG-1042: the database moves" },
    })
}
