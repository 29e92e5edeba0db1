"""recipes.sft's own arithmetic against PyTorch's: loss, attention, shares of weights, rates."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from jobs.recipes.sft import attention, loss
from jobs.recipes.sft.attention import Borders, by_document
from jobs.recipes.sft.generate import layers_in
from jobs.recipes.sft.options import Options, parse
from jobs.recipes.sft.training import learning_rate
from jobs.recipes.sft.weights import Share
from tests.recipes import tiny


@pytest.mark.parametrize("count", [0, 1, 7, 8, 21])
def test_the_loss_and_its_gradients_are_those_of_cross_entropy(
    monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    monkeypatch.setattr(loss, "CHUNK", 8)
    torch.manual_seed(0)
    hidden = torch.randn(count, 12, requires_grad=True)
    weight = torch.randn(30, 12, requires_grad=True)
    targets = torch.randint(0, 30, (count,))
    scale, outer = 0.125, 3.0
    wanted = torch.nn.functional.cross_entropy(hidden @ weight.T, targets, reduction="sum") * scale
    found = loss.target_loss(hidden, weight, targets, scale)
    torch.testing.assert_close(found, wanted)
    for mine, theirs in zip(
        torch.autograd.grad(found * outer, (hidden, weight)),
        torch.autograd.grad(wanted * outer, (hidden, weight)),
        strict=True,
    ):
        torch.testing.assert_close(mine, theirs)
    with torch.no_grad():
        torch.testing.assert_close(loss.target_loss(hidden, weight, targets, scale), wanted)


def test_a_frozen_output_layer_gets_no_gradient() -> None:
    hidden = torch.randn(4, 12, requires_grad=True)
    weight = torch.randn(30, 12)
    loss.target_loss(hidden, weight, torch.tensor([1, 2, 3, 4]), 1.0).backward()
    assert hidden.grad is not None
    assert weight.grad is None


def test_logits_are_never_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """No tensor of the computation has more than a chunk of places by all words."""
    monkeypatch.setattr(loss, "CHUNK", 8)
    largest = 0

    class Watch(torch.utils._python_dispatch.TorchDispatchMode):  # type: ignore[misc]
        def __torch_dispatch__(
            self, func: Any, _types: Any, args: Any = (), kwargs: Any = None
        ) -> Any:
            nonlocal largest
            out = func(*args, **(kwargs or {}))
            for one in out if isinstance(out, tuple) else (out,):
                if isinstance(one, torch.Tensor) and one.shape[-1:] == (997,):
                    largest = max(largest, one.numel())
            return out

    hidden = torch.randn(64, 4, requires_grad=True)
    with Watch():
        loss.target_loss(hidden, torch.randn(997, 4), torch.arange(64), 1.0).backward()
    assert largest == 8 * 997


def test_attention_stays_within_its_document() -> None:
    """Against plain attention with a mask of blocks, for outputs and gradients, with grouped
    key-value heads."""
    torch.manual_seed(0)
    places = (0, 3, 4, 11)
    q, k, v = (torch.randn(11, heads, 8, requires_grad=True) for heads in (4, 2, 2))
    document = torch.bucketize(torch.arange(11), torch.tensor(places[1:]), right=True)
    mask = (document[:, None] == document) & torch.ones(11, 11).tril().bool()
    k4, v4 = (x.repeat_interleave(2, 1) for x in (k, v))
    scores = torch.einsum("qhd,khd->hqk", q, k4) * 0.3
    wanted = torch.einsum("hqk,khd->qhd", scores.masked_fill(~mask, -math.inf).softmax(-1), v4)
    borders = Borders(torch.tensor(places, dtype=torch.int32), places, 7)
    found = by_document(q, k, v, borders, 0.3)
    torch.testing.assert_close(found, wanted)
    for mine, theirs in zip(
        torch.autograd.grad(found.square().sum(), (q, k, v)),
        torch.autograd.grad(wanted.square().sum(), (q, k, v)),
        strict=True,
    ):
        torch.testing.assert_close(mine, theirs)


def test_kernels_get_queries_keys_and_values_of_one_type() -> None:
    """Under autocast with fp32 weights the first two come in fp32: kernels for GPUs refuse that."""
    from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

    types = []

    def kernel(q: Any, k: Any, v: Any, _borders: Borders, _scale: float) -> Any:
        types.extend([q.dtype, k.dtype, v.dtype])
        return v

    attention.install(kernel)
    q, k = torch.zeros(2, 1, 4, 3, 8)
    ALL_ATTENTION_FUNCTIONS[attention.NAME](None, q, k, q.bfloat16(), None, borders=None)
    assert types == [torch.bfloat16] * 3


GB = 10**9


@pytest.mark.parametrize(
    ("free", "kept"),
    [
        (24 * GB, 32),  # all of it
        (18 * GB, 32),
        (9 * GB, 13),  # beside the optimizer's state: a part
        (1 * GB, 0),
    ],
)
def test_as_many_layers_stay_gathered_for_the_samples_as_fit(free: int, kept: int) -> None:
    """Llama-2-7b in bf16: 32 layers of 0.405 GB, and 0.52 GB of embeddings."""
    whole, layer = 13_476_839_424, 404_766_720
    assert layers_in(free, whole, layer, 32) == kept


def _as_one_document(q: Any, k: Any, v: Any, borders: Borders, scale: float) -> Any:
    whole = Borders(borders.tensor, (0, borders.places[-1]), borders.places[-1])
    return by_document(q, k, v, whole, scale)


def _missing(q: Any, k: Any, v: Any, borders: Borders, scale: float) -> Any:
    raise RuntimeError("no kernel for this GPU")


@pytest.mark.parametrize(
    ("kernel", "taken"), [(by_document, True), (_as_one_document, False), (_missing, False)]
)
def test_a_kernel_is_taken_if_it_proves_itself(kernel: Any, taken: bool) -> None:
    cpu = torch.device("cpu")
    assert attention._proves_itself(kernel, cpu, torch.float32, 4, 2, 32) is taken


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8])
@pytest.mark.parametrize("rows", [1, 2, 7, 8, 9, 64])
def test_shares_are_those_of_fsdp(rows: int, size: int) -> None:
    tensor = torch.arange(rows)
    chunks = [chunk.tolist() for chunk in tensor.chunk(size)]
    chunks += [[]] * (size - len(chunks))
    assert [tensor[Share(rank, size).rows(rows)].tolist() for rank in range(size)] == chunks


@pytest.fixture
def options(tmp_path: Path) -> Options:
    (tmp_path / "config.json").touch()
    tiny.write_dialogues(tmp_path, [], [])
    place = str(tmp_path)
    return parse(["--model", place, "--data", place, "--output", place, "--scratch", place])


def test_the_rate_rises_then_falls(options: Options) -> None:
    told = replace(options, learning_rate=1.0, warmup_ratio=0.2)
    rates = {
        schedule: [learning_rate(replace(told, schedule=schedule), step, 10) for step in range(10)]
        for schedule in ("constant", "linear", "cosine")
    }
    for values in rates.values():
        assert values[:3] == [0.5, 1.0, 1.0]
    assert rates["constant"][9] == 1.0
    assert rates["linear"][6] == pytest.approx(0.5)
    assert rates["cosine"][6] == pytest.approx(0.5)
    assert rates["cosine"][9] == pytest.approx((1 + math.cos(math.pi * 7 / 8)) / 2)
