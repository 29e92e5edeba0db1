"""Service limits, as far as Data Science's GPUs go. What runs in the mock does not use them up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ...resources import page, require_compartment
from ...service import Call, Service
from ...wire.errors import InvalidParameter, NotAuthorizedOrNotFound
from ...wire.message import Response

SERVICE = Service("limits", ("oci.limits.LimitsClient",))


@dataclass(frozen=True)
class Limit:
    """One limit of a service in each region."""

    service: str
    name: str
    description: str
    value: int


_SERVICES = {"data-science": "Data Science"}
# The names are those that Oracle's own AI Quick Actions ask for; the values are the mock's.
_LIMITS = (
    Limit("data-science", "ds-gpu-a10-count", "GPUs of VM.GPU.A10 and BM.GPU.A10 shapes", 16),
    Limit("data-science", "ds-gpu4-count", "GPUs of BM.GPU4 shapes", 8),
)


@SERVICE.operation("list_services")
def _services(call: Call) -> Response:
    _check_root(call)
    found = [
        {"name": name, "description": text, "supportedSubscriptions": []}
        for name, text in _SERVICES.items()
    ]
    return page(call, found, collection=False)


@SERVICE.operation("list_limit_values")
def _values(call: Call) -> Response:
    _check_root(call)
    wanted, scope = call.query("name"), call.query("scopeType")
    found = [
        {"name": limit.name, "scopeType": "REGION", "value": limit.value}
        for limit in _of_service(call.query("serviceName"))
        if wanted in (None, limit.name) and scope in (None, "REGION")
    ]
    return page(call, found, collection=False)


@SERVICE.operation("list_limit_definitions")
def _definitions(call: Call) -> Response:
    _check_root(call)
    service, wanted = call.query("serviceName"), call.query("name")
    limits = _LIMITS if service is None else _of_service(service)
    found = [_definition(limit) for limit in limits if wanted in (None, limit.name)]
    return page(call, found, collection=False)


@SERVICE.operation("get_resource_availability")
def _availability(call: Call) -> Response:
    require_compartment(call.cloud, call.query("compartmentId"))
    for limit in _of_service(call.path["serviceName"]):
        if limit.name == call.path["limitName"]:
            return Response.of_json(
                {
                    "used": 0,
                    "available": limit.value,
                    "fractionalUsage": 0.0,
                    "fractionalAvailability": float(limit.value),
                }
            )
    raise NotAuthorizedOrNotFound(f"ocimock knows no limit {call.path['limitName']}")


def _definition(limit: Limit) -> dict[str, Any]:
    return {
        "name": limit.name,
        "serviceName": limit.service,
        "description": limit.description,
        "scopeType": "REGION",
        "areQuotasSupported": True,
        "isResourceAvailabilitySupported": True,
        "isDeprecated": False,
        "isEligibleForLimitIncrease": True,
        "isDynamic": False,
    }


def _of_service(name: str | None) -> list[Limit]:
    if name not in _SERVICES:
        raise NotAuthorizedOrNotFound(
            f"ocimock knows no limits of service '{name}'; it knows {', '.join(_SERVICES)}"
        )
    return [limit for limit in _LIMITS if limit.service == name]


def _check_root(call: Call) -> None:
    """:raises InvalidParameter: limits are the tenancy's, and so asked for in its root."""
    if call.query("compartmentId") != call.cloud.settings.tenancy_id:
        raise InvalidParameter("compartmentId must be the tenancy's")
