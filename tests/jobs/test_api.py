"""The Python API: a pipeline by its calls, silent, resumable, in a notebook's circumstances."""

from __future__ import annotations

import asyncio
import importlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import jobs
from jobs import api
from jobs.api import OpenPipeline, Status
from jobs.errors import DefinitionError, RecordError, StepFailedError, TenancyError
from jobs.lease import Leader
from jobs.ledger import Ledger
from jobs.record import STEPS, Entry
from ocimock import mock_oci
from ocimock.inprocess import MockedCloud
from tests.jobs import workbench
from tests.jobs.machines import URI
from tests.jobs.samples import START, OwnedClock, entry
from tests.jobs.workbench import Workbench


@pytest.fixture
def pace() -> float:
    """0: a run has ended at the next look."""
    return 0.0


@pytest.fixture
def cloud(pace: float) -> Iterator[MockedCloud]:
    with mock_oci(pace=pace) as mocked:
        yield mocked


@pytest.fixture
def bench(cloud: MockedCloud) -> Workbench:
    return workbench.build(cloud)


@pytest.fixture
def home(tmp_path: Path, bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a tenancy file and its definitions."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TUNESTACK_TENANCY", raising=False)
    monkeypatch.setattr(api, "SystemClock", OwnedClock)
    (tmp_path / "tenancies").mkdir()
    (tmp_path / "tenancies" / "demo.yaml").write_text("")
    folder = tmp_path / "definitions" / "demo"
    bench.write(folder)
    (folder / "pipeline.yaml").write_text(bench.text("pipeline"))
    return tmp_path


def posts(cloud: MockedCloud) -> list[str]:
    """What was made of what costs money."""
    made = ("create_job", "create_job_run", "create_model", "create_model_deployment")
    return sorted(each.operation for each in cloud.calls if each.operation in made)


ONE_OF_EVERYTHING = sorted(
    ["create_job", "create_job_run"] * 3 + ["create_model", "create_model_deployment"]
)


def test_a_pipeline_runs_and_is_asked(
    home: Path, cloud: MockedCloud, capsys: pytest.CaptureFixture[str]
) -> None:
    pipeline = jobs.open()
    assert pipeline.status().state == ""
    done = pipeline.run()
    assert done.state == "SUCCEEDED"
    assert [each.step for each in done.steps] == list(STEPS)
    assert all(each.done for each in done.steps)
    assert pipeline.predict().simulated
    assert pipeline.run() == done
    assert posts(cloud) == ONE_OF_EVERYTHING
    told = capsys.readouterr()
    assert told.out == told.err == ""


def test_what_is_done_is_shown_where_that_is_asked_for(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    jobs.open().run(show=True)
    told = capsys.readouterr().out
    assert "stage: submitting" in told
    assert "deploy    ACTIVE (simulated)" in told


def test_a_machine_without_definitions_goes_on_by_the_bucket(
    home: Path, cloud: MockedCloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = jobs.open(home / "tenancies" / "demo.yaml").run()
    (tmp_path / "notebook").mkdir()
    monkeypatch.chdir(tmp_path / "notebook")
    pipeline = jobs.open(URI)
    assert pipeline.status() == done
    assert [each.state for each in pipeline.run().steps] == [each.state for each in done.steps]
    assert posts(cloud) == ONE_OF_EVERYTHING
    assert repr(pipeline) == "<pipeline of demo, ledger .tunestack/demo/ledger.db>"


def test_a_running_event_loop_is_no_hindrance(home: Path) -> None:
    async def cell() -> Status:
        return jobs.open().run()

    assert asyncio.run(cell()).state == "SUCCEEDED"


def test_an_interrupt_leaves_all_whole_and_the_lead_free(
    home: Path, cloud: MockedCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline = jobs.open()

    put = Ledger.put

    def interrupted(self: Ledger, kept: Entry) -> None:
        put(self, kept)
        if kept.step == "merge":
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Ledger, "put", interrupted)
        with pytest.raises(KeyboardInterrupt):
            pipeline.run()
    assert pipeline.status().state == "RUNNING"
    assert pipeline.status().leader is None
    assert pipeline.run().state == "SUCCEEDED"
    assert posts(cloud) == ONE_OF_EVERYTHING


def test_a_failure_is_the_engines(home: Path, cloud: MockedCloud) -> None:
    pipeline = jobs.open()
    cloud.faults.add("400 on create_job")
    with pytest.raises(jobs.errors.JobsError, match="OCI answered 400"):
        pipeline.run()
    assert pipeline.status().state == "FAILED"


@pytest.mark.parametrize("pace", [1.0])
def test_a_run_is_cancelled_and_what_does_not_run_is_not(
    home: Path, cloud: MockedCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(OwnedClock, "sleep", lambda _clock, seconds: cloud.advance(seconds))
    pipeline = jobs.open()
    with pytest.raises(RecordError, match="No job run is under way"):
        pipeline.cancel()
    pipeline._sign_in()
    pipeline._work.submit(api.Unseen(), "stage")
    assert pipeline.cancel()["stage"].state == "CANCELING"
    with pytest.raises(StepFailedError, match="stage ended CANCELED"):
        pipeline.watch(show=False)


def test_watching_follows_what_is_under_way(home: Path) -> None:
    pipeline = jobs.open()
    pipeline._sign_in()
    pipeline._work.submit(api.Unseen(), "stage")
    assert pipeline.watch(show=False)["stage"].state == "SUCCEEDED"


def test_a_status_reads_well_in_a_notebook() -> None:
    leader = Leader("host", 7, "<me>", START)
    status = Status("demo", "RUNNING", (entry("stage", simulated=True),), leader)
    assert repr(status) == (
        "demo: RUNNING\n"
        "  stage     SUCCEEDED (simulated)\n"
        "  led by <me>'s process 7 on host, since 12:00:00 UTC"
    )
    page = status._repr_html_()
    assert "<td>SUCCEEDED (simulated)</td>" in page
    assert "&lt;me&gt;" in page
    assert status["stage"].done
    with pytest.raises(KeyError, match="merge"):
        status["merge"]
    assert repr(Status("demo", "", ())) == "demo: nothing was run yet"


@pytest.mark.parametrize(
    ("place", "error", "said"),
    [
        ("tenancies/none.yaml", TenancyError, "There is no tenancy file tenancies/none.yaml"),
        ("oci://b@n/..", TenancyError, "does not end in a tenancy's name"),
        (URI, DefinitionError, "keeps no definitions"),
    ],
)
def test_a_place_that_has_no_pipeline_says_so(
    home: Path, place: str, error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        jobs.open(place)


def test_opening_is_all_that_jobs_offers_and_costs_nothing_until_it_is_asked_for() -> None:
    code = "import jobs, sys; print('jobs.api' in sys.modules, jobs.open.__module__)"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert printed.stdout == "False jobs.api\n"
    with pytest.raises(AttributeError, match="module 'jobs' has no attribute 'close'"):
        importlib.import_module("jobs").close  # noqa: B018
    assert isinstance(OpenPipeline.__doc__, str)
