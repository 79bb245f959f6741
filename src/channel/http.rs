//! What the channels of vendors with an HTTP API share.

use std::time::Duration;

use super::Verdict;

/// What an HTTP status means where the vendor says nothing of its own.
pub(super) fn judge_status(status: u16, retry_after: Option<Duration>) -> Verdict {
    let reason = format!("HTTP {status}");
    match status {
        200..=299 => Verdict::Delivered { receipt: None },
        408 | 425 | 429 | 500..=599 => Verdict::Retry { after: retry_after, reason },
        _ => Verdict::Rejected { reason, credential: matches!(status, 401 | 403 | 404 | 410) },
    }
}

/// `json`, which must be an object, with one more member at its beginning. Nothing else of it changes, not even its order.
pub(super) fn with_member(json: &str, name: &str, value: &str) -> String {
    let rest = json.strip_prefix('{').unwrap_or_default();
    let comma = if rest.trim_start().starts_with('}') { "" } else { "," };
    format!("{{\"{name}\":{}{comma}{rest}", serde_json::Value::from(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_joins_and_the_rest_stays() {
        assert_eq!(with_member(r#"{"z":1.50,"a":2}"#, "k", "a\"b"), r#"{"k":"a\"b","z":1.50,"a":2}"#);
        assert_eq!(with_member("{}", "k", "v"), r#"{"k":"v"}"#);
    }
}
