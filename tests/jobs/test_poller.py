"""How what was submitted stands: many job runs by one call."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from oci.data_science import models

from jobs import poller as room
from jobs import states
from jobs.auth import sign_in
from jobs.overview import Observer
from jobs.poller import Poller
from jobs.record import Entry
from ocimock import mock_oci
from ocimock.cloud import Settings
from ocimock.inprocess import MockedCloud
from tests.jobs import workbench
from tests.jobs.samples import OwnedClock, entry


@pytest.fixture
def cloud() -> Iterator[MockedCloud]:
    with mock_oci(Settings(run_seconds=3600), pace=1) as mocked:
        sign_in()
        yield mocked


@pytest.fixture
def runs(cloud: MockedCloud) -> list[Entry]:
    """Twenty job runs that have begun."""
    science = workbench.science(cloud)
    project = workbench.build(cloud).place("project")
    where = {"project_id": project, "compartment_id": cloud.compartment_id}
    job = science.create_job(
        models.CreateJobDetails(
            **where,
            job_configuration_details=models.DefaultJobConfigurationDetails(),
            job_infrastructure_configuration_details=(
                models.ManagedEgressStandaloneJobInfrastructureConfigurationDetails(
                    shape_name="VM.Standard2.1", block_storage_size_in_gbs=50
                )
            ),
        )
    ).data.id
    science.create_job_artifact(
        job, b"print()", content_disposition="attachment; filename=train.py"
    )
    made = []
    for _ in range(20):
        run = science.create_job_run(models.CreateJobRunDetails(**where, job_id=job)).data
        made.append(entry("finetune", "ACCEPTED", ids={"job": job, "job_run": run.id}))
        cloud.advance(1)
    cloud.advance(1000)
    cloud.cloud.calls.clear()
    return made


def _calls(cloud: MockedCloud) -> dict[str, int]:
    """What was asked since the last time."""
    names = [call.operation for call in cloud.cloud.calls]
    cloud.cloud.calls.clear()
    return {name: names.count(name) for name in sorted(set(names))}


def test_any_number_of_runs_take_one_call(cloud: MockedCloud, runs: list[Entry]) -> None:
    found = Poller(cloud.compartment_id).look(runs)
    assert set(found) == {each.ids["job_run"] for each in runs}
    assert _calls(cloud) == {"list_job_runs": 1}
    assert Poller(cloud.compartment_id).look([]) == {}
    assert _calls(cloud) == {}


def test_the_newest_are_found_in_the_first_page(
    cloud: MockedCloud, runs: list[Entry], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "_PAGE", 6)
    poller = Poller(cloud.compartment_id)
    assert len(poller.look(runs[-6:])) == 6
    assert _calls(cloud) == {"list_job_runs": 1}
    assert len(poller.look(runs)) == 20
    assert _calls(cloud) == {"get_job_run": 2, "list_job_runs": 3}


def test_old_ones_are_asked_for_and_gone_ones_left_out(
    cloud: MockedCloud, runs: list[Entry], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "_PAGE", 3)
    missing = entry("merge", "IN_PROGRESS", ids={"job_run": "ocid1.datasciencejobrun.oc1..gone"})
    found = Poller(cloud.compartment_id).look([runs[0], runs[19], missing])
    assert set(found) == {runs[0].ids["job_run"], runs[19].ids["job_run"]}
    assert _calls(cloud) == {"get_job_run": 2, "list_job_runs": 1}
    now = Poller(cloud.compartment_id).observe_all([missing, runs[19]])
    assert [each.state for each in now] == ["DELETED", "IN_PROGRESS"]


def test_followers_share_one_look_an_interval(cloud: MockedCloud, runs: list[Entry]) -> None:
    clock = OwnedClock()
    poller = Poller(cloud.compartment_id, 10.0, clock)
    for _ in range(3):
        assert {poller.observe(each).state for each in runs} == {"IN_PROGRESS"}
        poller.observe_all(runs[:5])
        clock.sleep(8)
        poller.observe(runs[0])
        clock.sleep(2)
    assert _calls(cloud) == {"list_job_runs": 3}
    cloud.advance(7200)
    assert [each.state for each in poller.observe_all(runs)] == ["SUCCEEDED"] * 20
    assert _calls(cloud) == {"list_job_runs": 1}


def test_a_fleet_of_many_pages_takes_no_more_calls_a_minute(
    cloud: MockedCloud, runs: list[Entry], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "_PAGE", 2)
    monkeypatch.setattr(room, "_FEW", 0)
    clock = OwnedClock()
    poller = Poller(cloud.compartment_id, 10.0, clock)
    for _ in range(12):
        poller.observe_all(runs)
        clock.sleep(10)
    assert _calls(cloud) == {"list_job_runs": 2 * 30}, "in two minutes"


def test_what_a_poller_says_is_what_a_get_says(cloud: MockedCloud, runs: list[Entry]) -> None:
    cloud.advance(7200)
    poller = Poller(cloud.compartment_id)
    assert poller.observe(runs[0]) == states.observe(runs[0])
    assert poller.observe(runs[0]).finished is not None


def test_tenancies_of_a_compartment_share_their_look(cloud: MockedCloud, runs: list[Entry]) -> None:
    clock = OwnedClock()
    pollers: dict[tuple[str, str], Poller] = {}
    observers = [Observer(clock, 10.0, pollers) for _ in runs]
    for observer, run in zip(observers, runs, strict=True):
        observer.observe([run])
    assert _calls(cloud) == {"get_job_run": 20, "list_job_runs": 1}, "each asks its compartment"
    clock.sleep(10)
    for observer, run in zip(observers, runs, strict=True):
        observer.observe([run])
    assert _calls(cloud) == {"list_job_runs": 1}
