//! The moments between which an exception holds, as people write them: a day, or a time of day with its zone.

use jiff::fmt::temporal::DateTimeParser;
use jiff::tz::{Disambiguation, OffsetConflict};

use crate::time::{Date, Timestamp};

/// A moment in `from` or `expires`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    /// The whole of a day in UTC: `2027-03-31`.
    Day(Date),
    /// A point in time: `2027-03-31T22:00Z`, `2027-03-31T22:00+02:00`, `2027-03-31T22:00[Europe/Berlin]`.
    Time(Timestamp),
}

/// What a moment looks like, as a regular expression that a schema can have (ECMA 262).
pub(crate) const MOMENT_PATTERN: &str =
    r"^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2})?(Z|[+-]\d{2}:\d{2}|([+-]\d{2}:\d{2})?\[[A-Za-z0-9_+/-]+\]))?$";

impl Moment {
    /// Reads a moment. A time without an offset or a zone is none, and neither is one that clocks in its zone skip or show
    /// twice, unless its offset stands before the zone. Zones are written as
    /// [RFC 9557](https://www.rfc-editor.org/rfc/rfc9557) does.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let Some((day, time)) = text.split_once('T') else { return Date::parse(text).map(Self::Day) };
        Date::parse(day)?;
        let (clock, zone) = time.split_at_checked(time.find(|c: char| !c.is_ascii_digit() && c != ':')?)?;
        if !is_clock(clock) {
            return None;
        }
        let (offset, name) = zone.split_at_checked(zone.find('[').unwrap_or(zone.len()))?;
        let is_named = name.len() > 2 && name.find(']') == Some(name.len() - 1);
        if name.is_empty() && offset == "Z" || is_offset(offset) && (name.is_empty() || is_named) {
            // An offset that the zone does not have then is a contradiction.
            let parsed = if name.is_empty() { PARSER.parse_timestamp(text) } else { zoned(text) };
            return parsed.ok().and_then(Timestamp::of).map(Self::Time);
        }
        (offset.is_empty() && is_named).then(|| zoned(text).ok().and_then(Timestamp::of).map(Self::Time))?
    }

    /// The first moment at which it has come.
    pub(crate) fn start(self) -> Timestamp {
        match self {
            Self::Day(day) => day.start(),
            Self::Time(time) => time,
        }
    }

    /// The first moment after it: a day is over when the next one begins, and a time when it has come.
    pub(crate) fn end(self) -> Timestamp {
        match self {
            Self::Day(day) => day.plus_days(1).start(),
            Self::Time(time) => time,
        }
    }

    /// What to write instead of a text that is no moment.
    pub(crate) fn remedy(text: &str) -> std::borrow::Cow<'static, str> {
        let named = text.split_once('[').and_then(|(_, name)| name.strip_suffix(']'));
        match named {
            Some(name) if jiff::tz::TimeZone::get(name).is_err() => super::hours::zone_remedy(name),
            Some(_) => {
                "write a time that clocks there show once; where they show it twice, put the offset before the zone, \
                        as in 2026-10-25T02:30+01:00[Europe/Berlin]"
                    .into()
            }
            None => "write a day that exists, such as 2027-03-31, or a time with its zone, such as 2027-03-31T22:00Z, \
                     2027-03-31T22:00+02:00 or 2027-03-31T22:00[Europe/Berlin]"
                .into(),
        }
    }
}

static PARSER: DateTimeParser =
    DateTimeParser::new().offset_conflict(OffsetConflict::Reject).disambiguation(Disambiguation::Reject);

fn zoned(text: &str) -> Result<jiff::Timestamp, jiff::Error> {
    PARSER.parse_zoned_datetime(text).map(|zoned| zoned.timestamp())
}

/// `22:00`, `22:00:59`.
fn is_clock(text: &str) -> bool {
    let parts: Vec<&str> = text.split(':').collect();
    (2..=3).contains(&parts.len()) && parts.iter().all(|part| is_two_digits(part))
}

/// `+02:00`.
fn is_offset(text: &str) -> bool {
    text.strip_prefix(['+', '-'])
        .and_then(|text| text.split_once(':'))
        .is_some_and(|(hours, minutes)| is_two_digits(hours) && is_two_digits(minutes))
}

fn is_two_digits(text: &str) -> bool {
    text.len() == 2 && text.bytes().all(|digit| digit.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> Option<String> {
        match Moment::parse(text)? {
            Moment::Time(time) => Some(time.to_string()),
            Moment::Day(day) => Some(day.to_string()),
        }
    }

    #[test]
    fn days_and_times_with_their_zone_are_read() {
        let pattern = regex::Regex::new(MOMENT_PATTERN).unwrap();
        for (written, meant) in [
            ("2027-03-31", "2027-03-31"),
            ("2027-03-31T22:00Z", "2027-03-31T22:00:00Z"),
            ("2027-03-31T22:00:30Z", "2027-03-31T22:00:30Z"),
            ("2027-03-31T22:00+02:00", "2027-03-31T20:00:00Z"),
            ("2027-03-31T22:00-08:30", "2027-04-01T06:30:00Z"),
            ("2027-03-31T22:00[Europe/Berlin]", "2027-03-31T20:00:00Z"),
            ("2027-01-31T22:00[Europe/Berlin]", "2027-01-31T21:00:00Z"),
            ("2026-10-25T02:30+01:00[Europe/Berlin]", "2026-10-25T01:30:00Z"),
            ("2026-10-25T02:30+02:00[Europe/Berlin]", "2026-10-25T00:30:00Z"),
            ("2027-03-31T22:00[UTC]", "2027-03-31T22:00:00Z"),
        ] {
            assert_eq!(time(written).as_deref(), Some(meant), "{written}");
            assert!(pattern.is_match(written), "{written}");
        }
    }

    #[test]
    fn what_says_no_moment_or_two_is_none() {
        for bad in [
            "",
            "T",
            "2027-02-30",
            "2027-03-31T22:00",
            "2027-03-31T",
            "2027-03-31TZ",
            "2027-03-31T22Z",
            "2027-03-31T24:00Z",
            "2027-03-31T22:60Z",
            "2027-03-31 22:00Z",
            "2027-03-31t22:00Z",
            "2027-03-31T22:00z",
            "2027-03-31T22:00:00.5Z",
            "2027-03-31T22:00+2:00",
            "2027-03-31T22:00+0200",
            "2027-03-31T22:00Z[Europe/Berlin]",
            "2027-03-31T22:00[Europe/Berln]",
            "2027-03-31T22:00[]",
            "2027-03-31T22:00[Europe/Berlin",
            "2027-03-31T22:00[Europe/Berlin][u-ca=iso8601]",
            "2027-03-31T22:00+05:00[Europe/Berlin]",
            // Clocks in Berlin skip it, and show it twice.
            "2027-03-28T02:30[Europe/Berlin]",
            "2026-10-25T02:30[Europe/Berlin]",
            "2027-03-31T22:00é[UTC]",
        ] {
            assert_eq!(time(bad), None, "{bad}");
        }
        assert!(Moment::remedy("2027-03-31T22:00[Europe/Berln]").contains("Europe/Berlin"));
        assert!(Moment::remedy("2026-10-25T02:30[Europe/Berlin]").contains("twice"));
    }

    #[test]
    fn a_day_is_whole_and_a_time_is_a_point() {
        let moment = |text: &str| Moment::parse(text).unwrap();
        assert_eq!(moment("2027-03-31").start(), Timestamp::parse("2027-03-31T00:00:00Z").unwrap());
        assert_eq!(moment("2027-03-31").end(), Timestamp::parse("2027-04-01T00:00:00Z").unwrap());
        assert_eq!(moment("2027-03-31T22:00Z").start(), moment("2027-03-31T22:00Z").end());
        assert_eq!(moment("1969-12-30").end(), Timestamp::default());
    }
}
