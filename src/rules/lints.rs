//! The list of lints: the warnings and notes of `offlimits check` that a rule may allow.
//!
//! What a lint means, and how it is found, is declared in its file of `src/lint`, which is built for the command line alone. The
//! compiler, which the function has too, knows the codes, so that a typo in `allow` is an error. Both take them from
//! [`each_lint`]: it stands here and not in `src/lint` because rules are a layer above, and use nothing of it.

/// Calls the macro `$then` with the list: for each file of `src/lint` that declares lints, the codes of its lints. A line here is
/// all that registers a lint. The files run in this order.
macro_rules! each_lint {
    ($then:ident) => {
        $then! {
            unknown: "recorded-otherwise", "service-event-mismatch", "unknown-event", "unknown-identity", "unknown-region",
                "unknown-service";
            rotated: "rotated-columns";
            versioned: "versioned-event";
            wildcard: "wildcard-pattern";
            impossible: "impossible-form";
            members: "member-case", "other-calls-parameter", "path-below-value", "unknown-member", "value-for-object";
            loose: "ambiguous-event", "loose-pattern";
            delivery: "data-event", "needless-events", "read-only-call", "recorded-elsewhere";
            identity: "misses-assumed-role";
            exceptions: "caller-chosen-exception", "exception-by-absence", "expired-exception", "expiring-exception",
                "unanchored-exception";
            shadow: "never-alerts", "repeated-row", "repeated-rule";
            derived: "never-derived";
            items: "split-item";
            hold: "long-hold";
            unreachable: "unreachable-threshold";
            numbers: "digits-in-quotes", "number-for-text";
            routing: "unrouted-channel", "unrouted-rule";
            account_names: "unknown-account";
            staged: "staged-as-new";
            wide_row: "wide-row";
            unused: "unused-allow", "unused-list";
        }
    };
}
#[cfg(feature = "cli")]
pub(crate) use each_lint;

macro_rules! codes {
    ($($file:ident: $($code:literal),+;)+) => {
        const CODES: &[&str] = &[$($($code),+),+];
    };
}
each_lint!(codes);

/// The codes of all lints, in the order of the alphabet.
pub const LINTS: [&str; CODES.len()] = sorted(CODES);

/// Insertion sort, at compile time.
const fn sorted<const N: usize>(codes: &[&'static str]) -> [&'static str; N] {
    let mut sorted = [""; N];
    let mut length = 0;
    while length < N {
        let mut place = length;
        while place > 0 && is_before(codes[length], sorted[place - 1]) {
            sorted[place] = sorted[place - 1];
            place -= 1;
        }
        sorted[place] = codes[length];
        length += 1;
    }
    sorted
}

const fn is_before(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    let mut place = 0;
    while place < one.len() && place < other.len() {
        if one[place] != other[place] {
            return one[place] < other[place];
        }
        place += 1;
    }
    one.len() < other.len()
}

/// A warning that does not count for one rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allow {
    /// Its code: one of [`LINTS`].
    pub lint: &'static str,
    /// Why it does not count, in the author's words.
    pub reason: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codes_are_sorted_and_each_stands_once() {
        assert!(LINTS.is_sorted_by(|a, b| a < b), "{LINTS:?}");
        assert!(LINTS.iter().all(|code| CODES.contains(code)) && LINTS.len() == CODES.len());
    }
}
