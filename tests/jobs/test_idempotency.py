"""Submitting once: what is half-made is gone on with, and what was made is found again."""

from __future__ import annotations

import threading
from typing import Any

import oci
import pytest

from jobs.errors import RefusedError
from jobs.idempotency import KEY_TAG, STEP_TAG, TENANCY_TAG, Submission, retry_token, submitting
from jobs.record import STEPS, Run
from jobs.steps import deployment, job, model
from ocimock.inprocess import MockedCloud
from tests.jobs import workbench
from tests.jobs.samples import entry
from tests.jobs.workbench import BUCKET, Faults, Workbench

KEY = "0123456789abcdef01234567"
NAMES = {"register": "model", "deploy": "deployment"}


@pytest.fixture
def noted() -> list[str]:
    return []


def _submission(bench: Workbench, step: str, noted: list[str], key: str = KEY) -> Submission:
    def note(name: str, **details: object) -> None:
        noted.append(name)

    definition = bench.definitions()[NAMES.get(step, step)]
    return Submission("demo", step, key, definition, note=note)


def _tokens(cloud: MockedCloud, operation: str) -> int:
    """How often *operation* was asked for."""
    return sum(call.operation == operation for call in cloud.cloud.calls)


def _run() -> Run:
    return Run({step: entry(step, simulated=True) for step in STEPS[:3]})


# --- names, tags, tokens ---------------------------------------------------------------------


@pytest.mark.parametrize("step", ["finetune", "merge"])
def test_job_and_run_carry_the_key(step: str, bench: Workbench, cloud: MockedCloud) -> None:
    """Of a job of many nodes and of one: ADS keeps the runtime's tags only."""
    made = job.submit(_submission(bench, step, []))
    science = workbench.science(cloud)
    tags = {TENANCY_TAG: "demo", STEP_TAG: step, KEY_TAG: KEY}
    stored = science.get_job(made.ids["job"]).data
    run = science.get_job_run(made.ids["job_run"]).data
    assert stored.freeform_tags == run.freeform_tags == tags
    assert stored.display_name == run.display_name
    assert stored.display_name.endswith("-01234567")


def test_model_and_deployment_carry_the_key(bench: Workbench, cloud: MockedCloud) -> None:
    science = workbench.science(cloud)
    registered = model.submit(_submission(bench, "register", []), bench.definitions(), _run())
    stored = science.get_model(registered.ids["model"]).data
    assert stored.freeform_tags[KEY_TAG] == KEY
    served = deployment.submit(_submission(bench, "deploy", []), registered.ids["model"])
    deployed = science.get_model_deployment(served.ids["deployment"]).data
    assert deployed.freeform_tags[STEP_TAG] == "deploy"
    assert deployed.display_name.endswith("-01234567")


def test_every_request_of_a_submission_has_a_token_of_its_own(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[tuple[str, str]] = []
    original = oci.base_client.BaseClient.request

    def request(client: Any, asked: Any, *rest: Any, **named: Any) -> Any:
        if asked.method == "POST":
            sent.append((asked.url, asked.header_params.get("opc-retry-token", "")))
        return original(client, asked, *rest, **named)

    monkeypatch.setattr(oci.base_client.BaseClient, "request", request)
    made = job.submit(_submission(bench, "stage", []))
    places = ["/jobs", f"/jobs/{made.ids['job']}/artifact", "/jobRuns"]
    assert [token for _, token in sent] == [retry_token(KEY, "POST", place) for place in places]
    assert len({token for _, token in sent}) == 3
    assert all(len(token) <= 64 for _, token in sent)


def test_another_thread_is_not_meant(bench: Workbench, cloud: MockedCloud) -> None:
    """Its requests keep their own tokens, and what it deletes is deleted."""
    made = job.submit(_submission(bench, "stage", []))
    science = workbench.science(cloud)
    science.delete_job_run(made.ids["job_run"])
    with submitting(KEY):
        science.delete_job(made.ids["job"])
        assert science.get_job(made.ids["job"]).data.lifecycle_state == "ACTIVE"
        other = threading.Thread(target=science.delete_job, args=[made.ids["job"]])
        other.start()
        other.join()
    assert science.get_job(made.ids["job"]).data.lifecycle_state == "DELETED"


# --- going on --------------------------------------------------------------------------------


def test_what_is_there_is_not_made_again(
    bench: Workbench, cloud: MockedCloud, noted: list[str]
) -> None:
    first = job.submit(_submission(bench, "stage", noted))
    assert noted == ["creating job", "job created", "starting run", "run started"]
    noted.clear()
    assert job.submit(_submission(bench, "stage", noted)).ids == first.ids
    assert noted == ["job found", "run found"]
    assert (_tokens(cloud, "create_job"), _tokens(cloud, "create_job_run")) == (1, 1)
    found = job.find(_submission(bench, "stage", noted))
    assert found is not None
    assert found.ids == first.ids


def test_another_key_is_another_job(bench: Workbench) -> None:
    """Also one that begins like it: the name is the same then, the tag is not."""
    first = job.submit(_submission(bench, "stage", []))
    second = job.submit(_submission(bench, "stage", [], f"{KEY[:8]}{'f' * 16}"))
    assert first.ids["job"] != second.ids["job"]


def test_a_job_without_its_artifact_gets_it(
    bench: Workbench, cloud: MockedCloud, faults: Faults, noted: list[str]
) -> None:
    """ADS would delete the job, and OCI answer the same request with the deleted one for a day."""
    faults.answer("POST", r"/artifact$", 400, times=1)
    with pytest.raises(RefusedError):
        job.submit(_submission(bench, "finetune", noted))
    noted.clear()
    made = job.submit(_submission(bench, "finetune", noted))
    assert noted == ["completing job", "job completed", "starting run", "run started"]
    assert _tokens(cloud, "create_job") == 1
    content = workbench.science(cloud).get_job_artifact_content(made.ids["job"]).data.content
    assert content.startswith(b"PK")


def test_a_job_whose_run_was_refused_gets_one(
    bench: Workbench, cloud: MockedCloud, faults: Faults, noted: list[str]
) -> None:
    faults.answer("POST", r"/jobRuns$", 400, times=1)
    with pytest.raises(RefusedError):
        job.submit(_submission(bench, "stage", noted))
    job.submit(_submission(bench, "stage", noted))
    assert noted[-3:] == ["job found", "starting run", "run started"]
    assert _tokens(cloud, "create_job") == 1


def test_a_job_that_is_given_up_is_deleted(
    bench: Workbench, cloud: MockedCloud, faults: Faults, noted: list[str]
) -> None:
    faults.answer("POST", r"/jobRuns$", 400, times=1)
    with pytest.raises(RefusedError):
        job.submit(_submission(bench, "stage", noted))
    assert job.take_back(_submission(bench, "stage", noted)) == "The job itself was deleted again."
    assert job.take_back(_submission(bench, "stage", noted)) == ""
    assert workbench.science(cloud).list_jobs(cloud.compartment_id).data == []


@pytest.mark.parametrize("missing", ["provenance", "artifact"])
def test_a_model_gets_what_it_lacks(
    missing: str, bench: Workbench, cloud: MockedCloud, faults: Faults, noted: list[str]
) -> None:
    faults.answer("POST", rf"/models/[^/]+/{missing}$", 400, times=1)
    submission = _submission(bench, "register", noted)
    with pytest.raises(RefusedError):
        model.submit(submission, bench.definitions(), _run())
    assert model.find(submission) is None
    made = model.submit(submission, bench.definitions(), _run())
    assert noted[-2:] == ["completing model", "model created"]
    assert _tokens(cloud, "create_model") == 1
    science = workbench.science(cloud)
    provenance = science.get_model_provenance(made.ids["model"]).data
    assert provenance.training_id == "ocid1.datasciencejobrun.x"
    assert BUCKET in science.get_model_artifact_content(made.ids["model"]).data.text
    assert model.take_back(submission) == ""


def test_a_deployment_is_found_with_its_work_request(
    bench: Workbench, cloud: MockedCloud, noted: list[str]
) -> None:
    registered = model.submit(_submission(bench, "register", []), bench.definitions(), _run())
    submission = _submission(bench, "deploy", noted)
    first = deployment.submit(submission, registered.ids["model"])
    assert first.ids["work_request"]
    again = deployment.submit(submission, registered.ids["model"])
    assert again.ids == first.ids
    assert noted[-1] == "deployment found"
    assert _tokens(cloud, "create_model_deployment") == 1


def test_an_answer_that_nobody_heard_is_given_again(
    bench: Workbench, cloud: MockedCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even where a list does not show yet what was just made: the token makes it one."""
    submission = _submission(bench, "stage", [])
    first = job.submit(submission)
    monkeypatch.setattr(job, "_found_run", lambda submission, job_id: None)
    assert job.submit(submission).ids == first.ids
    assert len(workbench.science(cloud).list_job_runs(cloud.compartment_id).data) == 1
