"""Conda environments and images: which can be had."""

from __future__ import annotations

from typing import Any

import oci
import pytest

from jobs.preflight.check import Finding, State
from jobs.preflight.checks.environment import CondaEnvironments
from jobs.preflight.checks.image import Image
from jobs.preflight.environments import Conda, environments, nearest
from jobs.preflight.images import managed, registered
from jobs.preflight.looking import look
from ocimock.inprocess import MockedCloud
from tests.jobs.preflight.subjects import (
    bench_subject,
    findings,
    only,
    runtime,
    subject,
)
from tests.jobs.workbench import BUCKET, Faults, Workbench, storage

GPU = "pytorch28_p312_gpu_x86_64_v1"
REPOSITORY = "demo/vllm"


def conda(slug: str, kind: str = "service") -> dict[str, Any]:
    return {"conda": {"type": kind, "uri" if kind == "published" else "slug": slug}}


# --- conda ----------------------------------------------------------------------------------------


def test_a_deprecated_environment_is_a_warning() -> None:
    """The samples train in the tutorial's."""
    found = findings(CondaEnvironments(), subject())
    [old] = [each for each in found if each.state is State.WARN]
    assert "finetune.yaml: pytorch20_p39_gpu_v2 is deprecated" in old.said
    assert GPU in old.remedy
    assert {each.state for each in found} == {State.WARN, State.PASS}


def test_the_active_environment_passes() -> None:
    found = findings(CondaEnvironments(), subject({"finetune": runtime(**conda(GPU))}))
    assert {each.state for each in found} == {State.PASS}


def test_an_environment_for_cpus_on_gpus_is_a_failure() -> None:
    for slug in ("generalml_p312_cpu_x86_64_v3", "some_p312_cpu_x86_64_v9"):
        looked_at = subject({"finetune": runtime(**conda(slug))})
        failed = [
            each for each in findings(CondaEnvironments(), looked_at) if each.state is State.FAIL
        ]
        assert len(failed) == 1
        assert f"{slug} is for CPUs" in failed[0].said
        assert f"finetune: conda: {GPU}" in failed[0].remedy
    on_cpus = subject({"stage": runtime(**conda("generalml_p312_cpu_x86_64_v3"))})
    assert State.FAIL not in [each.state for each in findings(CondaEnvironments(), on_cpus)]


def test_an_unknown_environment_is_a_warning_with_the_nearest() -> None:
    looked_at = subject({"merge": runtime(**conda("pytorch28_p312_gpu_x86_v1"))})
    [found] = [
        each for each in findings(CondaEnvironments(), looked_at) if "merge.yaml" in each.said
    ]
    assert found.state is State.WARN
    assert f"Did you mean {GPU}?" in found.remedy


def test_a_published_environment_is_looked_for_in_its_bucket(
    bench: Workbench, cloud: MockedCloud
) -> None:
    uri = f"oci://{BUCKET}@ocimock/conda/gpu/mine/1.0/mine_p312_v1"
    looked_at = bench_subject(bench, {"merge": runtime(**conda(uri, "published"))})
    failed = [each for each in findings(CondaEnvironments(), looked_at) if each.state is State.FAIL]
    assert [f"there is no {uri}" in each.said for each in failed] == [True]
    storage(cloud).put_object("ocimock", BUCKET, "conda/gpu/mine/1.0/mine_p312_v1", b"archive")
    again = bench_subject(bench, {"merge": runtime(**conda(uri, "published"))})
    assert State.FAIL not in [each.state for each in findings(CondaEnvironments(), again)]
    assert Conda("published", uri).python == "3.12"


def test_a_published_environment_that_may_not_be_seen_is_a_warning(bench: Workbench) -> None:
    uri = "oci://somebody-elses@ocimock/conda/mine_p312_v1"
    looked_at = bench_subject(bench, {"merge": runtime(**conda(uri, "published"))})
    [answer] = look([CondaEnvironments()], looked_at)
    assert answer.state is State.WARN
    assert any("read objects" in each.remedy for each in answer.findings)


def test_a_published_environment_may_be_in_another_region(bench: Workbench) -> None:
    uri, elsewhere = f"oci://{BUCKET}@ocimock/conda/mine_p312_v1", "us-ashburn-1"
    change = {"conda": {"type": "published", "uri": uri, "region": elsewhere}}
    looked_at = bench_subject(bench, {"merge": runtime(**change)})
    look([CondaEnvironments()], looked_at)
    assert any(elsewhere in name for name in looked_at._kept)


def test_without_a_network_a_published_one_is_not_looked_for() -> None:
    uri = f"oci://{BUCKET}@ocimock/conda/mine_p312_v1"
    looked_at = subject({"merge": runtime(**conda(uri, "published"))}, offline=True)
    assert State.SKIPPED in [each.state for each in findings(CondaEnvironments(), looked_at)]


def test_the_table_of_environments() -> None:
    for slug, each in environments().items():
        assert Conda("service", slug).python == each.python
        assert each.state in ("active", "deprecated")
        assert ("_gpu_" in slug) is each.gpu
    assert Conda("service", "new_p314_cpu_x86_64_v1").python == "3.14"
    assert Conda("service", "mine").python is None
    assert nearest("nothing like it") == ""


# --- the image ------------------------------------------------------------------------------------


def test_a_known_container_of_oracles_passes(bench: Workbench) -> None:
    assert only(Image(), bench_subject(bench)).state is State.PASS


def test_where_oci_does_not_list_its_containers_the_table_is_asked(
    bench: Workbench, faults: Faults
) -> None:
    faults.answer("GET", "/containers", 404)
    assert only(Image(), bench_subject(bench)).state is State.PASS
    image = "dsmc://odsc-vllm-serving:99"
    found = only(Image(), bench_subject(bench, {"deployment": runtime(image=image)}))
    assert found.state is State.WARN
    assert "tag '99' is none" in found.said
    assert "0.11.0" in found.remedy


@pytest.mark.parametrize(
    ("image", "state", "said", "remedy"),
    [
        ("dsmc://odsc-vllm-serving:99", State.FAIL, "no tag '99'", "0.11.0"),
        ("dsmc://odsc-vlm-serving:0.11.0", State.FAIL, "'odsc-vlm-serving'", "odsc-vllm-serving"),
        ("dsmc://odsc-llm-evaluate:1", State.FAIL, "that serves", "odsc-vllm-serving"),
        ("docker.io/vllm/vllm-openai:v1", State.FAIL, "not in OCI's registry", "Push it"),
        ("fra.ocir.io/others/vllm:1", State.WARN, "namespace others", "push it to ocimock"),
    ],
)
def test_images_from_elsewhere(
    bench: Workbench, image: str, state: State, said: str, remedy: str
) -> None:
    found = only(Image(), bench_subject(bench, {"deployment": runtime(image=image)}))
    assert found.state is state
    assert said in found.said
    assert remedy in found.remedy


def test_where_ocis_list_can_not_be_had_the_table_is_asked(
    bench: Workbench, faults: Faults
) -> None:
    """It may be older than OCI's newest tag."""
    faults.answer("GET", "/containers", 404)
    for name, state in (
        ("odsc-vllm-serving:0.11.0", State.PASS),
        ("odsc-vllm-serving:99", State.WARN),
        ("odsc-vlm-serving:0.11.0", State.FAIL),
    ):
        looked_at = bench_subject(bench, {"deployment": runtime(image=f"dsmc://{name}")})
        assert only(Image(), looked_at).state is state


def test_ocis_own_list_of_containers_overrules_the_table(bench: Workbench, faults: Faults) -> None:
    def listed(tag: str) -> dict[str, Any]:
        return {"containerName": "odsc-vllm-serving", "tag": tag, "isLatest": tag == "1.2"}

    faults.answer("GET", "/containers", 200, body=[listed("1.1"), listed("1.2")])
    for tag, state in (("1.1", State.PASS), ("0.11.0", State.FAIL)):
        image = f"dsmc://odsc-vllm-serving:{tag}"
        found = only(Image(), bench_subject(bench, {"deployment": runtime(image=image)}))
        assert found.state is state
    assert "serving: image: dsmc://odsc-vllm-serving:1.2" in found.remedy


@pytest.fixture
def repository(cloud: MockedCloud) -> str:
    details = oci.artifacts.models.CreateContainerRepositoryDetails(
        compartment_id=cloud.compartment_id, display_name=REPOSITORY
    )
    client = oci.artifacts.ArtifactsClient(cloud.config)
    made: str = client.create_container_repository(details).data.id
    return made


def test_an_image_in_the_registry(bench: Workbench, cloud: MockedCloud, repository: str) -> None:
    image = f"fra.ocir.io/ocimock/{REPOSITORY}:1"

    def look(named: str) -> Finding:
        return only(Image(), bench_subject(bench, {"deployment": runtime(image=named)}))

    found = look(image)
    assert found.state is State.FAIL
    assert f"no {REPOSITORY}:1" in found.said
    assert f"docker push {image}" in found.remedy
    cloud.images.push(image)
    assert look(image).state is State.PASS
    assert look(image.replace(":1", ":2")).state is State.FAIL
    assert look(f"{image}@sha256:{'0' * 64}").state is State.FAIL
    [pushed] = cloud.images.shown()
    assert look(f"{image}@{pushed['digest']}").state is State.PASS
    # Another region's registry has images of its own.
    assert look(image.replace("fra.", "iad.")).state is State.FAIL


def test_who_may_not_list_the_registry_is_told_so(bench: Workbench, faults: Faults) -> None:
    faults.answer("GET", "/container/images", 404)
    image = f"fra.ocir.io/ocimock/{REPOSITORY}:1"
    found = only(Image(), bench_subject(bench, {"deployment": runtime(image=image)}))
    assert found.state is State.WARN
    assert "to inspect repos in compartment id" in found.remedy


def test_addresses_of_images() -> None:
    found = registered("ocir.eu-frankfurt-1.oci.oraclecloud.com/ns/a/b")
    assert found is not None
    assert (found.region, found.name) == ("eu-frankfurt-1", "a/b:latest")
    assert registered("vllm/vllm-openai:latest") is None
    assert all(each.tags for each in managed().values() if each.name == "odsc-vllm-serving")
