"""Principals: users, resources that act for themselves, and OCI's own services."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from . import tokens
from .authorization import key_id_of

if TYPE_CHECKING:
    from ..cloud import Cloud
    from ..store import Record
    from ..wire.message import Request

PrincipalKind = Literal["user", "resource", "service", "anonymous"]

_CLAIMS = ("res_tenant", "res_type", "res_compartment", "res_id")


@dataclass(frozen=True)
class Principal:
    """Who makes a call.

    :param kind: a user; a resource with its resource principal (a job run, say); a service of
        OCI's that acts on its own behalf (``datascience``); or nobody that is known.
    :param id: the user's or the resource's OCID; a service's name.
    :param claims: what a resource's token says of it: ``res_type``, ``res_compartment``,
        ``res_tenant`` and ``res_id``.
    """

    kind: PrincipalKind
    id: str
    claims: Mapping[str, str] = field(default_factory=dict)


ANONYMOUS = Principal("anonymous", "")


def identify(cloud: Cloud, request: Request) -> Principal:
    """The principal that *request* says it comes from; its signature is not looked at here.

    A user that the tenancy does not have, a token that can't be read, and one of a resource that is
    gone, are nobody.
    """
    header = request.headers.get_lower("authorization")
    if not header:
        return ANONYMOUS
    named = key_id_of(header)
    if named.token:
        bearer = _bearer(named.token)
        return ANONYMOUS if tokens.is_gone(cloud, bearer.id) else bearer
    user = cloud.store.find("user", named.user_id)
    if user is None or user.deleted:
        return ANONYMOUS
    return _user(user.id)


def bears_token(request: Request) -> bool:
    """Whether *request* says that it comes from a resource principal."""
    return bool(key_id_of(request.headers.get_lower("authorization")).token)


def of_resource(cloud: Cloud, record: Record) -> Principal:
    """The resource principal of *record*, for what it does without an HTTP call of its own."""
    return Principal("resource", record.id, tokens.claims(cloud, record))


def of_service(name: str) -> Principal:
    """One of OCI's services, by the name that policies use: ``datascience``."""
    return Principal("service", name)


@functools.lru_cache(maxsize=1024)
def _user(identifier: str) -> Principal:
    return Principal("user", identifier)


@functools.lru_cache(maxsize=1024)
def _bearer(token: str) -> Principal:
    payload = tokens.read(token)
    resource = str(payload.get("res_id") or payload.get("sub") or "")
    if not resource or not payload.get("res_type"):
        return ANONYMOUS
    return Principal(
        "resource", resource, {name: str(payload[name]) for name in _CLAIMS if name in payload}
    )
