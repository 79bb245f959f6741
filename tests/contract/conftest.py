"""What the channels send, judged by parts that are not ours. `make test` runs this after the Rust tests, which write the requests."""

import json
import os
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT / "tests/stack"))
# Other people's files are read where they are, and tests of them skipped where they are not.
SCHEMAS = ROOT / "../shared/schemas"


def schema(path: str) -> dict:
    """A schema of ours (`overlays/`), or of a vendor's."""
    own = HERE / path
    file = own if own.exists() else SCHEMAS / path
    if not file.exists():
        pytest.skip(f"{path} is not here")
    return json.loads(file.read_bytes())


@pytest.fixture(scope="session")
def requests() -> list[dict]:
    """Every channel × every finding × every kind of alert."""
    folder = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    file = folder / "contract/requests.jsonl"
    assert file.exists(), "run `cargo test --test integration channels::` first"
    return [json.loads(line) for line in file.read_text().splitlines()]
