"""What template.yaml becomes: sound, and no more than it needs. Offline."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import BEFORE, SAM, TEMPLATE, derived_rules, transform
from local import ROOT, plain_environment

# All that the function may do, and why. A new statement needs a new line here.
GRANTS = {
    ("logs:CreateLogStream", "Logs"): "its log",
    ("logs:PutLogEvents", "Logs"): "its log",
    ("sns:Publish", "Topic"): "the alerts",
    ("sns:Publish", "MoreTopicArns"): "those that go to topics of others",
    ("kms:GenerateDataKey*", "MoreTopicKeyArns"): "which may be encrypted with keys of their own",
    ("kms:Decrypt", "MoreTopicKeyArns"): "which may be encrypted with keys of their own",
    ("kms:GenerateDataKey*", "Key"): "publishing to an encrypted topic takes its data key",
    ("kms:Decrypt", "Key"): "and opens it",
    ("secretsmanager:GetSecretValue", "Secret"): "the channels' credentials, in the secret made here",
    ("secretsmanager:GetSecretValue", "SecretArn"): "or in one that was there",
    ("kms:Decrypt", "SecretKeyArn"): "which may be encrypted with a key of its own",
    ("sqs:SendMessage", "FailedEvents"): "Lambda hands over what failed in the function's name",
    ("sqs:SendMessage", "Redelivery"): "what a channel did not take",
    ("sqs:ReceiveMessage", "Redelivery"): "Lambda takes it from there in the function's name",
    ("sqs:DeleteMessage", "Redelivery"): "and is done with it",
    ("sqs:GetQueueAttributes", "Redelivery"): "and asks how much there is",
    ("sqs:SendMessage", "DeadLetters"): "what no channel takes",
    ("dynamodb:BatchGetItem", "Ledger"): "what has been delivered",
    ("dynamodb:PutItem", "Ledger"): "alone or in a transaction",
    ("dynamodb:Query", "Ledger"): "the repeats of an alert, the sightings of a threshold",
    ("dynamodb:UpdateItem", "Ledger"): "the counter of a minute",
    ("sqs:ReceiveMessage", "spokes"): "what a hub's spokes could not deliver: test_a_hub_takes_from_its_spokes_queues_alone",
    ("sqs:DeleteMessage", "spokes"): "once the hub has it",
    ("events:DescribeRule", "rules"): "how the rules are that feed it: test_the_sweep_reads_the_stacks_own_rules_and_no_other",
    ("events:ListTargetsByRule", "rules"): "and whom they tell",
    ("kms:Decrypt", "LedgerKeyArn"): "the ledger may be encrypted with a key of its own",
    ("kms:GenerateDataKey", "QueuesKeyArn"): "and so may the queues: to send",
    ("kms:Decrypt", "QueuesKeyArn"): "and to send again, and to take",
}
# What Lambda asks of the role of a function in a VPC, for itself.
VPC = {
    "ec2:CreateNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:DeleteNetworkInterface",
    "ec2:AssignPrivateIpAddresses",
    "ec2:UnassignPrivateIpAddresses",
}
NOTHING = {"Ref": "AWS::NoValue"}
# How EventBridge rules of the stack are called, on the default bus and on the hub's.
OWN_RULES = ["${AWS::StackName}-*", "${AWS::StackName}/${AWS::StackName}-*"]


def listed(value) -> list:
    return value if isinstance(value, list) else [value]


def targets(value) -> list[str]:
    """The names that a Ref, GetAtt or If comes down to; text stays as it is."""
    if isinstance(value, str):
        return [value]
    [(function, argument)] = value.items()
    match function:
        case "Ref":
            return [argument]
        case "Fn::GetAtt":
            return [argument[0]]
        case "Fn::If":
            return [name for branch in argument[1:] for name in targets(branch)]
    raise AssertionError(f"no name in {value}")


def statements(policy: dict) -> list[dict]:
    """The statements of a policy, those under an If too."""
    found = [s["Fn::If"][1] if "Fn::If" in s else s for s in listed(policy["Statement"])]
    assert all("Effect" in s for s in found)
    return found


def of_type(template: dict, kind: str) -> dict[str, dict]:
    return {name: r.get("Properties", {}) for name, r in template["Resources"].items() if r["Type"] == kind}


@pytest.mark.parametrize("region", ["us-east-1", "eu-west-1"])
def test_sam_finds_it_valid(region):
    done = subprocess.run(
        [SAM, "validate", "--lint", "--template", TEMPLATE, "--region", region],
        env=plain_environment(), cwd=ROOT, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("region", ["us-east-1", "us-gov-west-1", "cn-north-1"])
def test_cfn_lint_finds_nothing_in_what_sam_makes_of_it(region, tmp_path):
    """In each partition, its informational findings too. On SAM's own source cfn-lint does not understand EventBridge events."""
    made = tmp_path / "transformed.json"
    made.write_text(json.dumps(transform(TEMPLATE, region)))
    linter = Path(sys.executable).parent / "cfn-lint"
    command = [linter, "--include-checks", "I", "--regions", region, "--", made]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0 and not done.stdout.strip(), done.stdout + done.stderr


def test_no_partition_is_written_down():
    assert not re.findall(r"arn:aws[^\[:]*:[^\n]*", re.sub(r"AllowedPattern.*", "", TEMPLATE.read_text()))
    assert "amazonaws.com/" not in TEMPLATE.read_text()


def test_the_function_may_do_only_what_it_needs(transformed):
    role = transformed["Resources"]["Role"]["Properties"]
    assert "ManagedPolicyArns" not in role, "a managed policy is not scoped to our resources"
    assert of_type(transformed, "AWS::IAM::Role").keys() == {"Role", "ProbeRole"}, "test_the_probe_may_do_one_thing"
    assert not of_type(transformed, "AWS::IAM::Policy") and not of_type(transformed, "AWS::IAM::ManagedPolicy")
    granted = set()
    for policy in role["Policies"]:
        for statement in statements(policy["PolicyDocument"]):
            if statement["Sid"] in {"JoinVpc", "ButNotTheCode"}:
                continue
            assert statement["Effect"] == "Allow" and "NotAction" not in statement and "NotResource" not in statement
            spokes = {"Fn::Sub": "arn:${AWS::Partition}:sqs:*:*:StackSet-${StackSetName}-*"}
            own = [{"Fn::Sub": f"arn:${{AWS::Partition}}:events:${{AWS::Region}}:${{AWS::AccountId}}:rule/{name}"} for name in OWN_RULES]
            wide = {json.dumps(spokes): ["spokes"], json.dumps(own): ["rules"]}
            resources = wide.get(json.dumps(statement["Resource"])) or [name for r in listed(statement["Resource"]) for name in targets(r)]
            for resource in resources:
                assert "*" not in resource, f"{statement['Sid']} is not scoped"
                granted |= {(action, resource) for action in listed(statement["Action"])}
    assert granted == GRANTS.keys()
    for _, resource in granted - {(action, name) for action, _ in granted for name in ["spokes", "rules"]}:
        assert resource in transformed["Resources"] or resource in transformed["Parameters"]


def conditional_statements(template: dict) -> dict[str, list]:
    """Those statements of the role that are there on a condition: the condition, the statement, what is there otherwise."""
    written = template["Resources"]["Role"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
    return {s["Fn::If"][1]["Sid"]: s["Fn::If"] for s in written if "Fn::If" in s}


def test_only_a_function_in_a_vpc_may_join_it_and_its_code_may_not(transformed):
    conditional = conditional_statements(transformed)
    for sid, effect, actions in [("JoinVpc", "Allow", VPC), ("ButNotTheCode", "Deny", {"ec2:*"})]:
        condition, statement, otherwise = conditional[sid]
        assert (condition, otherwise) == ("HasVpc", NOTHING)
        assert statement["Effect"] == effect and set(listed(statement["Action"])) == actions
    [mine] = conditional["ButNotTheCode"][1]["Condition"]["ArnLike"]["lambda:SourceFunctionArn"]
    assert mine["Fn::Sub"].endswith(":function:${AWS::StackName}-*")
    function = transformed["Resources"]["Function"]["Properties"]
    inside = {"SubnetIds": {"Ref": "SubnetIds"}, "SecurityGroupIds": {"Ref": "SecurityGroupIds"}}
    assert function["VpcConfig"] == {"Fn::If": ["HasVpc", inside, NOTHING]}


def test_what_an_organisation_asks_of_a_stack_is_a_parameter(transformed):
    """Without it, each property is what it was."""
    resources = {name: r.get("Properties", {}) for name, r in transformed["Resources"].items()}
    for name, key, condition, value in [
        ("Role", "PermissionsBoundary", "HasBoundary", {"Ref": "PermissionsBoundaryArn"}),
        ("Role", "Path", "HasRolePath", {"Ref": "RolePath"}),
        ("Logs", "KmsKeyId", "HasLogsKey", {"Ref": "LogsKeyArn"}),
        ("Secret", "KmsKeyId", "HasSecretKey", {"Ref": "SecretKeyArn"}),
        ("Ledger", "SSESpecification", "HasLedgerKey", {"SSEEnabled": True, "SSEType": "KMS", "KMSMasterKeyId": {"Ref": "LedgerKeyArn"}}),
        ("Ledger", "PointInTimeRecoverySpecification", "HasPointInTimeRecovery", {"PointInTimeRecoveryEnabled": True}),
        *((queue, "KmsMasterKeyId", "HasQueuesKey", {"Ref": "QueuesKeyArn"}) for queue in of_type(transformed, "AWS::SQS::Queue")),
    ]:
        assert resources[name][key] == {"Fn::If": [condition, value, NOTHING]}, name
    assert transformed["Parameters"]["RolePath"]["Default"] == "/"
    assert transformed["Conditions"]["HasRolePath"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "RolePath"}, "/"]}]}
    variables = resources["Function"]["Environment"]["Variables"]
    assert variables["HTTPS_PROXY"] == {"Fn::If": ["HasProxy", {"Ref": "HttpsProxy"}, NOTHING]}
    assert variables["NO_PROXY"] == {"Fn::If": ["HasNoProxy", {"Ref": "NoProxy"}, NOTHING]}
    for condition, [parameter] in {"HasBoundary": ["PermissionsBoundaryArn"], "HasProxy": ["HttpsProxy"], "HasQueuesKey": ["QueuesKeyArn"]}.items():
        assert transformed["Conditions"][condition] == {"Fn::Not": [{"Fn::Equals": [{"Ref": parameter}, ""]}]}
        assert transformed["Parameters"][parameter]["Default"] == ""


def test_topics_of_others_are_granted_only_where_they_are_named(transformed):
    conditional = conditional_statements(transformed)
    for sid, condition, parameter in [
        ("AlertElsewhere", "HasMoreTopics", "MoreTopicArns"),
        ("EncryptAlertsElsewhere", "HasMoreTopicKeys", "MoreTopicKeyArns"),
    ]:
        assert conditional[sid][0] == condition and conditional[sid][2] == NOTHING
        assert transformed["Conditions"][condition] == {"Fn::Not": [{"Fn::Equals": [{"Fn::Join": ["", {"Ref": parameter}]}, ""]}]}
        assert transformed["Parameters"][parameter]["Default"] == ""
    fits = transformed["Parameters"]["MoreTopicArns"]["AllowedPattern"]
    for arn in ["", "arn:aws:sns:us-east-1:123456789012:soc", "arn:aws-us-gov:sns:us-gov-west-1:123456789012:soc_2"]:
        assert re.search(fits, arn)
    for arn in ["*", "arn:aws:sns:*:123456789012:soc", "arn:aws:sns:us-east-1:123456789012:*", "arn:aws:sqs:us-east-1:123456789012:soc"]:
        assert not re.search(fits, arn)


def test_only_lambda_may_become_the_role(transformed):
    [trust] = statements(transformed["Resources"]["Role"]["Properties"]["AssumeRolePolicyDocument"])
    assert trust["Principal"] == {"Service": "lambda.amazonaws.com"}


def test_no_resource_policy_lets_strangers_in(transformed):
    """Each names its principal, and whom a service may act for."""
    conditions = {}
    derived = [{"Fn::If": [rule["Condition"], {"Fn::GetAtt": [name, "Arn"]}, NOTHING]} for name, rule in derived_rules(transformed).items()]
    for kind in ["AWS::SQS::QueuePolicy", "AWS::SNS::TopicPolicy"]:
        for properties in of_type(transformed, kind).values():
            for statement in statements(properties["PolicyDocument"]):
                if statement["Effect"] == "Deny":
                    continue
                assert "*" not in json.dumps([statement["Principal"], statement["Action"], statement["Resource"]])
                conditions[statement["Principal"]["Service"]] = statement["Condition"]
    assert conditions == {
        "events.amazonaws.com": {"ArnEquals": {"aws:SourceArn": [{"Fn::GetAtt": ["FunctionTrail", "Arn"]}, {"Fn::If": ["IsHub", {"Fn::GetAtt": ["HubTrail", "Arn"]}, NOTHING]}, *derived]}},
        "cloudwatch.amazonaws.com": {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}},
    }
    for permission in of_type(transformed, "AWS::Lambda::Permission").values():
        assert permission["Principal"] == "events.amazonaws.com"
    callers = [name for p in of_type(transformed, "AWS::Lambda::Permission").values() for name in targets(p["SourceArn"])]
    assert sorted(callers) == sorted(of_type(transformed, "AWS::Events::Rule"))


def test_nobody_comes_to_the_topic_and_the_queues_without_tls(transformed):
    refused = {}
    for kind in ["AWS::SQS::QueuePolicy", "AWS::SNS::TopicPolicy"]:
        for properties in of_type(transformed, kind).values():
            [guarded] = [name for at in properties.get("Queues", properties.get("Topics")) for name in targets(at)]
            for statement in statements(properties["PolicyDocument"]):
                if statement["Effect"] == "Deny":
                    assert statement["Principal"] == "*" and targets(statement["Resource"]) == [guarded]
                    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
                    refused[guarded] = statement["Action"]
    queues = of_type(transformed, "AWS::SQS::Queue")
    assert refused == {"Topic": "sns:Publish"} | dict.fromkeys(queues, "sqs:*")


def test_alarms_can_publish_to_the_encrypted_topic(transformed):
    topic = transformed["Resources"]["Topic"]["Properties"]
    assert targets(topic["KmsMasterKeyId"]) == ["Key"], "alias/aws/sns does not let alarms in"
    key = transformed["Resources"]["Key"]["Properties"]
    assert key["EnableKeyRotation"] is True
    [admitted] = [s for s in statements(key["KeyPolicy"]) if s["Principal"] == {"Service": "cloudwatch.amazonaws.com"}]
    assert set(admitted["Action"]) == {"kms:GenerateDataKey*", "kms:Decrypt"}
    assert admitted["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}


def test_what_is_lost_is_kept_and_encrypted(transformed):
    queues = of_type(transformed, "AWS::SQS::Queue")
    assert queues.keys() == {"UndeliveredEvents", "FailedEvents", "DeadLetters", "Redelivery"}
    for queue in queues.values():
        assert queue["SqsManagedSseEnabled"] == {"Fn::If": ["HasQueuesKey", False, True]} and queue["MessageRetentionPeriod"] == 14 * 86400
    for rule in [transformed["Resources"]["FunctionTrail"], *derived_rules(transformed).values()]:
        [target] = rule["Properties"]["Targets"]
        assert targets(target["DeadLetterConfig"]["Arn"]) == ["UndeliveredEvents"]
        assert target["RetryPolicy"] == {"MaximumEventAgeInSeconds": 3600, "MaximumRetryAttempts": 30}
    asynchronous = transformed["Resources"]["FunctionEventInvokeConfig"]["Properties"]
    assert targets(asynchronous["DestinationConfig"]["OnFailure"]["Destination"]) == ["FailedEvents"]
    assert asynchronous["MaximumRetryAttempts"] == 2 and asynchronous["MaximumEventAgeInSeconds"] == 6 * 3600


def test_what_holds_undelivered_alerts_outlives_the_stack(transformed):
    for name in ["Redelivery", "DeadLetters", "FailedEvents", "UndeliveredEvents", "Ledger"]:
        resource = transformed["Resources"][name]
        assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain"), name
        assert not [key for key in resource["Properties"] if key in {"QueueName", "TableName"}], "the next stack could not be made"
    assert transformed["Resources"]["Logs"]["DeletionPolicy"] == "Delete", "its name is fixed: the next stack could not be made"


def test_an_update_replaces_nothing(transformed):
    """Of what the version before made, no property changes that CloudFormation cannot change in place, while the new parameters are as they come:
    the queues, the table, the topic and the secret keep what they hold."""
    before = transform(BEFORE)["Resources"]
    assert before.keys() <= transformed["Resources"].keys()
    for name, was in before.items():
        now = transformed["Resources"][name]
        assert was["Type"] == now["Type"]
        fixed = create_only(was["Type"])
        assert fixed or was["Type"] in {"AWS::KMS::Key", "AWS::SNS::TopicPolicy", "AWS::SQS::QueuePolicy"}, was["Type"]
        for key in fixed:
            value = now.get("Properties", {}).get(key)
            if isinstance(value, dict) and value.get("Fn::If", [])[2:] == [NOTHING]:
                value = None  # on a condition, which no stack of the version before meets
            assert was.get("Properties", {}).get(key) == value, f"{name}.{key}: it would be replaced"
        assert was.get("Condition") == now.get("Condition") or name == "SilenceAlarm", name


def create_only(kind: str) -> set[str]:
    """The properties that cannot be changed in place, by CloudFormation's own schema, which cfn-lint brings."""
    from cfnlint.schema import PROVIDER_SCHEMA_MANAGER

    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", kind).schema
    return {place.split("/")[2] for place in schema.get("createOnlyProperties", [])}


def test_what_a_channel_did_not_take_comes_back(transformed):
    timeout = transformed["Resources"]["Function"]["Properties"]["Timeout"]
    queue = of_type(transformed, "AWS::SQS::Queue")["Redelivery"]
    assert queue["VisibilityTimeout"] >= 6 * timeout
    assert targets(queue["RedrivePolicy"]["deadLetterTargetArn"]) == ["DeadLetters"] and queue["RedrivePolicy"]["maxReceiveCount"] >= 3
    [source] = of_type(transformed, "AWS::Lambda::EventSourceMapping").values()
    assert targets(source["EventSourceArn"]) == ["Redelivery"] and targets(source["FunctionName"]) == ["Function"]
    assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"] and source["ScalingConfig"]["MaximumConcurrency"] >= 2


def test_redelivery_cannot_take_every_execution(transformed):
    """What is reserved is more than redelivery may hold, so that a call that is made now is not throttled for what waits."""
    [source] = of_type(transformed, "AWS::Lambda::EventSourceMapping").values()
    most = source["ScalingConfig"]["MaximumConcurrency"]
    fits = transformed["Parameters"]["ReservedConcurrency"]["AllowedPattern"]
    assert [n for n in ["", *map(str, range(200))] if re.search(fits, n)] == ["", *map(str, range(most + 1, 200))]


def test_sqs_may_redrive_its_dead_letters(transformed):
    """It takes the dead letters of another queue alone, and any may name them; tests/evidence/sqs_redrive.py runs it."""
    queues = of_type(transformed, "AWS::SQS::Queue")
    sources = [name for name, queue in queues.items() if "DeadLetters" in json.dumps(queue.get("RedrivePolicy", {}))]
    assert sources == ["Redelivery"] and not any("RedriveAllowPolicy" in queue for queue in queues.values())


def test_the_ledger_forgets_and_costs_nothing_idle(transformed):
    [table] = of_type(transformed, "AWS::DynamoDB::Table").values()
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires", "Enabled": True}
    assert [k["AttributeName"] for k in table["KeySchema"]] == ["partition", "sort"]


# What each alarm watches: its metric, of what, its statistic, and above which value it rings.
WATCHED = {
    "errors": ("AWS/Lambda", "Errors", "Function", "Sum", 0),
    "throttles": ("AWS/Lambda", "Throttles", "Function", "Sum", 0),
    "duration": ("AWS/Lambda", "Duration", "Function", "Maximum", 28_000),
    "undelivered-events": ("AWS/SQS", "ApproximateNumberOfMessagesVisible", "UndeliveredEvents", "Maximum", 0),
    "failed-invocations": ("AWS/Events", "FailedInvocations", "FunctionTrail", "Sum", 0),
    "lost-events": ("AWS/Events", "InvocationsFailedToBeSentToDlq", "FunctionTrail", "Sum", 0),
    "failed-events": ("AWS/SQS", "ApproximateNumberOfMessagesVisible", "FailedEvents", "Maximum", 0),
    "dropped-events": ("AWS/Lambda", "AsyncEventsDropped", "Function", "Sum", 0),
    "lost-failures": ("AWS/Lambda", "DestinationDeliveryFailures", "Function", "Sum", 0),
    "dead-letters": ("AWS/SQS", "ApproximateNumberOfMessagesVisible", "DeadLetters", "Maximum", 0),
    "more-dead-letters": ("AWS/SQS", "NumberOfMessagesSent", "DeadLetters", "Sum", 0),
    "redelivery-age": ("AWS/SQS", "ApproximateAgeOfOldestMessage", "Redelivery", "Maximum", 1800),
    "notifications-failed": ("AWS/SNS", "NumberOfNotificationsFailed", "Topic", "Sum", 0),
    "ledger": ("offlimits", "LedgerFaults", "Function", "Sum", 0),
}
# Those that a hub has besides. Its metrics are not there otherwise, so the dashboard does not have them.
WATCHED_BY_A_HUB = {"spoke-letters": "SpokeLettersMoved", "spoke-letters-refused": "SpokeLettersRefused", "spoke-queues-unreached": "SpokeQueuesUnreached"}
# Of the hub's rule, which is on a bus of its own: a metric of the default bus names the rule alone.
WATCHED_OF_THE_HUBS_RULE = {"hub-failed-invocations": "FailedInvocations", "hub-lost-events": "InvocationsFailedToBeSentToDlq"}
DIMENSIONS = {"AWS/Lambda": "FunctionName", "AWS/SQS": "QueueName", "AWS/Events": "RuleName", "AWS/SNS": "TopicName", "offlimits": "FunctionName"}


def alarms(template: dict) -> dict[str, dict]:
    """The alarms, by their names without the stack's."""
    return {a["AlarmName"]["Fn::Sub"].removeprefix("${AWS::StackName}-"): a for a in of_type(template, "AWS::CloudWatch::Alarm").values()}


def watched_of_derived_rules(template: dict) -> dict[str, tuple]:
    """Each rule that is derived has the wide one's alarms."""
    of = {"failed-invocations": "FailedInvocations", "lost-events": "InvocationsFailedToBeSentToDlq"}
    return {f"{alarm}-{rule.lower()}": ("AWS/Events", metric, rule, "Sum", 0) for rule in derived_rules(template) for alarm, metric in of.items()}


def test_the_alarms_of_a_derived_rule_are_there_where_it_is(transformed):
    rules, found = derived_rules(transformed), transformed["Resources"]
    assert rules
    for name, rule in rules.items():
        for alarm in ["FailedInvocationsAlarm", "LostEventsAlarm"]:
            assert found[f"{name}{alarm}"]["Condition"] == rule["Condition"]


def test_alarms_watch_everything_that_can_lose_an_alert(transformed):
    watched = {}
    for name, alarm in alarms(transformed).items():
        if name in WATCHED_BY_A_HUB | WATCHED_OF_THE_HUBS_RULE:
            continue  # test_a_hub_hears_when_its_spokes_are_in_trouble and the one after it
        [dimension] = alarm["Dimensions"]
        assert dimension["Name"] == DIMENSIONS[alarm["Namespace"]]
        if name not in {"silence", "silent-sources"}:  # which ring where nothing is
            assert (alarm["ComparisonOperator"], alarm["TreatMissingData"]) == ("GreaterThanThreshold", "notBreaching")
            assert (alarm["Period"], alarm["EvaluationPeriods"]) == (60, 1)
            watched[name] = (alarm["Namespace"], alarm["MetricName"], *targets(dimension["Value"]), alarm["Statistic"], alarm["Threshold"])
    assert watched == WATCHED | watched_of_derived_rules(transformed)


def test_every_dead_letter_queue_has_an_alarm_that_rings_for_a_second_letter(transformed):
    """One on what arrives, beside that on what is there: an alarm is heard when it begins, and what is there may lie for days."""
    arrive = {"UndeliveredEvents": "failed-invocations", "FailedEvents": "dropped-events", "DeadLetters": "more-dead-letters"}
    for queue, name in arrive.items():
        assert WATCHED[name][3] == "Sum" and WATCHED[name][1] != "ApproximateNumberOfMessagesVisible"
        assert alarms(transformed)[name]["TreatMissingData"] == "notBreaching"
        assert f"queue {queue}" in alarms(transformed)[name]["AlarmDescription"]["Fn::Sub"]


def test_every_alarm_has_a_second_road(transformed):
    assert transformed["Conditions"]["HasAlarmTopic"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "AlarmTopicArn"}, ""]}]}
    for name, alarm in alarms(transformed).items():
        roads = [{"Ref": "Topic"}, {"Fn::If": ["HasAlarmTopic", {"Ref": "AlarmTopicArn"}, NOTHING]}]
        assert alarm["AlarmActions"] == roads
        assert alarm.get("OKActions", roads) == roads, name


def test_every_alarm_has_a_runbook():
    template = transform(TEMPLATE)
    page = (ROOT / "docs/alarms.md").read_text()
    sections = dict(zip(re.findall(r"^## (.+)$", page, re.M), re.split(r"^## .+$", page, flags=re.M)[1:]))
    # Those of a derived rule have the sections of the wide one's.
    section = {name: re.sub("-(calls|reads)[0-9]+$", "", name) for name in alarms(template)}
    assert set(section.values()) == sections.keys()
    for alarm_name, alarm in alarms(template).items():
        name = section[alarm_name]
        assert alarm["AlarmDescription"]["Fn::Sub"].endswith(f" Runbook: ${{Documentation}}alarms.md#{name}")
        for heading in ["**It means**", "**Check**", "**Do**"]:
            assert heading in sections[name], f"{name} lacks {heading}"
    assert template["Parameters"]["Documentation"]["Default"] == "docs/"


ALL = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"


def test_read_only_calls_come_by_rules_of_their_own(transformed):
    """In a stock deployment too. Where the wide rule gets all of them, or the derived ones get the rest, no event comes twice."""
    assert transformed["Parameters"]["EventPatterns"]["Default"] == "wide" and transformed["Parameters"]["RuleState"]["Default"] == "ENABLED"
    assert transformed["Conditions"]["IsDerived"] == {"Fn::Equals": [{"Ref": "EventPatterns"}, "derived"]}
    assert transformed["Conditions"]["TakesReads"] == {"Fn::Or": [{"Condition": "IsDerived"}, {"Fn::Equals": [{"Ref": "RuleState"}, "ENABLED"]}]}
    assert transformed["Resources"]["FunctionTrail"]["Properties"]["State"] == {"Fn::If": ["IsDerived", "DISABLED", {"Ref": "RuleState"}]}
    states = {(r["Condition"], r["Properties"]["State"]) for r in derived_rules(transformed).values()}
    assert states == {("IsDerived", "ENABLED"), ("TakesReads", ALL)}
    reads = json.dumps([r["Properties"]["EventPattern"] for r in derived_rules(transformed).values() if r["Condition"] == "TakesReads"])
    for call in ["GetPasswordData", "GetParameter", "GetSigninToken", "DescribeInstanceAttribute"]:
        assert f'"{call}"' in reads, f"{call}: a rule of the packs names it"


def test_the_patterns_keep_to_the_limits(transformed):
    rules = derived_rules(transformed)
    for name, rule in rules.items():
        pattern = json.dumps(rule["Properties"]["EventPattern"], separators=(",", ":")).replace('{"Ref":"AWS::AccountId"}', '"123456789012"')
        assert len(pattern) <= 2048, name
        assert pattern.count('{"wildcard":') <= 6, name
        assert re.search(r"patterns [0-9a-f]{12}\.$", rule["Properties"]["Description"]), name
    assert len(rules) < 30, "so many rules with wildcards a bus takes"


def test_without_its_probes_a_stack_is_in_alarm(transformed):
    """On where nobody says otherwise. A missing metric rings, too: that of a sweep that found nothing is zero."""
    resources = transformed["Resources"]
    assert transformed["Parameters"]["Probes"]["Default"] == "true" and transformed["Conditions"]["HasProbes"] == {"Fn::Equals": [{"Ref": "Probes"}, "true"]}
    assert {name for name, r in resources.items() if r.get("Condition") == "HasProbes"} == {"Probe", "ProbeRole", "Sweep", "SweepPermission", "SilentSourcesAlarm"}
    alarm = resources["SilentSourcesAlarm"]["Properties"]
    assert (alarm["Namespace"], alarm["MetricName"], alarm["Statistic"]) == ("offlimits", "SilentSources", "Maximum")
    assert (alarm["ComparisonOperator"], alarm["Threshold"], alarm["TreatMissingData"]) == ("GreaterThanThreshold", 0, "breaching")
    assert (alarm["Period"], alarm["EvaluationPeriods"]) == (300, 3) and alarm["Dimensions"] == [{"Name": "FunctionName", "Value": {"Ref": "Function"}}]


def test_the_probe_may_do_one_thing(transformed):
    """It writes two tags of one queue, by a role that is known by its path, and whose path is not that of the function's."""
    role, probe = (transformed["Resources"][name]["Properties"] for name in ["ProbeRole", "Probe"])
    [trust] = statements(role["AssumeRolePolicyDocument"])
    assert trust["Principal"] == {"Service": "scheduler.amazonaws.com"} and trust["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
    [policy] = role["Policies"]
    [statement] = policy["PolicyDocument"]["Statement"]
    assert (statement["Effect"], statement["Action"], targets(statement["Resource"])) == ("Allow", "sqs:TagQueue", ["UndeliveredEvents"])
    assert "ManagedPolicyArns" not in role and role["Path"] == {"Fn::Sub": "${RolePath}offlimits-probe/"}
    assert role["PermissionsBoundary"] == transformed["Resources"]["Role"]["Properties"]["PermissionsBoundary"]
    target = probe["Target"]
    assert probe["ScheduleExpression"] == "rate(5 minutes)" and target["Arn"] == {"Fn::Sub": "arn:${AWS::Partition}:scheduler:::aws-sdk:sqs:tagQueue"}
    text, values = target["Input"]["Fn::Sub"]
    given = json.loads(text)
    assert given == {"QueueUrl": "${UndeliveredEvents}", "Tags": {"offlimits:probe": "<aws.scheduler.scheduled-time>", "offlimits:patterns": "${Digest}"}}
    digest = {"Fn::FindInMap": ["Patterns", "Digest", "All"]}
    assert values == {"Digest": {"Fn::If": ["TakesReads", digest, "all"]}}
    variables = transformed["Resources"]["Function"]["Properties"]["Environment"]["Variables"]
    assert variables["OFFLIMITS_PROBE_QUEUE"] == {"Fn::If": ["HasProbes", {"Fn::GetAtt": ["UndeliveredEvents", "Arn"]}, NOTHING]}
    digests = [{"Fn::FindInMap": ["Patterns", "Digest", name]} for name in ["All", "Calls", "Reads"]]
    assert variables["OFFLIMITS_EVENT_RULES"] == {"Fn::Join": [" ", [*digests, {"Ref": "EventPatterns"}, {"Ref": "RuleState"}]]}
    assert transformed["Mappings"]["Patterns"]["Digest"].keys() == {"All", "Calls", "Reads"}
    for rule in derived_rules(transformed).values():
        assert rule["Properties"]["Description"].endswith(f" patterns {transformed['Mappings']['Patterns']['Digest']['All']}.")


def test_the_sweep_reads_the_stacks_own_rules_and_no_other(transformed):
    """It is told all that feed the function, each on the condition on which it is there; of no other has it leave to read."""
    condition, statement, otherwise = conditional_statements(transformed)["SeeTheRules"]
    assert (condition, otherwise) == ("HasProbes", NOTHING) and set(statement["Action"]) == {"events:DescribeRule", "events:ListTargetsByRule"}
    sweep = transformed["Resources"]["Sweep"]["Properties"]
    [target] = sweep["Targets"]
    assert sweep["ScheduleExpression"] == "rate(5 minutes)" and targets(target["Arn"]) == ["Function"]
    _, [begin, inner, end] = target["Input"]["Fn::Join"]
    between, told = inner["Fn::Join"]
    assert json.loads(begin + between.join(["a", "b"]) + end) == {"offlimits": "sweep", "rules": ["a", "b"]}
    arn = lambda name: {"Fn::GetAtt": [name, "Arn"]}  # noqa: E731
    derived = [{"Fn::If": [rule["Condition"], arn(name), NOTHING]} for name, rule in derived_rules(transformed).items()]
    assert told == [arn("FunctionTrail"), {"Fn::If": ["IsHub", arn("HubTrail"), NOTHING]}, *derived]
    feeds = {name for name, rule in of_type(transformed, "AWS::Events::Rule").items() if "EventPattern" in rule}
    assert feeds == {"FunctionTrail", "HubTrail", *derived_rules(transformed)}
    assert transformed["Parameters"]["WatchedRegions"]["Default"] == ""
    fits = transformed["Parameters"]["WatchedRegions"]["AllowedPattern"]
    assert [bool(re.search(fits, text)) for text in ["", "eu-west-1", "us-gov-west-1", "ap-southeast-3", "*", "eu west 1", "EU-WEST-1"]] == [True, True, True, True, False, False, False]


def test_silence_is_heard_after_as_many_minutes_as_you_say(transformed):
    silence = transformed["Resources"]["SilenceAlarm"]
    alarm, parameter = silence["Properties"], transformed["Parameters"]["SilenceMinutes"]
    assert silence["Condition"] == "HearsSilence"
    without_probes = [{"Fn::Equals": [{"Ref": "Probes"}, "false"]}, {"Fn::Not": [{"Fn::Equals": [{"Ref": "SilenceMinutes"}, 0]}]}]
    assert transformed["Conditions"]["HearsSilence"] == {"Fn::And": without_probes}
    assert (alarm["Namespace"], alarm["MetricName"], alarm["Statistic"]) == ("offlimits", "Records", "Sum")
    assert (alarm["ComparisonOperator"], alarm["Threshold"], alarm["TreatMissingData"]) == ("LessThanThreshold", 1, "breaching")
    assert (alarm["Period"], alarm["EvaluationPeriods"]) == (60, {"Ref": "SilenceMinutes"})
    # CloudWatch allows a day of periods that are shorter than an hour; a day is what a stack of the version before has.
    assert (parameter["Type"], parameter["Default"], parameter["MinValue"], parameter["MaxValue"]) == ("Number", 1440, 0, 1440)


def test_saved_queries_and_a_dashboard_speak_of_this_stack(transformed):
    queries = of_type(transformed, "AWS::Logs::QueryDefinition")
    page = (ROOT / "docs/no-alert.md").read_text()
    for name, query in queries.items():
        assert query["LogGroupNames"] == [{"Ref": "Logs"}] and transformed["Resources"][name]["Condition"] == "HasQueries"
        assert query["Name"]["Fn::Sub"].replace("${AWS::StackName}", "| `STACK") + "` |" in page, "the page has the query"
    assert page.count("| `STACK/") == len(queries) > 0
    [dashboard] = [r for r in transformed["Resources"].values() if r["Type"] == "AWS::CloudWatch::Dashboard"]
    assert dashboard["Condition"] == "HasDashboard"
    assert "${AWS::Region}" in dashboard["Properties"]["DashboardName"]["Fn::Sub"], "dashboards are the account's"
    body = dashboard["Properties"]["DashboardBody"]["Fn::Sub"]
    widgets = json.loads(body)["widgets"]
    shown = {(m[0], m[1]) for w in widgets for m in w["properties"].get("metrics", [])}
    assert {(namespace, metric) for namespace, metric, *_ in WATCHED.values()} - shown == {("offlimits", "LedgerFaults"), ("AWS/SQS", "NumberOfMessagesSent")}
    [rung] = [w["properties"]["alarms"] for w in widgets if w["type"] == "alarm"]
    assert {arn.rsplit("${AWS::StackName}-", 1)[1] for arn in rung} == WATCHED.keys()
    for name in re.findall(r"\$\{([A-Za-z]+)[.}]", body):
        assert name in transformed["Resources"], f"{name} is nothing of the template's"
    # Each field of a line that is asked for is one that the function writes: those of the page, and those of lines that say why.
    fields = {name for row in re.findall(r"^\| (`.*?`) \|", page, re.M) for name in re.findall(r"`(\w+)`", row)} | {"reason", "what"}
    asked = set(re.findall(r"fields\.(\w+)", json.dumps(queries) + body))
    assert {"event_id", "finding", "channel", "outcome", "latency_ms"} <= asked <= fields
    # Each metric of the function's that is asked for is one that it writes.
    written = json.loads((ROOT / "tests/golden/metrics.json").read_text())
    asked = {m[1] for w in widgets for m in w["properties"].get("metrics", []) if m[0] == "offlimits"}
    asked |= set(re.findall(r"sum\((\w+)\)", json.dumps(queries)))
    assert "Latency" in asked <= written.keys()


def test_sms_is_filtered_by_severity(transformed):
    sms = transformed["Resources"]["SmsSubscription"]["Properties"]
    assert sms["FilterPolicy"] == {"severity": {"Ref": "SmsSeverities"}} and sms["FilterPolicyScope"] == "MessageAttributes"
    assert transformed["Parameters"]["SmsSeverities"]["Default"] == "very-high,extreme"


def test_the_function_and_its_log(transformed):
    function = transformed["Resources"]["Function"]["Properties"]
    assert function["Runtime"] == "provided.al2023" and function["Timeout"] < 60
    assert targets(function["LoggingConfig"]["LogGroup"]) == ["Logs"] and function["LoggingConfig"]["LogFormat"] == "JSON"
    # Lambda's filter would drop metrics: it lets everything through, and the function has a filter of its own.
    assert (function["LoggingConfig"]["ApplicationLogLevel"], function["LoggingConfig"]["SystemLogLevel"]) == ("DEBUG", "INFO")
    assert function["Environment"]["Variables"]["OFFLIMITS_LOG_LEVEL"] == {"Ref": "LogLevel"}
    assert transformed["Parameters"]["LogLevel"]["AllowedValues"] == ["DEBUG", "INFO", "WARN", "ERROR"]
    assert transformed["Resources"]["Logs"]["Properties"]["RetentionInDays"] == {"Ref": "LogRetentionDays"}
    assert set(function["Environment"]["Variables"]) == {
        "OFFLIMITS_TOPIC_ARN",
        "OFFLIMITS_SECRET_ARN",
        "OFFLIMITS_ROLE_ARN",
        "OFFLIMITS_TABLE",
        "OFFLIMITS_REDELIVERY_URL",
        "OFFLIMITS_DEAD_LETTERS_URL",
        "OFFLIMITS_LOG_LEVEL",
        "OFFLIMITS_PRIVATE_ENDPOINTS",
        "OFFLIMITS_SILENCE_MINUTES",
        "OFFLIMITS_STACK",
        "OFFLIMITS_OWN_ARNS",
        "OFFLIMITS_OWN_ADDRESSES",
        "OFFLIMITS_STACK_SET",
        "OFFLIMITS_PROBE_QUEUE",
        "OFFLIMITS_WATCHED_REGIONS",
        "OFFLIMITS_EVENT_RULES",
        "HTTPS_PROXY",
        "NO_PROXY",
    }
    assert "Default" not in transformed["Parameters"]["Architecture"], "a default would deploy a function that cannot start"
    assert transformed["Resources"]["Secret"]["Properties"]["SecretString"] == "{}", "no credential stands in a template"


def test_the_function_knows_what_is_its_own(transformed):
    """What the environment lists beside what it needs: every key and queue, the log, and the stack's name for all else."""
    variables = transformed["Resources"]["Function"]["Properties"]["Environment"]["Variables"]
    assert variables["OFFLIMITS_STACK"] == {"Ref": "AWS::StackName"}
    listed = json.dumps(variables["OFFLIMITS_OWN_ARNS"])
    for name, resource in transformed["Resources"].items():
        told = ["Redelivery", "DeadLetters"]  # by their URLs
        if resource["Type"] in ["AWS::KMS::Key", "AWS::SQS::Queue", "AWS::Logs::LogGroup"] and name not in told:
            assert f'"{name}", "Arn"' in listed or f"{name}.Arn" in listed, name
    for parameter in transformed["Parameters"]:
        if parameter.endswith(("KeyArn", "KeyArns", "TopicArn", "TopicArns")):
            assert f'"{parameter}"' in listed, parameter
    fits = transformed["Parameters"]["OwnAddresses"]["AllowedPattern"]
    for address in ["", "203.0.113.7", "203.0.113.0/28", "2001:db8::/32"]:
        assert re.search(fits, address)
    for address in ["*", "203.0.113.7 ", "nat.example.com", "203.0.113.0/"]:
        assert not re.search(fits, address)


def test_stacks_and_regions_do_not_collide(transformed):
    """A physical name begins with the stack's, or CloudFormation makes it."""
    for name, resource in transformed["Resources"].items():
        for key, value in resource.get("Properties", {}).items():
            if key.endswith("Name") or (resource["Type"] == "AWS::Logs::QueryDefinition" and key == "Name"):
                if key in {"MetricName", "FunctionName", "DisplayName"}:
                    continue
                if resource["Type"].startswith("AWS::Events::"):
                    assert value == {"Ref": "AWS::StackName" if name == "Bus" else "Bus"}
                    continue
                assert "${AWS::StackName}" in value["Fn::Sub"], f"{name}.{key} would collide"


def test_the_help_names_every_target():
    env = os.environ | {"MAKEFLAGS": ""}
    shown = subprocess.run(["make", "-s", "help"], cwd=ROOT, env=env, capture_output=True, text=True, timeout=30, check=True).stdout
    for target in ["check", "test", "build", "bench", "invoke", "deploy", "test-alert", "redrive", "fuzz", "setup"]:
        assert f"  {target} " in shown


# -------------------------------------------------------------------------------------------------------------------------------- a hub

HUB = {"Bus", "HubTrail", "HubTrailPermission", "Mover", "MoverPermission", "SpokeLettersAlarm", "SpokeLettersRefusedAlarm", "SpokeQueuesUnreachedAlarm"}
HUB |= {"HubFailedInvocationsAlarm", "HubLostEventsAlarm"}


def test_without_an_organization_nothing_is_there_of_a_hub(transformed):
    """And other accounts' events alert nobody: the one rule has the filter on the account."""
    template = transformed
    assert template["Parameters"]["OrganizationId"]["Default"] == ""
    assert template["Conditions"]["IsHub"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "OrganizationId"}, ""]}]}
    assert {name for name, r in template["Resources"].items() if r.get("Condition") == "IsHub"} == HUB
    rules = {name: r for name, r in of_type(template, "AWS::Events::Rule").items() if name not in HUB}
    assert rules.keys() == {"FunctionTrail", "Sweep", *derived_rules(template)}
    for rule in [rule for name, rule in rules.items() if name != "Sweep"]:
        assert rule["EventPattern"]["account"] == [{"Ref": "AWS::AccountId"}] and rule["EventPattern"]["source"] == [{"prefix": "aws."}]
        assert "EventBusName" not in rule
    variables = template["Resources"]["Function"]["Properties"]["Environment"]["Variables"]
    assert variables["OFFLIMITS_STACK_SET"] == {"Fn::If": ["IsHub", {"Ref": "StackSetName"}, NOTHING]}
    assert template["Outputs"]["HubBusArn"]["Condition"] == "IsHub"


def test_a_hub_takes_the_events_of_its_organization_and_of_no_other(transformed):
    bus = transformed["Resources"]["Bus"]["Properties"]
    [statement] = bus["Policy"]["Statement"]
    assert (statement["Action"], statement["Condition"]) == ("events:PutEvents", {"StringEquals": {"aws:PrincipalOrgID": {"Ref": "OrganizationId"}}})
    hub, own = (transformed["Resources"][name]["Properties"] for name in ["HubTrail", "FunctionTrail"])
    assert hub["EventBusName"] == {"Ref": "Bus"} and hub["State"] == ALL, "what a spoke sends is meant, be it a read-only call"
    assert dict(hub["EventPattern"]) | {"account": own["EventPattern"]["account"]} == dict(own["EventPattern"]), "but for the account, they are one"
    assert hub["EventPattern"]["source"] == [{"prefix": "aws."}], "nobody in the organization can put such an event"
    [of_hub], [of_own] = hub["Targets"], own["Targets"]
    assert {key: of_hub[key] for key in ["Arn", "RetryPolicy", "DeadLetterConfig"]} == {key: of_own[key] for key in ["Arn", "RetryPolicy", "DeadLetterConfig"]}
    fits = transformed["Parameters"]["OrganizationId"]["AllowedPattern"]
    assert [bool(re.search(fits, text)) for text in ["", "o-a1b2c3d4e5", "*", "r-a1b2", "o-A1B2C3D4E5", "o-a1b2c3d4e5,x"]] == [True, True, False, False, False, False]


def test_a_hub_takes_from_its_spokes_queues_alone(transformed):
    """By their names and their organization; and it may do nothing else there, nor anywhere put events."""
    condition, statement, otherwise = conditional_statements(transformed)["TakeFromSpokes"]
    assert (condition, otherwise) == ("IsHub", NOTHING)
    assert set(statement["Action"]) == {"sqs:ReceiveMessage", "sqs:DeleteMessage"}
    assert statement["Resource"] == {"Fn::Sub": "arn:${AWS::Partition}:sqs:*:*:StackSet-${StackSetName}-*"}
    assert statement["Condition"] == {"StringEquals": {"aws:ResourceOrgID": {"Ref": "OrganizationId"}}}
    assert set(re.findall(r'"(events:\w+)"', json.dumps(transformed["Resources"]["Role"]))) == {"events:DescribeRule", "events:ListTargetsByRule"}
    [mover] = transformed["Resources"]["Mover"]["Properties"]["Targets"]
    assert json.loads(mover["Input"]) == {"offlimits": "move"} and targets(mover["Arn"]) == ["Function"]


def test_nobody_in_another_account_may_send_to_the_hubs_queues(transformed):
    """SQS lets another account in where the queue's policy does: none does but for EventBridge, and that for the rules of this stack."""
    for properties in of_type(transformed, "AWS::SQS::QueuePolicy").values():
        for statement in statements(properties["PolicyDocument"]):
            if statement["Effect"] == "Allow":
                assert statement["Principal"] == {"Service": "events.amazonaws.com"} and targets(statement["Resource"]) == ["UndeliveredEvents"]


def test_a_hub_hears_when_its_spokes_are_in_trouble(transformed):
    found = {name: alarm for name, alarm in alarms(transformed).items() if name in WATCHED_BY_A_HUB}
    assert {name: alarm["MetricName"] for name, alarm in found.items()} == WATCHED_BY_A_HUB
    for alarm in found.values():
        assert (alarm["Namespace"], alarm["Statistic"], alarm["Threshold"], alarm["TreatMissingData"]) == ("offlimits", "Sum", 0, "notBreaching")
        assert alarm["Dimensions"] == [{"Name": "FunctionName", "Value": {"Ref": "Function"}}]
    assert set(WATCHED_BY_A_HUB.values()) <= json.loads((ROOT / "tests/golden/metrics.json").read_text()).keys()


def test_a_hub_hears_when_its_own_rule_cannot_hand_an_event_over(transformed):
    """Every rule that feeds the function in a stock deployment, and every one of a hub, is in an alarm on what is given up and on what is lost."""
    found = {name: alarm for name, alarm in alarms(transformed).items() if name in WATCHED_OF_THE_HUBS_RULE}
    assert {name: alarm["MetricName"] for name, alarm in found.items()} == WATCHED_OF_THE_HUBS_RULE
    name_in_arn = {"Fn::Select": [2, {"Fn::Split": ["/", {"Fn::GetAtt": ["HubTrail", "Arn"]}]}]}
    for alarm in found.values():
        assert (alarm["Namespace"], alarm["Statistic"], alarm["Threshold"], alarm["TreatMissingData"]) == ("AWS/Events", "Sum", 0, "notBreaching")
        assert alarm["Dimensions"] == [{"Name": "EventBusName", "Value": {"Ref": "Bus"}}, {"Name": "RuleName", "Value": name_in_arn}]
    conditions = {r.get("Condition") for r in transformed["Resources"].values() if r["Type"] == "AWS::CloudWatch::Alarm" and r["Properties"] in found.values()}
    assert conditions == {"IsHub"}
