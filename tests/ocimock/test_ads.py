"""The real ADS and ocifs against the mock, as the runner uses them.

ADS polls with sleeps of its own; every wait is given an interval of nearly nothing.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import oci
import pytest

from ocimock import MockedTenancy, Settings, mock_oci
from tests.ocimock.workbench import MARK, NS, SHAPE, Workbench, workbench

QUICK = {"poll_interval": 0.001}


@pytest.fixture(scope="module")
def ads() -> Any:
    """ADS, whose import takes seconds."""
    import ads.jobs
    import ads.model.datascience_model
    import ads.model.deployment

    return ads


def sign_in(ads: Any, mocked: MockedTenancy) -> None:
    location = os.environ["OCI_CONFIG_LOCATION"]
    ads.set_auth("api_key", oci_config_location=location, profile=mocked.profile)


@pytest.fixture
def bench(ads: Any, mocked: MockedTenancy) -> Workbench:
    sign_in(ads, mocked)
    return workbench(mocked)


@pytest.fixture
def slow(ads: Any) -> Iterator[Workbench]:
    """A tenancy in which a run takes an hour."""
    with mock_oci(Settings(run_seconds=3600.0), pace=1.0) as mocked:
        sign_in(ads, mocked)
        yield workbench(mocked)


def job(ads: Any, bench: Workbench, replicas: int) -> Any:
    """The tutorial's fine-tune job in small, created."""
    infrastructure = (
        ads.jobs.DataScienceJob()
        .with_compartment_id(bench.compartment)
        .with_project_id(bench.project)
        .with_subnet_id(bench.subnet)
        .with_log_group_id(bench.group)
        .with_log_id(bench.log)
        .with_shape_name(SHAPE)
        .with_block_storage_size(256)
        .with_storage_mount({"src": f"oci://{bench.bucket}@{NS}/outputs", "dest": "outputs"})
    )
    runtime = (
        ads.jobs.PyTorchDistributedRuntime()
        .with_service_conda("pytorch20_p39_gpu_v2")
        .with_git(url="https://example.com/llama-recipes.git", commit="1aecd00")
        .with_dependency("torch==2.1.0")
        .with_command("torchrun examples/finetuning.py --use_peft")
        .with_replica(replicas)
        .with_environment_variable(NCCL_DEBUG="INFO")
    )
    return ads.jobs.Job(name="fine-tune", infrastructure=infrastructure, runtime=runtime).create()


def model(ads: Any, bench: Workbench, artifact: str, **options: Any) -> Any:
    metadata = ads.model.model_metadata.ModelCustomMetadata.from_dict(
        {"data": [{"key": "base", "value": "llama", "category": "other"}]}
    )
    return (
        ads.model.datascience_model.DataScienceModel()
        .with_compartment_id(bench.compartment)
        .with_project_id(bench.project)
        .with_display_name("llama")
        .with_custom_metadata_list(metadata)
        .with_artifact(artifact)
        .create(**options)
    )


def deployment(ads: Any, bench: Workbench, model_id: str) -> Any:
    """A deployment of the service-managed vLLM container, not deployed yet."""
    deployed = ads.model.deployment
    infrastructure = (
        deployed.ModelDeploymentInfrastructure()
        .with_compartment_id(bench.compartment)
        .with_project_id(bench.project)
        .with_shape_name(SHAPE)
        .with_replica(1)
        .with_bandwidth_mbps(10)
        .with_access_log(log_group_id=bench.group, log_id=bench.log)
        .with_predict_log(log_group_id=bench.group, log_id=bench.log)
    )
    runtime = (
        deployed.ModelDeploymentContainerRuntime()
        .with_image("dsmc://odsc-vllm-serving:0.6.4.post1.2")
        .with_server_port(8080)
        .with_health_check_port(8080)
        .with_env({"BASE_MODEL": "merged"})
        .with_model_uri(model_id)
    )
    return deployed.ModelDeployment(
        display_name="served", infrastructure=infrastructure, runtime=runtime
    )


def operations(bench: Workbench) -> list[str]:
    return [call.operation for call in bench.mocked.calls]


# --- jobs ----------------------------------------------------------------------------------


@pytest.mark.parametrize("replicas", [1, 6])
def test_a_job_runs_to_its_end_and_is_watched(
    ads: Any, bench: Workbench, capsys: pytest.CaptureFixture[str], replicas: int
) -> None:
    made = job(ads, bench, replicas)
    run = made.run()
    assert (run.status, MARK in run.lifecycle_details) == ("ACCEPTED", True)
    run.watch(interval=0.001, wait=0)
    assert (run.status, run.exit_code) == ("SUCCEEDED", 0)
    printed = capsys.readouterr().out
    assert printed.count("finished with exit code 0") == replicas
    assert f"Job Run SUCCEEDED, {run.lifecycle_details}" in printed
    assert MARK in run.lifecycle_details
    # Several replicas are one run of several nodes.
    assert operations(bench).count("create_job_run") == 1
    assert len(made.run_list()) == 1


@pytest.mark.parametrize("replicas", [1, 6])
def test_a_job_is_read_back_as_it_was_written(ads: Any, bench: Workbench, replicas: int) -> None:
    made = job(ads, bench, replicas)
    read = ads.jobs.Job.from_datascience_job(made.id).to_dict()["spec"]
    infrastructure, runtime = read["infrastructure"]["spec"], read["runtime"]["spec"]
    assert infrastructure["shapeName"] == SHAPE
    assert infrastructure["subnetId"] == bench.subnet
    assert infrastructure["storageMount"] == [
        {"src": f"oci://{bench.bucket}@{NS}/outputs", "dest": "outputs"}
    ]
    assert runtime["command"] == "torchrun examples/finetuning.py --use_peft"
    assert runtime["replicas"] == replicas
    assert runtime["git"]["commit"] == "1aecd00"


def test_logs_of_a_run_are_read_in_their_order(ads: Any, bench: Workbench) -> None:
    run = job(ads, bench, 6).run()
    run.wait(interval=0.001)
    messages = [line["message"] for line in run.logs()]
    simulated = [message for message in messages if MARK in message]
    assert simulated == bench.lines(run.id)
    assert len(simulated) == 24


def test_a_run_is_canceled(ads: Any, slow: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    # Between two looks of ADS a second passes on the mock's clock, and none here.
    sleep = "ads.jobs.builders.infrastructure.dsc_job.time.sleep"
    monkeypatch.setattr(sleep, lambda seconds: slow.mocked.advance(1))
    run = job(ads, slow, 6).run()
    run.cancel()
    assert run.status == "CANCELED"


def test_a_failed_run_tells_its_exit_code(ads: Any) -> None:
    with mock_oci(Settings(fail_runs=("fine-tune",))) as mocked:
        sign_in(ads, mocked)
        run = job(ads, workbench(mocked), 1).run()
        run.wait(interval=0.001)
        assert (run.status, run.exit_code) == ("FAILED", 1)


def test_a_job_is_deleted_with_its_runs(ads: Any, bench: Workbench) -> None:
    made = job(ads, bench, 6)
    run = made.run()
    run.wait(interval=0.001)
    made.delete()
    standing = bench.mocked.standing()
    assert not {"datasciencejob", "datasciencejobrun"} & set(standing)


# --- models --------------------------------------------------------------------------------


def test_a_model_goes_from_a_folder_to_the_catalog_and_back(
    ads: Any, bench: Workbench, tmp_path: Path
) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "score.py").write_text("answer = 42\n")
    (source / "runtime.yaml").write_text("MODEL_ARTIFACT_VERSION: '3.0'\n")
    made = model(ads, bench, str(source))
    assert made.lifecycle_state == "ACTIVE"
    target = tmp_path / "target"
    made.download_artifact(target_dir=str(target))
    assert (target / "score.py").read_text() == "answer = 42\n"


def test_a_large_model_goes_by_the_bucket_and_back(
    ads: Any, bench: Workbench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ads.common.work_request.time.sleep", lambda seconds: None)
    source = tmp_path / "source"
    source.mkdir()
    (source / "weights.bin").write_bytes(bytes(300_000))
    place = f"oci://{bench.bucket}@{NS}/large/"
    made = model(ads, bench, str(source), bucket_uri=place)
    assert "export_model_artifact" in operations(bench)
    # The archive in the bucket was for the way only. A versioned bucket keeps a marker of it.
    assert bench.storage.list_objects(NS, bench.bucket).data.objects == []
    made.download_artifact(target_dir=str(tmp_path / "target"), bucket_uri=place)
    assert (tmp_path / "target" / "weights.bin").read_bytes() == bytes(300_000)


def test_a_model_by_reference_names_the_objects_and_their_versions(
    ads: Any, bench: Workbench
) -> None:
    bench.storage.put_object(NS, bench.bucket, "merged/config.json", b"old")
    put = bench.storage.put_object(NS, bench.bucket, "merged/config.json", b"{}")
    place = f"oci://{bench.bucket}@{NS}/merged/"
    made = model(ads, bench, place, model_by_reference=True)
    assert bench.science.get_model(made.id).data.is_model_by_reference
    content = bench.science.get_model_artifact_content(made.id).data.json()
    assert content["models"][0]["objects"] == [
        {"name": "merged/config.json", "version": put.headers["version-id"], "sizeInBytes": 2}
    ]


def test_a_model_by_reference_wants_a_versioned_bucket(ads: Any, bench: Workbench) -> None:
    models = oci.object_storage.models
    details = models.CreateBucketDetails(name="plain", compartment_id=bench.compartment)
    bench.storage.create_bucket(NS, details)
    bench.storage.put_object(NS, "plain", "merged/config.json", b"{}")
    with pytest.raises(ads.model.datascience_model.BucketNotVersionedError):
        model(ads, bench, f"oci://plain@{NS}/merged/", model_by_reference=True)


# --- deployments ---------------------------------------------------------------------------


@pytest.fixture
def referenced(ads: Any, bench: Workbench) -> Any:
    bench.storage.put_object(NS, bench.bucket, "merged/config.json", b"{}")
    place = f"oci://{bench.bucket}@{NS}/merged/"
    return model(ads, bench, place, model_by_reference=True)


def test_a_model_is_deployed_asked_switched_and_deleted(
    ads: Any, bench: Workbench, referenced: Any
) -> None:
    served = deployment(ads, bench, referenced.id)
    served.deploy(**QUICK)
    assert served.lifecycle_state == "ACTIVE"
    answer = served.predict(data={"prompt": "hello", "max_tokens": 10})
    assert answer["simulated"] is True
    assert MARK in answer["choices"][0]["text"]
    served.deactivate(**QUICK)
    assert served.lifecycle_state == "INACTIVE"
    served.activate(**QUICK)
    served.update(display_name="new", **QUICK)
    assert (served.lifecycle_state, served.display_name) == ("ACTIVE", "new")
    assert len(served.access_log.tail()) == 2
    served.delete(**QUICK)
    assert served.lifecycle_state == "DELETED"
    referenced.delete()
    assert bench.science.get_model(referenced.id).data.lifecycle_state == "DELETED"


def test_ads_sees_that_a_model_is_served(ads: Any, bench: Workbench, referenced: Any) -> None:
    from ads.model.service.oci_datascience_model import ModelWithActiveDeploymentError

    served = deployment(ads, bench, referenced.id)
    served.deploy(**QUICK)
    with pytest.raises(ModelWithActiveDeploymentError):
        referenced.delete()


def test_a_deployment_that_fails_is_failed_after_deploy(
    ads: Any, bench: Workbench, referenced: Any
) -> None:
    for version in bench.storage.list_object_versions(NS, bench.bucket).data.items:
        bench.storage.delete_object(NS, bench.bucket, version.name, version_id=version.version_id)
    served = deployment(ads, bench, referenced.id)
    # ADS only logs that the work request failed.
    served.deploy(**QUICK)
    assert served.lifecycle_state == "FAILED"
    assert "merged/config.json" in served.lifecycle_details


# --- ocifs ---------------------------------------------------------------------------------


@pytest.fixture
def files(mocked: MockedTenancy) -> Any:
    import ocifs

    return ocifs.OCIFileSystem(config=mocked.config, region=mocked.config["region"])


@pytest.mark.parametrize("size", [0, 10, 12 * 2**20])
def test_ocifs_writes_and_reads(bench: Workbench, files: Any, size: int) -> None:
    path = f"oci://{bench.bucket}@{NS}/dir/file.bin"
    body = bytes(index % 251 for index in range(size)) if size < 1000 else b"z" * size
    with files.open(path, "wb") as file:
        file.write(body)
    assert files.cat(path) == body
    assert files.info(path)["size"] == size


def test_ocifs_reads_a_part_of_a_file(bench: Workbench, files: Any) -> None:
    bench.storage.put_object(NS, bench.bucket, "file", b"0123456789")
    with files.open(f"oci://{bench.bucket}@{NS}/file", "rb") as file:
        file.seek(4)
        assert file.read(3) == b"456"


def test_ocifs_walks_moves_copies_and_removes(bench: Workbench, files: Any) -> None:
    root = f"{bench.bucket}@{NS}"
    for name in ("a/1", "a/b/2", "c"):
        bench.storage.put_object(NS, bench.bucket, name, b"x")
    assert sorted(files.find(root)) == [f"{root}/a/1", f"{root}/a/b/2", f"{root}/c"]
    assert sorted(files.ls(f"{root}/a")) == [f"{root}/a/1", f"{root}/a/b"]
    files.copy(f"{root}/c", f"{root}/d")
    files.rename(f"{root}/c", f"{root}/e")
    files.rm(f"{root}/a", recursive=True)
    listed = bench.storage.list_objects(NS, bench.bucket).data.objects
    assert [found.name for found in listed] == ["d", "e"]
    assert not files.exists(f"{root}/c")
