"""Deleting what a run left in the bucket: all of that, and nothing else."""

from __future__ import annotations

from pathlib import Path

from jobs import weights
from jobs.definitions import Definition, bucket_path
from ocimock import MockedCloud
from tests.jobs.workbench import BUCKET, Workbench, storage


def _prefixes(bench: Workbench) -> list[str]:
    return [bucket_path(uri)[2] for uri in weights.folders(bench.definitions())]


def test_the_folders_are_those_that_the_jobs_write_to(bench: Workbench) -> None:
    found = weights.folders(bench.definitions())
    artifact = bench.definitions()["model"].content["spec"]["artifact"]
    assert artifact in found
    assert all(uri.startswith(f"oci://{BUCKET}@") for uri in found)
    assert {bucket_path(uri)[2] for uri in found} == {"outputs/", "merged/"}


def test_checkpoints_go_too_but_what_was_staged_only_when_asked_for(
    bench: Workbench, tmp_path: Path
) -> None:
    tenancy = tmp_path / "demo.yaml"
    tenancy.write_text(
        "tenancy_ocid: ocid1.tenancy.oc1..aaaaaaaaocimocktenancy\n"
        "compartment_ocid: ocid1.compartment.oc1..aaaaaaaaocimockcompartment\n"
    )
    emitted = {
        Path(name).stem: Definition(Path(name).stem, Path(name), text)
        for name, text in bench.emitted(tenancy).items()
    }

    def prefixes(*, staged: bool) -> list[str]:
        return [bucket_path(uri)[2] for uri in weights.folders(emitted, staged=staged)]

    made = [f"{folder}llama2-ft-lora-13b/" for folder in ("", "merged/", "checkpoints/")]
    assert prefixes(staged=False) == made
    assert prefixes(staged=True) == [*made, "base/llama2-13b/", "data/samsum/"]


def test_every_version_goes_and_the_rest_stays(cloud: MockedCloud, bench: Workbench) -> None:
    client = storage(cloud)
    for prefix in _prefixes(bench):
        for content in (b"first", b"second"):
            client.put_object(cloud.namespace, BUCKET, f"{prefix}weights.bin", content)
    client.delete_object(cloud.namespace, BUCKET, f"{_prefixes(bench)[0]}weights.bin")
    client.put_object(cloud.namespace, BUCKET, "definitions/finetune.yaml", b"kept")
    for leftovers in weights.find(bench.definitions()):
        weights.delete(leftovers)
    assert weights.find(bench.definitions()) == []
    kept = client.list_object_versions(cloud.namespace, BUCKET).data.items
    assert [each.name for each in kept] == ["definitions/finetune.yaml"]


def test_nothing_there_is_nothing_to_delete(bench: Workbench) -> None:
    assert weights.find(bench.definitions()) == []
