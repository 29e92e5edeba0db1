"""What people try who have few rights, and want more."""

from __future__ import annotations

from typing import Any

import oci
import pytest
import requests

from ocimock import Settings, mock_oci

IDENTITY = "https://identity.us-ashburn-1.oraclecloud.com/20160918"


def signed(config: dict[str, str], url: str) -> requests.PreparedRequest:
    """A GET that the SDK's signer signed, ready to be tampered with."""
    signer = oci.signer.Signer(
        config["tenancy"], config["user"], config["fingerprint"], None, None, config["key_content"]
    )
    found: requests.PreparedRequest = signer(requests.Request("GET", url).prepare())
    return found


def send(request: requests.PreparedRequest) -> requests.Response:
    with requests.Session() as session:
        return session.send(request, timeout=5)


@pytest.mark.parametrize(
    "decoy",
    ['x="keyId=",y=a/{admin}/b,z="",', 'x="keyId=",y={tenancy}/{admin}/b,z="a",'],
)
def test_the_caller_is_whose_signature_is_checked(decoy: str) -> None:
    with mock_oci(Settings(verify_signatures=True, enforce_iam=True)) as mocked:
        config = {**mocked.config, "region": "us-ashburn-1"}
        details = oci.identity.models.CreateUserDetails(
            compartment_id=mocked.tenancy_id, name="eve", description="d"
        )
        eve: Any = oci.identity.IdentityClient(config).create_user(details).data.id
        asked = signed(mocked.user_config(eve), f"{IDENTITY}/users/{mocked.user_id}")
        assert send(asked).status_code == 404
        header = str(asked.headers["authorization"])
        named = decoy.format(admin=mocked.user_id, tenancy=mocked.tenancy_id)
        asked.headers["authorization"] = header.replace("Signature ", f"Signature {named}")
        assert send(asked).status_code == 404
