"""Every statement of the bundle that the pipeline needs: without it, preflight says so, and what it
says to add is enough."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import jwt
import oci
import pytest

from infra import statements as bundle
from jobs import auth
from jobs.definitions import read_all, read_pipeline
from jobs.preflight.check import Finding, State
from jobs.preflight.checks.iam import Iam
from jobs.preflight.iam_call import Who
from jobs.preflight.iam_calls import calls
from jobs.preflight.iam_places import Places
from jobs.preflight.iam_snapshot import caller_of
from jobs.preflight.looking import look
from jobs.preflight.policies import permissions_of
from jobs.preflight.subject import Subject
from jobs.record import STEPS
from ocimock import mock_oci
from ocimock.cloud import Settings
from ocimock.iam.enforcement import forget
from tests.e2e.administrator import names
from tests.e2e.enforced import Way

# What people do beside the pipeline: they push the image, and put the token into the vault.
BESIDE = {
    "group: manage repos",
    "group: manage secret-family",
    "group: use vaults",
    "group: use keys",
}
LOOKING = {
    name for name in names() if name.startswith(("group: inspect", "group: manage compute-cap"))
}
# What only the notebook session needs of what the dynamic group has.
NOTEBOOKS = {
    "dynamic-group: manage data-science-family",
    "dynamic-group: use virtual-network-family",
}
# What the person does with the token, before all.
BEFORE = {"vault.list_secrets", "vault.create_secret"}
# By default a person submits. Of what is told of whom:
RUNS, SERVES = (f"{who} (dynamic-group workloads)" for who in ("the job runs", "the deployment"))
WHO = {
    "dynamic-group": [RUNS],
    "dynamic-group: manage objects": [RUNS, SERVES],
    "dynamic-group: read repos": [SERVES],
    "service datascience": ["service datascience"],
    "service objectstorage-eu-frankfurt-1": ["service objectstorage-eu-frankfurt-1"],
    "any-user": [SERVES],
    "group": ["whoever submits (group data-scientists)"],
}


@dataclass
class Tenancy:
    """The bundle's policies in an enforcing mock, and what preflight's check says of them."""

    way: Way
    policy: str
    texts: dict[str, str]

    def write(self, *texts: str) -> None:
        """All statements that the tenancy has."""
        details = oci.identity.models.UpdatePolicyDetails(statements=list(texts))
        self.way.administrator.admin(oci.identity.IdentityClient).update_policy(
            self.policy, details
        )

    def without(self, name: str) -> list[str]:
        return [text for each, text in self.texts.items() if each != name]

    def set_rule(self, rule: str) -> None:
        details = oci.identity.models.UpdateDynamicGroupDetails(matching_rule=rule)
        self.way.administrator.admin(oci.identity.IdentityClient).update_dynamic_group(
            self.way.places["dynamic group"], details
        )

    def look(
        self,
        steps: frozenset[str] = frozenset(STEPS),
        who: str = "person",
        folder: Path | None = None,
    ) -> list[Finding]:
        way = self.way
        acting = way.as_person() if who == "person" else way.as_resource(way.places[who])
        with acting:
            chosen = folder or way.folder / "definitions"
            subject = Subject(read_pipeline(chosen), read_all(chosen), steps)
            [answer] = look([Iam()], subject)
        return list(answer.findings)


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tenancy]:
    with mock_oci(Settings(enforce_iam=True)) as mocked:
        way = Way(mocked, tmp_path_factory.mktemp("iam"))
        way.administrator.stand_up()
        with way.as_person():
            way.emit()
        listed = way.administrator.admin(oci.identity.IdentityClient).list_policies(
            mocked.tenancy_id
        )
        [policy] = [each.id for each in listed.data if each.name == "bundle"]
        yield Tenancy(way, policy, way.administrator.bundle())


@pytest.fixture
def tenancy(standing: Tenancy) -> Tenancy:
    standing.write(*standing.texts.values())
    return standing


def added(finding: Finding) -> list[str]:
    """The statements that a remedy says to add."""
    return [line for line in finding.remedy.splitlines() if line.startswith("Allow ")]


def states(findings: list[Finding]) -> list[State]:
    return [finding.state for finding in findings]


def test_the_bundle_allows_all(tenancy: Tenancy) -> None:
    assert states(tenancy.look()) == [State.PASS]


@pytest.mark.parametrize("name", sorted(set(names()) - BESIDE - LOOKING - NOTEBOOKS))
def test_a_statement_that_is_missing_is_named(tenancy: Tenancy, name: str) -> None:
    tenancy.write(*tenancy.without(name))

    found = tenancy.look()
    copied = name.startswith("service objectstorage")
    assert set(states(found)) == {State.WARN if copied else State.FAIL}
    who = WHO.get(name) or WHO[name.partition(":")[0]]
    assert [each.said.partition(" may not ")[0] for each in found] == list(who)
    # The bundle's own, by another name of whom it is for.
    [text] = {text for each in found for text in added(each)}
    assert text.partition(" to ")[2] == tenancy.texts[name].partition(" to ")[2]

    tenancy.write(*tenancy.without(name), text)
    assert states(tenancy.look()) == [State.PASS], text


@pytest.mark.parametrize("name", sorted(NOTEBOOKS))
def test_the_same_for_a_notebook_session_that_may_read_policies(
    tenancy: Tenancy, name: str
) -> None:
    who = f"dynamic-group id {tenancy.way.places['dynamic group']}"
    reading = bundle.looking_statements(who)
    tenancy.write(*tenancy.without(name), *reading)

    [found] = tenancy.look(who="notebook")
    assert found.state is State.FAIL
    assert found.said.startswith("whoever submits (dynamic-group workloads) may not ")
    tenancy.write(*tenancy.without(name), *reading, *added(found))
    assert states(tenancy.look(who="notebook")) == [State.PASS], added(found)


@pytest.mark.parametrize("name", sorted(BESIDE))
def test_what_the_pipeline_does_not_need_is_not_missed(tenancy: Tenancy, name: str) -> None:
    tenancy.write(*tenancy.without(name))
    assert states(tenancy.look()) == [State.PASS]


def test_a_subnet_in_another_compartment_is_used_where_it_is(
    tenancy: Tenancy, tmp_path: Path
) -> None:
    admin, root = tenancy.way.administrator.admin, tenancy.way.cloud.tenancy_id
    details = oci.identity.models.CreateCompartmentDetails(
        compartment_id=root, name="networks", description="of all teams"
    )
    networks = admin(oci.identity.IdentityClient).create_compartment(details).data.id
    client, models = admin(oci.core.VirtualNetworkClient), oci.core.models
    vcn = client.create_vcn(
        models.CreateVcnDetails(compartment_id=networks, cidr_blocks=["10.1.0.0/16"])
    ).data.id
    elsewhere = client.create_subnet(
        models.CreateSubnetDetails(compartment_id=networks, vcn_id=vcn, cidr_block="10.1.1.0/24")
    ).data.id
    for path in (tenancy.way.folder / "definitions").glob("*.yaml"):
        text = path.read_text().replace(tenancy.way.places["subnet"], elsewhere)
        (tmp_path / path.name).write_text(text)

    def missing() -> list[str]:
        found = tenancy.look(folder=tmp_path)
        return [text for each in found for text in added(each) if each.state is State.FAIL]

    # Who may not see the subnet is told so; another check warns of it.
    [guessed] = tenancy.look(folder=tmp_path)
    assert guessed.state is State.PASS
    assert f"if the subnet {elsewhere}, not told of" in guessed.said

    reading = f"Allow group data-scientists to inspect subnets in compartment id {networks}"
    tenancy.write(*tenancy.texts.values(), reading)
    assert missing() == [
        f"Allow group 'data-scientists' to use virtual-network-family in compartment id {networks}",
        f"Allow service datascience to use virtual-network-family in compartment id {networks}",
    ]
    tenancy.write(*tenancy.texts.values(), *missing())
    assert states(tenancy.look(folder=tmp_path)) == [State.PASS]


SOMEBODY = "ocid1.user.oc1..somebody"
NOTEBOOK = {"res_id": "ocid1.datasciencenotebooksession.oc1..n", "res_type": "notebook"}
INSTANCE = {"opc-instance": "ocid1.instance.oc1..i", "opc-compartment": "c", "opc-tenant": "t"}


@pytest.mark.parametrize(
    ("config", "claims", "kind", "identifier"),
    [
        ({"user": SOMEBODY}, {}, "user", SOMEBODY),
        ({}, {"sub": SOMEBODY}, "user", SOMEBODY),
        ({}, NOTEBOOK, "resource", NOTEBOOK["res_id"]),
        ({}, INSTANCE, "resource", INSTANCE["opc-instance"]),
    ],
    ids=["API key", "session token", "resource principal", "instance principal"],
)
def test_who_is_signed_in(
    monkeypatch: pytest.MonkeyPatch,
    config: dict[str, str],
    claims: dict[str, str],
    kind: str,
    identifier: str,
) -> None:
    token = jwt.encode(claims, "k" * 32, algorithm="HS256")
    signer = SimpleNamespace(api_key=f"ST${token}" if claims else "t/u/f")
    monkeypatch.setattr(auth, "default_signer", lambda: {"config": config, "signer": signer})
    found = caller_of()
    assert found is not None
    assert (found.kind, found.id) == (kind, identifier)


@pytest.mark.parametrize("key", ["", "ST$no token"])
def test_who_is_signed_in_may_not_be_known(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    signer = SimpleNamespace(api_key=key)
    monkeypatch.setattr(auth, "default_signer", lambda: {"config": {}, "signer": signer})
    assert caller_of() is None


def test_only_what_is_still_to_run_counts(tenancy: Tenancy) -> None:
    tenancy.write(*tenancy.without("dynamic-group: read secret-bundles"))
    assert states(tenancy.look(frozenset(STEPS) - {"stage"})) == [State.PASS]
    assert states(tenancy.look(frozenset({"stage"}))) == [State.FAIL]
    assert states(tenancy.look(frozenset())) == [State.PASS]


def test_a_matching_rule_that_matches_nothing(tenancy: Tenancy) -> None:
    compartment = tenancy.way.cloud.compartment_id
    rule = bundle.matching_rule(compartment)
    tenancy.set_rule(bundle.matching_rule(tenancy.way.cloud.tenancy_id))
    try:
        [found] = tenancy.look()
        assert found.state is State.FAIL
        assert "no dynamic group's rule matches the job runs and the deployment" in found.said
        assert "Set the matching rule of dynamic group 'workloads'" in found.remedy
        assert found.remedy.splitlines()[-1] == rule
    finally:
        tenancy.set_rule(rule)
    assert states(tenancy.look()) == [State.PASS]


def test_without_any_dynamic_group_one_is_to_be_made(tenancy: Tenancy) -> None:
    about_it = [name for name in tenancy.texts if name.startswith("dynamic-group: ")]
    tenancy.write(*(text for name, text in tenancy.texts.items() if name not in about_it))
    tenancy.set_rule("resource.type='nothing'")
    identity = tenancy.way.administrator.admin(oci.identity.IdentityClient)
    try:
        [found] = tenancy.look()
        assert found.remedy.startswith("Make the dynamic group 'demo-workloads'")
        rule = found.remedy.splitlines()[1]
        details = oci.identity.models.CreateDynamicGroupDetails(
            compartment_id=tenancy.way.cloud.tenancy_id,
            name="demo-workloads",
            description="as the remedy says",
            matching_rule=rule,
        )
        made = identity.create_dynamic_group(details).data.id
        try:
            others = (text for name, text in tenancy.texts.items() if name not in about_it)
            tenancy.write(*others, *added(found))
            assert states(tenancy.look()) == [State.PASS]
        finally:
            identity.delete_dynamic_group(made)
    finally:
        tenancy.set_rule(bundle.matching_rule(tenancy.way.cloud.compartment_id))


def test_the_proof_of_concept_is_enough_but_for_large_models(tenancy: Tenancy) -> None:
    wide = bundle.proof_of_concept_statements(tenancy.way.places["dynamic group"])
    people = (text for name, text in tenancy.texts.items() if name.startswith("group: "))
    tenancy.write(*wide, *people)
    [found] = tenancy.look()
    assert found.state is State.WARN
    assert found.said.startswith("service objectstorage-eu-frankfurt-1 may not copy large models")


def test_a_deny_is_told_as_such(tenancy: Tenancy) -> None:
    deny = "Deny dynamic-group workloads to use metrics in tenancy"
    tenancy.write(*tenancy.texts.values(), deny)
    [found] = tenancy.look()
    assert (found.state, found.remedy.splitlines()[-1]) == (State.FAIL, deny)
    assert "post the GPUs' metrics" in found.said


ONLY_FROM = "request.networkSource.name='office'"


def test_a_condition_that_nobody_knows_yet_is_told(tenancy: Tenancy) -> None:
    name = "group: use virtual-network-family"
    bound = f"{tenancy.texts[name]} where {ONLY_FROM}"
    tenancy.write(*tenancy.without(name), bound)
    [found] = tenancy.look()
    assert found.state is State.WARN
    assert "only by what hangs on a condition" in found.said
    assert bound in found.said

    deny = f"Deny group data-scientists to manage data-science-jobs in tenancy where {ONLY_FROM}"
    tenancy.write(*tenancy.texts.values(), deny)
    [found] = tenancy.look()
    assert found.state is State.WARN
    assert "unless denied by" in found.said
    assert deny in found.said


def test_a_group_of_another_identity_domain_may_be_the_person_s(tenancy: Tenancy) -> None:
    name = "group: use virtual-network-family"
    theirs = tenancy.texts[name].replace("'Default'", "'Corp'")
    tenancy.write(*tenancy.without(name), theirs)
    [found] = tenancy.look()
    assert found.state is State.WARN
    assert "other identity domains (Corp)" in found.said


def test_a_dynamic_group_of_another_identity_domain_may_have_what_runs(tenancy: Tenancy) -> None:
    group = f"dynamic-group id {tenancy.way.places['dynamic group']}"
    theirs = [
        text.replace(group, "dynamic-group 'Corp'/'workloads'") for text in tenancy.texts.values()
    ]
    assert theirs != list(tenancy.texts.values())
    tenancy.write(*theirs)
    found = tenancy.look()
    assert set(states(found)) == {State.WARN}
    assert all("dynamic groups of other identity domains (Corp)" in each.said for each in found)
    assert "whether what runs is in one of them" in found[0].remedy


@pytest.mark.parametrize("kind", ["policies", "compartments", "dynamic-groups", "groups", "users"])
def test_what_may_not_be_read_is_a_warning(tenancy: Tenancy, kind: str) -> None:
    name = f"group: inspect {kind}"
    tenancy.write(*tenancy.without(name))
    found = tenancy.look()
    assert set(states(found)) == {State.WARN}
    assert all("OCI answered 404" in each.said for each in found)
    texts = {text for each in found for text in added(each)}
    # Who may not read groups does not know their own.
    known = (text.replace("<one that you are in>", "data-scientists") for text in texts)
    tenancy.write(*tenancy.without(name), *known)
    assert states(tenancy.look()) == [State.PASS]


def test_what_is_not_understood_is_told(tenancy: Tenancy) -> None:
    odd = "Allow resource ormjob to do as it likes"
    tenancy.write(*tenancy.without("group: read metrics"))
    [policy] = tenancy.way.cloud.cloud.store.having("policy", "name", "bundle")
    policy.data["statements"].append(odd)
    forget(tenancy.way.cloud.cloud)
    warning, failure = tenancy.look()
    assert warning.state is State.WARN
    assert warning.said.endswith(f"count as absent: {odd}")
    assert failure.state is State.FAIL


def test_what_the_mock_asks_for_preflight_asks_for(tmp_path: Path) -> None:
    """All that IAM was asked about a run, by the person, what ran and the services."""
    steps = ("stand up", "secret set", "emit", "ledger", *STEPS, "logs", "log itself", "metrics")
    with mock_oci(Settings(enforce_iam=True)) as mocked:
        way = Way(mocked, tmp_path, only=steps)
        assert way.go() is None
        seen = {
            (decision.principal != "group data-scientists", grant.permission)
            for decision in mocked.decisions
            if decision.principal != "group Administrators"
            if decision.operation not in BEFORE
            for grant in decision.grants
        }
        with way.as_person():
            folder = way.folder / "definitions"
            subject = Subject(read_pipeline(folder), read_all(folder))
            asked = calls(subject, Places(subject))
    needed = {
        (call.who is not Who.SUBMITTER, permission)
        for call in asked
        for permissions, _ in permissions_of(call)
        for permission in permissions
    }
    assert seen - needed == set()
