"""Where things are: the repository, what is built of it, and what lies beside it. It needs nothing but Python itself."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def target(package: Path) -> Path:
    """Where cargo puts what it builds of a package. A CARGO_TARGET_DIR that is not absolute is meant from the repository's folder."""
    return ROOT / os.environ.get("CARGO_TARGET_DIR", package / "target")


# What cargo builds, and the tool in it.
TARGET = target(ROOT)
TOOL = TARGET / "debug/offlimits"
# The function as it is deployed: the bootstrap with rules.json and its index. It does not move, for template.yaml names it.
PACKAGE = ROOT / "target/package"

# Other people's records and schemas are not ours to publish: they are read where they are, and tests of them left out where they
# are not. tests/support/corpora.rs says the same to the tests in Rust.
CORPORA = ROOT / "../shared/data"
SCHEMAS = ROOT / "../shared/schemas"


def absent(path: Path) -> str:
    """Why a test does without what lies beside the repository; an error where OFFLIMITS_CORPORA=required."""
    folder = next((folder for folder in (CORPORA, SCHEMAS) if path.is_relative_to(folder) and not folder.exists()), path)
    why = f"{os.path.relpath(folder, ROOT)} is not there"
    if os.environ.get("OFFLIMITS_CORPORA") == "required":
        raise FileNotFoundError(f"{why}, and OFFLIMITS_CORPORA=required")
    return why
