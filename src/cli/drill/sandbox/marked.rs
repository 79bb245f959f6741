//! One call of the plan, with its names and its mark: what is sent, and the record that CloudTrail will write of it.

use serde_json::{Map, Value, json};

use super::account::Caller;
use super::table::{CallTable, HarmlessCall};
use crate::aws::ApiInput;
use crate::cloudtrail::partition_of;
use crate::ids::StableId;
use crate::time::Timestamp;

/// Characters of the stack's name that the names have.
const OF_STACK: usize = 24;

/// Where and as whom the calls are made.
#[derive(Debug)]
pub(super) struct Place<'p> {
    /// Whose credentials they are, as far as that is known.
    pub(super) caller: &'p Caller,
    pub(super) region: &'p str,
    /// With whose name the names begin: what is called so may be the function's own, to the rules that ask.
    pub(super) stack: &'p str,
    /// What nobody can know before: 32 hexadecimal digits.
    pub(super) seed: &'p str,
}

/// The names of one call, of which there is nothing, and its mark.
#[derive(Debug)]
pub(super) struct MarkedCall {
    /// What is put into the places of the request.
    names: Vec<(&'static str, String)>,
    /// The user agent. It tells the record from all others, and whoever looks at the alert that it was a drill; it is no part of what a
    /// rule may be asked to leave alone.
    pub(super) user_agent: String,
    /// `{name}`.
    pub(super) name: String,
}

impl MarkedCall {
    /// The names that a call gets for a rule.
    pub(super) fn of(place: &Place<'_>, rule: &str) -> Self {
        let digits = |what: &str| StableId::hash(&["drill", place.seed, rule, what]).as_str().to_owned();
        let hex = digits("names");
        let stack: String = place.stack.chars().take(OF_STACK).collect();
        let name = format!("{stack}-drill-{}", &hex[..20]);
        // A UUID of version 8, whose digits are one's own: RFC 9562.
        let uuid =
            format!("{}-{}-8{}-8{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &digits("uuid")[..12]);
        let names = vec![
            ("{name}", name.clone()),
            ("{uuid}", uuid),
            ("{hex10}", hex[..10].to_owned()),
            ("{hex16}", hex[..16].to_owned()),
            ("{hex17}", hex[..17].to_owned()),
            ("{account}", place.caller.account.clone()),
            ("{region}", place.region.to_owned()),
            ("{partition}", partition_of(place.region).to_owned()),
            ("{hex}", hex),
        ];
        let mark = digits("mark");
        Self { names, user_agent: format!("offlimits-drill/{} {mark}", env!("CARGO_PKG_VERSION")), name }
    }

    /// A text with the names in their places.
    fn filled(&self, text: &str) -> String {
        self.names.iter().fold(text.to_owned(), |text, (place, name)| text.replace(place, name))
    }

    fn filled_value(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => json!(self.filled(text)),
            Value::Array(values) => values.iter().map(|value| self.filled_value(value)).collect(),
            Value::Object(members) => {
                members.iter().map(|(key, value)| (key.clone(), self.filled_value(value))).collect::<Map<_, _>>().into()
            }
            other => other.clone(),
        }
    }

    /// What is asked.
    pub(super) fn input(&self, table: &CallTable, call: &HarmlessCall) -> ApiInput {
        let fields = || call.request.iter().flatten().map(|(name, value)| (*name, self.filled_value(value)));
        let object = || Value::Object(fields().map(|(name, value)| (name.to_owned(), value)).collect());
        let Some((method, path)) = call.method_and_path() else {
            if !table.takes_forms(call) {
                return ApiInput::Json(object());
            }
            let text = |value: Value| value.as_str().map(str::to_owned).unwrap_or_default();
            return ApiInput::Form(fields().map(|(name, value)| (name, text(value))).collect());
        };
        let path = self.filled(path);
        match method {
            "DELETE" => ApiInput::Delete(path),
            "PUT" => ApiInput::Put(path, object()),
            _ => ApiInput::Post(path, object()),
        }
    }

    /// The record that CloudTrail will write, if the call is refused as it should be.
    pub(super) fn record(&self, call: &HarmlessCall, place: &Place<'_>, now: Timestamp) -> Value {
        let name = call.event_name();
        let is_read_only = ["Describe", "Get", "List"].iter().any(|verb| name.starts_with(verb));
        json!({
            "eventVersion": "1.11", "eventType": "AwsApiCall", "eventCategory": "Management", "managementEvent": true,
            "eventSource": format!("{}.amazonaws.com", call.service), "eventName": name, "eventTime": now.to_string(),
            "readOnly": is_read_only, "awsRegion": place.region, "recipientAccountId": place.caller.account,
            "userAgent": self.user_agent, "userIdentity": place.caller.identity(), "errorCode": call.error,
            "errorMessage": call.why(), "requestParameters": self.filled_value(&call.parameters()), "responseElements": null,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_marked_by_names_of_which_there_is_nothing() {
        let caller = Caller::assumed("111122223333");
        let of = |seed: &str, rule: &str| {
            let place = Place { caller: &caller, region: "us-gov-west-1", stack: "offlimits", seed };
            MarkedCall::of(&place, rule)
        };
        let call = of("1", "A");
        assert_eq!(
            call.filled("arn:{partition}:x:{region}:{account}:y"),
            "arn:aws-us-gov:x:us-gov-west-1:111122223333:y"
        );
        assert_eq!(
            (call.filled("i-{hex17}").len(), call.filled("{uuid}").len(), call.filled("{hex}").len()),
            (19, 36, 32)
        );
        assert!(call.name.starts_with("offlimits-drill-") && call.user_agent.starts_with("offlimits-drill/"));
        // Another rule, and another run, have other names and marks.
        for other in [of("1", "B"), of("2", "A")] {
            assert!(other.name != call.name && other.user_agent != call.user_agent);
        }
    }
}
