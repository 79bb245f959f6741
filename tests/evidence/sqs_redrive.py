"""SQS's own redrive of the dead letters, from a delivery that is rejected to its arrival. Run by hand, on the function of `make build` and a local
SQS that has StartMessageMoveTask, which neither ministack nor moto have. LocalStack has, too large for CI:

  python3 -m venv /tmp/localstack
  /tmp/localstack/bin/pip install "localstack-core[base-runtime]==4.9.2" cbor2==5.7.0 cryptography==45.0.7 pyopenssl==25.1.0 service_identity==24.2.0
  SERVICES=sqs DISABLE_EVENTS=1 SKIP_SSL_CERT_DOWNLOAD=1 GATEWAY_LISTEN=127.0.0.1:PORT LOCALSTACK_VOLUME_DIR=/tmp/localstack/volume \\
    /tmp/localstack/bin/python -m localstack.runtime.main
  .venv/test/bin/python -B tests/evidence/sqs_redrive.py http://127.0.0.1:PORT

The queues are made with the attributes that template.yaml gives them. The function's other services are ministack.
"""

import json
import sys
import tempfile
from pathlib import Path

import boto3

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests/stack"))
from conftest import fresh, sample  # noqa: E402
from local import ACCOUNT, REGION, Aws, Function, Slack, package, serve, until  # noqa: E402

# DeadLetters first: Redelivery names it.
QUEUES = ["DeadLetters", "Redelivery", "UndeliveredEvents", "FailedEvents"]
RULES = {
    "channels": {"soc": {"type": "slack"}},
    "rules": [{"id": "STOP", "title": "t", "severity": "high", "throttle": "off", "when": {"event": {"is": "StartInstances"}}}],
}


def template() -> dict:
    from samcli.yamlhelper import yaml_parse

    return yaml_parse((ROOT / "template.yaml").read_text())["Resources"]


def attributes(properties: dict, arns: dict) -> dict:
    """Of a queue, as CloudFormation gives them to SQS."""
    given = {}
    for name, value in properties.items():
        if name == "RedrivePolicy":
            target = value["deadLetterTargetArn"]["Fn::GetAtt"]
            value = value | {"deadLetterTargetArn": arns[target[0] if isinstance(target, list) else target.split(".")[0]]}
        given[name] = json.dumps(value) if isinstance(value, dict) else str(value).lower()
    return given


def main(endpoint: str):
    sqs = boto3.client("sqs", endpoint_url=endpoint, region_name=REGION, aws_access_key_id=ACCOUNT, aws_secret_access_key="test")
    urls, arns = {}, {}
    for name in QUEUES:
        urls[name] = sqs.create_queue(QueueName=name, Attributes=attributes(template()[name]["Properties"], arns))["QueueUrl"]
        arns[name] = sqs.get_queue_attributes(QueueUrl=urls[name], AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]

    def take(name: str) -> list[dict]:
        return sqs.receive_message(QueueUrl=urls[name], MaxNumberOfMessages=10, VisibilityTimeout=1).get("Messages", [])

    with tempfile.TemporaryDirectory() as name, Slack() as slack:
        folder = Path(name)
        (folder / "given.json").write_text(json.dumps(RULES))
        code = package(folder / "code", folder / "given.json")
        with Aws(folder) as aws:
            variables, _ = serve(aws, slack, RULES)
            variables |= {
                "AWS_ENDPOINT_URL_SQS": endpoint,
                "OFFLIMITS_REDELIVERY_URL": urls["Redelivery"],
                "OFFLIMITS_DEAD_LETTERS_URL": urls["DeadLetters"],
            }
            with Function(code, variables, folder / "function.log") as function:
                slack.status, slack.body = 400, "invalid_payload"
                events = [fresh(sample("start-instances")) for _ in range(3)]
                dead = sum(function.invoke(event)["deliveries"]["dead"] for event in events)
                print(f"rejected, and now in DeadLetters: {dead}")

                for refused in ["UndeliveredEvents", "FailedEvents"]:
                    try:
                        sqs.start_message_move_task(SourceArn=arns[refused], DestinationArn=arns["Redelivery"])
                        raise AssertionError(f"SQS moved {refused}")
                    except sqs.exceptions.ClientError as error:
                        print(f"{refused}: refused: {error.response['Error']['Message']}")

                sqs.start_message_move_task(SourceArn=arns["DeadLetters"], DestinationArn=arns["Redelivery"])

                def task():
                    [task] = sqs.list_message_move_tasks(SourceArn=arns["DeadLetters"])["Results"]
                    assert task["Status"] in ["RUNNING", "COMPLETED"], task
                    return task if task["Status"] == "COMPLETED" else None

                moved = until(task, 30, "end of the move")
                print(f"moved by StartMessageMoveTask: {moved['ApproximateNumberOfMessagesMoved']}")
                slack.status, slack.body = 200, "ok"
                messages = until(lambda: take("Redelivery"), 20, "messages")
                records = [
                    {"messageId": m["MessageId"], "receiptHandle": m["ReceiptHandle"], "eventSource": "aws:sqs", "body": m["Body"]} for m in messages
                ]
                answer = function.invoke({"Records": records})
                assert answer == {"batchItemFailures": []}, answer
                received = json.dumps(slack.received)
                arrived = [event["detail"]["eventID"] in received for event in events]
                print(f"arrived at the channel: {sum(arrived)}")
                assert dead == len(arrived) == sum(arrived) == len(messages) and not take("DeadLetters")


if __name__ == "__main__":
    main(sys.argv[1])
