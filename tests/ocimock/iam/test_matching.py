"""Matching rules of dynamic groups."""

from __future__ import annotations

import pytest

from ocimock.cloud import Cloud
from ocimock.iam.matching import facts_of, matches
from ocimock.iam.principals import Principal
from ocimock.iam.stored import directory_of

RUN = "ocid1.datasciencejobrun.oc1.fra.r"
INSTANCE = "ocid1.instance.oc1.fra.i"


@pytest.fixture
def cloud() -> Cloud:
    found = Cloud()
    data = {"id": RUN, "compartmentId": "here", "definedTags": {"Ops": {"Role": "trainer"}}}
    found.store.add("datasciencejobrun", RUN, data)
    return found


def is_member(cloud: Cloud, rule: str, identifier: str = RUN, **claims: str) -> bool:
    return matches(rule, facts_of(directory_of(cloud), Principal("resource", identifier, claims)))


@pytest.mark.parametrize(
    ("rule", "member"),
    [
        ("resource.type = 'datasciencejobrun'", True),
        ("resource.type = 'DataScienceJobRun'", True),
        ("resource.type = 'datasciencenotebooksession'", False),
        ("resource.type != 'datasciencenotebooksession'", True),
        ("resource.compartment.id = 'here'", True),
        (f"resource.id = '{RUN}'", True),
        ("all {resource.type='datasciencejobrun', resource.compartment.id='there'}", False),
        ("any {resource.type='datasciencejobrun', resource.compartment.id='there'}", True),
        ("any {all {resource.type='x', resource.compartment.id='here'}, tag.ops.role}", True),
        ("tag.Ops.Role.value = 'Trainer'", True),
        ("tag.ops.role.value = 'server'", False),
        ("tag.ops.owner", False),
        ("instance.compartment.id = 'here'", False),
        (f"instance.id != '{INSTANCE}'", False),
    ],
)
def test_a_job_run(cloud: Cloud, rule: str, member: bool) -> None:
    assert is_member(cloud, rule) is member


def test_what_a_token_says_comes_before_the_record(cloud: Cloud) -> None:
    rule = "all {resource.type='x', resource.compartment.id='there'}"
    assert is_member(cloud, rule, res_type="x", res_compartment="there")


def test_instances_have_variables_of_their_own(cloud: Cloud) -> None:
    rule = f"all {{instance.id='{INSTANCE}', instance.compartment.id='c'}}"
    assert is_member(cloud, rule, INSTANCE, res_compartment="c")
