"""What the function is made of: its licences, and one of each stack. For machines without cargo-deny, which asks for more."""

import json
import re
import subprocess
import tomllib

import pytest
from local import ROOT

FUNCTION = ["--no-default-features", "--features", "lambda", "--locked"]


def cargo(*arguments) -> str:
    return subprocess.run(["cargo", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=300, check=True).stdout


def crates(*features) -> dict[str, set[str]]:
    """The crates that are built into a program, each with its versions."""
    found: dict[str, set[str]] = {}
    for line in cargo("tree", "--edges", "normal", "--prefix", "none", "--format", "{p}", *features).splitlines():
        name, version = line.split()[:2]
        found.setdefault(name, set()).add(version)
    return found


@pytest.fixture(scope="module")
def function() -> dict[str, set[str]]:
    return crates(*FUNCTION)


def test_the_function_has_one_tls_and_one_http_stack(function):
    for crate in ["hyper", "rustls", "http", "hyper-util", "tokio-rustls", "ring"]:
        assert len(function.get(crate, ())) == 1, f"{crate}: {function.get(crate)}"
    for crate in ["aws-lc-rs", "aws-lc-sys", "openssl", "native-tls", "openssl-sys"]:
        assert crate not in function


def test_the_function_carries_no_command_line(function):
    assert not {"clap", "ariadne", "anstream", "libdeflater", "aws-sdk-cloudwatchlogs", "aws-sdk-cloudformation"} & function.keys()


def test_the_command_line_carries_no_aws():
    assert not [name for name in crates("--locked") if name.startswith(("aws-", "aws_", "lambda_", "reqwest", "rustls"))]


def test_what_the_command_line_asks_of_aws_needs_no_sdk():
    assert not [name for name in crates("--locked", "--features", "aws") if name.startswith(("aws-", "aws_"))]


def test_the_function_has_the_sdks_of_two_services(function):
    assert sorted(name for name in function if name.startswith("aws-sdk-")) == ["aws-sdk-secretsmanager", "aws-sdk-sns"]


def test_every_licence_is_one_that_we_allow():
    """`.deny.toml`'s list: of an expression's alternatives one must stand there, of its conjunctions all."""
    allowed = set(tomllib.loads((ROOT / ".deny.toml").read_text())["licenses"]["allow"])

    def accepts(expression: str) -> bool:
        # No name holds " OR " or " AND ", and no expression of Cargo's nests deeper than (a OR b) AND c.
        parts = [part.strip(" ()") for part in expression.replace("/", " OR ").split(" AND ")]
        return all(any(name.strip(" ()") in allowed for name in part.split(" OR ")) for part in parts)

    metadata = json.loads(cargo("metadata", "--format-version", "1", "--all-features", "--locked"))
    refused = {p["name"]: p["license"] for p in metadata["packages"] if not accepts(p["license"] or "none")}
    assert not refused
    assert all(re.match(r"registry\+", p["source"]) for p in metadata["packages"] if p["source"])
