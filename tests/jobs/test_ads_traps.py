"""Traps of oracle-ads 2.16.1: each sprung on ADS alone, so that it is noticed when one is mended,
and beside it what keeps the runner out of it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import oci
import pytest
import yaml

from jobs import auth, cli, states
from jobs.auth import sign_in, sign_in_ads
from jobs.checks import check
from jobs.definitions import Definition
from jobs.errors import PredictionError, RefusedError, StepFailedError
from jobs.idempotency import Submission
from jobs.predict import DIALOGUE, predict
from jobs.record import Entry, Run
from jobs.steps import deployment, job, model
from jobs.watch import require_success
from ocimock import mock_oci
from ocimock.cloud import Settings
from ocimock.inprocess import MockedCloud
from tests.jobs import workbench
from tests.jobs.samples import entry, text
from tests.jobs.workbench import BUCKET, Faults, Workbench

FAILS = "doomed"


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[MockedCloud]:
    # ADS sleeps between its looks; nothing here takes time.
    with mock_oci(Settings(fail_runs=(FAILS,))) as mocked:
        sign_in()
        sign_in_ads()
        monkeypatch.setattr(time, "sleep", lambda seconds: None)
        yield mocked


@pytest.fixture
def bench(cloud: MockedCloud) -> Workbench:
    return workbench.build(cloud)


def _ads_job(bench: Workbench, step: str, **replaced: str) -> Any:
    from ads.jobs import Job

    return Job.from_yaml(_text(bench, step, **replaced))


def _text(bench: Workbench, step: str, **replaced: str) -> str:
    changed = bench.text(step)
    for old, new in replaced.items():
        assert old in changed
        changed = changed.replace(old, new)
    return changed


def _submission(bench: Workbench, step: str, name: str = "", **replaced: str) -> Submission:
    name = name or step
    definition = Definition(name, Path(f"{name}.yaml"), _text(bench, name, **replaced))
    return Submission("demo", step, "0123456789abcdef01234567", definition)


def _stored(cloud: MockedCloud, job_id: str) -> Any:
    """The node group of a multi-node job."""
    found = workbench.science(cloud).get_job(job_id).data.job_node_configuration_details
    return found.job_node_group_configuration_details_list[0]


# --- 1 -----------------------------------------------------------------------------------------


def test_what_is_given_to_a_multi_node_run_is_dropped(bench: Workbench, cloud: MockedCloud) -> None:
    created = _ads_job(bench, "finetune").create()
    run = created.run(env_var={"SEED": "7"}, args=["--seed", "7"])
    told = str(workbench.science(cloud).get_job_run(run.id).data)
    assert "SEED" not in told
    assert "--seed" not in told


def test_all_that_a_run_needs_is_in_the_job(bench: Workbench, cloud: MockedCloud) -> None:
    submission = _submission(bench, "finetune")
    made = job.submit(submission)
    env = _stored(cloud, made.ids["job"]).job_configuration_details.environment_variables
    assert submission.definition.env.items() <= env.items()
    assert submission.definition.env


# --- 2 -----------------------------------------------------------------------------------------


def test_a_dry_run_submits(
    bench: Workbench, cloud: MockedCloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ads.opctl import cmds

    monkeypatch.setenv("HOME", str(tmp_path))
    cmds.run(
        yaml.safe_load(bench.text("stage")),
        dry_run=True,
        oci_config=os.environ["OCI_CONFIG_FILE"],
        oci_profile="DEFAULT",
        auth="api_key",
    )
    assert workbench.science(cloud).list_job_runs(cloud.compartment_id).data


def test_a_check_calls_nobody(
    bench: Workbench, cloud: MockedCloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    bench.write(tmp_path / "definitions" / "demo")
    (tmp_path / "tenancies").mkdir()
    (tmp_path / "tenancies" / "demo.yaml").touch()
    cloud.cloud.calls.clear()
    assert cli.main(["check"]) == 0
    assert not cloud.cloud.calls


# --- 3 and 4 -----------------------------------------------------------------------------------


def test_a_failed_run_ends_its_watching_like_a_good_one(bench: Workbench) -> None:
    run = _ads_job(bench, "merge", **{"llama-2-13b-merge": FAILS}).create().run()
    assert run.watch(interval=0, wait=0).lifecycle_state == "FAILED"


def test_a_failed_run_is_a_failure(bench: Workbench) -> None:
    made = job.submit(_submission(bench, "merge", **{"llama-2-13b-merge": FAILS}))
    with pytest.raises(StepFailedError, match="merge ended FAILED"):
        require_success(states.observe(made))


def test_a_deployment_that_fails_returns_normally(bench: Workbench, cloud: MockedCloud) -> None:
    from ads.model.deployment import ModelDeployment

    registered = _registered(bench, cloud)
    made: Any = ModelDeployment.from_yaml(_deployment(bench))
    made.runtime.with_model_uri(registered.ids["model"])
    made.deploy(wait_for_completion=True, poll_interval=0)
    found = workbench.science(cloud).get_model_deployment(made.id).data
    assert found.lifecycle_state == "FAILED"


def test_a_deployment_that_fails_is_a_failure(bench: Workbench, cloud: MockedCloud) -> None:
    registered = _registered(bench, cloud)
    definition = Definition("deployment", Path("deployment.yaml"), _deployment(bench))
    submission = Submission("demo", "deploy", "0123456789abcdef01234567", definition)
    made = deployment.submit(submission, registered.ids["model"])
    with pytest.raises(StepFailedError, match="deploy ended FAILED"):
        require_success(states.observe(made))


def _deployment(bench: Workbench) -> str:
    content = yaml.safe_load(bench.text("deployment"))
    content["spec"]["displayName"] = FAILS
    return str(yaml.safe_dump(content))


def _registered(bench: Workbench, cloud: MockedCloud) -> Entry:
    """The catalog entry of a merge that really ran, and left one file."""
    _put(cloud, "merged/model.safetensors")
    run = Run({step: entry(step) for step in ("stage", "finetune", "merge")})
    return model.submit(_submission(bench, "register", "model"), bench.definitions(), run)


def _put(cloud: MockedCloud, name: str) -> None:
    workbench.storage(cloud).put_object(cloud.namespace, BUCKET, name, b"weights")


# --- 5 -----------------------------------------------------------------------------------------


@pytest.fixture
def served(bench: Workbench, cloud: MockedCloud) -> Entry:
    registered = _registered(bench, cloud)
    return deployment.submit(_submission(bench, "deploy", "deployment"), registered.ids["model"])


def test_an_error_is_a_prediction(served: Entry, faults: Faults) -> None:
    from ads.model.deployment import ModelDeployment

    said = {"code": "InternalServerError", "message": "CUDA out of memory"}
    faults.answer("POST", "/predict$", 500, body=said)
    asked: Any = ModelDeployment.from_id(served.ids["deployment"])
    assert asked.predict(json_input={"prompt": "?"}) == said


def test_an_error_is_no_prediction(served: Entry, faults: Faults) -> None:
    said = {"code": "InternalServerError", "message": "CUDA out of memory"}
    faults.answer("POST", "/predict$", 500, body=said)
    with pytest.raises(PredictionError, match="CUDA out of memory"):
        predict(served, DIALOGUE)


# --- 6 -----------------------------------------------------------------------------------------


def test_a_registered_zip_is_deleted(bench: Workbench, cloud: MockedCloud) -> None:
    from ads.model.datascience_model import DataScienceModel

    _put(cloud, "model.zip")
    made: Any = (
        DataScienceModel()
        .with_compartment_id(cloud.compartment_id)
        .with_project_id(bench.place("project"))
        .with_artifact(f"oci://{BUCKET}@{cloud.namespace}/model.zip")
    )
    made.create(bucket_uri=f"oci://{BUCKET}@{cloud.namespace}/model.zip")
    assert _names(cloud) == []


def test_what_is_registered_stays(bench: Workbench, cloud: MockedCloud) -> None:
    _registered(bench, cloud)
    assert "merged/model.safetensors" in _names(cloud)


def _names(cloud: MockedCloud) -> list[str]:
    listed = workbench.storage(cloud).list_objects(cloud.namespace, BUCKET).data.objects
    return [each.name for each in listed]


def test_a_model_without_its_artifact_is_active(
    bench: Workbench, cloud: MockedCloud, faults: Faults
) -> None:
    from ads.model.datascience_model import DataScienceModel

    _put(cloud, "merged/model.safetensors")
    faults.answer("POST", r"/models/[^/]+/artifact$", 400)
    made: Any = DataScienceModel.from_yaml(bench.text("model"))
    with pytest.raises(oci.exceptions.ServiceError):
        made.create(model_by_reference=True)
    [left] = workbench.science(cloud).list_models(cloud.compartment_id).data
    assert left.lifecycle_state == "ACTIVE"


def test_a_model_without_its_artifact_is_completed(
    bench: Workbench, cloud: MockedCloud, faults: Faults
) -> None:
    faults.answer("POST", r"/models/[^/]+/artifact$", 400, times=1)
    with pytest.raises(RefusedError):
        _registered(bench, cloud)
    made = _registered(bench, cloud)
    [only] = workbench.science(cloud).list_models(cloud.compartment_id).data
    assert made.ids["model"] == only.id
    assert workbench.science(cloud).get_model_artifact_content(only.id).data.content


# --- 7 -----------------------------------------------------------------------------------------


def test_a_job_read_back_has_lost_its_maximum_runtime(bench: Workbench) -> None:
    from ads.jobs import Job

    created = _ads_job(bench, "finetune").create()
    assert Job.from_datascience_job(created.id).runtime.maximum_runtime_in_minutes is None


def test_the_infrastructures_tags_are_lost_beside_the_runtimes(
    bench: Workbench, cloud: MockedCloud
) -> None:
    content = yaml.safe_load(bench.text("stage"))
    content["spec"]["infrastructure"]["spec"]["freeformTags"] = {"team": "summaries"}
    content["spec"]["runtime"]["spec"]["freeformTags"] = {"step": "stage"}
    from ads.jobs import Job

    created = Job.from_yaml(yaml.safe_dump(content)).create()
    assert workbench.science(cloud).get_job(created.id).data.freeform_tags == {"step": "stage"}


def test_a_job_and_its_run_have_maximum_and_tags(bench: Workbench, cloud: MockedCloud) -> None:
    submission = _submission(bench, "finetune")
    made = job.submit(submission)
    stored = _stored(cloud, made.ids["job"]).job_configuration_details
    assert stored.maximum_runtime_in_minutes == 720
    science = workbench.science(cloud)
    for found in (science.get_job(made.ids["job"]), science.get_job_run(made.ids["job_run"])):
        assert submission.tags.items() <= found.data.freeform_tags.items()


# --- 8 -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("replicas: 6", "replica: 6"),
        ("replicas: 6", "replicas: -1"),
        ("gitSecretId", "secretOcid"),
    ],
)
def test_a_slip_is_told(old: str, new: str) -> None:
    """ADS makes one node of the first, takes the second, and ignores the third."""
    from ads.jobs import Job

    slipped = text("finetune")
    slipped = slipped.replace(old, new) if old in slipped else _with_git(slipped, new)
    Job.from_yaml(slipped)
    assert check(slipped, "job")


def _with_git(definition: str, key: str) -> str:
    content = yaml.safe_load(definition)
    content["spec"]["runtime"]["spec"]["git"][key] = "ocid1.vaultsecret.oc1..x"
    return str(yaml.safe_dump(content))


def test_a_token_goes_in_clear(bench: Workbench, cloud: MockedCloud) -> None:
    created = _ads_job(bench, "stage", **_TOKEN).create()
    stored = workbench.science(cloud).get_job(created.id).data
    assert "hf_" in str(stored.job_configuration_details.environment_variables)


def test_a_token_is_refused(bench: Workbench) -> None:
    found = [str(each) for each in check(_text(bench, "stage", **_TOKEN), "job")]
    assert any("token in clear" in each for each in found)
    assert not any("hf_" in each for each in found)


_TOKEN = {"value: hf-token": f"value: hf_{'a' * 34}", "HF_TOKEN_SECRET_NAME": "HF_TOKEN"}


# --- 9 -----------------------------------------------------------------------------------------


def test_no_config_in_the_home_folder_is_needed(
    cloud: MockedCloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``ads opctl run --oci-config X`` reads ~/.oci/config all the same."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("OCI_CONFIG_LOCATION", os.environ["OCI_CONFIG_FILE"])
    sign_in()
    assert auth.storage().get_namespace().data == cloud.namespace


# --- 10 ----------------------------------------------------------------------------------------


def test_creating_twice_makes_two(bench: Workbench, cloud: MockedCloud) -> None:
    for _ in range(2):
        _ads_job(bench, "stage").create().run()
    assert len(workbench.science(cloud).list_job_runs(cloud.compartment_id).data) == 2


def test_submitting_twice_makes_one(bench: Workbench, cloud: MockedCloud) -> None:
    first, second = (job.submit(_submission(bench, "stage")) for _ in range(2))
    assert first.ids == second.ids
    assert len(workbench.science(cloud).list_job_runs(cloud.compartment_id).data) == 1


# --- a refused start ---------------------------------------------------------------------------


def test_a_refused_start_prints_a_traceback(
    bench: Workbench, faults: Faults, capfd: pytest.CaptureFixture[str]
) -> None:
    faults.answer("POST", r"/jobRuns$", 400)
    created = _ads_job(bench, "stage").create()  # of one node: the other form keeps quiet
    with pytest.raises(oci.exceptions.ServiceError):
        created.run()
    assert "Traceback" in "".join(capfd.readouterr())


def test_a_refused_start_prints_nothing(
    bench: Workbench, faults: Faults, capfd: pytest.CaptureFixture[str]
) -> None:
    faults.answer("POST", r"/jobRuns$", 400)
    for step in ("finetune", "stage"):
        with pytest.raises(RefusedError):
            job.submit(_submission(bench, step))
    assert "".join(capfd.readouterr()) == ""


def test_ads_is_the_version_that_was_looked_at() -> None:
    from importlib.metadata import version

    assert version("oracle-ads").startswith("2.16."), "look at each trap anew"
