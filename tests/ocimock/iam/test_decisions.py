"""What statements allow whom, and which statement is missing where they do not."""

from __future__ import annotations

import time
from calendar import timegm

import pytest

from ocimock.iam.principals import Principal
from tests.ocimock.iam.tenancy import BUCKET, RUN, Tenancy

OUTER = "ocid1.compartment.oc1..outer"
INNER = "ocid1.compartment.oc1..inner"
SERVICE = Principal("service", "datascience")
READ = "objectstorage.get_object"


@pytest.mark.parametrize(
    "statement",
    [
        "Allow any-user to read objects in tenancy",
        "Allow any-group to read objects in tenancy",
        "Allow group people to read objects in tenancy",
        "Allow group PEOPLE to manage object-family in tenancy",
        "Allow group 'Default'/'people' to use objects in tenancy",
        "Allow group id ocid1.group.oc1..people to read objects in tenancy",
        "Allow group strangers, people to read objects in tenancy",
        "Allow group people to {OBJECT_READ} in tenancy",
        "Allow group people to read all-resources in tenancy",
        f"Allow group people to read objects in compartment id {OUTER}",
        f"Allow group people to read objects in compartment id {INNER}",
        "Allow group people to read objects in compartment outer",
        "Allow group people to read objects in compartment outer:Inner",
        "Allow group people to read objects in tenancy where request.operation='GetObject'",
        "Allow group people to read objects in tenancy where request.permission='OBJECT_READ'",
        "Allow group people to read objects in tenancy where request.region='FRA'",
        "Allow group people to read objects in tenancy where request.user.name='ada'",
        "Allow group people to read objects in tenancy where request.principal.type='user'",
        "Allow group people to read objects in tenancy where target.compartment.name='inner'",
        "Allow group people to read objects in tenancy where target.bucket.name=/d*/",
        "Allow any-user to read objects in tenancy where "
        "request.groups.id='ocid1.group.oc1..people'",
        "Allow any-user to read objects in tenancy where request.principal.group.tag.ops.team='ml'",
        "Allow group people to read objects in tenancy where "
        "target.resource.compartment.tag.ops.env='inner'",
    ],
)
def test_allowed(tenancy: Tenancy, statement: str) -> None:
    assert not tenancy.ask(tenancy.ada, READ, variables=BUCKET).allowed
    tenancy.policy(statement)
    decision = tenancy.ask(tenancy.ada, READ, variables=BUCKET)
    assert decision.allowed
    assert [grant.statement for grant in decision.grants] == [statement]
    assert decision.missing == ""


@pytest.mark.parametrize(
    "statement",
    [
        "Allow group people to inspect objects in tenancy",
        "Allow group people to manage buckets in tenancy",
        "Allow group strangers to manage objects in tenancy",
        "Allow group Elsewhere/people to manage objects in tenancy",
        "Allow group id ocid1.group.oc1..strangers to manage objects in tenancy",
        "Allow dynamic-group people to manage objects in tenancy",
        "Allow service people to manage objects in tenancy",
        "Allow group people to manage objects in compartment other",
        "Allow group people to manage objects in compartment outer:gone",
        "Allow group people to {OBJECT_INSPECT, OBJECT_CREATE} in tenancy",
        "Allow group people to manage objects in tenancy where request.region='iad'",
        "Allow group people to manage objects in tenancy where target.bucket.name='b'",
        "Allow group people to manage objects in tenancy where target.object.name!='b'",
        "Allow group people to manage objects in tenancy where request.operation='PutObject'",
        "Deny group people to read objects in tenancy",
        "Endorse group people to manage objects in tenancy partner",
    ],
)
def test_not_allowed(tenancy: Tenancy, statement: str) -> None:
    tenancy.policy(statement)
    decision = tenancy.ask(tenancy.ada, READ, variables=BUCKET)
    assert not decision.allowed


@pytest.mark.parametrize(
    ("principal", "words"),
    [
        (Principal("user", "ocid1.user.oc1..ada"), "group people"),
        (Principal("user", "ocid1.user.oc1..bob"), "group <one that the user is in>"),
        (RUN, "dynamic-group runs"),
        (SERVICE, "service datascience"),
    ],
)
def test_the_missing_statement_is_named(tenancy: Tenancy, principal: Principal, words: str) -> None:
    decision = tenancy.ask(principal, "vault.get_secret_bundle")
    assert decision.missing == f"Allow {words} to read secret-bundles in compartment id {INNER}"
    in_root = tenancy.ask(principal, "vault.get_secret_bundle", "root")
    assert in_root.missing == f"Allow {words} to read secret-bundles in tenancy"


def test_a_condition_that_is_not_met_is_told(tenancy: Tenancy) -> None:
    statement = "Allow group people to read objects in tenancy where target.bucket.name='other'"
    tenancy.policy(statement)
    decision = tenancy.ask(tenancy.ada, READ, variables=BUCKET)
    assert f"conditions not met: {statement}" in decision.missing


def test_all_permissions_of_an_operation_are_needed(tenancy: Tenancy) -> None:
    one, two = (
        "Allow group people to manage subnets in tenancy",
        "Allow group people to manage vcns in tenancy",
    )
    tenancy.policy(one, two)
    decision = tenancy.ask(tenancy.ada, "core.create_subnet")
    assert [grant.statement for grant in decision.grants] == [one, two, None, None, None]
    assert "manage route-tables" in decision.missing
    assert "manage security-lists" in decision.missing
    assert "manage subnets" not in decision.missing
    tenancy.policy("Allow group people to manage virtual-network-family in tenancy", name="q")
    assert tenancy.ask(tenancy.ada, "core.create_subnet").allowed


def test_one_of_two_permissions_will_do(tenancy: Tenancy) -> None:
    head = "objectstorage.head_object"
    assert not tenancy.ask(tenancy.ada, head).allowed
    tenancy.policy("Allow group people to inspect objects in tenancy")
    assert tenancy.ask(tenancy.ada, head).allowed


def test_a_policy_reaches_from_its_compartment_down(tenancy: Tenancy) -> None:
    tenancy.policy("Allow group people to read objects in compartment inner", where="outer")
    assert tenancy.ask(tenancy.ada, READ, "inner").allowed
    assert not tenancy.ask(tenancy.ada, READ, "outer").allowed
    tenancy.policy("Allow group people to read objects in tenancy", where="other", name="q")
    tenancy.policy(f"Allow group people to read objects in compartment id {OUTER}", where="other")
    assert not tenancy.ask(tenancy.ada, READ, "outer").allowed
    assert not tenancy.ask(tenancy.ada, READ, "other").allowed


def test_what_holds_in_the_tenancy_holds_below(tenancy: Tenancy) -> None:
    tenancy.policy("Allow group people to read objects in compartment outer")
    allowed = {
        name: tenancy.ask(tenancy.ada, READ, name).allowed
        for name in ("root", "other", "outer", "inner")
    }
    assert allowed == {"root": False, "other": False, "outer": True, "inner": True}


def test_deny_wins(tenancy: Tenancy) -> None:
    deny = f"Deny group people to read objects in compartment id {INNER}"
    tenancy.policy("Allow group people to manage objects in tenancy", deny)
    decision = tenancy.ask(tenancy.ada, READ, "inner")
    assert (decision.allowed, decision.denied_by) == (False, deny)
    assert not tenancy.ask(tenancy.ada, "OBJECT_DELETE", "inner").allowed
    assert tenancy.ask(tenancy.ada, "OBJECT_INSPECT", "inner").allowed
    assert tenancy.ask(tenancy.ada, READ, "outer").allowed


def test_a_deny_whose_condition_does_not_apply_denies_nothing(tenancy: Tenancy) -> None:
    tenancy.policy(
        "Allow group people to manage objects in tenancy",
        "Deny group people to inspect objects in tenancy where target.object.name != 'x'",
    )
    assert tenancy.ask(tenancy.ada, READ).allowed
    assert not tenancy.ask(tenancy.ada, READ, variables={"target.object.name": ("y",)}).allowed


def test_administrators_may_do_everything_and_no_deny_binds_them(tenancy: Tenancy) -> None:
    tenancy.policy("Deny any-user to inspect all-resources in tenancy")
    assert tenancy.ask(tenancy.admin, READ).allowed
    assert tenancy.ask(tenancy.admin, "identity.move_compartment").allowed
    assert not tenancy.ask(tenancy.ada, READ).allowed


def test_moving_compartments_takes_all_resources(tenancy: Tenancy) -> None:
    tenancy.policy("Allow group people to use all-resources in tenancy")
    assert not tenancy.ask(tenancy.ada, "identity.move_compartment").allowed
    tenancy.policy("Allow group people to manage all-resources in tenancy", name="q")
    assert tenancy.ask(tenancy.ada, "identity.move_compartment").allowed


@pytest.mark.parametrize(
    ("statement", "allowed"),
    [
        ("Allow dynamic-group runs to read objects in tenancy", True),
        ("Allow dynamic-group id ocid1.dynamicgroup.oc1..runs to read objects in tenancy", True),
        ("Allow group runs to read objects in tenancy", False),
        ("Allow any-group to read objects in tenancy", False),
        ("Allow any-user to read objects in tenancy", True),
        (
            "Allow any-user to read objects in tenancy where "
            "request.principal.type='datasciencejobrun'",
            True,
        ),
        (
            "Allow any-user to read objects in tenancy where request.principal.type='user'",
            False,
        ),
        (
            "Allow any-user to read objects in tenancy where "
            "request.principal.compartment.id=target.compartment.id",
            True,
        ),
        (
            "Allow any-user to read objects in tenancy where "
            "request.principal.compartment.tag.ops.env='inner'",
            True,
        ),
        ("Allow any-user to read objects in tenancy where request.user.name!='x'", False),
    ],
)
def test_a_job_run(tenancy: Tenancy, statement: str, allowed: bool) -> None:
    tenancy.policy(statement)
    assert tenancy.ask(RUN, READ).allowed is allowed


def test_a_run_elsewhere_is_in_no_dynamic_group(tenancy: Tenancy) -> None:
    tenancy.policy("Allow dynamic-group runs to read objects in tenancy")
    claims = {"res_type": "datasciencejobrun", "res_compartment": OUTER}
    assert not tenancy.ask(Principal("resource", RUN.id, claims), READ).allowed


def test_a_service_is_named(tenancy: Tenancy) -> None:
    tenancy.policy("Allow service datascience to use virtual-network-family in tenancy")
    assert tenancy.ask(SERVICE, "core.attach_to_subnet").allowed
    other = Principal("service", "objectstorage-eu-frankfurt-1")
    assert not tenancy.ask(other, "core.attach_to_subnet").allowed


@pytest.mark.parametrize(("day", "allowed"), [("2026-06-30", True), ("2026-07-02", False)])
def test_access_may_end(tenancy: Tenancy, day: str, allowed: bool) -> None:
    limit = "request.utc-timestamp before '2026-07-01T00:00Z'"
    tenancy.policy(f"Allow group people to read objects in tenancy where {limit}")
    now = timegm(time.strptime(day, "%Y-%m-%d"))
    assert tenancy.ask(tenancy.ada, READ, now=now).allowed is allowed


@pytest.mark.parametrize(("group", "allowed"), [("people", True), ("strangers", False)])
def test_membership_of_the_target(tenancy: Tenancy, group: str, allowed: bool) -> None:
    tenancy.policy("Allow any-group to use groups in tenancy where target.group.member='true'")
    variables = {"target.group.id": (f"ocid1.group.oc1..{group}",)}
    assert tenancy.ask(tenancy.ada, "GROUP_UPDATE", "root", variables).allowed is allowed


def test_a_compartment_that_is_not_there_counts_as_the_tenancy(tenancy: Tenancy) -> None:
    tenancy.policy("Allow group people to read objects in compartment outer")
    assert not tenancy.ask(tenancy.ada, READ, "gone").allowed
    assert tenancy.ask(tenancy.admin, READ, "gone").allowed
