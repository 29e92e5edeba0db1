"""A run from start to end: read, build, ask, resume, train, ask again, write."""

from __future__ import annotations

import hashlib
import platform
import shutil
import uuid
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from . import data, generate, outputs
from .batches import Feed
from .checkpoints import JOURNAL, Checkpoints
from .data import Split
from .errors import SharedUsageError
from .metrics import Journal
from .model import Trained, build
from .options import Options
from .packing import Order, one_each, pack
from .parallel import World
from .stopping import StopSign
from .stores import Store
from .training import Training

LIBRARIES = ("torch", "transformers", "peft", "accelerate", "safetensors")
# What a checkpoint's run must have in common with the one that goes on from it.
_SAME: tuple[str, ...] = (
    "method",
    "max_length",
    "packing",
    "learning_rate",
    "schedule",
    "warmup_ratio",
)
_SAME += ("weight_decay", "max_grad_norm", "seed", "precision")
_SAME_LORA = ("lora_rank", "lora_alpha", "lora_dropout", "lora_targets")


@dataclass(frozen=True)
class Task:
    """What has been read before the ranks meet."""

    options: Options
    tokenizer: Any
    train: Split
    validation: Split | None
    store: Store | None

    @property
    def validation_rows(self) -> list[dict[str, str]]:
        path = self.options.data / "validation.jsonl"
        return data.read_rows(path) if self.validation else []


def run(task: Task, world: World, stop: StopSign) -> None:
    """The whole run, on every rank.

    Raises:
        Stopped: it was told to; a checkpoint was saved if there is a place for one.
        SharedUsageError: the ranks disagree about data, or the checkpoint is another run's.
    """
    scratch = task.options.scratch / world.from_first(f"sft-{uuid.uuid4().hex[:12]}")
    scratch.mkdir(exist_ok=True)
    try:
        _run(task, world, stop, scratch)
    finally:
        if world.first_on_node:
            shutil.rmtree(scratch, ignore_errors=True)


def _run(task: Task, world: World, stop: StopSign, scratch: Path) -> None:
    options = task.options
    journal = Journal(scratch / JOURNAL, world.first)
    feed = _feed(task.train, options, world, options.seed)
    total = options.max_steps or options.epochs * feed.order.steps_per_epoch
    fingerprint = _fingerprint(task, feed.order, total)
    _agree(fingerprint, world)
    base, commit = outputs.base_model(options.model)
    journal.event(
        "start",
        base_model=base,
        method=options.method,
        ranks=world.size,
        nodes=len(set(world.gather(world.node))),
        steps=total,
        examples=len(task.train.documents),
        too_long=task.train.too_long,
        rows=len(feed.order.rows),
        global_batch=feed.order.global_batch,
    )
    trained = build(options, task.tokenizer, world)
    journal.event(
        "model",
        parameters=sum(one.numel() for one in trained.module.parameters()),
        trainable=sum(one.numel() for one in trained.trainable()),
        precision=str(trained.compute).removeprefix("torch."),
        attention=trained.kernel,
        device=world.device.type,
    )
    sampled = task.validation_rows[: options.samples]
    before = generate.summaries(trained, sampled, options.sample_tokens, world)
    checkpoints = None
    if task.store is not None:
        checkpoints = Checkpoints(task.store, scratch, world, fingerprint, journal, options.keep)
    training = Training(
        options=options,
        world=world,
        trained=trained,
        feed=feed,
        validation=_feed(task.validation, options, world, 0) if task.validation else None,
        total_steps=total,
        journal=journal,
        checkpoints=checkpoints,
    )
    resumed = _resume(training)
    training.run(stop)
    after = generate.summaries(trained, sampled, options.sample_tokens, world)
    summary = {
        "base_model": base,
        "base_model_commit": commit,
        "method": options.method,
        "options": options.as_json(),
        "data": {
            "train": _about(task.train),
            "validation": _about(task.validation) if task.validation else None,
        },
        "steps": training.step,
        "epochs": round(training.step / feed.order.steps_per_epoch, 3),
        "ranks": world.size,
        "global_batch": feed.order.global_batch,
        "resumed_from_step": resumed,
        "loss": {"train": training.train_loss, "eval": training.eval_loss},
        "tokens_per_second": round(training.tokens / max(1e-9, training.seconds), 1),
        "precision": str(trained.compute).removeprefix("torch."),
        "attention": trained.kernel,
        "versions": {
            "python": platform.python_version(),
            **{name: version(name) for name in LIBRARIES},
        },
        "samples": [
            {"dialogue": row["dialogue"], "summary": row["summary"], "before": one, "after": other}
            for row, one, other in zip(sampled, before, after, strict=True)
        ],
    }
    _write(training, trained, summary, scratch)


def _feed(split: Split, options: Options, world: World, seed: int) -> Feed:
    lengths = [len(document) for document in split.documents]
    rows = pack(lengths, options.max_length) if options.packing else one_each(lengths)
    order = Order(
        rows=tuple(rows),
        row_lengths=tuple(sum(lengths[index] for index in row) for row in rows),
        global_batch=options.batch_size * world.size * options.gradient_accumulation,
        seed=seed,
    )
    fill = options.batch_size * options.max_length if options.packing else 0
    return Feed(
        documents=split.documents,
        order=order,
        rank=world.rank,
        world=world.size,
        passes=options.gradient_accumulation,
        fill_to=fill if world.device.type == "cuda" else 0,  # a CPU would only compute more
        device=world.device,
    )


def _fingerprint(task: Task, order: Order, total: int) -> dict[str, Any]:
    options = task.options
    names = _SAME + (_SAME_LORA if options.method == "lora" else ())
    config = (options.model / "config.json").read_bytes()
    given = options.as_json()
    return {
        "model": hashlib.sha256(config).hexdigest()[:16],
        "data": task.train.sha256[:16],
        "steps": total,
        "global_batch": order.global_batch,
        **{name: list(given[name]) if isinstance(given[name], tuple) else given[name]
           for name in names},
    }  # fmt: skip


def _agree(fingerprint: dict[str, Any], world: World) -> None:
    """All ranks must have read the same.

    Raises:
        SharedUsageError: names the first rank that differs from rank 0, and in what.
    """
    everyone = world.gather(fingerprint)
    for rank, other in enumerate(everyone):
        names = [name for name, value in everyone[0].items() if other.get(name) != value]
        if names:
            raise SharedUsageError(
                f"rank {rank} differs from rank 0 in {', '.join(names)}: all nodes need the same "
                "command, and the same files at --model and --data"
            )


def _resume(training: Training) -> int | None:
    """Go on from the newest whole checkpoint; how many steps it had done."""
    checkpoints = training.checkpoints
    if checkpoints is None:
        return None
    if not training.options.resume:
        checkpoints.forget()
        return None
    marker = checkpoints.resume(training.trained.module, training.optimizer)
    if marker is None:
        return None
    training.restore(marker.step, marker.progress)
    journal = training.journal
    if journal.speaks:
        journal.begin_with(checkpoints.journal_of(marker))
    journal.event(
        "resumed",
        step=marker.step,
        uri=checkpoints.store.uri(marker.folder),
        ranks_then=marker.world,
    )
    return marker.step


def _about(split: Split) -> dict[str, Any]:
    return {
        "examples": len(split.documents),
        "too_long": split.too_long,
        "tokens": sum(len(document) for document in split.documents),
        "sha256": split.sha256,
    }


def _write(training: Training, trained: Trained, summary: dict[str, Any], scratch: Path) -> None:
    world, output = training.world, training.options.output
    result = scratch / "output"
    if trained.lora is None:
        outputs.save_full(trained, result, world)
    else:
        outputs.save_adapter(trained, summary["base_model"], result, world)
    if world.first:
        outputs.clear(output)
    world.barrier()
    outputs.copy_own(result, output, world)
    world.barrier()
    training.journal.event("finished", step=training.step, output=str(output))
    if world.first:
        shutil.copyfile(training.journal.path, output / JOURNAL)
        outputs.write_summary(summary, output)
