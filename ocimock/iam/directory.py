"""What the identity service holds, as plain data: all that a decision is made from.

The mock makes one of its store (:mod:`ocimock.iam.stored`); whoever wants to know what the
policies of another tenancy allow makes one of what OCI's identity service answers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Tags = Mapping[str, str]
"""Defined tags as conditions name them: ``namespace.key`` in lower case."""


@dataclass(frozen=True)
class Compartment:
    """*parent* is an OCID: the tenancy's for those right below it."""

    id: str
    name: str
    parent: str
    tags: Tags = field(default_factory=dict)


@dataclass(frozen=True)
class Group:
    """A group of users."""

    id: str
    name: str
    tags: Tags = field(default_factory=dict)


@dataclass(frozen=True)
class DynamicGroup:
    """A group of resources: those that its matching *rule* names."""

    id: str
    name: str
    rule: str


@dataclass(frozen=True)
class Policy:
    """The *statements* of a policy that is attached to *compartment*."""

    compartment: str
    statements: tuple[str, ...]


@dataclass(frozen=True)
class Resource:
    """What a resource principal's resource says of itself, beside its token."""

    compartment: str
    tags: Tags = field(default_factory=dict)


def _unknown(_ocid: str) -> Resource | None:
    return None


@dataclass(frozen=True)
class Directory:
    """A tenancy's identity service at one moment.

    :param tenancy: the OCID of the tenancy, the root of its compartments.
    :param name: the tenancy's name.
    :param compartments: by OCID, without the tenancy.
    :param members: the OCIDs of the groups that a user is in, by the user's OCID.
    :param users: names by OCID.
    :param resource: what is known of a resource principal's resource, by its OCID.
    """

    tenancy: str
    name: str = ""
    compartments: Mapping[str, Compartment] = field(default_factory=dict)
    groups: tuple[Group, ...] = ()
    dynamic_groups: tuple[DynamicGroup, ...] = ()
    members: Mapping[str, frozenset[str]] = field(default_factory=dict)
    policies: tuple[Policy, ...] = ()
    users: Mapping[str, str] = field(default_factory=dict)
    resource: Callable[[str], Resource | None] = _unknown


def by_path(
    compartments: Mapping[str, Compartment], start: str, path: tuple[str, ...]
) -> str | None:
    """The OCID of the compartment at *path*, seen from *start*, which *path* may begin with."""
    at, names = start, list(path)
    if at in compartments and compartments[at].name.lower() == names[0].lower():
        names.pop(0)
    for name in names:
        inside = [
            each.id
            for each in compartments.values()
            if each.parent == at and each.name.lower() == name.lower()
        ]
        if not inside:
            return None
        at = inside[0]
    return at


def tags_of(defined: Mapping[str, Mapping[str, Any]] | None) -> dict[str, str]:
    """``definedTags`` as conditions name them."""
    return {
        f"{namespace}.{key}".lower(): str(value)
        for namespace, keys in (defined or {}).items()
        for key, value in keys.items()
    }
