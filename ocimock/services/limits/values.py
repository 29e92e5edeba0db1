"""Service limits: their definitions, values, and what is left of them."""

from __future__ import annotations

from typing import Any

from ...places import availability_domains
from ...quotas import quotas
from ...resources import page, require_compartment
from ...service import Call
from ...wire.errors import InvalidParameter, NotAuthorizedOrNotFound
from ...wire.message import Response
from .base import SERVICE
from .catalogue import SERVICES, Limit, by_name


@SERVICE.operation("list_services")
def _services(call: Call) -> Response:
    _check_root(call)
    found = [
        {"name": name, "description": text, "supportedSubscriptions": []}
        for name, text in SERVICES.items()
    ]
    return page(call, found, collection=False, usual="name")


@SERVICE.operation("list_limit_values")
def _values(call: Call) -> Response:
    _check_root(call)
    wanted, scope = call.query("name"), call.query("scopeType")
    domain = call.query("availabilityDomain")
    found = []
    for limit in _of_service(call.query("serviceName")):
        if wanted not in (None, limit.name) or scope not in (None, limit.scope):
            continue
        shown = {
            "name": limit.name,
            "scopeType": limit.scope,
            "value": call.cloud.limits.value(limit.name),
        }
        if limit.scope == "REGION":
            found.append(shown) if domain is None else None
            continue
        names = [name for name in availability_domains(call.region) if domain in (None, name)]
        found += [{**shown, "availabilityDomain": name} for name in names]
    return page(call, found, collection=False, usual="name")


@SERVICE.operation("list_limit_definitions")
def _definitions(call: Call) -> Response:
    _check_root(call)
    service, wanted = call.query("serviceName"), call.query("name")
    limits = list(by_name().values()) if service is None else _of_service(service)
    found = [_definition(limit) for limit in limits if wanted in (None, limit.name)]
    return page(call, found, collection=False, usual="name")


@SERVICE.operation("get_resource_availability")
def _availability(call: Call) -> Response:
    require_compartment(call.cloud, call.query("compartmentId"))
    for limit in _of_service(call.path["serviceName"]):
        if limit.name == call.path["limitName"]:
            _check_domain(call, limit)
            return Response.of_json(_left(call, limit))
    raise NotAuthorizedOrNotFound(f"ocimock knows no limit {call.path['limitName']}")


def _left(call: Call, limit: Limit) -> dict[str, Any]:
    """What is used in the compartment and below, and what limit and quotas leave of it."""
    limits = call.cloud.limits
    compartment = call.query("compartmentId") or call.cloud.settings.tenancy_id
    value, used = limits.value(limit.name), limits.used(limit.name, call.region)
    found = quotas(call.cloud, limit, compartment, call.region)
    rooms = [limits.room(each, limit.name, call.region) for each in found]
    # A limit may be set below what stands; no less than nothing is left then.
    left = max(min([value - used, *rooms]), 0)
    here = limits.used(limit.name, call.region, within=compartment)
    said = {
        "used": here,
        "available": left,
        "fractionalUsage": float(here),
        "fractionalAvailability": float(left),
    }
    # Only where a quota applies (source: API reference of ResourceAvailability).
    if found:
        said["effectiveQuotaValue"] = float(min(each.value for each in found))
    return said


def _check_domain(call: Call, limit: Limit) -> None:
    """:raises InvalidParameter: an availability domain where there must be none, or none."""
    domain, domains = call.query("availabilityDomain"), availability_domains(call.region)
    if limit.scope == "REGION" and domain is not None:
        raise InvalidParameter(f"availabilityDomain: {limit.name} is a limit of the region")
    if limit.scope == "AD" and domain not in domains:
        raise InvalidParameter(
            f"availabilityDomain: '{domain}' is not one of {', '.join(domains)}; {limit.name} is "
            "a limit of each of them"
        )


def _definition(limit: Limit) -> dict[str, Any]:
    return {
        "name": limit.name,
        "serviceName": limit.service,
        "description": limit.description,
        "scopeType": limit.scope,
        "areQuotasSupported": True,
        "isResourceAvailabilitySupported": True,
        "isDeprecated": False,
        "isEligibleForLimitIncrease": True,
        "isDynamic": False,
    }


def _of_service(name: str | None) -> list[Limit]:
    if name not in SERVICES:
        raise NotAuthorizedOrNotFound(
            f"ocimock knows no limits of service '{name}'; it knows {', '.join(SERVICES)}"
        )
    return [limit for limit in by_name().values() if limit.service == name]


def _check_root(call: Call) -> None:
    """:raises InvalidParameter: limits are the tenancy's, and so asked for in its root."""
    if call.query("compartmentId") != call.cloud.settings.tenancy_id:
        raise InvalidParameter("compartmentId must be the tenancy's")
