"""Regions: those that there are, and those that the tenancy has subscribed to."""

from __future__ import annotations

from typing import Any

import oci
import pytest
import requests

from ocimock import MockedTenancy, Settings, mock_oci
from ocimock.inprocess import BlockedCallError
from tests.ocimock.support import client, refused

PHOENIX = "us-phoenix-1"


@pytest.mark.parametrize(
    ("sdk_class", "call"),
    [
        (oci.identity.IdentityClient, lambda api, t: api.list_region_subscriptions(t.tenancy_id)),
        (oci.object_storage.ObjectStorageClient, lambda api, t: api.get_namespace()),
        (
            oci.data_science.DataScienceClient,
            lambda api, t: api.list_projects(t.compartment_id),
        ),
    ],
)
def test_a_region_without_a_subscription_knows_nobody(
    mocked: MockedTenancy, sdk_class: Any, call: Any
) -> None:
    call(client(mocked, sdk_class, region="us-ashburn-1"), mocked)
    with refused(401, "NotAuthenticated", PHOENIX, "subscribed to us-ashburn-1, eu-frankfurt-1"):
        call(client(mocked, sdk_class, region=PHOENIX), mocked)


def test_there_is_no_such_region() -> None:
    with mock_oci(), pytest.raises(BlockedCallError, match="knows no region 'eu-atlantis-1'"):
        requests.get("https://identity.eu-atlantis-1.oraclecloud.com/20160918/regions", timeout=5)


def test_the_regions_are_the_sdks(mocked: MockedTenancy) -> None:
    found = {item.name: item.key for item in _identity(mocked).list_regions().data}
    assert found["eu-frankfurt-1"] == "FRA"
    assert found["ap-batam-1"] == "HSG"
    # Other realms are other clouds, at other domains.
    assert "us-gov-phoenix-1" not in found


def test_a_tenancy_in_a_region_of_one_domain() -> None:
    with mock_oci(Settings(region="eu-amsterdam-1")) as mocked:
        api = _identity(mocked)
        domains = api.list_availability_domains(mocked.compartment_id).data
        assert [domain.name for domain in domains] == ["oMck:EU-AMSTERDAM-1-AD-1"]
        names = [item.region_name for item in api.list_region_subscriptions(mocked.tenancy_id).data]
        assert names == ["us-ashburn-1", "eu-amsterdam-1"]


def _identity(mocked: MockedTenancy) -> Any:
    return client(mocked, oci.identity.IdentityClient)
