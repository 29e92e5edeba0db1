"""Search over all resources: by words, and by structured queries; and what can be searched."""

from __future__ import annotations

from typing import Any

from ...finding import place_of
from ...iam.enforcement import may_inspect
from ...identifiers import region_key
from ...resources import page
from ...service import Call
from ...store import Record
from ...wire.errors import NotAuthorizedOrNotFound, NotImplementedByMock
from ...wire.message import Response
from .base import SERVICE, TYPES
from .structured import Query

# Fields of every type that a structured query can name.
_FIELDS = (
    ("compartmentId", "STRING"),
    ("displayName", "STRING"),
    ("identifier", "STRING"),
    ("lifecycleState", "STRING"),
    ("resourceType", "STRING"),
    ("timeCreated", "DATETIME"),
)
_TAGS = {"freeformTags": ("key", "value"), "definedTags": ("namespace", "key", "value")}


@SERVICE.operation("search_resources")
def _search(call: Call) -> Response:
    body = call.body()
    if body.get("matchingContextType") == "HIGHLIGHTS":
        raise NotImplementedByMock("ocimock's search highlights nothing: matchingContextType")
    query = _query(body)
    now = call.cloud.clock.now()
    # Each region's search knows its own resources and those of no region.
    here = ("", call.region, region_key(call.region))
    found = [
        (query.order(record, name), record.number, record, name)
        for kind, name in TYPES.items()
        for record in call.cloud.store.live(kind)
        if not record.history
        and place_of(record.data.get("id", record.id)) in here
        and query.wants(record, name, now)
        and may_inspect(call, record)
    ]
    found.sort(key=lambda item: item[:2], reverse=query.sort[1])
    items = [_summary(record, name, query) for _, _, record, name in found]
    return page(call, items, collection=True)


@SERVICE.operation("list_resource_types")
def _types(call: Call) -> Response:
    return page(call, [_type(name) for name in sorted(TYPES.values())], collection=False)


@SERVICE.operation("get_resource_type")
def _get_type(call: Call) -> Response:
    for name in TYPES.values():
        if name.lower() == call.path["name"].lower():
            return Response.of_json(_type(name))
    raise NotAuthorizedOrNotFound(f"ocimock searches no resources of type {call.path['name']}")


def _query(body: dict[str, Any]) -> Query:
    if body["type"] == "Structured":
        return Query.parse(body["query"])
    # No words ask for nothing.
    return Query(("all",) if body["text"].split() else (), matching=body["text"])


def _summary(record: Record, type_: str, query: Query) -> dict[str, Any]:
    data = record.data
    shown = {
        "resourceType": type_,
        "identifier": data.get("id", record.id),
        "compartmentId": data["compartmentId"],
        "timeCreated": data.get("timeCreated"),
        "displayName": data.get("displayName") or data.get("name") or data.get("secretName"),
        "availabilityDomain": data.get("availabilityDomain"),
        "lifecycleState": data.get("lifecycleState"),
        "freeformTags": data.get("freeformTags", {}),
        "definedTags": data.get("definedTags", {}),
        "systemTags": data.get("systemTags", {}),
    }
    if query.returned:
        # The service decides what it adds; here it is what search can ask for beyond the above.
        shown["additionalDetails"] = dict(record.private.get("search", {}))
    return shown


def _type(name: str) -> dict[str, Any]:
    fields: list[dict[str, Any]] = [
        {"fieldName": field, "fieldType": type_, "isArray": False} for field, type_ in _FIELDS
    ]
    for tags, parts in _TAGS.items():
        properties = [
            {"fieldName": part, "fieldType": "STRING", "isArray": False} for part in parts
        ]
        fields.append(
            {
                "fieldName": tags,
                "fieldType": "OBJECT",
                "isArray": True,
                "objectProperties": properties,
            }
        )
    return {"name": name, "fields": fields}
