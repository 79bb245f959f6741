//! Times as CloudTrail writes them, and days as people read them. UTC throughout.

/// Seconds since the epoch of an `eventTime`: `2024-01-10T11:32:44Z`, or `20131102T010628Z`.
pub(in crate::cli) fn seconds(text: &str) -> Option<i64> {
    let text = text.strip_suffix('Z')?;
    let (date, time) = text.split_once('T')?;
    let digits: String = date.chars().filter(|c| *c != '-').chain(time.chars().filter(|c| *c != ':')).collect();
    let digits = digits.split('.').next()?;
    if digits.len() != 14 || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let part = |from: usize, to: usize| digits[from..to].parse::<i64>().ok();
    let (year, month, day) = (part(0, 4)?, part(4, 6)?, part(6, 8)?);
    let (hour, minute, second) = (part(8, 10)?, part(10, 12)?, part(12, 14)?);
    let exists = (1..=12).contains(&month) && (1..=31).contains(&day) && hour < 24 && minute < 60 && second < 61;
    exists.then(|| ((days(year, month, day) * 24 + hour) * 60 + minute) * 60 + second)
}

/// Days since the epoch, of seconds since it.
pub(in crate::cli) const fn day(seconds: i64) -> i64 {
    seconds.div_euclid(86_400)
}

/// `2024-01-10`, of days since the epoch.
pub(in crate::cli) fn date(days: i64) -> String {
    // Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`.
    let shifted = days + 719_468;
    let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

/// Days from the epoch to a day: `days_from_civil` of the same source.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_days_agree() {
        assert_eq!(seconds("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(seconds("2013-11-02T01:06:28Z"), Some(1_383_354_388));
        assert_eq!(seconds("20131102T010628Z"), Some(1_383_354_388));
        assert_eq!(seconds("2013-11-02T01:06:28.5Z"), Some(1_383_354_388));
        for bad in ["", "Z", "2013-11-02", "2013-13-02T01:06:28Z", "2013-11-02T25:06:28Z", "é013-11-02T01:06:28Z"] {
            assert_eq!(seconds(bad), None, "{bad}");
        }
        for days in (-1000..30_000).step_by(17) {
            let date = date(days);
            assert_eq!(seconds(&format!("{date}T23:59:59Z")).map(day), Some(days), "{date}");
        }
        assert_eq!(date(19_782), "2024-02-29");
    }
}
