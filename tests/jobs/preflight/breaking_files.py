"""What breaks in the tenancy file and in what its jobs fetch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.e2e.administrator import IMAGE
from tests.jobs.preflight.whole import STRANGER, TOKEN, Whole, git_repository

Mend = Callable[[str], None]

_NOWHERE = "ocid1.compartment.oc1..aaaaaaaaofanothertenancy"


def in_a_region_without_subscription(made: Whole) -> Mend:
    made.edit("pipeline.yaml", "region: eu-frankfurt-1", "region: eu-amsterdam-1")
    return lambda _remedy: made.emit()


def in_no_compartment(made: Whole) -> Mend:
    for path in made.folder.glob("*.yaml"):
        if made.cloud.compartment_id in path.read_text(encoding="utf-8"):
            made.edit(path.name, made.cloud.compartment_id, _NOWHERE)
    return lambda _remedy: made.emit()


def token_of_a_stranger(made: Whole) -> Mend:
    """Of an account that has not accepted the licence."""
    made.set_token(STRANGER)
    return lambda _remedy: made.set_token(TOKEN)


def wrong_revision(made: Whole) -> Mend:
    return _emitted(made, model_revision="no-such-branch")


def wrong_commit(made: Whole) -> Mend:
    """The tutorial's recipe, whose code is a commit."""
    url, commit = git_repository(made.home / "code" / made.cloud.namespace)
    recipe = {"recipe": "llama-recipes", "conda": "pytorch28_p311_gpu_x86_64_v1"}

    def at(told: str) -> None:
        made.emit(finetune=recipe)
        _own_code(made, url, told)

    at("deadbeef" * 5)
    return lambda _remedy: at(commit)


def torch_without_wheels(made: Whole) -> Mend:
    """What the tutorial's present page pairs: PyTorch 2.1.0 and an environment of Python 3.12."""
    made.edit("finetune.yaml", "transformers==", "torch==2.1.0 transformers==")
    return lambda _remedy: made.emit()


def unpushed_image(made: Whole) -> Mend:
    return _emitted(made, serving={"image": IMAGE.replace(":1", ":2")})


def too_large_a_training(made: Whole) -> Mend:
    return _emitted(made, finetune={"method": "full", "replicas": 1})


def too_small_a_deployment(made: Whole) -> Mend:
    return _emitted(made, serving={"shape": "VM.GPU.A10.1"})


def too_small_a_disk(made: Whole) -> Mend:
    return _emitted(made, merge={"block_storage_gb": 50})


def too_short_a_runtime(made: Whole) -> Mend:
    return _emitted(made, finetune={"max_runtime_minutes": 30})


def too_small_a_budget(made: Whole) -> Mend:
    return _emitted(made, pipeline={"spending_limit": 100.0})


def _emitted(made: Whole, **changes: Any) -> Mend:
    made.emit(**changes)
    return lambda _remedy: made.emit()


def _own_code(made: Whole, url: str, commit: str) -> None:
    from infra.llama_recipes import GIT_COMMIT, GIT_URL

    made.edit("finetune.yaml", GIT_URL, url)
    made.edit("finetune.yaml", GIT_COMMIT, commit)
    # The list's own index is not on loopback.
    made.edit("finetune.yaml", "--extra-index-url https://download.pytorch.org/whl/cu118 ", "")
