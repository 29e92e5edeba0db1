"""The recipes' own parsers take every command that the definitions emit."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from infra import sft
from infra.places import Places
from infra.plan import plan_for
from infra.tenancy import load
from infra.tenancy.schema import OF_SFT_ALONE
from jobs.recipes.merge.__main__ import parse as parse_merge
from jobs.recipes.sft.options import _parser as sft_parser
from jobs.recipes.stage.__main__ import _check as check_stage
from jobs.recipes.stage.__main__ import _parser as stage_parser
from tests.infra.synthesis import OCIDS

PLACES = Places(
    project_id="p",
    subnet_id="s",
    log_group_id="g",
    job_log_id="j",
    predict_log_id="p",
    access_log_id="a",
    bucket="b",
    namespace="n",
    vault_id="v",
)

TENANCIES = {
    "defaults": "",
    "7b": "model: 7b\n",
    "steps": "finetune: {max_steps: 40, packing: false, precision: fp32, learning_rate: 1e-5}\n",
    "revisions": "model_revision: v1\ndataset_revision: refs/pr/1\n",
    "more words": "stage: {extra_args: [--dialogue-column, talk]}\n"
    "finetune: {extra_args: [--log-every=2]}\nmerge: {extra_args: [--skip-smoke-test]}\n",
}


def commands(file: Path) -> tuple[list[str], list[str], list[str]]:
    """The arguments of stage, sft and merge."""
    tenancy = load(file)
    plan = plan_for(tenancy)
    return (
        shlex.split(sft.stage_command(tenancy, plan, PLACES))[3:],
        shlex.split(sft.finetune_command(tenancy.finetune, plan, PLACES))[3:],
        shlex.split(sft.merge_command(tenancy.merge, plan))[3:],
    )


@pytest.fixture
def file(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str) -> Path:
        written = tmp_path / "test.yaml"
        written.write_text(OCIDS + text)
        return written

    return write


@pytest.mark.parametrize("text", TENANCIES.values(), ids=TENANCIES)
def test_every_command_is_understood(text: str, file: Callable[[str], Path]) -> None:
    stage, finetune, merge = commands(file(text))

    staged = stage_parser().parse_args(stage)
    check_stage(stage_parser(), staged)
    assert staged.model_to.startswith("oci://b@n/base/")
    assert staged.dataset_to == "oci://b@n/data/samsum"
    assert sft_parser().parse_args(finetune).checkpoints.startswith("oci://b@n/checkpoints/")
    assert parse_merge(merge).output == Path("/mnt/merged")


def test_what_the_tenancy_says_arrives(file: Callable[[str], Path]) -> None:
    wished: dict[str, object] = {
        "max_steps": 7,
        "gradient_accumulation": 2,
        "max_length": 64,
        "packing": False,
        "gradient_checkpointing": False,
        "precision": "fp32",
        "checkpoint_every": 3,
        "learning_rate": 0.5,
        "seed": 9,
    }
    assert tuple(wished) == OF_SFT_ALONE
    lines = [f"  {name}: {str(value).lower()}" for name, value in wished.items()]
    _, finetune, _ = commands(file("\n".join(["finetune:", *lines, ""])))

    options = vars(sft_parser().parse_args(finetune))
    assert {name: options[name] for name in wished} == wished
