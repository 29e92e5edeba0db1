"""Which tag namespaces a call uses: tags decide over rights, in conditions and dynamic groups."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from .target import Target
from .targets import bucket_of, of_record, path_record

if TYPE_CHECKING:
    from ..service import Call


def tag_namespaces(call: Call) -> Iterator[Target]:
    """The namespaces whose tags the call puts on, changes or takes off.

    Source: OCI documentation, "Required Permissions for Working with Defined Tags".
    """
    if call.request.method not in ("POST", "PUT") or not call.operation.body_model:
        return
    given = call.body().get("definedTags")
    if given is None:
        return
    record = path_record(call) or bucket_of(call)
    before = record.data.get("definedTags") if record and _is_update(call) else None
    changed = {
        name.casefold()
        for name in {*given, *(before or ())}
        if given.get(name) != (before or {}).get(name)
    }
    there = {item.data["name"].casefold(): item for item in call.cloud.store.live("tagnamespace")}
    for name in sorted(changed):
        found = there.get(name)
        yield of_record(call.cloud, found) if found else Target(call.cloud.settings.tenancy_id)


def _is_update(call: Call) -> bool:
    return call.operation.name.startswith("update_")
