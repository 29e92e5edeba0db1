"""Every IAM sentence parses, and says no more than it must."""

from collections.abc import Callable
from typing import Any

import pytest
from oci_lexer_parser import parse_dynamic_group_matching_rules, parse_policy_statements

from infra.statements import looking_statements
from tests.infra.synthesis import Stacks, applied

Synthesize = Callable[..., Stacks]

TENANCIES = {
    "least-privilege": "",
    "with-people": "user_group: {name: data-scientists}\n",
    "with-people-in-a-domain": "user_group: {name: data scientists, domain: Default}\n",
    "proof-of-concept": "policies: proof-of-concept\nuser_group: {name: ds}\n",
}


# Names, policies and numbers, which the tenancy has in its root.
LOOKING = looking_statements("group 'ds'")


def resources(stacks: Stacks, kind: str) -> dict[str, dict[str, Any]]:
    """Resources of that type in the identity stack, by name, as they are after apply."""
    found: dict[str, dict[str, Any]] = applied(stacks["identity"]["resource"][kind])
    return found


def statements(stacks: Stacks) -> list[str]:
    policies = resources(stacks, "oci_identity_policy").values()
    return [statement for policy in policies for statement in policy["statements"]]


@pytest.mark.parametrize("text", TENANCIES.values(), ids=TENANCIES)
def test_every_statement_and_rule_parses(synthesize: Synthesize, text: str) -> None:
    stacks = synthesize(text)

    found = statements(stacks)
    parsed, diagnostics = parse_policy_statements("\n".join(found), error_mode="report")
    assert len(parsed["statements"]) == len(found) > 0, diagnostics
    for statement in found:
        parse_policy_statements(statement, error_mode="raise")
    for group in resources(stacks, "oci_identity_dynamic_group").values():
        rules = parse_dynamic_group_matching_rules(group["matching_rule"])["rules"]
        assert len(rules) == 1


def test_the_matching_rule_is_one_line_of_type_and_compartment(synthesize: Synthesize) -> None:
    (group,) = resources(synthesize(), "oci_identity_dynamic_group").values()
    rule = group["matching_rule"]

    assert "\n" not in rule
    expression = parse_dynamic_group_matching_rules(rule)["rules"][0]["expr"]
    assert expression["mode"] == "any"
    members = [
        {item["node"]["lhs"]: item["node"]["rhs"]["value"] for item in member["items"]}
        for member in expression["items"]
    ]
    assert {member["mode"] for member in expression["items"]} == {"all"}
    assert members == [
        {"resource.type": kind, "resource.compartment.id": "ocid1.compartment.oc1..aaaatest"}
        for kind in (
            "datasciencenotebooksession",
            "datasciencejobrun",
            "datasciencemodeldeployment",
            "datasciencepipelinerun",
        )
    ]


def test_identity_is_written_in_the_root_through_the_home_region(synthesize: Synthesize) -> None:
    stacks = synthesize("region: eu-frankfurt-1\nhome_region: us-ashburn-1\n")

    assert {"alias": "home", "region": "us-ashburn-1"} in stacks["identity"]["provider"]["oci"]
    kinds = ("oci_identity_dynamic_group", "oci_identity_policy")
    for resource in (one for kind in kinds for one in resources(stacks, kind).values()):
        assert resource["provider"] == "oci.home"
        assert resource["compartment_id"] == "ocid1.tenancy.oc1..aaaatest"


def test_least_privilege_never_leaves_the_compartment(synthesize: Synthesize) -> None:
    for statement in statements(synthesize("user_group: {name: ds}\n")):
        if statement in LOOKING:
            continue
        assert " in compartment id ocid1.compartment.oc1..aaaatest" in statement
        assert "all-resources" not in statement


def test_of_the_tenancy_people_see_names_and_numbers(synthesize: Synthesize) -> None:
    found = statements(synthesize("user_group: {name: ds}\n"))

    assert [text for text in found if text.endswith(" in tenancy")] == LOOKING
    kinds = [text.split(" to ")[1].removesuffix(" in tenancy") for text in LOOKING]
    assert [kind for kind in kinds if not kind.startswith("inspect ")] == [
        "manage compute-capacity-reports"
    ]
    assert not [text for text in statements(synthesize()) if text.endswith(" in tenancy")]


def test_objects_are_reached_in_the_one_bucket_only(synthesize: Synthesize) -> None:
    found = statements(synthesize("user_group: {name: ds}\n"))
    about_objects = [text for text in found if " objects " in text or " object-family " in text]

    assert len(about_objects) == 4  # jobs, two services, people
    assert all("where any {target.bucket.name='" in text for text in about_objects)


def test_jobs_read_the_one_secret_only(synthesize: Synthesize) -> None:
    found = statements(synthesize("vault: {secret_name: my-token}\n"))
    (statement,) = [text for text in found if "secret" in text]

    assert "to read secret-bundles in" in statement
    assert "target.secret.name='my-token'" in statement
    assert "target.vault.id='ocid1.vault." in statement
    assert "where all {request.principal.type='datasciencejobrun', " in statement


def test_without_a_token_no_run_reads_a_secret(synthesize: Synthesize) -> None:
    assert not [
        text for text in statements(synthesize("hub: {token: false}\n")) if "secret" in text
    ]


def test_a_subnet_elsewhere_is_used_where_it_is(synthesize: Synthesize) -> None:
    text = (
        "user_group: {name: ds}\n"
        "network: {subnet_id: ocid1.subnet.oc1.iad.aaaa, "
        "subnet_compartment_ocid: ocid1.compartment.oc1..aaaanetworks}\n"
    )
    elsewhere = [part for part in statements(synthesize(text)) if "aaaanetworks" in part]

    assert len(elsewhere) == 3  # the notebook, the service, people
    for statement in elsewhere:
        assert (
            " to use virtual-network-family in compartment id ocid1.compartment.oc1..aaaanetworks"
        ) in statement


def test_of_what_runs_only_the_notebook_uses_the_network(synthesize: Synthesize) -> None:
    found = statements(synthesize())
    (statement,) = [text for text in found if "dynamic-group" in text and "network" in text]

    assert statement.endswith("where any {request.principal.type='datasciencenotebooksession'}")


def test_the_proof_of_concept_is_the_tutorial_s_set_and_one_more(synthesize: Synthesize) -> None:
    stacks = synthesize("policies: proof-of-concept\n")
    (group,) = stacks["identity"]["resource"]["oci_identity_dynamic_group"]
    who = f"dynamic-group id ${{oci_identity_dynamic_group.{group}.id}}"
    (policy,) = stacks["identity"]["resource"]["oci_identity_policy"].values()

    assert policy["statements"] == [
        "Allow service datascience to use virtual-network-family in tenancy",
        f"Allow {who} to manage data-science-family in tenancy",
        f"Allow {who} to manage all-resources in tenancy",
        # The pipeline registers a model by reference.
        "Allow service datascience to read objects in tenancy",
    ]


def test_people_get_statements_only_if_there_is_a_group(synthesize: Synthesize) -> None:
    without = statements(synthesize())
    with_group = statements(synthesize("user_group: {name: ds, domain: Default}\n", name="people"))

    assert not [text for text in without if "Allow group" in text]
    assert [text for text in with_group if text.startswith("Allow group 'Default'/'ds' to ")]


def test_the_root_compartment_is_the_tenancy(synthesize: Synthesize) -> None:
    root = "tenancy_ocid: &root ocid1.tenancy.oc1..aaaatest\ncompartment_ocid: *root\n"
    stacks = synthesize("user_group: {name: ds}\n", ocids=root)

    found = statements(stacks)
    assert all(" in tenancy" in text and "compartment id" not in text for text in found)
    parse_policy_statements("\n".join(found), error_mode="raise")
