"""Dynamic groups and policies."""

from __future__ import annotations

from ...cloud import Cloud
from ...iam.directory import by_path
from ...iam.policy import check_matching_rule, check_statement
from ...iam.syntax import Location
from ...resources import Kind, subtree
from ...service import Call
from ...store import Record
from ...wire.errors import InvalidParameter
from .base import DynamicGroupExists, PolicyExists, iam
from .compartments import compartments
from .principals import check_in_root

DYNAMIC_GROUP = Kind(
    name="dynamicgroup",
    model="DynamicGroup",
    path_id="dynamicGroupId",
    noun="dynamic_group",
    plural="dynamic_groups",
    regional=False,
    unique=("name",),
    duplicate=DynamicGroupExists,
)
POLICY = Kind(
    name="policy",
    model="Policy",
    path_id="policyId",
    noun="policy",
    plural="policies",
    regional=False,
    unique=("name",),
    duplicate=PolicyExists,
)


def _check_rule(_call: Call, record: Record) -> None:
    check_matching_rule(record.data["matchingRule"])


def _create_dynamic_group(call: Call, record: Record) -> None:
    check_in_root(call, record)
    _check_rule(call, record)


def _check_statements(call: Call, record: Record) -> None:
    """Each statement must have a policy's form and hold in the policy's compartment or below.

    Groups that a statement names are not looked for: people's groups exist outside the mock.
    """
    if not record.data["statements"]:
        raise InvalidParameter("statements must hold at least one statement")
    below = subtree(call.cloud, record.data["compartmentId"])
    for number, statement in enumerate(record.data["statements"]):
        location = check_statement(statement, f"statements[{number}]")
        if location is not None:
            _check_location(call.cloud, record.data["compartmentId"], below, location)


def _check_location(cloud: Cloud, start: str, below: set[str], location: Location) -> None:
    if location.compartment_id:
        named, found = location.compartment_id, location.compartment_id in below
    elif location.compartment_path:
        named = ":".join(location.compartment_path)
        found = by_path(compartments(cloud), start, location.compartment_path) in below
    else:
        named, found = "tenancy", start == cloud.settings.tenancy_id
    if not found:
        raise InvalidParameter(
            f"Compartment {{{named}}} does not exist or is not part of the policy compartment "
            f"subtree"
        )


iam(DYNAMIC_GROUP, on_create=_create_dynamic_group, on_update=_check_rule)
iam(POLICY, on_create=_check_statements, on_update=_check_statements)
