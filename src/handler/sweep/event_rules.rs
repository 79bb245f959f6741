//! The EventBridge rules that feed this function, beside what was deployed.

use serde_json::{Value, json};

use super::deployed::DeployedRules;
use super::faults::Fault;
use super::sources::Watch;
use crate::cloudtrail::event_rule::{
    DETAIL_TYPE_SUFFIX, DETAIL_TYPES, EventRuleFound, TemplateRule, WITH_READ_ONLY, patterns_digest,
};

/// A rule that was asked for, and what was found: nothing if it is gone.
pub(super) type Asked = (String, Result<Option<EventRuleFound>, String>);

/// What is wrong with a rule: in words by which it is known while it lasts, and what is told of it.
type RuleFault = (String, String);

/// EventBridge rules of one kind: how their names begin, the digest of their patterns, whether they are deployed, and which they are.
type Family<'a> = (&'a str, &'a str, bool, fn(TemplateRule) -> bool);

/// Where the rules that were asked for differ from what was deployed.
pub(super) fn differences(watch: &Watch, asked: &[Asked]) -> Vec<Fault> {
    let Some(deployed) = &watch.rules else { return Vec::new() };
    let mut faults = Vec::new();
    let mut found: Vec<(TemplateRule, &EventRuleFound)> = Vec::new();
    for (arn, answer) in asked {
        let name = arn.rsplit('/').next().unwrap_or(arn);
        // A rule may have several faults, one after the other: each is told.
        let mut fault = |(kind, text): RuleFault| {
            faults.push(Fault::new(format!("rule {name} {kind}"), format!("the EventBridge rule {name} {text}")));
        };
        let Some(part) = TemplateRule::of_arn(arn) else {
            fault(("unknown".to_owned(), "is none of the template's".to_owned()));
            continue;
        };
        match answer {
            Err(reason) => fault(("unread".to_owned(), format!("cannot be read: {reason}"))),
            Ok(None) => fault(("gone".to_owned(), "is gone".to_owned())),
            Ok(Some(rule)) => {
                rule_faults(part, rule, deployed, watch).into_iter().for_each(fault);
                found.push((part, rule));
            }
        }
    }
    let is_asked = |part| asked.iter().any(|(arn, _)| TemplateRule::of_arn(arn) == Some(part));
    if !is_asked(TemplateRule::Wide) {
        faults.push(Fault::new(
            "rule FunctionTrail".to_owned(),
            "the sweep is not told the EventBridge rule FunctionTrail".to_owned(),
        ));
    }
    found.sort_by_key(|(part, _)| *part);
    let families: [Family<'_>; 2] = [
        ("Calls", &deployed.calls, deployed.is_derived, |part| matches!(part, TemplateRule::Calls(_))),
        ("Reads", &deployed.reads, deployed.takes_reads(), |part| matches!(part, TemplateRule::Reads(_))),
    ];
    for (family, digest, is_deployed, is_in) in families {
        let patterns: Vec<String> =
            found.iter().filter(|(part, _)| is_in(*part)).map(|(_, rule)| asks_of_detail(rule)).collect();
        if is_deployed && patterns_digest(&patterns) != digest {
            let text = format!(
                "the patterns of the EventBridge rules {family}1, {family}2, … are not those that were deployed"
            );
            faults.push(Fault::new(format!("rules {family}"), text));
        }
    }
    faults
}

/// The state of a rule, and what its pattern asks of `detail`: as `offlimits pattern` takes the digest.
fn asks_of_detail(rule: &EventRuleFound) -> String {
    let pattern: Value = parsed(rule);
    let detail = pattern.get("detail").cloned().unwrap_or_else(|| json!({}));
    format!("{} {detail}", rule.state)
}

fn parsed(rule: &EventRuleFound) -> Value {
    rule.pattern.as_deref().and_then(|pattern| serde_json::from_str(pattern).ok()).unwrap_or_default()
}

/// What is wrong with one rule, its pattern's `detail` left out.
fn rule_faults(part: TemplateRule, rule: &EventRuleFound, deployed: &DeployedRules, watch: &Watch) -> Vec<RuleFault> {
    let state = match part {
        TemplateRule::Wide if deployed.is_derived => "DISABLED",
        TemplateRule::Wide => &deployed.state,
        TemplateRule::Calls(_) => "ENABLED",
        TemplateRule::Hub | TemplateRule::Reads(_) => WITH_READ_ONLY,
    };
    let mut faults = Vec::new();
    if rule.state != state {
        let text = format!("is in the state {}, and was deployed as {state}", rule.state);
        faults.push((format!("state {}", rule.state), text));
    }
    // What passes nothing on purpose may say and tell what it likes.
    if state == "DISABLED" {
        return faults;
    }
    let mut pattern = parsed(rule);
    if let (TemplateRule::Calls(_) | TemplateRule::Reads(_), Some(members)) = (part, pattern.as_object_mut()) {
        members.remove("detail");
    }
    let kinds = match part {
        TemplateRule::Wide | TemplateRule::Hub => json!(DETAIL_TYPES),
        TemplateRule::Calls(_) | TemplateRule::Reads(_) => json!([{ "suffix": DETAIL_TYPE_SUFFIX }]),
    };
    let mut expected = json!({ "source": [{ "prefix": "aws." }], "detail-type": kinds });
    if let (true, Some((account, _))) = (part != TemplateRule::Hub, &watch.home) {
        expected["account"] = json!([account]);
    }
    if pattern != expected {
        faults.push(("pattern".to_owned(), "has another pattern than was deployed".to_owned()));
    }
    let is_ours = |arn: &str| watch.function_arn.as_deref().is_none_or(|ours| ours == arn);
    if !rule.targets.iter().any(|target| target.is_given_the_event && is_ours(&target.arn)) {
        faults.push(("target".to_owned(), "does not hand its events to the function".to_owned()));
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloudtrail::event_rule::TargetFound;

    const FUNCTION: &str = "arn:aws:lambda:us-east-1:111111111111:function:offlimits-Function-1";

    fn arn(logical: &str) -> String {
        let bus = if logical == "HubTrail" { "offlimits/" } else { "" };
        format!("arn:aws:events:us-east-1:111111111111:rule/{bus}offlimits-{logical}-1A2B")
    }

    fn rule(state: &str, pattern: &Value) -> EventRuleFound {
        let targets = vec![TargetFound { arn: FUNCTION.to_owned(), is_given_the_event: true }];
        EventRuleFound { state: state.to_owned(), pattern: Some(pattern.to_string()), targets }
    }

    fn wide() -> Value {
        json!({ "source": [{ "prefix": "aws." }], "account": ["111111111111"], "detail-type": DETAIL_TYPES })
    }

    fn derived(detail: &Value) -> Value {
        json!({ "source": [{ "prefix": "aws." }], "account": ["111111111111"], "detail-type": [{ "suffix": " via CloudTrail" }],
            "detail": detail })
    }

    fn watch(is_derived: bool, state: &str) -> Watch {
        let digest = |texts: &[&str]| patterns_digest(&texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>());
        let calls = digest(&[r#"ENABLED {"eventName":["A"]}"#, r#"ENABLED {"eventName":["B"]}"#]);
        let reads = digest(&[&format!(r#"{WITH_READ_ONLY} {{"eventName":["GetC"]}}"#)]);
        Watch {
            home: Some(("111111111111".to_owned(), "us-east-1".to_owned())),
            function_arn: Some(FUNCTION.to_owned()),
            rules: DeployedRules::parse(&format!(
                "d {calls} {reads} {} {state}",
                if is_derived { "derived" } else { "wide" }
            )),
            ..Watch::default()
        }
    }

    fn deployed(is_derived: bool) -> Vec<Asked> {
        let mut all = vec![
            ("FunctionTrail", rule(if is_derived { "DISABLED" } else { "ENABLED" }, &wide())),
            ("Reads1", rule(WITH_READ_ONLY, &derived(&json!({ "eventName": ["GetC"] })))),
            (
                "HubTrail",
                rule(WITH_READ_ONLY, &json!({ "source": [{ "prefix": "aws." }], "detail-type": DETAIL_TYPES })),
            ),
        ];
        if is_derived {
            // Not in their order.
            all.push(("Calls2", rule("ENABLED", &derived(&json!({ "eventName": ["B"] })))));
            all.push(("Calls1", rule("ENABLED", &derived(&json!({ "eventName": ["A"] })))));
        }
        all.into_iter().map(|(logical, rule)| (arn(logical), Ok(Some(rule)))).collect()
    }

    fn told(is_derived: bool, change: impl FnOnce(&mut Vec<Asked>)) -> Vec<String> {
        let mut asked = deployed(is_derived);
        change(&mut asked);
        differences(&watch(is_derived, "ENABLED"), &asked).into_iter().map(|fault| fault.text).collect()
    }

    /// Changes the rule of this logical id.
    fn change(asked: &mut [Asked], logical: &str, change: impl FnOnce(&mut EventRuleFound)) {
        let (_, found) = asked.iter_mut().find(|(name, _)| *name == arn(logical)).unwrap();
        change(found.as_mut().unwrap().as_mut().unwrap());
    }

    #[test]
    fn what_was_deployed_differs_in_nothing() {
        assert_eq!(told(false, |_| ()), [""; 0]);
        assert_eq!(told(true, |_| ()), [""; 0]);
        let all = [(arn("FunctionTrail"), Ok(Some(rule(WITH_READ_ONLY, &wide()))))];
        assert_eq!(differences(&watch(false, WITH_READ_ONLY), &all), []);
        assert_eq!(differences(&Watch::default(), &all), [], "a function whose template does not tell it");
    }

    #[test]
    fn a_second_fault_of_a_rule_is_another_one() {
        let faults = |change_it: fn(&mut EventRuleFound)| {
            let mut asked = deployed(false);
            change(&mut asked, "FunctionTrail", change_it);
            let faults = differences(&watch(false, "ENABLED"), &asked);
            faults.into_iter().map(|fault| fault.what).collect::<Vec<_>>()
        };
        let narrowed: fn(&mut EventRuleFound) = |rule| rule.pattern = Some("{}".to_owned());
        let and_turned_away: fn(&mut EventRuleFound) = |rule| {
            rule.pattern = Some("{}".to_owned());
            rule.targets.clear();
        };
        let (one, two) = (faults(narrowed), faults(and_turned_away));
        assert_eq!((one.len(), two.len()), (1, 2));
        assert!(two.contains(&one[0]) && two[0] != two[1], "{one:?} {two:?}");
        // Another state is news, too.
        let state = |state: &str| {
            let mut asked = deployed(false);
            change(&mut asked, "FunctionTrail", |rule| rule.state = state.to_owned());
            differences(&watch(false, "ENABLED"), &asked).remove(0).what
        };
        assert_ne!(state("DISABLED"), state(WITH_READ_ONLY));
    }

    #[test]
    fn a_rule_that_was_disabled_narrowed_or_turned_away_is_told() {
        let probe = json!({ "eventName": ["TagQueue"] });
        let narrowed = |pattern: &Value, detail: &Value| {
            let mut pattern = pattern.clone();
            pattern["detail"] = detail.clone();
            Some(pattern.to_string())
        };
        let trail = "the EventBridge rule offlimits-FunctionTrail-1A2B";
        let other = |logical: &str| {
            format!("the EventBridge rule offlimits-{logical}-1A2B has another pattern than was deployed")
        };
        assert_eq!(
            told(false, |asked| change(asked, "FunctionTrail", |rule| rule.state = "DISABLED".to_owned())),
            [format!("{trail} is in the state DISABLED, and was deployed as ENABLED")]
        );
        assert_eq!(
            told(false, |asked| change(asked, "FunctionTrail", |rule| rule.pattern = narrowed(&wide(), &probe))),
            [other("FunctionTrail")]
        );
        assert_eq!(
            told(false, |asked| change(asked, "HubTrail", |rule| rule.pattern = narrowed(&wide(), &probe))),
            [other("HubTrail")]
        );
        assert_eq!(
            told(false, |asked| change(asked, "FunctionTrail", |rule| rule.targets[0].arn.push('x'))),
            [format!("{trail} does not hand its events to the function")]
        );
        assert_eq!(
            told(false, |asked| change(asked, "FunctionTrail", |rule| rule.targets[0].is_given_the_event = false)),
            [format!("{trail} does not hand its events to the function")]
        );
        assert_eq!(told(false, |asked| asked[0].1 = Ok(None)), [format!("{trail} is gone")]);
        assert_eq!(told(false, |asked| asked[0].1 = Err("no".to_owned())), [format!("{trail} cannot be read: no")]);
        let untold = "the sweep is not told the EventBridge rule FunctionTrail";
        assert_eq!(told(false, |asked| drop(asked.remove(0))), [untold]);
        for logical in ["Calls1", "Calls2"] {
            let others = "the patterns of the EventBridge rules Calls1, Calls2, … are not those that were deployed";
            let pattern = narrowed(&derived(&json!({})), &probe);
            assert_eq!(told(true, |asked| change(asked, logical, |rule| rule.pattern = pattern)), [others]);
            assert_eq!(told(true, |asked| asked.retain(|(name, _)| *name != arn(logical))), [others]);
        }
        let reads = "the patterns of the EventBridge rules Reads1, Reads2, … are not those that were deployed";
        assert_eq!(told(false, |asked| asked.retain(|(name, _)| *name != arn("Reads1"))), [reads]);
    }
}
