"""Every statement of the bundle that the pipeline needs: without it, preflight says so, and what it
says to add is enough."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import oci
import pytest

from infra import statements as bundle
from jobs.definitions import read_all, read_pipeline
from jobs.preflight.check import Finding, State
from jobs.preflight.checks.iam import Iam
from jobs.preflight.looking import look
from jobs.preflight.subject import Subject
from jobs.record import STEPS
from ocimock import mock_oci
from ocimock.cloud import Settings
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

    def look(self, steps: frozenset[str] = frozenset(STEPS), who: str = "person") -> list[Finding]:
        way = self.way
        acting = way.as_person() if who == "person" else way.as_resource(way.places[who])
        with acting:
            folder = way.folder / "definitions"
            subject = Subject(read_pipeline(folder), read_all(folder), steps)
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
