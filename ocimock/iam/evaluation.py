"""Whether policies allow a request: Deny wins, then one Allow for each permission will do.

Sources: OCI documentation, "How Policies Work" and "Deny Policies".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from .conditions import Lookup, Values, holds
from .decisions import Decision, Grant
from .permissions import type_of, verb_for
from .rights import Asker, Rights, Rule
from .target import Target

_TIME = "request.utc-timestamp"


@dataclass(frozen=True)
class Ask:
    """One permission of several that would do, on a target."""

    permissions: tuple[str, ...]
    target: Target


def decide(
    rights: Rights,
    asker: Asker,
    operation: str,
    asks: Sequence[Ask],
    request: Mapping[str, Values],
    now: float,
) -> Decision:
    """IAM's answer to *asks*, which all have to be allowed.

    :param request: the variables of the request itself (``request.operation``).
    :param now: seconds since the epoch, for conditions on time.
    """
    grants, near = [], []
    for ask in asks:
        line = rights.line(ask.target.compartment) or (rights.root,)
        lookup = Variables(rights, asker, ask.target, request, now)
        granted = None
        for permission in ask.permissions:
            lookup.permission = permission
            deny = None if asker.exempt else _first(asker.denies, permission, line, lookup)
            if deny is not None:
                grants.append(Grant(permission, type_of(permission), line[0], None))
                return Decision(operation, asker.words, tuple(grants), deny.statement.text)
            rule = _first(asker.allows, permission, line, lookup)
            if rule is not None:
                granted = Grant(permission, type_of(permission), line[0], rule.statement.text)
                break
        if granted is None:
            permission = ask.permissions[0]
            granted = Grant(permission, type_of(permission), line[0], None)
            near += _unmet(asker.allows, permission, line)
        grants.append(granted)
    missing = [_missing(rights, asker, grant) for grant in grants if grant.statement is None]
    told = "; ".join(dict.fromkeys(missing))
    if missing and near:
        told += f" (conditions not met: {'; '.join(dict.fromkeys(near))})"
    return Decision(operation, asker.words, tuple(grants), missing=told)


class Variables:
    """Looks a variable up: in the target, the request, the asker, the compartment, the clock."""

    def __init__(
        self,
        rights: Rights,
        asker: Asker,
        target: Target,
        request: Mapping[str, Values],
        now: float,
    ) -> None:
        self._rights, self._asker, self._target = rights, asker, target
        self._request, self._now = request, now
        self.permission = ""

    def __call__(self, name: str) -> Values | None:
        if name == "request.permission":
            return (self.permission,)
        for variables in (self._target.variables, self._request, self._asker.variables):
            if name in variables:
                return variables[name]
        if name.startswith(_TIME):
            return _time(name, self._now)
        if name == "target.group.member":
            return self._membership()
        return self._rights.variables_of(self._target.compartment).get(name)

    def _membership(self) -> Values | None:
        group = self._target.variables.get("target.group.id")
        if group is None:
            return None
        mine = self._asker.variables.get("request.groups.id", ())
        return ("true" if group[0] in mine else "false",)


def _first(
    rules: Sequence[Rule], permission: str, line: Sequence[str], lookup: Lookup
) -> Rule | None:
    for rule in rules:
        if (
            rule.is_about(permission)
            and rule.compartment in line
            and holds(rule.statement.condition, lookup)
        ):
            return rule
    return None


def _unmet(rules: Sequence[Rule], permission: str, line: Sequence[str]) -> list[str]:
    """The statements that would have allowed it but for their conditions."""
    return [
        rule.statement.text
        for rule in rules
        if rule.is_about(permission) and rule.compartment in line
    ]


def _missing(rights: Rights, asker: Asker, grant: Grant) -> str:
    where = "tenancy"
    if grant.compartment != rights.root:
        where = f"compartment id {grant.compartment}"
    verb = verb_for(grant.permission)
    return f"Allow {asker.words} to {verb} {grant.resource_type} in {where}"


def _time(name: str, now: float) -> Values | None:
    moment = datetime.fromtimestamp(now, tz=UTC)
    parts = {
        _TIME: moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
        f"{_TIME}.month-of-year": str(moment.month),
        f"{_TIME}.day-of-month": str(moment.day),
        f"{_TIME}.day-of-week": moment.strftime("%A"),
        f"{_TIME}.time-of-day": moment.strftime("%H:%M:%SZ"),
    }
    return (parts[name],) if name in parts else None
