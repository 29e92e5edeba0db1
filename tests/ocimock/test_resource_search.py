"""Structured queries over all resources."""

from __future__ import annotations

from typing import Any

import oci
import pytest

from ocimock import MockedTenancy
from tests.ocimock.support import client, pages, refused

m = oci.resource_search.models
n = oci.core.models


class Search:
    """Two VCNs and a subnet, and the search that finds them."""

    def __init__(self, mocked: MockedTenancy) -> None:
        self.mocked = mocked
        self.api = client(mocked, oci.resource_search.ResourceSearchClient)
        self.network = client(mocked, oci.core.VirtualNetworkClient)
        self.first = self.vcn("First", {"team": "ml"})
        self.second = self.vcn("second", {"stage": "ml"})
        details = n.CreateSubnetDetails(
            compartment_id=mocked.compartment_id,
            vcn_id=self.first,
            cidr_block="10.0.1.0/24",
            display_name="inner",
        )
        self.subnet = self.network.create_subnet(details).data.id

    def vcn(self, name: str, tags: dict[str, str]) -> str:
        details = n.CreateVcnDetails(
            compartment_id=self.mocked.compartment_id,
            cidr_blocks=["10.0.0.0/16"],
            display_name=name,
            freeform_tags=tags,
        )
        return str(self.network.create_vcn(details).data.id)

    def names(self, query: str) -> list[str]:
        return [item.display_name for item in self.items(query)]

    def items(self, query: str) -> list[Any]:
        details = m.StructuredSearchDetails(query=query)
        return list(self.api.search_resources(details).data.items)


@pytest.fixture
def search(mocked: MockedTenancy) -> Search:
    return Search(mocked)


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("query vcn resources", ["second", "First"]),
        ("query vcn resources sorted by displayName asc", ["First", "second"]),
        ("query VCN, Subnet resources where displayName != 'second'", ["inner", "First"]),
        ("query vcn resources where displayName = 'first'", ["First"]),
        ("query vcn resources where displayName == 'first'", []),
        ("query vcn resources where displayName !== 'First'", ["second"]),
        ("query vcn resources where freeformTags.key = 'team'", ["First"]),
        ("query vcn resources where freeformTags.value = 'ml'", ["second", "First"]),
        (
            "query vcn resources where (lifecycleState = 'AVAILABLE' && "
            "(displayName = 'first' || displayName = \"second\")) && freeformTags.key = 'stage'",
            ["second"],
        ),
        ("query all resources matching 'inner'", ["inner"]),
        ("query subnet resources where vcnId = 'nothing'", []),
        ("query vcn resources where timeCreated > 'now - 1h'", ["second", "First"]),
        ("query vcn resources where timeCreated < 'now - 1h'", []),
    ],
)
def test_a_query_finds(search: Search, query: str, names: list[str]) -> None:
    assert search.names(query) == names


def test_a_field_of_the_resource_is_asked_for(search: Search) -> None:
    (found,) = search.items(f"query subnet resources where vcnId = '{search.first}'")
    assert (found.identifier, found.resource_type) == (search.subnet, "Subnet")
    (same,) = search.items(f"query all resources where identifier = '{search.subnet}'")
    assert same.identifier == search.subnet


def test_a_region_finds_its_own(search: Search, mocked: MockedTenancy) -> None:
    home = client(
        mocked, oci.resource_search.ResourceSearchClient, region=mocked.settings.home_region
    )
    details = m.StructuredSearchDetails(query="query vcn, compartment resources")
    found = home.search_resources(details).data.items
    assert {item.resource_type for item in found} == {"Compartment"}


@pytest.mark.parametrize(
    ("query", "word"),
    [
        ("find vcn resources", "'query'"),
        ("query vcn where displayName = 'a'", "'resources'"),
        ("query vcn resources where displayName like 'a'", "one of"),
        ("query vcn resources where displayName = a", "a text in quotes"),
        ("query vcn resources where (displayName = 'a'", "')'"),
        ("query vcn resources sorted by", "a name"),
        ("query vcn resources ?", "can't be read"),
    ],
)
def test_a_wrong_query_says_where(search: Search, query: str, word: str) -> None:
    with refused(400, "InvalidParameter", "query", word):
        search.names(query)


def test_types_are_listed(search: Search) -> None:
    found = [item.name for page in pages(search.api.list_resource_types, limit=7) for item in page]
    assert {"Vcn", "DataScienceModel"} <= set(found)
    assert found == sorted(found)
    fields = search.api.get_resource_type("datasciencemodel").data.fields
    assert "lifecycleState" in [field.field_name for field in fields]
    with refused(404, "NotAuthorizedOrNotFound", "Unicorn"):
        search.api.get_resource_type("Unicorn")
