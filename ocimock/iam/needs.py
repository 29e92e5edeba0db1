"""The tables of :mod:`ocimock.iam.operations`, read."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Literal

from ..identifiers import region_key
from .operations import ACTS, TABLES

Source = Literal["own target", "body", "record", "named"]
Absent = Literal["refuse", "skip", "unchanged"]

_MARKS = ("own", "free", "open")


@dataclass(frozen=True)
class Place:
    """Where a need's target is found; see :mod:`ocimock.iam.operations` for each.

    *fields* are tried in turn. *absent*: what it means that the body has none of them, or (for
    ``unchanged``) the value that is there already.
    """

    source: Source = "own target"
    fields: tuple[str, ...] = ()
    absent: Absent = "refuse"


@dataclass(frozen=True)
class Need:
    """One of *permissions* on what is at *place*.

    *by_existence*: the first where the object is new, the second where it is there.
    """

    permissions: tuple[str, ...]
    place: Place = Place()
    by_existence: bool = False

    @property
    def always(self) -> bool:
        """Whether there is no call of the operation without this need."""
        return self.place.absent == "refuse"


@dataclass(frozen=True)
class Needs:
    """All that an operation needs, and the marks that its line has."""

    needs: tuple[Need, ...]
    own: bool = False
    free: bool = False
    open: bool = False


def needs_of(service: str, operation: str) -> Needs | None:
    """What *operation* needs; None where the tables have no line for it."""
    return table(service).get(operation)


@functools.cache
def table(service: str) -> dict[str, Needs]:
    """The needs of all operations of a service, none for a service without a table."""
    found = {}
    for line in TABLES.get(service, "").strip().splitlines():
        name, *words = line.split()
        needs = tuple(_need(word) for word in words if word not in _MARKS)
        found[name] = Needs(needs, "own" in words, "free" in words, "open" in words)
    return found


def api_name(operation: str) -> str:
    """The operation's name in OCI's API: ``get_object`` is GetObject there."""
    if operation in ACTS:
        return ACTS[operation]
    return "".join(part.capitalize() for part in operation.split("_"))


def request_variables(operation: str, region: str) -> dict[str, tuple[str, ...]]:
    """What conditions may ask of a request itself, by the SDK's name of its operation."""
    return {"request.operation": (api_name(operation),), "request.region": (region_key(region),)}


def _need(word: str) -> Need:
    permissions, _, place = word.partition("@")
    by_existence = "^" in permissions
    names = permissions.split("^" if by_existence else "|")
    return Need(tuple(names), _place(place), by_existence)


def _place(text: str) -> Place:
    if not text:
        return Place()
    if text.startswith("<"):
        name = text.strip("<>?")
        return Place("named", (name,), "skip" if text.endswith("?") else "refuse")
    if text.startswith("."):
        return Place("record", (text[1:],))
    absent: Absent = "refuse"
    if text.endswith("?"):
        absent = "skip"
    elif text.endswith("!"):
        absent = "unchanged"
    return Place("body", tuple(text.rstrip("?!").split("~")), absent)
