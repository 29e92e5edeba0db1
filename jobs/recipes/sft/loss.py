"""Cross entropy of the predicted tokens, without the logits of a whole batch in memory.

The logits of a batch of 8,192 tokens over 32,000 words are 1 GB in fp32, and their gradient as
much again. Here only the places that predict something have logits at all, and only a chunk of
them at a time: the chunk's gradient is worked out at once, while its logits are there.
"""

from __future__ import annotations

from typing import Any

import torch

CHUNK = 1024  # places: 131 MB of fp32 logits with 32,000 words


def target_loss(hidden: Any, weight: Any, targets: Any, scale: float) -> Any:
    """``scale`` times the sum of the cross entropies; ``hidden`` is [N, H], ``weight`` [V, H]."""
    if torch.is_grad_enabled():
        return _TargetLoss.apply(hidden, weight, targets, scale)
    total, _, _ = _work_out(hidden, weight, targets, scale, False, False)
    return total


class _TargetLoss(torch.autograd.Function):  # type: ignore[misc]
    @staticmethod
    def forward(ctx: Any, hidden: Any, weight: Any, targets: Any, scale: float) -> Any:
        wants_hidden, wants_weight = ctx.needs_input_grad[:2]
        total, by_hidden, by_weight = _work_out(
            hidden, weight, targets, scale, wants_hidden, wants_weight
        )
        ctx.save_for_backward(by_hidden, by_weight)
        return total

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        by_hidden, by_weight = ctx.saved_tensors
        return (
            None if by_hidden is None else by_hidden * grads[0].to(by_hidden.dtype),
            None if by_weight is None else by_weight * grads[0].to(by_weight.dtype),
            None,
            None,
        )


def _work_out(
    hidden: Any, weight: Any, targets: Any, scale: float, wants_hidden: bool, wants_weight: bool
) -> tuple[Any, Any, Any]:
    """The loss and its gradients by ``hidden`` and ``weight`` (None where not wanted)."""
    words = weight.to(hidden.dtype)
    total = torch.zeros((), dtype=torch.float32, device=hidden.device)
    by_hidden = torch.empty_like(hidden) if wants_hidden else None
    by_weight = torch.zeros_like(weight, dtype=torch.float32) if wants_weight else None
    for start in range(0, len(targets), CHUNK):
        part = slice(start, start + CHUNK)
        logits = (hidden[part] @ words.T).float()
        column = targets[part, None]
        picked = logits.gather(1, column)
        norm = logits.logsumexp(1, keepdim=True)
        total += (norm - picked).sum() * scale
        if by_hidden is None and by_weight is None:
            continue
        slope = logits.sub_(norm).exp_()  # the probabilities, in place of the logits
        slope.scatter_add_(1, column, torch.full_like(picked, -1.0))
        slope = slope.mul_(scale).to(hidden.dtype)
        if by_hidden is not None:
            by_hidden[part] = slope @ words
        if by_weight is not None:
            by_weight += slope.T @ hidden[part]
        del logits, slope  # or they are still there beside the next chunk's
    return total, by_hidden, None if by_weight is None else by_weight.to(weight.dtype)
