#!/usr/bin/env bash
# `sam local invoke`, as a user runs it, in Docker: what it answers, and after how many seconds. By hand: CI has no Docker.
# Needs `sam build` to have been run, `sam` on the PATH, Docker, and the image public.ecr.aws/lambda/provided:al2023-ARCHITECTURE;
# where no registry can be reached, further options: tests/evidence/sam_local.sh --skip-pull-image
set -euo pipefail
cd "$(dirname "$0")/../.."
export SAM_CLI_TELEMETRY=0
unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_PROFILE
answer=$(mktemp)
for event in start-instances describe-instances; do
  began=$(date +%s.%N)
  sam local invoke -e "events/$event.json" "$@" > "$answer"
  ended=$(date +%s.%N)
  python3 - "$answer" "$event" "$began" "$ended" <<'PY'
import json, sys
answer, event, began, ended = sys.argv[1:]
found = json.load(open(answer))
print(f"{event}: {float(ended) - float(began):.1f} s, findings: {[f['title'] for f in found['findings']]}")
assert bool(found["findings"]) == (event == "start-instances"), found
assert all(f["channels"] and all(c["message"] for c in f["channels"]) for f in found["findings"]), found
PY
done
rm -f "$answer"
