"""What OCI made without our hearing of it, or does not show yet: nothing is paid for twice."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from jobs import cli
from jobs.auth import sign_in
from jobs.errors import StepFailedError
from jobs.idempotency import Submission
from jobs.record import STEPS, Run
from jobs.steps import job, model
from ocimock import inprocess, mock_oci
from ocimock.cloud import Settings
from ocimock.dispatch import dispatch
from ocimock.inprocess import MockedCloud
from ocimock.wire.message import Response
from tests.jobs import workbench
from tests.jobs.broken import Broken, broken
from tests.jobs.samples import entry
from tests.jobs.workbench import BUCKET, Workbench

KEY = "0123456789abcdef01234567"
SIMULATED = Run({step: entry(step, simulated=True) for step in STEPS[:3]})


def _runs(made: Broken) -> list[Any]:
    science = workbench.science(made.cloud)
    found: list[Any] = science.list_job_runs(made.cloud.compartment_id).data
    return found


def _submission(bench: Workbench, step: str, name: str) -> Submission:
    return Submission("demo", step, KEY, bench.definitions()[name])


def _put(name: str, cloud: MockedCloud) -> None:
    workbench.storage(cloud).put_object(cloud.namespace, BUCKET, name, b"{}")


def test_what_was_given_up_and_is_there_after_all_is_gone_on_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """OCI took a run, its answer was lost, and nothing answered until the policy gave up."""
    with broken(tmp_path, monkeypatch, Settings(run_seconds=60.0), pace=1.0) as made:
        down: list[bool] = []

        def lost(cloud: Any, request: Any) -> Response:
            answer = dispatch(cloud, request)
            down.extend([True] * (request.method == "POST" and request.path.endswith("/jobRuns")))
            return Response.of_json({"code": "ServiceUnavailable"}, 503) if down else answer

        monkeypatch.setattr(inprocess, "dispatch", lost)
        assert cli.main(["run"]) == 1
        assert "'python -m jobs run' goes on with it, or deletes it" in capfd.readouterr().err
        monkeypatch.setattr(inprocess, "dispatch", dispatch)
        (unheard,) = _runs(made)
        made.on_sleep.append(lambda: made.cloud.advance(100))
        assert cli.main(["run"]) == 0
        assert len(_runs(made)) == 3
        assert unheard.id in {each.id for each in _runs(made)}
        assert cli.main(["run"]) == 0
        assert len(_runs(made)) == 3


def test_a_job_that_has_a_run_is_not_taken_back() -> None:
    with mock_oci() as cloud:
        bench = workbench.build(cloud)
        sign_in()
        submission = _submission(bench, "stage", "stage")
        made = job.submit(submission)
        assert job.take_back(submission) == ""
        assert job.submit(submission).ids == made.ids


def test_a_model_that_no_list_shows_yet_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """OCI's lists lag behind: the token makes two requests one."""
    with mock_oci() as cloud:
        bench = workbench.build(cloud)
        sign_in()
        monkeypatch.setattr(model, "_found", lambda submission: None)
        submission = _submission(bench, "register", "model")
        _put("merged/model.safetensors", cloud)
        merged = Run({step: entry(step) for step in STEPS[:3]})
        first = model.submit(submission, bench.definitions(), merged)
        again = model.submit(submission, bench.definitions(), merged)
        assert first.ids == again.ids
        assert len(workbench.science(cloud).list_models(cloud.compartment_id).data) == 1


def test_weights_that_change_meanwhile_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """ADS lists the versions, then the objects, and looks each up in the first list."""
    from ads.common.object_storage_details import ObjectStorageDetails

    original = ObjectStorageDetails.list_objects

    def changed(details: Any, **named: Any) -> Any:
        _put("merged/config.json", cloud)
        return original(details, **named)

    with mock_oci() as cloud:
        bench = workbench.build(cloud)
        sign_in()
        monkeypatch.setattr(ObjectStorageDetails, "list_objects", changed)
        with pytest.raises(StepFailedError, match="was replaced meanwhile"):
            model.submit(_submission(bench, "register", "model"), bench.definitions(), SIMULATED)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_cancelled_ci_job_gives_the_lead_back(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    with broken(tmp_path, monkeypatch, Settings(run_seconds=3600.0), pace=1.0) as made:
        made.on_sleep.append(lambda: os.kill(os.getpid(), number))
        assert cli.main(["run"]) == 130
        assert "What was submitted runs on" in capfd.readouterr().err
        storage = workbench.storage(made.cloud)
        lease = storage.get_object("ocimock", BUCKET, "ledger/demo/lease.json").data.content
        assert json.loads(lease)["seconds"] == 0
        assert signal.getsignal(number) is signal.SIG_DFL
        assert len(_runs(made)) == 1


def test_what_is_ignored_stays_ignored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As under ``nohup``."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with broken(tmp_path, monkeypatch, Settings(run_seconds=60.0), pace=1.0) as made:
            made.on_sleep.append(lambda: os.kill(os.getpid(), signal.SIGHUP))
            made.on_sleep.append(lambda: made.cloud.advance(100))
            assert cli.main(["run"]) == 0
    finally:
        signal.signal(signal.SIGHUP, before)
