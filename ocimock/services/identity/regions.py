"""Regions, the tenancy's subscriptions to them, and their availability domains."""

from __future__ import annotations

import hashlib

from ...identifiers import region_key
from ...places import availability_domains, regions, subscribed_regions
from ...resources import page, require_compartment
from ...service import Call
from ...wire.errors import InvalidParameter, NotAuthorizedOrNotFound
from ...wire.message import Response
from .base import SERVICE

_FAULT_DOMAINS = 3


@SERVICE.operation("list_regions")
def _regions(_call: Call) -> Response:
    return Response.of_json([{"key": key, "name": name} for key, name in regions()])


@SERVICE.operation("list_region_subscriptions")
def _subscriptions(call: Call) -> Response:
    settings = call.cloud.settings
    if call.path["tenancyId"] != settings.tenancy_id:
        raise NotAuthorizedOrNotFound(f"tenancy {call.path['tenancyId']} is not this mock's")
    return Response.of_json(
        [
            {
                "regionKey": region_key(name).upper(),
                "regionName": name,
                "status": "READY",
                "isHomeRegion": name == settings.home_region,
            }
            for name in subscribed_regions(settings)
        ]
    )


@SERVICE.operation("list_availability_domains")
def _availability_domains(call: Call) -> Response:
    compartment = call.query("compartmentId")
    require_compartment(call.cloud, compartment)
    found = [
        {"name": name, "id": _identifier(name), "compartmentId": compartment}
        for name in availability_domains(call.region)
    ]
    return page(call, found, collection=False)


@SERVICE.operation("list_fault_domains")
def _fault_domains(call: Call) -> Response:
    compartment = call.query("compartmentId")
    require_compartment(call.cloud, compartment)
    domain = call.query("availabilityDomain")
    if domain not in availability_domains(call.region):
        raise InvalidParameter(f"availabilityDomain: '{domain}' is not one of {call.region}")
    names = [f"FAULT-DOMAIN-{number}" for number in range(1, _FAULT_DOMAINS + 1)]
    return Response.of_json(
        [
            {
                "name": name,
                "id": _identifier(f"{domain}/{name}"),
                "compartmentId": compartment,
                "availabilityDomain": domain,
            }
            for name in names
        ]
    )


def _identifier(name: str) -> str:
    return (
        f"ocid1.availabilitydomain.oc1..{'a' * 8}{hashlib.sha256(name.encode()).hexdigest()[:52]}"
    )
