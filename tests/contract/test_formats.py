"""What `check` and `test` write for other programs, read by parsers that are not ours: Python's of XML, and a validator of SARIF's schema
where one is at hand. `cargo test --test integration formats::` writes the documents."""

import json
import xml.etree.ElementTree as ElementTree

import jsonschema
import pytest
from conftest import SCHEMAS, TARGET


def document(name):
    file = TARGET / "contract" / name
    assert file.exists(), "run `cargo test --test integration formats::` first"
    return file.read_bytes()


def test_junit_is_well_formed_and_keeps_every_name():
    root = ElementTree.fromstring(document("junit.xml"))
    assert root.tag == "testsuites"
    cases = root.findall("testsuite/testcase")
    assert (root.get("tests"), root.get("failures"), root.get("errors")) == ("4", "1", "1")
    for suite in root.findall("testsuite"):
        assert int(suite.get("tests")) == len(suite.findall("testcase"))
        assert int(suite.get("failures")) == len(suite.findall("testcase/failure"))
        assert int(suite.get("errors")) == len(suite.findall("testcase/error"))
    # What XML has no way to write is replaced, one character by one.
    wanted = json.loads(document("junit.names.json"))
    kept = [[a for a, b in zip(name, case.get("name"), strict=True) if b != "\ufffd"] for name, case in zip(wanted, cases, strict=True)]
    for case, letters in zip(cases, kept, strict=True):
        assert case.get("name").replace("\ufffd", "") == "".join(letters)
    assert all(trouble.get("message") and trouble.text for trouble in root.findall(".//failure") + root.findall(".//error"))


@pytest.mark.parametrize("name", ["warned.sarif", "wrong.sarif"])
def test_sarif_is_what_its_schema_says(name):
    log = json.loads(document(name))
    assert log["version"] == "2.1.0"
    file = SCHEMAS / "sarif/sarif-schema-2.1.0.json"
    if not file.exists():
        pytest.skip("SARIF's schema is not at hand: ../shared/schemas/sarif/sarif-schema-2.1.0.json")
    jsonschema.validate(log, json.loads(file.read_bytes()))
