"""The two sides: how each is started, and what it says of its speed."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CLOCKED = Path(__file__).with_name("clocked.py")
LENGTH = 2048  # tokens of a row: what llama-recipes cuts its data to

# llama-recipes' own defaults for LoRA, given to ours.
_SAME_LORA = ("--lora-targets", "q_proj,v_proj", "--lora-rank", "8", "--lora-alpha", "32")
_SAME_DROPOUT = ("--lora-dropout", "0.05")


class BenchmarkError(Exception):
    """A side failed; the message has the end of what it said."""


@dataclass(frozen=True)
class Plan:
    """What both sides do alike."""

    material: Path  # base/ and data/
    method: str
    batch_size: int
    processes: int
    warm_up: int  # steps
    steps: int


@dataclass(frozen=True)
class Speed:
    """What a side reached, on one process: memory in 10^9 bytes."""

    tokens_per_second: float
    gpu_memory_gb: float


def ours_command(plan: Plan, python: str, more: Sequence[str] = ()) -> list[str]:
    """recipes.sft: after the warm-up, one line of metrics spans the counted steps."""
    assert plan.steps % plan.warm_up == 0, "the lines of metrics would straddle the warm-up"
    return [
        *([python] if plan.processes == 1 else _torchrun(python, plan.processes)),
        *("-m", "recipes.sft", "--method", plan.method),
        *("--model", str(plan.material / "base"), "--data", str(plan.material / "data")),
        *("--output", str(plan.material / "ours"), "--scratch", str(plan.material)),
        *("--batch-size", str(plan.batch_size), "--max-length", str(LENGTH), "--packing"),
        *("--max-steps", str(plan.warm_up + plan.steps), "--log-every", str(plan.warm_up)),
        *("--samples", "0", "--checkpoint-every", "0", *_SAME_LORA, *_SAME_DROPOUT),
        *more,
    ]


def peer_command(plan: Plan, python: str, checkout: Path) -> list[str]:
    """llama-recipes' ``examples/finetuning.py``, with the words of Oracle's tutorial."""
    script = checkout / "examples" / "finetuning.py"
    lora = ("--use_peft", "--peft_method", "lora") if plan.method == "lora" else ()
    return [
        *_torchrun(python, plan.processes),
        *(str(CLOCKED), str(plan.warm_up), str(plan.steps), str(script)),
        *("--enable_fsdp", *lora, "--pure_bf16"),
        *("--batch_size_training", str(plan.batch_size), "--micro_batch_size"),
        *(str(plan.batch_size), "--model_name", str(plan.material / "base")),
        *("--dataset", "custom_dataset", "--custom_dataset.file"),
        str(ROOT / "jobs" / "recipes" / "llama_recipes" / "samsum_dataset.py"),
        *("--run_validation", "False", "--save_model", "False", "--num_epochs", "100"),
    ]


def run(command: Sequence[str], plan: Plan) -> str:
    """What the command printed.

    Raises:
        BenchmarkError: it failed.
    """
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT / "jobs"),
        "SAMSUM_PATH": str(plan.material / "data"),
        "HF_HUB_OFFLINE": "1",
    }
    done = subprocess.run(
        command, cwd=plan.material, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise BenchmarkError(f"{' '.join(command)}\n{done.stderr[-3000:]}")
    return done.stdout


def ours_speed(output: str, plan: Plan) -> Speed:
    """The mean over the lines of metrics after the warm-up, which span like numbers of steps.

    Raises:
        BenchmarkError: there are none.
    """
    lines = [line for line in _json_lines(output) if line.get("metric") == "train"]
    counted = [line for line in lines if int(str(line["step"])) > plan.warm_up]
    if not counted:
        raise BenchmarkError(f"recipes.sft printed no metrics after its warm-up:\n{output[-2000:]}")
    rates = [float(str(line["tokens_per_second"])) for line in counted]
    return Speed(
        tokens_per_second=len(rates) / sum(1 / rate for rate in rates) / plan.processes,
        gpu_memory_gb=max(float(str(line["gpu_memory_gb"])) for line in counted),
    )


def peer_speed(output: str) -> Speed:
    """What ``clocked.py`` measured.

    Raises:
        BenchmarkError: the script ended before the clock did.
    """
    for line in _json_lines(output):
        if "tokens_per_second" in line:
            return Speed(float(str(line["tokens_per_second"])), float(str(line["gpu_memory_gb"])))
    raise BenchmarkError(f"llama-recipes ended before the clock did:\n{output[-2000:]}")


def _torchrun(python: str, processes: int) -> list[str]:
    return [
        *(python, "-m", "torch.distributed.run", "--nproc-per-node", str(processes)),
        *("--rdzv-backend", "c10d", "--rdzv-endpoint", "localhost:0"),
    ]


def _json_lines(output: str) -> list[dict[str, object]]:
    found = []
    for line in output.splitlines():
        if line.startswith("{"):
            try:
                found.append(json.loads(line))
            except ValueError:
                continue
    return found
