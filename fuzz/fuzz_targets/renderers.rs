//! Every renderer, over records whose texts are the fuzzer's: no panic, and all that `tests/channels` asks of a message.
//!
//! One input goes to one channel as one kind of alert: its first three bytes say which, and how often the texts are repeated,
//! so that a short input reaches the limits too. The rest is the record's texts, parted by unit separators.
//! `fuzz/renderers.dict` has the words that attackers write.

#![no_main]

use libfuzzer_sys::fuzz_target;
use offlimits::alert::Alert;
use offlimits::cloudtrail::RawRecord;
use offlimits::ids::AlertId;
use offlimits::ruleset::RuleSet;
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
#[allow(dead_code)]
#[path = "../../tests/channels/samples.rs"]
mod samples;
#[allow(dead_code)]
#[path = "../../tests/channels/vendor.rs"]
mod vendor;

/// Bytes of a repeated text: of each text, the renderers look at 8,000 characters at most.
const LONGEST: usize = 10_000;

static RULES: LazyLock<RuleSet> = LazyLock::new(|| {
    alerts::rules("{event} by {actor} from {source_ip}: {requestParameters.name}", "Nobody does this.")
});

fuzz_target!(|data: &[u8]| {
    let [channel, kind, repeats, texts @ ..] = data else { return };
    let text = String::from_utf8_lossy(texts);
    let repeats = |part: &str| (1 << (repeats % 12)).min(LONGEST / part.len().max(1)).max(1);
    let parts: Vec<String> = text.split('\u{1f}').map(|part| part.repeat(repeats(part))).collect();
    // Fields that are left over get the first part.
    let part = |index: usize| parts.get(index).unwrap_or(&parts[0]);
    let record = json!({
        "eventName": part(0), "eventSource": part(1), "eventTime": part(2), "eventID": part(3), "awsRegion": part(4),
        "sourceIPAddress": part(5), "userAgent": part(6), "errorCode": part(7), "errorMessage": part(8),
        "recipientAccountId": part(9),
        "userIdentity": { "type": "IAMUser", "userName": part(10), "arn": part(11), "accountId": part(9) },
        "requestParameters": { "name": part(12), "instanceId": [part(13), part(0)], "password": part(14) }
    });
    let raw = RawRecord { json: record.to_string(), index: 0, message_id: None, account: None };
    let channel = &RULES.channels()[usize::from(*channel) % RULES.channels().len()];
    for finding in RULES.evaluate(&raw).expect("a record that serde_json wrote") {
        let id = AlertId::new(&finding.rule.id, "soc", &finding.id);
        let kind = usize::from(*kind) % 6;
        // Only two kinds are sums, and these cost more than all else.
        let sums = alerts::Sums::of(&finding, if matches!(kind, 2 | 3) { 40 } else { 0 });
        let kind = sums.kinds()[kind];
        invariants::check_all(
            channel,
            &Alert { receipt: Some("1503435956.000247"), ..Alert::alone(&finding, &id, kind) },
        );
    }
});
