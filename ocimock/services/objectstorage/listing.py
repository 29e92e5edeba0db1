"""Lists of objects and of their versions, by prefix, delimiter and range of names."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import dropwhile, islice
from typing import Any

from ...service import Call
from ...store import Record
from ...wire.errors import InvalidParameter
from ...wire.message import Response
from . import service_packs, versions
from .base import SERVICE, find_bucket
from .names import Names, behind

# Entries in one answer. Source: API reference of ListObjects.
_MOST = 1000
_FIELDS = (
    "name",
    "size",
    "etag",
    "md5",
    "timeCreated",
    "timeModified",
    "storageTier",
    "archivalState",
)


@dataclass(frozen=True)
class _Asked:
    """What a list asks for."""

    prefix: str
    delimiter: str
    start: str
    start_after: str
    end: str
    limit: int
    fields: tuple[str, ...]

    @classmethod
    def of(cls, call: Call) -> _Asked:
        delimiter = call.query("delimiter") or ""
        if delimiter not in ("", "/"):
            raise InvalidParameter(f"delimiter '{delimiter}': only '/' is supported")
        values = call.request.query.get("fields", ())
        fields = tuple(name for value in values for name in value.split(",") if name)
        for name in fields:
            if name not in _FIELDS:
                raise InvalidParameter(f"fields: '{name}' is not one of {', '.join(_FIELDS)}")
        return cls(
            prefix=call.query("prefix") or "",
            delimiter=delimiter,
            start=call.query("start") or "",
            start_after=call.query("startAfter") or "",
            end=call.query("end") or "",
            limit=min(call.int_query("limit", _MOST), _MOST),
            fields=fields,
        )

    def first(self) -> str:
        """Where in the names to begin."""
        after = self.start_after + "\0" if self.start_after else ""
        return max(self.prefix, self.start, after)

    def behind_last(self) -> str:
        """Where in the names to stop."""
        last = behind(self.prefix)
        return min(last, self.end) if self.end else last

    def folder(self, name: str) -> str | None:
        """The prefix that stands for *name* and its likes, if the delimiter makes one."""
        rest = name[len(self.prefix) :]
        if not self.delimiter or self.delimiter not in rest:
            return None
        return self.prefix + rest.split(self.delimiter, 1)[0] + self.delimiter


@SERVICE.operation("list_objects")
def _list_objects(call: Call) -> Response:
    asked = _Asked.of(call)
    if service_packs.is_meant(call):
        packs = service_packs.names(asked.prefix)
        return Response.of_json({"objects": [{"name": name} for name in packs], "prefixes": []})
    bucket = find_bucket(call)
    names = versions.names(call.cloud, bucket)

    def present(name: str) -> Sequence[Record]:
        latest = versions.latest_among(call.cloud, names, name)
        return (latest,) if latest is not None else ()

    if asked.delimiter:
        found = _entries(names, asked, present, asked.first())
    else:
        found = _present(names, asked)
    entries = list(islice(found, asked.limit + 1))
    objects, prefixes = _split(entries[: asked.limit], asked)
    answer: dict[str, Any] = {"objects": objects, "prefixes": prefixes}
    if len(entries) > asked.limit:
        answer["nextStartWith"] = entries[asked.limit][0]
    return Response.of_json(answer)


@SERVICE.operation("list_object_versions")
def _list_object_versions(call: Call) -> Response:
    bucket = find_bucket(call)
    asked = _Asked.of(call)
    first, version = _from_page(call.query("page")) or (asked.first(), "")

    def every(name: str) -> Sequence[Record]:
        found = versions.history(call.cloud, bucket, name)
        if name != first or not version:
            return list(found)
        return list(dropwhile(lambda record: record.id != version, found))

    names = versions.names(call.cloud, bucket)
    entries = list(islice(_entries(names, asked, every, first), asked.limit + 1))
    items, prefixes = _split(entries[: asked.limit], asked, with_versions=True)
    response = Response.of_json({"items": items, "prefixes": prefixes})
    if len(entries) > asked.limit:
        name, record = entries[asked.limit]
        response.headers["opc-next-page"] = _to_page(name, record.id if record else "")
    return response


def _to_page(name: str, version: str) -> str:
    return base64.urlsafe_b64encode(json.dumps([name, version]).encode()).decode()


def _from_page(page: str | None) -> tuple[str, str] | None:
    if page is None:
        return None
    try:
        name, version = json.loads(base64.urlsafe_b64decode(page))
    except (ValueError, TypeError):
        raise InvalidParameter(f"page '{page}' is not a token that this list gave out") from None
    return str(name), str(version)


def _present(names: Names, asked: _Asked) -> Iterator[tuple[str, Record | None]]:
    """The objects that there are, in order; no delimiter makes prefixes of them."""
    place, end = names.place(asked.first()), names.place(asked.behind_last())
    for record in names.newest_between(place, end):
        if not record.data["isDeleteMarker"]:
            yield record.data["name"], record


def _entries(
    names: Names, asked: _Asked, of_name: Callable[[str], Sequence[Record]], first: str
) -> Iterator[tuple[str, Record | None]]:
    """The entries from *first* on, in order: records, and names of prefixes with None."""
    end = names.place(asked.behind_last())
    place = names.place(first)
    if not asked.delimiter:
        for name in names.between(place, end):
            for record in of_name(name):
                yield name, record
        return
    while place < end:
        name = names.at(place)
        folder = asked.folder(name)
        if folder is None:
            for record in of_name(name):
                yield name, record
            place += 1
        # A client that goes on after a prefix has seen it.
        elif folder == asked.start_after:
            place = names.place(behind(folder))
        elif not of_name(name):
            place += 1
        else:
            yield folder, None
            place = names.place(behind(folder))


def _split(
    entries: list[tuple[str, Record | None]], asked: _Asked, *, with_versions: bool = False
) -> tuple[list[dict[str, Any]], list[str]]:
    fields = ("name", *asked.fields)
    if with_versions:
        fields += ("versionId", "isDeleteMarker", "timeModified")
    objects = [
        {wire: value for wire in fields if (value := record.data.get(wire)) is not None}
        for _, record in entries
        if record is not None
    ]
    return objects, [name for name, record in entries if record is None]
