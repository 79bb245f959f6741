"""Of the alerting records at hand: how many sentences name what the call acts on, and which titles have a hole in them.

    .venv/test/bin/python tests/evidence/targets.py [--data ../shared/data] [--rules rules.json] [--tool target/release/offlimits]

It runs the built `offlimits replay` over every corpus, and asks botocore's models, not the product's catalogue made of them, what
the call requires: the members of the request that hold texts and are called as identifiers are (…Id, …Arn, …Name, …Identifier, a
bucket), wherever they stand in the record's request; where it names none of them, those of the answer after which the call is
named. A sentence names one if it has its value, or the end of it, that is what people call it. Every miss is listed. It fails if
less than 98 of 100 are named, or if a title says "unknown", "?" or "-", or has an empty place.
"""

import argparse
import collections
import gzip
import json
import pathlib
import re
import sys

import botocore.session

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from places import CORPORA, ROOT  # noqa: E402
from tool import built, replay  # noqa: E402

SOURCES = ("records.json", "records.jsonl.gz", "eventbridge_events.jsonl")
IDENTIFIER = re.compile(r"(Ids?|Arns?|ARNs?|Names?|Identifiers?)$|^(id|arn|name|identifier|Bucket|Target|Rule|QueueUrl)$")
# They identify the request, its caller, or nothing.
NONE = re.compile(r"(?i)^(client|request|idempot|awsaccount|tag|attribute|filter|engine|metric|template|language)")
AIM = 0.98
HOLE = re.compile(r"unknown|\?|(^|\s)-(\s|$)|\(\s*\)|\s{2}|:\s+by\s|\b(on|for|from|of) by\b|\b(on|by|from|for|of|to)$|[:,]$")


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--data", type=pathlib.Path, default=CORPORA)
    arguments.add_argument("--rules", type=pathlib.Path, default=ROOT / "rules.json")
    arguments.add_argument("--tool", type=pathlib.Path, help="the built offlimits")
    options = arguments.parse_args()
    tool = built(options.tool)
    models = Models()
    named, asked, titles, holes, misses = 0, 0, 0, [], collections.Counter()
    for path in sorted(options.data.glob("*/*")):
        if path.name not in SOURCES:
            continue
        records, corpus = None, path.parent.name
        sentences = {}
        for finding in replay(tool, options.rules, path):
            titles += 1
            if HOLE.search(finding["title"]):
                holes.append(f"{corpus}: {finding['rule']}: {finding['title']}")
            if finding["mode"] == "alert":
                sentences[finding["index"]] = finding["sentence"]
        for index, sentence in sentences.items():
            records = records or read(path)
            values = models.identifiers(records[index])
            if not values:
                continue
            asked += 1
            if any(says(sentence, value) for value in values):
                named += 1
            else:
                misses[f"{corpus}: {sentence} (not {', '.join(values)})"] += 1
    print(f"{named} of {asked} alerting records that hold an identifier name it in their sentence ({100 * named / asked:.1f} %)")
    for miss, count in sorted(misses.items()):
        print(f"  missed {count} ×: {miss}")
    print(f"{len(holes)} of {titles} titles have a hole in them")
    print(*(f"  {hole}" for hole in holes), sep="\n")
    if named < AIM * asked or holes:
        sys.exit(1)


def says(sentence, value):
    """Whether the sentence has the value, or what people call it: the end of it."""
    return any(part and part in sentence for part in (value, re.split(r"[:/]", value)[-1].rsplit("-", 1)[0]))


class Models:
    """What botocore's models say that a call requires."""

    def __init__(self):
        self.loader = botocore.session.get_session().get_component("data_loader")
        self.by_source = collections.defaultdict(list)
        for service in self.loader.list_available_services("service-2"):
            model = self.loader.load_service_model(service, "service-2")
            data = model["metadata"]
            for prefix in {data["endpointPrefix"], data.get("signingName", data["endpointPrefix"]), service}:
                self.by_source[f"{prefix}.amazonaws.com"].append(model)

    def identifiers(self, record):
        """The values of the identifiers that the record's call requires, where the record has them."""
        event = re.sub(r"(\d{8}|\d{4}_\d\d_\d\d)(v\d+)?$", "", record.get("eventName") or "")
        for model in self.by_source[record.get("eventSource")]:
            operation = model["operations"].get(event)
            if operation is None:
                continue
            request = list(found(record.get("requestParameters"), self.required(model, operation)))
            # What a read answers with is no target.
            made = self.made(model, operation, event) if not request and record.get("readOnly") is not True else set()
            values = request or list(found(record.get("responseElements"), made))
            if values:
                return values
        return []

    @staticmethod
    def required(model, operation):
        shape = model["shapes"].get(operation.get("input", {}).get("shape"), {})
        names = set()
        for name in shape.get("required", []):
            member = shape["members"][name]
            target = model["shapes"][member["shape"]]
            if target["type"] == "list":
                target = model["shapes"][target["member"]["shape"]]
            if target["type"] == "string" and "enum" not in target and IDENTIFIER.search(name) and not NONE.match(name):
                names |= {name.lower(), member.get("locationName", name).lower()}
                names |= {"bucketname"} if name == "Bucket" else set()
        return names

    @staticmethod
    def made(model, operation, event):
        """The identifiers in the answer that are called after the call: VpcId of CreateVpc."""
        names, level = set(), [operation.get("output", {}).get("shape")]
        for _ in range(3):
            below = []
            for shape in filter(None, map(model["shapes"].get, level)):
                shape = model["shapes"][shape["member"]["shape"]] if shape["type"] == "list" else shape
                for name, member in shape.get("members", {}).items():
                    thing = re.sub(r"(Id|Arn|Name|Identifier)$", "", name)
                    if thing != name and thing and event.lower().endswith(thing.lower()):
                        names.add(name.lower())
                    below.append(member["shape"])
            level = below
        return names


def found(node, names):
    """The texts at the members of these names, in small letters, wherever they stand."""
    if isinstance(node, list):
        for element in node:
            yield from found(element, names)
    elif isinstance(node, dict):
        for key, value in node.items():
            if key.lower() in names:
                yield from texts(value)
            elif isinstance(value, (dict, list)):
                yield from found(value, names)


def texts(value):
    if isinstance(value, str) and value and value != "HIDDEN_DUE_TO_SECURITY_REASONS":
        yield value
    elif isinstance(value, list):
        for element in value:
            yield from texts(element)
    elif isinstance(value, dict) and "content" in value:
        yield from texts(value["content"])


def read(path):
    if path.name == "records.json":
        return json.loads(path.read_bytes())["Records"]
    text = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    lines = [json.loads(line) for line in text.splitlines()]
    return [line.get("event", line).get("detail", line) for line in lines]


if __name__ == "__main__":
    main()
