"""Secrets."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from ... import deletion
from ...clock import format_time
from ...cloud import Cloud, event
from ...limits import counts_in
from ...resources import (
    Kind,
    add,
    change,
    check_etag,
    crud,
    get_live,
    get_settled,
    list_,
    page,
    pass_update,
    require,
    show,
)
from ...service import Call
from ...store import Record
from ...wire.errors import (
    Conflict,
    InvalidParameter,
    MissingParameter,
)
from ...wire.message import Response
from . import generation
from .base import SERVICE
from .versions import Version, add_version, find, forget, ordered, promote, versions

SECRET = Kind(
    name="vaultsecret",
    model="Secret",
    path_id="secretId",
    noun="secret",
    plural="secrets",
    unique=("vaultId", "secretName"),
    defaults=(("isAutoGenerationEnabled", False), ("isReplica", False)),
    create_seconds=0.5,
    update_seconds=0.3,
    # A name stays taken while its secret waits to be deleted, and OCI calls that a wrong parameter.
    duplicate=InvalidParameter,
)
# A secret that waits to be deleted counts too.
counts_in(SECRET.name)
# Days. Source: OCI's API reference, ScheduleSecretDeletion.
_EARLIEST_DELETION = 1
_DUE = "timeOfDeletion"
_NAME = re.compile(r"[A-Za-z0-9_.-]+")


@SERVICE.operation("create_secret")
def _create(call: Call) -> Response:
    body = call.body()
    _check_name(body["secretName"])
    content = generation.wanted(body, {}) or body.get("secretContent")
    if content is None:
        raise MissingParameter("secretContent must be given")
    _check_key(call, body)

    def fill(call: Call, record: Record) -> None:
        add_version(call, record, content)
        record.data["isAutoGenerationEnabled"] = bool(body.get("enableAutoGeneration"))
        call.cloud.limits.claim(record, call.region, {"max-secrets-per-tenancy-count": 1})

    return show(add(call, SECRET, body, fill))


@SERVICE.operation("list_secrets")
def _list(call: Call) -> Response:
    return list_(call, SECRET, names={"name": "secretName"})


@SERVICE.operation("update_secret")
def _update(call: Call) -> Response:
    record = get_settled(call, SECRET)
    deletion.refuse_pending(record)
    body = call.body()
    content = generation.wanted(body, record.data) or body.get("secretContent")
    number = body.pop("currentVersionNumber", None)
    if content is not None and number is not None:
        raise InvalidParameter("secretContent and currentVersionNumber can't both be given")
    if content is not None:
        add_version(call, record, content)
    if "enableAutoGeneration" in body:
        record.data["isAutoGenerationEnabled"] = body["enableAutoGeneration"]
    if number is not None:
        promote(record, number)
    change(call, SECRET, record, body)
    pass_update(call.cloud, SECRET, record)
    return show(record)


@SERVICE.operation("schedule_secret_deletion")
def _schedule_deletion(call: Call) -> Response:
    deletion.schedule(call, SECRET, earliest=_EARLIEST_DELETION)
    return Response(204)


@SERVICE.operation("cancel_secret_deletion")
def _cancel_deletion(call: Call) -> Response:
    deletion.cancel(call, SECRET)
    return Response(204)


@SERVICE.operation("list_secret_versions")
def _list_versions(call: Call) -> Response:
    secret = get_live(call, SECRET)
    return page(
        call, [_shown(secret, version) for version in ordered(call, secret)], collection=False
    )


@SERVICE.operation("get_secret_version")
def _get_version(call: Call) -> Response:
    secret = get_live(call, SECRET)
    return Response.of_json(_shown(secret, find(secret, call.path["secretVersionNumber"])))


@SERVICE.operation("schedule_secret_version_deletion")
def _schedule_version_deletion(call: Call) -> Response:
    """Only a version that is deprecated can go.

    Source: OCI documentation, "Secret Versions and Rotation States".
    """
    secret, version = _version_to_change(call)
    if version.get(_DUE):
        raise Conflict(f"version {version['versionNumber']} is to be deleted already")
    if version["stages"] != ["DEPRECATED"]:
        raise Conflict(
            f"version {version['versionNumber']} is {', '.join(version['stages'])}; only one that "
            "is DEPRECATED can be deleted"
        )
    at = deletion.time_of_deletion(call, earliest=_EARLIEST_DELETION)
    version[_DUE] = format_time(at)
    subject = f"{secret.id}/{version['versionNumber']}"
    call.cloud.clock.schedule_at(at, "vault.version.due", subject)
    return Response(204)


@SERVICE.operation("cancel_secret_version_deletion")
def _cancel_version_deletion(call: Call) -> Response:
    _, version = _version_to_change(call)
    if not version.pop(_DUE, None):
        raise Conflict(f"version {version['versionNumber']} is not to be deleted")
    return Response(204)


@event("vault.version.due")
def _version_due(cloud: Cloud, subject: str) -> None:
    identifier, number = subject.split("/")
    secret = cloud.store.find(SECRET.name, identifier)
    if secret is None or secret.deleted:
        return
    for version in versions(secret):
        at = version.get(_DUE)
        if str(version["versionNumber"]) != number or not at:
            continue
        if datetime.fromisoformat(at).timestamp() <= cloud.clock.now():
            forget(secret, version["versionNumber"])


@deletion.at_end(SECRET.name)
def _end(_cloud: Cloud, secret: Record) -> None:
    """The contents of a secret go with it."""
    forget(secret)


def _version_to_change(call: Call) -> tuple[Record, Version]:
    secret = get_live(call, SECRET)
    check_etag(call, secret)
    deletion.refuse_pending(secret)
    return secret, find(secret, call.path["secretVersionNumber"])


def _shown(secret: Record, version: Version) -> dict[str, Any]:
    """What the management API shows of a version: everything but its content."""
    shown = {name: value for name, value in version.items() if name != "content"}
    usual = {"contentType": "BASE64", "isContentAutoGenerated": False}
    return {**usual, **shown, "secretId": secret.id}


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise InvalidParameter(
            f"secretName: '{name}' is not allowed; it has letters, digits, hyphens, underscores "
            "and periods only"
        )


def _check_key(call: Call, body: dict[str, Any]) -> None:
    vault = require(call.cloud, "vault", body["vaultId"])
    deletion.refuse_pending(vault)
    key = require(call.cloud, "key", body["keyId"])
    if key.data["vaultId"] != vault.id:
        raise InvalidParameter(f"keyId: {key.id} is in vault {key.data['vaultId']}, not {vault.id}")
    if key.data["lifecycleState"] not in ("ENABLED", "CREATING"):
        raise Conflict(f"key {key.id} is {key.data['lifecycleState']}, not ENABLED")
    if key.data["keyShape"]["algorithm"] != "AES":
        raise InvalidParameter(f"keyId: secrets need an AES key; {key.id} is none")


crud(SERVICE, SECRET, only=("get", "move"))
