"""Master encryption keys and their versions."""

from __future__ import annotations

from typing import Any

from ... import deletion
from ...cloud import Cloud
from ...resources import (
    Kind,
    Lifecycle,
    add,
    check_etag,
    crud,
    get,
    get_live,
    list_,
    listed,
    show,
)
from ...service import Call
from ...store import Record
from ...wire.errors import Conflict, InvalidParameter, NotAuthorizedOrNotFound
from ...wire.message import Response
from . import material
from .base import SERVICE
from .vaults import vault_of

KEY = Kind(
    name="key",
    model="Key",
    path_id="keyId",
    noun="key",
    plural="keys",
    lifecycle=Lifecycle(active="ENABLED"),
    create_seconds=0.5,
    update_seconds=0.3,
    defaults=(
        ("protectionMode", "HSM"),
        ("isPrimary", True),
        ("isAutoRotationEnabled", False),
    ),
)
VERSION = Kind(
    name="keyversion",
    model="KeyVersion",
    path_id="keyVersionId",
    noun="key_version",
    plural="key_versions",
    lifecycle=Lifecycle("ENABLED", "ENABLED"),
    defaults=(("origin", "INTERNAL"), ("isPrimary", True), ("isAutoRotated", False)),
)

# Bytes. Source: OCI's API reference, KeyShape.length.
_LENGTHS = {"AES": (16, 24, 32), "RSA": (256, 384, 512), "ECDSA": (32, 48, 66)}
# Days. Source: OCI's API reference, ScheduleKeyDeletion.
_EARLIEST_DELETION = 7


@SERVICE.operation("create_key")
def _create(call: Call) -> Response:
    body = call.body()
    check_shape(body["keyShape"])
    return show(add(call, KEY, body, _first_version, vaultId=vault_of(call).id))


@SERVICE.operation("list_keys")
def _list(call: Call) -> Response:
    vault = vault_of(call).id
    within = [key for key in call.cloud.store.live(KEY.name) if key.data["vaultId"] == vault]
    names = {name: name for name in ("algorithm", "length", "curveId")}
    return list_(call, KEY, within=within, view=_with_shape, names=names)


def _with_shape(key: Record) -> dict[str, Any]:
    """A key with its shape's fields beside its own, as lists filter and show them."""
    return {**key.data, **key.data["keyShape"]}


@SERVICE.operation("enable_key")
def _enable(call: Call) -> Response:
    return _switch(call, "DISABLED", "ENABLED")


@SERVICE.operation("disable_key")
def _disable(call: Call) -> Response:
    return _switch(call, "ENABLED", "DISABLED")


@SERVICE.operation("schedule_key_deletion")
def _schedule_deletion(call: Call) -> Response:
    return show(deletion.schedule(call, KEY, earliest=_EARLIEST_DELETION))


@SERVICE.operation("cancel_key_deletion")
def _cancel_deletion(call: Call) -> Response:
    return show(deletion.cancel(call, KEY))


@deletion.at_end(KEY.name)
def _end(cloud: Cloud, key: Record) -> None:
    """A key's versions go with it."""
    for version in list(cloud.store.live_to_change(VERSION.name)):
        if version.data["keyId"] == key.id:
            deletion.end(cloud, version)


@SERVICE.operation("schedule_key_version_deletion")
def _schedule_version_deletion(call: Call) -> Response:
    version = _version(call)
    key = get_live(call, KEY)
    if key.data["currentKeyVersion"] == version.id:
        raise Conflict(f"{version.id} is the current version of key {key.id}")
    return show(deletion.schedule(call, VERSION, earliest=_EARLIEST_DELETION))


@SERVICE.operation("cancel_key_version_deletion")
def _cancel_version_deletion(call: Call) -> Response:
    _version(call)
    return show(deletion.cancel(call, VERSION))


@SERVICE.operation("create_key_version")
def _rotate(call: Call) -> Response:
    key = get_live(call, KEY)
    if key.data["lifecycleState"] != "ENABLED":
        raise Conflict(f"key {key.id} is {key.data['lifecycleState']}, not ENABLED")
    return show(_new_version(call, key))


@SERVICE.operation("get_key_version")
def _get_version(call: Call) -> Response:
    return show(_version(call, get(call, VERSION)))


def _version(call: Call, version: Record | None = None) -> Record:
    """The version that the path names, by default a live one.

    :raises NotAuthorizedOrNotFound: it is none of the key's.
    """
    version = version or get_live(call, VERSION)
    if version.data["keyId"] != call.path["keyId"]:
        raise NotAuthorizedOrNotFound(f"{version.id} is not a version of {call.path['keyId']}")
    return version


@SERVICE.operation("list_key_versions")
def _list_versions(call: Call) -> Response:
    key = get_live(call, KEY)
    found = call.cloud.store.live(VERSION.name)
    return listed(call, [version for version in found if version.data["keyId"] == key.id])


def _switch(call: Call, before: str, after: str) -> Response:
    key = get_live(call, KEY)
    check_etag(call, key)
    if key.data["lifecycleState"] != before:
        raise Conflict(f"key {key.id} is {key.data['lifecycleState']}, not {before}")
    key.data["lifecycleState"] = after
    key.etag = call.cloud.ids.token(16)
    return show(key)


def _first_version(call: Call, key: Record) -> None:
    _new_version(call, key)


def _new_version(call: Call, key: Record) -> Record:
    fields = {name: key.data[name] for name in ("compartmentId", "vaultId")}
    version = add(call, VERSION, {**fields, "keyId": key.id})
    # A version comes and goes with its key: it does not stand for itself.
    version.history = True
    material.make(version, key.data["keyShape"])
    key.data["currentKeyVersion"] = version.id
    return version


def check_shape(shape: dict[str, Any]) -> None:
    """:raises InvalidParameter: the algorithm has no keys of this length."""
    allowed = _LENGTHS[shape["algorithm"]]
    if shape["length"] not in allowed:
        lengths = ", ".join(str(length) for length in allowed)
        raise InvalidParameter(
            f"keyShape.length: {shape['length']} is not allowed for {shape['algorithm']}; "
            f"it is one of {lengths} bytes"
        )


crud(SERVICE, KEY, only=("get", "update", "move"))
crud(SERVICE, VERSION, only=())
