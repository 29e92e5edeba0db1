"""recipes.sft beside llama-recipes' own script, on the same GPUs, with the same random model.

    python -m benchmarks.training_speed --llama-recipes DIR [--shape 7b] [--method lora]
    python -m benchmarks.training_speed --shape tiny        # ours alone, on a CPU

DIR is a checkout of llama-recipes at commit 1aecd00. Run it with a Python that has PyTorch and
the recipe's pins; ``--peer-python`` names another one for the peer. The sides take turns; the
target is 1.3 times the peer's tokens a second. The exit status says nothing about the figures.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from .training.material import SHAPES
from .training.sides import (
    ROOT,
    BenchmarkError,
    Plan,
    Speed,
    ours_command,
    ours_speed,
    peer_command,
    peer_speed,
    run,
)

TARGET = 1.3
PEER, OURS, FASTER = "llama-recipes", "recipes.sft", "recipes.sft, activations kept"
_KEPT = ("--no-gradient-checkpointing", "--no-reshard-after-forward")


def main() -> int:
    asked = _arguments()
    with tempfile.TemporaryDirectory(prefix="training-speed-", dir=asked.folder) as folder:
        plan = Plan(
            material=Path(folder),
            method=asked.method,
            batch_size=asked.batch_size,
            processes=asked.processes,
            warm_up=asked.warm_up,
            steps=asked.steps,
        )
        print(f"{asked.shape}: {SHAPES[asked.shape].parameters / 1e9:.2f} billion parameters")
        _make_material(plan, asked.shape)
        try:
            print(report(measure(sides(plan, asked), asked.rounds)))
        except BenchmarkError as fault:
            print(fault, file=sys.stderr)
            return 1
    return 0


def sides(plan: Plan, asked: argparse.Namespace) -> dict[str, Callable[[], Speed]]:
    """Who takes part, and how each is measured."""

    def ours(*more: str) -> Speed:
        return ours_speed(run(ours_command(plan, sys.executable, more), plan), plan)

    def peer() -> Speed:
        command = peer_command(plan, asked.peer_python, asked.llama_recipes)
        return peer_speed(run(command, plan))

    taking = {OURS: ours, FASTER: lambda: ours(*_KEPT)}
    return {PEER: peer, **taking} if asked.llama_recipes else taking


def measure(takers: dict[str, Callable[[], Speed]], rounds: int) -> dict[str, list[Speed]]:
    """Every side's figures, one a round, in turns: A B C, C B A, …"""
    taken: dict[str, list[Speed]] = {name: [] for name in takers}
    for number in range(rounds):
        for name in list(takers)[:: 1 if number % 2 == 0 else -1]:
            taken[name].append(takers[name]())
    return taken


def report(taken: dict[str, list[Speed]]) -> str:
    """A table of medians, with ratios to the peer where it took part, and the verdict."""
    lines = [f"{'':32}{'tokens/s per GPU':>18}{'ratio':>8}{'peak memory':>14}{'ratio':>8}"]
    middle = {
        name: Speed(
            statistics.median(one.tokens_per_second for one in speeds),
            max(one.gpu_memory_gb for one in speeds),
        )
        for name, speeds in taken.items()
    }
    peer = middle.get(PEER)
    for name, speed in middle.items():
        faster = _ratio(speed.tokens_per_second, peer.tokens_per_second if peer else None)
        larger = _ratio(speed.gpu_memory_gb, peer.gpu_memory_gb if peer else None)
        lines.append(
            f"{name:32}{speed.tokens_per_second:>18,.0f}{faster:>8}"
            f"{speed.gpu_memory_gb:>11.2f} GB{larger:>8}"
        )
    if peer:
        reached = middle[OURS].tokens_per_second / peer.tokens_per_second
        verdict = "holds" if reached >= TARGET else "FAILS"
        lines.append(f"target, {TARGET} times the peer's tokens a second: {verdict}")
    else:
        lines.append("no --llama-recipes: nothing to compare with")
    return "\n".join(lines)


def _ratio(mine: float, theirs: float | None) -> str:
    return f"{mine / theirs:.2f}" if theirs else "-"


def _make_material(plan: Plan, shape: str) -> None:
    command = [sys.executable, "-m", "benchmarks.training.material", str(plan.material), shape]
    subprocess.run(command, cwd=ROOT, check=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.training_speed", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--llama-recipes", type=Path, help="checkout at commit 1aecd00")
    parser.add_argument("--peer-python", default=sys.executable, help="the peer's Python")
    parser.add_argument("--shape", choices=SHAPES, default="7b")
    parser.add_argument("--method", choices=("lora", "full"), default="lora")
    parser.add_argument("--batch-size", type=int, default=1, help="rows of 2,048 tokens")
    parser.add_argument("--processes", type=int, default=1, help="GPUs")
    parser.add_argument("--warm-up", type=int, default=5, help="steps that do not count")
    parser.add_argument("--steps", type=int, default=20, help="steps that do")
    parser.add_argument("--rounds", type=int, default=3, help="how often each side runs")
    parser.add_argument("--folder", type=Path, help="where the model is written (7b: 14 GB)")
    asked = parser.parse_args()
    script = asked.llama_recipes and asked.llama_recipes / "examples" / "finetuning.py"
    if script and not script.is_file():
        parser.error(f"--llama-recipes {asked.llama_recipes} has no examples/finetuning.py")
    if asked.steps % asked.warm_up:
        parser.error(f"--steps {asked.steps} must be a multiple of --warm-up {asked.warm_up}")
    return asked


if __name__ == "__main__":
    sys.exit(main())
