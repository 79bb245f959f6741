//! The EventBridge rules that feed the function, asked of EventBridge.

use futures_util::stream::{self, StreamExt as _};
use serde_json::{Value, json};

use super::api::{ApiInput, AwsApi};
use super::service::ApiService;
use crate::cloudtrail::event_rule::{EventRuleFound, TargetFound};
use crate::text::one_line;

/// Rules that are asked about at the same time: EventBridge takes fifty `DescribeRule` a second.
/// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html>
const CONCURRENT: usize = 4;

/// Asks about each rule.
pub(super) async fn found(api: &AwsApi, arns: &[String]) -> Vec<Result<Option<EventRuleFound>, String>> {
    let asked: Vec<_> = arns.iter().map(|arn| one(api, arn)).collect();
    stream::iter(asked).buffered(CONCURRENT).collect().await
}

/// Asks about a rule: `arn:aws:events:REGION:ACCOUNT:rule/NAME`, or `rule/BUS/NAME`.
async fn one(api: &AwsApi, arn: &str) -> Result<Option<EventRuleFound>, String> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let [_, _, "events", region, _, resource] = parts[..] else { return Err("this is no rule's ARN".to_owned()) };
    let (bus, name) = match resource.split('/').collect::<Vec<_>>()[..] {
        ["rule", name] => (None, name),
        ["rule", bus, name] => (Some(bus), name),
        _ => return Err("this is no rule's ARN".to_owned()),
    };
    let ask = async |operation, key: &str| {
        let mut input = json!({ key: name });
        if let Some(bus) = bus {
            input["EventBusName"] = json!(bus);
        }
        match api.ask(&ApiService::EVENTBRIDGE, region, operation, &ApiInput::Json(input)).await {
            Ok(answer) => Ok(Some(answer)),
            Err(error) if error.is_missing() => Ok(None),
            Err(error) => Err(one_line(&error.to_string(), 300).into_owned()),
        }
    };
    let Some(rule) = ask("DescribeRule", "Name").await? else { return Ok(None) };
    let Some(listed) = ask("ListTargetsByRule", "Rule").await? else { return Ok(None) };
    let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
    // A rule of the template has one target; a page has a hundred.
    let targets = listed.get("Targets").and_then(Value::as_array).into_iter().flatten();
    let target = |target: &Value| TargetFound {
        arn: text(target, "Arn").unwrap_or_default(),
        is_given_the_event: ["Input", "InputPath", "InputTransformer"]
            .iter()
            .all(|key| target.get(*key).is_none_or(|given| given.is_null() || given.as_str() == Some(""))),
    };
    Ok(Some(EventRuleFound {
        state: text(&rule, "State").unwrap_or_default(),
        pattern: text(&rule, "EventPattern"),
        targets: targets.map(target).collect(),
    }))
}
