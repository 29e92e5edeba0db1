"""``sizing``'s formula of memory against what torch allocates, within a tenth.

On the CPU everywhere, and on GPUs where there are some.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any, Literal
from unittest import mock

import pytest
import torch

from jobs.recipes.sft import loss, parallel
from sizing import memory_sft
from sizing.memory import training_memory
from sizing.models import read_config_file
from sizing.training import Method, Training
from tests.recipes import allocations
from tests.recipes.allocations import Small

PROMISED = 0.10
WITHIN = 0.05  # on a CPU: that it holds with room to spare tells a change early

Precision = Literal["bf16", "fp32"]

LLAMA, GROUPED = "heads of their own keys", "grouped keys, tied embeddings"
# Of some GB: a GPU's kernels take some MB for themselves.
_ON_GPU = Small(hidden=1024, inner=2816, layers=8, heads=16, key_value_heads=16, vocabulary=32000)
_SMALL = {LLAMA: Small(), GROUPED: Small(hidden=192, inner=512, key_value_heads=2, tied=True)}
_BASE = Training(batch_size=2, max_length=192)
_METHODS: tuple[Method, ...] = ("lora", "full")
_PRECISIONS: tuple[Precision, ...] = ("fp32", "bf16")
_CASES = {
    f"{method}, {precision}, {'checkpoints' if checkpointing else 'all kept'}": replace(
        _BASE, method=method, precision=precision, checkpointing=checkpointing
    )
    for method, precision, checkpointing in product(_METHODS, _PRECISIONS, (True, False))
}
_FEW_TARGETS = replace(_BASE, lora_targets=("q_proj", "v_proj"), checkpointing=False)
_TWO_PASSES = replace(_BASE, method="full", accumulation=2)
# Long rows, so that a layer's backward pass holds more than the loss; and short ones.
_MEASURES: tuple[tuple[Method, Precision, int], ...] = (
    ("lora", "bf16", 256),
    ("lora", "fp32", 64),
    ("full", "bf16", 256),
    ("full", "bf16", 32),
)
_SHARED = {
    f"{method}, {precision}, {length}": replace(
        _BASE, method=method, precision=precision, max_length=length
    )
    for method, precision, length in _MEASURES
}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {
        name: allocations.write(tmp_path_factory.mktemp("llama"), small)
        for name, small in _SMALL.items()
    }


@pytest.fixture(scope="module")
def alone() -> Iterator[Any]:
    """A world of this process."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with mock.patch("torch.cuda.is_available", return_value=False):
        world = parallel.join()
    yield world
    parallel.leave(world)
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def shared(folders: dict[str, Path]) -> dict[str, int]:
    return allocations.most_of_ranks(folders[LLAMA], _SHARED)


def expected(
    folder: Path, training: Training, gpus: int, device: Literal["cuda", "cpu"] = "cpu"
) -> float:
    with allocations.chunked():
        found = training_memory(read_config_file(folder), training, gpus, device=device)
    return found.allocated


@pytest.mark.parametrize("case", _CASES)
def test_one_process_allocates_what_the_formula_says(
    folders: dict[str, Path], alone: Any, case: str
) -> None:
    measured = allocations.most(folders[LLAMA], _CASES[case], alone)
    assert expected(folders[LLAMA], _CASES[case], 1) == pytest.approx(measured, rel=WITHIN)


@pytest.mark.parametrize("method", ["lora", "full"])
@pytest.mark.parametrize("checkpointing", [True, False])
def test_so_does_a_model_of_another_build(
    folders: dict[str, Path], alone: Any, method: Any, checkpointing: bool
) -> None:
    training = replace(_BASE, method=method, checkpointing=checkpointing)
    measured = allocations.most(folders[GROUPED], training, alone)
    assert expected(folders[GROUPED], training, 1) == pytest.approx(measured, rel=WITHIN)


@pytest.mark.parametrize("training", [_FEW_TARGETS, _TWO_PASSES], ids=["few targets", "two passes"])
def test_so_does_a_training_with_other_options(
    folders: dict[str, Path], alone: Any, training: Training
) -> None:
    measured = allocations.most(folders[LLAMA], training, alone)
    assert expected(folders[LLAMA], training, 1) == pytest.approx(measured, rel=WITHIN)


@pytest.mark.parametrize("case", _SHARED)
def test_so_do_two_that_share_the_training(
    folders: dict[str, Path], shared: dict[str, int], case: str
) -> None:
    assert expected(folders[LLAMA], _SHARED[case], 2) == pytest.approx(shared[case], rel=WITHIN)


@pytest.mark.parametrize("gpus", [1, 2])
def test_so_do_gpus(tmp_path: Path, gpus: int) -> None:
    if torch.cuda.device_count() < gpus:
        pytest.skip(f"there are {torch.cuda.device_count()} GPUs here, and it takes {gpus}")
    cases = {
        name: replace(case, max_length=1024)
        for name, case in _CASES.items()
        if case.precision == "bf16"
    }
    folder = allocations.write(tmp_path, _ON_GPU)
    measured = allocations.most_of_ranks(folder, cases, gpus, cuda=True)
    figures = {name: expected(folder, case, gpus, "cuda") for name, case in cases.items()}
    assert figures == pytest.approx(measured, rel=PROMISED)


def test_the_formula_knows_the_recipes_chunk() -> None:
    assert memory_sft.LOSS_CHUNK == loss.CHUNK
