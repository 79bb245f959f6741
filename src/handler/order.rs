//! What the function can be told to do by itself, beside handling events: `{"offlimits":"test"}`.

/// An order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Order {
    /// To send a marked alert to every channel. People order it.
    Test,
    /// To bring what lies in the spokes' queues. A rule of the hub orders it, and elsewhere it is none.
    Move,
    /// To see who is not heard. A rule of the stack orders it, and names the EventBridge rules that feed the function by their ARNs.
    Sweep(Vec<String>),
}

/// The longest payload that may be an order, in bytes: a larger one is not parsed a second time to find out. One that begins as the
/// sweep's order does may be larger, since it names rules.
const MAX_LEN: usize = 200;
/// The bytes in which the sweep's order says what it is.
const BEGINNING: usize = 40;

impl Order {
    /// The order that a payload gives, if it gives one.
    pub(super) fn parse(payload: &str) -> Option<Self> {
        let begins_as_a_sweep = || {
            let beginning = payload.get(..BEGINNING).unwrap_or_default();
            beginning.contains(r#""offlimits""#) && beginning.contains(r#""sweep""#)
        };
        if payload.len() >= MAX_LEN && !begins_as_a_sweep() {
            return None;
        }
        let event: serde_json::Value = serde_json::from_str(payload).ok()?;
        match event["offlimits"].as_str()? {
            "test" => Some(Self::Test),
            "move" => Some(Self::Move),
            "sweep" => {
                let rules = event["rules"].as_array().into_iter().flatten();
                Some(Self::Sweep(rules.filter_map(|rule| Some(rule.as_str()?.to_owned())).collect()))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sweep_names_rules_however_many_and_no_event_is_an_order() {
        let arns: Vec<String> =
            (0..30).map(|number| format!("arn:aws:events:us-east-1:111111111111:rule/x-Calls{number}-1")).collect();
        let payload = serde_json::json!({ "offlimits": "sweep", "rules": arns }).to_string();
        assert!(payload.len() > MAX_LEN);
        assert_eq!(Order::parse(&payload), Some(Order::Sweep(arns.clone())));
        let spaced = payload.replacen(':', ": ", 1);
        assert_eq!(Order::parse(&spaced), Some(Order::Sweep(arns)));
        assert_eq!(Order::parse(r#"{"offlimits":"sweep"}"#), Some(Order::Sweep(Vec::new())));
        let event = format!(r#"{{"detail":"{}","offlimits":"sweep"}}"#, "x".repeat(MAX_LEN));
        assert_eq!(Order::parse(&event), None);
    }
}
