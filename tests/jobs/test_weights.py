"""Deleting what a run left in the bucket: all of that, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from jobs import weights
from jobs.auth import sign_in
from jobs.definitions import bucket_path
from ocimock import MockedCloud, mock_oci
from tests.jobs import workbench
from tests.jobs.workbench import BUCKET, Workbench, storage


@pytest.fixture
def cloud() -> Iterator[MockedCloud]:
    with mock_oci() as mocked:
        yield mocked


@pytest.fixture
def bench(cloud: MockedCloud) -> Workbench:
    built = workbench.build(cloud)
    sign_in()
    return built


def _prefixes(bench: Workbench) -> list[str]:
    return [bucket_path(uri)[2] for uri in weights.folders(bench.definitions())]


def test_the_folders_are_those_that_the_jobs_write_to(bench: Workbench) -> None:
    found = weights.folders(bench.definitions())
    artifact = bench.definitions()["model"].content["spec"]["artifact"]
    assert artifact in found
    assert all(uri.startswith(f"oci://{BUCKET}@") for uri in found)
    assert not any("recipes" in uri for uri in found)


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
