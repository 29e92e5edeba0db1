"""The training benchmark's own logic: commands, what is read from each side, the table."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import training_speed
from benchmarks.training.material import SHAPES
from benchmarks.training.sides import (
    BenchmarkError,
    Plan,
    Speed,
    ours_command,
    ours_speed,
    peer_command,
    peer_speed,
)

ROOT = Path(__file__).resolve().parents[2]
PLAN = Plan(Path("/m"), "lora", batch_size=1, processes=2, warm_up=5, steps=10)


def _line(step: int, rate: float, memory: float = 1.0) -> str:
    fields = {"metric": "train", "step": step, "tokens_per_second": rate, "gpu_memory_gb": memory}
    return json.dumps(fields)


def test_the_warm_up_does_not_count_and_rates_are_meant_over_time() -> None:
    output = "\n".join(["noise", _line(5, 1.0, 9.0), _line(10, 100.0), _line(15, 300.0, 2.0)])
    speed = ours_speed(output, PLAN)
    assert speed.tokens_per_second == pytest.approx(75.0)  # 150 a second by two processes
    assert speed.gpu_memory_gb == 2.0


def test_the_peers_speed_is_the_clocks() -> None:
    output = 'epoch 1\n{broken\n{"tokens_per_second": 50.0, "gpu_memory_gb": 3.5, "steps": 20}\n'
    assert peer_speed(output) == Speed(50.0, 3.5)


def test_a_side_that_says_nothing_is_an_error() -> None:
    with pytest.raises(BenchmarkError, match="no metrics after its warm-up"):
        ours_speed(_line(5, 1.0), PLAN)
    with pytest.raises(BenchmarkError, match="ended before the clock"):
        peer_speed("nothing")


def test_both_sides_train_the_same() -> None:
    ours, peer = ours_command(PLAN, "python"), peer_command(PLAN, "python", Path("/llama"))
    assert "/m/base" in ours
    assert "/m/base" in peer
    assert ours[ours.index("--lora-targets") + 1] == "q_proj,v_proj"
    assert "/llama/examples/finetuning.py" in peer
    assert peer[peer.index("--nproc-per-node") + 1] == "2"


def test_the_table_has_ratios_and_the_verdict() -> None:
    taken = {
        training_speed.PEER: [Speed(100.0, 20.0), Speed(90.0, 20.0), Speed(110.0, 20.0)],
        training_speed.OURS: [Speed(140.0, 15.0)],
    }
    table = training_speed.report(taken)
    assert "1.40" in table
    assert "0.75" in table
    assert table.endswith("target, 1.3 times the peer's tokens a second: holds")
    taken[training_speed.OURS] = [Speed(129.0, 15.0)]
    assert training_speed.report(taken).endswith("FAILS")


def test_sides_take_turns() -> None:
    order: list[str] = []

    def taker(name: str) -> Speed:
        order.append(name)
        return Speed(1.0, 0.0)

    training_speed.measure({"a": lambda: taker("a"), "b": lambda: taker("b")}, 2)
    assert order == ["a", "b", "b", "a"]


def test_seven_billion_are_seven_billion() -> None:
    assert SHAPES["7b"].parameters == 6_738_415_616  # Llama 2 7B's


def test_a_checkout_of_something_else_is_named(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.training_speed", "--llama-recipes", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "has no examples/finetuning.py" in done.stderr
