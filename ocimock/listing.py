"""What list operations share: order, pages, and summaries instead of whole resources.

A page's token says after which resource the next page begins, by its place in the order: what
comes or goes between two pages moves nothing from one page to another.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from .service import Call
from .store import Record
from .wire import models
from .wire.errors import InvalidParameter, NotImplementedByMock
from .wire.message import Response
from .wire.numbers import whole as whole_number

# How a record looks to a list's filters, order and summary.
View = Callable[[Record], dict[str, Any]]
# Where in an order a record stands: a rank by type of value, the value, the record's number.
_Place = tuple[int, Any, int]

# The types of the values of each rank.
_OF_RANK: dict[str, tuple[type, ...]] = {"0": (int,), "1": (int, float), "2": (str,)}

_USUAL_LIMIT = 1000


def whole(record: Record) -> dict[str, Any]:
    """The view of a record as its API shows it."""
    return record.data


def summaries(call: Call, found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """*found* cut down to the fields that the list operation's model has."""
    cut = _item_model(call)
    if cut is None:
        return found
    return [_cut(cut, data) for data in found]


def _cut(model: models.Model, data: dict[str, Any]) -> dict[str, Any]:
    fields = model.subtype(data).fields
    return {wire: value for wire, value in data.items() if wire in fields}


def listed(
    call: Call,
    records: Iterable[Record],
    *,
    view: View = whole,
    names: Mapping[str, str] | None = None,
    usual: str = "timeCreated",
) -> Response:
    """One page of *records* by ``sortBy``, ``sortOrder``, ``limit`` and ``page``.

    :param names: fields that go by another name in ``sortBy``: ``{"name": "secretName"}``.
    :param usual: the field to sort by where the client names none. Times come newest first and
        anything else in rising order, unless the client says otherwise.
    :raises NotImplementedByMock: by a field that the list's items do not have.
    """
    field = _field(call, names or {}, usual)
    usually = "DESC" if field.startswith("time") else "ASC"
    descending = (call.query("sortOrder") or usually).upper() == "DESC"
    placed = sorted(
        ((_place(view(record).get(field), record.number), record) for record in records),
        key=lambda pair: pair[0],
        reverse=descending,
    )
    total = len(placed)
    if token := call.query("page"):
        last = _place_of(token)
        placed = [pair for pair in placed if (pair[0] < last if descending else pair[0] > last)]
    limit = call.limit(_USUAL_LIMIT)
    items = summaries(call, [view(record) for _, record in placed[:limit]])
    response = Response.of_json(items if call.operation.response_list else {"items": items})
    response.headers["opc-remaining-items"] = str(max(len(placed) - limit, 0))
    if limit < len(placed):
        response.headers["opc-next-page"] = _token(placed[limit - 1][0])
    response.headers["opc-total-items"] = str(total)
    return response


def page(call: Call, found: list[dict[str, Any]], *, collection: bool, usual: str = "") -> Response:
    """One page of what is no resource, such as shapes or rules, in the order in which it comes.

    *usual*: the field to sort by where the client names none, if the list can be sorted.
    """
    if usual:
        field = _field(call, {}, usual)
        falls = call.query("sortOrder") == "DESC"
        found = sorted(found, key=lambda item: _place(item.get(field), 0), reverse=falls)
    limit = call.limit(_USUAL_LIMIT)
    token = call.query("page") or "0"
    start = whole_number(token)
    if start is None:
        raise _wrong_token(token)
    items = found[start : start + limit]
    response = Response.of_json({"items": items} if collection else items)
    if start + limit < len(found):
        response.headers["opc-next-page"] = str(start + limit)
    response.headers["opc-total-items"] = str(len(found))
    return response


def _item_model(call: Call) -> models.Model | None:
    """The model of what the list operation lists; None where the SDK names none."""
    operation = call.operation
    name = operation.response_model
    if name is not None and not operation.response_list:
        items = models.model(operation.models, name).fields.get("items")
        name = items.type.removeprefix("list[").removesuffix("]") if items else None
    return None if name is None else models.model(operation.models, name)


def _field(call: Call, names: Mapping[str, str], usual: str) -> str:
    """The field to sort by, from any of the services' spellings: TIMECREATED, timeCreated."""
    asked = call.query("sortBy")
    if asked is None:
        return usual
    plain = asked.replace("_", "").upper()
    for name, field in names.items():
        if name.upper() == plain:
            return field
    spec = _item_model(call)
    for wire in spec.fields if spec else ():
        if wire.upper() == plain:
            return wire
    if plain == "TIMECREATED":
        # Of what shows no such time (job runs) the order in which it came is known all the same.
        return "timeCreated"
    raise NotImplementedByMock(f"ocimock does not sort by '{asked}'")


def _place(value: Any, number: int) -> _Place:
    """Nothing before numbers before text; of equal ones, what came first."""
    if value is None:
        return (0, 0, number)
    if isinstance(value, (int, float)):
        return (1, value, number)
    return (2, str(value), number)


def _token(place: _Place) -> str:
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode().rstrip("=")


def _place_of(token: str) -> _Place:
    """:raises InvalidParameter: no list gave this token out."""
    try:
        rank, value, number = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    except (ValueError, TypeError, binascii.Error):
        raise _wrong_token(token) from None
    if not isinstance(number, int) or not isinstance(value, _OF_RANK.get(str(rank), ())):
        raise _wrong_token(token)
    return (rank, value, number)


def _wrong_token(token: str) -> InvalidParameter:
    return InvalidParameter(f"page '{token[:80]}' is not a token that this list gave out")
