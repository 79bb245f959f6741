//! What a derived field is, and which calls it understands.

use crate::cloudtrail::{AliasSource, FactValue, Record, without_version};

/// A field that is worked out from a call's request and response.
#[derive(Debug, Clone, Copy)]
pub struct DerivedField {
    /// As rules, titles and throttles write it: `opened_to_world`.
    pub name: &'static str,
    /// The calls that it understands, by service.
    pub calls: &'static [ServiceCalls],
    /// What it says of a record of one of its calls: nothing, or values without repeats, in the order of the record.
    pub values: fn(&Record<'_>) -> Vec<FactValue>,
    /// What it means for people, in a few words.
    pub description: &'static str,
}

/// Calls of one service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServiceCalls {
    /// `eventSource`: `ec2.amazonaws.com`.
    pub service: &'static str,
    /// `eventName`, without the version that some services append.
    pub events: &'static [&'static str],
}

/// A field is known by its name.
impl PartialEq for DerivedField {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for DerivedField {}

impl DerivedField {
    /// What it says of a record; nothing if it does not understand the call. It is worked out once for each record.
    pub fn of<'r>(&self, record: &'r Record<'_>) -> &'r [FactValue] {
        if self.understands_call_of(record) { record.remembered(self.name, self.values) } else { &[] }
    }

    /// Whether it understands a call of this service and event.
    pub fn understands(&self, service: &str, event: &str) -> bool {
        let event = without_version(event);
        self.calls.iter().any(|calls| calls.service == service && calls.events.contains(&event))
    }

    /// Whether it understands the call of this record.
    pub(crate) fn understands_call_of(&self, record: &impl AliasSource) -> bool {
        let (service, event) = (record.text(&["eventSource"]), record.text(&["eventName"]));
        service.zip(event).is_some_and(|(service, event)| self.understands(service, event))
    }

    /// The calls that it understands, one by one: service and event.
    pub(crate) fn each_call(&self) -> impl Iterator<Item = (&'static str, &'static str)> + use<> {
        self.calls.iter().flat_map(|calls| calls.events.iter().map(|event| (calls.service, *event)))
    }
}

/// A whole number that is not negative. CloudTrail writes one field as `10` and as `10.0`.
pub(super) fn whole(text: &str) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let is_whole = !fraction.is_empty() && fraction.bytes().all(|digit| digit == b'0');
    whole.parse().ok().filter(|_| is_whole)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn a_field_is_worked_out_once_for_a_record_and_for_its_calls_alone() {
        static ASKED: AtomicUsize = AtomicUsize::new(0);
        const FIELD: DerivedField = DerivedField {
            name: "test",
            calls: &[ServiceCalls { service: "lambda.amazonaws.com", events: &["CreateFunction"] }],
            values: |_| {
                ASKED.fetch_add(1, Ordering::Relaxed);
                vec![FactValue { text: "v".to_owned(), place: "p".to_owned() }]
            },
            description: "",
        };
        let asked = |service: &str, event: &str, times: usize| {
            let json = format!(r#"{{"eventSource":"{service}","eventName":"{event}"}}"#);
            let record = Record::parse(&json).unwrap();
            let before = ASKED.load(Ordering::Relaxed);
            let values = (0..times).map(|_| FIELD.of(&record).len()).sum::<usize>();
            (values, ASKED.load(Ordering::Relaxed) - before)
        };
        assert_eq!(asked("lambda.amazonaws.com", "CreateFunction", 3), (3, 1));
        assert_eq!(asked("lambda.amazonaws.com", "CreateFunction20150331v2", 3), (3, 1));
        assert_eq!(asked("lambda.amazonaws.com", "CreateFunctionUrlConfig", 3), (0, 0));
        assert_eq!(asked("ec2.amazonaws.com", "CreateFunction", 3), (0, 0));
    }
}
