//! What the function can be told to do by itself, beside handling events: `{"offlimits":"test"}`.

/// An order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// To send a marked alert to every channel. People order it.
    Test,
    /// To bring what lies in the spokes' queues. A rule of the hub orders it, and elsewhere it is none.
    Move,
}

/// The longest payload that may be an order, in bytes: a larger one is not parsed a second time to find out.
const MAX_LEN: usize = 200;

impl Order {
    /// The order that a payload gives, if it gives one.
    pub(super) fn parse(payload: &str) -> Option<Self> {
        if payload.len() >= MAX_LEN {
            return None;
        }
        let event: serde_json::Value = serde_json::from_str(payload).ok()?;
        match event["offlimits"].as_str()? {
            "test" => Some(Self::Test),
            "move" => Some(Self::Move),
            _ => None,
        }
    }
}
