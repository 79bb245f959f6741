//! Hours of the week in a time zone: what `within` and `outside` compare a time with.

use std::borrow::Cow;

use jiff::civil::Weekday;
use jiff::tz::TimeZone;

use crate::config::suggestion;
use crate::time::Timestamp;

/// Hours of the week, in a zone's own time: daylight saving is taken into account, by the rules of the day in question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hours {
    zone: TimeZone,
    /// Whether each day of the week counts, Monday first.
    days: [bool; 7],
    spans: Vec<MinuteRange>,
}

/// Minutes of a day, the last one excluded. One that ends before it starts goes on into the next day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct MinuteRange {
    start: u16,
    end: u16,
}

/// The number of minutes in a day.
const DAY: u16 = 24 * 60;

/// How an author names the days, Monday first.
const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

impl Hours {
    /// Every hour of the week, in a zone of the IANA database.
    pub fn in_zone(name: &str) -> Option<Self> {
        let zone = TimeZone::get(name).ok()?;
        Some(Self { zone, days: [true; 7], spans: vec![MinuteRange { start: 0, end: DAY }] })
    }

    /// The same on these days alone: `Mon`, `Sat-Sun`, `Fri-Mon`. An error is the text that names no days.
    ///
    /// # Errors
    /// The first text that cannot be read.
    pub fn on<'t>(mut self, texts: impl IntoIterator<Item = &'t str>) -> Result<Self, &'t str> {
        self.days = [false; 7];
        for text in texts {
            let day = |name: &str| DAYS.iter().position(|day| *day == name).ok_or(text);
            let (first, last) = text.split_once('-').unwrap_or((text, text));
            let (first, last) = (day(first)?, day(last)?);
            let count = (last + 7 - first) % 7 + 1;
            (first..first + count).for_each(|day| self.days[day % 7] = true);
        }
        Ok(self)
    }

    /// The same at these hours alone: `08:00-18:00`, `22:00-06:00`.
    ///
    /// # Errors
    /// The first text that cannot be read.
    pub fn at<'t>(mut self, texts: impl IntoIterator<Item = &'t str>) -> Result<Self, &'t str> {
        self.spans = texts.into_iter().map(|text| MinuteRange::parse(text).ok_or(text)).collect::<Result<_, _>>()?;
        Ok(self)
    }

    /// Whether a time is among these hours; `None` where the text is no time with its offset, such as an `eventTime`.
    pub fn contain(&self, time: &str) -> Option<bool> {
        let (weekday, minute) = self.local(time)?;
        let on = |day: usize| self.days[day % 7];
        Some(self.spans.iter().any(|span| {
            if span.start < span.end {
                on(weekday) && (span.start..span.end).contains(&minute)
            } else {
                // A night belongs to the day on which it begins.
                (on(weekday) && minute >= span.start) || (on(weekday + 6) && minute < span.end)
            }
        }))
    }

    /// How people there call a time: `Sun 02:59`.
    pub fn called(&self, time: &str) -> Option<String> {
        let (weekday, minute) = self.local(time)?;
        Some(format!("{} {:02}:{:02}", DAYS[weekday], minute / 60, minute % 60))
    }

    /// A time as clocks there show it, and how far they are from UTC: `Sun 2026-10-25 02:59:00` and `UTC+01:00`.
    pub fn written(&self, time: &str) -> Option<(String, String)> {
        let (weekday, _) = self.local(time)?;
        let time = Timestamp::parse(time)?;
        let local = time.civil(&self.zone);
        let (date, hour, minute, second) = (local.date(), local.hour(), local.minute(), local.second());
        let offset = time.offset(&self.zone);
        let (sign, minutes) = (if offset < 0 { '-' } else { '+' }, offset.abs() / 60);
        let offset = format!("UTC{sign}{:02}:{:02}", minutes / 60, minutes % 60);
        Some((format!("{} {date} {hour:02}:{minute:02}:{second:02}", DAYS[weekday]), offset))
    }

    /// The day of the week, and the minute of that day.
    fn local(&self, time: &str) -> Option<(usize, u16)> {
        let local = Timestamp::parse(time)?.civil(&self.zone);
        let weekday = match local.weekday() {
            Weekday::Monday => 0,
            Weekday::Tuesday => 1,
            Weekday::Wednesday => 2,
            Weekday::Thursday => 3,
            Weekday::Friday => 4,
            Weekday::Saturday => 5,
            Weekday::Sunday => 6,
        };
        let minute = u16::try_from(i16::from(local.hour()) * 60 + i16::from(local.minute())).ok()?;
        Some((weekday, minute))
    }

    /// The zones that there are.
    pub fn zones() -> Vec<String> {
        jiff::tz::db().available().map(|name| name.as_str().to_owned()).collect()
    }
}

/// What to write instead of a name that no time zone has.
pub(crate) fn zone_remedy(name: &str) -> Cow<'static, str> {
    let zones = Hours::zones();
    suggestion(name, zones.iter().map(String::as_str)).map_or_else(
        || "write a name of the IANA database, such as \"Europe/Berlin\" or \"UTC\"".into(),
        |near| near.question().into(),
    )
}

impl MinuteRange {
    fn parse(text: &str) -> Option<Self> {
        let (start, end) = text.split_once('-')?;
        let (start, end) = (minute(start)?, minute(end)?);
        (start < DAY && start != end).then_some(Self { start, end })
    }
}

/// `08:00` is 480, `24:00` is the end of the day.
fn minute(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':')?;
    let number = |text: &str| {
        let digits = text.len() == 2 && text.bytes().all(|digit| digit.is_ascii_digit());
        digits.then(|| text.parse::<u16>().ok()).flatten()
    };
    let (hour, minute) = (number(hour)?, number(minute)?);
    (minute < 60 && hour * 60 + minute <= DAY).then_some(hour * 60 + minute)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hours(zone: &str, days: &[&'static str], spans: &[&'static str]) -> Hours {
        Hours::in_zone(zone).unwrap().on(days.iter().copied()).unwrap().at(spans.iter().copied()).unwrap()
    }

    #[test]
    fn daylight_saving_moves_the_hours() {
        let office = hours("Europe/Berlin", &["Mon-Fri"], &["08:00-18:00"]);
        // Friday before and Monday after the clocks went back on 2026-10-25.
        for (time, inside) in [
            ("2026-10-23T05:59:59Z", false),
            ("2026-10-23T06:00:00Z", true),
            ("2026-10-23T15:59:59Z", true),
            ("2026-10-23T16:00:00Z", false),
            ("2026-10-26T06:59:59Z", false),
            ("2026-10-26T07:00:00Z", true),
            ("2026-10-26T16:59:59Z", true),
            ("2026-10-26T17:00:00Z", false),
            // A Saturday.
            ("2026-10-24T10:00:00Z", false),
        ] {
            assert_eq!(office.contain(time), Some(inside), "{time}");
        }
    }

    #[test]
    fn the_hour_that_is_skipped_and_the_one_that_comes_twice() {
        let early = hours("Europe/Berlin", &["Sun"], &["02:00-03:00"]);
        // 2026-03-29: 01:59:59 is followed by 03:00:00.
        assert_eq!(early.contain("2026-03-29T00:59:59Z"), Some(false));
        assert_eq!(early.contain("2026-03-29T01:00:00Z"), Some(false));
        // 2026-10-25: from 02:00 to 03:00 twice.
        assert_eq!(early.contain("2026-10-25T00:30:00Z"), Some(true));
        assert_eq!(early.contain("2026-10-25T01:30:00Z"), Some(true));
        assert_eq!(early.contain("2026-10-25T02:00:00Z"), Some(false));
        assert_eq!(early.called("2026-10-25T01:30:00Z").as_deref(), Some("Sun 02:30"));
    }

    #[test]
    fn the_day_is_the_zones_own() {
        let sunday = hours("Pacific/Auckland", &["Sun"], &["00:00-24:00"]);
        assert_eq!(sunday.contain("2026-01-10T11:00:00Z"), Some(true), "already Sunday there");
        assert_eq!(sunday.contain("2026-01-11T11:00:00Z"), Some(false), "already Monday there");
    }

    #[test]
    fn a_night_belongs_to_the_day_on_which_it_begins() {
        let night = hours("UTC", &["Fri"], &["22:00-06:00"]);
        for (time, inside) in [
            ("2026-01-09T21:59:59Z", false),
            ("2026-01-09T22:00:00Z", true),
            ("2026-01-10T05:59:59Z", true),
            ("2026-01-10T06:00:00Z", false),
            ("2026-01-09T05:00:00Z", false),
            ("2026-01-10T23:00:00Z", false),
        ] {
            assert_eq!(night.contain(time), Some(inside), "{time}");
        }
        let around_the_weekend = hours("UTC", &["Fri-Mon"], &["00:00-24:00"]);
        assert_eq!(around_the_weekend.days, [true, false, false, false, true, true, true]);
    }

    #[test]
    fn times_are_read_as_cloudtrail_has_written_them() {
        let always = Hours::in_zone("Asia/Kathmandu").unwrap();
        for time in ["2013-11-02T01:06:28Z", "20131102T010628Z", "2013-11-02T01:06:28.123Z"] {
            assert_eq!(always.called(time).as_deref(), Some("Sat 06:51"), "{time}");
            assert_eq!(always.contain(time), Some(true));
        }
        for no_time in ["", "yesterday", "2013-11-02", "2013-11-02T01:06:28"] {
            assert_eq!(always.contain(no_time), None, "{no_time}");
        }
    }

    #[test]
    fn what_names_no_hours_is_refused() {
        let week = || Hours::in_zone("UTC").unwrap();
        assert!(Hours::in_zone("Europe/Berln").is_none());
        for bad in ["", "Monday", "mon", "Mon-", "Mon,Tue", "Mon-Fri-Sun"] {
            assert_eq!(week().on([bad]), Err(bad));
        }
        for bad in [
            "",
            "8-18",
            "08:00",
            "08:00-08:00",
            "24:00-01:00",
            "08:60-09:00",
            "08:00-24:01",
            "8:00-18:00",
            "+8:00-18:00",
        ] {
            assert_eq!(week().at([bad]), Err(bad));
        }
    }
}
