"""Whether an SMS arrives in one part, and says how the call ended and in which account.

    python3 tests/evidence/sms.py [--data ../shared/data] [--rules rules.json] [--tool target/debug/offlimits]

It asks the built `offlimits explain --channel` for every message that the rules send over the real records of invictus-ir,
traildiscover and panther-share, puts the topic's display name before it as SNS does (in capitals, with `> `), and counts: the parts,
by the rules of GSM 03.38 and UCS-2; the outcomes and the accounts. The exit code is 1 where any of the three is not 100 %.

The sizes: https://docs.aws.amazon.com/sms-voice/latest/userguide/sms-limitations-character.html. The display name:
https://docs.aws.amazon.com/sns/latest/dg/sms_publish-to-topic.html.
"""

import argparse
import json
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from places import CORPORA, ROOT, TOOL  # noqa: E402
from tool import explained  # noqa: E402

RECORDS = ["invictus-ir/records.json", "traildiscover/records.json", "panther-share/records.json"]
# GSM 03.38: the basic set, and what is sent as an escape and a second character.
BASIC = set(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
ESCAPED = set("^{}\\[~]|€")


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--data", type=pathlib.Path, default=CORPORA)
    arguments.add_argument("--rules", type=pathlib.Path, default=ROOT / "rules.json")
    arguments.add_argument("--tool", type=pathlib.Path, default=TOOL)
    arguments.add_argument("--channel", default="topic", help="a channel of the type sns")
    arguments.add_argument("--show", action="store_true", help="also print every message")
    options = arguments.parse_args()
    name = re.search(r"DisplayName: (\S+)", (ROOT / "template.yaml").read_text()).group(1)
    before = f"{name.upper()}> "
    print(f"display name: {before!r}, {len(before)} characters")
    faults = 0
    for file in RECORDS:
        messages = explained(options.tool, options.rules, options.data / file, options.channel)
        texts = [(before + message["sms"], json.loads(message["machine"])) for message in messages]
        counts = {
            "in one part": sum(parts(text) == 1 for text, _ in texts),
            "outcome": sum(outcome(alert).search(text) is not None for text, alert in texts),
            "account": sum(account(alert) in text for text, alert in texts),
        }
        faults += sum(len(texts) - count for count in counts.values()) + (not texts)
        told = ", ".join(f"{what} {count} ({100 * count / max(len(texts), 1):.0f} %)" for what, count in counts.items())
        unnamed = sum(not alert["account"] for _, alert in texts)
        longest = max((len(text) for text, _ in texts), default=0)
        cut = sum(text.endswith("..") for text, _ in texts)
        print(f"{file}: {len(texts)} messages: {told}; records that name no account {unnamed}, cut at the end {cut}, longest {longest}")
        if options.show:
            print("\n".join(f"  {text}" for text, _ in texts))
    sys.exit(faults > 0)


def parts(text):
    if set(text) <= BASIC | ESCAPED:
        size, one, several = sum(2 if c in ESCAPED else 1 for c in text), 160, 153
    else:
        size, one, several = len(text.encode("utf-16-be")) // 2, 70, 67
    return 1 if size <= one else -(-size // several)


def outcome(alert):
    """As the message has it: with the word for how the sentence ends."""
    if not alert["failed"]:
        return re.compile(r"\ballowed\b")
    denied = alert["sentence"].rfind(": denied") > alert["sentence"].rfind(": failed")
    return re.compile(r"\bDENIED\b" if denied else r"\bFAILED\b")


def account(alert):
    return alert.get("account_name") or alert["account"] or "an unknown account"


if __name__ == "__main__":
    main()
