//! The day on which something ends, in every shape in which calls say it, by a calendar that counts days one by one.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::shapes::{flag, number, own_words, record, said, whole};
use crate::support::choices::{Choices, seeds};

const ROUNDS: u64 = 4_000;

const MONTHS: [(&str, u32); 12] = [
    ("Jan", 31),
    ("Feb", 28),
    ("Mar", 31),
    ("Apr", 30),
    ("May", 31),
    ("Jun", 30),
    ("Jul", 31),
    ("Aug", 31),
    ("Sep", 30),
    ("Oct", 31),
    ("Nov", 30),
    ("Dec", 31),
];

/// A day, its month counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Day {
    year: u32,
    month: usize,
    of_month: u32,
}

fn is_leap(year: u32) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

/// How many days a month has.
fn days(year: u32, month: usize) -> u32 {
    MONTHS[month].1 + u32::from(month == 1 && is_leap(year))
}

impl Day {
    fn next(self) -> Self {
        match self {
            Self { year, month, of_month } if of_month < days(year, month) => {
                Self { year, month, of_month: of_month + 1 }
            }
            Self { year, month: 11, .. } => Self { year: year + 1, month: 0, of_month: 1 },
            Self { year, month, .. } => Self { year, month: month + 1, of_month: 1 },
        }
    }

    fn after(self, days: u64) -> Self {
        (0..days).fold(self, |day, _| day.next())
    }

    fn iso(self) -> String {
        format!("{:04}-{:02}-{:02}", self.year, self.month + 1, self.of_month)
    }

    /// Days since 1970-01-01.
    fn number(self) -> u64 {
        let years: u32 = (1970..self.year).map(|year| 365 + u32::from(is_leap(year))).sum();
        let months: u32 = (0..self.month).map(|month| days(self.year, month)).sum();
        u64::from(years + months + self.of_month - 1)
    }
}

/// A moment of a day, as answers write it.
fn moment(choices: &mut Choices, day: Day, second: u32) -> Value {
    let (hour, minute, rest) = (second / 3600, second / 60 % 60, second % 60);
    let (half, of_twelve) = (if hour < 12 { "AM" } else { "PM" }, (hour + 11) % 12 + 1);
    let (month, year) = (MONTHS[day.month].0, day.year);
    let date = day.of_month;
    let clock = format!("{minute:02}:{rest:02}");
    match choices.below(7) {
        0 => json!(format!("{month} {date}, {year}, {of_twelve}:{clock} {half}")),
        1 => json!(format!("{month} {date}, {year}, {of_twelve}:{clock}\u{202f}{half}")),
        2 => json!(format!("{month} {date:02}, {year} {hour:02}:{clock} {half}")),
        3 => json!(format!("{month} {date}, {year} {of_twelve}:{clock} {half}")),
        4 => json!(format!("{}T{hour:02}:{clock}Z", day.iso())),
        5 => json!(format!("{}T{hour:02}:{clock}.123Z", day.iso())),
        _ => {
            let seconds = day.number() * 86_400 + u64::from(second);
            match choices.below(3) {
                0 => json!(seconds),
                1 => format!("{seconds}.25").parse().unwrap(),
                _ => json!(seconds * 1000 + 250),
            }
        }
    }
}

const CALLS: [(&str, &str, &str); 3] = [
    ("kms", "ScheduleKeyDeletion", "pendingWindowInDays"),
    ("secretsmanager", "DeleteSecret", "recoveryWindowInDays"),
    ("acm-pca", "DeleteCertificateAuthority", "permanentDeletionTimeInDays"),
];

#[test]
fn the_day_on_which_something_ends_reads_alike_whoever_says_it() {
    let (mut by_answer, mut by_window) = (0_u64, 0_u64);
    for seed in seeds(ROUNDS) {
        let mut choices = Choices::new(seed);
        let (service, event, window) = choices.of(&CALLS);
        let month = choices.below(12);
        let called = Day {
            year: choices.of(&[2024, 2025, 2026, 2027, 2028, 2099, 2100]),
            month,
            of_month: 1 + u32::try_from(choices.below(usize::try_from(MONTHS[month].1).unwrap())).unwrap(),
        };
        let second = u32::try_from(choices.below(86_400)).unwrap();
        let days = 7 + u64::try_from(choices.below(24)).unwrap();
        let mut request = json!({ "keyId": "k", "secretId": "s", "certificateAuthorityArn": "a" });
        own_words(
            &mut choices,
            &mut request,
            &[("pendingWindowInDays", "77"), ("deletionDate", "2026-07-07T00:00:00Z")],
        );
        let mut response = json!({ "keyId": "k", "keyState": "PendingDeletion" });
        let is_forced = service == "secretsmanager" && choices.one_in(3);
        let end = if is_forced {
            request["forceDeleteWithoutRecovery"] = flag(&mut choices, true);
            called
        } else if choices.one_in(3) {
            if choices.one_in(2) {
                request["forceDeleteWithoutRecovery"] = flag(&mut choices, false);
            }
            called.after(30)
        } else {
            request[window] = number(&mut choices, days);
            called.after(days)
        };
        if choices.one_in(2) {
            response["deletionDate"] = moment(&mut choices, end, second);
            by_answer += 1;
        } else {
            by_window += 1;
        }
        if choices.one_in(4) && !is_forced && request.get(window).is_some() {
            response[window] = request[window].clone();
            // A request that was left out for its size.
            if choices.one_in(4) && response.get("deletionDate").is_some() {
                request = Value::Null;
            }
        }
        if response.get("deletionDate").is_none() && response.get(window).is_none() && choices.one_in(3) {
            response = Value::Null;
        }
        let (request, response) = (whole(&mut choices, request), whole(&mut choices, response));
        let mut json = record(service, event, &request, &response);
        let clock = format!("{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60);
        json["eventTime"] = json!(match choices.below(3) {
            0 => format!("{}T{}Z", called.iso().replace('-', ""), clock.replace(':', "")),
            _ => format!("{}T{clock}Z", called.iso()),
        });
        let expected: BTreeSet<String> = [end.iso()].into();
        assert_eq!(said("deletion_date", &json), expected, "seed {seed}: {json:#}");
    }
    eprintln!("deletion_date: {by_answer} days by the answer and {by_window} by the window, 0 disagreements");
    assert!(by_answer > 0 && by_window > 0);
}
