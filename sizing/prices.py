"""Oracle's public price list: what it says of the shapes.

The list is JSON: ``lastUpdated``, and ``items`` with a ``partNumber``, a ``metricName`` ("GPU Per
Hour", "OCPU Per Hour", "Gigabyte Per Hour"), and by currency the prices of each payment model.
It takes no sign-in to read. Parts are found by their numbers: display names differ in form, and
licences and machines on premises have similar ones.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from .shapes import Shape

URL = "https://apexapps.oracle.com/pls/apex/cetools/api/v1/products/?currencyCode=USD"
CURRENCY = "USD"

_MODEL = "PAY_AS_YOU_GO"
_GPU, _OCPU, _GIGABYTE = "GPU Per Hour", "OCPU Per Hour", "Gigabyte Per Hour"


class PriceListError(Exception):
    """What was read is not Oracle's price list; the message says why."""


@dataclass(frozen=True)
class Item:
    """One part: what an hour of one *metric* costs in US dollars, None where the list has none."""

    part: str
    name: str
    metric: str
    price: float | None


@dataclass(frozen=True)
class PriceList:
    """*updated* is the day that the list gives, YYYY-MM-DD, '' where it gives none."""

    updated: str
    items: Mapping[str, Item]


@dataclass(frozen=True)
class Row:
    """One price of a shape: what it was and what the list says. *found* is None where the list does
    not have it, and *why* says so."""

    shape: str
    field: str
    before: float | None
    found: float | None
    why: str = ""

    @property
    def changed(self) -> bool:
        return self.found is not None and self.found != self.before


def read(text: str) -> PriceList:
    """The list of that JSON.

    Raises:
        PriceListError: it is not JSON, or not of the list's form, or not in US dollars.
    """
    try:
        loaded = json.loads(text)
    except ValueError as error:
        raise PriceListError(f"it is no JSON ({error})") from None
    rows = loaded.get("items") if isinstance(loaded, dict) else None
    if not isinstance(rows, list) or not rows:
        raise PriceListError("it has no 'items'")
    try:
        items = [_item(row) for row in rows]
    except (KeyError, TypeError, ValueError, AttributeError):
        raise PriceListError("an item has not the fields of the price list") from None
    if all(item.price is None for item in items):
        raise PriceListError(f"no item has a price in {CURRENCY} by the model {_MODEL}")
    updated = str(loaded.get("lastUpdated") or "")[: len("2026-01-31")]
    return PriceList(updated, MappingProxyType({item.part: item for item in items}))


def rows(shapes: Iterable[Shape], listed: PriceList) -> list[Row]:
    """What the list says of each shape's prices."""
    return [row for shape in shapes for row in _rows(shape, listed)]


def _item(row: Mapping[str, Any]) -> Item:
    # An older form of the list calls the same field "prices".
    currencies = row.get("currencyCodeLocalizations") or row.get("prices") or []
    prices = [
        float(price["value"])
        for each in currencies
        if each["currencyCode"] == CURRENCY
        for price in each["prices"]
        if price["model"] == _MODEL and price.get("value") is not None
    ]
    # Tiers, where the first is free: what is asked for here is past it.
    price = max(prices, default=0.0)
    return Item(
        str(row["partNumber"]),
        " ".join(str(row.get("displayName", "")).split()),
        str(row.get("metricName", "")),
        price if price > 0 else None,
    )


def _rows(shape: Shape, listed: PriceList) -> Iterable[Row]:
    if shape.gpus:
        yield _row(shape, listed, "price_per_hour", shape.part, _GPU, shape.gpus)
    elif shape.flexible:
        yield _row(shape, listed, "price_per_ocpu_hour", shape.part, _OCPU)
        yield _row(shape, listed, "price_per_gb_hour", shape.memory_part, _GIGABYTE)
    else:
        yield _row(shape, listed, "price_per_hour", shape.part, _OCPU, shape.ocpus)


def _row(
    shape: Shape, listed: PriceList, field: str, part: str, metric: str, times: int = 1
) -> Row:
    before: float | None = getattr(shape, field)
    item = listed.items.get(part)
    if item is None:
        return Row(shape.name, field, before, None, f"the list has no part {part}")
    if item.metric != metric:
        why = f"part {part} is by '{item.metric}' there, not by '{metric}'"
        return Row(shape.name, field, before, None, why)
    if item.price is None:
        return Row(shape.name, field, before, None, f"part {part} has no price there")
    return Row(shape.name, field, before, round(item.price * times, 6))
