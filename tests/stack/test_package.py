"""What `make build` leaves to be deployed."""

import re
import subprocess

from local import PACKAGE, ROOT, TOOL


def bundle():
    """What the rules are to the function: one file, with the packs in it."""
    return subprocess.run([TOOL, "bundle"], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60).stdout.rstrip("\n")


def test_amazon_linux_can_load_it(bootstrap):
    """AL2023 has glibc 2.34; a program linked against a newer one ends before its first line."""
    wanted = [int(n) for n in re.findall(rb"GLIBC_2\.(\d+)", bootstrap.read_bytes())]
    assert max(wanted, default=0) <= 34, "run `make build ZIG=1`"


def test_it_is_small_enough_to_start_fast(bootstrap):
    """With the SDKs of two services, the catalogue of targets, incidents, silences, the sweep and ten types of channels it has 7.06 MB, without the tables for unwinding; a bootstrap beyond this bound carries something that it did not carry before."""
    assert bootstrap.stat().st_size < 7_200_000


def test_it_holds_the_binary_the_rules_and_their_index_alone():
    assert {p.name for p in PACKAGE.iterdir()} == {"bootstrap", "rules.index", "rules.json"}
    assert (PACKAGE / "rules.json").read_text() == bundle()


def test_its_program_tells_which_format_of_rules_it_reads(bootstrap):
    """`offlimits package` looks for that mark, which no optimizer may have taken apart."""
    [newest] = set(re.findall(rb"offlimits reads rules of format (\d+)\n", bootstrap.read_bytes()))
    assert bundle().startswith(f'{{"needs":{int(newest)},')


def test_changed_rules_are_packaged_without_a_compiler(bootstrap):
    before = bootstrap.stat()
    (PACKAGE / "rules.json").write_text("{}")
    plain = {"PATH": "/usr/bin:/bin"}  # where there is no cargo
    done = subprocess.run(["make", "package", f"OFFLIMITS={TOOL}"], cwd=ROOT, env=plain, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert bootstrap.stat().st_mtime_ns == before.st_mtime_ns
    assert (PACKAGE / "rules.json").read_text() == bundle()
