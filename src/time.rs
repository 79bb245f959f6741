//! Points in time and days, over [`jiff`], as CloudTrail writes them: UTC throughout. Nothing here reads a clock.

use std::fmt;
use std::time::{Duration, SystemTime};

use jiff::civil;
use jiff::fmt::temporal::DateTimePrinter;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

/// A point in time, to the millisecond, from 1970-01-01T00:00:00Z to the end of the year 9999. What lies outside is moved to
/// the nearest of the two. In JSON it is the number of milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "u64", into = "u64")]
pub struct Timestamp(jiff::Timestamp);

impl Timestamp {
    /// From milliseconds since 1970.
    pub fn from_millis(millis: u64) -> Self {
        let millis = i64::try_from(millis).ok().and_then(|millis| jiff::Timestamp::from_millisecond(millis).ok());
        Self(millis.unwrap_or(jiff::Timestamp::MAX))
    }

    /// A point in time of `jiff`'s, to the millisecond; `None` before 1970.
    pub(crate) fn of(time: jiff::Timestamp) -> Option<Self> {
        u64::try_from(time.as_millisecond()).ok().map(Self::from_millis)
    }

    /// Milliseconds since 1970.
    pub fn millis(self) -> u64 {
        u64::try_from(self.0.as_millisecond()).unwrap_or_default()
    }

    /// Whole seconds since 1970.
    pub fn seconds(self) -> u64 {
        self.millis() / 1000
    }

    /// The day (UTC).
    pub fn date(self) -> Date {
        Date(self.civil(&TimeZone::UTC).date())
    }

    /// The day and the time of day that clocks in a zone show, daylight saving included.
    pub fn civil(self, zone: &TimeZone) -> civil::DateTime {
        zone.to_datetime(self.0)
    }

    /// How many seconds clocks in a zone are ahead of UTC then; behind it they are negative.
    pub fn offset(self, zone: &TimeZone) -> i32 {
        zone.to_offset(self.0).seconds()
    }

    /// Reads a time with its offset, such as an `eventTime`: `2024-01-10T11:32:44Z`, with or without a fraction of the second,
    /// or `20131102T010628Z` (eventVersion 1.0). What is finer than a millisecond is dropped; a leap second counts as the one
    /// before it. `None` for any other text, and for times before 1970.
    pub fn parse(text: &str) -> Option<Self> {
        // An archive has one for each record: no text is made here.
        let time: jiff::Timestamp = text.parse().ok()?;
        u64::try_from(time.as_millisecond()).ok().map(Self::from_millis)
    }

    /// How long after `earlier` this is; nothing if it is not.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.millis().saturating_sub(earlier.millis()))
    }

    /// This much later.
    #[must_use]
    pub fn plus(self, wait: Duration) -> Self {
        Self::from_millis(self.millis().saturating_add(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)))
    }

    /// This much earlier.
    #[must_use]
    pub fn minus(self, time: Duration) -> Self {
        Self::from_millis(self.millis().saturating_sub(u64::try_from(time.as_millis()).unwrap_or(u64::MAX)))
    }
}

impl Default for Timestamp {
    fn default() -> Self {
        Self(jiff::Timestamp::UNIX_EPOCH)
    }
}

impl From<u64> for Timestamp {
    fn from(millis: u64) -> Self {
        Self::from_millis(millis)
    }
}

impl From<Timestamp> for u64 {
    fn from(time: Timestamp) -> Self {
        time.millis()
    }
}

impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        Self::default().plus(time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default())
    }
}

/// RFC 3339, UTC, to the second, as CloudTrail writes it: `2024-01-10T11:32:44Z`.
impl fmt::Display for Timestamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        const PRINTER: DateTimePrinter = DateTimePrinter::new().precision(Some(0));
        let whole = jiff::Timestamp::from_second(self.0.as_second()).unwrap_or(self.0);
        formatter.write_str(&PRINTER.timestamp_to_string(&whole))
    }
}

/// A day of the Gregorian calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date(civil::Date);

impl Date {
    /// Reads `2027-03-31`, and no other form of a day.
    pub fn parse(text: &str) -> Option<Self> {
        let date: civil::Date = text.parse().ok()?;
        (date.to_string() == text).then_some(Self(date))
    }

    /// The day (UTC) of an `eventTime`.
    pub fn of_time(text: &str) -> Option<Self> {
        Timestamp::parse(text).map(Timestamp::date)
    }

    /// Days from this one to `other`; negative if `other` is earlier.
    pub fn days_until(self, other: Self) -> i64 {
        self.0.duration_until(other.0).as_hours() / 24
    }

    /// The day so many days later; the last day that can be told, if there is none.
    #[must_use]
    pub fn plus_days(self, days: u32) -> Self {
        Self(self.0.saturating_add(jiff::Span::new().days(days)))
    }

    /// The moment at which it begins (UTC); the first or the last that can be told, where that lies outside.
    pub fn start(self) -> Timestamp {
        self.0.to_zoned_datetime(TimeZone::UTC).ok().and_then(|start| Timestamp::of(start.timestamp())).unwrap_or_else(
            || {
                if self.days_since_epoch() < 0 { Timestamp::default() } else { Timestamp::from_millis(u64::MAX) }
            },
        )
    }

    /// Days since 1970-01-01.
    pub fn days_since_epoch(self) -> i64 {
        Self(civil::date(1970, 1, 1)).days_until(self)
    }
}

impl fmt::Display for Date {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_form_of_event_time_is_read() {
        let time = Timestamp::from_millis(1_383_354_388_000);
        assert_eq!(Timestamp::parse("2013-11-02T01:06:28Z"), Some(time));
        assert_eq!(Timestamp::parse("20131102T010628Z"), Some(time));
        assert_eq!(Timestamp::parse("2013-11-02T02:06:28+01:00"), Some(time));
        assert_eq!(Timestamp::parse("2013-11-02T01:06:28.25Z"), Some(time.plus(Duration::from_millis(250))));
        assert_eq!(Timestamp::parse("2013-11-02T01:06:28.250999999Z"), Timestamp::parse("20131102T010628.25Z"));
        assert_eq!(Timestamp::parse("2016-12-31T23:59:60Z"), Timestamp::parse("2016-12-31T23:59:59Z"));
        for bad in [
            "",
            "Z",
            "2013-11-02",
            "2013-13-02T01:06:28Z",
            "2026-02-30T01:06:28Z",
            "2013-11-02T01:06:28",
            "2013-11-02T25:06:28Z",
            "2013-11-02T01:06:28.xZ",
            "2013-11-02T01:06:61Z",
            "é013-11-02T01:06:28Z",
            "2013-11-02T01:06:2Z",
            "2013-11-02T01:06:280Z",
            "2013-11-02T01:06:éZ",
            "1969-12-31T23:59:59Z",
        ] {
            assert_eq!(Timestamp::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn what_lies_outside_is_moved_to_the_end() {
        let end = Timestamp::from_millis(u64::MAX);
        assert_eq!(end.to_string(), "9999-12-30T22:00:00Z");
        assert_eq!(end.plus(Duration::MAX), end);
        assert_eq!(Timestamp::from_millis(1500).minus(Duration::MAX), Timestamp::default());
        assert_eq!(Timestamp::from_millis(1500).since(end), Duration::ZERO);
    }

    #[test]
    fn times_travel_as_milliseconds() {
        let time = Timestamp::from_millis(1_383_354_388_250);
        assert_eq!(serde_json::to_string(&time).unwrap(), "1383354388250");
        assert_eq!(serde_json::from_str::<Timestamp>("1383354388250").unwrap(), time);
    }

    #[test]
    fn dates_are_days_that_exist() {
        assert!(Date::parse("2028-02-29").is_some() && Date::parse("2027-12-31").is_some());
        for bad in [
            "2027-02-29",
            "2026-02-30",
            "2027-13-01",
            "2027-04-31",
            "2027-1-1",
            "2027-01-01-",
            "20270101",
            "2027-01-01T00:00:00",
            "tomorrow",
            "2027-00-10",
            "+027-01-01",
        ] {
            assert_eq!(Date::parse(bad), None, "{bad}");
        }
        assert_eq!(Date::of_time("20131102T010628Z"), Date::parse("2013-11-02"));
        assert_eq!(Date::of_time("2013-11-02T01:06:28Z"), Date::parse("2013-11-02"));
        // The name of a file in an archive has no seconds.
        assert_eq!(Date::of_time("20250227T0005Z"), Date::parse("2025-02-27"));
        assert_eq!(Date::of_time("2013-11-02"), None);
        for (seconds, day) in [(0, "1970-01-01"), (951_782_400, "2000-02-29"), (1_795_564_799, "2026-11-24")] {
            assert_eq!(Some(Timestamp::from_millis(seconds * 1000).date()), Date::parse(day));
        }
    }

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
            assert_eq!(date(from).days_until(date(to)), expected, "{from} {to}");
        }
        assert_eq!(date("2024-02-29").days_since_epoch(), 19_782);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(seconds in 0..253_402_207_200_u64) {
            let time = Timestamp::from_millis(seconds * 1000);
            prop_assert_eq!(Timestamp::parse(&time.to_string()), Some(time));
            prop_assert_eq!(Date::parse(&time.date().to_string()), Some(time.date()));
        }

        #[test]
        fn nothing_that_is_read_panics(text in "\\PC*") {
            let _ = (Timestamp::parse(&text), Date::parse(&text));
        }
    }
}
