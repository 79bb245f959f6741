"""`offlimits doctor` against a stack in ministack: it finds nothing wrong, and of each thing that is broken exactly that.

Each case breaks one thing of the deployed stack, asks, and mends it. What neither ministack nor moto can be brought to say (a subscription that
is not confirmed, SNS's sandbox, the age of a message, a trail of an organization, a hub's spokes) is in tests/doctor.rs, whose stand-in for AWS
gives recorded answers.
"""

import copy
import io
import json
import re
import subprocess
import time
import urllib.request
import uuid
import zipfile
from contextlib import contextmanager

import boto3
import pytest
from conftest import HERE, SAM, TEMPLATE, Stack, built
from local import ACCOUNT, ARCHITECTURE, REGION, ROOT, TOOL, Aws, package, until
from moto_server import moto_server

SECRET = "https://hooks.slack.com/services/T0/B0/" + uuid.uuid4().hex
# A rule that cannot fire unless read-only calls are delivered, and one that waits for data events.
READS = {"id": "READS", "title": "t", "severity": "low", "when": {"service": {"is": "ec2.amazonaws.com"}, "event": {"is": "DescribeInstances"}}, "needs_events": ["read-only"]}
OBJECTS = {"id": "OBJECTS", "title": "t", "severity": "low", "when": {"service": {"is": "s3.amazonaws.com"}, "event": {"is": "GetObject"}}, "needs_events": ["data"]}
KEYS = {"id": "KMS", "title": "t", "severity": "low", "when": {"service": {"is": "kms.amazonaws.com"}, "event": {"is": "ScheduleKeyDeletion"}}}


def deployed(aws: Aws, folder, name: str, *parameters: str) -> Stack:
    """A stack without a phone, for ministack does not know SNS's sandbox for SMS; and a trail."""
    built(folder, TEMPLATE)
    package(folder / "Function", HERE / "rules.json")
    given = [f"Architecture={ARCHITECTURE}", "Email=someone@example.com", "SavedQueries=false", "Probes=false", *parameters]
    command = [SAM, "deploy", "--template-file", "template.yaml", "--config-file", ROOT / "samconfig.toml"]
    command += ["--stack-name", name, "--parameter-overrides", *given]
    done = subprocess.run(command, cwd=folder, env=aws.environment, capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stdout + done.stderr
    described = aws.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]
    stack = Stack(aws, name, {o["OutputKey"]: o["OutputValue"] for o in described["Outputs"]})
    stack.credentials({"soc": {"webhook_url": SECRET}})
    # What the template says, and ministack's CloudFormation leaves out.
    ttl = {"AttributeName": "expires", "Enabled": True}
    aws.client("dynamodb").update_time_to_live(TableName=stack.outputs["TableName"], TimeToLiveSpecification=ttl)
    return stack


@pytest.fixture(scope="module")
def aws(tmp_path_factory, bootstrap):
    with Aws(tmp_path_factory.mktemp("doctor")) as aws:
        aws.client("s3").create_bucket(Bucket="trails")
        aws.client("cloudtrail").create_trail(Name="trail", S3BucketName="trails", IsMultiRegionTrail=True)
        aws.client("cloudtrail").start_logging(Name="trail")
        yield aws


@pytest.fixture(scope="module")
def healthy(aws, tmp_path_factory):
    return deployed(aws, tmp_path_factory.mktemp("stack"), "offlimits")


@pytest.fixture(scope="module")
def hub(aws, tmp_path_factory):
    return deployed(aws, tmp_path_factory.mktemp("hub"), "hub", "OrganizationId=o-a1b2c3d4e5", "StackSetName=offlimits")


@pytest.fixture(scope="module")
def organization():
    """An organization of three accounts, in a moto of its own (ministack has no Organizations): the address, and the accounts below the first."""
    with moto_server() as address:
        client = boto3.client("organizations", endpoint_url=address, region_name=REGION, aws_access_key_id="test", aws_secret_access_key="test")
        client.create_organization(FeatureSet="ALL")
        made = [client.create_account(AccountName=name, Email=f"{name}@example.com") for name in ["shop", "data"]]
        yield address, [one["CreateAccountStatus"]["AccountId"] for one in made]


def again(alarms, alarm: dict):
    """Makes an alarm anew, which does not ring."""
    settings = ["AlarmName", "Namespace", "MetricName", "Dimensions", "Statistic", "Period", "EvaluationPeriods", "ComparisonOperator", "Threshold"]
    kept = {key: alarm[key] for key in [*settings, "TreatMissingData", "AlarmActions"]}
    alarms.put_metric_alarm(**kept, ActionsEnabled=True)
    alarms.set_alarm_state(AlarmName=alarm["AlarmName"], StateValue="OK", StateReason="mended")


def doctor(stack: Stack, *more, rules=HERE / "rules.json", regions=REGION, **variables) -> tuple[int, dict]:
    """The exit code and the report. No value of the secret is anywhere."""
    command = [TOOL, "doctor", "--rules", rules, "--stack", stack.name, "--regions", regions, *more]
    environment = stack.aws.environment | variables
    answers = [subprocess.run([*command, "--format", kind], env=environment, capture_output=True, text=True, timeout=120) for kind in ["json", "human"]]
    for answer in answers:
        for value in [SECRET, SECRET.rsplit("/", 1)[1], "hooks.slack.com"]:
            assert value not in answer.stdout + answer.stderr
    assert answers[0].stdout, answers[0].stderr
    assert answers[0].returncode == answers[1].returncode
    report = json.loads(answers[0].stdout)
    for finding in report["findings"]:
        assert finding["code"] in answers[1].stdout and finding["remedy"]
        for remedy in finding["remedy"]:
            assert remedy in answers[1].stdout
            subprocess.run(["bash", "-n", "-c", remedy], check=True, capture_output=True, timeout=20)
    return answers[0].returncode, report


def found(stack: Stack, *more, **options) -> list[str]:
    code, report = doctor(stack, *more, **options)
    assert not report["unanswered"], report["unanswered"]
    assert code == (1 if report["findings"] else 0), report
    return [finding["code"] for finding in report["findings"]]


def rules(tmp_path, *more):
    """The stack's rules, and these."""
    document = json.loads((HERE / "rules.json").read_text())
    document["rules"] += more
    (tmp_path / "rules.json").write_text(json.dumps(document))
    return tmp_path / "rules.json"


def test_nothing_is_wrong(healthy):
    code, report = doctor(healthy)
    assert (code, report["findings"], report["unanswered"]) == (0, [], []), report
    assert report["regions"] == [{"region": REGION, "account": healthy.aws.variables["AWS_ACCESS_KEY_ID"], "watched_by": "stack", "silences": []}]


@contextmanager
def selectors(stack, *wanted, **advanced):
    trails = stack.aws.client("cloudtrail")
    trails.put_event_selectors(TrailName="trail", **(advanced or {"EventSelectors": list(wanted)}))
    try:
        yield
    finally:
        trails.put_event_selectors(TrailName="trail", EventSelectors=[{"ReadWriteType": "All", "IncludeManagementEvents": True}])


@contextmanager
def stopped(stack):
    stack.aws.client("cloudtrail").stop_logging(Name="trail")
    try:
        yield
    finally:
        stack.aws.client("cloudtrail").start_logging(Name="trail")


@contextmanager
def no_trail(stack):
    trails = stack.aws.client("cloudtrail")
    trails.delete_trail(Name="trail")
    try:
        yield
    finally:
        trails.create_trail(Name="trail", S3BucketName="trails", IsMultiRegionTrail=True)
        trails.start_logging(Name="trail")


@contextmanager
def rule(stack, **changed):
    """The EventBridge rule, otherwise."""
    events, name = stack.aws.client("events"), stack.outputs["RuleName"]
    before = events.describe_rule(Name=name)
    kept = {"EventPattern": before["EventPattern"], "State": before["State"]}
    events.put_rule(Name=name, **kept | changed)
    try:
        yield
    finally:
        events.put_rule(Name=name, **kept)


@contextmanager
def target(stack, change):
    events, name = stack.aws.client("events"), stack.outputs["RuleName"]
    [before] = events.list_targets_by_rule(Rule=name)["Targets"]
    events.remove_targets(Rule=name, Ids=[before["Id"]])
    if changed := change(copy.deepcopy(before)):
        events.put_targets(Rule=name, Targets=[changed])
    try:
        yield
    finally:
        events.remove_targets(Rule=name, Ids=[before["Id"]])
        events.put_targets(Rule=name, Targets=[before])


@contextmanager
def no_concurrency(stack):
    client, name = stack.aws.client("lambda"), stack.outputs["FunctionName"]
    client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    try:
        yield
    finally:
        client.delete_function_concurrency(FunctionName=name)


@contextmanager
def timeout(stack):
    stack.configure(Timeout=3)
    try:
        yield
    finally:
        stack.configure(Timeout=30)


@contextmanager
def variable(stack, name, value):
    client = stack.aws.client("lambda")
    before = client.get_function_configuration(FunctionName=stack.outputs["FunctionName"])["Environment"]["Variables"]
    stack.configure(Environment={"Variables": before | {name: value}})
    try:
        yield
    finally:
        stack.configure(Environment={"Variables": before})


@contextmanager
def no_permission(stack):
    client, name = stack.aws.client("lambda"), stack.outputs["FunctionName"]
    policy = json.loads(client.get_policy(FunctionName=name)["Policy"])
    for statement in policy["Statement"]:
        client.remove_permission(FunctionName=name, StatementId=statement["Sid"])
    try:
        yield
    finally:
        client.add_permission(FunctionName=name, StatementId="again", Action="lambda:InvokeFunction", Principal="events.amazonaws.com")


@contextmanager
def no_failure_destination(stack):
    client, name = stack.aws.client("lambda"), {"FunctionName": stack.outputs["FunctionName"], "Qualifier": "$LATEST"}
    before = client.get_function_event_invoke_config(**name)
    client.delete_function_event_invoke_config(**name)
    try:
        yield
    finally:
        kept = {key: before[key] for key in ["MaximumRetryAttempts", "MaximumEventAgeInSeconds", "DestinationConfig"]}
        client.put_function_event_invoke_config(**name, **kept)


@contextmanager
def no_redelivery(stack):
    client, mapping = stack.aws.client("lambda"), stack.outputs["RedeliveryMapping"]
    client.update_event_source_mapping(UUID=mapping, Enabled=False)
    try:
        yield
    finally:
        client.update_event_source_mapping(UUID=mapping, Enabled=True)


@contextmanager
def key_disabled(stack):
    keys, key = stack.aws.client("kms"), stack.outputs["KeyArn"].rsplit("/", 1)[1]
    keys.disable_key(KeyId=key)
    try:
        yield
    finally:
        keys.enable_key(KeyId=key)


@contextmanager
def nobody(stack):
    topics, topic = stack.aws.client("sns"), stack.outputs["TopicArn"]
    for subscription in topics.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]:
        topics.unsubscribe(SubscriptionArn=subscription["SubscriptionArn"])
    try:
        yield
    finally:
        topics.subscribe(TopicArn=topic, Protocol="email", Endpoint="someone@example.com")


@contextmanager
def secret(stack, text):
    secrets, arn = stack.aws.client("secretsmanager"), stack.outputs["SecretArn"]
    secrets.put_secret_value(SecretId=arn, SecretString=text)
    try:
        yield
    finally:
        stack.credentials({"soc": {"webhook_url": SECRET}})


@contextmanager
def secret_deleted(stack):
    secrets, arn = stack.aws.client("secretsmanager"), stack.outputs["SecretArn"]
    secrets.delete_secret(SecretId=arn, RecoveryWindowInDays=7)
    try:
        yield
    finally:
        secrets.restore_secret(SecretId=arn)


@contextmanager
def message(stack, output):
    queues = stack.aws.client("sqs")
    queues.send_message(QueueUrl=stack.outputs[output], MessageBody="{}")
    try:
        yield
    finally:
        queues.purge_queue(QueueUrl=stack.outputs[output])


@contextmanager
def no_ttl(stack):
    tables = stack.aws.client("dynamodb")
    ttl = {"AttributeName": "expires"}
    tables.update_time_to_live(TableName=stack.outputs["TableName"], TimeToLiveSpecification=ttl | {"Enabled": False})
    try:
        yield
    finally:
        tables.update_time_to_live(TableName=stack.outputs["TableName"], TimeToLiveSpecification=ttl | {"Enabled": True})


@contextmanager
def alarm(stack, change):
    alarms = stack.aws.client("cloudwatch")
    [before] = alarms.describe_alarms(AlarmNames=["offlimits-errors"])["MetricAlarms"]
    change(alarms, before["AlarmName"])
    try:
        yield
    finally:
        again(alarms, before)


BUT_WRITES = {"ReadWriteType": "ReadOnly", "IncludeManagementEvents": True}
WRITES = {"ReadWriteType": "WriteOnly", "IncludeManagementEvents": True}
NO_KMS = {"ReadWriteType": "All", "IncludeManagementEvents": True, "ExcludeManagementEventSources": ["kms.amazonaws.com"]}
DATA = [{"Name": "d", "FieldSelectors": [{"Field": "eventCategory", "Equals": ["Data"]}, {"Field": "resources.type", "Equals": ["AWS::S3::Object"]}]}]
ONE_CALL = '{"source": ["aws.cloudtrail"], "detail": {"eventName": ["StopLogging"]}}'

# What is broken, the only code that is found, and the rules beside the stack's with which it is asked.
BROKEN = [
    (stopped, "trail-stopped", []),
    (no_trail, "trail-missing", []),
    (lambda stack: selectors(stack, BUT_WRITES), "trail-management-events", []),
    (lambda stack: selectors(stack, AdvancedEventSelectors=DATA), "trail-management-events", []),
    (lambda stack: selectors(stack, NO_KMS), "trail-excluded-source", [KEYS]),
    (lambda stack: rule(stack, State="DISABLED"), "rule-disabled", []),
    (lambda stack: rule(stack, EventPattern=ONE_CALL), "rule-pattern", []),
    (lambda stack: target(stack, lambda _: None), "rule-target", []),
    (lambda stack: target(stack, lambda one: one | {"Input": "{}"}), "rule-input", []),
    (lambda stack: target(stack, lambda one: {key: one[key] for key in ["Id", "Arn"]}), "rule-dead-letters", []),
    (no_concurrency, "function-stopped", []),
    (timeout, "function-configuration", []),
    (lambda stack: variable(stack, "OFFLIMITS_TOPIC_ARN", "arn:aws:sns:us-east-1:1:other"), "function-settings", []),
    (lambda stack: variable(stack, "AWS_ENDPOINT_URL_SNS", SECRET), "function-foreign-settings", []),
    (no_permission, "invoke-permission", []),
    (no_failure_destination, "failure-destination", []),
    (no_redelivery, "redelivery-stopped", []),
    (key_disabled, "topic-key", []),
    (nobody, "topic-unheard", []),
    (lambda stack: secret(stack, "{}"), "secret-incomplete", []),
    (lambda stack: secret(stack, json.dumps({"soc": {"webhok_url": SECRET}})), "secret-incomplete", []),
    (lambda stack: secret(stack, json.dumps({"soc": {"webhook_url": SECRET + "\n"}})), "secret-incomplete", []),
    (lambda stack: secret(stack, SECRET), "secret-unreadable", []),
    (secret_deleted, "secret-missing", []),
    (lambda stack: message(stack, "DeadLettersUrl"), "dead-letters", []),
    (lambda stack: message(stack, "FailedEventsUrl"), "failed-events", []),
    (lambda stack: message(stack, "UndeliveredEventsUrl"), "undelivered-events", []),
    (no_ttl, "table-ttl", []),
    (lambda stack: alarm(stack, lambda alarms, name: alarms.delete_alarms(AlarmNames=[name])), "alarm-missing", []),
    (lambda stack: alarm(stack, lambda alarms, name: alarms.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="r")), "alarm-ringing", []),
]


@pytest.mark.parametrize(("breaking", "code", "more"), BROKEN, ids=[f"{number}-{code}" for number, (_, code, _) in enumerate(BROKEN)])
def test_one_thing_is_broken(healthy, tmp_path, breaking, code, more):
    # Other rules than the function has are found as such, too.
    other = ["function-rules"] if more else []
    with breaking(healthy):
        assert found(healthy, rules=rules(tmp_path, *more)) == [code, *other]
    until(lambda: found(healthy, rules=rules(tmp_path, *more)) == other, 30, "mended stack")


@contextmanager
def readers_in_state(stack, state):
    """The EventBridge rules for read-only calls, in another state."""
    events, resources = stack.aws.client("events"), stack.aws.client("cloudformation").list_stack_resources(StackName=stack.name)
    names = [one["PhysicalResourceId"] for one in resources["StackResourceSummaries"] if one["LogicalResourceId"].startswith("Reads") and one["ResourceType"] == "AWS::Events::Rule"]
    before = [events.describe_rule(Name=name) for name in names]
    for one in before:
        events.put_rule(Name=one["Name"], EventPattern=one["EventPattern"], State=state)
    try:
        yield
    finally:
        for one in before:
            events.put_rule(Name=one["Name"], EventPattern=one["EventPattern"], State=one["State"])


def test_what_rules_wait_for(healthy, tmp_path):
    def of(wanted) -> list[str]:
        return [code for code in found(healthy, rules=wanted) if code != "function-rules"]

    # The EventBridge rules beside the wide one pass read-only calls, as their state says.
    wanted = rules(tmp_path, READS)
    assert of(wanted) == []
    with readers_in_state(healthy, "ENABLED"):
        assert of(wanted) == ["rule-state"]
    with rule(healthy, State="ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"):
        assert of(wanted) == []
        with selectors(healthy, WRITES):
            assert of(wanted) == ["trail-read-events"]
    wanted = rules(tmp_path, OBJECTS)
    assert of(wanted) == ["trail-data-events"]
    with selectors(healthy, {"ReadWriteType": "All", "IncludeManagementEvents": True, "DataResources": [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3"]}]}):
        assert of(wanted) == []


@contextmanager
def code(stack, change):
    """The function's package, otherwise."""
    client, name = stack.aws.client("lambda"), stack.outputs["FunctionName"]
    before = urllib.request.urlopen(client.get_function(FunctionName=name)["Code"]["Location"], timeout=20).read()
    files = {entry: zipfile.ZipFile(io.BytesIO(before)).read(entry) for entry in zipfile.ZipFile(io.BytesIO(before)).namelist()}
    change(files)
    changed = io.BytesIO()
    with zipfile.ZipFile(changed, "w", zipfile.ZIP_DEFLATED) as archive:
        for entry, content in files.items():
            archive.writestr(entry, content)
    client.update_function_code(FunctionName=name, ZipFile=changed.getvalue())
    try:
        yield
    finally:
        client.update_function_code(FunctionName=name, ZipFile=before)


def test_the_function_s_package(healthy, tmp_path):
    assert found(healthy, rules=rules(tmp_path, KEYS)) == ["function-rules"]
    with code(healthy, lambda files: files.pop("rules.json")):
        assert found(healthy) == ["function-code"]
    with code(healthy, lambda files: files.update({"bootstrap": re.sub(rb"offlimits/\d+\.\d+\.\d+", b"offlimits/0.0.1", files["bootstrap"])})):
        assert found(healthy) == ["function-version"]
    assert found(healthy) == []


def test_a_remedy_mends(healthy):
    """The commands are real ones: what `aws` makes of them is done in ministack."""
    with rule(healthy, State="DISABLED"), no_ttl(healthy), no_redelivery(healthy), target(healthy, lambda _: None):
        _, report = doctor(healthy)
        assert {finding["code"] for finding in report["findings"]} == {"rule-disabled", "rule-target", "redelivery-stopped", "table-ttl"}
        for finding in report["findings"]:
            for remedy in finding["remedy"]:
                done = subprocess.run(["bash", "-c", remedy], env=healthy.aws.environment, capture_output=True, text=True, timeout=60)
                assert done.returncode == 0, (remedy, done.stderr)
        assert found(healthy) == []


def heard(stack, account, region, hours_ago):
    """Writes down that the hub has heard a spoke, as the function does."""
    now = int(time.time() * 1000)
    item = {"partition": {"S": "spokes"}, "sort": {"S": f"{account}#{region}"}, "version": {"N": "1"}, "queues": {"L": [{"S": "https://q"}]}}
    item |= {"heard": {"N": str(now - hours_ago * 3600_000)}, "expires": {"N": str(now // 1000 + 90 * 86400)}}
    stack.aws.client("dynamodb").put_item(TableName=stack.outputs["TableName"], Item=item)


def test_an_organization(hub, organization):
    address, (shop, data) = organization
    assert found(hub) == []
    for account in [shop, data]:
        heard(hub, account, REGION, 1)

    def of_organization(regions=REGION) -> list[tuple]:
        code, report = doctor(hub, "--organization", regions=regions, AWS_ENDPOINT_URL_ORGANIZATIONS=address)
        assert code == (1 if report["findings"] else 0) and not report["unanswered"], report
        return [(finding["code"], finding["account"], finding["region"]) for finding in report["findings"]]

    # moto's management account is the hub's, which is asked itself.
    assert of_organization() == []
    heard(hub, data, REGION, 48)
    assert of_organization() == [("spoke-silent", data, REGION)]
    assert [finding["code"] for finding in doctor(hub)[1]["findings"]] == ["spoke-silent"]
    heard(hub, data, REGION, 1)
    heard(hub, shop, "eu-west-1", 1)
    missing = [("spoke-missing", data, "eu-west-1"), ("region-unwatched", None, "eu-west-1")]
    assert sorted(of_organization(f"{REGION},eu-west-1")) == sorted(missing, key=str)
    # A rule of the hub's own account sends its events to the hub's bus.
    events = boto3.client("events", endpoint_url=hub.aws.variables["AWS_ENDPOINT_URL"], region_name="eu-west-1", aws_access_key_id=ACCOUNT, aws_secret_access_key="test")
    pattern = {"source": [{"prefix": "aws."}], "account": [ACCOUNT], "detail-type": [{"suffix": " via CloudTrail"}]}
    events.put_rule(Name="spoke", EventPattern=json.dumps(pattern), State="ENABLED")
    events.put_targets(Rule="spoke", Targets=[{"Id": "1", "Arn": hub.outputs["HubBusArn"], "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/spoke"}])
    assert of_organization(f"{REGION},eu-west-1") == [("spoke-missing", data, "eu-west-1")]
    events.disable_rule(Name="spoke")
    assert ("rule-disabled", None, "eu-west-1") in of_organization(f"{REGION},eu-west-1")
    # No organization, and no rights.
    code, report = doctor(hub, "--organization", AWS_ENDPOINT_URL_ORGANIZATIONS="http://127.0.0.1:9")
    assert code == 2 and "the organization: no answer" in report["unanswered"][0]


def test_a_hub_s_own_rules(hub):
    resources = hub.aws.client("cloudformation").list_stack_resources(StackName=hub.name)["StackResourceSummaries"]
    [trail] = [one["PhysicalResourceId"].rsplit("|", 1)[-1] for one in resources if one["LogicalResourceId"] == "HubTrail"]
    events = hub.aws.client("events")
    events.disable_rule(Name=trail, EventBusName=hub.name)
    _, report = doctor(hub)
    assert [(finding["code"], finding["resource"]) for finding in report["findings"]] == [("rule-disabled", trail)]
    events.enable_rule(Name=trail, EventBusName=hub.name)
    assert found(hub) == []


def test_a_stack_that_is_no_hub(healthy, organization):
    code, report = doctor(healthy, "--organization", AWS_ENDPOINT_URL_ORGANIZATIONS=organization[0])
    assert code == 1 and [finding["code"] for finding in report["findings"]] == ["not-a-hub"]


def test_regions_that_nobody_watches(healthy):
    code, report = doctor(healthy, regions="eu-west-1")
    assert code == 1 and [(f["code"], f["region"]) for f in report["findings"]] == [("region-unwatched", "eu-west-1")]
    # Without a name all regions of the account are asked.
    command = [TOOL, "doctor", "--rules", HERE / "rules.json", "--format", "json"]
    answer = subprocess.run(command, env=healthy.aws.environment, capture_output=True, text=True, timeout=120)
    regions = json.loads(answer.stdout)["regions"]
    assert answer.returncode == 1 and len(regions) > 10 and sum(one["watched_by"] == "stack" for one in regions) == 1


def test_whoever_does_not_answer_is_named(healthy):
    command = [TOOL, "doctor", "--rules", HERE / "rules.json", "--regions", REGION, "--format", "json"]
    environment = healthy.aws.environment | {"AWS_ENDPOINT_URL_CLOUDTRAIL": "http://127.0.0.1:9"}
    answer = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    report = json.loads(answer.stdout)
    assert answer.returncode == 2 and len(report["unanswered"]) == 1 and "no answer" in answer.stderr, answer.stderr
    assert report["findings"] == []


def test_what_is_gone(healthy):
    """Last, for nothing of it comes back: one after the other, and each is found beside those before it."""
    aws, outputs = healthy.aws, healthy.outputs
    gone = []
    for code, remove in [
        ("rule-missing", lambda: (aws.client("events").remove_targets(Rule=outputs["RuleName"], Ids=[t["Id"] for t in aws.client("events").list_targets_by_rule(Rule=outputs["RuleName"])["Targets"]]), aws.client("events").delete_rule(Name=outputs["RuleName"]))),
        ("queue-missing", lambda: aws.client("sqs").delete_queue(QueueUrl=outputs["DeadLettersUrl"])),
        ("table-missing", lambda: aws.client("dynamodb").delete_table(TableName=outputs["TableName"])),
        ("topic-missing", lambda: aws.client("sns").delete_topic(TopicArn=outputs["TopicArn"])),
        ("function-missing", lambda: aws.client("lambda").delete_function(FunctionName=outputs["FunctionName"])),
    ]:
        remove()
        gone.append(code)
        assert sorted(found(healthy)) == sorted(gone)
