"""What a plan would change, out of the JSON that ``terraform show`` writes of it.

Source of its form: Terraform's documentation, "JSON output format", version 1.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

SENSITIVE = "(sensitive)"
UNKNOWN = "(known after apply)"

_LONG = 80  # characters of a value that a table shows
_LEAD = 20  # of them, those before the place where two values begin to differ
# CDKTF's own outputs, which carry a value from one stack to another: it stands in both anyway.
_BETWEEN_STACKS = "cross-stack-output-"


class Action(StrEnum):
    """What becomes of a resource, the worst first."""

    DESTROY = "destroy"
    REPLACE = "replace"
    CHANGE = "change"
    CREATE = "create"
    IMPORT = "import"
    FORGET = "forget"


LOSES = (Action.DESTROY, Action.REPLACE)
"""The actions after which something is gone."""

_ACTIONS = {
    ("create",): Action.CREATE,
    ("update",): Action.CHANGE,
    ("delete",): Action.DESTROY,
    ("delete", "create"): Action.REPLACE,
    ("create", "delete"): Action.REPLACE,
    ("forget",): Action.FORGET,
    ("create", "forget"): Action.REPLACE,
}


@dataclass(frozen=True)
class Attribute:
    """One attribute that changes; the values are as a table shows them.

    :param forces: whether it is why the resource is replaced.
    """

    name: str
    before: str
    after: str
    forces: bool = False


@dataclass(frozen=True)
class Change:
    """One resource that a plan changes."""

    address: str
    action: Action
    attributes: tuple[Attribute, ...] = ()


@dataclass(frozen=True)
class OutputChange:
    """One output that a plan changes; the values are plain data, or one of the words above."""

    name: str
    before: Any
    after: Any


def resources(document: Mapping[str, Any] | None) -> tuple[Change, ...]:
    """The resources that a plan changes, the worst first."""
    return _sorted(_resource(entry) for entry in (document or {}).get("resource_changes", ()))


def behind(document: Mapping[str, Any] | None) -> tuple[Change, ...]:
    """What somebody changed since the last apply, in the attributes that the configuration sets.

    What OCI itself counts there (a bucket's objects, a state, a time) changes every day.
    """
    if document is None:
        return ()
    root = document.get("configuration", {}).get("root_module", {})
    configured = root.get("resources", ())
    set_here = {each["address"]: set(each.get("expressions", ())) for each in configured}
    found = []
    for entry in document.get("resource_drift", ()):
        change = _resource(entry)
        names = set_here.get(re.sub(r"\[.*\]$", "", entry["address"]), set())
        if change and change.action is Action.CHANGE:
            kept = tuple(each for each in change.attributes if each.name in names)
            change = Change(change.address, change.action, kept) if kept else None
        found.append(change)
    return _sorted(found)


def outputs(document: Mapping[str, Any] | None) -> tuple[OutputChange, ...]:
    """The outputs that a plan changes."""
    entries = (document or {}).get("output_changes", {})
    return tuple(
        OutputChange(name, *_values(change))
        for name, change in sorted(entries.items())
        if change["actions"] != ["no-op"] and not name.startswith(_BETWEEN_STACKS)
    )


def changed_output_names(document: Mapping[str, Any] | None) -> frozenset[str]:
    """Every output that a plan changes, with those that only other stacks read."""
    entries = (document or {}).get("output_changes", {})
    return frozenset(name for name, change in entries.items() if change["actions"] != ["no-op"])


def _sorted(found: Iterable[Change | None]) -> tuple[Change, ...]:
    order = list(Action)
    changes = [change for change in found if change]
    return tuple(sorted(changes, key=lambda change: (order.index(change.action), change.address)))


def _resource(entry: Mapping[str, Any]) -> Change | None:
    change = entry["change"]
    action = _ACTIONS.get(tuple(change["actions"]))
    if action is None and change.get("importing"):
        action = Action.IMPORT
    if action is None or entry.get("mode") == "data":
        return None
    attributes: tuple[Attribute, ...] = ()
    if action in (Action.CHANGE, Action.REPLACE):
        attributes = tuple(_attributes(change))
    if action is Action.REPLACE and _is_rewritten(entry, attributes):
        action = Action.CHANGE
    return Change(entry["address"], action, attributes)


def _is_rewritten(entry: Mapping[str, Any], attributes: Iterable[Attribute]) -> bool:
    """Whether it is a file in a bucket with another text: Terraform's word for that is replace.

    Nothing is lost then that is not in the repository; each changed script would else look like
    the loss of a bucket.
    """
    forcing = {each.name for each in attributes if each.forces}
    return entry["type"] == "oci_objectstorage_object" and forcing == {"content"}


def _attributes(change: Mapping[str, Any]) -> Iterable[Attribute]:
    before, after = change.get("before") or {}, change.get("after") or {}
    forcing = {str(path[0]) for path in change.get("replace_paths", ()) if path}
    for name in sorted({*before, *after, *forcing}):
        old, new = _attribute(change, name, "before"), _attribute(change, name, "after")
        # What is only computed anew says nothing; Terraform marks all of it at each change.
        known = new != UNKNOWN or name in forcing
        if known and (before.get(name) != after.get(name) or name in forcing):
            yield Attribute(name, *shortened(old, new), name in forcing)


def _attribute(change: Mapping[str, Any], name: str, side: str) -> Any:
    if side == "after" and _part(change.get("after_unknown"), name):
        return UNKNOWN
    if _part(change.get(f"{side}_sensitive"), name):
        return SENSITIVE
    return (change.get(side) or {}).get(name)


def shortened(before: Any, after: Any) -> tuple[str, str]:
    """Two values on one line each, with the place in them where they differ."""
    old, new = _line(before), _line(after)
    pairs = zip(old, new, strict=False)
    start = next((n for n, (one, other) in enumerate(pairs) if one != other), 0) - _LEAD
    if start <= 0 or max(len(old), len(new)) <= _LONG:
        start = 0
    return _window(old, start), _window(new, start)


def _line(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True)
    return " ".join(text.split())


def _window(line: str, start: int) -> str:
    part = line[start : start + _LONG]
    return f"{'…' if start else ''}{part}{'…' if start + _LONG < len(line) else ''}"


def _part(marks: Any, name: str) -> bool:
    """Whether *marks*, a tree of true where something holds, has any for an attribute."""
    if isinstance(marks, Mapping):
        return _any(marks.get(name))
    return bool(marks)


def _any(marks: Any) -> bool:
    if isinstance(marks, Mapping):
        return any(_any(part) for part in marks.values())
    if isinstance(marks, list):
        return any(_any(part) for part in marks)
    return bool(marks)


def _values(change: Mapping[str, Any]) -> tuple[Any, Any]:
    before, after = change.get("before"), change.get("after")
    if _any(change.get("before_sensitive")) or _any(change.get("after_sensitive")):
        return SENSITIVE, SENSITIVE
    unknown = change.get("after_unknown")
    if unknown is True:
        return before, UNKNOWN
    if isinstance(unknown, Mapping):
        later = {key: UNKNOWN for key, mark in unknown.items() if _any(mark)}
        after = {**(after or {}), **later}
    return before, after
