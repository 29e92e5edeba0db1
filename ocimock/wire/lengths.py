"""How long OCI lets names, descriptions and tags be. The SDK's models do not say.

Sources: OCI's API reference ("Minimum Length", "Maximum Length" of the fields) and documentation,
"Tagging Overview", "Limits on Tags".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .errors import InvalidParameter

_DISPLAY_NAME = 255
# By the SDK's package; names in other services have rules of their own, which those check.
_LONGEST = {
    ("oci.identity.models", "name"): 100,
    ("oci.identity.models", "description"): 400,
    ("oci.vault.models", "secretName"): 255,
    ("oci.vault.models", "description"): 1024,
}
_TAGS, _TAG_KEY, _TAG_VALUE = 10, 100, 256
_DEFINED_TAGS = 64
# What a tag's key must not hold.
_NOT_IN_KEYS = frozenset(" .")


def longest(module: str, wire: str) -> int | None:
    """The most characters of field *wire* in models of SDK package *module*; None: not known."""
    return _LONGEST.get((module, wire), _DISPLAY_NAME if wire == "displayName" else None)


def check_text(value: str, most: int, where: str) -> None:
    """:raises InvalidParameter: *value* has more characters than *most*."""
    if len(value) > most:
        raise InvalidParameter(f"{where}: {len(value)} characters are given, {most} are allowed")


def check_free_tags(tags: Mapping[str, Any], where: str) -> None:
    """:raises InvalidParameter: too many free-form tags, or one is too long."""
    if len(tags) > _TAGS:
        raise InvalidParameter(f"{where}: {len(tags)} tags are given, {_TAGS} are allowed")
    _check_pairs(tags, where)


def check_defined_tags(namespaces: Mapping[str, Any], where: str) -> None:
    """:raises InvalidParameter: too many defined tags, or one is too long."""
    count = sum(len(tags) for tags in namespaces.values())
    if count > _DEFINED_TAGS:
        raise InvalidParameter(f"{where}: {count} tags are given, {_DEFINED_TAGS} are allowed")
    for namespace, tags in namespaces.items():
        _check_pairs(tags, f"{where}.{namespace}")


def _check_pairs(tags: Mapping[str, Any], where: str) -> None:
    for key, value in tags.items():
        if not 1 <= len(key) <= _TAG_KEY or not _NOT_IN_KEYS.isdisjoint(key):
            raise InvalidParameter(
                f"{where}: the key '{key[:_TAG_KEY]}' is not allowed; a key has 1 to {_TAG_KEY} "
                "characters, none of them a space or a period"
            )
        if isinstance(value, str):
            check_text(value, _TAG_VALUE, f"{where}.{key}")
