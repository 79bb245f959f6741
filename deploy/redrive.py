"""`make redrive`: sends what lies in a stack's dead-letter queues through its function again.

SQS's own redrive takes only queues that are another SQS queue's dead letters: not the rule's (UndeliveredEvents) and not Lambda's
(FailedEvents). This moves the messages of all three to the redelivery queue as they are: the function knows each kind. A message is deleted
where it was only when it is in the other queue; one that fails once more comes back to a dead-letter queue, and is not moved twice in one run.
`--into` sends it through another stack's function: what a stack leaves behind that is broken, or gone.
"""

import argparse
import sys

import boto3

QUEUES = ["UndeliveredEvents", "FailedEvents", "DeadLetters"]


def redrive(sqs, source: str, target: str) -> int:
    """Moves as many messages as there are now. Returns how many."""
    attributes = sqs.get_queue_attributes(QueueUrl=source, AttributeNames=["ApproximateNumberOfMessages"])["Attributes"]
    there, moved = int(attributes["ApproximateNumberOfMessages"]), 0
    while moved < there:
        # Hidden from others for a minute: who is interrupted loses nothing.
        batch = sqs.receive_message(
            QueueUrl=source, MaxNumberOfMessages=min(10, there - moved), WaitTimeSeconds=2, VisibilityTimeout=60
        ).get("Messages", [])
        if not batch:
            break
        for message in batch:
            sqs.send_message(QueueUrl=target, MessageBody=message["Body"])
            sqs.delete_message(QueueUrl=source, ReceiptHandle=message["ReceiptHandle"])
            moved += 1
    return moved


def outputs_of(session, stack: str) -> dict[str, str]:
    """The outputs of a stack."""
    described = session.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
    return {o["OutputKey"]: o["OutputValue"] for o in described["Outputs"]}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stack", default="offlimits")
    parser.add_argument("--region", required=True)
    parser.add_argument("--into", metavar="STACK", help="the stack whose function they go through; default: their own")
    parser.add_argument("queues", nargs="*", metavar="QUEUE", help=f"of {', '.join(QUEUES)}; with --into also Redelivery; default: all")
    arguments = parser.parse_args()
    queues = QUEUES + (["Redelivery"] if arguments.into else [])
    if unknown := set(arguments.queues) - set(queues):
        parser.error(f"no such queue: {', '.join(sorted(unknown))}")
    if arguments.into == arguments.stack:
        parser.error("--into names the stack itself: leave it out")
    session = boto3.Session(region_name=arguments.region)
    outputs = outputs_of(session, arguments.stack)
    target = (outputs_of(session, arguments.into) if arguments.into else outputs)["RedeliveryUrl"]
    for queue in arguments.queues or queues:
        moved = redrive(session.client("sqs"), outputs[f"{queue}Url"], target)
        print(f"{queue}: {moved} sent through again")
    return 0


if __name__ == "__main__":
    sys.exit(main())
