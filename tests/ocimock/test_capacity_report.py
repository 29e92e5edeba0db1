"""Capacity reports: what Compute tells of a domain's hosts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import oci
import pytest

from ocimock import MockedCloud, mock_oci
from tests.ocimock.support import client, refused

DOMAIN = "oMck:EU-FRANKFURT-1-AD-1"
M = oci.core.models


@pytest.fixture
def tenancy() -> Iterator[MockedCloud]:
    with mock_oci() as found:
        yield found


def _report(tenancy: MockedCloud, shape: str, domain: str = DOMAIN, where: str = "") -> Any:
    asked = M.CreateCapacityReportShapeAvailabilityDetails(instance_shape=shape)
    details = M.CreateComputeCapacityReportDetails(
        compartment_id=where or tenancy.settings.tenancy_id,
        availability_domain=domain,
        shape_availabilities=[asked],
    )
    api = client(tenancy, oci.core.ComputeClient)
    [found] = api.create_compute_capacity_report(details).data.shape_availabilities
    return found


def test_any_number_of_hosts(tenancy: MockedCloud) -> None:
    found = _report(tenancy, "VM.GPU.A10.2")
    assert (found.availability_status, found.available_count) == ("AVAILABLE", None)


def test_few_and_none_where_a_rule_says_so(tenancy: MockedCloud) -> None:
    tenancy.capacity.exhaust("VM.GPU.A10.2", hosts=2)
    found = _report(tenancy, "VM.GPU.A10.2")
    assert (found.availability_status, found.available_count) == ("AVAILABLE", 2)
    tenancy.capacity.exhaust("VM.GPU.A10.2")
    assert _report(tenancy, "VM.GPU.A10.2").availability_status == "OUT_OF_HOST_CAPACITY"
    tenancy.capacity.restore()
    tenancy.capacity.exhaust("VM.GPU.A10.2", availability_domain=DOMAIN)
    other = DOMAIN.replace("AD-1", "AD-2")
    assert _report(tenancy, "VM.GPU.A10.2", other).availability_status == "AVAILABLE"
    assert _report(tenancy, "VM.GPU.A10.2").availability_status == "OUT_OF_HOST_CAPACITY"


def test_a_shape_that_there_is_none_of(tenancy: MockedCloud) -> None:
    assert _report(tenancy, "VM.GPU.X1.2").availability_status == "HARDWARE_NOT_SUPPORTED"


def test_it_is_asked_for_in_the_root_and_in_a_domain_of_the_region(tenancy: MockedCloud) -> None:
    with refused(400, "InvalidParameter"):
        _report(tenancy, "VM.GPU.A10.2", where=tenancy.compartment_id)
    with refused(400, "InvalidParameter"):
        _report(tenancy, "VM.GPU.A10.2", "nowhere")
