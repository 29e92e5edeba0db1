"""Ending what runs, and deleting what was made."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from oci.data_science.models import ModelDeployment

from jobs import cli, cost, states
from jobs.auth import sign_in
from jobs.clock import SystemClock
from jobs.errors import RefusedError
from jobs.leading import Leadership
from ocimock import mock_oci
from ocimock.cloud import Settings
from ocimock.inprocess import MockedCloud
from tests.jobs import workbench
from tests.jobs.samples import START, entry
from tests.jobs.standing import Tenancy, made
from tests.jobs.workbench import BUCKET

OCIDS = """\
tenancy_ocid: ocid1.tenancy.oc1..aaaaaaaaocimocktenancy
compartment_ocid: ocid1.compartment.oc1..aaaaaaaaocimockcompartment
"""


@pytest.fixture
def cloud() -> Iterator[MockedCloud]:
    with mock_oci(Settings(run_seconds=3600), pace=1) as mocked:
        sign_in()
        yield mocked


@pytest.fixture
def tenancy(cloud: MockedCloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tenancy:
    return made(cloud, tmp_path, monkeypatch)


def _running(tenancy: Tenancy, step: str) -> str:
    """A job of *step* that runs and is in the ledger; its run's OCID."""
    job = tenancy.job(tenancy.tags(step))
    run = tenancy.run(job)
    tenancy.ledger.put(entry(step, "IN_PROGRESS", ids={"job": job, "job_run": run}))
    tenancy.cloud.advance(1000)
    return run


def _objects(cloud: MockedCloud, prefix: str) -> list[str]:
    listed = workbench.storage(cloud).list_object_versions(cloud.namespace, BUCKET, prefix=prefix)
    return [each.name for each in listed.data.items]


def test_with_the_weights_goes_the_ledgers_mirror(
    tenancy: Tenancy, cloud: MockedCloud, capfd: pytest.CaptureFixture[str]
) -> None:
    job = tenancy.job(tenancy.tags("stage"))
    tenancy.ledger.put(entry("stage", ids={"job": job, "job_run": tenancy.run(job)}))
    cloud.advance(100_000)
    workbench.storage(cloud).put_object(cloud.namespace, BUCKET, "merged/a.bin", b"1")
    assert cli.main(["clean"]) == 0  # whoever leads writes the mirror
    assert _objects(cloud, "ledger/demo/")
    capfd.readouterr()
    assert cli.main(["delete", "--weights", "--yes", "--interval", "0.1"]) == 0
    printed = capfd.readouterr().out
    assert "below oci://demo-bucket@ocimock/ledger/demo/" in printed
    assert "below oci://demo-bucket@ocimock/merged/" in printed
    assert _objects(cloud, "ledger/demo/") == _objects(cloud, "merged/") == []
    assert tenancy.standing() == set()
    assert tenancy.ledger.path.is_file()


def test_deleting_needs_no_definitions_but_the_lead(
    tenancy: Tenancy, cloud: MockedCloud, capfd: pytest.CaptureFixture[str]
) -> None:
    job = tenancy.job(tenancy.tags("stage"))
    tenancy.ledger.put(entry("stage", ids={"job": job, "job_run": tenancy.run(job)}))
    cloud.advance(100_000)
    (Path("definitions") / "demo" / "pipeline.yaml").unlink()
    with Leadership(tenancy.ledger.path.parent, None, SystemClock(), print) as lead:
        lead.require()
        assert cli.main(["delete", "--yes"]) == 1
    assert "is led by" in capfd.readouterr().err
    assert tenancy.standing() == {job}
    assert cli.main(["delete", "--yes"]) == 0
    assert tenancy.standing() == set()


def test_a_training_is_asked_to_end_after_a_checkpoint(
    tenancy: Tenancy, cloud: MockedCloud, capfd: pytest.CaptureFixture[str]
) -> None:
    Path("tenancies/demo.yaml").write_text(OCIDS)
    for name, text in tenancy.bench.emitted(Path("tenancies/demo.yaml")).items():
        (Path("definitions") / "demo" / name).write_text(text)
    run = _running(tenancy, "finetune")
    assert cli.main(["cancel", "finetune", "--after-checkpoint"]) == 0
    assert "asked to save a checkpoint and end" in capfd.readouterr().out
    [asked] = _objects(cloud, "checkpoints/")
    assert asked.endswith(f"/stop/{run}")
    state = workbench.science(cloud).get_job_run(run).data.lifecycle_state
    assert state == "IN_PROGRESS", "it ends by itself"

    _running(tenancy, "merge")
    assert cli.main(["cancel", "merge", "--after-checkpoint"]) == 1
    assert "'merge' keeps no checkpoints" in capfd.readouterr().err
    assert cli.main(["cancel", "merge"]) == 0
    assert "merge: CANCELING" in capfd.readouterr().out


def test_a_run_that_ends_while_it_is_canceled_is_as_it_ended(
    tenancy: Tenancy, cloud: MockedCloud
) -> None:
    """OCI answers the cancellation with a 409."""
    _running(tenancy, "merge")
    running = tenancy.ledger.read().need("merge")
    cloud.advance(100_000)
    assert states.cancel(running).state == "SUCCEEDED"
    assert [call.status for call in cloud.calls if call.operation == "cancel_job_run"] == [409]


def test_a_run_that_cannot_be_canceled_says_why(
    tenancy: Tenancy, monkeypatch: pytest.MonkeyPatch
) -> None:
    _running(tenancy, "merge")
    workbench.Faults(monkeypatch).answer("POST", "/cancelJobRun$", 409)
    with pytest.raises(RefusedError, match="cancel the run of 'merge'"):
        states.cancel(tenancy.ledger.read().need("merge"))


@pytest.mark.parametrize("state", ["FAILED", "INACTIVE", "DELETED"])
def test_a_deployment_that_serves_no_more_costs_no_more(state: str) -> None:
    """OCI tells no time of its end: it is the one at which that was seen first."""
    told = ModelDeployment(lifecycle_state=state, time_created=START)
    ended = states.of_deployment(entry("deploy", "ACTIVE", shape="VM.GPU.A10.2"), told)
    assert ended.finished is not None
    assert states.of_deployment(ended, told) == ended
    later = ended.finished + timedelta(days=9)
    assert cost.spent(ended, later) == cost.spent(ended, ended.finished)
    again = states.of_deployment(ended, ModelDeployment(lifecycle_state="ACTIVE"))
    assert again.finished is None


def test_what_oci_has_no_more_costs_no_more() -> None:
    gone = states.gone(entry("finetune", "IN_PROGRESS", shape="VM.GPU.A10.2", started=START))
    assert gone.finished is not None
    assert states.gone(gone) == gone
