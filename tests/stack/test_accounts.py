"""`offlimits accounts` against moto's Organizations: every account with its unit, over several pages; and nothing where AWS refuses."""

import json
import os
import subprocess

import boto3
import pytest
from local import TOOL
from moto_server import moto_server

KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "eu-west-1"}


@pytest.fixture(scope="module")
def moto():
    """The address of a moto of our own: ministack has no Organizations."""
    with moto_server() as address:
        yield address


def accounts(moto, folder, *more):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    environment |= KEYS | {"AWS_ENDPOINT_URL_ORGANIZATIONS": moto}
    command = [TOOL, "accounts", "--format", "json", *more]
    return subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, timeout=120)


def test_accounts(moto, tmp_path):
    nobody = accounts(moto, tmp_path)
    assert nobody.returncode == 2 and "AWSOrganizationsNotInUseException" in nobody.stderr, nobody.stderr
    assert not list(tmp_path.iterdir())

    client = boto3.client("organizations", endpoint_url=moto, region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test")
    client.create_organization(FeatureSet="ALL")
    root = client.list_roots()["Roots"][0]["Id"]
    workloads = client.create_organizational_unit(ParentId=root, Name="Workloads")["OrganizationalUnit"]["Id"]
    prod = client.create_organizational_unit(ParentId=workloads, Name="Prod")["OrganizationalUnit"]["Id"]
    wanted = {}
    # More than a page of them, which is 20.
    for number in range(45):
        created = client.create_account(AccountName=f"shop {number}", Email=f"shop{number}@example.com")
        account = created["CreateAccountStatus"]["AccountId"]
        client.move_account(AccountId=account, SourceParentId=root, DestinationParentId=prod)
        wanted[account] = {"name": f"shop {number}", "unit": "Workloads/Prod"}

    answer = accounts(moto, tmp_path)
    assert answer.returncode == 0, answer.stderr
    written = json.loads((tmp_path / "accounts.json").read_text())
    assert wanted.items() <= written.items()
    # The management account, directly below the root.
    [(management, facts)] = [one for one in written.items() if one[0] not in wanted]
    assert "unit" not in facts and facts["name"]
    changes = json.loads(answer.stdout)
    assert (changes["accounts"], changes["units"], len(changes["new"])) == (46, 2, 46)

    ours = {management: {"name": "our own name", "unit": "Ours"}}
    (tmp_path / "accounts.json").write_text(json.dumps(ours))
    kept = accounts(moto, tmp_path, "--keep")
    assert kept.returncode == 0, kept.stderr
    assert json.loads((tmp_path / "accounts.json").read_text()) == wanted | ours
