//! Times and days, in whole seconds and days since the epoch. UTC throughout.

use crate::time::Timestamp;

/// Seconds since the epoch of an `eventTime`.
pub(in crate::cli) fn seconds(text: &str) -> Option<i64> {
    i64::try_from(Timestamp::parse(text)?.seconds()).ok()
}

/// Days since the epoch, of seconds since it.
pub(in crate::cli) const fn day(seconds: i64) -> i64 {
    seconds.div_euclid(86_400)
}

/// `2024-01-10`, of days since the epoch.
pub(in crate::cli) fn date(days: i64) -> String {
    let start = u64::try_from(days).unwrap_or_default().saturating_mul(86_400_000);
    let mut date = Timestamp::from_millis(start).to_string();
    date.truncate("2024-01-10".len());
    date
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_days_agree() {
        assert_eq!(seconds("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(seconds("2013-11-02T01:06:28.999Z"), Some(1_383_354_388));
        assert_eq!(seconds("2016-12-31T23:59:60Z"), Some(1_483_228_799));
        for days in (0..30_000).step_by(17) {
            let date = date(days);
            assert_eq!(seconds(&format!("{date}T23:59:59Z")).map(day), Some(days), "{date}");
        }
        assert_eq!(date(19_782), "2024-02-29");
    }
}
