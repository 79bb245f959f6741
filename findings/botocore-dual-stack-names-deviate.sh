#!/usr/bin/env bash
# In botocore, what a service's dual-stack endpoint is called does not follow from the other services'; in GovCloud it may be named for
# FIPS where nobody asked for that, or not be where somebody did; and the endpoint that a client tells (`meta.endpoint_url`) is then
# another than the one that it asks.
#
# A dual-stack endpoint is `SERVICE.REGION.api.aws` by rule (https://docs.aws.amazon.com/general/latest/gr/rande.html), and with FIPS
# `SERVICE-fips.REGION.api.aws`; that is what `meta.endpoint_url` is made by. Requests go where the service's own rule set says:
# Secrets Manager's dual-stack endpoint is its usual one. In GovCloud, Step Functions' is `states-fips…` with FIPS and without, though
# its endpoint for IPv4 has no such name there; and those of CloudWatch, EventBridge and Organizations are without `-fips`, with FIPS
# and without. Whoever takes the names for an allow list, a proxy or a client without an SDK from the rule, or from `meta.endpoint_url`,
# is wrong in these places.
#
# Seen with botocore 1.43.127; each line says where a request would have gone (none is sent), and what the client tells where it differs.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check botocore==1.43.127
AWS_ACCESS_KEY_ID=none AWS_SECRET_ACCESS_KEY=none AWS_EC2_METADATA_DISABLED=true AWS_CONFIG_FILE="$folder/none" "$folder/venv/bin/python" - <<'PYTHON'
import botocore.session
from botocore.awsrequest import AWSResponse
from botocore.config import Config

SEEN = [
    ("sqs", "list_queues", "us-east-1", False, "sqs.us-east-1.api.aws", None),
    ("secretsmanager", "list_secrets", "us-east-1", False, "secretsmanager.us-east-1.amazonaws.com", "secretsmanager.us-east-1.api.aws"),
    ("sqs", "list_queues", "us-gov-west-1", True, "sqs-fips.us-gov-west-1.api.aws", None),
    ("stepfunctions", "list_activities", "us-gov-west-1", False, "states-fips.us-gov-west-1.api.aws", "states.us-gov-west-1.api.aws"),
    ("cloudwatch", "list_dashboards", "us-gov-west-1", True, "monitoring.us-gov-west-1.api.aws", "monitoring-fips.us-gov-west-1.api.aws"),
    ("events", "list_rules", "us-gov-west-1", True, "events.us-gov-west-1.api.aws", "events-fips.us-gov-west-1.api.aws"),
]

session = botocore.session.get_session()
for service, operation, region, fips, place, other in SEEN:
    config = Config(use_dualstack_endpoint=True, use_fips_endpoint=fips, retries={"total_max_attempts": 1})
    client = session.create_client(service, region_name=region, config=config)
    asked = []

    def instead_of_sending(request, **_):
        asked.append(request.url)
        return AWSResponse(request.url, 403, {}, None)

    client.meta.events.register("before-send", instead_of_sending)
    try:
        getattr(client, operation)()
    except Exception:
        pass
    asked, told = (url.split("/")[2] for url in (asked[0], client.meta.endpoint_url))
    print(f"{service} in {region}, dual stack{', FIPS' if fips else ''}: {asked}" + (f", and meta.endpoint_url is {told}" if told != asked else ""))
    assert (asked, told) == (place, other or place), f"the behaviour has changed: {place}, {other} before"
PYTHON
