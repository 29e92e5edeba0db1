"""Free-text search over all resources. The structured query language is not there."""

from __future__ import annotations

from typing import Any

from ...resources import page
from ...service import Call, Service
from ...store import Record
from ...wire.errors import NotImplementedByMock
from ...wire.message import Response

SERVICE = Service("resource_search", ("oci.resource_search.ResourceSearchClient",))

# Kinds by OCI's names for them in search results.
_TYPES = {
    "vcn": "Vcn",
    "subnet": "Subnet",
    "routetable": "RouteTable",
    "securitylist": "SecurityList",
    "dhcpoptions": "DHCPOptions",
    "natgateway": "NatGateway",
    "internetgateway": "InternetGateway",
    "servicegateway": "ServiceGateway",
    "networksecuritygroup": "NetworkSecurityGroup",
    "compartment": "Compartment",
    "dynamicgroup": "DynamicResourceGroup",
    "group": "Group",
    "user": "User",
    "policy": "Policy",
    "loggroup": "LogGroup",
    "log": "Log",
    "vault": "Vault",
    "key": "Key",
    "vaultsecret": "VaultSecret",
    "bucket": "Bucket",
    "containerrepo": "ContainerRepo",
    "datascienceproject": "DataScienceProject",
    "datasciencenotebooksession": "DataScienceNotebookSession",
    "datasciencejob": "DataScienceJob",
    "datasciencejobrun": "DataScienceJobRun",
    "datasciencemodel": "DataScienceModel",
    "datasciencemodelversionset": "DataScienceModelVersionSet",
    "datasciencemodeldeployment": "DataScienceModelDeployment",
}


@SERVICE.operation("search_resources")
def _search(call: Call) -> Response:
    body = call.body()
    if body["type"] != "FreeText":
        raise NotImplementedByMock("ocimock's resource search knows queries of type FreeText only")
    words = body["text"].lower().split()
    found = [
        _summary(record, name)
        for kind, name in _TYPES.items()
        for record in call.cloud.store.live(kind)
        if not record.history and _fits(record, words)
    ]
    return page(call, found, collection=True)


def _fits(record: Record, words: list[str]) -> bool:
    """Whether every word is in the resource's OCID, name, description or tags."""
    data = record.data
    texts = [data.get(name) or "" for name in ("id", "displayName", "name", "description")]
    for name, value in data.get("freeformTags", {}).items():
        texts += [name, value]
    together = "\n".join(texts).lower()
    return bool(words) and all(word in together for word in words)


def _summary(record: Record, type_: str) -> dict[str, Any]:
    data = record.data
    return {
        "resourceType": type_,
        "identifier": data.get("id", record.id),
        "compartmentId": data["compartmentId"],
        "timeCreated": data.get("timeCreated"),
        "displayName": data.get("displayName") or data.get("name") or data.get("secretName"),
        "lifecycleState": data.get("lifecycleState"),
        "freeformTags": data.get("freeformTags", {}),
        "definedTags": data.get("definedTags", {}),
        "systemTags": data.get("systemTags", {}),
    }
