"""Principals: users, resources that act for themselves, and OCI's own services."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from ..cloud import Cloud
    from ..wire.message import Request

PrincipalKind = Literal["user", "resource", "service", "anonymous"]


@dataclass(frozen=True)
class Principal:
    """Who makes a call.

    :param kind: a user; a resource with its resource principal (a job run, say); a service of
        OCI's that acts on its own behalf (``datascience``); or nobody that is known.
    :param id: the user's or the resource's OCID; a service's name.
    :param claims: what a resource's token says of it: ``res_type``, ``res_compartment``, and
        whatever tags and fields matching rules may ask for.
    """

    kind: PrincipalKind
    id: str
    claims: Mapping[str, str] = field(default_factory=dict)


def identify(cloud: Cloud, request: Request) -> Principal:
    """The principal that *request* says it comes from; its signature is not looked at here."""
    del request
    return Principal("user", cloud.settings.user_id)
