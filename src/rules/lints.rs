//! The warnings of `offlimits check`, by code, and what a rule says of them. The compiler knows the codes, so that a typo in
//! `allow` is an error; what they mean is known to the command line alone.

/// The codes, sorted.
pub const LINTS: [&str; 27] = [
    "ambiguous-event",
    "caller-chosen-exception",
    "data-event",
    "exception-by-absence",
    "expired-exception",
    "expiring-exception",
    "loose-pattern",
    "misses-assumed-role",
    "never-alerts",
    "read-only-call",
    "recorded-elsewhere",
    "recorded-otherwise",
    "repeated-row",
    "repeated-rule",
    "rotated-columns",
    "service-event-mismatch",
    "split-item",
    "unanchored-exception",
    "unknown-event",
    "unknown-identity",
    "unknown-region",
    "unknown-service",
    "unrouted-channel",
    "unrouted-rule",
    "unused-allow",
    "unused-list",
    "versioned-event",
];

/// A warning that does not count for one rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allow {
    /// Its code: one of [`LINTS`].
    pub lint: &'static str,
    /// Why it does not count.
    pub reason: String,
}
