"""From a tenancy file to what OCI gets: fallback machines, and room for the runner's tags."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from jobs import cli
from jobs.auth import sign_in
from jobs.definitions import read_all, read_pipeline
from jobs.idempotency import TAGS
from jobs.ledger import Ledger
from jobs.publishing import fetch
from jobs.record import Entry
from jobs.runner import Runner
from ocimock.inprocess import MockedCloud
from tests.jobs import workbench
from tests.jobs.samples import OwnedClock, Recorder

OCIDS = """\
tenancy_ocid: ocid1.tenancy.oc1..aaaaaaaaocimocktenancy
compartment_ocid: ocid1.compartment.oc1..aaaaaaaaocimockcompartment
region: eu-frankfurt-1
home_region: us-ashburn-1
hub: {token: false}
"""
EMIT = ("emit", "--tenancy", "tenancies/demo.yaml", "--outputs", "outputs.json")
OWN_TAGS = {f"own-{number}": "x" for number in range(7)}


def _run(cloud: MockedCloud, folder: Path, text: str) -> dict[str, Entry]:
    """The entries of a whole pipeline of a tenancy file."""
    bench = workbench.build(cloud)
    file = folder / "demo.yaml"
    file.write_text(OCIDS + text)
    for name, definition in bench.emitted(file).items():
        (folder / name).write_text(definition)
    file.unlink()
    sign_in()
    clock = OwnedClock()
    ledger = Ledger(folder / "ledger.db", clock)
    runner = Runner(read_pipeline(folder), read_all(folder), ledger, Recorder(), clock)
    return dict(runner.run().entries)


def test_what_is_emitted_is_kept_in_the_bucket_for_machines_without_terraform(
    cloud: MockedCloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    bench = workbench.build(cloud)
    file = tmp_path / "tenancies" / "demo.yaml"
    file.parent.mkdir()
    file.write_text(OCIDS + "merge: {fallback_shapes: [VM.GPU.A10.1]}\n")
    texts = bench.emitted(file)
    (tmp_path / "outputs.json").write_text(json.dumps(texts))
    stray = tmp_path / "definitions" / "demo" / "notes.yaml"
    stray.parent.mkdir(parents=True)
    stray.write_text("mine: true\n")

    assert cli.main([*EMIT, "--publish"]) == 0

    fetched = fetch(f"oci://{workbench.BUCKET}@ocimock/ledger/demo/", tmp_path / "elsewhere")
    assert {path.name: path.read_text() for path in fetched.iterdir()} == texts
    assert "merge.fallback-1.yaml" in texts
    assert cli.main([*EMIT, "--publish", "--check"]) == 2


def _tags(cloud: MockedCloud, entries: dict[str, Entry]) -> dict[str, dict[str, str]]:
    """The freeform tags of all that was made."""
    science = workbench.science(cloud)
    found: dict[str, Any] = {"model": science.get_model(entries["register"].ids["model"])}
    found["deployment"] = science.get_model_deployment(entries["deploy"].ids["deployment"])
    for step in ("stage", "finetune", "merge"):
        found[f"job of {step}"] = science.get_job(entries[step].ids["job"])
        found[f"run of {step}"] = science.get_job_run(entries[step].ids["job_run"])
    return {what: answer.data.freeform_tags for what, answer in found.items()}


def test_as_many_own_tags_as_the_tenancy_file_takes_leave_room_for_the_runners(
    cloud: MockedCloud, tmp_path: Path
) -> None:
    entries = _run(cloud, tmp_path, f"tags: {{{', '.join(f'{tag}: x' for tag in OWN_TAGS)}}}\n")
    for what, tags in _tags(cloud, entries).items():
        assert tags.keys() == {*OWN_TAGS, *TAGS}, what


def test_a_shape_that_oci_has_none_of_gives_way_to_the_next(
    cloud: MockedCloud, tmp_path: Path
) -> None:
    cloud.capacity.exhaust("VM.GPU.A10.2")
    entries = _run(
        cloud,
        tmp_path,
        "finetune: {fallback_shapes: [BM.GPU.H100.8]}\nmerge: {fallback_shapes: [VM.GPU.A10.1]}\n"
        "serving: {fallback_shapes: [BM.GPU.A10.4]}\n",
    )

    assert {step: (entry.definition, entry.shape, entry.replicas) for step, entry in entries.items()
            if entry.definition.count("fallback")} == {
        "finetune": ("finetune.fallback-1.yaml", "BM.GPU.H100.8", 1),
        "merge": ("merge.fallback-1.yaml", "VM.GPU.A10.1", 1),
        "deploy": ("deployment.fallback-1.yaml", "BM.GPU.A10.4", 1),
    }  # fmt: skip
    run = workbench.science(cloud).get_job_run(entries["finetune"].ids["job_run"]).data
    assert run.lifecycle_state == "SUCCEEDED"
    job = workbench.science(cloud).get_job(entries["finetune"].ids["job"]).data
    assert job.job_infrastructure_configuration_details.shape_name == "BM.GPU.H100.8"
    command = job.job_configuration_details.environment_variables["OCI__LAUNCH_CMD"]
    # 48 rows a step, as 6 x 2 GPUs with 4 each would have taken: the same training.
    assert "--batch-size 3 --gradient-accumulation 2" in command
    [step] = [step for step in read_pipeline(tmp_path) if step.name == "finetune"]
    assert f"--checkpoints {step.checkpoints.rstrip('/')} " in command
