"""API keys of users: the public keys by which their signed requests are known."""

from __future__ import annotations

from typing import Any

from ...cloud import Cloud, resumed, seed
from ...iam import keys
from ...resources import check_etag, require
from ...service import Call
from ...store import Record
from ...wire.errors import (
    AlreadyExists,
    InvalidParameter,
    LimitExceeded,
    NotAuthorizedOrNotFound,
)
from ...wire.message import Response
from .base import SERVICE, at_home
from .principals import USER


class ApiKeyExists(AlreadyExists):
    """The user has this key already."""

    code = "ApiKeyAlreadyExists"


@resumed
@seed
def trust(cloud: Cloud) -> None:
    """Have the seeded user's own key be one of its API keys, unless it is already."""
    settings = cloud.settings
    if not settings.public_key:
        return
    identifier = keys.record_id(settings.user_id, keys.fingerprint(settings.public_key))
    found = cloud.store.find(keys.API_KEY, identifier)
    if found is None or found.deleted:
        keys.add(cloud, settings.user_id, settings.public_key, seeded=True)


@SERVICE.operation("upload_api_key")
@at_home
def _upload(call: Call) -> Response:
    user = require(call.cloud, USER.name, call.path["userId"])
    pem = str(call.body()["key"])
    _check(pem)
    present = _of(call.cloud, user)
    if keys.fingerprint(pem) in [key.data["fingerprint"] for key in present]:
        raise ApiKeyExists(f"user {user.id} has the key {keys.fingerprint(pem)} already")
    if len(present) >= keys.MOST:
        raise LimitExceeded(f"user {user.id} has {keys.MOST} API keys, the most that there can be")
    record = keys.add(call.cloud, user.id, pem)
    return Response.of_json(record.data, etag=record.etag)


@SERVICE.operation("list_api_keys")
def _list(call: Call) -> Response:
    user = require(call.cloud, USER.name, call.path["userId"])
    found: list[dict[str, Any]] = [key.data for key in _of(call.cloud, user)]
    return Response.of_json(found)


@SERVICE.operation("delete_api_key")
@at_home
def _delete(call: Call) -> Response:
    user = require(call.cloud, USER.name, call.path["userId"])
    identifier = keys.record_id(user.id, call.path["fingerprint"])
    key = call.cloud.store.find(keys.API_KEY, identifier)
    if key is None or key.deleted:
        raise NotAuthorizedOrNotFound(
            f"Authorization failed or requested resource not found: API key "
            f"{call.path['fingerprint']} of {user.id}"
        )
    check_etag(call, key)
    key.deleted = True
    key.data["lifecycleState"] = "DELETED"
    return Response(204)


def _check(pem: str) -> None:
    """:raises InvalidParameter: no RSA public key in PEM, or one that is too short."""
    try:
        key = keys.public_key(pem)
        keys.fingerprint(pem)
    except ValueError as fault:
        raise InvalidParameter(f"key must be an RSA public key in PEM format: {fault}") from None
    if key.key_size < keys.LEAST_BITS:
        raise InvalidParameter(
            f"key: {key.key_size} bits; the least that there can be is {keys.LEAST_BITS}"
        )


def _of(cloud: Cloud, user: Record) -> list[Record]:
    return [key for key in cloud.store.live(keys.API_KEY) if key.data["userId"] == user.id]
