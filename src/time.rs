//! Points in time. Nothing here reads a clock: [`crate::deliver::Transport::now`] does.

use std::fmt;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(u64);

impl Timestamp {
    /// From milliseconds since the epoch.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the epoch.
    pub const fn millis(self) -> u64 {
        self.0
    }

    /// Seconds since the epoch.
    pub const fn seconds(self) -> u64 {
        self.0 / 1000
    }

    /// Reads an `eventTime`: `2024-01-10T11:32:44Z`, with or without a fraction, or `20131102T010628Z`. UTC only.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.strip_suffix('Z')?;
        let (text, fraction) = text.split_once('.').unwrap_or((text, ""));
        let (day, time) = text.split_once('T')?;
        // An archive has one for each record: nothing is allocated here.
        let mut digits = [0; 14];
        let mut rest = day.bytes().chain(time.bytes()).filter(|byte| !matches!(byte, b'-' | b':'));
        for digit in &mut digits {
            *digit = rest.next()?;
        }
        if rest.next().is_some() || !digits.iter().chain(fraction.as_bytes()).all(u8::is_ascii_digit) {
            return None;
        }
        let part = |range: std::ops::Range<usize>| number(digits[range].iter().copied());
        let (year, month, day) = (part(0..4), part(4..6), part(6..8));
        let (hour, minute, second) = (part(8..10), part(10..12), part(12..14));
        // A leap second is 60.
        if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
            return None;
        }
        if hour > 23 || minute > 59 || second > 60 {
            return None;
        }
        let millis = number(fraction.bytes().chain(*b"000").take(3));
        let seconds = days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second;
        Some(Self(seconds * 1000 + millis))
    }

    /// How long after `earlier` this is; nothing if it is not.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }

    /// This much later.
    #[must_use]
    pub fn plus(self, wait: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)))
    }

    /// This much earlier.
    #[must_use]
    pub fn minus(self, time: Duration) -> Self {
        Self(self.0.saturating_sub(u64::try_from(time.as_millis()).unwrap_or(u64::MAX)))
    }
}

impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        Self(0).plus(time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default())
    }
}

/// RFC 3339, UTC, to the second, as CloudTrail writes it.
impl fmt::Display for Timestamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.seconds();
        let (year, month, day) = civil(seconds / 86_400);
        let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
        write!(formatter, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
    }
}

fn number(digits: impl Iterator<Item = u8>) -> u64 {
    digits.fold(0, |number, digit| number * 10 + u64::from(digit - b'0'))
}

/// Days since the epoch of a day of the Gregorian calendar.
/// Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", `days_from_civil`.
const fn days(year: u64, month: u64, day: u64) -> u64 {
    // The year begins in March, so that a leap day is its last.
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (year / 400, year % 400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// The inverse: `civil_from_days` of the same source.
const fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (era * 400 + year_of_era + (month <= 2) as u64, month, day_of_year - (153 * shifted + 2) / 5 + 1)
}

/// A day, as `yyyymmdd`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date(u32);

impl Date {
    /// Reads `2027-03-31`.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let mut part = |digits: usize| {
            parts
                .next()
                .filter(|part| part.len() == digits && part.bytes().all(|b| b.is_ascii_digit()))?
                .parse::<u32>()
                .ok()
        };
        let (year, month, day) = (part(4)?, part(2)?, part(2)?);
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let days = match month {
            2 => 28 + u32::from(leap),
            4 | 6 | 9 | 11 => 30,
            1..=12 => 31,
            _ => return None,
        };
        (parts.next().is_none() && (1..=days).contains(&day)).then_some(Self(year * 10_000 + month * 100 + day))
    }

    /// Year, month and day.
    pub const fn parts(self) -> (u32, u32, u32) {
        (self.0 / 10_000, self.0 / 100 % 100, self.0 % 100)
    }

    /// The day of a count of seconds since 1970-01-01T00:00Z.
    pub fn of_unix_time(seconds: u64) -> Self {
        // By Howard Hinnant's `civil_from_days`: years that begin in March, eras of 400 of them.
        let days = seconds / 86_400 + 719_468;
        let (era, day_of_era) = (days / 146_097, days % 146_097);
        let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month + 2) / 5 + 1;
        let month = if month < 10 { month + 3 } else { month - 9 };
        let year = era * 400 + year_of_era + u64::from(month <= 2);
        Self(u32::try_from(year * 10_000 + month * 100 + day).unwrap_or(u32::MAX))
    }

    /// The day of an `eventTime`: `2024-01-10T11:32:44Z`, or `20131102T010628Z`.
    pub fn of_time(text: &str) -> Option<Self> {
        let (day, _) = text.split_once(['T', ' '])?;
        if day.len() == 8 && day.is_ascii() {
            return Self::parse(&format!("{}-{}-{}", &day[..4], &day[4..6], &day[6..]));
        }
        Self::parse(day)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_form_of_event_time_is_read() {
        let moment = Timestamp::from_millis(1_383_354_388_000);
        assert_eq!(Timestamp::parse("2013-11-02T01:06:28Z"), Some(moment));
        assert_eq!(Timestamp::parse("20131102T010628Z"), Some(moment));
        assert_eq!(Timestamp::parse("2013-11-02T01:06:28.25Z"), Some(moment.plus(Duration::from_millis(250))));
        assert_eq!(
            Timestamp::parse("2013-11-02T01:06:28.2509999999999999999999Z"),
            Timestamp::parse("20131102T010628.25Z")
        );
        assert_eq!(Timestamp::parse("2016-12-31T23:59:60Z"), Timestamp::parse("2017-01-01T00:00:00Z"));
        for bad in [
            "",
            "Z",
            "2013-11-02",
            "2013-13-02T01:06:28Z",
            "2013-11-02T01:06:28+01:00",
            "2013-11-02T25:06:28Z",
            "2013-11-02T01:06:28.xZ",
            "2013-11-02T01:06:61Z",
            "é013-11-02T01:06:28Z",
            "2013-11-02T01:06:2Z",
            "2013-11-02T01:06:280Z",
            "2013-11-02T01:06:éZ",
        ] {
            assert_eq!(Timestamp::parse(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(seconds in 0..253_402_300_800_u64) {
            let moment = Timestamp::from_millis(seconds * 1000);
            prop_assert_eq!(Timestamp::parse(&moment.to_string()), Some(moment));
        }

        #[test]
        fn nothing_that_is_read_panics(text in "\\PC*") {
            let _ = Timestamp::parse(&text);
        }
    }

    #[test]
    fn dates_are_days_that_exist() {
        assert!(Date::parse("2028-02-29").is_some() && Date::parse("2027-12-31").is_some());
        for bad in [
            "2027-02-29",
            "2027-13-01",
            "2027-04-31",
            "2027-1-1",
            "2027-01-01-",
            "tomorrow",
            "2027-00-10",
            "+027-01-01",
        ] {
            assert_eq!(Date::parse(bad), None, "{bad}");
        }
        assert_eq!(Date::of_time("20131102T010628Z"), Date::parse("2013-11-02"));
        assert_eq!(Date::of_time("2013-11-02T01:06:28Z"), Date::parse("2013-11-02"));
        assert_eq!(Date::of_time("2013-11-02"), None);
        for (seconds, day) in [(0, "1970-01-01"), (951_782_400, "2000-02-29"), (1_795_564_799, "2026-11-24")] {
            assert_eq!(Some(Date::of_unix_time(seconds)), Date::parse(day));
        }
    }
}
