//! What the channels of vendors with an HTTP API share.

use std::time::Duration;

use super::Verdict;

/// What an HTTP status means where the vendor says nothing of its own. Only a status that blames the content is final. Any other
/// may be a proxy's on the way, a URL that has moved, a permission that is missing, or a vendor's own trouble: all of them pass,
/// or are mended. Source: <https://www.rfc-editor.org/rfc/rfc9110#section-15.5>.
pub(super) fn judge_status(status: u16, retry_after: Option<Duration>) -> Verdict {
    let reason = format!("HTTP {status}");
    match status {
        200..=299 => Verdict::Delivered { receipt: None },
        408 | 425 | 429 | 500..=599 => Verdict::Retry { after: retry_after, reason },
        400 | 406 | 409 | 411 | 413..=415 | 417 | 422 | 431 => Verdict::Rejected { reason },
        _ => Verdict::Refused { reason },
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
