"""What torch really allocates while ``recipes.sft`` trains a small Llama.

Every allocation and release of torch's CPU allocator is an event of its profiler; the weights were
there before it began and are added. gloo's own scratch is left out: it is allocated inside of its
collectives, released by its threads, and NCCL has no such copies. On a GPU torch counts by itself.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import random
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from sizing import memory_sft
from sizing.training import Training
from tests.recipes.ranks import PRELOADED

CHUNK = 128
"""Tokens of a chunk of the loss here, for both sides: batches are small, and have several."""

STEPS = 2  # the first has no optimizer's state yet
# cuBLAS has torch allocate a workspace of some MB for it, as large as a term of a small model.
_NO_WORKSPACE = {"CUBLAS_WORKSPACE_CONFIG": ":0:0"}
_LIMIT = 120.0  # seconds after which a rank counts as hanging


@dataclass(frozen=True)
class Small:
    """A Llama of a few megabytes, of which each term of the formula is some."""

    hidden: int = 128
    inner: int = 352
    layers: int = 6
    heads: int = 4
    key_value_heads: int = 4
    vocabulary: int = 2048
    tied: bool = False


def write(folder: Path, small: Small) -> Path:
    """Its files, as Hugging Face keeps them."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=small.vocabulary,
        hidden_size=small.hidden,
        intermediate_size=small.inner,
        num_hidden_layers=small.layers,
        num_attention_heads=small.heads,
        num_key_value_heads=small.key_value_heads,
        max_position_embeddings=2048,
        tie_word_embeddings=small.tied,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        LlamaForCausalLM(config).save_pretrained(folder)
    (folder / "train.jsonl").touch()
    return folder


def most(folder: Path, training: Training, world: Any) -> int:
    """Bytes that one rank holds at most in two steps of *training*."""
    with mock.patch("jobs.recipes.sft.loss.CHUNK", CHUNK):
        run = _run(folder, training, world)
        return _most_on_gpu(run) if world.device.type == "cuda" else _most_on_cpu(run)


def _most_on_cpu(run: Any) -> int:
    from torch.profiler import ProfilerActivity, profile

    weights = _bytes_of(run.trained.module.parameters())
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
        _train(run)
    return weights + _peak(profiler)


def _most_on_gpu(run: Any) -> int:
    import torch

    torch.cuda.reset_peak_memory_stats()
    _train(run)
    torch.cuda.synchronize()
    return int(torch.cuda.max_memory_allocated())


def _train(run: Any) -> None:
    for _ in range(STEPS):
        run._train_step()
        run.step += 1


def _run(folder: Path, training: Training, world: Any) -> Any:
    from jobs.recipes.sft import batches, data, model, packing
    from jobs.recipes.sft.options import parse
    from jobs.recipes.sft.training import Training as Run

    place = str(folder)
    words = ["--model", place, "--data", place, "--output", place, "--scratch", place]
    words += ["--method", training.method, "--precision", training.precision]
    words += ["--batch-size", str(training.batch_size), "--max-length", str(training.max_length)]
    words += ["--gradient-accumulation", str(training.accumulation)]
    words += ["--lora-rank", str(training.lora_rank)]
    words += ["--lora-targets", ",".join(training.lora_targets)]
    words += [
        "--gradient-checkpointing" if training.checkpointing else "--no-gradient-checkpointing"
    ]
    options = parse(words)
    trained = model.build(options, None, world)
    batch = training.batch_size * world.size * training.accumulation
    draw, length = random.Random(0), training.max_length
    documents = tuple(
        data.Document(tuple(draw.choices(range(trained.module.config.vocab_size), k=length)), 1)
        for _ in range(batch * STEPS)
    )
    order = packing.Order(
        rows=tuple((index,) for index in range(len(documents))),
        row_lengths=(length,) * len(documents),
        global_batch=batch,
        seed=0,
    )
    passes = training.accumulation
    feed = batches.Feed(documents, order, world.rank, world.size, passes, 0, world.device)
    return Run(options, world, trained, feed, None, STEPS, mock.Mock(), None)


def _bytes_of(parameters: Iterator[Any]) -> int:
    """Of this rank's part of each. On a CPU its storage may be the file's whole tensor, mapped."""
    local = (one.to_local() if hasattr(one, "to_local") else one for one in parameters)
    return sum(one.numel() * one.element_size() for one in local)


def _peak(profiler: Any) -> int:
    from torch._C._profiler import _EventType
    from torch.profiler._utils import traverse_dfs

    tree = traverse_dfs(profiler.profiler.kineto_results.experimental_event_tree())
    events = sorted(
        (event for event in tree if event.tag == _EventType.Allocation),
        key=lambda event: event.start_time_ns,
    )
    live: dict[int, int] = {}
    held = peak = 0
    for event in events:
        place, size = event.extra_fields.ptr, event.extra_fields.alloc_size
        # A place given out again was released by a thread that the profiler does not watch.
        held -= live.pop(place, 0)
        if size > 0 and not _of_a_collective(event):
            live[place] = size
            held += size
        peak = max(peak, held)
    return peak


def _of_a_collective(event: Any) -> bool:
    parent = event.parent
    while parent is not None:
        if parent.name.startswith("c10d::"):
            return True
        parent = parent.parent
    return False


def most_of_ranks(
    folder: Path, cases: dict[str, Training], size: int = 2, *, cuda: bool = False
) -> dict[str, int]:
    """The same for rank 0 of *size*, which share each training by FSDP; with *cuda* on GPUs, of
    which each rank has one, else on the CPU whatever GPUs there are.

    Raises:
        AssertionError: a rank hangs or fails.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    ours, theirs = context.Pipe(duplex=False)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    ranks = [
        context.Process(
            target=_rank, args=(_named(rank, size, port, cuda), folder, cases, theirs), daemon=True
        )
        for rank in range(size)
    ]
    for process in ranks:
        process.start()
    try:
        assert ours.poll(_LIMIT), "the ranks say nothing"
        found: dict[str, int] = ours.recv()
    finally:
        for process in ranks:
            process.join(5)
            process.kill()
    return found


def _named(rank: int, size: int, port: int, cuda: bool) -> dict[str, str]:
    """A rank's environment, as torchrun makes it."""
    return {
        **{"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(size)},
        **{"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)},
        **(_NO_WORKSPACE if cuda else {"CUDA_VISIBLE_DEVICES": ""}),
    }


def _rank(
    environment: dict[str, str], folder: Path, cases: dict[str, Training], answer: Any
) -> None:
    os.environ.update(environment)
    import torch

    from jobs.recipes.sft import parallel

    torch.set_num_threads(1)
    world = parallel.join()
    found = {}
    for name, case in cases.items():
        found[name] = most(folder, case, world)
        gc.collect()  # what one training had in a cycle is not the next one's
    parallel.leave(world)
    if world.first:
        answer.send(found)


def chunked() -> Any:
    """The formula's chunk, as small as the recipe's is here."""
    return mock.patch.object(memory_sft, "LOSS_CHUNK", CHUNK)
