"""Limits, quotas and hosts: which machines have room, and who is asked for more."""

from __future__ import annotations

from dataclasses import replace

import pytest
from oci.limits import QuotasClient
from oci.limits.models import CreateQuotaDetails

from jobs.definitions import Definition
from jobs.preflight.check import Finding, State
from jobs.preflight.checks.capacity import Capacity
from jobs.preflight.checks.limits import Limits
from jobs.preflight.limit_names import demand, of_nodes
from jobs.preflight.subject import Subject
from ocimock.inprocess import MockedCloud
from ocimock.services.datascience.shapes import SHAPES, Shape
from ocimock.services.limits.catalogue import shape_limits
from tests.jobs.preflight.subjects import findings
from tests.jobs.samples import definition
from tests.jobs.workbench import Faults, Workbench

A10, A100 = "ds-gpu-a10-count", "ds-gpu4-count"


def _subject(bench: Workbench, *, fallback: str = "") -> Subject:
    """With a fallback of the training, on another shape."""
    pipeline, found = bench.pipeline(), bench.definitions()
    if fallback:
        name = "finetune.fallback-1"
        text = bench.text("finetune").replace("VM.GPU.A10.2", fallback)
        text = text.replace("replicas: 6", "replicas: 1")
        found[name] = Definition(name, found["finetune"].path.with_name(f"{name}.yaml"), text)
        steps = [
            replace(step, definitions=(*step.definitions, f"{name}.yaml"))
            if step.name == "finetune"
            else step
            for step in pipeline
        ]
        pipeline = replace(pipeline, steps=tuple(steps))
    return Subject(pipeline, found)


def _bad(found: list[Finding]) -> list[Finding]:
    return [each for each in found if each.state is not State.PASS]


def _quota(cloud: MockedCloud, statement: str) -> None:
    details = CreateQuotaDetails(
        compartment_id=cloud.settings.tenancy_id,
        name="gpus",
        description="-",
        statements=[statement],
    )
    QuotasClient(cloud.config).create_quota(details)


def test_what_a_definition_counts_in() -> None:
    assert demand(definition("finetune")) == {A10: 12, "ds-block-volume-gb": 1536}
    assert demand(definition("stage")) == {
        "ds-standard-e4-core-regional-count": 4,
        "ds-standard-e4-memory-count": 64,
        "ds-block-volume-gb": 100,
    }
    assert demand(definition("deployment")) == {A10: 2}
    assert demand(definition("model")) == {}


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_the_names_are_those_that_the_mock_counts_by(shape: Shape) -> None:
    """The mock has them from public code and OCI's documentation; the runner has a rule."""
    named = of_nodes(shape.name, 3, 2, 16)
    assert tuple(named) == shape_limits(shape)
    if shape.gpus:
        assert list(named.values()) == [3 * shape.gpus]


def test_there_is_room(bench: Workbench) -> None:
    found = findings(Limits(), _subject(bench))
    assert _bad(found) == []
    assert "room for 6 x VM.GPU.A10.2 (finetune)." in [each.said for each in found]


def test_a_limit_that_is_too_low(bench: Workbench, cloud: MockedCloud) -> None:
    cloud.limits.set(A10, 10)
    [found] = _bad(findings(Limits(), _subject(bench)))
    assert found.state is State.FAIL
    assert found.said == (
        "finetune: 6 x VM.GPU.A10.2 need 12 of ds-gpu-a10-count, of which 10 are available."
    )
    assert "Ask for an increase of ds-gpu-a10-count" in found.remedy
    assert "'finetune: replicas'" in found.remedy


def test_a_quota_that_is_too_low(bench: Workbench, cloud: MockedCloud) -> None:
    _quota(cloud, f"set data-science quota {A10} to 4 in compartment sandbox")
    [found] = _bad(findings(Limits(), _subject(bench)))
    assert "of which a compartment quota leaves 4" in found.said
    assert f"'set data-science quota {A10} to 12 in compartment …'" in found.remedy


def test_a_fallback_that_has_room(bench: Workbench, cloud: MockedCloud) -> None:
    cloud.limits.set(A10, 10)
    [found] = _bad(findings(Limits(), _subject(bench, fallback="BM.GPU4.8")))
    assert found.state is State.WARN
    assert "Its fallback, 1 x BM.GPU4.8, has room." in found.said


def test_no_fallback_has_room(bench: Workbench, cloud: MockedCloud) -> None:
    cloud.limits.set(A10, 10)
    cloud.limits.set(A100, 4)
    [found] = _bad(findings(Limits(), _subject(bench, fallback="BM.GPU4.8")))
    assert found.state is State.FAIL
    assert "None of its 1 fallbacks has room." in found.said


def test_storage_counts_for_all_nodes(bench: Workbench, cloud: MockedCloud) -> None:
    cloud.limits.set("ds-block-volume-gb", 1000)
    [found] = _bad(findings(Limits(), _subject(bench)))
    assert "need 1536 of ds-block-volume-gb" in found.said


def test_a_shape_that_the_region_has_no_limit_of(bench: Workbench, faults: Faults) -> None:
    faults.answer("GET", "limitDefinitions", 200, body=[])
    found = _bad(findings(Limits(), _subject(bench)))
    assert {each.state for each in found} == {State.WARN}
    assert f"finetune: OCI lists no limit '{A10}'" in "".join(each.said for each in found)


def test_hosts(bench: Workbench, cloud: MockedCloud) -> None:
    assert _bad(Capacity().look(_subject(bench))) == []
    cloud.capacity.exhaust("VM.GPU.A10.2", hosts=4)
    [found] = _bad(Capacity().look(_subject(bench)))
    assert found.state is State.WARN
    assert found.said == (
        "Compute has no 6 hosts of VM.GPU.A10.2 just now (4 available); finetune waits 120 min "
        "for them."
    )
    cloud.capacity.exhaust("VM.GPU.A10.2")
    assert len(_bad(Capacity().look(_subject(bench)))) == 2  # of six nodes, and of one


def test_who_may_not_ask_for_hosts_is_told_how_to(bench: Workbench, faults: Faults) -> None:
    faults.answer("POST", "computeCapacityReports", 404)
    [found] = Capacity().look(_subject(bench))
    assert found.state is State.PASS
    assert "manage compute-capacity-reports in tenancy" in found.said
