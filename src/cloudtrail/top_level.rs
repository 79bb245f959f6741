//! The fields at the top of a record: their names, and where they stand in one that is parsed.

use crate::json::{Member, Node};

/// The fields at the top of CloudTrail's record, up to eventVersion 1.11. Sources, of the AWS CloudTrail User Guide:
/// <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html> and
/// <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-insights-fields-trails.html>.
pub const TOP_LEVEL: [&str; 32] = [
    "addendum",
    "additionalEventData",
    "apiVersion",
    "awsRegion",
    "edgeDeviceDetails",
    "errorCode",
    "errorMessage",
    "eventCategory",
    "eventContext",
    "eventID",
    "eventName",
    "eventSource",
    "eventTime",
    "eventType",
    "eventVersion",
    "insightDetails",
    "managementEvent",
    "readOnly",
    "recipientAccountId",
    "requestID",
    "requestParameters",
    "resources",
    "responseElements",
    "serviceEventDetails",
    "sessionCredentialFromConsole",
    "sharedEventID",
    "sourceIPAddress",
    "tlsDetails",
    "userAgent",
    "userIdentity",
    "vpcEndpointAccountId",
    "vpcEndpointId",
];

/// Where the fields at the top of a record stand among its members. What is told of a record asks for dozens of them, and looking
/// through its members each time took a quarter of what a finding in outline takes.
#[derive(Debug, Clone)]
pub(super) struct TopLevel {
    /// Of each name of [`TOP_LEVEL`], its member's place and 1; 0 where the record does not have it.
    places: [usize; TOP_LEVEL.len()],
}

impl TopLevel {
    /// Those of a record's members; of a name that is repeated, the last one counts.
    pub(super) fn of(members: &[Member<'_>]) -> Self {
        let mut places = [0; TOP_LEVEL.len()];
        for (place, member) in members.iter().enumerate() {
            if let Some(name) = number_of(&member.key) {
                places[name] = place + 1;
            }
        }
        Self { places }
    }

    /// The value of a field of the record that this was made of, and that is `root`.
    pub(super) fn get<'n, 't>(&self, root: &'n Node<'t>, key: &str) -> Option<&'n Node<'t>> {
        let Some(name) = number_of(key) else { return root.get(key) };
        root.members()?.get(self.places[name].checked_sub(1)?).map(|member| &member.node)
    }
}

/// The place of a name in [`TOP_LEVEL`].
fn number_of(key: &str) -> Option<usize> {
    let number = usize::from(NUMBERS[slot(key.as_bytes())?]).checked_sub(1)?;
    (TOP_LEVEL[number] == key).then_some(number)
}

/// By the slot of a name, its place in [`TOP_LEVEL`] and 1; 0 where no name has that slot.
static NUMBERS: [u8; SLOTS] = {
    let mut numbers = [0; SLOTS];
    let mut number = 0;
    while number < TOP_LEVEL.len() {
        let Some(slot) = slot(TOP_LEVEL[number].as_bytes()) else { panic!("a name is too short") };
        assert!(numbers[slot] == 0, "two names share a slot: choose other factors");
        number += 1;
        #[expect(clippy::cast_possible_truncation, reason = "there are far fewer names")]
        let written = number as u8;
        numbers[slot] = written;
    }
    numbers
};

const SLOTS: usize = 128;

/// The slot of a name, by its length and two of its letters: each name of [`TOP_LEVEL`] has one of its own. `None` where it is shorter
/// than any of them.
const fn slot(name: &[u8]) -> Option<usize> {
    if name.len() < 7 {
        return None;
    }
    let letters = name[6] as usize + name[name.len() - 1] as usize;
    Some((name.len() + 4 * letters) % SLOTS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_found_where_looking_through_the_members_finds_it() {
        let every = TOP_LEVEL.iter().map(|name| format!(r#""{name}":"{name}""#)).collect::<Vec<_>>().join(",");
        for text in [
            "{}".to_owned(),
            format!("{{{every}}}"),
            format!(r#"{{"eventName":1,{every},"eventName":2,"event\u004eame":3,"Records":[],"eventName2":4,"":5}}"#),
        ] {
            let root = Node::parse(&text).unwrap();
            let top = TopLevel::of(root.members().unwrap());
            for name in TOP_LEVEL.iter().chain(&["Records", "eventName2", "", "e", "eventname", "nowhere"]) {
                assert_eq!(
                    top.get(&root, name).map(|node| node.span.clone()),
                    root.get(name).map(|node| node.span.clone()),
                    "{name} in {text}"
                );
            }
        }
    }
}
