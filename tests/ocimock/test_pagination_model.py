"""Pages of lists against a plain model: what stands all along comes once, and in order."""

from __future__ import annotations

import itertools
from typing import Any

import hypothesis.strategies as st
import oci
import pytest
from hypothesis import given, settings
from oci.core import VirtualNetworkClient
from oci.identity import IdentityClient

from ocimock import mock_oci
from tests.ocimock.support import client

# What happens between two pages: the number of a resource to delete, or None to create one.
_CHANGES = st.lists(st.one_of(st.none(), st.integers(0, 14)), max_size=4)


class Groups:
    """Identity: sorted by any of two fields, an array as answer."""

    orders = ("NAME", "TIMECREATED")

    def __init__(self, mocked: Any) -> None:
        self._client = client(mocked, IdentityClient, region="us-ashburn-1")
        self._root = mocked.tenancy_id

    def create(self, name: str) -> str:
        details = oci.identity.models.CreateGroupDetails(
            compartment_id=self._root, name=name, description="d"
        )
        found: str = self._client.create_group(details).data.id
        return found

    def delete(self, identifier: str) -> None:
        self._client.delete_group(identifier)

    def list(self, **options: Any) -> Any:
        return self._client.list_groups(self._root, **options)

    @staticmethod
    def named(group: Any) -> str:
        return str(group.name)


class Networks:
    """Core: sorted by display names, which need not differ."""

    orders = ("DISPLAYNAME", "TIMECREATED")

    def __init__(self, mocked: Any) -> None:
        self._client = client(mocked, VirtualNetworkClient)
        self._compartment = mocked.compartment_id

    def create(self, name: str) -> str:
        details = oci.core.models.CreateVcnDetails(
            compartment_id=self._compartment, cidr_blocks=["10.0.0.0/16"], display_name=name
        )
        found: str = self._client.create_vcn(details).data.id
        return found

    def delete(self, identifier: str) -> None:
        self._client.delete_vcn(identifier)

    def list(self, **options: Any) -> Any:
        return self._client.list_vcns(self._compartment, **options)

    @staticmethod
    def named(network: Any) -> str:
        return str(network.display_name)


@pytest.mark.parametrize("resources", [Groups, Networks])
@settings(max_examples=25, deadline=None)
@given(
    names=st.lists(st.text("abc", min_size=1, max_size=3), unique=True, min_size=1, max_size=15),
    changes=st.lists(_CHANGES, max_size=8),
    limit=st.integers(1, 6),
    by=st.integers(0, 1),
    order=st.sampled_from(["ASC", "DESC"]),
)
def test_what_stands_all_along_comes_once_and_in_order(
    resources: type[Groups] | type[Networks],
    names: list[str],
    changes: list[list[int | None]],
    limit: int,
    by: int,
    order: str,
) -> None:
    with mock_oci() as mocked:
        api = resources(mocked)
        standing = [api.create(name) for name in names]
        all_along = dict(zip(standing, names, strict=True))
        pages: list[list[Any]] = []
        page: str | None = None
        numbers = itertools.count()
        # Newcomers may lengthen the list, but by no more than there are changes.
        for number in range(60):
            more = {"page": page} if page else {}
            options = {"limit": limit, "sort_by": api.orders[by], "sort_order": order}
            answer = api.list(**options, **more)
            pages.append(answer.data)
            page = answer.next_page
            if page is None:
                break
            assert len(answer.data) == limit
            for change in changes[number] if number < len(changes) else ():
                if change is None:
                    standing.append(api.create(f"new{next(numbers)}"))
                elif change < len(standing):
                    gone = standing.pop(change)
                    all_along.pop(gone, None)
                    api.delete(gone)
        assert page is None
        seen = [item for found in pages for item in found]
        assert len({item.id for item in seen}) == len(seen)
        assert set(all_along) <= {item.id for item in seen}
        if by == 0:
            shown = [api.named(item) for item in seen]
            assert shown == sorted(shown, reverse=order == "DESC")
        else:
            came = [item.time_created for item in seen]
            assert came == sorted(came, reverse=order == "DESC")
