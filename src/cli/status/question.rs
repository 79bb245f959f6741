//! What is asked: about what, of which stack, and how far back.

use std::time::Duration;

use crate::cli::parsers;
use crate::ids::{FindingId, StableId};
use crate::time::{Date, Timestamp};

/// What is asked, of which stack.
#[derive(Debug, clap::Args)]
pub(super) struct Question {
    /// The `finding` of an alert, or the `eventID` of a CloudTrail record
    #[arg(value_name = "FINDING|EVENT", value_parser = Subject::parse)]
    pub(super) subject: Subject,
    /// The stack, whose outputs name the table and the log group
    #[arg(long, value_name = "NAME", default_value = "offlimits")]
    pub(super) stack: String,
    /// The ledger's table, where it is not the stack's
    #[arg(long, value_name = "NAME")]
    pub(super) table: Option<String>,
    /// The function's log group, where it is not the stack's
    #[arg(long, value_name = "NAME")]
    pub(super) log_group: Option<String>,
    /// The stack's region [default: `AWS_REGION`, else `AWS_DEFAULT_REGION`]
    #[arg(long, value_name = "NAME", value_parser = parsers::region)]
    pub(super) region: Option<String>,
    /// Look through the log from then on: some time ago (90m, 12h, 3d), a day or a time (UTC)
    #[arg(long, value_name = "WHEN", default_value = "3d", value_parser = Since::parse)]
    pub(super) since: Since,
}

/// What somebody wants to know the fate of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Subject {
    /// A finding, by its id.
    Finding(FindingId),
    /// A record of CloudTrail, by its `eventID`.
    Event(String),
}

impl Subject {
    /// Tells the two apart by their shape: 32 hexadecimal digits are a finding's, and anything else that an id may be is an
    /// event's.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if let Ok(id) = StableId::try_from(text.to_owned()) {
            return Ok(Self::Finding(id.into()));
        }
        // The text goes into a pattern: nothing of what patterns are made of is let through.
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b':');
        if (1..=100).contains(&text.len()) && text.bytes().all(is_plain) {
            return Ok(Self::Event(text.to_owned()));
        }
        Err("not an id: give the `finding` of an alert (32 hexadecimal digits), or the `eventID` of a CloudTrail record".to_owned())
    }

    /// The id as it was given.
    #[cfg(feature = "aws")]
    pub(super) fn id(&self) -> &str {
        match self {
            Self::Finding(id) => id.as_str(),
            Self::Event(id) => id,
        }
    }
}

/// The beginning of the time that is looked through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Since {
    /// This long ago.
    Ago(Duration),
    /// The beginning of a day (UTC), or a point in time.
    At(Timestamp),
}

impl Since {
    /// Reads `90m`, `12h`, `3d`, `2026-11-28` or `2026-11-28T03:00:00Z`.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let point = Timestamp::parse(text)
            .or_else(|| Date::parse(text).and_then(|day| Timestamp::parse(&format!("{day}T00:00:00Z"))));
        if let Some(point) = point {
            return Ok(Self::At(point));
        }
        let ago = text.char_indices().next_back().and_then(|(end, unit)| {
            let number: u64 = text[..end].parse().ok().filter(|number| *number > 0)?;
            let minutes = match unit {
                'm' => 1,
                'h' => 60,
                'd' => 24 * 60,
                _ => return None,
            };
            Some(Duration::from_secs(number.checked_mul(minutes * 60)?))
        });
        ago.map(Self::Ago).ok_or_else(|| "write it as 90m, 12h, 3d, 2026-11-28 or 2026-11-28T03:00:00Z".to_owned())
    }

    /// The point in time that it is, seen from `now`.
    #[cfg(feature = "aws")]
    pub(super) fn point(self, now: Timestamp) -> Timestamp {
        match self {
            Self::Ago(time) => now.minus(time),
            Self::At(point) => point,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_and_events_are_told_apart_by_their_shape() {
        let finding = "e3b0c44298fc1c149afbf4c8996fb924";
        assert!(matches!(Subject::parse(finding), Ok(Subject::Finding(id)) if id.as_str() == finding));
        for event in ["f1bcad24-6261-4d5c-b149-463c145d4aa6", "e-1", &finding.to_uppercase(), &finding[1..]] {
            assert_eq!(Subject::parse(event), Ok(Subject::Event(event.to_owned())));
        }
        for wrong in ["", "a b", "a\" || $.x = \"", "*", &"a".repeat(101), "é"] {
            assert!(Subject::parse(wrong).unwrap_err().starts_with("not an id"), "{wrong}");
        }
    }

    #[test]
    fn the_beginning_is_a_time_or_some_time_ago() {
        let hours = |hours| Ok(Since::Ago(Duration::from_hours(hours)));
        assert_eq!(Since::parse("90m"), Ok(Since::Ago(Duration::from_mins(90))));
        assert_eq!((Since::parse("12h"), Since::parse("3d")), (hours(12), hours(72)));
        let day = Timestamp::parse("2026-11-28T00:00:00Z").unwrap();
        assert_eq!(Since::parse("2026-11-28"), Ok(Since::At(day)));
        assert_eq!(Since::parse("2026-11-28T03:00:00Z"), Ok(Since::At(day.plus(Duration::from_hours(3)))));
        for wrong in ["", "d", "0d", "-1d", "3w", "3", "2026-13-01", "99999999999999999999d", "3é"] {
            assert!(Since::parse(wrong).is_err(), "{wrong}");
        }
    }
}
