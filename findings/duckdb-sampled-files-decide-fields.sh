#!/usr/bin/env bash
# DuckDB's `read_json` leaves out, without a word, each field of a record that none of the first 32 files has.
#
# It infers the type of `Records` from a sample, which is of 32 files at most unless `maximum_sample_files` says otherwise
# (https://duckdb.org/docs/stable/data/json/loading_json), and CloudTrail delivers a file every few minutes. A field that the sample
# does not have was an error in DuckDB 1.5.0 (`Object … has unknown key "errorCode"`); now the record is read without it. A query that
# names such a field still fails. One that takes whole records does not: it searches them, counts them or copies them as evidence,
# less whatever is rare. `sample_size = -1`, which is to scan all of the input, does not help, since it counts rows, and a log file is
# one; `maximum_sample_files = -1` and `union_by_name = true` do. https://github.com/duckdb/duckdb/issues/25826 tells the same of the
# rows of one file, past `sample_size`.
#
# Seen with duckdb 2.0.1: of 33 log files, the last has the one call that was denied. Searched for AccessDenied, whole records are 0
# by default, 0 with sample_size = -1, 1 with maximum_sample_files = -1, 1 with union_by_name = true.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check duckdb==2.0.1
"$folder/venv/bin/python" - "$folder" <<'PYTHON'
import gzip
import json
import sys
from pathlib import Path

import duckdb

FILES = 33
logs = Path(sys.argv[1], "logs")
logs.mkdir()
for number in range(FILES):
    record = {"eventSource": "s3.amazonaws.com", "eventName": "GetObject", "userIdentity": {"type": "IAMUser"}}
    if number == FILES - 1:
        record |= {"errorCode": "AccessDenied"}
    with gzip.open(logs / f"{number:02}.json.gz", "wt") as file:
        json.dump({"Records": [record]}, file)


def denied(options: str = "") -> int:
    records = f"SELECT unnest(Records) AS record FROM read_json('{logs}/*.json.gz'{options})"
    query = f"SELECT count(*) FROM ({records}) WHERE CAST(to_json(record) AS VARCHAR) LIKE '%AccessDenied%'"
    [[count]] = duckdb.sql(query).fetchall()
    print(f"{options.removeprefix(', ') or 'by default'}: {count} of the 1 record that was denied")
    return count


found = [denied(options) for options in ("", ", sample_size = -1", ", maximum_sample_files = -1", ", union_by_name = true")]
assert found == [0, 0, 1, 1], "the behaviour has changed"
PYTHON
