//! How many days lie between two dates.

use crate::time::Date;

/// Days from `from` to `to`; negative if `to` is earlier.
pub(super) fn days(from: Date, to: Date) -> i64 {
    number(to) - number(from)
}

/// Days since the first of March of the year 0, by Howard Hinnant's `days_from_civil`: a year that begins in March ends with
/// its leap day.
fn number(date: Date) -> i64 {
    let (year, month, day) = date.parts();
    let (year, month, day) = (i64::from(year), i64::from(month), i64::from(day));
    let year = if month <= 2 { year - 1 } else { year };
    let month = (month + 9) % 12;
    year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted_over_months_and_leap_years() {
        let date = |text: &str| Date::parse(text).unwrap();
        for (from, to, expected) in [
            ("2027-03-01", "2027-03-31", 30),
            ("2028-02-28", "2028-03-01", 2),
            ("2027-02-28", "2027-03-01", 1),
            ("2026-12-31", "2027-01-01", 1),
            ("2000-01-01", "2026-11-25", 9825),
            ("2027-03-31", "2027-03-01", -30),
        ] {
            assert_eq!(days(date(from), date(to)), expected, "{from} {to}");
        }
    }
}
