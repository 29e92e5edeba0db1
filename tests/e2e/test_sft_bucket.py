"""recipes.sft with its checkpoints in a bucket, on a served ocimock and over the OCI SDK."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import oci
import pytest

from jobs.classify import classify
from jobs.definitions import Definition
from jobs.policy import Cause
from jobs.record import Entry
from jobs.runtime_limit import ask_to_stop
from ocimock.identifiers import COMPARTMENT_ID
from ocimock.server.announcement import ServerFile
from tests.servers import running_server

pytestmark = [pytest.mark.e2e, pytest.mark.rehearsal]

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / ".tools" / "rehearsal" / "bin" / "python"
BUCKET = "finetuning"
NOW = datetime(2026, 11, 22, tzinfo=UTC)

if not PYTHON.exists():
    pytest.skip(f"there is no {PYTHON}: make setup-rehearsal installs it", allow_module_level=True)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerFile]:
    home = tmp_path_factory.mktemp("ocimock")
    with running_server(home, "--pace", "0", "--verify-signatures") as found:
        yield found


@pytest.fixture(scope="module")
def store(server: ServerFile) -> Any:
    client = oci.object_storage.ObjectStorageClient(
        oci.config.from_file(server.environment["OCI_CONFIG_FILE"]), service_endpoint=server.url
    )
    details = oci.object_storage.models.CreateBucketDetails(
        name=BUCKET, compartment_id=COMPARTMENT_ID
    )
    client.create_bucket(client.get_namespace().data, details)
    return client


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tiny")
    make = f"from pathlib import Path; from demo import tiny; tiny.make(Path({str(folder)!r}))"
    subprocess.run([str(PYTHON), "-c", make], cwd=ROOT, check=True)
    return folder


def test_checkpoints_go_to_the_bucket_and_come_from_it(
    server: ServerFile, store: Any, made: Path, tmp_path: Path
) -> None:
    namespace = store.get_namespace().data
    first = _sft(server, made, tmp_path, f"oci://{BUCKET}@{namespace}/checkpoints/a")
    assert first.returncode == 0, first.stderr
    names = _names(store, namespace)
    assert {name.split("/")[2] for name in names} == {"step-00000002", "step-00000004"}
    assert "checkpoints/a/step-00000004/checkpoint.json" in names
    broken = "checkpoints/a/step-00000004/__0_0.distcp"
    store.put_object(namespace, BUCKET, broken, b"not what was saved")

    again = _sft(server, made, tmp_path, f"oci://{BUCKET}@{namespace}/checkpoints/a")
    assert again.returncode == 0, again.stderr
    lines = [json.loads(line) for line in again.stdout.splitlines()]
    said = {line["event"]: line for line in lines if "event" in line}
    assert said["damaged checkpoint"]["step"] == 4
    assert said["resumed"]["step"] == 2
    uri = f"oci://{BUCKET}@{namespace}/checkpoints/a/step-00000002"
    assert said["resumed"]["uri"] == uri
    assert _last_loss(first.stdout) == pytest.approx(_last_loss(again.stdout), abs=1e-5)


def test_a_request_in_the_bucket_stops_the_run_that_it_names(
    server: ServerFile, store: Any, made: Path, tmp_path: Path
) -> None:
    """What 'jobs cancel --after-checkpoint' writes, and what the runner writes before a maximum
    runtime; the runner understands what the training says then."""
    namespace = store.get_namespace().data
    run = "ocid1.datasciencejobrun.oc1.fra.aaaa"
    entry = Entry(step="finetune", state="IN_PROGRESS", ids={"job_run": run})
    place = f"oci://{BUCKET}@{namespace}/stopped/a"
    text = f"spec: {{runtime: {{spec: {{command: sft --checkpoints {place}}}}}}}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("jobs.runtime_limit.storage", lambda: store)
        asked = ask_to_stop(entry, Definition("finetune", Path("finetune.yaml"), text))
    name = f"stopped/a/stop/{run}"
    assert asked == f"oci://{BUCKET}@{namespace}/{name}"

    stopped = _sft(server, made, tmp_path, place, "--max-steps", "100000", ocid=run)
    assert stopped.returncode == 75, stopped.stderr
    failed = entry.changed(state="FAILED", details="failed with exit code 1", started=NOW)
    failure = classify(failed, [*stopped.stdout.splitlines(), *stopped.stderr.splitlines()])
    assert failure.cause is Cause.CANCELED
    assert "told to stop (asked by a person)" in stopped.stderr
    left = [
        one.name for one in store.list_objects(namespace, BUCKET, prefix="stopped/").data.objects
    ]
    assert name not in left
    assert any(each.endswith("/checkpoint.json") for each in left)


def test_a_bucket_that_is_not_there_is_told_before_anything_begins(
    server: ServerFile, store: Any, made: Path, tmp_path: Path
) -> None:
    namespace = store.get_namespace().data
    refused = _sft(server, made, tmp_path, f"oci://elsewhere@{namespace}/checkpoints")
    assert refused.returncode == 2
    assert f"sft: --checkpoints oci://elsewhere@{namespace}/checkpoints: " in refused.stderr
    assert "BucketNotFound" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert not refused.stdout


def _sft(
    server: ServerFile, made: Path, place: Path, checkpoints: str, *more: str, ocid: str = ""
) -> subprocess.CompletedProcess[str]:
    """A run as a job's node would start it: from the package's own folder, signed in by a file."""
    environment = {
        **os.environ,
        **server.environment,
        "PYTHONPATH": str(ROOT / "jobs"),
        "OCI_IAM_TYPE": "api_key",
        "OCI_CONFIG_LOCATION": server.environment["OCI_CONFIG_FILE"],
        "OMP_NUM_THREADS": "1",
        "JOB_RUN_OCID": ocid,
    }
    command = [
        *(str(PYTHON), "-m", "recipes.sft", "--model", str(made / "base"), "--data"),
        *(str(made / "data"), "--output", str(place / "out"), "--scratch", str(place)),
        *("--max-steps", "6", "--max-length", "256", "--checkpoint-every", "2", "--samples", "0"),
        *("--checkpoints", checkpoints, *more),
    ]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def _names(store: Any, namespace: str, prefix: str = "checkpoints/") -> list[str]:
    listed = store.list_objects(namespace, BUCKET, prefix=prefix).data.objects
    return [one.name for one in listed]


def _last_loss(output: str) -> float:
    lines = (json.loads(line) for line in output.splitlines())
    losses = [line["loss"] for line in lines if line.get("metric") == "train"]
    last: float = losses[-1]
    return last
