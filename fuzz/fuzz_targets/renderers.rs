//! Every renderer, over records whose texts are the fuzzer's: no panic, and all that `tests/channels` asks of a message.

#![no_main]

use libfuzzer_sys::fuzz_target;
use offlimits::record::RawRecord;
use offlimits::rules::RuleSet;
use serde_json::json;
use std::sync::LazyLock;

// As the tests have them.
#[allow(dead_code)]
#[path = "../../tests/channels/alerts.rs"]
mod alerts;
#[allow(dead_code)]
#[path = "../../tests/channels/exchange.rs"]
mod exchange;
#[path = "../../tests/channels/invariants.rs"]
mod invariants;

static RULES: LazyLock<RuleSet> =
    LazyLock::new(|| alerts::rules("{event} by {actor} from {source_ip}: {requestParameters.name}", "Nobody does this."));

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    // A unit separator parts the fields; those that are left get the first part.
    let parts: Vec<&str> = text.split('\u{1f}').collect();
    let part = |index: usize| parts.get(index).unwrap_or(&parts[0]);
    let record = json!({
        "eventName": part(0), "eventSource": part(1), "eventTime": part(2), "eventID": part(3), "awsRegion": part(4),
        "sourceIPAddress": part(5), "userAgent": part(6), "errorCode": part(7), "errorMessage": part(8),
        "recipientAccountId": part(9),
        "userIdentity": { "type": "IAMUser", "userName": part(10), "arn": part(11), "accountId": part(9) },
        "requestParameters": { "name": part(12), "instanceId": [part(13), part(0)], "password": part(14) }
    });
    let raw = RawRecord { json: record.to_string(), index: 0, message_id: None };
    for finding in RULES.evaluate(&raw).expect("a record that serde_json wrote") {
        alerts::each_kind(&finding, |alert| {
            for channel in RULES.channels() {
                invariants::check_all(channel, alert);
            }
        });
    }
});
