"""Reading definitions: what runs on what, where, with which arguments."""

from __future__ import annotations

import pytest

from jobs import ocid
from jobs.definitions import bucket_path
from jobs.errors import DefinitionError
from tests.jobs.samples import definition


def test_a_job_says_what_it_runs_on() -> None:
    finetune = definition("finetune")
    assert (finetune.shape, finetune.replicas) == ("VM.GPU.A10.2", 6)
    assert finetune.region == "eu-frankfurt-1"
    assert finetune.title == "LLAMA2-Fine-Tuning-lora-samsum-13b"
    assert finetune.env["SAMSUM_PATH"] == "/mnt/data"
    assert finetune.mount("base") == "oci://demo-bucket@ocimock/base/llama2-13b/"
    assert finetune.mount("merged") is None
    assert definition("stage").machine == {
        "shape": "VM.Standard.E4.Flex",
        "replicas": 1,
        "ocpus": 4.0,
        "memory_gb": 64.0,
    }


def test_a_deployment_counts_its_instances() -> None:
    assert definition("deployment", **{"replica: 1": "replica: 2"}).replicas == 2


def test_arguments_are_read_as_the_shell_will() -> None:
    full = definition(
        "finetune",
        **{
            "--model_name /mnt/base": "--model_name $MODEL_NAME",
            "--num_epochs 3": "--num_epochs=5",
            "name: LD_LIBRARY_PATH\n        value: /usr/local/nvidia/lib:/opt/conda/lib": (
                "name: MODEL_NAME\n        value: meta-llama/Llama-2-7b-hf"
            ),
        },
    )
    assert full.argument("--model_name") == "meta-llama/Llama-2-7b-hf"
    assert full.argument("--num_epochs") == "5"
    assert full.argument("--peft_method") == "lora"
    assert full.argument("--nothing") is None


def test_the_digest_changes_with_the_text() -> None:
    before = definition("finetune")
    assert before.digest == definition("finetune").digest
    assert before.digest != definition("finetune", **{"replicas: 6": "replicas: 5"}).digest


@pytest.mark.parametrize(
    ("uri", "parts"),
    [
        ("oci://b@n/merged/", ("n", "b", "merged/")),
        ("oci://b@n/a/b/c/", ("n", "b", "a/b/c/")),
        ("oci://b@n", ("n", "b", "")),
    ],
)
def test_places_in_buckets(uri: str, parts: tuple[str, str, str]) -> None:
    assert bucket_path(uri) == parts


def test_what_is_no_place_in_a_bucket() -> None:
    with pytest.raises(DefinitionError, match="no place in a bucket"):
        bucket_path("s3://b/x")


@pytest.mark.parametrize(
    ("given", "region"),
    [
        ("ocid1.datasciencejob.oc1.eu-frankfurt-1.aaaa", "eu-frankfurt-1"),
        ("ocid1.datasciencejob.oc1.iad.aaaa", "iad"),
        ("ocid1.compartment.oc1..aaaa", ""),
        ("nonsense", ""),
    ],
)
def test_an_ocid_says_where(given: str, region: str) -> None:
    assert ocid.region(given) == region
