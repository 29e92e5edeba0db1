"""What IAM said can be read from both faces."""

from __future__ import annotations

from pathlib import Path

import oci
import pytest

from ocimock import ServedCloud, Settings, mock_oci
from ocimock.tenancy import MockedTenancy
from tests.ocimock.support import client, refused
from tests.servers import running_server


def _refused_group(mocked: MockedTenancy) -> str:
    """A user without rights asks for the groups; the user's OCID."""
    identity = client(mocked, oci.identity.IdentityClient, region="us-ashburn-1")
    details = oci.identity.models.CreateUserDetails(
        compartment_id=mocked.tenancy_id, name="reader", description="d", email="r@example.com"
    )
    user: str = identity.create_user(details).data.id
    config = {**mocked.user_config(user), "region": "us-ashburn-1"}
    theirs = oci.identity.IdentityClient(config, retry_strategy=oci.retry.NoneRetryStrategy())
    with refused(404, "NotAuthorizedOrNotFound"):
        theirs.list_groups(mocked.tenancy_id)
    return user


def _check(mocked: MockedTenancy) -> None:
    _refused_group(mocked)
    allowed, denied = mocked.decisions[0], mocked.decisions[-1]
    assert allowed.allowed
    assert allowed.operation == "identity.create_user"
    assert allowed.grants[0].statement
    assert not denied.allowed
    assert denied.operation == "identity.list_groups"
    assert denied.missing.startswith("Allow ")
    assert "inspect groups in tenancy" in denied.missing


def test_in_process() -> None:
    with mock_oci(Settings(enforce_iam=True)) as mocked:
        _check(mocked)


def test_on_a_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with running_server(tmp_path, "--pace", "0", "--enforce-iam") as server:
        served = ServedCloud(server)
        for name, text in served.environment.items():
            monkeypatch.setenv(name, text)
        _check(served)
