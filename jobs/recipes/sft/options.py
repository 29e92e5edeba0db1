"""What a run is told, and whether it makes sense: known before any process group starts."""

from __future__ import annotations

import argparse
import os
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NoReturn

from .errors import UsageError

METHODS = ("lora", "full")
SCHEDULES = ("cosine", "linear", "constant")
PRECISIONS = ("auto", "bf16", "fp32")
LINEAR_LAYERS = "q_proj,k_proj,v_proj,o_proj,gate_proj,up_proj,down_proj"

_BUCKET_URI = re.compile(r"oci://[^/@\s]+@[^/@\s]+(/\S*)?")


@dataclass(frozen=True)
class Options:
    """One run's options; counts are of steps, examples and tokens."""

    model: Path
    data: Path
    output: Path
    checkpoints: str | None
    scratch: Path
    method: str
    epochs: int
    max_steps: int | None
    batch_size: int
    gradient_accumulation: int
    max_length: int
    packing: bool
    gradient_checkpointing: bool
    reshard_after_forward: bool
    compile: bool
    precision: str
    learning_rate: float
    schedule: str
    warmup_ratio: float
    weight_decay: float
    max_grad_norm: float
    lora_rank: int
    lora_alpha: int
    lora_dropout: float
    lora_targets: tuple[str, ...]
    seed: int
    log_every: int
    eval_every: int
    checkpoint_every: int
    keep: int
    resume: bool
    samples: int
    sample_tokens: int

    def as_json(self) -> dict[str, Any]:
        """The options as ``training.json`` and a checkpoint keep them."""
        return {
            name: str(value) if isinstance(value, Path) else value
            for name, value in asdict(self).items()
        }


def parse(arguments: list[str]) -> Options:
    """Options from the command line.

    Raises:
        UsageError: an option is unknown, missing, of the wrong kind or out of range.
    """
    given = vars(_parser().parse_args(arguments))
    given["lora_targets"] = tuple(name for name in given["lora_targets"].split(",") if name)
    options = Options(**given)
    _check_ranges(options)
    _check_places(options)
    return options


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}; --help lists the options")


def _parser() -> argparse.ArgumentParser:
    switch = argparse.BooleanOptionalAction
    parser = _Parser(
        prog="recipes.sft", description="Fine-tune a causal language model.", allow_abbrev=False
    )
    places = parser.add_argument_group("places")
    places.add_argument("--model", type=Path, required=True, help="folder of the base model")
    places.add_argument("--data", type=Path, required=True, help="folder with train.jsonl")
    places.add_argument("--output", type=Path, required=True, help="where the result goes")
    places.add_argument("--checkpoints", help="oci://bucket@namespace/prefix, or a folder")
    places.add_argument("--scratch", type=Path, default=Path.home(), help="disk of this node")

    training = parser.add_argument_group("training")
    training.add_argument("--method", choices=METHODS, default="lora")
    length = training.add_mutually_exclusive_group()
    length.add_argument("--epochs", type=int, default=3)
    length.add_argument("--max-steps", type=int, help="this many steps instead of --epochs")
    training.add_argument("--batch-size", type=int, default=4, help="rows per process and pass")
    training.add_argument("--gradient-accumulation", type=int, default=1, help="passes per step")
    training.add_argument("--max-length", type=int, default=2048, help="tokens of a row")
    training.add_argument("--packing", action=switch, default=True, help="rows of several examples")
    training.add_argument("--learning-rate", type=float, default=1e-4)
    training.add_argument("--schedule", choices=SCHEDULES, default="cosine")
    training.add_argument("--warmup-ratio", type=float, default=0.03, help="of all steps")
    training.add_argument("--weight-decay", type=float, default=0.0)
    training.add_argument("--max-grad-norm", type=float, default=1.0, help="0 clips nothing")
    training.add_argument("--seed", type=int, default=42)

    lora = parser.add_argument_group("LoRA")
    lora.add_argument("--lora-rank", type=int, default=8)
    lora.add_argument("--lora-alpha", type=int, default=32)
    lora.add_argument("--lora-dropout", type=float, default=0.0)
    lora.add_argument("--lora-targets", default=LINEAR_LAYERS, help="layers, joined by commas")

    machine = parser.add_argument_group("memory and speed")
    machine.add_argument("--precision", choices=PRECISIONS, default="auto", help="bf16 on GPUs")
    machine.add_argument("--gradient-checkpointing", action=switch, default=True)
    machine.add_argument("--reshard-after-forward", action=switch, default=True)
    machine.add_argument("--compile", action=switch, default=False)

    record = parser.add_argument_group("record")
    record.add_argument("--log-every", type=int, default=10, help="steps")
    record.add_argument("--eval-every", type=int, default=0, help="steps; 0: only at the end")
    record.add_argument("--checkpoint-every", type=int, default=100, help="steps; 0: at SIGTERM")
    record.add_argument("--keep", type=int, default=2, help="checkpoints; older ones are deleted")
    record.add_argument("--resume", action=switch, default=True, help="from the newest checkpoint")
    record.add_argument("--samples", type=int, default=2, help="summaries before and after")
    record.add_argument("--sample-tokens", type=int, default=64)
    return parser


def _check_ranges(options: Options) -> None:
    at_least_one: tuple[str, ...] = (
        "epochs",
        "batch_size",
        "gradient_accumulation",
        "max_length",
        "keep",
    )
    at_least_one += ("lora_rank", "lora_alpha", "log_every", "sample_tokens", "max_steps")
    at_least_zero: tuple[str, ...] = (
        "eval_every",
        "checkpoint_every",
        "samples",
        "seed",
        "warmup_ratio",
    )
    at_least_zero += ("weight_decay", "max_grad_norm", "lora_dropout")
    for names, least in ((at_least_one, 1), (at_least_zero, 0)):
        for name in names:
            value = getattr(options, name)
            if value is not None and value < least:
                raise UsageError(f"{_flag(name)} is {value}; it must be {least} or more")
    if not options.learning_rate > 0:
        raise UsageError(f"--learning-rate is {options.learning_rate}; it must be more than 0")
    for name in ("warmup_ratio", "lora_dropout"):
        if getattr(options, name) >= 1:
            raise UsageError(f"{_flag(name)} is {getattr(options, name)}; it must be less than 1")
    if options.method == "lora" and not options.lora_targets:
        raise UsageError(f"--lora-targets names no layer; for example {LINEAR_LAYERS}")


def _check_places(options: Options) -> None:
    for flag, folder, needed in (
        ("--model", options.model, "config.json"),
        ("--data", options.data, "train.jsonl"),
    ):
        if not folder.is_dir():
            raise UsageError(f"{flag} {folder} is no folder on this node; is the bucket mounted?")
        if not (folder / needed).is_file():
            raise UsageError(f"{flag} {folder} has no {needed}; recipes.stage writes it")
    if not options.scratch.is_dir() or not os.access(options.scratch, os.W_OK):
        raise UsageError(f"--scratch {options.scratch} is no folder that can be written to")
    target = options.checkpoints
    if target is not None and "://" in target and not _BUCKET_URI.fullmatch(target):
        raise UsageError(
            f"--checkpoints {target}: expected oci://bucket@namespace/prefix, or a folder"
        )


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")
