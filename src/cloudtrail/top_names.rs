//! The names of the fields at the top of a record.

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

/// One of [`TOP_LEVEL`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TopName(usize);

impl TopName {
    /// The name that a key is; none if it is another.
    pub(super) fn of(key: &str) -> Option<Self> {
        number_of(key).map(Self)
    }

    /// The name that is known to be one.
    pub(super) const fn called(name: &str) -> Self {
        let mut place = 0;
        while !is_same(TOP_LEVEL[place].as_bytes(), name.as_bytes()) {
            place += 1;
        }
        Self(place)
    }

    /// Its place in [`TOP_LEVEL`].
    pub(super) const fn place(self) -> usize {
        self.0
    }
}

/// Whether two names are the same, in a constant.
const fn is_same(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    let mut at = 0;
    while at < a.len() {
        if a[at] != b[at] {
            return false;
        }
        at += 1;
    }
    true
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
