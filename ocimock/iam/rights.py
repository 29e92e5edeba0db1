"""A tenancy's policies, groups and compartments, worked out once for many requests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..wire.errors import InvalidParameter
from .conditions import Values
from .directory import Directory, DynamicGroup, Group, Policy, by_path
from .matching import INSTANCE, facts_of, matches
from .permissions import allowed_by, denied_by
from .policy import parse_statement
from .syntax import Location, Statement, Subject

if TYPE_CHECKING:
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
    """What a directory's policies say.

    :ivar unread: statements and matching rules that are not understood. They count as absent; the
        mock's own API takes none.
    """

    def __init__(self, directory: Directory) -> None:
        self.directory = directory
        self.root = directory.tenancy
        self.unread: list[str] = []
        self._lines: dict[str, tuple[str, ...]] = {}
        self.rules = [rule for policy in directory.policies for rule in self._rules_of(policy)]
        self._askers: dict[tuple[object, ...], Asker] = {}

    def line(self, compartment: str) -> tuple[str, ...]:
        """A compartment and all above it, up to the tenancy; nothing for one that is not there."""
        if compartment not in self._lines:
            found, at = [], compartment
            while at in self.directory.compartments and at not in found:
                found.append(at)
                at = self.directory.compartments[at].parent
            self._lines[compartment] = (*found, at) if at == self.root else ()
        return self._lines[compartment]

    def variables_of(self, compartment: str) -> dict[str, Values]:
        """The variables that every target has, by the compartment that it is in."""
        known, tenancy = self.directory.compartments.get(compartment), self.directory.name
        found: dict[str, Values] = {
            "target.compartment.id": (compartment,),
            "target.compartment.name": (known.name if known else tenancy,),
            "target.tenant.id": (self.root,),
            "target.tenant.name": (tenancy,),
        }
        for name, value in (known.tags if known else {}).items():
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
            for rule in self.rules
            if any(
                self._is_about(subject, principal, groups, dynamic)
                for subject in rule.statement.subjects
            )
        ]
        names = {group.name.casefold() for group in groups}
        return Asker(
            principal,
            _words(principal, groups, dynamic),
            tuple(rule for rule in rules if not rule.statement.deny),
            tuple(rule for rule in rules if rule.statement.deny),
            self._variables(principal, groups, dynamic),
            exempt=ADMINISTRATORS.casefold() in names,
        )

    def _groups_of(self, principal: Principal) -> list[Group]:
        if principal.kind != "user":
            return []
        members = self.directory.members.get(principal.id, ())
        return [group for group in self.directory.groups if group.id in members]

    def _dynamic_groups_of(self, principal: Principal) -> list[DynamicGroup]:
        if principal.kind != "resource":
            return []
        facts = facts_of(self.directory, principal)
        return [group for group in self.directory.dynamic_groups if self._holds(group, facts)]

    def _holds(self, group: DynamicGroup, facts: dict[str, Values]) -> bool:
        try:
            return matches(group.rule, facts)
        except InvalidParameter:
            self._note_unread(group.rule)
            return False

    def _note_unread(self, text: str) -> None:
        if text not in self.unread:
            self.unread.append(text)

    def _is_about(
        self,
        subject: Subject,
        principal: Principal,
        groups: list[Group],
        dynamic: list[DynamicGroup],
    ) -> bool:
        if subject.kind == "any-user":
            return principal.kind != "anonymous"
        if subject.kind == "any-group":
            return bool(groups)
        if subject.kind == "service":
            return principal.kind == "service" and subject.name.lower() == principal.id.lower()
        if subject.domain and subject.domain.casefold() != _DEFAULT_DOMAIN:
            # One identity domain is known.
            return False
        members: Sequence[Group | DynamicGroup] = groups if subject.kind == "group" else dynamic
        name = subject.name.casefold()
        return any(
            group.id == subject.id if subject.id else group.name.casefold() == name
            for group in members
        )

    def _variables(
        self, principal: Principal, groups: list[Group], dynamic: list[DynamicGroup]
    ) -> dict[str, Values]:
        found: dict[str, Values] = {
            "request.principal.type": (principal.kind,),
            "request.principal.id": (principal.id,),
        }
        if principal.kind == "user":
            found["request.user.id"] = (principal.id,)
            found["request.user.name"] = (self.directory.users.get(principal.id, ""),)
            found["request.groups.id"] = tuple(group.id for group in groups)
            found["request.groups.name"] = tuple(group.name for group in groups)
            found["request.domain.name"] = ("Default",)
            for group in groups:
                for name, value in group.tags.items():
                    variable = f"request.principal.group.tag.{name}"
                    found[variable] = (*found.get(variable, ()), value)
        if principal.kind == "resource":
            facts = facts_of(self.directory, principal)
            kind, compartment = facts["resource.type"], facts["resource.compartment.id"]
            found["request.principal.type"] = kind
            found["request.principal.compartment.id"] = compartment
            found["request.resource.compartment.id"] = compartment
            found["request.dynamicgroup.id"] = tuple(group.id for group in dynamic)
            found["request.dynamicgroup.name"] = tuple(group.name for group in dynamic)
            if kind == (INSTANCE,):
                found["request.instance.id"] = (principal.id,)
                found["request.instance.compartment.id"] = compartment
            known = self.directory.compartments.get(compartment[0])
            for name, value in (known.tags if known else {}).items():
                found[f"request.principal.compartment.tag.{name}"] = (value,)
        return found

    def _rules_of(self, policy: Policy) -> list[Rule]:
        found = []
        for text in policy.statements:
            try:
                statement = parse_statement(text)
            except InvalidParameter:
                self._note_unread(text)
                continue
            if statement is None:
                continue
            place = self._place(policy.compartment, statement.location)
            # A policy reaches down only, also after compartments have moved.
            if policy.compartment in self.line(place):
                found.append(Rule(statement, place, _permissions(statement)))
        return found

    def _place(self, start: str, location: Location) -> str:
        """The OCID of the compartment where a statement holds, seen from its policy's own."""
        if location.compartment_id:
            return location.compartment_id
        if not location.compartment_path:
            return self.root
        return by_path(self.directory.compartments, start, location.compartment_path) or ""


def _permissions(statement: Statement) -> frozenset[str] | None:
    if statement.permissions:
        return statement.permissions
    given = denied_by if statement.deny else allowed_by
    return given(statement.verb, statement.resource_type)


def _words(principal: Principal, groups: list[Group], dynamic: list[DynamicGroup]) -> str:
    if principal.kind == "service":
        return f"service {principal.id}"
    if principal.kind == "user":
        return f"group {groups[0].name}" if groups else "group <one that the user is in>"
    if dynamic:
        return f"dynamic-group {dynamic[0].name}"
    return "dynamic-group <one whose rule matches the resource>"
