//! `offlimits doctor` against a stand-in of AWS, which gives recorded answers: what neither emulator can be brought to say, and what
//! it does where somebody does not answer. `tests/stack/test_doctor.py` asks a deployed stack.
//!
//! The cases here: a subscription that is not confirmed, SNS's sandbox for SMS, the age of what waits in Redelivery, a trail of an
//! organization, a stack that failed or is old, a function that Lambda cannot run or that has a layer, a key that is going to be
//! deleted, alarms that tell nobody, a table without its key, a hub and its spokes, and a region whose events a rule sends elsewhere.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::docs::{generated, keys};
use crate::golden::http::{Asked, service};
use crate::support::{Run, file, offlimits, run, silence};

const ACCOUNT: &str = "111122223333";
const BUS: &str = "arn:aws:events:eu-west-1:111122223333:event-bus/offlimits";
const TOPIC: &str = "arn:aws:sns:eu-west-1:111122223333:offlimits-Topic-1";
/// Nothing that holds it may be printed.
const SECRET: &str = "s3cr3t-Zq8";

/// What a form's operation is answered with.
fn xml(operation: &str, result: &Value) -> String {
    fn element(name: &str, value: &Value, out: &mut String) {
        write!(out, "<{name}>").unwrap();
        match value {
            Value::Object(members) => members.iter().for_each(|(name, value)| element(name, value, out)),
            Value::Array(members) => members.iter().for_each(|value| element("member", value, out)),
            Value::String(text) => out.push_str(&text.replace('&', "&amp;").replace('<', "&lt;")),
            other => write!(out, "{other}").unwrap(),
        }
        write!(out, "</{name}>").unwrap();
    }
    let mut out = String::new();
    element(&format!("{operation}Response"), &json!({format!("{operation}Result"): result}), &mut out);
    out
}

fn pairs(names: [&str; 2], of: &[(&str, &str)]) -> Value {
    of.iter().map(|(key, value)| json!({names[0]: key, names[1]: value})).collect()
}

fn queue(name: &str) -> String {
    format!("https://sqs.eu-west-1.amazonaws.com/{ACCOUNT}/offlimits-{name}-1")
}

fn outputs(is_hub: bool) -> Value {
    let urls = ["DeadLetters", "FailedEvents", "Redelivery", "UndeliveredEvents"]
        .map(|name| (format!("{name}Url"), queue(name)));
    let mut outputs: Vec<(&str, &str)> = vec![
        ("FunctionName", "offlimits-Function-1"),
        ("KeyArn", "arn:aws:kms:eu-west-1:111122223333:key/k"),
        ("LogGroupName", "/aws/lambda/offlimits"),
        ("RedeliveryMapping", "7626095f"),
        ("RoleArn", "arn:aws:iam::111122223333:role/offlimits-Role-1"),
        ("RuleName", "offlimits-FunctionTrail-1"),
        ("SecretArn", "arn:aws:secretsmanager:eu-west-1:111122223333:secret:s-AbCdEf"),
        ("TableName", "offlimits-Ledger-1"),
        ("TopicArn", TOPIC),
    ];
    outputs.extend(urls.iter().map(|(name, url)| (name.as_str(), url.as_str())));
    outputs.extend(is_hub.then_some(("HubBusArn", BUS)));
    pairs(["OutputKey", "OutputValue"], &outputs)
}

fn stack(status: &str, outputs: &Value, parameters: &[(&str, &str)]) -> Value {
    let id = format!("arn:aws:cloudformation:eu-west-1:{ACCOUNT}:stack/offlimits/1");
    let parameters = pairs(["ParameterKey", "ParameterValue"], parameters);
    json!({"Stacks": [{"StackId": id, "StackName": "offlimits", "StackStatus": status, "Outputs": outputs, "Parameters": parameters}]})
}

fn alarm(change: fn(&mut Value)) -> Value {
    let mut alarm =
        json!({"AlarmName": "offlimits-errors", "ActionsEnabled": "true", "AlarmActions": [TOPIC], "StateValue": "OK"});
    change(&mut alarm);
    json!({"MetricAlarms": [alarm]})
}

fn trail(change: fn(&mut Value)) -> Value {
    let mut trail = json!({"Name": "t", "TrailARN": format!("arn:aws:cloudtrail:us-east-1:{ACCOUNT}:trail/t"), "HomeRegion": "us-east-1",
                           "IsMultiRegionTrail": true, "IsOrganizationTrail": false});
    change(&mut trail);
    json!({"trailList": [trail]})
}

fn function(change: fn(&mut Value)) -> Value {
    let variables = json!({
        "OFFLIMITS_TOPIC_ARN": TOPIC, "OFFLIMITS_SECRET_ARN": "arn:aws:secretsmanager:eu-west-1:111122223333:secret:s-AbCdEf",
        "OFFLIMITS_ROLE_ARN": "arn:aws:iam::111122223333:role/offlimits-Role-1", "OFFLIMITS_TABLE": "offlimits-Ledger-1",
        "OFFLIMITS_REDELIVERY_URL": queue("Redelivery"), "OFFLIMITS_DEAD_LETTERS_URL": queue("DeadLetters"),
        "OFFLIMITS_STACK": "offlimits", "OFFLIMITS_STACK_SET": "offlimits", "SOMEBODYS": SECRET,
    });
    let mut function = json!({
        "FunctionName": "offlimits-Function-1", "Runtime": "provided.al2023", "Handler": "bootstrap", "Timeout": 30, "State": "Active",
        "LastUpdateStatus": "Successful", "Role": "arn:aws:iam::111122223333:role/offlimits-Role-1", "Architectures": ["arm64"],
        "Environment": {"Variables": variables},
    });
    change(&mut function);
    function
}

fn rule(name: &str, state: &str, pattern: &Value) -> Value {
    json!({"Name": name, "Arn": format!("arn:aws:events:eu-west-1:{ACCOUNT}:rule/{name}"), "State": state, "EventPattern": pattern.to_string()})
}

fn pattern() -> Value {
    json!({"source": [{"prefix": "aws."}], "account": [ACCOUNT], "detail-type": [{"suffix": " via CloudTrail"}]})
}

/// AWS, as it answers.
struct Aws {
    /// Operations, what the request must hold beside, and the answers: of several that fit, the last.
    answers: Vec<(&'static str, &'static str, u16, Value)>,
    rules: Value,
}

impl Aws {
    /// In which nothing is wrong.
    fn healthy() -> Self {
        let function_arn = format!("arn:aws:lambda:eu-west-1:{ACCOUNT}:function:offlimits-Function-1");
        let letters = |name: &str| format!("arn:aws:sqs:eu-west-1:{ACCOUNT}:offlimits-{name}-1");
        let target = json!({"Id": "1", "Arn": function_arn, "DeadLetterConfig": {"Arn": letters("UndeliveredEvents")}});
        let allowed = json!({"Statement": [{"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"},
                             "Action": "lambda:InvokeFunction", "Condition": {"ArnLike": {"AWS:SourceArn": "arn:aws:events:*"}}}]});
        let failures = json!({"MaximumRetryAttempts": 2, "DestinationConfig": {"OnFailure": {"Destination": letters("FailedEvents")}}});
        let subscription = |protocol: &str, endpoint: &str| json!({"SubscriptionArn": format!("{TOPIC}:1"), "Protocol": protocol, "Endpoint": endpoint});
        let resource = json!({"LogicalResourceId": "ErrorsAlarm", "PhysicalResourceId": "offlimits-errors", "ResourceType": "AWS::CloudWatch::Alarm"});
        let attributes =
            json!({"Attributes": {"ApproximateNumberOfMessages": "0", "ApproximateNumberOfMessagesNotVisible": "0"}});
        let missing =
            json!({"Error": {"Code": "ValidationError", "Message": "Stack with id offlimits does not exist"}});
        let answers = vec![
            ("DescribeStacks", "", 400, missing),
            ("DescribeStacks", "eu-west-1", 200, stack("UPDATE_COMPLETE", &outputs(false), &[])),
            ("ListStackResources", "", 200, json!({"StackResourceSummaries": [resource]})),
            ("DescribeTrails", "", 200, trail(|_| ())),
            ("GetTrailStatus", "", 200, json!({"IsLogging": true})),
            (
                "GetEventSelectors",
                "",
                200,
                json!({"EventSelectors": [{"ReadWriteType": "All", "IncludeManagementEvents": true}]}),
            ),
            ("DescribeRule", "", 200, rule("offlimits-FunctionTrail-1", "ENABLED", &pattern())),
            ("ListTargetsByRule", "", 200, json!({"Targets": [target]})),
            ("ListRuleNamesByTarget", "", 200, json!({"RuleNames": []})),
            ("configuration", "", 200, function(|_| ())),
            ("concurrency", "", 200, json!({})),
            // A container's image is not looked into.
            ("offlimits-Function-1", "", 200, json!({"Code": {"ImageUri": "x"}})),
            ("policy", "", 200, json!({"Policy": allowed.to_string()})),
            ("event-invoke-config", "", 200, failures),
            ("7626095f", "", 200, json!({"UUID": "7626095f", "State": "Enabled"})),
            ("GetTopicAttributes", "", 200, json!({"Attributes": ""})),
            ("DescribeKey", "", 200, json!({"KeyMetadata": {"KeyState": "Enabled"}})),
            ("ListSubscriptionsByTopic", "", 200, json!({"Subscriptions": [subscription("email", "a@example.com")]})),
            ("DescribeSecret", "", 200, json!({"Name": "s"})),
            (
                "GetSecretValue",
                "",
                200,
                json!({"SecretString": json!({"soc": {"webhook_url": format!("https://hooks.slack.com/{SECRET}")}}).to_string()}),
            ),
            ("GetQueueAttributes", "", 200, attributes),
            // Nobody has been heard, and nothing is silenced.
            ("Query", "", 200, json!({"Count": 0, "Items": []})),
            ("DescribeTable", "", 200, json!({"Table": {"TableStatus": "ACTIVE"}})),
            (
                "DescribeTimeToLive",
                "",
                200,
                json!({"TimeToLiveDescription": {"TimeToLiveStatus": "ENABLED", "AttributeName": "expires"}}),
            ),
            ("DescribeAlarms", "", 200, alarm(|_| ())),
            ("GetMetricStatistics", "", 200, json!({"Datapoints": ""})),
        ];
        let rule = json!({"id": "R", "title": "t", "severity": "low", "when": {"event": {"is": "StopLogging"}}});
        let rules = json!({"channels": {"topic": {"type": "sns"}, "soc": {"type": "slack"}}, "rules": [rule]});
        Self { answers, rules }
    }

    /// A hub whose bus has a rule, whose mover runs, and which has heard one spoke lately and one long ago.
    fn hub() -> Self {
        let item = |place: &str, heard: u64| {
            json!({"partition": {"S": "spokes"}, "sort": {"S": place}, "version": {"N": "1"}, "expires": {"N": "4102444800"},
                   "queues": {"L": [{"S": "https://sqs"}]}, "heard": {"N": heard.to_string()}})
        };
        let resource = |logical: &str, name: &str| json!({"LogicalResourceId": logical, "PhysicalResourceId": name, "ResourceType": "AWS::Events::Rule"});
        let resources =
            [resource("HubTrail", "offlimits|offlimits-HubTrail-1"), resource("Mover", "offlimits-Mover-1")];
        let schedule = json!({"Name": "offlimits-Mover-1", "State": "ENABLED", "ScheduleExpression": "rate(15 minutes)", "Arn": "arn:aws:events:eu-west-1:1:rule/m"});
        let moved = json!({"Targets": [{"Id": "1", "Arn": format!("arn:aws:lambda:eu-west-1:{ACCOUNT}:function:offlimits-Function-1"),
                           "Input": r#"{"offlimits":"move"}"#}]});
        let hub = [("OrganizationId", "o-a1b2c3d4e5"), ("StackSetName", "offlimits")];
        let items = [item("444455556666#eu-west-1", 4_102_444_800_000), item("444455556666#us-east-1", 1000)];
        Self::healthy()
            .says("DescribeStacks", "eu-west-1", &stack("CREATE_COMPLETE", &outputs(true), &hub))
            .says("ListStackResources", "", &json!({"StackResourceSummaries": resources}))
            .says("DescribeRule", "Mover", &schedule)
            .says("ListTargetsByRule", "Mover", &moved)
            .says("Query", "spokes", &json!({"Count": 2, "Items": items}))
    }

    /// The same with an organization of three accounts, one of which is closed.
    fn organization() -> Self {
        let account = |id: &str, state: &str| json!({"Id": id, "Name": "a", "Status": state, "State": state});
        let accounts =
            [account(ACCOUNT, "ACTIVE"), account("444455556666", "ACTIVE"), account("777788889999", "SUSPENDED")];
        Self::hub()
            .says("ListRoots", "", &json!({"Roots": [{"Id": "r-1", "Name": "Root"}]}))
            .says("ListAccountsForParent", "", &json!({"Accounts": accounts}))
            .says("ListOrganizationalUnitsForParent", "", &json!({"OrganizationalUnits": []}))
    }

    /// Another answer, to requests that hold a text.
    fn says(mut self, operation: &'static str, holds: &'static str, answer: &Value) -> Self {
        self.answers.push((operation, holds, 200, answer.clone()));
        self
    }

    fn refuses(mut self, operation: &'static str, code: &str) -> Self {
        let refused = json!({"__type": code, "message": "no", "Error": {"Code": code, "Message": "no"}});
        self.answers.push((operation, "", 400, refused));
        self
    }

    fn with_rule(mut self, rule: &Value) -> Self {
        self.rules["rules"].as_array_mut().unwrap().push(rule.clone());
        self
    }

    fn answer(&self, asked: &Asked) -> (u16, String) {
        let form = asked.body.strip_prefix("Action=").and_then(|rest| rest.split('&').next());
        let path = asked.path.split('?').next().unwrap().rsplit('/').next().unwrap();
        let target = asked.operation.rsplit('.').next().filter(|target| !target.is_empty());
        let operation = form.or(target).unwrap_or(path);
        let fits = |holds: &str| holds.is_empty() || asked.region == holds || asked.body.contains(holds);
        let answer = self.answers.iter().rev().find(|(known, holds, ..)| *known == operation && fits(holds));
        let (_, _, status, answer) = answer.unwrap_or_else(|| panic!("nobody asks for {asked:?}"));
        match form {
            Some(_) if *status != 200 => {
                let said = |member: &str| answer["Error"][member].as_str().unwrap();
                let (code, message) = (said("Code"), said("Message"));
                let error = format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>");
                (*status, format!("<ErrorResponse>{error}</ErrorResponse>"))
            }
            Some(operation) => (200, xml(operation, answer)),
            None => (*status, answer.to_string()),
        }
    }

    fn asked(self, arguments: &[&str]) -> Run {
        let folder = tempfile::tempdir().unwrap();
        let rules = file(folder.path(), "rules.json", self.rules.to_string());
        let (url, _) = service(move |asked| self.answer(asked));
        let mut command = offlimits(["doctor", "--rules", rules.to_str().unwrap()]);
        for name in ["AWS_PROFILE", "AWS_SESSION_TOKEN", "HTTP_PROXY", "http_proxy"] {
            command.env_remove(name);
        }
        if !arguments.contains(&"--regions") {
            command.args(["--regions", "eu-west-1"]);
        }
        command
            .args(arguments)
            .env("AWS_ENDPOINT_URL", url)
            .env("AWS_ACCESS_KEY_ID", "k")
            .env("AWS_SECRET_ACCESS_KEY", SECRET);
        let run = run(command);
        assert!(!run.shown().contains(SECRET), "a secret: {}", run.shown());
        run
    }

    fn report(self, arguments: &[&str]) -> (Value, Run) {
        let run = self.asked(&[arguments, &["--format", "json"]].concat());
        (serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {}", run.shown())), run)
    }

    /// The codes of what is found, where everybody answers.
    fn finds(self, arguments: &[&str]) -> Vec<String> {
        let (report, run) = self.report(arguments);
        let findings = report["findings"].as_array().unwrap();
        assert_eq!(
            (report["unanswered"].as_array().unwrap().len(), run.code),
            (0, Some(i32::from(!findings.is_empty()))),
            "{report}"
        );
        for finding in findings {
            let remedy = finding["remedy"].as_array().unwrap();
            assert!(!remedy.is_empty() && !finding["message"].as_str().unwrap().is_empty(), "{finding}");
        }
        findings.iter().map(|finding| finding["code"].as_str().unwrap().to_owned()).collect()
    }
}

#[test]
fn nothing_is_wrong_with_what_is_healthy() {
    assert_eq!(Aws::healthy().finds(&[]), [""; 0]);
    let now = json!({"Count": 0, "Items": []});
    assert_eq!(Aws::hub().says("Query", "spokes", &now).finds(&[]), [""; 0]);
    let run = Aws::healthy().asked(&[]);
    assert_eq!(
        (run.code, run.stdout.as_str()),
        (Some(0), "eu-west-1: the stack offlimits in account 111122223333: nothing wrong\n")
    );
}

#[test]
fn each_thing_that_is_broken_is_found_and_nothing_else() {
    let healthy = Aws::healthy;
    let subscriptions = |arn: &str, protocol: &str, endpoint: &str| json!({"Subscriptions": [{"SubscriptionArn": arn, "Protocol": protocol, "Endpoint": endpoint}]});
    let by_sms = || {
        healthy().says("ListSubscriptionsByTopic", "", &subscriptions("arn:aws:sns:1", "sms", "+14155550123")).says(
            "GetSMSSandboxAccountStatus",
            "",
            &json!({"IsInSandbox": "true"}),
        )
    };
    let numbers = |status: &str| json!({"PhoneNumbers": [{"PhoneNumber": "+14155550123", "Status": status}]});
    let waiting = |seconds: &str| {
        healthy()
            .says("GetQueueAttributes", "Redelivery", &json!({"Attributes": {"ApproximateNumberOfMessages": "2"}}))
            .says(
                "GetMetricStatistics",
                "ApproximateAge",
                &json!({"Datapoints": [{"Maximum": "12.0"}, {"Maximum": seconds}]}),
            )
    };
    let foreign = || {
        healthy().says(
            "DescribeTrails",
            "",
            &trail(|trail| {
                trail["IsOrganizationTrail"] = json!(true);
                trail["TrailARN"] = json!("arn:aws:cloudtrail:us-east-1:999999999999:trail/t");
            }),
        )
    };
    let matched = json!({"Datapoints": [{"Sum": "3.0"}]});
    let in_state = |status: &str| healthy().says("DescribeStacks", "eu-west-1", &stack(status, &outputs(false), &[]));
    let mut old = outputs(false);
    old.as_array_mut().unwrap().retain(|output| output["OutputKey"] != "RedeliveryMapping");
    let key = |state: &str| healthy().says("DescribeKey", "", &json!({"KeyMetadata": {"KeyState": state}}));
    let table = json!({"Table": {"TableStatus": "INACCESSIBLE_ENCRYPTION_CREDENTIALS"}});
    let own_organizations = trail(|trail| trail["IsOrganizationTrail"] = json!(true));
    let one_region = trail(|trail| trail["IsMultiRegionTrail"] = json!(false));
    let cases = [
        (
            healthy().says("ListSubscriptionsByTopic", "", &subscriptions("PendingConfirmation", "email", "a@b.c")),
            "subscription-pending",
        ),
        (
            healthy().says(
                "ListSubscriptionsByTopic",
                "",
                &subscriptions("PendingConfirmation", "https", &format!("https://h/{SECRET}")),
            ),
            "subscription-pending",
        ),
        (healthy().says("ListSubscriptionsByTopic", "", &json!({"Subscriptions": ""})), "topic-unheard"),
        (by_sms().says("ListSMSSandboxPhoneNumbers", "", &numbers("Pending")), "sms-sandbox"),
        (by_sms().says("ListSMSSandboxPhoneNumbers", "", &json!({"PhoneNumbers": ""})), "sms-sandbox"),
        (by_sms().says("ListSMSSandboxPhoneNumbers", "", &numbers("Verified")), ""),
        (waiting("4000.0"), "redelivery-age"),
        (waiting("60.0"), ""),
        (foreign(), "trail-organization-only"),
        (foreign().says("GetMetricStatistics", "MatchedEvents", &matched), ""),
        (foreign().says("GetTrailStatus", "", &json!({"IsLogging": false})), "trail-missing"),
        // The organization's own trail, asked about in the account that owns it.
        (healthy().says("DescribeTrails", "", &own_organizations), ""),
        (healthy().says("DescribeTrails", "", &one_region), "trail-missing"),
        (in_state("UPDATE_ROLLBACK_FAILED"), "stack-failed"),
        (in_state("ROLLBACK_COMPLETE"), "stack-failed"),
        (in_state("UPDATE_ROLLBACK_COMPLETE"), ""),
        (in_state("UPDATE_IN_PROGRESS"), ""),
        (healthy().says("DescribeStacks", "eu-west-1", &stack("CREATE_COMPLETE", &old, &[])), "stack-outdated"),
        (
            healthy().says("configuration", "", &function(|function| function["State"] = json!("Failed"))),
            "function-failed",
        ),
        (healthy().says("configuration", "", &function(|function| function["State"] = json!("Inactive"))), ""),
        (
            healthy().says(
                "configuration",
                "",
                &function(|function| function["Layers"] = json!([{"Arn": "arn:aws:lambda:x"}])),
            ),
            "function-configuration",
        ),
        (
            healthy().says(
                "configuration",
                "",
                &function(|function| function["Environment"]["Variables"]["SSL_CERT_FILE"] = json!(SECRET)),
            ),
            "function-foreign-settings",
        ),
        (key("PendingDeletion"), "topic-key"),
        (key("Updating"), ""),
        (healthy().says("DescribeAlarms", "", &alarm(|alarm| alarm["ActionsEnabled"] = json!("false"))), "alarm-muted"),
        (
            healthy().says("DescribeAlarms", "", &alarm(|alarm| alarm["AlarmActions"] = json!(["arn:other"]))),
            "alarm-muted",
        ),
        (healthy().says("DescribeTable", "", &table), "table-unavailable"),
        (healthy().refuses("7626095f", "ResourceNotFoundException"), "redelivery-stopped"),
        (healthy().refuses("DescribeRule", "ResourceNotFoundException"), "rule-missing"),
        (
            healthy().says(
                "GetSecretValue",
                "",
                &json!({"SecretString": json!({"soc": {"bot_token": SECRET}}).to_string()}),
            ),
            "secret-incomplete",
        ),
        (healthy().says("GetSecretValue", "", &json!({"SecretBinary": SECRET})), "secret-unreadable"),
    ];
    let mut wrong = Vec::new();
    for (number, (aws, code)) in cases.into_iter().enumerate() {
        let found = aws.finds(&[]).join(" ");
        if found != code {
            wrong.push(format!("case {number}: {code:?} is wanted, and {found:?} is found"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_topics_that_rules_and_alarms_name_are_looked_at_too() {
    let other = "arn:aws:sns:eu-central-1:111122223333:other";
    let with_topic = |arn: &str| {
        let mut aws = Aws::healthy();
        aws.rules["channels"]["other"] = json!({"type": "sns", "topic_arn": arn});
        aws
    };
    let nobody = json!({"Subscriptions": [{"SubscriptionArn": "Deleted", "Protocol": "email", "Endpoint": "a@b.c"}]});
    assert_eq!(with_topic(other).finds(&[]), [""; 0]);
    let (report, _) = with_topic(other).says("ListSubscriptionsByTopic", "%3Aother", &nobody).report(&[]);
    let [finding] = &report["findings"].as_array().unwrap()[..] else { panic!("{report}") };
    assert_eq!((&finding["code"], &finding["resource"]), (&json!("topic-unheard"), &json!(other)));
    assert!(finding["remedy"][0].as_str().unwrap().ends_with("--region eu-central-1"), "{finding}");
    // Another account's topic tells nobody else.
    let foreign = "arn:aws:sns:eu-west-1:999999999999:other";
    assert_eq!(with_topic(foreign).says("ListSubscriptionsByTopic", "999999999999", &nobody).finds(&[]), [""; 0]);
    let second = [("AlarmTopicArn", "arn:aws:sns:eu-west-1:111122223333:alarms")];
    let alarmed =
        || Aws::healthy().says("DescribeStacks", "eu-west-1", &stack("CREATE_COMPLETE", &outputs(false), &second));
    assert_eq!(alarmed().finds(&[]), [""; 0]);
    assert_eq!(alarmed().says("ListSubscriptionsByTopic", "%3Aalarms", &nobody).finds(&[]), ["topic-unheard"]);
}

#[test]
fn a_hub_tells_who_is_silent_and_an_organization_who_is_missing() {
    assert_eq!(Aws::hub().finds(&[]), ["spoke-silent"]);
    assert_eq!(Aws::healthy().finds(&[]).len(), 0);
    let (report, _) = Aws::organization().report(&["--organization", "--regions", "eu-west-1,eu-central-1"]);
    let found: Vec<String> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| {
            format!(
                "{} {} {}",
                finding["code"].as_str().unwrap(),
                finding["account"].as_str().unwrap_or("-"),
                finding["region"].as_str().unwrap()
            )
        })
        .collect();
    let expected = [
        "spoke-missing 444455556666 eu-central-1",
        "region-unwatched - eu-central-1",
        "spoke-silent 444455556666 us-east-1",
    ];
    assert_eq!(found, expected, "{report}");
    let none = json!({"Roots": []});
    let (report, _) = Aws::healthy().says("ListRoots", "", &none).report(&["--organization"]);
    assert_eq!(report["findings"][0]["code"], "not-a-hub", "{report}");
    // The hub's own rules are looked at, too.
    let disabled = rule("offlimits-HubTrail-1", "DISABLED", &pattern());
    let spokes = json!({"Count": 0, "Items": []});
    let (report, _) =
        Aws::hub().says("Query", "spokes", &spokes).says("DescribeRule", "HubTrail", &disabled).report(&[]);
    let [finding] = &report["findings"].as_array().unwrap()[..] else { panic!("{report}") };
    assert_eq!((&finding["code"], &finding["resource"]), (&json!("rule-disabled"), &json!("offlimits-HubTrail-1")));
    assert_eq!(
        finding["remedy"],
        json!(["aws events enable-rule --name offlimits-HubTrail-1 --event-bus-name offlimits --region eu-west-1"])
    );
}

#[test]
fn a_region_whose_events_a_rule_sends_to_the_stack_is_watched() {
    let forwarded = |state: &str| {
        let bus = json!({"Targets": [{"Id": "hub", "Arn": BUS, "RoleArn": "arn:aws:iam::111122223333:role/r"}]});
        Aws::hub()
            .says("Query", "spokes", &json!({"Count": 0, "Items": []}))
            .says("ListRuleNamesByTarget", BUS, &json!({"RuleNames": ["StackSet-offlimits-1-Trail-1"]}))
            .says("DescribeRule", "StackSet", &rule("StackSet-offlimits-1-Trail-1", state, &pattern()))
            .says("ListTargetsByRule", "StackSet", &bus)
    };
    let regions = ["--regions", "eu-west-1,us-east-1"];
    let (report, run) = forwarded("ENABLED").report(&regions);
    assert_eq!((run.code, &report["regions"][1]["watched_by"]), (Some(0), &json!("forwarding")), "{report}");
    let (report, _) = forwarded("DISABLED").report(&regions);
    let [finding] = &report["findings"].as_array().unwrap()[..] else { panic!("{report}") };
    assert_eq!((&finding["code"], &finding["region"]), (&json!("rule-disabled"), &json!("us-east-1")));
}

#[test]
fn whoever_does_not_answer_is_named_and_the_others_are_asked_all_the_same() {
    let aws = Aws::healthy()
        .refuses("DescribeTrails", "AccessDeniedException")
        .refuses("ListSubscriptionsByTopic", "AuthorizationError")
        .refuses("policy", "AccessDeniedException")
        .says("DescribeTimeToLive", "", &json!({"TimeToLiveDescription": {"TimeToLiveStatus": "DISABLED"}}));
    let (report, run) = aws.report(&[]);
    assert_eq!(run.code, Some(2), "{}", run.shown());
    let found: Vec<&Value> = report["findings"].as_array().unwrap().iter().map(|finding| &finding["code"]).collect();
    assert_eq!(found, ["table-ttl"]);
    assert_eq!(
        report["unanswered"],
        json!([
            "eu-west-1: DescribeTrails: AccessDeniedException: no",
            "eu-west-1: GetPolicy: AccessDeniedException: no",
            "eu-west-1: ListSubscriptionsByTopic: AuthorizationError: no"
        ])
    );
    // What cannot be judged is no finding: an answer that is something else than AWS documents is none.
    let (report, run) = Aws::healthy().says("DescribeTrails", "", &json!([])).report(&[]);
    assert_eq!((run.code, report["findings"].as_array().unwrap().len()), (Some(2), 0), "{report}");
    let (_, run) = Aws::healthy().refuses("DescribeStacks", "AccessDenied").report(&["--regions", "us-east-1"]);
    assert_eq!(run.code, Some(2), "{}", run.shown());
}

#[test]
fn what_the_rules_wait_for_is_compared_with_what_is_delivered() {
    let waiting = |service: &str, event: &str| json!({"id": "WAITS", "title": "t", "severity": "low", "when": {"service": {"is": service}, "event": {"is": event}}});
    let reads = || Aws::healthy().with_rule(&waiting("ec2.amazonaws.com", "DescribeInstances"));
    assert_eq!(reads().finds(&[]), ["rule-state"]);
    let all = rule("offlimits-FunctionTrail-1", "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS", &pattern());
    assert_eq!(reads().says("DescribeRule", "", &all).finds(&[]), [""; 0]);
    let objects = || Aws::healthy().with_rule(&waiting("s3.amazonaws.com", "GetObject"));
    assert_eq!(objects().finds(&[]), ["trail-data-events"]);
    let off = json!({"id": "OFF", "title": "t", "severity": "low", "mode": "off", "when": {"event": {"is": "DescribeInstances"}}});
    assert_eq!(Aws::healthy().with_rule(&off).finds(&[]), [""; 0]);
}

#[test]
fn rules_with_patterns_of_their_own_are_looked_at_and_may_stand_for_the_wide_one() {
    let resource = |logical: &str| json!({"LogicalResourceId": logical, "PhysicalResourceId": format!("offlimits-{logical}-1"), "ResourceType": "AWS::Events::Rule"});
    let some = json!({"source": [{"prefix": "aws."}], "detail": {"eventName": ["DescribeInstances"]}});
    let reads = |state: &str| rule("offlimits-Reads1-1", state, &some);
    let waits = json!({"id": "WAITS", "title": "t", "severity": "low", "when": {"service": {"is": "ec2.amazonaws.com"}, "event": {"is": "DescribeInstances"}}});
    let with = |state: &str| {
        Aws::healthy()
            .with_rule(&waits)
            .says(
                "ListStackResources",
                "",
                &json!({"StackResourceSummaries": [resource("FunctionTrail"), resource("Reads1")]}),
            )
            .says("DescribeRule", "Reads1", &reads(state))
    };
    let all = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS";
    assert_eq!(with(all).finds(&[]), [""; 0]);
    assert_eq!(with("ENABLED").finds(&[]), ["rule-state"]);
    assert_eq!(with("DISABLED").finds(&[]), ["rule-disabled", "rule-state"]);
    // With derived patterns the wide rule is disabled on purpose, and otherwise it is not.
    let derived = || {
        let stack = stack("CREATE_COMPLETE", &outputs(false), &[("EventPatterns", "derived")]);
        with(all)
            .says("DescribeRule", "FunctionTrail", &rule("offlimits-FunctionTrail-1", "DISABLED", &pattern()))
            .says("DescribeStacks", "eu-west-1", &stack)
    };
    // What this stand-in has are not the patterns of the rules.
    assert_eq!(derived().finds(&[]), ["rule-derived"]);
    let wide =
        with(all).says("DescribeRule", "FunctionTrail", &rule("offlimits-FunctionTrail-1", "DISABLED", &pattern()));
    assert_eq!(wide.finds(&[]), ["rule-disabled"]);
    let nowhere = json!({"Targets": []});
    assert_eq!(derived().says("ListTargetsByRule", "Reads1", &nowhere).finds(&[]), ["rule-target", "rule-derived"]);
}

#[test]
fn people_read_what_is_wrong_and_the_command_that_sets_it_right() {
    let disabled = rule("offlimits-FunctionTrail-1", "DISABLED", &pattern());
    let run = Aws::healthy().says("DescribeRule", "", &disabled).asked(&[]);
    let expected = "\
eu-west-1: the stack offlimits in account 111122223333: 1 finding

rule-disabled  eu-west-1  offlimits-FunctionTrail-1
  the EventBridge rule is disabled: nothing passes
  $ aws events enable-rule --name offlimits-FunctionTrail-1 --region eu-west-1

1 finding. docs/doctor.md says what each code means.
";
    assert_eq!((run.code, run.stdout.as_str()), (Some(1), expected), "{}", run.shown());
}

#[test]
fn names_that_aws_tells_are_quoted_and_shown_on_one_line() {
    let hostile = "x'; rm -rf / #\n\u{202e}y";
    let pending = json!({"Subscriptions": [{"SubscriptionArn": "PendingConfirmation", "Protocol": "email", "Endpoint": hostile}]});
    let run = Aws::healthy().says("ListSubscriptionsByTopic", "", &pending).asked(&[]);
    assert!(!run.stdout.contains('\u{202e}'), "{}", run.stdout);
    let commands: Vec<&str> = run.stdout.lines().filter_map(|line| line.strip_prefix("  $ ")).collect();
    let [command] = &commands[..] else { panic!("{}", run.shown()) };
    assert!(command.ends_with(" --region eu-west-1") && command.contains(r"'x'\''; rm -rf / #"), "{command}");
}

#[test]
fn the_page_of_its_keys_says_what_is_printed() {
    let silenced = json!({"Count": 1, "Items": [silence::running()]});
    let refused =
        Aws::organization().refuses("DescribeTrails", "AccessDeniedException").says("Query", "silences", &silenced);
    let (_, run) = refused.report(&["--organization", "--regions", "eu-west-1,eu-central-1"]);
    let wrong = keys::disagreements("doctor", &run.stdout);
    assert!(wrong.is_empty(), "mend the table of keys in docs/commands/doctor.md: {wrong:?}");
}

#[test]
fn the_page_of_checks_is_current() {
    let run = run(offlimits(["doctor", "--list", "--format", "json"]));
    assert_eq!(run.code, Some(0), "{}", run.shown());
    let mut table = "| code | what is wrong | what is asked |\n|---|---|---|\n".to_owned();
    let mut codes = Vec::new();
    for line in run.stdout.lines() {
        let check: Value = serde_json::from_str(line).unwrap();
        let asks: Vec<String> =
            check["asks"].as_array().unwrap().iter().map(|action| format!("`{}`", action.as_str().unwrap())).collect();
        let code = check["code"].as_str().unwrap().to_owned();
        writeln!(table, "| `{code}` | {} | {} |", check["summary"].as_str().unwrap(), asks.join(", ")).unwrap();
        codes.push(code);
    }
    generated::block("docs/doctor.md", "checks", &table);
    let before = codes.len();
    codes.sort();
    codes.dedup();
    assert_eq!(codes.len(), before, "two checks have one code");
}

/// The last probes, as the ledger has them: when, in how many milliseconds, and by which patterns.
fn probes(of: &[(&str, u64, u64, &str)]) -> Value {
    let items: Vec<Value> = of
        .iter()
        .map(|(place, at, latency, patterns)| {
            json!({"partition": {"S": "probes"}, "sort": {"S": place}, "version": {"N": "0"}, "expires": {"N": "4102444800"},
                   "at": {"N": at.to_string()}, "latency": {"N": latency.to_string()}, "patterns": {"S": patterns}})
        })
        .collect();
    json!({"Count": items.len(), "Items": items})
}

#[test]
fn a_stack_with_probes_tells_whose_have_not_come_whose_are_late_and_whose_patterns_are_others() {
    let (own, spoke) = ("111122223333#eu-west-1", "444455556666#us-east-1");
    let probed = |of: &[(&str, u64, u64, &str)]| {
        let parameters = [("Probes", "true"), ("StackSetName", "offlimits"), ("OrganizationId", "o-a1b2c3d4e5")];
        Aws::healthy()
            .says("DescribeStacks", "eu-west-1", &stack("CREATE_COMPLETE", &outputs(false), &parameters))
            .says("Query", "probes", &probes(of))
    };
    // 2100: whatever the clock says, that is not long ago.
    let future = 4_102_444_800_000;
    assert_eq!(probed(&[(own, future, 900, "all"), (spoke, future, 4_000, "all")]).finds(&[]), [""; 0]);
    assert_eq!(probed(&[]).finds(&[]), ["probe-silent"]);
    assert_eq!(probed(&[(spoke, future, 0, "all")]).finds(&[]), ["probe-silent"], "the stack's own");
    assert_eq!(probed(&[(own, future, 0, "all"), (spoke, 1000, 0, "all")]).finds(&[]), ["probe-silent"]);
    assert_eq!(probed(&[(own, future, 16 * 60_000, "all")]).finds(&[]), ["probe-late"]);
    let (report, _) = probed(&[(own, future, 0, "all"), (spoke, future, 0, "0123456789ab")]).report(&[]);
    let [finding] = &report["findings"].as_array().unwrap()[..] else { panic!("{report}") };
    assert_eq!((&finding["code"], &finding["account"]), (&json!("probe-patterns"), &json!("444455556666")));
    assert!(finding["message"].as_str().unwrap().starts_with("the patterns there are 0123456789ab"), "{finding}");
    // A stack without probes is not asked about any.
    assert_eq!(Aws::healthy().says("Query", "probes", &probes(&[(own, 1000, 0, "all")])).finds(&[]), [""; 0]);
}

#[test]
fn derived_patterns_that_are_not_those_of_the_local_rules_are_told() {
    let derived = [("EventPatterns", "derived")];
    let made = |logical: &str| json!({"LogicalResourceId": logical, "PhysicalResourceId": format!("offlimits-{logical}-1"), "ResourceType": "AWS::Events::Rule"});
    let found = |resources: &[Value]| {
        Aws::healthy()
            .says("DescribeStacks", "eu-west-1", &stack("CREATE_COMPLETE", &outputs(false), &derived))
            .says("ListStackResources", "", &json!({"StackResourceSummaries": resources}))
            .says("DescribeRule", "Calls1", &rule("offlimits-Calls1-1", "ENABLED", &pattern()))
            .finds(&[])
    };
    assert_eq!(found(&[made("Calls1")]), ["rule-derived"]);
    assert_eq!(found(&[]), ["rule-derived"], "none is there");
}

#[test]
fn where_incidents_follow_credentials_the_patterns_let_their_issuing_calls_pass() {
    let mut aws = Aws::healthy();
    aws.rules["channels"]["topic"]["incident"] = json!({"lineage": true});
    let rules = offlimits::ruleset::RuleSet::compile(&aws.rules.to_string()).unwrap().rules;
    let patterns = offlimits::pattern::DerivedPatterns::of_set(&rules);
    assert!(patterns.plain.len() == 1 && patterns.reads.is_empty());
    let own = patterns.plain[0].pattern(&json!(ACCOUNT));
    let derived = [("EventPatterns", "derived"), ("Probes", "true")];
    let made = json!({"LogicalResourceId": "Calls1", "PhysicalResourceId": "offlimits-Calls1-1", "ResourceType": "AWS::Events::Rule"});
    let found = |aws: Aws, pattern: &Value, digest: &str| {
        aws.says("DescribeStacks", "eu-west-1", &stack("CREATE_COMPLETE", &outputs(false), &derived))
            .says("ListStackResources", "", &json!({"StackResourceSummaries": [made]}))
            .says("DescribeRule", "Calls1", &rule("offlimits-Calls1-1", "ENABLED", pattern))
            .says("Query", "probes", &probes(&[("111122223333#eu-west-1", 4_102_444_800_000, 0, digest)]))
            .finds(&[])
    };
    assert_eq!(found(aws, &own, &patterns.digest), [""; 0]);
    // Without the calls that issue sessions, sessions go unnoticed.
    let mut aws = Aws::healthy();
    aws.rules["channels"]["topic"]["incident"] = json!({"lineage": true});
    let without = offlimits::pattern::DerivedPatterns::of(rules.rules());
    let found = found(aws, &without.plain[0].pattern(&json!(ACCOUNT)), &without.digest);
    assert_eq!(found, ["rule-derived", "probe-patterns"]);
}

#[test]
fn the_schedule_of_the_sweep_tells_the_function_of_the_rules_that_feed_it() {
    let made = |logical: &str| json!({"LogicalResourceId": logical, "PhysicalResourceId": format!("offlimits-{logical}-1"), "ResourceType": "AWS::Events::Rule"});
    let schedule = json!({"Name": "offlimits-Sweep-1", "State": "ENABLED", "ScheduleExpression": "rate(5 minutes)", "Arn": "arn:aws:events:eu-west-1:1:rule/s"});
    let told = |order: &str| {
        let target = json!({"Targets": [{"Id": "1", "Arn": format!("arn:aws:lambda:eu-west-1:{ACCOUNT}:function:offlimits-Function-1"),
                            "Input": order}]});
        Aws::healthy()
            .says("ListStackResources", "", &json!({"StackResourceSummaries": [made("FunctionTrail"), made("Sweep")]}))
            .says("DescribeRule", "Sweep", &schedule)
            .says("ListTargetsByRule", "Sweep", &target)
            .finds(&[])
    };
    let trail = "arn:aws:events:eu-west-1:111122223333:rule/offlimits-FunctionTrail-1";
    assert_eq!(told(&format!(r#"{{"offlimits":"sweep","rules":["{trail}"]}}"#)), [""; 0]);
    assert_eq!(told(r#"{"offlimits":"sweep","rules":[]}"#), ["rule-input"]);
}
