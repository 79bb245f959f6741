//! What a finding tells of the call: its facts, and one sentence of them.

use crate::finding::Call;
use crate::identity;
use crate::json::Node;
use crate::record::Record;
use crate::redact::redacted;
use crate::rules::field::Derived;
use crate::text;

impl Call {
    /// The facts of a record.
    pub fn of(record: &Record) -> Self {
        let text = |path: &[&str]| record.filled(path).map(str::to_owned);
        let body = |key: &str| record.root().get(key).filter(|node| !node.is_null()).map(redacted);
        let (targets, actor) = (targets(record), record.derived(Derived::Actor));
        Self {
            sentence: sentence(record, actor.as_deref(), &targets),
            event_id: text(&["eventID"]),
            event_time: text(&["eventTime"]),
            event_type: text(&["eventType"]),
            event_category: text(&["eventCategory"]),
            account: record.derived(Derived::Account).map(Into::into),
            region: text(&["awsRegion"]),
            identity: text(&["userIdentity", "type"]),
            actor: actor.map(Into::into),
            arn: text(&["userIdentity", "arn"]),
            access_key_id: text(&["userIdentity", "accessKeyId"]),
            service: text(&["eventSource"]),
            event: text(&["eventName"]),
            source_ip: text(&["sourceIPAddress"]),
            user_agent: text(&["userAgent"]),
            error: text(&["errorCode"]),
            error_message: text(&["errorMessage"]),
            failed: record.failed(),
            mfa: record.mfa(),
            read_only: record.text(&["readOnly"]).and_then(|text| text.parse().ok()),
            targets,
            request: body("requestParameters"),
            response: body("responseElements"),
        }
    }
}

/// Characters of a name in the sentence that are kept.
const NAME_LIMIT: usize = 120;

/// `James (IAM user) called StartInstances on i-01234567abcabcabc in us-east-1: allowed`
fn sentence(record: &Record, actor: Option<&str>, targets: &[String]) -> String {
    let shown = |text: &str| text::clip(&text::clean(text), NAME_LIMIT).into_owned();
    let kind = identity::kind(record);
    let who = match (actor, &kind) {
        (Some(actor), Some(kind)) => format!("{} ({})", shown(actor), shown(kind)),
        (Some(actor), None) => shown(actor),
        (None, Some(kind)) => format!("somebody ({})", shown(kind)),
        (None, None) => record.filled(&["eventSource"]).map_or_else(|| "somebody".to_owned(), shown),
    };
    let what = match record.filled(&["eventName"]) {
        Some("ConsoleLogin") if record.failed() => "tried to sign in to the console".to_owned(),
        Some("ConsoleLogin") => "signed in to the console".to_owned(),
        Some(event) => format!("called {}", shown(event)),
        None => format!(
            "did what the record does not name ({})",
            record.filled(&["eventType"]).map_or_else(|| "no eventType".into(), shown)
        ),
    };
    let second_factor = match record.mfa() {
        Some(false) if record.text(&["eventName"]) == Some("ConsoleLogin") => " without MFA",
        _ => "",
    };
    let on = if targets.is_empty() { String::new() } else { format!(" on {}", text::some_of(targets)) };
    let place = record.filled(&["awsRegion"]).map(|region| format!(" in {}", shown(region))).unwrap_or_default();
    let error = record.filled(&["errorCode"]);
    let outcome = match error {
        Some(code) if code.contains("Denied") || code.contains("Unauthorized") => format!("denied ({})", shown(code)),
        Some(code) => format!("failed ({})", shown(code)),
        None if record.failed() => "failed".to_owned(),
        None => "allowed".to_owned(),
    };
    format!("{who} {what}{second_factor}{on}{place}: {outcome}")
}

/// Where `requestParameters` name what the call acts on, the most telling first.
const TARGETS: [&[&str]; 30] = [
    &["instancesSet", "items", "instanceId"],
    &["instanceId"],
    &["groupId"],
    &["bucketName"],
    &["userName"],
    &["roleName"],
    &["roleArn"],
    &["groupName"],
    &["policyArn"],
    &["policyName"],
    &["keyId"],
    &["secretId"],
    &["functionName"],
    &["topicArn"],
    &["queueUrl"],
    &["tableName"],
    &["dBInstanceIdentifier"],
    &["snapshotId"],
    &["volumeId"],
    &["vpcId"],
    &["subnetId"],
    &["networkAclId"],
    &["routeTableId"],
    &["internetGatewayId"],
    &["detectorId"],
    &["trailName"],
    &["logGroupName"],
    &["stackName"],
    &["clusterName"],
    &["name"],
];

fn targets(record: &Record) -> Vec<String> {
    let shown = |text: &str| text::clip(&text::clean(text), NAME_LIMIT).into_owned();
    let at = |node: &Node, path: &[&str]| {
        let mut found = Vec::new();
        all_scalars(node, path, &mut found);
        found.retain(|text| !text.is_empty());
        (!found.is_empty()).then(|| found.into_iter().map(shown).collect())
    };
    let of_request = |request| TARGETS.iter().find_map(|path| at(request, path));
    let request = record.root().get("requestParameters").and_then(of_request);
    request.or_else(|| at(record.root(), &["resources", "ARN"])).unwrap_or_default()
}

/// Every scalar at a path of keys, arrays walked.
fn all_scalars<'n>(node: &'n Node<'n>, path: &[&str], found: &mut Vec<&'n str>) {
    if let Some(elements) = node.elements() {
        elements.iter().for_each(|element| all_scalars(element, path, found));
    } else if let Some((key, rest)) = path.split_first() {
        if let Some(next) = node.get(key) {
            all_scalars(next, rest, found);
        }
    } else {
        found.extend(node.scalar());
    }
}
