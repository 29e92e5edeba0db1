"""A small tenancy with users, groups and compartments, for tests of what policies allow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ocimock.cloud import Cloud, Settings
from ocimock.iam import enforcement
from ocimock.iam.conditions import Values
from ocimock.iam.decisions import Decision
from ocimock.iam.evaluation import Ask, decide
from ocimock.iam.needs import api_name, needs_of
from ocimock.iam.principals import Principal
from ocimock.iam.rights import Rights
from ocimock.iam.stored import directory_of
from ocimock.iam.target import Target

BUCKET = {"target.bucket.name": ("data",)}
RUN = Principal(
    "resource",
    "ocid1.datasciencejobrun.oc1.fra.run",
    {"res_type": "datasciencejobrun", "res_compartment": "ocid1.compartment.oc1..inner"},
)


class Tenancy:
    """``root > outer > inner`` beside ``other``; ada is in ``people``, runs are in ``runs``."""

    def __init__(self) -> None:
        self.cloud = Cloud(Settings(enforce_iam=True))
        self.root = self.cloud.settings.tenancy_id
        for name, parent in (("outer", self.root), ("inner", "outer"), ("other", self.root)):
            above = parent if parent == self.root else self.compartment(parent)
            tags = {"definedTags": {"Ops": {"Env": name}}}
            self._add("compartment", name, compartmentId=above, **tags)
        self._add("user", "ada")
        self._add("user", "bob")
        self._add("group", "people", definedTags={"Ops": {"Team": "ml"}})
        self._add("groupmembership", "m", userId=self.ada.id, groupId="ocid1.group.oc1..people")
        rule = "all {resource.type='datasciencejobrun', resource.compartment.id='%s'}"
        self._add("dynamicgroup", "runs", matchingRule=rule % self.compartment("inner"))

    @property
    def ada(self) -> Principal:
        return Principal("user", "ocid1.user.oc1..ada")

    @property
    def bob(self) -> Principal:
        """In no group."""
        return Principal("user", "ocid1.user.oc1..bob")

    @property
    def admin(self) -> Principal:
        """The mock's own user, who is in Administrators."""
        return Principal("user", self.cloud.settings.user_id)

    def compartment(self, name: str) -> str:
        return self.root if name == "root" else f"ocid1.compartment.oc1..{name}"

    def policy(self, *statements: str, where: str = "root", name: str = "p") -> None:
        """A policy that is attached to a compartment."""
        place = self.compartment(where)
        self._add("policy", name, compartmentId=place, statements=list(statements))
        enforcement.forget(self.cloud)

    def ask(
        self,
        principal: Principal,
        operation: str,
        where: str = "inner",
        variables: Mapping[str, Values] | None = None,
        *,
        now: float = 0.0,
        region: str = "fra",
    ) -> Decision:
        """What IAM says to ``service.operation`` with all its targets in one compartment.

        What it needs only for some calls is left out. *operation* may be a permission, too.
        """
        rights = Rights(directory_of(self.cloud))
        target = Target(self.compartment(where), variables or {})
        service, _, name = operation.partition(".")
        if name:
            needs = needs_of(service, name)
            assert needs is not None
            asks: Sequence[Ask] = [
                Ask(need.permissions, target) for need in needs.needs if need.always
            ]
        else:
            asks = [Ask((operation,), target)]
        request = {"request.operation": (api_name(name),), "request.region": (region,)}
        return decide(rights, rights.asker(principal), operation, asks, request, now)

    def _add(self, kind: str, name: str, **fields: Any) -> None:
        identifier = f"ocid1.{kind}.oc1..{name}"
        data = {"id": identifier, "name": name, "compartmentId": self.root, **fields}
        self.cloud.store.add(kind, identifier, data)
