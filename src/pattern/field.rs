//! The fields of a record that patterns ask.

use serde_json::{Map, Value};

/// A field of CloudTrail's record that a pattern can ask: one whose value is a text (or, of the last two, a boolean) in every
/// record that has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum PatternField {
    /// `eventSource`
    Source,
    /// `eventName`
    Name,
    /// `userIdentity.type`
    Identity,
    /// `userIdentity.userName`
    UserName,
    /// `userIdentity.arn`
    Arn,
    /// `userIdentity.invokedByDelegate.accountId`
    Delegate,
    /// `errorCode`
    Error,
    /// `eventType`
    EventType,
    /// `awsRegion`
    Region,
    /// `userAgent`
    Agent,
    /// `readOnly`
    ReadOnly,
    /// `managementEvent`
    Management,
}

impl PatternField {
    const ALL: [Self; 12] = [
        Self::Source,
        Self::Name,
        Self::Identity,
        Self::UserName,
        Self::Arn,
        Self::Delegate,
        Self::Error,
        Self::EventType,
        Self::Region,
        Self::Agent,
        Self::ReadOnly,
        Self::Management,
    ];

    /// The field at this path of the record.
    pub(super) fn at(path: &[Box<str>]) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.path().iter().copied().eq(path.iter().map(|key| &**key)))
    }

    /// Its path in the record.
    pub(super) const fn path(self) -> &'static [&'static str] {
        match self {
            Self::Source => &["eventSource"],
            Self::Name => &["eventName"],
            Self::Identity => &["userIdentity", "type"],
            Self::UserName => &["userIdentity", "userName"],
            Self::Arn => &["userIdentity", "arn"],
            Self::Delegate => &["userIdentity", "invokedByDelegate", "accountId"],
            Self::Error => &["errorCode"],
            Self::EventType => &["eventType"],
            Self::Region => &["awsRegion"],
            Self::Agent => &["userAgent"],
            Self::ReadOnly => &["readOnly"],
            Self::Management => &["managementEvent"],
        }
    }

    /// Whether the record has a boolean there.
    pub(super) const fn is_boolean(self) -> bool {
        matches!(self, Self::ReadOnly | Self::Management)
    }

    /// Whether the record of every call has it, so that to ask whether it is there says nothing.
    pub(super) const fn is_everywhere(self) -> bool {
        matches!(self, Self::Source | Self::Name | Self::Region | Self::EventType | Self::Agent)
    }

    /// Whether AWS chooses its values, all of which are ASCII: names of services, calls, errors, regions and kinds.
    pub(super) const fn is_aws_own(self) -> bool {
        matches!(self, Self::Source | Self::Name | Self::Identity | Self::Error | Self::EventType | Self::Region)
    }

    /// Whether it is worth a pattern's characters to leave out some of its values and let all others pass. Of regions it is: a rule
    /// may be for whatever is not done in three of them. Of names it is not: one call of thousands is left out.
    pub(super) const fn is_worth_leaving_out(self) -> bool {
        matches!(self, Self::Region | Self::Identity)
    }

    /// Puts what is asked of it where the pattern has it.
    pub(super) fn put(self, object: &mut Map<String, Value>, asked: Value) {
        let Some((last, way)) = self.path().split_last() else { return };
        let mut object = object;
        for key in way {
            let inner = object.entry(*key).or_insert_with(|| Value::Object(Map::new()));
            let Value::Object(inner) = inner else { return };
            object = inner;
        }
        object.insert((*last).to_owned(), asked);
    }
}
