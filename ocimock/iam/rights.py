"""A tenancy's policies, groups and compartments, worked out once for many requests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .conditions import Values
from .matching import INSTANCE, facts_of, matches
from .permissions import allowed_by, denied_by
from .policy import parse_statement
from .syntax import Location, Statement, Subject
from .targets import tags

if TYPE_CHECKING:
    from ..cloud import Cloud
    from ..store import Record
    from .principals import Principal

ADMINISTRATORS = "Administrators"
"""The group that a tenancy is born with. No Deny binds its members."""

_DEFAULT_DOMAIN = "default"
# Principals that are remembered before they are forgotten all at once.
_MOST_ASKERS = 4096


@dataclass(frozen=True)
class Rule:
    """A policy statement in force: where it holds, and what it is about (None: any permission)."""

    statement: Statement
    compartment: str
    permissions: frozenset[str] | None

    def is_about(self, permission: str) -> bool:
        return self.permissions is None or permission in self.permissions


@dataclass(frozen=True)
class Asker:
    """A principal with the statements that are about it.

    :param words: how a statement would name it: ``group people``.
    :param exempt: no Deny binds it.
    """

    principal: Principal
    words: str
    allows: tuple[Rule, ...]
    denies: tuple[Rule, ...]
    variables: Mapping[str, Values]
    exempt: bool = False


class Rights:
    """What the identity service holds, as it was when this was made."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self.root = cloud.settings.tenancy_id
        self._compartments = {record.id: record for record in cloud.store.live("compartment")}
        self._groups = {record.id: record for record in cloud.store.live("group")}
        self._dynamic = {record.id: record for record in cloud.store.live("dynamicgroup")}
        self._members: dict[str, set[str]] = {}
        for record in cloud.store.live("groupmembership"):
            self._members.setdefault(record.data["userId"], set()).add(record.data["groupId"])
        self._lines: dict[str, tuple[str, ...]] = {}
        self._rules = [
            rule for policy in cloud.store.live("policy") for rule in self._rules_of(policy)
        ]
        self._askers: dict[tuple[object, ...], Asker] = {}

    def line(self, compartment: str) -> tuple[str, ...]:
        """A compartment and all above it, up to the tenancy; nothing for one that is not there."""
        if compartment not in self._lines:
            found, at = [], compartment
            while at in self._compartments and at not in found:
                found.append(at)
                at = self._compartments[at].data["compartmentId"]
            self._lines[compartment] = (*found, at) if at == self.root else ()
        return self._lines[compartment]

    def variables_of(self, compartment: str) -> dict[str, Values]:
        """The variables that every target has, by the compartment that it is in."""
        from ..services.identity.compartments import TENANCY_NAME

        record = self._compartments.get(compartment)
        found: dict[str, Values] = {
            "target.compartment.id": (compartment,),
            "target.compartment.name": (record.data["name"] if record else TENANCY_NAME,),
            "target.tenant.id": (self.root,),
            "target.tenant.name": (TENANCY_NAME,),
        }
        for name, value in tags(record.data if record else {}).items():
            found[f"target.resource.compartment.tag.{name}"] = (value,)
        return found

    def asker(self, principal: Principal) -> Asker:
        """*principal* with the statements that are about it."""
        key = (principal.kind, principal.id, *sorted(principal.claims.items()))
        found = self._askers.get(key)
        if found is None:
            if len(self._askers) >= _MOST_ASKERS:
                self._askers.clear()
            found = self._askers[key] = self._asker(principal)
        return found

    def _asker(self, principal: Principal) -> Asker:
        groups = self._groups_of(principal)
        dynamic = self._dynamic_groups_of(principal)
        rules = [
            rule
            for rule in self._rules
            if any(
                self._is_about(subject, principal, groups, dynamic)
                for subject in rule.statement.subjects
            )
        ]
        names = {group.data["name"].casefold() for group in groups}
        return Asker(
            principal,
            _words(principal, groups, dynamic),
            tuple(rule for rule in rules if not rule.statement.deny),
            tuple(rule for rule in rules if rule.statement.deny),
            self._variables(principal, groups, dynamic),
            exempt=ADMINISTRATORS.casefold() in names,
        )

    def _groups_of(self, principal: Principal) -> list[Record]:
        if principal.kind != "user":
            return []
        members = self._members.get(principal.id, ())
        return [group for group in self._groups.values() if group.id in members]

    def _dynamic_groups_of(self, principal: Principal) -> list[Record]:
        if principal.kind != "resource":
            return []
        facts = facts_of(self._cloud, principal)
        found = self._dynamic.values()
        return [group for group in found if matches(group.data["matchingRule"], facts)]

    def _is_about(
        self,
        subject: Subject,
        principal: Principal,
        groups: list[Record],
        dynamic: list[Record],
    ) -> bool:
        if subject.kind == "any-user":
            return principal.kind != "anonymous"
        if subject.kind == "any-group":
            return bool(groups)
        if subject.kind == "service":
            return principal.kind == "service" and subject.name.lower() == principal.id.lower()
        if subject.domain and subject.domain.casefold() != _DEFAULT_DOMAIN:
            # The mock has one identity domain.
            return False
        members = groups if subject.kind == "group" else dynamic
        name = subject.name.casefold()
        return any(
            group.id == subject.id if subject.id else group.data["name"].casefold() == name
            for group in members
        )

    def _variables(
        self, principal: Principal, groups: list[Record], dynamic: list[Record]
    ) -> dict[str, Values]:
        found: dict[str, Values] = {
            "request.principal.type": (principal.kind,),
            "request.principal.id": (principal.id,),
        }
        if principal.kind == "user":
            user = self._cloud.store.find("user", principal.id)
            found["request.user.id"] = (principal.id,)
            found["request.user.name"] = (user.data["name"] if user else "",)
            found["request.groups.id"] = tuple(group.id for group in groups)
            found["request.groups.name"] = tuple(group.data["name"] for group in groups)
            found["request.domain.name"] = ("Default",)
            for group in groups:
                for name, value in tags(group.data).items():
                    variable = f"request.principal.group.tag.{name}"
                    found[variable] = (*found.get(variable, ()), value)
        if principal.kind == "resource":
            facts = facts_of(self._cloud, principal)
            kind, compartment = facts["resource.type"], facts["resource.compartment.id"]
            found["request.principal.type"] = kind
            found["request.principal.compartment.id"] = compartment
            found["request.resource.compartment.id"] = compartment
            found["request.dynamicgroup.id"] = tuple(group.id for group in dynamic)
            found["request.dynamicgroup.name"] = tuple(group.data["name"] for group in dynamic)
            if kind == (INSTANCE,):
                found["request.instance.id"] = (principal.id,)
                found["request.instance.compartment.id"] = compartment
            record = self._compartments.get(compartment[0])
            for name, value in tags(record.data if record else {}).items():
                found[f"request.principal.compartment.tag.{name}"] = (value,)
        return found

    def _rules_of(self, policy: Record) -> list[Rule]:
        found = []
        for text in policy.data["statements"]:
            statement = parse_statement(text)
            if statement is None:
                continue
            place = self._place(policy.data["compartmentId"], statement.location)
            # A policy reaches down only, also after compartments have moved.
            if policy.data["compartmentId"] in self.line(place):
                found.append(Rule(statement, place, _permissions(statement)))
        return found

    def _place(self, start: str, location: Location) -> str:
        """The OCID of the compartment where a statement holds, seen from its policy's own."""
        if location.compartment_id:
            return location.compartment_id
        if not location.compartment_path:
            return self.root
        from ..services.identity.compartments import by_path

        return by_path(self._compartments, start, location.compartment_path) or ""


def _permissions(statement: Statement) -> frozenset[str] | None:
    if statement.permissions:
        return statement.permissions
    given = denied_by if statement.deny else allowed_by
    return given(statement.verb, statement.resource_type)


def _words(principal: Principal, groups: list[Record], dynamic: list[Record]) -> str:
    if principal.kind == "service":
        return f"service {principal.id}"
    if principal.kind == "user":
        return f"group {groups[0].data['name']}" if groups else "group <one that the user is in>"
    if dynamic:
        return f"dynamic-group {dynamic[0].data['name']}"
    return "dynamic-group <one whose rule matches the resource>"
