"""Policies are evaluated on plain data, without a mock: who reads another tenancy's may ask."""

from __future__ import annotations

import subprocess
import sys

from ocimock.iam.directory import Compartment, Directory, DynamicGroup, Group, Policy, by_path
from ocimock.iam.evaluation import Ask, decide
from ocimock.iam.principals import Principal
from ocimock.iam.rights import Rights
from ocimock.iam.target import Target

ROOT = "ocid1.tenancy.oc1..t"
ADA = Principal("user", "ada")
RUN = Principal(
    "resource", "run", {"res_type": "datasciencejobrun", "res_compartment": "inner", "res_id": "r"}
)
COMPARTMENTS = {
    "outer": Compartment("outer", "Outer", ROOT),
    "inner": Compartment("inner", "Inner", "outer", {"ops.env": "test"}),
}


def directory(*statements: str, rule: str = "resource.type='datasciencejobrun'") -> Directory:
    return Directory(
        tenancy=ROOT,
        name="acme",
        compartments=COMPARTMENTS,
        groups=(Group("g", "people", {"ops.team": "ml"}), Group("h", "others")),
        dynamic_groups=(DynamicGroup("d", "runs", rule),),
        members={"ada": frozenset({"g"})},
        policies=(Policy(ROOT, statements),),
        users={"ada": "Ada"},
    )


def allows(asked: Directory, principal: Principal, permission: str = "OBJECT_READ") -> bool:
    rights = Rights(asked)
    ask = Ask((permission,), Target("inner"))
    return decide(rights, rights.asker(principal), "", [ask], {}, 0.0).allowed


def test_a_user_has_the_rights_of_their_groups() -> None:
    assert allows(directory("Allow group people to read objects in compartment Outer:Inner"), ADA)
    assert not allows(directory("Allow group others to read objects in tenancy"), ADA)
    assert not allows(directory("Allow group people to read objects in tenancy"), RUN)


def test_a_resource_has_those_of_the_dynamic_groups_whose_rules_match() -> None:
    text = "Allow dynamic-group runs to read objects in tenancy"
    assert allows(directory(text), RUN)
    assert not allows(directory(text, rule="resource.compartment.id='outer'"), RUN)


def test_conditions_see_names_and_tags() -> None:
    for condition in (
        "request.user.name='Ada'",
        "request.principal.group.tag.ops.team='ml'",
        "target.resource.compartment.tag.ops.env='test'",
        "target.compartment.name='Inner'",
        "target.tenant.name='acme'",
    ):
        text = f"Allow group people to read objects in tenancy where {condition}"
        assert allows(directory(text), ADA), condition


def test_what_is_not_understood_counts_as_absent_and_is_kept() -> None:
    odd, bad_rule = "Allow people everything", "whoever it may be"
    rights = Rights(directory(odd, "Define tenancy X as ocid1.tenancy.oc1..x", rule=bad_rule))
    rights.asker(RUN)
    assert rights.unread == [odd, bad_rule]
    assert rights.rules == []


def test_a_path_of_names_may_begin_where_the_policy_is() -> None:
    assert by_path(COMPARTMENTS, "outer", ("outer", "inner")) == "inner"
    assert by_path(COMPARTMENTS, ROOT, ("inner",)) is None


def test_the_evaluation_needs_nothing_of_the_mock() -> None:
    code = (
        "import sys, ocimock.iam.evaluation, ocimock.iam.needs, ocimock.iam.principals\n"
        "print(*[name for name in sys.modules if name.startswith(('ocimock.', 'oci.', 'jwt', "
        "'cryptography'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    found = done.stdout.split()
    assert "ocimock.iam.rights" in found
    known = ("ocimock.iam", "ocimock.wire", "ocimock.identifiers")
    assert [name for name in found if not name.startswith(known)] == []
