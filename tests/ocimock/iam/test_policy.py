"""Statements and matching rules as trees, compared with oci-lexer-parser's."""

from __future__ import annotations

from typing import Any

import pytest
from oci_lexer_parser import parse_dynamic_group_matching_rules, parse_policy_statements

from ocimock.iam.policy import parse_matching_rule, parse_statement
from ocimock.iam.syntax import (
    Comparison,
    Condition,
    Junction,
    Location,
    Operand,
    Statement,
    Subject,
)
from ocimock.wire.errors import InvalidParameter

G = "ocid1.group.oc1..a"
C = "ocid1.compartment.oc1..c"


def parsed(text: str) -> Statement:
    found = parse_statement(text)
    assert found is not None
    return found


def where(text: str) -> Condition | None:
    return parsed(f"Allow group g to read buckets in tenancy where {text}").condition


@pytest.mark.parametrize(
    ("text", "subjects"),
    [
        ("any-user", (Subject("any-user"),)),
        ("ANY-GROUP", (Subject("any-group"),)),
        ("group g", (Subject("group", "g"),)),
        ("group 'a b', c", (Subject("group", "a b"), Subject("group", "c"))),
        ("group Default/g", (Subject("group", "g", "Default"),)),
        ("group 'Default'/'a b'", (Subject("group", "a b", "Default"),)),
        (
            "group 'D'/'a','E'/'b'",
            (Subject("group", "a", "D"), Subject("group", "b", "E")),
        ),
        (f"group id {G}, id {G}b", (Subject("group", id=G), Subject("group", id=f"{G}b"))),
        ("dynamic-group d", (Subject("dynamic-group", "d"),)),
        (f"Dynamic-Group ID {G}", (Subject("dynamic-group", id=G),)),
        ("service datascience, x", (Subject("service", "datascience"), Subject("service", "x"))),
    ],
)
def test_subjects(text: str, subjects: tuple[Subject, ...]) -> None:
    assert parsed(f"Allow {text} to read buckets in tenancy").subjects == subjects


@pytest.mark.parametrize(
    ("text", "location"),
    [
        ("tenancy", Location()),
        (f"compartment id {C}", Location(compartment_id=C)),
        ("compartment a:b", Location(compartment_path=("a", "b"))),
        ("compartment 'a b:c'", Location(compartment_path=("a b", "c"))),
    ],
)
def test_locations(text: str, location: Location) -> None:
    assert parsed(f"Allow group g to read buckets in {text}").location == location


def test_what_is_allowed() -> None:
    found = parsed("deny group g to MANAGE Object-Family in tenancy")
    assert (found.deny, found.verb, found.resource_type) == (True, "manage", "object-family")
    listed = parsed("Allow group g to {BUCKET_READ, object_read} in tenancy")
    assert listed.permissions == {"BUCKET_READ", "OBJECT_READ"}
    assert (listed.deny, listed.verb) == (False, "")


@pytest.mark.parametrize(
    ("text", "operator", "operands"),
    [
        ("request.region='fra'", "=", [("text", "fra")]),
        ("request.region != 'fra'", "!=", [("text", "fra")]),
        ("request.region in ('a','b')", "in", [("text", "a"), ("text", "b")]),
        ("request.region = /f*/", "=", [("pattern", "f*")]),
        ("request.region = /a/b*/", "=", [("pattern", "a/b*")]),
        ("request.region = target.tenant.id", "=", [("variable", "target.tenant.id")]),
        ("request.region before '2026-01-01Z'", "before", [("text", "2026-01-01Z")]),
        ("request.region between 'a' and 'b'", "between", [("text", "a"), ("text", "b")]),
    ],
)
def test_comparisons(text: str, operator: str, operands: list[Any]) -> None:
    wanted = tuple(Operand(kind, value) for kind, value in operands)
    assert where(text) == Comparison("request.region", operator, wanted)


def test_conditions_nest() -> None:
    one = Comparison("request.region", "=", (Operand("text", "a"),))
    two = Comparison("request.region", "=", (Operand("text", "b"),))
    found = where("ALL {request.region='a', any {request.region='a', 'b'}}")
    assert found == Junction(True, (one, Junction(False, (one, two))))


@pytest.mark.parametrize("text", ["Define tenancy t as ocid1.x", "Endorse group a to read x in y"])
def test_what_is_about_other_tenancies_has_no_tree(text: str) -> None:
    assert parse_statement(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Allow group g to read buckets",
        "Allow group g read buckets in tenancy",
        "Allow group g to own buckets in tenancy",
        "Allow group g to read buckets in tenancy where",
        "Allow group g to read buckets in tenancy where a",
        "Allow group g to read buckets in tenancy where a='b' c",
        "Allow group g to read buckets in tenancy where all {a='b'",
        "Allow group g to read buckets in tenancy where a between 'b'",
        "Allow group g to {} in tenancy",
        "Allow group to read buckets in tenancy",
    ],
)
def test_what_is_no_statement(text: str) -> None:
    with pytest.raises(InvalidParameter):
        parse_statement(text)


STATEMENTS = [
    "Allow group g to read buckets in tenancy",
    "allow any-user to use log-content in tenancy where ALL {request.principal.type='x'}",
    "Allow group 'Default'/'a b', g2 to read metrics in compartment id ocid1.compartment.oc1..x",
    f"Allow group id {G} to manage all-resources in compartment a:b:c",
    "Allow dynamic-group d to {A_B, C_D} in compartment x where request.permission = 'A_B'",
    "Allow service objectstorage-eu-frankfurt-1 to manage object-family in tenancy",
    "Deny group g to inspect buckets in tenancy where target.bucket.name != /a*/",
    "Allow group g to read buckets in tenancy where any {all {a.b='1', a.c != '2'}, a.d in "
    "('3','4')}",
    "Allow group g to read buckets in tenancy where request.utc-timestamp before '2026-01-01Z'",
    "Allow group g to read buckets in tenancy where request.utc-timestamp.time-of-day between "
    "'01:00:00Z' and '02:00:00Z'",
]


@pytest.mark.parametrize("text", STATEMENTS)
def test_trees_are_the_oracles(text: str) -> None:
    (oracle,) = parse_policy_statements(text)["statements"]
    assert as_oracle(parsed(text)) == {
        "kind": oracle["kind"],
        "subject": oracle["subject"],
        "actions": oracle["actions"],
        "resources": oracle["resources"]["values"] or everything(oracle["resources"]["type"]),
        "location": oracle["location"]["values"],
        "conditions": oracle.get("conditions"),
    }


RULES = [
    "any {all {resource.type='datasciencejobrun', resource.compartment.id='ocid1.x'}}",
    "resource.type = 'datasciencenotebooksession'",
    "ANY {instance.compartment.id = 'a', resource.id != 'b'}",
]


@pytest.mark.parametrize("text", RULES)
def test_matching_rules_are_the_oracles(text: str) -> None:
    (oracle,) = parse_dynamic_group_matching_rules(text)["rules"]
    assert group_as_oracle(parse_matching_rule(text)) == oracle["expr"]


def everything(kind: str) -> list[str]:
    """How the oracle says all-resources, and that permissions name no resource type."""
    return ["all-resources"] if kind == "all-resources" else []


_OPERATORS = {"=": "eq", "!=": "neq"}


def as_oracle(statement: Statement) -> dict[str, Any]:
    """*statement* as the oracle writes it."""
    return {
        "kind": "deny" if statement.deny else "allow",
        "subject": subjects_as_oracle(statement.subjects),
        "actions": {
            "type": "permissions" if statement.permissions else "verbs",
            "values": sorted(name.lower() for name in statement.permissions) or [statement.verb],
        },
        "resources": [statement.resource_type] if statement.resource_type else [],
        "location": [statement.location.compartment_id]
        if statement.location.compartment_id
        else list(statement.location.compartment_path),
        "conditions": group_as_oracle(statement.condition),
    }


def subjects_as_oracle(subjects: tuple[Subject, ...]) -> dict[str, Any]:
    kind: str = subjects[0].kind
    values = []
    for subject in subjects:
        if subject.id:
            values.append({"label": subject.id})
        elif subject.domain:
            values.append({"label": subject.name, "identity_domain": subject.domain})
        elif subject.name:
            values.append({"label": subject.name})
    return {"type": f"{kind}-id" if subjects[0].id else kind, "values": values}


def group_as_oracle(condition: Condition | None) -> dict[str, Any] | None:
    """The oracle wraps a lone comparison into a group."""
    if condition is None:
        return None
    found = condition_as_oracle(condition)
    if found["type"] == "clause":
        return {"type": "group", "mode": "all", "items": [found]}
    return found


def condition_as_oracle(condition: Condition) -> dict[str, Any]:
    if isinstance(condition, Junction):
        mode = "all" if condition.every else "any"
        items = [condition_as_oracle(member) for member in condition.members]
        return {"type": "group", "mode": mode, "items": items}
    values = [operand_as_oracle(operand) for operand in condition.operands]
    value: dict[str, Any] = values[0]
    if condition.operator == "in":
        value = {"type": "list", "values": values}
    if condition.operator == "between":
        value = {"type": "range", "from": values[0], "to": values[1]}
    operator = _OPERATORS.get(condition.operator, condition.operator)
    return {"type": "clause", "node": {"lhs": condition.variable, "op": operator, "rhs": value}}


def operand_as_oracle(operand: Operand) -> dict[str, Any]:
    if operand.kind == "pattern":
        return {"type": "regex", "value": f"/{operand.value}/", "pattern": operand.value}
    return {"type": "literal", "value": operand.value}
