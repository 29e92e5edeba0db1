"""Secret bundles: the one way by which a secret's content leaves the mock."""

from __future__ import annotations

from typing import Any

from ...deletion import PENDING
from ...resources import get_live, in_region, page
from ...service import Call
from ...store import Record
from ...wire.errors import NotAuthorizedOrNotFound
from ...wire.message import Response
from .base import SERVICE
from .secrets import SECRET
from .versions import Version, ordered, versions


@SERVICE.operation("get_secret_bundle")
def _get(call: Call) -> Response:
    return _bundle(call, _readable(get_live(call, SECRET)))


@SERVICE.operation("get_secret_bundle_by_name")
def _get_by_name(call: Call) -> Response:
    name, vault = call.query("secretName"), call.query("vaultId")
    for secret in call.cloud.store.live(SECRET.name):
        if (
            secret.data["secretName"] == name
            and secret.data["vaultId"] == vault
            and in_region(call, SECRET, secret)
        ):
            return _bundle(call, _readable(secret))
    raise NotAuthorizedOrNotFound(f"vault {vault} has no secret '{name}'")


@SERVICE.operation("list_secret_bundle_versions")
def _list_versions(call: Call) -> Response:
    secret = _readable(get_live(call, SECRET))
    found = [_shown(secret, version) for version in ordered(call, secret)]
    return page(call, found, collection=False)


def _readable(secret: Record) -> Record:
    if secret.data["lifecycleState"] == PENDING:
        raise NotAuthorizedOrNotFound(f"secret {secret.id} is in {PENDING}")
    return secret


def _bundle(call: Call, secret: Record) -> Response:
    version = _pick(call, secret)
    content = {"contentType": "BASE64", "content": version["content"]}
    shown = _shown(secret, version) | {"secretBundleContent": content}
    return Response.of_json(shown, etag=secret.etag)


def _pick(call: Call, secret: Record) -> Version:
    """The version that the query names: by number, name or stage, the current one by default."""
    number, name = call.query("versionNumber"), call.query("secretVersionName")
    stage = call.query("stage") or "CURRENT"
    for version in versions(secret):
        if number is not None:
            fits = str(version["versionNumber"]) == number
        elif name is not None:
            fits = version["name"] == name
        else:
            fits = stage in version["stages"]
        if fits:
            return version
    raise NotAuthorizedOrNotFound(
        f"secret {secret.id} has no version {number or name or f'in stage {stage}'}"
    )


def _shown(secret: Record, version: Version) -> dict[str, Any]:
    return {
        "secretId": secret.id,
        "versionNumber": version["versionNumber"],
        "versionName": version["name"],
        "timeCreated": version["timeCreated"],
        "stages": version["stages"],
        "metadata": secret.data.get("metadata"),
    }
