"""What the channels send, judged by parts that are not ours. `make test` runs this after the Rust tests, which write the requests."""

import json
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent / "stack"), str(HERE.parent / "support")]
from places import ROOT, SCHEMAS, TARGET, absent  # noqa: E402


def schema(path: str | dict) -> dict:
    """A schema of ours (`overlays/`, or written out where it is named), or of a vendor's."""
    if isinstance(path, dict):
        return path
    own = HERE / path
    file = own if own.exists() else SCHEMAS / path
    if not file.exists():
        pytest.skip(absent(file))
    return json.loads(file.read_bytes())


@pytest.fixture(scope="session")
def requests() -> list[dict]:
    """Every channel × every finding × every kind of alert."""
    file = TARGET / "contract/requests.jsonl"
    assert file.exists(), "run `cargo test --test integration channels::` first"
    return [json.loads(line) for line in file.read_text().splitlines()]
