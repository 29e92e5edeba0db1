"""Search over all resources: by words, and by the structured queries that ADS asks with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...iam.enforcement import may_inspect
from ...resources import page
from ...service import Call, Service
from ...store import Record
from ...wire.message import Response
from .structured import Query

SERVICE = Service(
    "resource_search",
    ("oci.resource_search.ResourceSearchClient",),
    labels=("query",),
)

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
    wants = _test(body)
    found = [
        _summary(record, name)
        for kind, name in _TYPES.items()
        for record in call.cloud.store.live(kind)
        if not record.history and wants(record, name) and may_inspect(call, record)
    ]
    return page(call, found, collection=True)


def _test(body: dict[str, Any]) -> Callable[[Record, str], bool]:
    """What tells a record, and its type in search results, that the query asks for."""
    if body["type"] == "Structured":
        return Query.parse(body["query"]).wants
    words = body["text"].lower().split()
    return lambda record, _type: _fits(record, words)


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
