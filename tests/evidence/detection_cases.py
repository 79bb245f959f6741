"""Small records that the shipped rules once got wrong: what is right of each, and what the built tool says of it.

    python3 tests/evidence/detection_cases.py [--cases ../shared/cases/detection] [--rules rules.json]

Each case is one file: the rules that must find it and with which severity, those that must not, words that the title or the sentence must have,
and how the call ended. It prints a table, and exits with 1 if anything in it is wrong. The rows 13 and 42 are about
calls that were refused, and about links; they are not asked here.
"""

import argparse
import json
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from places import CORPORA, ROOT, TOOL  # noqa: E402
from tool import replay  # noqa: E402

# The number of the file: what must be found, what must not, words of title or sentence, the outcome.
CASES = {
    "01": ({"CRE-9": "high", "PER-13": None}, [], ["stratus-red-team_"], "success"),
    "02": ({"CRE-6": "medium"}, [], ["PasswordUpdated", "fail"], "failure"),
    "03": ({}, ["IMP-1"], [], "success"),
    "04": ({"CIS-10": "high"}, [], ["tcp 22 from 0.0.0.0/0", "sg-1"], "success"),
    "05": ({"CIS-10": "high"}, [], ["tcp 22 from 0.0.0.0/0", "sg-1"], "success"),
    "06": ({"CIS-8": "high"}, [], [], "success"),
    "07": ({"IMP-8": "very-high"}, [], [], "success"),
    "08": ({"IMP-24": "high"}, [], ["db"], "success"),
    "09": ({"IMP-10": "high"}, [], ["backup-2024-01-15"], "success"),
    "10": ({"IMP-10": "high"}, [], ["cluster-ABC"], "success"),
    "11": ({"CRE-1": "low"}, [], ["denied", "i-0123456789abcdef0"], "failure"),
    "12": ({}, ["CIS-3"], [], "success"),
    "14": ({"PER-16": "medium"}, [], ["pay"], "success"),
    "15": ({"PER-32": "very-high"}, [], ["d-1"], "success"),
    "16": ({"PER-21": None}, [], ["i-0123456789abcdef0"], "success"),
    "17": ({}, ["RTM-008"], [], "success"),
    "30": ({}, [], ["failed", "mara"], "failure"),
    "31": ({}, [], ["failed", "EMAIL_ALREADY_EXISTS"], "failure"),
    "32": ({"PER-1": "high", "RTM-011": None}, [], ["backup"], "success"),
    "33": ({"CIS-8": "high"}, [], ["example-bucket"], "success"),
    "34": ({"CIS-10": "high"}, [], ["tcp 22 from 0.0.0.0/0", "sg-0a1b2c3d4e5f67890"], "success"),
    "35": ({"CIS-8": "high"}, [], ["example-bucket"], "success"),
    "36": ({"CIS-4": "very-high"}, [], [], "success"),
    "37": ({"IMP-14": "high"}, [], ["p5.48xlarge"], "success"),
    "38": ({}, [], ["denied (401)"], "failure"),
    "39": ({"PER-1": "high"}, [], ["delegated to account 999999999999"], "success"),
    # An aggregated record is counted, and is never a finding.
    "40": ({}, [], [], None),
}

# Asks every record how it ended, and for its sentence.
OUTCOME = {
    "rules": [
        {"id": outcome, "title": "{event}", "severity": "low", "when": {"outcome": outcome}} for outcome in ("success", "failure")
    ]
}


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--cases", type=pathlib.Path, default=CORPORA.parent / "cases" / "detection")
    arguments.add_argument("--rules", type=pathlib.Path, default=ROOT / "rules.json")
    options = arguments.parse_args()
    wrong = 0
    print("| case | right | seen | |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        outcome_rules = pathlib.Path(folder) / "rules.json"
        outcome_rules.write_text(json.dumps(OUTCOME))
        for number, (found, absent, words, outcome) in CASES.items():
            [file] = options.cases.glob(f"{number}-*.json")
            findings, ended = replay(TOOL, options.rules, file), replay(TOOL, outcome_rules, file)
            severities = {finding["rule"]: finding["severity"] for finding in findings}
            said = " ".join(f"{finding['title']} {finding['sentence']}" for finding in findings + ended)
            faults = [
                f"{rule} {severity or ''}"
                for rule, severity in found.items()
                if rule not in severities or severity not in (None, severities[rule])
            ]
            faults += [f"not {rule}" for rule in absent if rule in severities]
            faults += [repr(word) for word in words if word not in said]
            faults += [f"{outcome} of it"] if [finding["rule"] for finding in ended] != ([outcome] if outcome else []) else []
            faults += ["unknown"] if "unknown" in said else []
            right = [f"{rule} {severity or ''}".strip() for rule, severity in found.items()]
            right += [f"not {rule}" for rule in absent] + words + [outcome or "no record of a call"]
            seen = [f"{rule} {severity}" for rule, severity in severities.items()] + [finding["sentence"] for finding in ended]
            print(f"| {file.stem} | {', '.join(right)} | {'; '.join(seen)} | {'wrong: ' + ', '.join(faults) if faults else 'right'} |")
            wrong += bool(faults)
    print(f"\n{len(CASES) - wrong} of {len(CASES)} cases are right")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
