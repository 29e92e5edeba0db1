"""Resource principals' session tokens (RPST): JWTs that the mock issues, and checks.

A resource that acts for itself (a notebook session, a job run, a deployment) has such a token and
a session key; its requests are signed with that key, and the token says whose it is. A token is
signed by a throwaway key of the mocked tenancy, which its first token makes.
"""

from __future__ import annotations

import functools
import json
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from . import keys

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

    from ..cloud import Cloud
    from ..store import Record

PREFIX = "ST$"
"""What a keyId begins with that is a token."""

_KIND, _ISSUER = "tokenkey", "authService.oracle.com"
# Seconds that a token is good for. The SDK asks for another only after a 401.
_LIFETIME = 24 * 3600.0
_ALGORITHM = "RS256"
# States of a job run that has ended, and of a deployment without a server.
_ENDED = frozenset({"SUCCEEDED", "FAILED", "CANCELED", "INACTIVE"})


class InvalidToken(Exception):  # noqa: N818 - the word of the standard
    """The token is none, none of this tenancy's, or good no more; the message says which."""


def issue(cloud: Cloud, resource: Record, session_pem: bytes, *, seconds: float = _LIFETIME) -> str:
    """A token for *resource*, bound to the session key *session_pem* (a private key's PEM).

    The claims are those that the SDK and OCI's own services read: ``sub``, ``exp``, ``jwk``,
    ``res_tenant``, ``res_type``, ``res_compartment`` and ``res_id``.
    """
    import jwt
    from jwt.algorithms import RSAAlgorithm

    now = time.time()
    session = keys.private_key(session_pem).public_key()
    payload = {
        "sub": resource.id,
        "iss": _ISSUER,
        "aud": "oci",
        "ptype": "resource",
        "ttype": "res",
        "iat": int(now),
        "exp": int(now + seconds),
        "jti": cloud.ids.uuid(),
        "tenant": cloud.settings.tenancy_id,
        "jwk": RSAAlgorithm.to_jwk(session),
        **claims(cloud, resource),
    }
    return jwt.encode(payload, keys.private_key(_signing_pem(cloud)), algorithm=_ALGORITHM)


def claims(cloud: Cloud, resource: Record) -> dict[str, str]:
    """What a token says of the resource that it is for."""
    return {
        "res_tenant": cloud.settings.tenancy_id,
        "res_type": resource.id.split(".")[1],
        "res_compartment": str(resource.data.get("compartmentId", "")),
        "res_id": resource.id,
    }


@functools.lru_cache(maxsize=1024)
def read(token: str) -> Mapping[str, Any]:
    """The claims of a token, whoever issued it; none of what is no token."""
    import jwt

    try:
        payload: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    except jwt.InvalidTokenError:
        return {}
    return payload


def session_key(cloud: Cloud, token: str) -> RSAPublicKey:
    """The key with which the bearer of *token* must have signed.

    :raises InvalidToken: it is not one of this tenancy's, or has expired by real time.
    """
    issuer = cloud.store.find(_KIND, _ISSUER)
    if issuer is None:
        raise InvalidToken("the token is not one that this mock issued")
    payload = _checked(token, str(issuer.private["pem"]))
    if payload["exp"] <= time.time():
        raise InvalidToken("the token has expired")
    if payload.get("res_tenant") != cloud.settings.tenancy_id:
        raise InvalidToken("the token is of another tenancy")
    if is_gone(cloud, str(payload["sub"])):
        raise InvalidToken("the token is of a resource that is gone")
    return _from_jwk(payload["jwk"])


def is_gone(cloud: Cloud, resource_id: str) -> bool:
    """Whether a resource is deleted, or has ended its work: its token ends with it.

    OCI's are good for minutes, and nobody renews one for what is gone. A run that was only
    simulated never had one of its own.
    """
    words = resource_id.split(".")
    found = cloud.store.find(words[1], resource_id) if len(words) > 1 else None
    if found is None:
        return False
    has_ended = found.data.get("lifecycleState") in _ENDED and bool(found.private.get("executed"))
    return found.deleted or has_ended


@functools.lru_cache(maxsize=1024)
def _checked(token: str, issuer_pem: str) -> Mapping[str, Any]:
    import jwt

    public = keys.private_key(issuer_pem.encode()).public_key()
    options: Any = {
        "require": ["sub", "exp", "jwk"],
        "verify_exp": False,
        "verify_aud": False,
        "verify_iat": False,
    }
    try:
        payload: dict[str, Any] = jwt.decode(
            token, public, algorithms=[_ALGORITHM], options=options
        )
    except jwt.InvalidTokenError:
        raise InvalidToken("the token is not one that this mock issued") from None
    return payload


@functools.lru_cache(maxsize=1024)
def _from_jwk(jwk: str) -> RSAPublicKey:
    from jwt.algorithms import RSAAlgorithm

    # PyJWT reads private keys too; the mock's own tokens hold public ones only.
    return RSAAlgorithm.from_jwk(json.loads(jwk))  # type: ignore[return-value]


def _signing_pem(cloud: Cloud) -> bytes:
    issuer = cloud.store.find(_KIND, _ISSUER)
    if issuer is None:
        private = {"pem": _process_pem().decode()}
        issuer = cloud.store.add(_KIND, _ISSUER, {}, private=private, history=True)
    return str(issuer.private["pem"]).encode()


@functools.cache
def _process_pem() -> bytes:
    """One issuer for all mocks of this process: making a key takes its time."""
    return keys.new_private_pem()
