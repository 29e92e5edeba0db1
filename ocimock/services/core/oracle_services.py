"""The services that a service gateway can reach."""

from __future__ import annotations

import hashlib

from ...identifiers import region_key
from ...resources import page
from ...service import Call
from ...wire.errors import NotAuthorizedOrNotFound
from ...wire.message import Response
from .base import SERVICE


def oracle_services(region: str) -> list[dict[str, str]]:
    """The two services of every region, as ``list_services`` shows them.

    Names and labels as in OCI's documentation, "Service Gateway: Service CIDR Labels".
    """
    key = region_key(region)
    names = {
        f"OCI {key.upper()} Object Storage": f"oci-{key}-objectstorage",
        f"All {key.upper()} Services In Oracle Services Network": (
            f"all-{key}-services-in-oracle-services-network"
        ),
    }
    return [
        {"id": _identifier(key, label), "name": name, "description": name, "cidrBlock": label}
        for name, label in names.items()
    ]


def service_labels(region: str) -> list[str]:
    """The CIDR labels of the region's services, as rules name them."""
    return [service["cidrBlock"] for service in oracle_services(region)]


def find_service(region: str, identifier: str) -> dict[str, str]:
    """:raises NotAuthorizedOrNotFound: the region has no such service."""
    for service in oracle_services(region):
        if service["id"] == identifier:
            return service
    raise NotAuthorizedOrNotFound(f"services: {identifier} is not a service of {region}")


def _identifier(key: str, label: str) -> str:
    return f"ocid1.service.oc1.{key}.{'a' * 8}{hashlib.sha256(label.encode()).hexdigest()[:52]}"


@SERVICE.operation("list_services")
def _list(call: Call) -> Response:
    return page(call, list(oracle_services(call.region)), collection=False)


@SERVICE.operation("get_service")
def _get(call: Call) -> Response:
    return Response.of_json(find_service(call.region, call.path["serviceId"]))
