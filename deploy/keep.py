"""Keeps what `make deploy` deploys, and what it deployed before, for `make rollback`.

In FOLDER, `now` is the last deployment and `before` the one that it followed: each what `sam build` had left, which `sam deploy` takes. A
deployment that did not reach every region is not taken for one to come back to.
"""

import argparse
import filecmp
import shutil
import sys
from pathlib import Path

COMPLETE = "complete"


def files(folder: Path) -> set[str]:
    return {str(f.relative_to(folder)) for f in folder.rglob("*") if f.is_file() and f.name != COMPLETE}


def same(one: Path, other: Path) -> bool:
    names = files(one)
    return names == files(other) and not any(filecmp.cmpfiles(one, other, names, shallow=False)[1:])


def begin(folder: Path, built: Path, architecture: str):
    """What is about to be deployed becomes `now`; what was, if it was deployed everywhere, `before`."""
    fresh, now, before = (folder / name for name in ["next", "now", "before"])
    shutil.rmtree(fresh, ignore_errors=True)
    shutil.copytree(built, fresh)
    (fresh / "architecture").write_text(architecture)
    if now.exists() and same(fresh, now):
        shutil.rmtree(fresh)
        return
    if (now / COMPLETE).exists():
        shutil.rmtree(before, ignore_errors=True)
        now.rename(before)
    shutil.rmtree(now, ignore_errors=True)
    fresh.rename(now)


def done(folder: Path):
    """`now` stands in every region."""
    (folder / "now" / COMPLETE).touch()


def swap(folder: Path):
    """What was before is deployed now: a second rollback takes the first one back."""
    now, before, aside = (folder / name for name in ["now", "before", "aside"])
    if not (before / "template.yaml").exists():
        sys.exit(f"nothing is kept in {before}: this machine has deployed one version only. Check out the one before, and `make deploy` it")
    shutil.rmtree(aside, ignore_errors=True)
    now.rename(aside)
    before.rename(now)
    aside.rename(before)
    (before / COMPLETE).touch()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["begin", "done", "swap"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("built", type=Path, nargs="?", help="what `sam build` has left, for begin")
    parser.add_argument("--architecture", default="")
    arguments = parser.parse_args()
    match arguments.what:
        case "begin":
            begin(arguments.folder, arguments.built, arguments.architecture)
        case "done":
            done(arguments.folder)
        case "swap":
            swap(arguments.folder)


if __name__ == "__main__":
    main()
