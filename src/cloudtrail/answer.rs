//! Whether a call's answer says that nothing was done: failures that stand elsewhere than in `errorCode`.
//!
//! Services write them in these places:
//! - a sign-in, and a service event: `Failure` at the event's own name in `responseElements` or `serviceEventDetails`
//!   (<https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-aws-console-sign-in-events.html>,
//!   <https://docs.aws.amazon.com/singlesignon/latest/userguide/understanding-sign-in-events.html>);
//! - what was begun earlier and has ended: the state `FAILED` in `serviceEventDetails`, by itself or in a member such as
//!   `createAccountStatus`
//!   (<https://docs.aws.amazon.com/organizations/latest/userguide/orgs_cloudtrail-integration.html>,
//!   <https://docs.aws.amazon.com/controltower/latest/userguide/lifecycle-events.html>);
//! - a gateway that passes a call on: `statusCode` in the response, or JSON-RPC's `error` in its `body`
//!   (<https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/understanding-gateway-cloudtrail-log-entries.html>,
//!   <https://www.jsonrpc.org/specification#response_object>);
//! - EC2: `_return` is false;
//! - a call about several things, which is answered with a list of those that it was not done for (`failedEntries`,
//!   `unprocessedAccounts`, `unsuccessful`, `errors`, as botocore's output shapes name them). It failed where it was done for
//!   none. Where it was done for some, it counts as a success: whoever watches wants to know.

use super::path::{first_scalar, wrapped_list};
use crate::json::{Node, Value};

/// The record whose answer is asked about.
pub(super) trait AnswerSource {
    /// The first scalar at a path of keys.
    fn scalar(&self, path: &[&str]) -> Option<&str>;

    /// The field of this name at the top, which is read for it.
    fn field(&self, key: &str) -> Option<&Node<'_>>;

    /// The field of this name at the top as it is written, if it is an object.
    fn object_text(&self, key: &str) -> Option<&str>;
}

/// Whether the answer says that nothing was done.
pub(super) fn says_failure(record: &impl AnswerSource) -> bool {
    let text = |key: &str| record.scalar(&[key]).unwrap_or_default();
    let (event, is_gateway) = (text("eventName"), text("eventSource") == GATEWAY);
    // An answer that has no sign of it need not be read.
    let of = |key: &str| {
        let says_nothing = !is_gateway && record.object_text(key).is_some_and(|json| !may_say_failure(json));
        if says_nothing { None } else { record.field(key) }
    };
    let responses = objects_at(of("responseElements"));
    let says_so = |response: &Node<'_>| {
        first_scalar(response, &[event]) == Some(FAILURE)
            || ["_return", "return"].iter().any(|key| first_scalar(response, &[key]) == Some("false"))
            || (is_gateway && refused_by_gateway(response))
            || did_nothing(response, record.field("requestParameters"))
    };
    responses.into_iter().map(unwrapped).any(says_so)
        || objects_at(of("serviceEventDetails")).into_iter().any(|details| details_tell_failure(details, event))
}

/// Whether an object that stands in `responseElements` or `serviceEventDetails`, as it is written, may say so: only if this holds
/// can [`says_failure`].
pub(crate) fn may_say_failure(json: &str) -> bool {
    // What is escaped may be any of them.
    json.contains('\\')
        || SIGNS.iter().any(|sign| json.contains(sign))
        || json.split("return\"").skip(1).any(|after| {
            after.trim_start().strip_prefix(':').is_none_or(|value| value.trim_start().starts_with(['f', '"', '[']))
        })
}

/// What stands in every answer that says so, apart from EC2's.
const SIGNS: [&str; 9] =
    ["ailure", "ailed", "AILED", "rror", "nsuccessful", "nprocessed", "statusCode", "nvalidParameters", "otFound"];

const FAILURE: &str = "Failure";
const GATEWAY: &str = "bedrock-agentcore.amazonaws.com";

/// Why a call failed that has no `errorCode`, as far as its answer says: a code for people to read.
pub(super) fn failure_reason(record: &impl AnswerSource) -> Option<&str> {
    let of_gateway = (record.scalar(&["eventSource"]) == Some(GATEWAY))
        .then(|| record.scalar(&["responseElements", "statusCode"]))
        .flatten();
    of_gateway.filter(|status| is_error_status(status)).or_else(|| {
        objects_at(record.field("serviceEventDetails")).into_iter().find_map(|details| {
            let states = std::iter::once(details).chain(states_within(details));
            let mut reasons = states.filter_map(|state| first_scalar(state, &["failureReason"]));
            reasons.find(|reason| !reason.is_empty())
        })
    })
}

/// Whether an HTTP status says that a request failed.
pub(super) fn is_error_status(status: &str) -> bool {
    status.parse::<f64>().is_ok_and(|status| status >= 400.0)
}

fn refused_by_gateway(response: &Node<'_>) -> bool {
    first_scalar(response, &["statusCode"]).is_some_and(is_error_status)
        || objects_at(response.get("body")).iter().any(|body| body.get("error").is_some_and(|error| !is_empty(error)))
}

fn details_tell_failure(details: &Node<'_>, event: &str) -> bool {
    first_scalar(details, &[event]) == Some(FAILURE)
        || std::iter::once(details).chain(states_within(details)).any(|state| {
            ["state", "status"].iter().any(|key| {
                first_scalar(state, &[key]).is_some_and(|state| ["FAILED", "Failed", FAILURE].contains(&state))
            })
        })
}

/// The objects in members such as `createAccountStatus`.
fn states_within<'n, 't>(details: &'n Node<'t>) -> impl Iterator<Item = &'n Node<'t>> {
    let members = details.members().unwrap_or_default().iter();
    members.filter(|member| member.key.ends_with("Status")).map(|member| &member.node)
}

/// Whether a call was done for none of the things that it names: the answer lists as many that it was not done for, and says
/// nothing else.
fn did_nothing(response: &Node<'_>, request: Option<&Node<'_>>) -> bool {
    let (mut listed, mut counted, mut says_more) = (0, 0, false);
    for member in response.members().unwrap_or_default() {
        match refusals(&member.key, &member.node) {
            Some(Refusals::Listed(number)) => listed = listed.max(number),
            Some(Refusals::Counted(number)) => counted = counted.max(number),
            None => says_more |= !is_formal(&member.key) && !is_empty(&member.node),
        }
    }
    if listed.max(counted) == 0 {
        return false;
    }
    let asked = request.map_or(1, things_asked);
    counted >= asked || (!says_more && listed >= asked)
}

/// How many things an answer says that it was not done for.
enum Refusals {
    Listed(usize),
    Counted(usize),
}

/// What a member of an answer says of it. The names are those of botocore's output shapes, in CloudTrail's spelling.
fn refusals(key: &str, node: &Node<'_>) -> Option<Refusals> {
    const NAMES: [&str; 7] =
        ["failures", "errors", "errorset", "errorentries", "errorlist", "notfound", "invalidparameters"];
    const BEGINNINGS: [&str; 3] = ["failed", "unprocessed", "unsuccessful"];
    // Every member of an answer is asked: no text is made for it.
    let begins = |with: &str| key.get(..with.len()).is_some_and(|beginning| beginning.eq_ignore_ascii_case(with));
    if !NAMES.iter().any(|name| key.eq_ignore_ascii_case(name)) && !BEGINNINGS.into_iter().any(begins) {
        return None;
    }
    let is_count =
        key.len().checked_sub(5).and_then(|at| key.get(at..)).is_some_and(|end| end.eq_ignore_ascii_case("count"));
    match &node.value {
        Value::Number(number) if is_count => Some(Refusals::Counted(number.parse::<f64>().map_or(0, |number| {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast to usize saturates")]
            let number = number as usize;
            number
        }))),
        Value::Array(_) | Value::Object(_) => Some(Refusals::Listed(elements(node))),
        _ => None,
    }
}

/// The number of things in a list, however it is written: an array, EC2's `{"items":[…]}` and `{"item":{…}}`, or a map.
fn elements(node: &Node<'_>) -> usize {
    match &node.value {
        Value::Array(elements) => elements.len(),
        Value::Object(members) => match wrapped_list(node) {
            Some(list) => list.elements().map_or_else(|| usize::from(!is_empty(list)), <[_]>::len),
            None => members.iter().filter(|member| !is_empty(&member.node)).count(),
        },
        _ => 0,
    }
}

/// How many things a request names: the length of its longest list. Tags are none of them.
fn things_asked(request: &Node<'_>) -> usize {
    let members = unwrapped(request).members().unwrap_or_default().iter();
    let lists = members.filter(|member| !member.key.to_ascii_lowercase().starts_with("tag"));
    let length = |node: &Node<'_>| match &node.value {
        Value::Array(elements) => elements.len(),
        Value::Object(members) => {
            members.iter().map(|member| member.node.elements().map_or(0, <[_]>::len)).max().unwrap_or(0)
        }
        _ => 0,
    };
    lists.map(|member| length(&member.node)).max().unwrap_or(0).max(1)
}

/// Whether a member of an answer says nothing of what was done.
fn is_formal(key: &str) -> bool {
    ["requestId", "requestID", "xmlns", "_return", "return", "nextToken", "responseMetadata"].contains(&key)
}

fn is_empty(node: &Node<'_>) -> bool {
    match &node.value {
        Value::Null | Value::Bool(false) => true,
        Value::Bool(true) | Value::TooDeep(_) => false,
        Value::Number(number) => number.parse::<f64>() == Ok(0.0),
        Value::String(text) => text.as_str().is_empty(),
        Value::Array(elements) => elements.is_empty(),
        Value::Object(members) => members.iter().all(|member| is_empty(&member.node)),
    }
}

/// What newer calls of EC2 have in `DeleteVpcEndpointsRequest` and `DeleteVpcEndpointsResponse`.
fn unwrapped<'n, 't>(node: &'n Node<'t>) -> &'n Node<'t> {
    match node.members() {
        Some([only])
            if ["Response", "Request", "Req"].iter().any(|end| only.key.ends_with(end))
                && only.node.members().is_some() =>
        {
            &only.node
        }
        _ => node,
    }
}

/// The objects that a value stands for, in arrays and in a text as well.
fn objects_at<'n>(node: Option<&'n Node<'_>>) -> Vec<&'n Node<'n>> {
    fn gather<'n>(node: &'n Node<'_>, found: &mut Vec<&'n Node<'n>>) {
        match &node.value {
            Value::Object(_) => found.push(node),
            Value::Array(elements) => elements.iter().for_each(|element| gather(element, found)),
            Value::String(text) => text.embedded().into_iter().for_each(|document| gather(document, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    node.into_iter().for_each(|node| gather(node, &mut found));
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloudtrail::Record;

    /// Whether a record says so; the two ways to ask agree.
    fn says(json: &str) -> bool {
        let record = Record::parse(json).unwrap();
        let said = says_failure(&record);
        let may = |key: &str| {
            objects_at(record.get(key)).iter().any(|object| may_say_failure(&object.compact()))
                || record.get(key).is_some_and(|node| node.as_str().is_some())
        };
        assert!(!said || may("responseElements") || may("serviceEventDetails"), "{json}");
        said
    }

    #[test]
    fn sign_ins_and_service_events_say_it_at_their_own_name() {
        assert!(says(r#"{"eventName":"ConsoleLogin","responseElements":{"ConsoleLogin":"Failure"}}"#));
        assert!(says(r#"{"eventName":"ConsoleLogin","responseElements":"{\"ConsoleLogin\":\"Failure\"}"}"#));
        assert!(!says(r#"{"eventName":"ConsoleLogin","responseElements":{"ConsoleLogin":"Success"}}"#));
        assert!(says(
            r#"{"eventName":"CredentialVerification","serviceEventDetails":{"CredentialVerification":"Failure"}}"#
        ));
        assert!(!says(
            r#"{"eventName":"CredentialVerification","serviceEventDetails":{"CredentialVerification":"Success"}}"#
        ));
        assert!(!says(r#"{"eventName":"X","serviceEventDetails":{"CredentialVerification":"Failure"}}"#));
    }

    #[test]
    fn what_ended_says_its_state() {
        for details in [
            r#"{"createAccountStatus":{"state":"FAILED","failureReason":"EMAIL_ALREADY_EXISTS"}}"#,
            r#"{"createManagedAccountStatus":{"state":"FAILED"}}"#,
            r#"{"state":"FAILED"}"#,
            r#"{"status":"Failed"}"#,
        ] {
            assert!(says(&format!(r#"{{"eventName":"R","serviceEventDetails":{details}}}"#)), "{details}");
            let done = details.replace("FAILED", "SUCCEEDED").replace("Failed", "Complete");
            assert!(!says(&format!(r#"{{"eventName":"R","serviceEventDetails":{done}}}"#)), "{done}");
        }
        let record = Record::parse(r#"{"serviceEventDetails":{"createAccountStatus":{"failureReason":"E"}}}"#).unwrap();
        assert_eq!(failure_reason(&record), Some("E"));
    }

    #[test]
    fn a_gateway_passes_on_the_status() {
        let gateway = |response: &str| {
            says(&format!(r#"{{"eventSource":"bedrock-agentcore.amazonaws.com","responseElements":{response}}}"#))
        };
        assert!(gateway(r#"{"statusCode":401,"body":{"error":{"code":-32001}}}"#));
        assert!(gateway(r#"{"statusCode":500.0}"#) && gateway(r#"{"body":"{\"error\":{\"code\":-32001}}"}"#));
        assert!(
            !gateway(r#"{"statusCode":200,"body":{"result":{}}}"#)
                && !gateway(r#"{"statusCode":200,"body":{"error":null}}"#)
        );
        // API Gateway's responses have a status code as their name.
        assert!(!says(r#"{"eventSource":"apigateway.amazonaws.com","responseElements":{"statusCode":"400"}}"#));
    }

    #[test]
    fn ec2_returns_false() {
        assert!(says(r#"{"responseElements":{"requestId":"r", "_return" : false}}"#));
        assert!(says(r#"{"responseElements":{"DeleteXResponse":{"xmlns":"x","return":false}}}"#));
        assert!(!says(r#"{"responseElements":{"requestId":"r","_return":true}}"#));
        assert!(!may_say_failure(r#"{"requestId":"r","_return" : true}"#));
    }

    #[test]
    fn a_batch_failed_where_it_was_done_for_none() {
        let batch = |request: &str, response: &str| {
            says(&format!(r#"{{"requestParameters":{request},"responseElements":{response}}}"#))
        };
        for (request, response) in [
            (r#"{"accountIds":["1","2"]}"#, r#"{"unprocessedAccounts":[{"accountId":"1"},{"accountId":"2"}]}"#),
            (r#"{"targets":[{"id":"1"}]}"#, r#"{"failedEntryCount":1,"failedEntries":[{"targetId":"1"}]}"#),
            (r#"{"entries":[{},{}]}"#, r#"{"failedEntryCount":2,"entries":[{"errorCode":"x"},{"errorCode":"x"}]}"#),
            (r#"{"cluster":"c","tags":[{},{},{}]}"#, r#"{"tasks":[],"failures":[{"reason":"RESOURCE:GPU"}]}"#),
            (
                r#"{"DeleteVpcEndpointsRequest":{"VpcEndpointId":{"content":"vpce-1","tag":1}}}"#,
                r#"{"DeleteVpcEndpointsResponse":{"xmlns":"x","requestId":"r","unsuccessful":{"item":{"resourceId":"vpce-1"}}}}"#,
            ),
            (r#"{"tablesToDelete":["a"]}"#, r#"{"errors":[{"tableName":"a"}]}"#),
            ("null", r#"{"failures":[{"arn":"a"}]}"#),
        ] {
            assert!(batch(request, response), "{request} {response}");
        }
        for (request, response) in [
            (r#"{"accountIds":["1","2"]}"#, r#"{"unprocessedAccounts":[{"accountId":"1"}]}"#),
            (r#"{"accountIds":["1","2"]}"#, r#"{"unprocessedAccounts":[]}"#),
            (r#"{"targets":[{"id":"1"}]}"#, r#"{"failedEntryCount":0,"failedEntries":[]}"#),
            (r#"{"entries":[{},{}]}"#, r#"{"failedEntryCount":1,"entries":[{"errorCode":"x"},{"eventId":"e"}]}"#),
            (r#"{"cluster":"c"}"#, r#"{"tasks":[{"taskArn":"t"}],"failures":[{"reason":"AGENT"}]}"#),
            (r#"{"fleet":"f"}"#, r#"{"failedReason":"x","fleetId":"f"}"#),
            ("{}", "{}"),
        ] {
            assert!(!batch(request, response), "{request} {response}");
        }
    }
}
