"""What list operations share: order, pages, and summaries instead of whole resources."""

from __future__ import annotations

from typing import Any

from .service import Call
from .wire import models
from .wire.errors import InvalidParameter, NotImplementedByMock
from .wire.message import Response

# Fields to sort by, under the services' several spellings of them: TIMECREATED, timeCreated.
_SORTABLE = {
    name.upper(): name for name in ("timeCreated", "displayName", "name", "lifecycleState")
}


def summaries(call: Call, found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """*found* cut down to the fields that the list operation's model has."""
    operation = call.operation
    name = operation.response_model
    if name is not None and not operation.response_list:
        items = models.model(operation.models, name).fields.get("items")
        name = items.type.removeprefix("list[").removesuffix("]") if items else None
    if name is None:
        return found
    cut = models.model(operation.models, name)
    return [
        {wire: value for wire, value in data.items() if wire in cut.subtype(data).fields}
        for data in found
    ]


def sort(call: Call, found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """*found* by ``sortBy`` and ``sortOrder``: newest first unless the client says otherwise.

    :raises NotImplementedByMock: by a field that the mock does not sort by.
    """
    by = call.query("sortBy") or "timeCreated"
    name = _SORTABLE.get(by.upper().replace("_", ""))
    if name is None:
        raise NotImplementedByMock(f"ocimock does not sort by '{by}'")
    default = "DESC" if name == "timeCreated" else "ASC"
    descending = (call.query("sortOrder") or default).upper() == "DESC"
    numbered = sorted(enumerate(found), key=lambda pair: (pair[1].get(name) or "", pair[0]))
    ordered = [data for _, data in numbered]
    return ordered[::-1] if descending else ordered


def page(call: Call, found: list[dict[str, Any]], *, collection: bool) -> Response:
    """One page of *found* by ``limit`` and ``page``; ``opc-next-page`` where there is more."""
    limit = call.int_query("limit", 1000)
    token = call.query("page") or "0"
    if not token.isdigit():
        raise InvalidParameter(f"page '{token}' is not a token that this list gave out")
    start = int(token)
    items = found[start : start + limit]
    response = Response.of_json({"items": items} if collection else items)
    if start + limit < len(found):
        response.headers["opc-next-page"] = str(start + limit)
    response.headers["opc-total-items"] = str(len(found))
    return response
