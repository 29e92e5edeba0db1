"""What a tenancy's policies allow, by the evaluator that the mock enforces policies with.

The only door to it: nothing else of the runner knows that there is a mock.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from ocimock.iam.conditions import holds
from ocimock.iam.directory import Compartment as Compartment
from ocimock.iam.directory import Directory as Directory
from ocimock.iam.directory import DynamicGroup as DynamicGroup
from ocimock.iam.directory import Group as Group
from ocimock.iam.directory import Policy as Policy
from ocimock.iam.directory import tags_of as tags_of
from ocimock.iam.evaluation import Ask, Variables, decide
from ocimock.iam.needs import needs_of, request_variables
from ocimock.iam.permissions import type_of, verb_for
from ocimock.iam.principals import Principal as Principal
from ocimock.iam.rights import Asker, Rights, Rule
from ocimock.iam.syntax import Comparison, Condition, Junction
from ocimock.iam.target import Target

from .iam_call import Call
from .iam_places import On

# Variables of a request that nobody knows before it is made, and tags of targets, which are not
# read. Source: OCI documentation, "General Variables for All Requests".
_UNKNOWN = (
    "request.networksource.",
    "request.user.mfatotpverified",
    "request.ad",
    "request.vcn",
    "request.principal.tag.",
    "target.resource.tag.",
    "target.bucket.tag.",
)
_ALWAYS = Junction(every=True, members=())
_OTHER_DOMAIN = "default"


@dataclass(frozen=True)
class Missing:
    """A permission that no statement grants.

    *perhaps*: statements that would, if something held that nobody knows before the call is made.
    *denied_by*: the Deny that overrules the others. *endangered_by*: it is granted, but these Deny
    it if something held that nobody knows.
    """

    call: Call
    permission: str
    on: On
    perhaps: tuple[str, ...] = ()
    denied_by: str = ""
    endangered_by: tuple[str, ...] = ()

    @property
    def statement(self) -> str:
        """What the least statement would give: ``read secret-bundles``."""
        return f"{verb_for(self.permission)} {type_of(self.permission)}"


class Evaluator:
    """Asks policies about calls. *now* is in seconds since the epoch, for conditions on time."""

    def __init__(self, directory: Directory, region: str, now: float) -> None:
        self.directory = directory
        self._region, self._now = region, now
        self._rights = Rights(directory)

    @property
    def unread(self) -> list[str]:
        """Statements and matching rules that are not understood."""
        return list(self._rights.unread)

    def missing(self, principal: Principal, call: Call) -> list[Missing]:
        """The permissions that *principal* lacks for *call*; none where it may make it.

        Raises ValueError for a call that the evaluator has no table for.
        """
        asker = self._rights.asker(principal)
        found = [
            self._lack(asker, call, permissions, on) for permissions, on in permissions_of(call)
        ]
        return [each for each in found if each is not None]

    def grants(self, principal: Principal, lack: Missing) -> bool:
        """Whether *principal* has the permission that was missing elsewhere."""
        asker = self._rights.asker(principal)
        return self._lack(asker, lack.call, (lack.permission,), lack.on) is None

    def words(self, principal: Principal) -> str:
        """*principal* as statements name it: ``group people``."""
        return self._rights.asker(principal).words

    def dynamic_groups(self, principal: Principal) -> list[DynamicGroup]:
        """Those whose rules match."""
        ids = self._rights.asker(principal).variables.get("request.dynamicgroup.id", ())
        return [group for group in self.directory.dynamic_groups if group.id in ids]

    def foreign_domains(self, kind: str) -> list[str]:
        """Identity domains of groups (*kind*: ``group`` or ``dynamic-group``) that statements name,
        and whose members are not known."""
        subjects = (subject for rule in self._rights.rules for subject in rule.statement.subjects)
        names = {each.domain for each in subjects if each.domain and each.kind == kind}
        return sorted(name for name in names if name.casefold() != _OTHER_DOMAIN)

    def names(self, group: Group | DynamicGroup) -> bool:
        """Whether statements are about that group."""
        kind = "group" if isinstance(group, Group) else "dynamic-group"
        subjects = (subject for rule in self._rights.rules for subject in rule.statement.subjects)
        name = group.name.casefold()
        return any(
            each.id == group.id if each.id else each.name.casefold() == name
            for each in subjects
            if each.kind == kind
        )

    def _lack(
        self, asker: Asker, call: Call, permissions: tuple[str, ...], on: On
    ) -> Missing | None:
        target = Target(on.compartment, {name: (value,) for name, value in on.variables})
        request = request_variables(call.operation.partition(".")[2], self._region)
        ask = Ask(permissions, target)
        decision = decide(self._rights, asker, call.operation, [ask], request, self._now)
        lookup = Variables(self._rights, asker, target, request, self._now)
        if decision.denied_by:
            return Missing(call, permissions[0], on, denied_by=decision.denied_by)
        if decision.allowed:
            danger = () if asker.exempt else self._perhaps(asker.denies, permissions, on, lookup)
            return Missing(call, permissions[0], on, endangered_by=danger) if danger else None
        perhaps = self._perhaps(asker.allows, permissions, on, lookup)
        return Missing(call, permissions[0], on, perhaps)

    def _perhaps(
        self, rules: Iterable[Rule], permissions: Sequence[str], on: On, lookup: Variables
    ) -> tuple[str, ...]:
        """The statements that would apply if what nobody knows were so."""
        line = self._rights.line(on.compartment) or (self._rights.root,)
        return tuple(
            rule.statement.text
            for rule in rules
            if any(rule.is_about(permission) for permission in permissions)
            if rule.compartment in line
            if _asks_the_unknown(rule.statement.condition)
            if holds(_supposed(rule.statement.condition), lookup)
        )


def with_policy(directory: Directory, *statements: str) -> Directory:
    """*directory* with a policy more, in the tenancy's root."""
    added = Policy(directory.tenancy, tuple(statements))
    return replace(directory, policies=(*directory.policies, added))


def only_policy(directory: Directory, statement: str) -> Directory:
    """*directory* with no policy but one, in the tenancy's root."""
    return replace(directory, policies=(Policy(directory.tenancy, (statement,)),))


def with_rule(directory: Directory, group: DynamicGroup) -> Directory:
    """*directory* with *group* in place of the dynamic group of the same OCID, or beside all."""
    others = (each for each in directory.dynamic_groups if each.id != group.id)
    return replace(directory, dynamic_groups=(*others, group))


def permissions_of(call: Call) -> list[tuple[tuple[str, ...], On]]:
    """What *call* needs: of each, one of several will do."""
    service, _, operation = call.operation.partition(".")
    needs = needs_of(service, operation)
    if needs is None:
        raise ValueError(f"{call.operation}: there is no table of what it needs")
    found: list[tuple[tuple[str, ...], On]] = []
    for need in needs.needs:
        if not need.always:
            continue
        if need.by_existence:
            # What is written once is written again.
            found += [((permission,), call.on) for permission in need.permissions]
        else:
            found.append((need.permissions, call.on))
    return found + [((permission,), on) for permission, on in call.also]


def _asks_the_unknown(condition: Condition | None) -> bool:
    if isinstance(condition, Junction):
        return any(_asks_the_unknown(each) for each in condition.members)
    return condition is not None and condition.variable.startswith(_UNKNOWN)


def _supposed(condition: Condition | None) -> Condition | None:
    """*condition* as if what nobody knows were so."""
    if isinstance(condition, Junction):
        members = (_supposed(each) for each in condition.members)
        return Junction(condition.every, tuple(each for each in members if each is not None))
    if isinstance(condition, Comparison) and condition.variable.startswith(_UNKNOWN):
        return _ALWAYS
    return condition
