"""Capacity reports: what hosts of some shapes an availability domain has just now.

Made by a POST, and kept nowhere. The hosts are those of :mod:`ocimock.capacity`, of which Data
Science's runs take: in OCI, Data Science has pools of its own.
"""

from __future__ import annotations

from typing import Any

from ...places import availability_domains
from ...service import Call
from ...wire.errors import InvalidParameter
from ...wire.message import Response
from ..datascience.shapes import find_shape
from .base import SERVICE

_ASKED = ("instanceShape", "faultDomain", "instanceShapeConfig")


@SERVICE.operation("create_compute_capacity_report")
def _create(call: Call) -> Response:
    body = call.body()
    if body["compartmentId"] != call.cloud.settings.tenancy_id:
        raise InvalidParameter("compartmentId must be the tenancy's")
    domain = body["availabilityDomain"]
    if domain not in (known := availability_domains(call.region)):
        raise InvalidParameter(f"availabilityDomain: '{domain}' is not one of {', '.join(known)}")
    return Response.of_json(
        {
            "compartmentId": body["compartmentId"],
            "availabilityDomain": domain,
            "timeCreated": call.cloud.clock.timestamp(),
            "shapeAvailabilities": [
                _availability(call, domain, each) for each in body["shapeAvailabilities"]
            ],
        }
    )


def _availability(call: Call, domain: str, asked: dict[str, Any]) -> dict[str, Any]:
    """OCI tells how many there are only where there are few; the mock has any number, or few."""
    shape = asked["instanceShape"]
    said = {name: asked[name] for name in _ASKED if name in asked}
    if find_shape(shape) is None:
        return {**said, "availabilityStatus": "HARDWARE_NOT_SUPPORTED"}
    left = call.cloud.capacity.left(shape, domain)
    if left is None:
        return {**said, "availabilityStatus": "AVAILABLE"}
    status = "AVAILABLE" if left else "OUT_OF_HOST_CAPACITY"
    return {**said, "availabilityStatus": status, "availableCount": left}
