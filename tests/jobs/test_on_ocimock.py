"""The whole way through real ADS objects, against a tenancy on ocimock in this process."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import requests

from jobs import cli
from jobs import predict as room
from jobs.auth import sign_in
from jobs.clock import SystemClock
from jobs.errors import PredictionError, RefusedError, StepFailedError
from jobs.idempotency import Submission
from jobs.ledger import Ledger
from jobs.predict import DIALOGUE, PROMPT, predict
from jobs.record import STEPS, Entry, Run
from jobs.runner import Runner
from jobs.states import model_deployment
from jobs.steps import job, model
from jobs.teardown import delete
from jobs.watch import require_success
from ocimock import mock_oci
from ocimock.cloud import Settings
from ocimock.inprocess import MockedCloud
from tests.jobs import workbench
from tests.jobs.samples import OwnedClock, Recorder, entry
from tests.jobs.workbench import BUCKET, Faults, Workbench

MANIFEST = "merged/tunestack.json"
KEY = "0123456789abcdef01234567"


@pytest.fixture
def records(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "ledger.db", SystemClock())


@pytest.fixture
def home(tmp_path: Path, bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TUNESTACK_TENANCY", raising=False)
    (tmp_path / "tenancies").mkdir()
    (tmp_path / "tenancies" / "demo.yaml").write_text("")
    bench.write(tmp_path / "definitions" / "demo")
    return tmp_path


def _runner(bench: Workbench, records: Ledger) -> tuple[Runner, Recorder]:
    view = Recorder()
    return Runner(bench.pipeline(), bench.definitions(), records, view, OwnedClock()), view


def _submission(bench: Workbench, step: str, name: str = "") -> Submission:
    definition = bench.definitions()[name or step]
    return Submission("demo", step, KEY, definition)


# --- what is submitted -----------------------------------------------------------------------


def test_the_fine_tuning_is_one_job_of_six_nodes(bench: Workbench, cloud: MockedCloud) -> None:
    made = job.submit(_submission(bench, "finetune"))

    stored = workbench.science(cloud).get_job(made.ids["job"]).data
    [group] = stored.job_node_configuration_details.job_node_group_configuration_details_list
    assert group.replicas == 6
    assert group.job_infrastructure_configuration_details.shape_name == "VM.GPU.A10.2"
    assert group.job_configuration_details.maximum_runtime_in_minutes == 720
    env = group.job_configuration_details.environment_variables
    assert not [name for name in env if name.startswith("HF_")]
    assert env["OCI__RUNTIME_GIT_COMMIT"] == "1aecd00924738239f8d86f342b36bacad180d2b3"
    assert "torchrun examples/finetuning.py --enable_fsdp" in env["OCI__LAUNCH_CMD"]
    mounts = stored.job_storage_mount_configuration_details_list
    assert [mount.destination_directory_name for mount in mounts] == [
        *("base", "data", "code", "outputs")
    ]
    assert made.state == "ACCEPTED"
    assert made.simulated


def test_the_merge_is_a_job_of_one_node(bench: Workbench, cloud: MockedCloud) -> None:
    made = job.submit(_submission(bench, "merge"))
    stored = workbench.science(cloud).get_job(made.ids["job"]).data
    assert stored.job_node_configuration_details is None
    assert stored.job_infrastructure_configuration_details.shape_name == "VM.GPU.A10.2"
    command = stored.job_configuration_details.environment_variables["OCI__LAUNCH_CMD"]
    assert command.startswith("python -m recipes.merge --base /mnt/base --adapter /mnt/outputs")


def test_staging_is_a_job_of_one_node_without_gpu(bench: Workbench, cloud: MockedCloud) -> None:
    made = job.submit(_submission(bench, "stage"))
    stored = workbench.science(cloud).get_job(made.ids["job"]).data
    infrastructure = stored.job_infrastructure_configuration_details
    assert infrastructure.shape_name == "VM.Standard.E4.Flex"
    size = infrastructure.job_shape_config_details
    assert (size.ocpus, size.memory_in_gbs) == (4, 64)
    env = stored.job_configuration_details.environment_variables
    assert env["HF_TOKEN_SECRET_NAME"] == "hf-token"
    assert (made.ocpus, made.memory_gb) == (4, 64)


def test_the_model_points_to_the_bucket_and_knows_where_it_comes_from(
    bench: Workbench, cloud: MockedCloud, records: Ledger
) -> None:
    runner, _ = _runner(bench, records)
    done = runner.run()

    science = workbench.science(cloud)
    registered = done.need("register").ids["model"]
    artifact = json.loads(science.get_model_artifact_content(registered).data.content)
    [place] = artifact["models"]
    assert (place["bucketName"], place["prefix"]) == (BUCKET, "merged/")
    assert [each["name"] for each in place["objects"]] == [MANIFEST]
    provenance = science.get_model_provenance(registered).data
    assert provenance.training_id == done.need("finetune").ids["job_run"]
    assert provenance.git_commit == "1aecd00924738239f8d86f342b36bacad180d2b3"

    content = workbench.storage(cloud).get_object(cloud.namespace, BUCKET, MANIFEST).data.content
    manifest = json.loads(content)
    assert manifest["base_model"] == "meta-llama/Llama-2-13b-hf"
    assert manifest["method"] == "lora"
    assert manifest["simulated"] is True
    assert manifest["steps"]["merge"]["job_run"] == done.need("merge").ids["job_run"]


def test_the_deployment_serves_that_model(
    bench: Workbench, cloud: MockedCloud, records: Ledger
) -> None:
    runner, _ = _runner(bench, records)
    done = runner.run()
    stored = (
        workbench.science(cloud).get_model_deployment(done.need("deploy").ids["deployment"]).data
    )
    details = stored.model_deployment_configuration_details
    assert details.model_configuration_details.model_id == done.need("register").ids["model"]
    assert details.model_configuration_details.scaling_policy.instance_count == 1
    env = details.environment_configuration_details
    assert env.image == "dsmc://odsc-vllm-serving:0.6.4.post1.2"
    assert env.environment_variables["BASE_MODEL"] == "merged"
    assert (
        stored.category_log_details.predict.log_id
        == bench.places["ocid1.log.oc1.eu-frankfurt-1.aaaapredict"]
    )


# --- the command line, the whole way ---------------------------------------------------------


def _calls(cloud: MockedCloud, operation: str) -> int:
    return sum(call.operation == operation for call in cloud.cloud.calls)


def test_from_run_to_delete(
    home: Path, cloud: MockedCloud, capfd: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["run", "--interval", "0.1"]) == 0
    printed = capfd.readouterr()
    assert "At list prices: stage $0.20 an hour; finetune $24.00 an hour, $60.00" in printed.out
    assert "finetune  SUCCEEDED (simulated)" in printed.out
    assert "deploy    ACTIVE (simulated)" in printed.out
    assert "would start driver_pytorch.py" in printed.out

    assert cli.main(["run"]) == 0
    assert capfd.readouterr().out.count("done before") == len(STEPS)
    assert _calls(cloud, "create_job") == 3
    assert _calls(cloud, "create_model_deployment") == 1

    assert cli.main(["status", "--json"]) == 0
    status = json.loads(capfd.readouterr().out)["steps"]
    assert [status[step]["state"] for step in STEPS] == [
        *("SUCCEEDED", "SUCCEEDED", "SUCCEEDED", "ACTIVE", "ACTIVE", "SUCCEEDED")
    ]
    assert all(status[step]["simulated"] for step in STEPS)

    assert cli.main(["watch", "deploy"]) == 0
    assert "ACTIVE (simulated)" in capfd.readouterr().out

    assert cli.main(["logs", "merge", "--lines", "2"]) == 0
    lines = capfd.readouterr().out.splitlines()
    assert len(lines) == 2
    assert "finished with exit code 0" in lines[-1]

    assert cli.main(["predict"]) == 0
    assert "(simulated)" in capfd.readouterr().out

    # The second run's resources are deleted, and what they replaced: a project with jobs or models
    # in it can't be destroyed.
    assert cli.main(["run", "--fresh", "--interval", "0.1"]) == 0
    capfd.readouterr()
    assert cli.main(["delete", "--yes"]) == 0
    assert capfd.readouterr().out.count("deleted the") == 2 * len(STEPS[:5])
    science = workbench.science(cloud)
    listed = [
        *science.list_jobs(cloud.compartment_id).data,
        *science.list_job_runs(cloud.compartment_id).data,
        *science.list_models(cloud.compartment_id).data,
        *science.list_model_deployments(cloud.compartment_id).data,
    ]
    assert {each.lifecycle_state for each in listed} <= {"DELETED"}
    capfd.readouterr()
    assert cli.main(["delete", "--yes"]) == 0
    assert "nothing to delete" in capfd.readouterr().out


TUTORIAL = "finetune: {recipe: llama-recipes}\n"
OCIDS = """\
tenancy_ocid: ocid1.tenancy.oc1..aaaaaaaaocimocktenancy
compartment_ocid: ocid1.compartment.oc1..aaaaaaaaocimockcompartment
region: eu-frankfurt-1
home_region: us-ashburn-1
"""


@pytest.mark.parametrize(
    ("recipe", "nodes", "method"),
    [
        pytest.param("model: 13b\n", 6, "lora", id="13b LoRA"),
        pytest.param("model: 7b\n", 3, "full", id="7b full"),
        pytest.param(f"model: 13b\n{TUTORIAL}", 6, "lora", id="the tutorial's 13b"),
        pytest.param(f"model: 7b\n{TUTORIAL}", 3, "full-parameter", id="the tutorial's 7b"),
    ],
)
def test_what_the_stacks_emit_runs_the_whole_way(
    recipe: str, nodes: int, method: str, home: Path, bench: Workbench, cloud: MockedCloud
) -> None:
    tenancy = home / "tenancies" / "demo.yaml"
    tenancy.write_text(OCIDS + recipe)
    outputs = home / "outputs.json"
    outputs.write_text(json.dumps({"demo-workbench": {"definitions": bench.emitted(tenancy)}}))

    assert cli.main(["emit", "--outputs", str(outputs)]) == 0
    assert cli.main(["run", "--interval", "0.1"]) == 0

    run = Ledger(Path(".tunestack/demo/ledger.db"), SystemClock()).read()
    assert run.need("finetune").replicas == nodes
    assert run.need("deploy").done
    place = run.need("register").details.partition("ocimock/")[2]
    content = workbench.storage(cloud).get_object(cloud.namespace, BUCKET, f"{place}tunestack.json")
    manifest = json.loads(content.data.content)
    assert manifest["method"] == method
    assert manifest["base_model"].startswith("meta-llama/Llama-2-")
    assert manifest["data"] == "knkarthick/samsum"


QUIET = """
import os, pathlib, sys
from ocimock import mock_oci
from tests.jobs import workbench
from jobs.cli import main
with mock_oci() as cloud:
    bench = workbench.build(cloud)
    os.chdir(sys.argv[1])
    pathlib.Path("tenancies").mkdir()
    pathlib.Path("tenancies/demo.yaml").write_text("")
    bench.write(pathlib.Path("definitions/demo"))
    sys.exit(main(["run", "--interval", "0.1"]))
"""


def test_ads_keeps_quiet(tmp_path: Path) -> None:
    """Its progress bars, warnings and logs are not ours; a process of its own shows all of them."""
    done = subprocess.run(
        [sys.executable, "-c", QUIET, str(tmp_path)],
        cwd=Path(__file__).resolve().parents[2],
        env={name: text for name, text in os.environ.items() if name != "TQDM_DISABLE"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    assert "WARNING:" not in done.stdout  # ADS has all logging go there
    assert "INFO:" not in done.stdout
    assert done.returncode == 0


def test_deleting_what_somebody_else_deleted_already(
    home: Path, cloud: MockedCloud, capfd: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["run", "--interval", "0.1"]) == 0
    science = workbench.science(cloud)
    run = Ledger(Path(".tunestack/demo/ledger.db"), SystemClock()).read()
    science.delete_model_deployment(run.need("deploy").ids["deployment"])
    science.delete_model(run.need("register").ids["model"])
    assert cli.main(["delete", "--yes", "--interval", "0.1"]) == 0, capfd.readouterr().err


# --- what goes wrong -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "step", "details"),
    [
        ("fine-tuning", "finetune", "failed with exit code 1"),
        ("merge", "merge", "failed with exit code 1"),
        ("llama-2-13b-lora", "deploy", "Failing, as the mock's settings ask"),
    ],
)
def test_a_failed_step_is_told_and_recorded(
    word: str, step: str, details: str, records: Ledger
) -> None:
    """ADS's deploy() returns normally when the deployment FAILED; the state is what counts."""
    with mock_oci(Settings(fail_runs=(word,))) as cloud:
        bench = workbench.build(cloud)
        sign_in()
        runner, view = _runner(bench, records)
        with pytest.raises(StepFailedError) as caught:
            runner.run()
    assert f"{step} ended FAILED (simulated). OCI says:" in caught.value.what
    assert details in caught.value.what
    assert records.read().need(step).state == "FAILED"
    assert list(records.read().entries) == list(STEPS[: STEPS.index(step) + 1])
    assert view.states[-1] == (step, "FAILED (simulated)")


def test_watch_exits_1_on_a_failed_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    with mock_oci(Settings(fail_runs=("merge",))) as cloud:
        bench = workbench.build(cloud)
        monkeypatch.chdir(tmp_path)
        (tmp_path / "tenancies").mkdir()
        (tmp_path / "tenancies" / "demo.yaml").write_text("")
        bench.write(tmp_path / "definitions" / "demo")
        for step in STEPS[:2]:
            assert cli.main(["submit", step, "--tenancy", "tenancies/demo.yaml"]) == 0
            assert cli.main(["watch", step, "--interval", "0.1"]) == 0
        assert cli.main(["submit", "merge"]) == 0
        assert cli.main(["watch", "--interval", "0.1"]) == 1
    assert "merge ended FAILED (simulated)" in capfd.readouterr().err


def test_throttling_that_passes_is_not_noticed(
    bench: Workbench, records: Ledger, faults: Faults
) -> None:
    faults.answer("POST", r"/jobs$", 429, times=2)
    faults.answer("GET", r"/jobRuns/", 429, times=2)
    runner, _ = _runner(bench, records)
    runner.run()
    assert len(faults.slept) >= 4


def test_throttling_that_stays_is_told(bench: Workbench, faults: Faults) -> None:
    faults.answer("POST", r"/jobs$", 429)
    with pytest.raises(RefusedError) as caught:
        job.submit(_submission(bench, "finetune"))
    assert "create the job 'LLAMA2-Fine-Tuning-lora-samsum-13b-01234567'" in caught.value.what
    assert "429 TooManyRequests" in caught.value.what
    assert "opc-request-id" in caught.value.what
    assert "throttling" in caught.value.advice


@pytest.mark.parametrize("command", ["run", "submit"])
def test_a_job_whose_run_is_refused_is_deleted_again(
    command: str, bench: Workbench, cloud: MockedCloud, records: Ledger, faults: Faults
) -> None:
    faults.answer("POST", r"/jobRuns$", 400, body={"code": "LimitExceeded", "message": "no GPUs"})
    runner, _ = _runner(bench, records)
    with pytest.raises(RefusedError, match="no GPUs") as caught:
        runner.run() if command == "run" else runner.submit("stage")
    assert "The job itself was deleted again." in caught.value.what
    assert "service limit" in caught.value.advice
    jobs = workbench.science(cloud).list_jobs(cloud.compartment_id).data
    assert {each.lifecycle_state for each in jobs} <= {"DELETED"}


def test_a_bucket_without_versions_is_told(records: Ledger) -> None:
    with mock_oci() as cloud:
        bench = workbench.build(cloud, versioned=False)
        sign_in()
        runner, _ = _runner(bench, records)
        with pytest.raises(StepFailedError, match="keeps no versions") as caught:
            runner.run()
        assert "The incomplete catalog entry was deleted again." in caught.value.what
        models = workbench.science(cloud).list_models(cloud.compartment_id).data
        assert {each.lifecycle_state for each in models} <= {"DELETED"}
    assert "register" not in records.read().entries


def test_a_model_without_its_artifact_does_not_stay(
    bench: Workbench, cloud: MockedCloud, records: Ledger, faults: Faults
) -> None:
    """ADS would leave it ACTIVE and empty."""
    faults.answer("POST", r"/models/[^/]+/artifact$", 400)
    runner, _ = _runner(bench, records)
    with pytest.raises(RefusedError, match="register the model") as caught:
        runner.run()
    assert "The incomplete catalog entry was deleted again." in caught.value.what
    models = workbench.science(cloud).list_models(cloud.compartment_id).data
    assert {each.lifecycle_state for each in models} <= {"DELETED"}


def _register(bench: Workbench, run: Run) -> Entry:
    return model.submit(_submission(bench, "register", "model"), bench.definitions(), run)


def _put(cloud: MockedCloud, name: str, content: object) -> None:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    workbench.storage(cloud).put_object(cloud.namespace, BUCKET, name, body)


def _registered(cloud: MockedCloud, model_id: str) -> dict[str, str]:
    found = workbench.science(cloud).get_model(model_id).data.custom_metadata_list
    return {item.key: item.value for item in found}


def test_a_real_merge_must_have_left_weights(bench: Workbench, cloud: MockedCloud) -> None:
    made = bench.definitions()
    run = Run({step: entry(step) for step in STEPS[:3]})
    _put(cloud, "merged/config.json", {})
    with pytest.raises(StepFailedError, match="holds no weights"):
        model.submit(_submission(bench, "register", "model"), made, run)

    _put(cloud, "merged/model-00001.safetensors", b"weights")
    registered = model.submit(_submission(bench, "register", "model"), made, run)
    assert registered.state == "ACTIVE"
    assert registered.shown_state == "ACTIVE"


def test_the_catalog_keeps_what_the_jobs_left(bench: Workbench, cloud: MockedCloud) -> None:
    run = Run({step: entry(step, local=True) for step in STEPS[:3]})
    _put(cloud, "merged/model-00001.safetensors", b"weights")
    left = {
        "format": 1,
        "base_model": {"repo": "org/base", "revision": "main", "commit": "c0ffee"},
        "method": "lora",
        "adapter": {"sha256": "ab" * 32},
        "training": {
            "steps": 40,
            "loss": {"train": 1.23456789, "eval": None},
            "tokens_per_second": 812.4,
        },
    }
    _put(cloud, MANIFEST, left)
    staged = {"kind": "dataset", "repo": "org/talks", "commit": "beef"}
    _put(cloud, "data/samsum/tunestack-stage.json", staged)

    registered = _register(bench, run)

    kept = _registered(cloud, registered.ids["model"])
    assert {
        "base_model": "org/base@c0ffee",
        "dataset": "org/talks@beef",
        "method": "lora",
        "steps": "40",
        "train_loss": "1.23457",
        "tokens_per_second": "812.4",
        "adapter_sha256": "ab" * 32,
        "stage_job_run": "ocid1.datasciencejobrun.w",
        "finetune_job": "ocid1.datasciencejob.x",
        "finetune_job_run": "ocid1.datasciencejobrun.x",
        "merge_job_run": "ocid1.datasciencejobrun.y",
        "ran": "on a developer's machine",
    }.items() <= kept.items()
    assert "eval_loss" not in kept
    assert registered.shown_state == "ACTIVE (on this machine)"
    content = workbench.storage(cloud).get_object(cloud.namespace, BUCKET, MANIFEST).data.content
    assert json.loads(content) == left, "the merge's own manifest stays"
    artifact = workbench.science(cloud).get_model_artifact_content(registered.ids["model"])
    assert MANIFEST in artifact.data.content.decode()


def test_without_manifests_the_definitions_and_the_record_tell(
    bench: Workbench, cloud: MockedCloud
) -> None:
    run = Run({step: entry(step) for step in STEPS[:3]})
    _put(cloud, "merged/model-00001.safetensors", b"weights")

    kept = _registered(cloud, _register(bench, run).ids["model"])

    assert kept["base_model"] == "meta-llama/Llama-2-13b-hf"
    assert kept["dataset"] == "knkarthick/samsum"
    assert kept["ran"] == "in OCI"
    assert "train_loss" not in kept


def test_a_manifest_that_is_none_is_told(bench: Workbench, cloud: MockedCloud) -> None:
    run = Run({step: entry(step) for step in STEPS[:3]})
    _put(cloud, "merged/model-00001.safetensors", b"weights")
    _put(cloud, MANIFEST, b"[]")
    with pytest.raises(StepFailedError, match=r"tunestack\.json is not what the job writes"):
        _register(bench, run)


def test_a_deployment_says_why_it_failed(
    bench: Workbench, cloud: MockedCloud, records: Ledger
) -> None:
    runner, _ = _runner(bench, records)
    for step in STEPS[:4]:
        runner.follow(runner.submit(step))
    versions = workbench.storage(cloud).list_object_versions(cloud.namespace, BUCKET).data.items
    for version in versions:
        workbench.storage(cloud).delete_object(
            cloud.namespace, BUCKET, version.name, version_id=version.version_id
        )
    with pytest.raises(StepFailedError) as caught:
        runner.run()
    assert "deploy ended FAILED" in caught.value.what
    assert MANIFEST in caught.value.what


def test_a_work_requests_errors_are_told(bench: Workbench, records: Ledger, faults: Faults) -> None:
    """The state alone often says no more than FAILED."""
    runner, _ = _runner(bench, records)
    for step in STEPS[:4]:
        runner.follow(runner.submit(step))
    submitted = runner.submit("deploy")
    failed = {
        "id": submitted.ids["deployment"], "lifecycleState": "FAILED", "lifecycleDetails": "Failed",
        "displayName": "d", "compartmentId": "c", "projectId": "p",
    }  # fmt: skip
    error = {"code": "500", "message": "Out of host capacity.", "timestamp": "2026-11-22T12:00:00Z"}
    faults.answer("GET", "/modelDeployments/", 200, body=failed)
    faults.answer("GET", "/workRequests/[^/]+/errors", 200, body=[error])
    with pytest.raises(StepFailedError, match=r"OCI says: Failed; Out of host capacity\."):
        require_success(runner.follow(submitted))


# --- asking ----------------------------------------------------------------------------------


@pytest.fixture
def served(bench: Workbench, records: Ledger) -> Any:
    runner, _ = _runner(bench, records)
    return runner.run().need("deploy")


def test_the_prompt_is_the_one_it_was_trained_with(
    served: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[str, Any] = {}
    original = requests.post

    def post(url: str, **how: Any) -> requests.Response:
        asked.update(how, url=url)
        return original(url, **how)

    monkeypatch.setattr(requests, "post", post)
    answer = predict(served, DIALOGUE, timeout=7)
    assert asked["url"] == f"{served.url}/predict"
    assert asked["json"]["prompt"] == PROMPT.format(dialog=DIALOGUE)
    assert asked["json"]["model"] == "odsc-llm"
    assert asked["timeout"] == (10.0, 7)
    assert answer.simulated
    assert answer.text == answer.body["choices"][0]["text"]


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (
            500,
            {"code": "InternalServerError", "message": "CUDA out of memory"},
            "answered 500.+CUDA",
        ),
        (200, {"detail": "Not Found"}, "is no completion"),
        (200, {"choices": []}, "is no completion"),
    ],
)
def test_an_error_is_never_a_prediction(
    status: int, body: Any, said: str, served: Any, faults: Faults
) -> None:
    faults.answer("POST", "/predict$", status, body=body)
    with pytest.raises(PredictionError, match=re.compile(said, re.DOTALL)):
        predict(served, DIALOGUE)


@pytest.mark.parametrize(
    ("headers", "details", "where"),
    [
        ({"ocimock-simulated": "true"}, "", " (simulated)"),
        ({"ocimock-executed": "true"}, "", " (on this machine)"),
        ({}, "Up (run by ocimock on this machine).", " (on this machine)"),
        ({}, "Up (simulated by ocimock: no code ran).", " (simulated)"),
        ({}, "", ""),
    ],
)
def test_an_answer_says_where_it_was_given(
    headers: dict[str, str], details: str, where: str, served: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def post(url: str, **how: Any) -> requests.Response:
        answer = requests.Response()
        answer.status_code = 200
        answer._content = b'{"choices": [{"text": "Amanda brings cookies."}]}'
        answer.headers.update(headers)
        return answer

    monkeypatch.setattr(requests, "post", post)
    told = model_deployment(served.ids["deployment"])
    told.lifecycle_details = details
    monkeypatch.setattr(room, "model_deployment", lambda ocid: told)
    assert predict(served, DIALOGUE).where == where


def test_an_endpoint_that_does_not_answer_in_time(
    served: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def post(url: str, **how: Any) -> None:
        raise requests.ReadTimeout(url)

    monkeypatch.setattr(requests, "post", post)
    with pytest.raises(PredictionError, match="did not answer within 3 s"):
        predict(served, DIALOGUE, timeout=3)


def test_a_deployment_that_is_not_up_is_not_asked(served: Any, cloud: MockedCloud) -> None:
    workbench.science(cloud).deactivate_model_deployment(served.ids["deployment"])
    with pytest.raises(PredictionError, match="The deployment is INACTIVE"):
        predict(served, DIALOGUE)


# --- stopping --------------------------------------------------------------------------------


def test_cancel_and_delete_of_a_run_under_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    with mock_oci(Settings(run_seconds=3600), pace=1) as cloud:
        bench = workbench.build(cloud)
        monkeypatch.chdir(tmp_path)
        (tmp_path / "tenancies").mkdir()
        (tmp_path / "tenancies" / "demo.yaml").write_text("")
        bench.write(tmp_path / "definitions" / "demo")
        assert cli.main(["submit", "stage"]) == 0
        cloud.advance(1000)
        assert cli.main(["delete", "--yes"]) == 1
        assert "Cancel it first: 'python -m jobs cancel stage'" in capfd.readouterr().err
        assert cli.main(["cancel", "stage"]) == 0
        assert "stage: CANCELING" in capfd.readouterr().out
        cloud.advance(1000)
        assert cli.main(["watch", "stage"]) == 1
        assert "stage ended CANCELED (simulated)" in capfd.readouterr().err
        assert cli.main(["cancel", "stage"]) == 1
        assert "has ended already" in capfd.readouterr().err
        assert cli.main(["delete", "--yes"]) == 0


def test_a_model_is_not_deleted_before_its_deployment_is_gone(records: Ledger) -> None:
    with mock_oci(Settings(run_seconds=1, deploy_seconds=1), pace=1) as cloud:
        bench = workbench.build(cloud)
        sign_in()
        clock = CloudClock(cloud)
        Runner(bench.pipeline(), bench.definitions(), records, Recorder(), clock).run()
        clock.slept.clear()
        delete(records, Recorder(), clock, 2.0)
    assert clock.slept == [2.0]
    assert not records.read().entries


class CloudClock(OwnedClock):
    """A clock whose sleeping lets time pass in the mock."""

    def __init__(self, cloud: MockedCloud) -> None:
        super().__init__()
        self._cloud = cloud

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        self._cloud.advance(seconds)
