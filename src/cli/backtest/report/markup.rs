//! What several parts of the page write.

use crate::cli::words::grouped;
use crate::severity::Severity;

/// `Very high`
pub(super) fn name(severity: Severity) -> &'static str {
    match severity {
        Severity::Low => "Low",
        Severity::Medium => "Medium",
        Severity::High => "High",
        Severity::VeryHigh => "Very high",
        Severity::Extreme => "Extreme",
    }
}

/// `1,000 findings`, `1 address`, `2 addresses`
pub(super) fn count(number: u64, what: &str) -> String {
    let plural = match (number, what) {
        (1, _) => "",
        (_, "address") => "es",
        _ => "s",
    };
    format!("{} {what}{plural}", grouped(number))
}

#[expect(clippy::cast_precision_loss, reason = "the length of a bar")]
pub(super) const fn count_as_f64(count: u64) -> f64 {
    count as f64
}
