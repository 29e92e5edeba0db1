"""Compartment quotas: what they leave, and what they refuse."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import oci
import pytest

from ocimock import MockedCloud, Settings, mock_oci
from ocimock.quotas import parse
from ocimock.wire.errors import InvalidParameter
from tests.ocimock.support import client, refused
from tests.ocimock.workbench import Workbench, workbench

A10 = "ds-gpu-a10-count"


@pytest.fixture
def tenancy() -> Iterator[MockedCloud]:
    """A tenancy in which nothing moves unless its clock does."""
    with mock_oci(Settings(run_seconds=100, deploy_seconds=100), pace=1.0) as found:
        yield found


@pytest.fixture
def bench(tenancy: MockedCloud) -> Workbench:
    made = workbench(tenancy)
    tenancy.advance(60)
    return made


def _quota(tenancy: MockedCloud, *statements: str, name: str = "gpus") -> str:
    api = client(tenancy, oci.limits.QuotasClient)
    details = oci.limits.models.CreateQuotaDetails(
        compartment_id=tenancy.settings.tenancy_id,
        name=name,
        description="what a team may have",
        statements=list(statements),
    )
    return str(api.create_quota(details).data.id)


def _left(tenancy: MockedCloud, compartment: str = "", name: str = A10) -> Any:
    api = client(tenancy, oci.limits.LimitsClient)
    where = compartment or tenancy.compartment_id
    return api.get_resource_availability("data-science", name, where).data


def test_without_a_quota_none_is_told(tenancy: MockedCloud) -> None:
    assert _left(tenancy).effective_quota_value is None


def test_a_quota_lessens_what_is_available(tenancy: MockedCloud) -> None:
    _quota(tenancy, f"set data-science quota {A10} to 4 in compartment sandbox")
    found = _left(tenancy)
    assert (found.available, found.effective_quota_value) == (4, 4.0)
    elsewhere = _left(tenancy, tenancy.settings.tenancy_id)
    assert (elsewhere.available, elsewhere.effective_quota_value) == (32, None)


def test_a_run_beyond_a_quota_is_refused_and_one_within_counts(bench: Workbench) -> None:
    assert isinstance(bench.mocked, MockedCloud)
    _quota(bench.mocked, f"set data-science quota {A10} to 3 in compartment sandbox")
    bench.run(bench.job())
    assert (_left(bench.mocked).used, _left(bench.mocked).available) == (2, 1)
    with refused(400, "QuotaExceeded") as told:
        bench.run(bench.job())
    assert A10 in told.value.message
    bench.mocked.advance(101)
    assert bench.run(bench.job())


@pytest.mark.parametrize(
    ("statements", "left"),
    [
        ([f"zero data-science quota {A10} in tenancy"], 0),
        (["zero data-science quotas in tenancy"], 0),
        (["set data-science quota /ds-gpu*/ to 7 in compartment sandbox"], 7),
        ([f"set data-science quota {A10} to 7 in compartment sandbox",
          f"set data-science quota {A10} to 9 in compartment sandbox"], 9),
        ([f"zero data-science quota {A10} in compartment sandbox",
          f"unset data-science quota {A10} in compartment sandbox"], 32),
        ([f"set data-science quota {A10} to 9 in compartment sandbox",
          f"set data-science quota {A10} to 6 in tenancy"], 6),
        ([f"zero data-science quota {A10} in tenancy where request.region = us-ashburn-1"], 32),
        ([f"zero data-science quota {A10} in tenancy where request.region != 'us-ashburn-1'"], 0),
        ([f"set data-science quotas {A10}, ds-gpu4-count to 5 in tenancy"], 5),
    ],
)  # fmt: skip
def test_what_statements_leave(tenancy: MockedCloud, statements: list[str], left: int) -> None:
    _quota(tenancy, *statements)
    assert _left(tenancy).available == left


def test_of_two_policies_the_tighter_counts(tenancy: MockedCloud) -> None:
    _quota(tenancy, f"set data-science quota {A10} to 4 in compartment sandbox", name="a")
    second = _quota(tenancy, f"set data-science quota {A10} to 2 in compartment sandbox", name="b")
    assert _left(tenancy).available == 2
    client(tenancy, oci.limits.QuotasClient).delete_quota(second)
    assert _left(tenancy).available == 4


@pytest.mark.parametrize(
    "statement",
    [
        "give data-science quota ds-gpu-a10-count to 4 in tenancy",
        "set data-science quota ds-gpu-a10-count in tenancy",
        "zero data-science quota ds-gpu-a10-count to 4 in tenancy",
        "set data-science quota ds-gpu-a11-count to 4 in tenancy",
        "set data-mining quota ds-gpu-a10-count to 4 in tenancy",
        "set data-science quota ds-gpu-a10-count to 4 in compartment nowhere",
        "set data-science quota ds-gpu-a10-count to 4 in tenancy where request.ad = 'x'",
    ],
)
def test_what_is_no_statement_is_refused(tenancy: MockedCloud, statement: str) -> None:
    with refused(400, "InvalidParameter"):
        _quota(tenancy, statement)


def test_a_quota_is_listed_and_changed(tenancy: MockedCloud) -> None:
    made = _quota(tenancy, f"set data-science quota {A10} to 4 in compartment sandbox")
    api = client(tenancy, oci.limits.QuotasClient)
    [listed] = api.list_quotas(tenancy.settings.tenancy_id).data
    assert (listed.id, listed.name, listed.lifecycle_state) == (made, "gpus", "ACTIVE")
    statement = f"set data-science quota {A10} to 6 in compartment id {tenancy.compartment_id}"
    api.update_quota(made, oci.limits.models.UpdateQuotaDetails(statements=[statement]))
    assert api.get_quota(made).data.statements == [statement]
    assert _left(tenancy).available == 6


def test_a_statement_is_read_in_all_its_parts() -> None:
    found = parse("SET data-science QUOTA a, /b*/ TO 4 IN compartment x:y", "here")
    assert (found.names, found.value, found.compartment) == (("a", "b*"), 4, "x:y")
    with pytest.raises(InvalidParameter, match="here: 'no' is no quota statement"):
        parse("no", "here")
