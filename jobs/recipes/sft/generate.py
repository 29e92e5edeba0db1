"""What the model answers, greedily: samples before and after the training."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.distributed as dist

from .data import prompt_of
from .model import Trained
from .parallel import World

ATTENTION = "sdpa"  # the training's own kernel knows no cache


def summaries(
    trained: Trained, rows: list[dict[str, str]], max_tokens: int, world: World
) -> list[str]:
    """The model's summaries of the rows' dialogues; all ranks take part and get the same."""
    if not rows:
        return []
    from transformers import LogitsProcessorList

    tokenizer = trained.tokenizer
    start = [] if tokenizer.bos_token_id is None else [tokenizer.bos_token_id]
    prompts = tokenizer([prompt_of(row) for row in rows], add_special_tokens=False)["input_ids"]
    tokens, mask = _pad_left([start + prompt for prompt in prompts], tokenizer.eos_token_id)
    with trained.asking(), trained.precision(), _for_generation(trained):
        answered = trained.module.generate(
            input_ids=tokens.to(trained.device),
            attention_mask=mask.to(trained.device),
            max_new_tokens=max_tokens,
            do_sample=False,
            num_beams=1,
            temperature=None,
            top_p=None,
            top_k=None,
            use_cache=True,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.eos_token_id,
            logits_processor=LogitsProcessorList([_AsRankZero(world)]),
        )
    if trained.device.type == "cuda":
        torch.cuda.empty_cache()  # what was gathered; the training's tensors are of other sizes
    texts = tokenizer.batch_decode(answered[:, tokens.shape[1] :], skip_special_tokens=True)
    return [text.strip() for text in texts]


class _AsRankZero:
    """Every rank takes rank 0's scores: if ranks chose other tokens, they would end at different
    steps, and wait for one another for ever."""

    def __init__(self, world: World) -> None:
        self._alone = world.size == 1

    def __call__(self, _tokens: Any, scores: Any) -> Any:
        if not self._alone:
            scores = scores.contiguous()
            dist.broadcast(scores, src=0)
        return scores


@contextmanager
def _for_generation(trained: Trained) -> Iterator[None]:
    """The model as it generates: attention with a cache, no checkpoints of activations, and as
    many layers kept gathered from token to token as fit: the others are fetched for each token."""
    config = trained.module.config
    before = config._attn_implementation
    config._attn_implementation = ATTENTION
    layers = list(trained.module.model.layers) if trained.sharded else []
    kept = layers[: _layers_that_fit(trained)] if layers else []
    for layer in kept:
        layer.set_reshard_after_forward(False)
    try:
        yield
    finally:
        config._attn_implementation = before
        for layer in kept:
            layer.set_reshard_after_forward(trained.reshard)


def _layers_that_fit(trained: Trained) -> int:
    """How many gathered layers fit into what is free on every rank's GPU, with room to work."""
    layers = trained.module.model.layers
    if trained.device.type != "cuda":
        return len(layers)
    torch.cuda.empty_cache()  # what PyTorch only keeps for later is not counted as free
    free, _ = torch.cuda.mem_get_info(trained.device)
    whole, layer = (
        sum(one.numel() for one in module.parameters()) * trained.compute.itemsize
        for module in (trained.module, layers[0])
    )
    count = layers_in(free, whole, layer, len(layers))
    fewest = torch.tensor(count, device=trained.device)
    dist.all_reduce(fewest, op=dist.ReduceOp.MIN)
    return int(fewest)


def layers_in(free: int, whole: int, layer: int, count: int) -> int:
    """How many of ``count`` layers of ``layer`` bytes can stay gathered in ``free`` bytes, of
    which a quarter or so is left for the cache of keys and values; the model has ``whole``."""
    room = free / 1.3
    if whole <= room:
        return count
    # What is no layer is gathered anyway; so are the layer that is used and the one after it.
    spare = room - (whole - count * layer) - 2 * layer
    return max(0, min(count, int(spare // layer)))


def _pad_left(prompts: list[list[int]], pad: int) -> tuple[Any, Any]:
    longest = max(len(prompt) for prompt in prompts)
    tokens = [[pad] * (longest - len(prompt)) + prompt for prompt in prompts]
    mask = [[0] * (longest - len(prompt)) + [1] * len(prompt) for prompt in prompts]
    return torch.tensor(tokens), torch.tensor(mask)
