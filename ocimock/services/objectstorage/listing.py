"""Lists of objects and of their versions, by prefix, delimiter and range of names."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from ...service import Call
from ...store import Record
from ...wire.errors import InvalidParameter
from ...wire.message import Response
from . import versions
from .base import SERVICE, find_bucket

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

    def wants(self, name: str) -> bool:
        """Whether an object's name lies in the asked range."""
        return (
            name.startswith(self.prefix)
            and name >= self.start
            and (not self.start_after or name > self.start_after)
            and (not self.end or name < self.end)
        )

    def folder(self, name: str) -> str | None:
        """The prefix that stands for *name* and its likes, if the delimiter makes one."""
        rest = name[len(self.prefix) :]
        if not self.delimiter or self.delimiter not in rest:
            return None
        return self.prefix + rest.split(self.delimiter, 1)[0] + self.delimiter


@SERVICE.operation("list_objects")
def _list_objects(call: Call) -> Response:
    bucket = find_bucket(call)
    asked = _Asked.of(call)

    def present(name: str) -> Iterator[Record]:
        found = versions.latest(call.cloud, bucket, name)
        return iter([found] if found else [])

    entries = list(_entries(bucket, asked, present))
    objects, prefixes = _split(entries[: asked.limit], asked)
    answer: dict[str, Any] = {"objects": objects, "prefixes": prefixes}
    if len(entries) > asked.limit:
        answer["nextStartWith"] = entries[asked.limit][0]
    return Response.of_json(answer)


@SERVICE.operation("list_object_versions")
def _list_object_versions(call: Call) -> Response:
    bucket = find_bucket(call)
    asked = _Asked.of(call)
    page = call.query("page") or "0"
    if not page.isdigit():
        raise InvalidParameter(f"page '{page}' is not a token that this list gave out")
    first = int(page)

    def every(name: str) -> Iterator[Record]:
        return versions.history(call.cloud, bucket, name)

    entries = list(_entries(bucket, asked, every))
    items, prefixes = _split(entries[first : first + asked.limit], asked, with_versions=True)
    response = Response.of_json({"items": items, "prefixes": prefixes})
    if first + asked.limit < len(entries):
        response.headers["opc-next-page"] = str(first + asked.limit)
    return response


def _entries(
    bucket: Record, asked: _Asked, of_name: Callable[[str], Iterator[Record]]
) -> Iterator[tuple[str, Record | None]]:
    """The entries in the asked range, in order: records, and names of prefixes with None."""
    # A client that goes on after a prefix has seen it.
    seen = {asked.start_after}
    for name in versions.names(bucket):
        folder = asked.folder(name) if name.startswith(asked.prefix) else None
        if not asked.wants(name) or (folder is not None and folder in seen):
            continue
        for record in of_name(name):
            if folder is not None:
                seen.add(folder)
                yield folder, None
                break
            yield name, record


def _split(
    entries: list[tuple[str, Record | None]], asked: _Asked, *, with_versions: bool = False
) -> tuple[list[dict[str, Any]], list[str]]:
    records = [_summary(record, asked, with_versions) for _, record in entries if record]
    return records, [name for name, record in entries if record is None]


def _summary(record: Record, asked: _Asked, with_versions: bool) -> dict[str, Any]:
    fields = ("name", *asked.fields)
    if with_versions:
        fields += ("versionId", "isDeleteMarker", "timeModified")
    return {wire: record.data[wire] for wire in fields if record.data.get(wire) is not None}
