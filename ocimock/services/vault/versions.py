"""Versions of a secret. Contents stay in ``Record.private`` and leave it by bundles only."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from ...service import Call
from ...store import Record
from ...wire.errors import InvalidParameter, NotAuthorizedOrNotFound

Version = dict[str, Any]

_CURRENT, _LATEST, _PREVIOUS, _PENDING, _DEPRECATED = (
    "CURRENT",
    "LATEST",
    "PREVIOUS",
    "PENDING",
    "DEPRECATED",
)


def versions(secret: Record) -> list[Version]:
    """The versions of *secret* that were not deleted, oldest first."""
    return [version for version in _all(secret) if not version.get("deleted")]


def find(secret: Record, number: int | str) -> Version:
    """:raises NotAuthorizedOrNotFound: *secret* has no version *number*."""
    for version in versions(secret):
        if str(version["versionNumber"]) == str(number):
            return version
    raise NotAuthorizedOrNotFound(f"secret {secret.id} has no version {number}")


def forget(secret: Record, number: int | None = None) -> None:
    """Delete version *number* of *secret*, or all of them, with their contents."""
    for version in _all(secret):
        if number in (None, version["versionNumber"]):
            version["deleted"] = True
            version.pop("content", None)


def _all(secret: Record) -> list[Version]:
    found: list[Version] = secret.private.setdefault("versions", [])
    return found


def add_version(call: Call, secret: Record, content: dict[str, Any]) -> None:
    """Add a version that holds *content* (the API's ``secretContent``).

    :raises InvalidParameter: content is not BASE64, or the version's name is taken. The message
        never shows the content.
    """
    _check_base64(content.get("content"))
    name = content.get("name")
    if name is not None and any(version["name"] == name for version in versions(secret)):
        raise InvalidParameter(f"secretContent.name: a version '{name}' exists already")
    for version in versions(secret):
        version["stages"] = [stage for stage in version["stages"] if stage != _LATEST]
        if not version["stages"]:
            version["stages"] = [_DEPRECATED]
    number = len(_all(secret)) + 1
    added = {
        "versionNumber": number,
        "name": name,
        "timeCreated": call.cloud.clock.timestamp(),
        "stages": [_LATEST],
        "content": content["content"],
    }
    _all(secret).append(added)
    if content.get("stage") == _PENDING:
        added["stages"] = [_PENDING, _LATEST]
        return
    promote(secret, number)


def promote(secret: Record, number: int) -> None:
    """Make version *number* the current one.

    :raises InvalidParameter: there is no such version.
    """
    if not any(version["versionNumber"] == number for version in versions(secret)):
        raise InvalidParameter(f"currentVersionNumber: secret {secret.id} has no version {number}")
    for version in versions(secret):
        stages = [stage for stage in version["stages"] if stage == _LATEST]
        if version["versionNumber"] == number:
            stages = [_CURRENT, *stages]
        elif _CURRENT in version["stages"]:
            stages = [_PREVIOUS, *stages]
        elif _PREVIOUS not in version["stages"] and not stages:
            stages = version["stages"]
        version["stages"] = stages or [_DEPRECATED]
    secret.data["currentVersionNumber"] = number


def _check_base64(content: str | None) -> None:
    if not content:
        raise InvalidParameter("secretContent.content must be given")
    try:
        base64.b64decode(content, validate=True)
    except binascii.Error:
        # Not chained: the cause would carry nothing secret today, but need not tomorrow.
        raise InvalidParameter("secretContent.content must be BASE64") from None
