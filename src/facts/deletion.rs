//! The field about the day on which something ends that a call has scheduled to be deleted.

use std::time::Duration;

use super::placed::Placed;
use super::value::{DerivedField, ServiceCalls, whole};
use crate::cloudtrail::{FactValue, Record};
use crate::time::{Date, Timestamp};

/// The day until which a deletion can be undone.
pub(super) const DELETION_DATE: DerivedField = DerivedField {
    name: "deletion_date",
    calls: &[
        ServiceCalls { service: "kms.amazonaws.com", events: &["ScheduleKeyDeletion"] },
        ServiceCalls { service: "secretsmanager.amazonaws.com", events: &["DeleteSecret"] },
        ServiceCalls { service: "acm-pca.amazonaws.com", events: &["DeleteCertificateAuthority"] },
    ],
    values: deletion_date,
    description: "the day (UTC) on which the key, the secret or the certificate authority ends, until which the deletion can be \
                  undone: 2026-02-09",
};

/// The days that pass where the request does not say how many: the same for all of them. Sources:
/// <https://docs.aws.amazon.com/kms/latest/APIReference/API_ScheduleKeyDeletion.html>,
/// <https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_DeleteSecret.html>,
/// <https://docs.aws.amazon.com/privateca/latest/APIReference/API_DeleteCertificateAuthority.html>.
const USUAL_DAYS: u64 = 30;

/// From here on a number counts milliseconds: as seconds it would be the year 5138.
const FIRST_MILLIS: u64 = 100_000_000_000;

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

fn deletion_date(record: &Record<'_>) -> Vec<FactValue> {
    said(record).or_else(|| computed(record)).into_iter().collect()
}

/// The day that the answer names.
fn said(record: &Record<'_>) -> Option<FactValue> {
    let named = Placed::top(record, "responseElements")?.get("deletionDate")?;
    let day = day(named.text()?)?;
    Some(FactValue { text: day.to_string(), place: named.place })
}

/// The day by the time of the call and what the request says; or by the window in the answer.
fn computed(record: &Record<'_>) -> Option<FactValue> {
    let called = Timestamp::parse(record.text(&["eventTime"])?)?;
    let request = Placed::top(record, "requestParameters")?;
    let answer = Placed::top(record, "responseElements");
    let forced = request.get("forceDeleteWithoutRecovery").filter(|force| force.text() == Some("true"));
    let windows = ["pendingWindowInDays", "recoveryWindowInDays", "permanentDeletionTimeInDays"];
    let window = [Some(&request), answer.as_ref()]
        .into_iter()
        .flatten()
        .find_map(|top| windows.iter().find_map(|window| top.get(window)));
    let (days, place) = match (forced, window) {
        (Some(forced), _) => (0, forced.place),
        (None, Some(window)) => (whole(window.text()?).filter(|days| *days <= u32::MAX.into())?, window.place),
        (None, None) => (USUAL_DAYS, "eventTime".to_owned()),
    };
    let day = called.plus(Duration::from_secs(days * 24 * 60 * 60)).date();
    Some(FactValue { text: day.to_string(), place })
}

/// The day of a time as answers write it: `Apr 12, 2021 18:58:30 PM`, `Jul 10, 2023, 12:07:59 PM`, `2023-07-10T12:07:59Z`, or as
/// the seconds (with or without a fraction) or the milliseconds since 1970.
fn day(text: &str) -> Option<Date> {
    if let Ok(number) = text.split('.').next().unwrap_or_default().parse::<u64>() {
        let millis = if number < FIRST_MILLIS { number.saturating_mul(1000) } else { number };
        return Some(Timestamp::from_millis(millis).date());
    }
    let mut words = text.split([' ', ',']).filter(|word| !word.is_empty());
    let month = MONTHS.iter().position(|month| words.clone().next() == Some(month));
    let Some(month) = month else { return Date::of_time(text) };
    let (day, year) = (words.nth(1)?.parse::<u8>().ok()?, words.next()?.parse::<u16>().ok()?);
    Date::parse(&format!("{year:04}-{:02}-{day:02}", month + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(service: &str, event: &str, parts: &str) -> Vec<(String, String)> {
        let json = format!(
            r#"{{"eventSource":"{service}.amazonaws.com","eventName":"{event}","eventTime":"2026-01-10T23:32:44Z",{parts}}}"#
        );
        let record = Record::parse(&json).unwrap();
        DELETION_DATE.of(&record).iter().map(|value| (value.text.clone(), value.place.clone())).collect()
    }

    #[test]
    fn the_day_reads_alike_whoever_says_it() {
        let kms = ("kms", "ScheduleKeyDeletion");
        let secret = ("secretsmanager", "DeleteSecret");
        let authority = ("acm-pca", "DeleteCertificateAuthority");
        for ((service, event), parts, day, place) in [
            (
                kms,
                r#""requestParameters":{"keyId":"k","pendingWindowInDays":30},"responseElements":{"deletionDate":"Feb 9, 2026, 11:32:44 PM"}"#,
                "2026-02-09",
                "responseElements.deletionDate",
            ),
            (
                kms,
                r#""requestParameters":null,"responseElements":{"deletionDate":"Feb 09, 2026 23:32:44 PM"}"#,
                "2026-02-09",
                "responseElements.deletionDate",
            ),
            (
                kms,
                r#""requestParameters":null,"responseElements":{"deletionDate":"2026-02-09T23:32:44Z"}"#,
                "2026-02-09",
                "responseElements.deletionDate",
            ),
            (
                kms,
                r#""requestParameters":{"keyId":"k","pendingWindowInDays":30},"responseElements":null"#,
                "2026-02-09",
                "requestParameters.pendingWindowInDays",
            ),
            (kms, r#""requestParameters":{"keyId":"k"},"responseElements":null"#, "2026-02-09", "eventTime"),
            (
                kms,
                r#""requestParameters":{"keyId":"k"},"responseElements":{"keyState":"PendingReplicaDeletion","pendingWindowInDays":7}"#,
                "2026-01-17",
                "responseElements.pendingWindowInDays",
            ),
            (
                secret,
                r#""requestParameters":{"secretId":"s","recoveryWindowInDays":"7"}"#,
                "2026-01-17",
                "requestParameters.recoveryWindowInDays",
            ),
            (
                secret,
                r#""requestParameters":{"secretId":"s","forceDeleteWithoutRecovery":true}"#,
                "2026-01-10",
                "requestParameters.forceDeleteWithoutRecovery",
            ),
            (
                secret,
                r#""requestParameters":{"secretId":"s","forceDeleteWithoutRecovery":false}"#,
                "2026-02-09",
                "eventTime",
            ),
            (
                authority,
                r#""requestParameters":{"permanentDeletionTimeInDays":14}"#,
                "2026-01-24",
                "requestParameters.permanentDeletionTimeInDays",
            ),
        ] {
            assert_eq!(said(service, event, parts), [(day.to_owned(), place.to_owned())], "{parts}");
        }
    }

    #[test]
    fn where_nothing_says_it_there_is_no_day() {
        assert_eq!(said("kms", "ScheduleKeyDeletion", r#""requestParameters":null"#), []);
        assert_eq!(said("kms", "CancelKeyDeletion", r#""requestParameters":{"keyId":"k"}"#), []);
        for odd in ["Smarch 1, 2026", "Feb 30, 2026", "soon", ""] {
            let parts = format!(r#""responseElements":{{"deletionDate":"{odd}"}}"#);
            assert_eq!(said("kms", "ScheduleKeyDeletion", &parts), [], "{odd}");
        }
    }
}
