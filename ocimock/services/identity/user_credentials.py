"""Auth tokens and customer secret keys of users: shown once, when they are made.

Nothing in the mock takes them; they are what Terraform and scripts make for other tools.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from functools import partial
from typing import Any

from ...resources import Kind, Lifecycle, add, bury, change, check_etag, crud, get_live, show
from ...service import Call
from ...store import Record
from ...wire.errors import LimitExceeded, NotAuthorizedOrNotFound
from ...wire.message import Response
from .base import SERVICE, at_home
from .principals import USER

# Source: OCI documentation, "Managing User Credentials": two of each kind for a user.
_MOST = 2
_SECRET_BYTES = 15


@dataclass(frozen=True)
class Credential:
    """A kind of credential, and the field that holds its secret in the answer to its creation."""

    kind: Kind
    secret: str
    # What a creation takes from the body.
    label: str


_CREDENTIALS = (
    Credential(
        Kind(
            name="credential",
            model="AuthToken",
            path_id="authTokenId",
            noun="auth_token",
            plural="auth_tokens",
            regional=False,
            lifecycle=Lifecycle("ACTIVE", "ACTIVE"),
        ),
        secret="token",
        label="description",
    ),
    Credential(
        Kind(
            name="credentialsecretkey",
            model="CustomerSecretKey",
            path_id="customerSecretKeyId",
            noun="customer_secret_key",
            plural="customer_secret_keys",
            regional=False,
            lifecycle=Lifecycle("ACTIVE", "ACTIVE"),
        ),
        secret="key",
        label="displayName",
    ),
)


def _create(call: Call, what: Credential) -> Response:
    """:raises LimitExceeded: the user has two already."""
    user = get_live(call, USER)
    if len(_of(call, what, user)) >= _MOST:
        raise LimitExceeded(f"user {user.id} has {_MOST} {what.kind.plural} already")
    body = {what.label: call.body()[what.label]}
    record = add(call, what.kind, body, userId=user.id)
    # A credential goes with its user: it does not stand for itself.
    record.history = True
    shown: dict[str, Any] = {**record.data, what.secret: secrets.token_urlsafe(_SECRET_BYTES)}
    return Response.of_json(shown, etag=record.etag)


def _list(call: Call, what: Credential) -> Response:
    """Newest first, without their secrets: these are kept nowhere."""
    found = _of(call, what, get_live(call, USER))
    return Response.of_json([record.data for record in reversed(found)])


def _update(call: Call, what: Credential) -> Response:
    record = _named(call, what)
    check_etag(call, record)
    change(call, what.kind, record, call.body())
    return show(record)


def _delete(call: Call, what: Credential) -> Response:
    record = _named(call, what)
    check_etag(call, record)
    bury(call.cloud, what.kind, record)
    return Response(204)


def _named(call: Call, what: Credential) -> Record:
    """The credential of the path, which must be that user's."""
    user, record = get_live(call, USER), get_live(call, what.kind)
    if record.data["userId"] != user.id:
        raise NotAuthorizedOrNotFound(f"{what.kind.noun} {record.id} is not of user {user.id}")
    return record


def _of(call: Call, what: Credential, user: Record) -> list[Record]:
    live = call.cloud.store.live(what.kind.name)
    return [record for record in live if record.data["userId"] == user.id]


for _what in _CREDENTIALS:
    crud(SERVICE, _what.kind, only=())
    for _verb, _handler in (("create", _create), ("update", _update), ("delete", _delete)):
        SERVICE.operation(f"{_verb}_{_what.kind.noun}")(at_home(partial(_handler, what=_what)))
    SERVICE.operation(f"list_{_what.kind.plural}")(partial(_list, what=_what))
