"""The statements that a tenancy lacks: the bundle's own where one covers what is missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import infra.statements as bundle

from ..definitions import bucket_path
from .iam_call import repository_of
from .iam_places import On, Places
from .policies import Directory, DynamicGroup, Evaluator, Missing, Principal, only_policy, with_rule
from .subject import Subject

_VERBS = ("inspect", "read", "use", "manage")
# By what a statement is narrowed, where the target has it.
_NARROWING = ("target.bucket.name", "target.secret.name", "target.vault.id", "target.repo.name")
_NEW = "ocid1.dynamicgroup.to-be-made"


@dataclass(frozen=True)
class NamedGroup:
    """A group as statements name it."""

    name: str
    domain: str | None = None


@dataclass(frozen=True)
class Membership:
    """What puts the resources of a pipeline into a dynamic group: *group* with the rule that it
    should have; *made*: it is there already."""

    group: DynamicGroup
    made: bool

    @property
    def told(self) -> str:
        name = f"dynamic group '{self.group.name}'"
        if self.made:
            do = f"Set the matching rule of {name} (add to it, if others are in the group):"
        else:
            do = f"Make the {name} in the root compartment, with the matching rule:"
        return f"{do}\n{self.group.rule}"


class Statements:
    """Finds what to add for what is missing. *scope* is what the bundle's own are narrowed to; its
    dynamic group is left open."""

    def __init__(
        self, directory: Directory, region: str, now: float, scope: bundle.Scope, name: str
    ) -> None:
        self._directory, self._region, self._now = directory, region, now
        self._scope, self._name = scope, name
        self._evaluator = self._evaluate(directory)
        self._kept: dict[str, Evaluator] = {}

    def membership(self, principals: Sequence[Principal], missing: list[Missing]) -> Membership:
        """The dynamic group that resources of the pipeline should be in, and are not.

        One that statements are about, if they then allow the most of what is missing; else a new
        one.
        """
        rule = bundle.matching_rule(self._scope.compartment)
        new = DynamicGroup(_NEW, f"{self._name}-workloads", rule)
        best, most = Membership(new, made=False), 0
        for group in filter(self._evaluator.names, self._directory.dynamic_groups):
            mended = DynamicGroup(group.id, group.name, rule)
            asked = self._evaluate(with_rule(self._directory, mended))
            count = sum(asked.grants(who, lack) for who in principals for lack in missing)
            if count > most:
                best, most = Membership(mended, made=True), count
        return best

    def of(
        self, principal: Principal, missing: list[Missing], group: str, dynamic: str
    ) -> list[str]:
        """Statements that grant all that is *missing*; each is needed for something.

        *group* names the people's group, *dynamic* is the OCID of the resources' dynamic group.
        """
        found: list[str] = []
        left: list[Missing] = []
        candidates = self._candidates(group, dynamic)
        for lack in missing:
            if any(self._grants(text, principal, lack) for text in found):
                continue
            chosen = next(
                (text for text in candidates if self._grants(text, principal, lack)), None
            )
            if chosen is None:
                left.append(lack)
            else:
                found.append(chosen)
        subject = _subject(principal, group, dynamic)
        return found + _least(subject, left, self._directory.tenancy)

    def _candidates(self, group: str, dynamic: str) -> list[str]:
        scope = replace(self._scope, dynamic_group=dynamic)
        return [
            *bundle.workload_statements(scope),
            *bundle.service_statements(scope),
            *bundle.people_statements(NamedGroup(group), scope),
        ]

    def _grants(self, text: str, principal: Principal, lack: Missing) -> bool:
        return self._alone(text).grants(principal, lack)

    def _alone(self, text: str) -> Evaluator:
        """An evaluator that knows one statement."""
        if text not in self._kept:
            self._kept[text] = self._evaluate(only_policy(self._directory, text))
        return self._kept[text]

    def _evaluate(self, directory: Directory) -> Evaluator:
        return Evaluator(directory, self._region, self._now)


def in_words(statement: str, name: str) -> str:
    """*statement* with the *name* of a dynamic group that has no OCID yet."""
    return statement.replace(f"dynamic-group id {_NEW}", f"dynamic-group '{name}'")


def to_look(subject: str, types: Sequence[str]) -> list[str]:
    """What lets *subject* read those resource types of the identity service."""
    return [f"Allow {subject} to inspect {each} in tenancy" for each in types]


def subject_of(principal: Principal | None, groups: Sequence[str], dynamic: str) -> str:
    """The subject of statements about whoever is signed in."""
    if principal is not None and principal.kind == "resource":
        return f"dynamic-group id {dynamic}" if dynamic else "dynamic-group '<its own>'"
    return f"group '{groups[0]}'" if groups else "group '<one that you are in>'"


def _subject(principal: Principal, group: str, dynamic: str) -> str:
    if principal.kind == "service":
        return f"service {principal.id}"
    if principal.kind == "user":
        return f"group '{group}'"
    return f"dynamic-group id {dynamic}"


def _least(subject: str, missing: list[Missing], root: str) -> list[str]:
    """One statement a resource type and place, with the least verb that gives all of it."""
    verbs: dict[tuple[str, str], str] = {}
    for lack in missing:
        verb, resource_type = lack.statement.split()
        key = resource_type, _where(lack.on, root)
        verbs[key] = max(verb, verbs.get(key, verb), key=_VERBS.index)
    return [
        f"Allow {subject} to {verb} {resource_type} {where}"
        for (resource_type, where), verb in verbs.items()
    ]


def _where(on: On, root: str) -> str:
    place = "in tenancy" if on.compartment == root else f"in compartment id {on.compartment}"
    narrowed = [f"{name}='{value}'" for name, value in on.variables if name in _NARROWING]
    if len(narrowed) > 1:
        return f"{place} where all {{{', '.join(narrowed)}}}"
    return f"{place} where {narrowed[0]}" if narrowed else place


def scope_of(subject: Subject, places: Places, region: str) -> bundle.Scope:
    """What the bundle's statements are narrowed to, as far as the definitions say it; no dynamic
    group, and no key."""
    definitions = subject.definitions.values()
    subnets = (str(each.infrastructure.get("subnetId") or "") for each in definitions)
    subnet = next(filter(None, subnets), "")
    env = {name: value for each in definitions for name, value in each.env.items()}
    images = (str(each.runtime.get("image") or "") for each in definitions)
    _, bucket, _ = bucket_path(subject.pipeline.ledger)
    where = places.compartment
    return bundle.Scope(
        region=region,
        compartment=where,
        subnet_compartment=places.subnet(subnet).compartment if subnet else where,
        dynamic_group="",
        bucket=bucket,
        vault=env.get("HF_TOKEN_VAULT_ID", ""),
        key="",
        secret_name=env.get("HF_TOKEN_SECRET_NAME", ""),
        repository=next(filter(None, map(repository_of, images)), ""),
    )
