"""Attention within each document of a batch, by the fastest kernel that proves itself here.

Three kernels for GPUs know where documents end; which of them exists depends on the versions of
PyTorch and of flash-attn. Each one is tried on a small problem against plain attention, document
by document; the first that gives the same output and gradients is taken.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from torch.nn.functional import scaled_dot_product_attention

from .batches import Batch

NAME = "within_documents"  # what transformers knows it by

# queries [T, heads, width], keys and values [T, key-value heads, width], batch, scale
Kernel = Callable[[Any, Any, Any, "Borders", float], Any]


@dataclass(frozen=True)
class Borders:
    """Where the documents of a batch begin and end."""

    tensor: Any  # int32, on the device
    places: tuple[int, ...]
    longest: int

    @classmethod
    def of(cls, batch: Batch) -> Borders:
        return cls(batch.borders, batch.border_list, batch.longest)


def by_document(q: Any, k: Any, v: Any, borders: Borders, scale: float) -> Any:
    """Plain attention, one document after the other: exact anywhere, the fastest on a CPU."""
    groups = q.shape[1] // k.shape[1]
    parts = []
    for start, end in pairwise(borders.places):
        query, key, value = (x[start:end].transpose(0, 1).unsqueeze(0) for x in (q, k, v))
        out = scaled_dot_product_attention(
            query,
            key.repeat_interleave(groups, 1),
            value.repeat_interleave(groups, 1),
            is_causal=True,
            scale=scale,
        )
        parts.append(out[0].transpose(0, 1))
    return torch.cat(parts)


def choose(
    device: Any, dtype: Any, heads: int, key_value_heads: int, width: int
) -> tuple[str, Kernel]:
    """(name, kernel) for a model of these measures."""
    if device.type != "cuda":
        return "sdpa by document", by_document
    for name, kernel in _gpu_kernels():
        if _proves_itself(kernel, device, dtype, heads, key_value_heads, width):
            return name, kernel
    return "sdpa by document", by_document


def install(kernel: Kernel) -> None:
    """Make ``kernel`` the attention that transformers knows as ``NAME``."""
    from transformers import AttentionInterface

    def attend(
        _module: Any, query: Any, key: Any, value: Any, _mask: Any, **given: Any
    ) -> tuple[Any, None]:
        # transformers: [1, heads, T, width] in, [1, T, heads, width] out
        q, k, v = (x[0].transpose(0, 1) for x in (query, key, value))
        # Under autocast with fp32 weights the rotation leaves queries and keys in fp32, which
        # kernels for GPUs refuse.
        q, k = q.to(v.dtype), k.to(v.dtype)
        scale = given.get("scaling") or q.shape[-1] ** -0.5
        return kernel(q, k, v, given["borders"], scale).unsqueeze(0), None

    AttentionInterface.register(NAME, attend)


def _gpu_kernels() -> Iterator[tuple[str, Kernel]]:
    try:
        from flash_attn import flash_attn_varlen_func  # type: ignore[import-not-found]
    except ImportError:
        pass
    else:

        def flash(q: Any, k: Any, v: Any, at: Borders, scale: float) -> Any:
            return flash_attn_varlen_func(
                q, k, v, at.tensor, at.tensor, at.longest, at.longest,
                softmax_scale=scale, causal=True,
            )  # fmt: skip

        yield "flash-attn", flash

    yield "PyTorch's flash attention", _torch_flash


def _torch_flash(q: Any, k: Any, v: Any, at: Borders, scale: float) -> Any:
    """The kernel under PyTorch's own attention of nested tensors (2.1 and later)."""
    return torch.ops.aten._flash_attention_forward(
        q, k, v, at.tensor, at.tensor, at.longest, at.longest, 0.0, True, False, scale=scale
    )[0]


def _proves_itself(
    kernel: Kernel, device: Any, dtype: Any, heads: int, key_value_heads: int, width: int
) -> bool:
    places = (0, 5, 12, 48)
    borders = Borders(torch.tensor(places, dtype=torch.int32, device=device), places, 36)
    draw = torch.Generator(device).manual_seed(0)

    def made(count: int) -> Any:
        shape = (places[-1], count, width)
        return torch.randn(shape, generator=draw, device=device, dtype=dtype, requires_grad=True)

    inputs = made(heads), made(key_value_heads), made(key_value_heads)
    scale = width**-0.5
    try:
        results = [
            (out, *torch.autograd.grad(out.float().square().sum(), inputs))
            for out in (f(*inputs, borders, scale) for f in (by_document, kernel))
        ]
    except (RuntimeError, TypeError, AttributeError):
        return False  # this build of PyTorch has no such kernel for this GPU, width or type
    pairs = zip(*results, strict=True)
    return all(torch.allclose(a.float(), b.float(), rtol=0.05, atol=0.05) for a, b in pairs)
