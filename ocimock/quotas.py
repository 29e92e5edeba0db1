"""Compartment quotas: what a compartment may hold of what the tenancy's limits allow.

Source of the syntax and of the precedence: OCI documentation, "Quota Policy Syntax" and "Quota
Policy Inheritance". Within a policy a later statement stands in the place of an earlier one; of
several policies, and of a compartment and those above it, the tightest counts.

Not here: conditions other than on ``request.region``.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .wire.errors import InvalidParameter

if TYPE_CHECKING:
    from .cloud import Cloud
    from .services.limits.catalogue import Limit

QUOTA = "quota"
"""The kind of the records of quota policies."""

_STATEMENT = re.compile(
    r"""\s*(?P<action>set|unset|zero)\s+(?P<service>[\w-]+)\s+quotas?
    (?:\s+(?P<names>/?[\w*-]+/?(?:\s*,\s*/?[\w*-]+/?)*?))??
    (?:\s+to\s+(?P<value>\d+))?
    \s+in\s+(?P<where>tenancy|compartment\s+(?:id\s+)?(?P<compartment>[^\s]+))
    (?:\s+where\s+request\.region\s*(?P<operator>!?=)\s*'?(?P<region>[\w-]+)'?)?\s*""",
    re.VERBOSE | re.IGNORECASE,
)
_FORM = (
    "It is 'set|unset|zero SERVICE quota NAME [to NUMBER] in compartment NAME' or '… in tenancy', "
    "and may end in \"where request.region = 'REGION'\""
)


@dataclass(frozen=True)
class Statement:
    """One statement. *names* are patterns, none for all quotas of the service; *compartment* is an
    OCID, or a path of names from the root; '' is the tenancy; *value* is None for ``unset``."""

    service: str
    names: tuple[str, ...]
    value: int | None
    compartment: str = ""
    region: str = ""
    elsewhere: bool = False

    def is_about(self, limit: Limit, region: str) -> bool:
        if self.service != limit.service:
            return False
        if self.region and (self.region == region) == self.elsewhere:
            return False
        return not self.names or any(fnmatch.fnmatchcase(limit.name, each) for each in self.names)


@dataclass(frozen=True)
class Quota:
    """What one compartment and all below it may hold of a limit."""

    compartment: str
    value: int


def parse(text: str, where: str) -> Statement:
    """:raises InvalidParameter: it is no statement, or one that the mock does not know."""
    found = _STATEMENT.fullmatch(text)
    if found is None:
        raise InvalidParameter(f"{where}: '{text}' is no quota statement. {_FORM}")
    action, value = found["action"].lower(), found["value"]
    if (action == "set") != (value is not None):
        raise InvalidParameter(f"{where}: '{action}' {'wants a' if value is None else 'has no'} "
                               f"value. {_FORM}")  # fmt: skip
    names = tuple(name.strip().strip("/") for name in (found["names"] or "").split(",") if name)
    number = {"set": int(value or 0), "zero": 0, "unset": None}[action]
    return Statement(
        service=found["service"].lower(),
        names=names,
        value=number,
        compartment=(found["compartment"] or "").strip("'"),
        region=found["region"] or "",
        elsewhere=found["operator"] == "!=",
    )


def check(cloud: Cloud, statements: list[str]) -> None:
    """:raises InvalidParameter: one of *statements* names what there is not, or is none."""
    from .services.limits.catalogue import SERVICES, by_name

    if not statements:
        raise InvalidParameter("statements must hold at least one statement")
    for number, text in enumerate(statements):
        where = f"statements[{number}]"
        statement = parse(text, where)
        if statement.service not in SERVICES:
            known = ", ".join(SERVICES)
            raise InvalidParameter(
                f"{where}: ocimock knows no service '{statement.service}'; it knows {known}"
            )
        limits = [each for each in by_name().values() if each.service == statement.service]
        for name in statement.names:
            if not any(fnmatch.fnmatchcase(each.name, name) for each in limits):
                raise InvalidParameter(f"{where}: {statement.service} has no quota '{name}'")
        if _place(cloud, statement) is None:
            raise InvalidParameter(f"{where}: there is no compartment '{statement.compartment}'")


def quotas(cloud: Cloud, limit: Limit, compartment: str, region: str) -> list[Quota]:
    """Every quota that counts for *compartment*: its own, and those of the compartments above."""
    policies = list(cloud.store.live(QUOTA))
    if not policies:
        return []
    tightest: dict[str, int] = {}
    for policy in policies:
        for place, value in _of_policy(cloud, policy.data["statements"], limit, region).items():
            tightest[place] = min(value, tightest.get(place, value))
    return [
        Quota(place, value)
        for place, value in tightest.items()
        if compartment in below(cloud, place)
    ]


def below(cloud: Cloud, compartment: str) -> set[str]:
    """A compartment and all below it."""
    from .finding import subtree

    return subtree(cloud, compartment)


def _of_policy(cloud: Cloud, statements: list[str], limit: Limit, region: str) -> Mapping[str, int]:
    """Compartment → value, after all statements of one policy."""
    found: dict[str, int] = {}
    for place, statement in _standing(cloud, statements):
        if not statement.is_about(limit, region):
            continue
        if statement.value is None:
            found.pop(place, None)
        else:
            found[place] = statement.value
    return found


def _standing(cloud: Cloud, statements: list[str]) -> Iterator[tuple[str, Statement]]:
    """Those whose compartment is there still."""
    for text in statements:
        statement = parse(text, "statements")
        place = _place(cloud, statement)
        if place is not None:
            yield place, statement


def _place(cloud: Cloud, statement: Statement) -> str | None:
    from .iam.directory import by_path
    from .services.identity.compartments import compartments

    root, named = cloud.settings.tenancy_id, statement.compartment
    if not named or named == root:
        return root
    known = compartments(cloud)
    return named if named in known else by_path(known, root, tuple(named.split(":")))
