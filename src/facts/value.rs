//! What a derived field is, and what it answers.

use crate::cloudtrail::Record;

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

/// One value of a [`DerivedField`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FactValue {
    /// The value in its canonical form, which conditions compare and people read: `tcp 22`.
    pub text: String,
    /// Where the record says it: `requestParameters.ipPermissions.items[0].ipRanges.items[1].cidrIp`.
    pub place: String,
}
