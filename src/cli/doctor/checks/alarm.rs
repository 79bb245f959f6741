//! The alarms: whether each that the stack has made is there, would tell somebody, and does not ring.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::aws::ApiService;
use crate::cli::doctor::asker::{list, text};
use crate::cli::doctor::check::Check;
use crate::cli::doctor::remedy::Remedy;
use crate::cli::doctor::report::Notes;
use crate::cli::doctor::stack::Stack;
use crate::text::enumerated;

pub(super) const CHECKS: &[&Check] = &[&MISSING, &MUTED, &RINGING];

static MISSING: Check = Check {
    code: "alarm-missing",
    summary: "Alarms of the stack are gone.",
    asks: &["cloudwatch:DescribeAlarms", "cloudformation:ListStackResources"],
};

static MUTED: Check = Check {
    code: "alarm-muted",
    summary: "Alarms are kept from telling anybody: their actions are disabled, or the stack's topic is not among them.",
    asks: &["cloudwatch:DescribeAlarms"],
};

static RINGING: Check = Check {
    code: "alarm-ringing",
    summary: "An alarm of the stack rings. docs/alarms.md says what each means.",
    asks: &["cloudwatch:DescribeAlarms"],
};

pub(in crate::cli::doctor) async fn look(stack: &Stack<'_>, notes: &mut Notes) {
    let made: Vec<&str> = stack.of_kind("AWS::CloudWatch::Alarm").map(|resource| resource.physical.as_str()).collect();
    let prefix = format!("{}-", stack.name);
    let fields = vec![("AlarmNamePrefix", prefix.clone())];
    let asked = stack.asker.form_list(&ApiService::CLOUDWATCH, "DescribeAlarms", fields, "MetricAlarms").await;
    let Some(found) = notes.there(asked) else { return };
    let found: BTreeMap<&str, &Value> =
        found.iter().filter_map(|alarm| Some((text(alarm, "AlarmName")?, alarm))).collect();
    let (region, topic) = (stack.region(), stack.output("TopicArn"));
    let (missing, there): (Vec<&str>, Vec<&str>) = made.iter().partition(|name| !found.contains_key(*name));
    if !missing.is_empty() {
        let message = format!("alarms that the stack has made are gone: {}", enumerated(&missing));
        notes.find(&MISSING, missing[0], message, Remedy::new().anew(stack.name, region));
    }
    let is_enabled = |name: &&str| text(found[name], "ActionsEnabled") != Some("false");
    let disabled: Vec<&str> = there.iter().copied().filter(|name| !is_enabled(name)).collect();
    // AWS answers with an empty list where there is none. An answer without any says nothing.
    let tells = |name: &&str| {
        found[name].get("AlarmActions").is_none()
            || list(found[name], "AlarmActions").iter().any(|action| action.as_str() == Some(topic))
    };
    let untold: Vec<&str> = there.iter().copied().filter(|name| is_enabled(name) && !tells(name)).collect();
    if !disabled.is_empty() {
        let message = format!("the actions of alarms are disabled: {}", enumerated(&disabled));
        let words = ["cloudwatch", "enable-alarm-actions", "--alarm-names"].into_iter().chain(disabled.iter().copied());
        notes.find(&MUTED, disabled[0], message, Remedy::new().aws(region, words));
    }
    if !untold.is_empty() {
        let message = format!("alarms do not tell the stack's topic: {}", enumerated(&untold));
        notes.find(&MUTED, untold[0], message, Remedy::new().anew(stack.name, region));
    }
    for name in there.iter().filter(|name| text(found[*name], "StateValue") == Some("ALARM")) {
        let reason = text(found[name], "StateReason").unwrap_or("no reason is given");
        let page = name.strip_prefix(&prefix).unwrap_or(name);
        let words = ["cloudwatch", "describe-alarm-history", "--alarm-name", name, "--max-items", "5"];
        let message = format!("the alarm rings: {reason} (docs/alarms.md#{page})");
        notes.find(&RINGING, name, message, Remedy::new().aws(region, words));
    }
}
