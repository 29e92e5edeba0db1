"""What a plan says, rule by rule."""

from __future__ import annotations

from typing import Any

import pytest

from ocimock.terraform import schema
from ocimock.terraform.planning import Rules, differing, plan
from ocimock.terraform.resource import md5_of
from ocimock.terraform.resources import RESOURCES
from ocimock.terraform.schema import Attribute, Block, NestedBlock
from ocimock.terraform.values import UNKNOWN
from tests.ocimock.terraform.tenant import filled

_REQUIRED = Attribute("string", required=True)
_OPTIONAL = Attribute("string", optional=True)
_COMPUTED = Attribute("string", computed=True)
_EITHER = Attribute("string", optional=True, computed=True)


def _one(attribute: Attribute, config: Any, prior: Any, rules: Rules | None = None) -> Any:
    """The planned value of the only attribute, `a`, of a resource that exists."""
    block = Block({"a": attribute})
    return plan(block, {"a": config}, {"a": prior}, rules or Rules())["a"]


def _created(attribute: Attribute, config: Any, rules: Rules | None = None) -> Any:
    return plan(Block({"a": attribute}), {"a": config}, None, rules or Rules())["a"]


@pytest.mark.parametrize(
    ("attribute", "config", "expected"),
    [
        (_REQUIRED, "x", "x"),
        (_REQUIRED, UNKNOWN, UNKNOWN),
        (_OPTIONAL, None, None),
        (_COMPUTED, None, UNKNOWN),
        (_EITHER, None, UNKNOWN),
        (_EITHER, "x", "x"),
    ],
)
def test_create(attribute: Attribute, config: Any, expected: Any) -> None:
    assert _created(attribute, config) == expected


@pytest.mark.parametrize(
    ("attribute", "config", "prior", "expected"),
    [
        pytest.param(_REQUIRED, "y", "x", "y", id="changed"),
        pytest.param(_REQUIRED, UNKNOWN, "x", UNKNOWN, id="not known yet"),
        pytest.param(_COMPUTED, None, "x", "x", id="computed stays"),
        pytest.param(_COMPUTED, None, None, None, id="computed null stays null"),
        pytest.param(_EITHER, None, "x", "x", id="the service's choice stays"),
        pytest.param(_OPTIONAL, None, "x", None, id="taken out of the configuration"),
        pytest.param(_OPTIONAL, None, "", "", id="null is the empty string"),
        pytest.param(_EITHER, "", None, None, id="the empty string is null"),
        pytest.param(Attribute("bool", optional=True), None, False, False, id="null is false"),
        pytest.param(Attribute("bool", optional=True), None, True, None, id="null is not true"),
        pytest.param(Attribute("bool", optional=True), True, False, True, id="switched on"),
        pytest.param(Attribute("number", optional=True), 1, True, 1, id="1 is not true"),
        pytest.param(Attribute("number", optional=True), 50, 50.0, 50.0, id="50 is 50.0"),
        pytest.param(_EITHER, "0050", "50", "50", id="a number in a string"),
        pytest.param(
            _EITHER,
            "2026-11-22T13:00:00+01:00",
            "2026-11-22 12:00:00 +0000 UTC",
            "2026-11-22 12:00:00 +0000 UTC",
            id="the same moment",
        ),
        pytest.param(
            Attribute(["set", "string"], optional=True),
            ["b", "a"],
            ["a", "b"],
            ["a", "b"],
            id="set",
        ),
        pytest.param(
            Attribute(["list", "string"], optional=True),
            ["b", "a"],
            ["a", "b"],
            ["b", "a"],
            id="a list's order counts",
        ),
        pytest.param(
            Attribute(["map", "string"], optional=True),
            {"k": "w"},
            {"k": "v"},
            {"k": "w"},
            id="map",
        ),
    ],
)
def test_update(attribute: Attribute, config: Any, prior: Any, expected: Any) -> None:
    planned = _one(attribute, config, prior)
    assert planned == expected
    assert type(planned) is type(expected)


def test_a_default_fills_in_on_create_and_on_update() -> None:
    rules = Rules(defaults={"a": "d"})
    assert _created(_OPTIONAL, None, rules) == "d"
    assert _one(_OPTIONAL, None, "x", rules) == "d"
    assert _one(_OPTIONAL, "x", "x", rules) == "x"


def test_the_state_holds_a_checksum_of_the_content() -> None:
    rules = Rules(state_forms={"a": md5_of})
    digest = "5d41402abc4b2a76b9719d911017c592"
    assert _created(_OPTIONAL, "hello", rules) == digest
    assert _one(_OPTIONAL, "hello", digest, rules) == digest
    assert _one(_OPTIONAL, "hello!", digest, rules) != digest
    assert _created(_OPTIONAL, UNKNOWN, rules) is UNKNOWN


def test_case_counts_unless_the_rules_say_otherwise() -> None:
    assert _one(_EITHER, "VCN", "vcn") == "VCN"
    assert _one(_EITHER, "VCN", "vcn", Rules(any_case=frozenset({"a"}))) == "vcn"


_RULE = Block(
    {
        "source": _REQUIRED,
        "stateless": Attribute("bool", optional=True),
        "source_type": _EITHER,
    }
)
_SET = Block({}, {"rules": NestedBlock("set", _RULE)})
_LIST = Block({}, {"details": NestedBlock("list", _RULE, max_items=1)})


def _rule(source: str, stateless: bool | None = None, source_type: Any = None) -> dict[str, Any]:
    return {"source": source, "stateless": stateless, "source_type": source_type}


def test_set_members_are_matched_whatever_their_order() -> None:
    rules = Rules(defaults={"rules.stateless": False}, plain_blocks=frozenset({"rules"}))
    prior = {"rules": [_rule("a", False, "CIDR_BLOCK"), _rule("b", False, "CIDR_BLOCK")]}
    config = {"rules": [_rule("b"), _rule("a")]}
    assert plan(_SET, config, prior, rules) == prior


def test_a_new_set_member_does_not_take_a_computed_value_from_another() -> None:
    prior = {"rules": [_rule("a", False, "CIDR_BLOCK")]}
    planned = plan(_SET, {"rules": [_rule("a"), _rule("b")]}, prior, Rules())["rules"]
    assert planned == [_rule("a", False, "CIDR_BLOCK"), _rule("b", None, UNKNOWN)]


def test_two_equal_set_members_need_two_prior_ones() -> None:
    prior = {"rules": [_rule("a", False, "CIDR_BLOCK")]}
    planned = plan(_SET, {"rules": [_rule("a"), _rule("a")]}, prior, Rules())["rules"]
    assert planned == [_rule("a", False, "CIDR_BLOCK"), _rule("a", None, UNKNOWN)]


def test_an_absent_block_keeps_what_the_service_filled_in() -> None:
    prior = {"details": [_rule("a", False, "T")]}
    assert plan(_LIST, {"details": []}, prior, Rules()) == prior
    assert plan(_LIST, {"details": []}, None, Rules()) == {"details": UNKNOWN}


def test_an_absent_plain_block_is_none() -> None:
    rules = Rules(plain_blocks=frozenset({"details"}))
    prior = {"details": [_rule("a", False, "T")]}
    assert plan(_LIST, {"details": []}, prior, rules) == {"details": []}
    assert plan(_LIST, {"details": []}, None, rules) == {"details": []}


def test_a_list_blocks_members_are_matched_by_place() -> None:
    prior = {"details": [_rule("a", False, "T")]}
    planned = plan(_LIST, {"details": [_rule("b")]}, prior, Rules())
    assert planned == {"details": [_rule("b", False, "T")]}


def test_a_dynamic_block_may_be_unknown() -> None:
    assert plan(_LIST, {"details": UNKNOWN}, {"details": []}, Rules()) == {"details": UNKNOWN}


def test_timeouts_are_as_configured() -> None:
    block = Block({}, {"timeouts": NestedBlock("single", Block({"create": _OPTIONAL}))})
    config = {"timeouts": {"create": "5m"}}
    assert plan(block, config, {"timeouts": None}, Rules()) == config


def test_differing_names_top_level_attributes_and_blocks() -> None:
    block = Block({"a": _OPTIONAL, "b": _OPTIONAL}, {"details": NestedBlock("list", _RULE)})
    prior = {"a": "x", "b": "x", "details": [_rule("a")]}
    planned = {"a": "x", "b": UNKNOWN, "details": [_rule("b")]}
    assert differing(block, planned, prior) == ["b", "details"]


@pytest.mark.parametrize(
    ("type_name", "values", "path", "expected"),
    [
        (
            "oci_core_security_list",
            {"ingress_security_rules": [{"protocol": "6", "source": "10.0.0.0/24"}]},
            ("ingress_security_rules", 0, "stateless"),
            False,
        ),
        ("oci_core_internet_gateway", {}, ("enabled",), True),
        ("oci_objectstorage_bucket", {}, ("access_type",), "NoPublicAccess"),
        ("oci_objectstorage_object", {}, ("delete_all_object_versions",), False),
    ],
)
def test_a_plan_shows_the_real_providers_defaults(
    type_name: str, values: dict[str, Any], path: tuple[str | int, ...], expected: Any
) -> None:
    block = schema.load().resources[type_name].block
    planned: Any = plan(block, filled(block, values), None, RESOURCES[type_name].rules)
    for step in path:
        planned = planned[step]
    assert planned == expected
