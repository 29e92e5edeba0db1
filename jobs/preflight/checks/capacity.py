"""Whether the region has hosts: what Compute tells of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ...errors import RefusedError
from ..check import Finding, passed, warned
from ..subject import Subject
from .limits import SECTION, STEPS

_NOT_TOLD = (401, 403, 404)


class Capacity:
    """Whether the region has hosts of the shapes just now, as Compute tells.

    Data Science takes its hosts from pools of its own: this is a hint, and so never a failure.
    """

    name = "capacity"
    question = "Does the region have hosts of the shapes just now?"
    offline = False
    after = ("compartment",)
    steps = STEPS

    def look(self, subject: Subject) -> list[Finding]:
        wanted: dict[tuple[str, int], str] = {}
        for step in STEPS:
            for definition in subject.of_step(step)[:1]:
                if definition.shape:
                    wanted.setdefault((definition.shape, definition.replicas), step)
        try:
            reports = _reports(subject, {shape for shape, _ in wanted})
        except RefusedError as error:
            if error.status not in _NOT_TOLD:
                raise
            return [
                passed(
                    "not told: who may 'manage compute-capacity-reports in tenancy' learns here "
                    "what Compute says of the region's hosts."
                )
            ]
        return [
            _hosts(subject, step, shape, nodes, reports.get(shape, []))
            for (shape, nodes), step in wanted.items()
        ]


def _reports(subject: Subject, shapes: Iterable[str]) -> dict[str, list[Any]]:
    """What Compute says of each shape, one a domain. It is asked by a POST, which makes nothing
    that stays."""
    from oci.core import ComputeClient
    from oci.core.models import (
        CapacityReportInstanceShapeConfig,
        CreateCapacityReportShapeAvailabilityDetails,
        CreateComputeCapacityReportDetails,
    )

    asked = [
        CreateCapacityReportShapeAvailabilityDetails(
            instance_shape=shape,
            instance_shape_config=(
                CapacityReportInstanceShapeConfig(ocpus=1, memory_in_gbs=16)
                if shape.endswith(".Flex")
                else None
            ),
        )
        for shape in sorted(shapes)
    ]
    found: dict[str, list[Any]] = {}
    for domain in subject.domains():
        report = subject.get(
            f"ask for the capacity of {domain}",
            subject.client(ComputeClient).create_compute_capacity_report,
            CreateComputeCapacityReportDetails(
                compartment_id=subject.tenancy_id,
                availability_domain=domain,
                shape_availabilities=asked,
            ),
        )
        for each in report.shape_availabilities:
            found.setdefault(each.instance_shape, []).append(each)
    return found


def _hosts(subject: Subject, step: str, shape: str, nodes: int, reports: list[Any]) -> Finding:
    have = [
        each
        for each in reports
        if each.availability_status == "AVAILABLE"
        and (each.available_count is None or each.available_count >= nodes)
    ]
    if have or not reports:
        return passed(f"Compute has hosts of {shape}.")
    waits = subject.pipeline.step(step).capacity_minutes
    others = len(subject.of_step(step)) - 1
    then = f"{step} waits {waits:g} min for them" if waits else f"{step} would fail"
    then += f", and tries its {others} fallbacks" if others else ""
    said = ", ".join(sorted({_status(each) for each in reports}))
    return warned(
        f"Compute has no {nodes} hosts of {shape} just now ({said}); {then}.",
        "Data Science has pools of its own, so this is a hint. Run later, name other shapes as "
        f"'{SECTION[step]}: fallback_shapes' in the tenancy file, or wait longer: 'pipeline: "
        "capacity_minutes'.",
    )


def _status(report: Any) -> str:
    known = str(report.availability_status).lower().replace("_", " ")
    if report.availability_status == "AVAILABLE":
        return f"{report.available_count} available"
    return known
