"""The tables: every operation has its line, every name in them is known."""

from __future__ import annotations

import itertools

import pytest

from ocimock.iam.inspection import INSPECTION
from ocimock.iam.needs import Needs, api_name, needs_of, table
from ocimock.iam.odd_targets import NAMED
from ocimock.iam.operations import ACTS, TABLES
from ocimock.iam.permissions import (
    FAMILIES,
    allowed_by,
    denied_by,
    resource_types,
    type_of,
    verb_for,
)
from ocimock.iam.policy import VERBS
from ocimock.registry import services

# Only whoever manages all resources has it: see "Moving a Compartment".
OF_NO_TYPE = "ALL_RESOURCES_MANAGE"
LINES = [(service, name, needs) for service in TABLES for name, needs in table(service).items()]


@pytest.mark.parametrize("service", sorted(services()))
def test_every_implemented_operation_has_a_line(service: str) -> None:
    missing = set(services()[service].handlers) - set(table(service))
    assert not missing, f"ocimock/iam/operations.py has no line for {sorted(missing)}"


@pytest.mark.parametrize("service", sorted(TABLES))
def test_no_line_names_an_unknown_operation(service: str) -> None:
    assert set(table(service)) - set(ACTS) <= set(services()[service].known())


@pytest.mark.parametrize(("service", "name", "needs"), LINES, ids=[line[1] for line in LINES])
def test_a_line_names_known_permissions_and_targets(service: str, name: str, needs: Needs) -> None:
    assert needs.needs or needs.free or needs.open
    for need in needs.needs:
        for permission in need.permissions:
            assert permission == OF_NO_TYPE or type_of(permission) in resource_types()
        if need.place.source == "named":
            assert need.place.fields[0] in NAMED


def test_each_permission_is_of_one_type_and_given_by_one_verb() -> None:
    given = [
        permission
        for levels in resource_types().values()
        for level in levels
        for permission in level
    ]
    assert len(given) == len(set(given))
    assert all(len(levels) == len(VERBS) for levels in resource_types().values())


def test_families_are_made_of_known_types() -> None:
    assert {name for family in FAMILIES.values() for name in family} <= set(resource_types())


@pytest.mark.parametrize("resource_type", [*resource_types(), *FAMILIES, "all-resources"])
def test_a_greater_verb_allows_more_and_denies_less(resource_type: str) -> None:
    for lesser, greater in itertools.pairwise(VERBS):
        more, less = allowed_by(greater, resource_type), allowed_by(lesser, resource_type)
        assert less is not None
        assert more is None or less <= more
        left, taken = denied_by(greater, resource_type), denied_by(lesser, resource_type)
        assert left is not None
        assert taken is None or left <= taken


@pytest.mark.parametrize(
    ("verb", "resource_type", "has", "lacks"),
    [
        ("inspect", "buckets", {"BUCKET_INSPECT"}, {"BUCKET_READ"}),
        ("read", "buckets", {"BUCKET_INSPECT", "BUCKET_READ"}, {"BUCKET_UPDATE", "OBJECT_READ"}),
        ("use", "objects", {"OBJECT_READ", "OBJECT_OVERWRITE"}, {"OBJECT_CREATE"}),
        ("manage", "object-family", {"BUCKET_DELETE", "OBJECT_CREATE"}, {"VCN_READ"}),
        ("use", "virtual-network-family", {"SUBNET_ATTACH", "VNIC_CREATE"}, {"VCN_ATTACH"}),
        ("use", "logging-family", {"LOG_CONTENT_PUSH", "LOG_GROUP_UPDATE"}, {"LOG_GROUP_CREATE"}),
        ("read", "secret-family", {"SECRET_BUNDLE_READ"}, {"SECRET_UPDATE"}),
        ("use", "key-family", {"KEY_DECRYPT", "VAULT_CREATE_KEY"}, {"SECRET_BUNDLE_READ"}),
        ("manage", "drgs", {"DRG_ATTACH", "DRG_ATTACHMENT_UPDATE"}, {"VCN_ATTACH"}),
        ("manage", "local-peering-gateways", {"LOCAL_PEERING_GATEWAY_CONNECT_TO"}, {"DRG_ATTACH"}),
        ("use", "metrics", {"METRIC_WRITE"}, {"LOG_CONTENT_PUSH"}),
        ("read", "all-resources", {"OBJECT_READ", "SECRET_BUNDLE_READ"}, {"OBJECT_CREATE"}),
        ("manage", "unheard-of", set(), {"OBJECT_READ"}),
    ],
)
def test_what_a_verb_allows(verb: str, resource_type: str, has: set[str], lacks: set[str]) -> None:
    found = allowed_by(verb, resource_type)
    assert found is not None
    assert has <= found
    assert not lacks & found


def test_denying_a_verb_denies_what_is_above_it() -> None:
    assert denied_by("manage", "buckets") == frozenset(
        {
            "BUCKET_CREATE",
            "BUCKET_DELETE",
            "PAR_MANAGE",
            "RETENTION_RULE_MANAGE",
            "RETENTION_RULE_LOCK",
        }
    )
    assert denied_by("inspect", "buckets") == allowed_by("manage", "buckets")
    assert denied_by("inspect", "all-resources") is None


def test_the_least_verb_for_a_permission() -> None:
    assert (verb_for("SECRET_BUNDLE_READ"), type_of("SECRET_BUNDLE_READ")) == (
        "read",
        "secret-bundles",
    )
    assert (verb_for("NEVER_HEARD"), type_of("NEVER_HEARD")) == ("manage", "all-resources")


@pytest.mark.parametrize(
    ("operation", "name"),
    [
        ("get_object", "GetObject"),
        ("get_secret_bundle_by_name", "GetSecretBundleByName"),
        ("pull_docker_layer", "PullDockerLayer"),
        ("attach_to_subnet", "AttachVnic"),
    ],
)
def test_operations_have_their_names_of_the_api(operation: str, name: str) -> None:
    assert api_name(operation) == name


def test_search_shows_by_known_permissions() -> None:
    assert all(type_of(permission) in resource_types() for permission in INSPECTION.values())


def test_an_operation_without_a_line_needs_nobody_knows_what() -> None:
    assert needs_of("core", "launch_instance") is None
    assert needs_of("nowhere", "get") is None
