#!/usr/bin/env bash
# pySigma's SQLite backend compares a plain value with its letter case, and a value that holds a wildcard without it.
#
# Sigma's specification says that values are compared without regard to case, unless the modifier `cased` asks for it
# (https://github.com/SigmaHQ/sigma-specification/blob/main/specification/sigma-rules-specification.md, "String Wildcard" and
# "Value modifiers"). The backend writes a plain value as `=`, which SQLite compares byte by byte, and one with a wildcard as
# `LIKE`, which SQLite compares without regard to the case of ASCII letters. So of two rules that should match the same two
# events, one misses the event whose letters differ. Whoever uses that backend as a second opinion on an engine that keeps to
# the specification sees disagreements that are none of the engine's.
#
# Seen with pySigma 2.0.1, pySigma-backend-sqlite 2.1.1, Python's own sqlite3: a plain value finds ['ConsoleLogin'], a wildcard
# finds ['ConsoleLogin', 'consolelogin'].
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check pysigma==2.0.1 pysigma-backend-sqlite==2.1.1
"$folder/venv/bin/python" - <<'PYTHON'
import sqlite3

from sigma.backends.sqlite import sqliteBackend
from sigma.collection import SigmaCollection

RULE = """
title: A login
status: test
logsource: {product: aws, service: cloudtrail}
detection:
  selection: {eventName: '%s'}
  condition: selection
"""

database = sqlite3.connect(":memory:")
database.execute("CREATE TABLE logs (eventName TEXT)")
database.executemany("INSERT INTO logs VALUES (?)", [("ConsoleLogin",), ("consolelogin",)])


def found(value: str) -> list[str]:
    [query] = sqliteBackend().convert(SigmaCollection.from_yaml(RULE % value))
    print(f"{value}: {query}")
    return [name for [name] in database.execute(query.replace("<TABLE_NAME>", "logs"))]


plain, wildcard = found("ConsoleLogin"), found("ConsoleLogi*")
print(f"a plain value finds {plain}, a wildcard finds {wildcard}")
assert plain == ["ConsoleLogin"] and wildcard == ["ConsoleLogin", "consolelogin"], "the behaviour has changed"
PYTHON
