"""How progress looks, on a terminal and in a pipe."""

from __future__ import annotations

import io
from datetime import timedelta

import pytest
from rich.console import Console

from jobs.gpu_metrics import GpuUse
from jobs.machines import Machines, NodeGroup
from jobs.record import STEPS, Run
from jobs.run_log import LogLine
from jobs.views import LiveView, PlainView, progress, spent, view
from tests.jobs.samples import START, OwnedClock, entry

RUNNING = entry(
    "finetune", "IN_PROGRESS", shape="VM.GPU.A10.2", replicas=6, submitted=START, started=START
)


def _console(terminal: bool, width: int = 100, kind: str = "xterm") -> tuple[Console, io.StringIO]:
    stream = io.StringIO()
    console = Console(
        file=stream,
        force_terminal=terminal,
        width=width,
        color_system=None,
        _environ={"TERM": kind},
    )
    return console, stream


def test_plain_lines_come_once_for_each_change() -> None:
    console, stream = _console(terminal=False)
    clock = OwnedClock()
    with view(console, clock, Run()) as shown:
        assert isinstance(shown, PlainView)
        shown.show(RUNNING)
        shown.show(RUNNING)
        clock.sleep(60)
        shown.log("finetune", LogLine("1", "t", "[link] epoch 1 " + "x" * 120))
        shown.show(RUNNING.changed(state="SUCCEEDED", simulated=True, details="done"))
    assert stream.getvalue().splitlines() == [
        "12:00:00 finetune  IN_PROGRESS",
        "12:01:00 finetune  | [link] epoch 1 " + "x" * 120,
        "12:01:00 finetune  SUCCEEDED (simulated)  done",
    ]


def test_a_terminal_that_cannot_draw_anew_gets_plain_lines() -> None:
    console, stream = _console(terminal=True, kind="dumb")
    with view(console, OwnedClock(), Run()) as shown:
        assert isinstance(shown, PlainView)
        shown.show(RUNNING)
    assert "finetune  IN_PROGRESS" in stream.getvalue()


def test_a_terminal_gets_a_table_that_leaves_nothing_behind() -> None:
    console, stream = _console(terminal=True)
    with view(console, OwnedClock(), Run()) as shown:
        assert isinstance(shown, LiveView)
        shown.say("finetune: submitting")
        shown.show(RUNNING)
        shown.log("finetune", LogLine("1", "t", "epoch 1"))
        shown.show(RUNNING.changed(simulated=True))
    drawn = stream.getvalue()
    assert "finetune: submitting" in drawn
    assert "IN_PROGRESS (simulated)" in drawn
    assert "finetune | epoch 1" in drawn


SIMULATED = RUNNING.changed(
    simulated=True,
    details="Job run artifact execution in progress (simulated by ocimock: no code ran).",
)


@pytest.mark.parametrize("width", [60, 80, 100, 200])
def test_a_table_shows_every_part_whole(width: int) -> None:
    console, stream = _console(terminal=False, width=width)
    run = Run({"finetune": SIMULATED})
    console.print(progress(run, START + timedelta(hours=2.5)))
    printed = stream.getvalue()
    for part in ("IN_PROGRESS", "(simulated)", "VM.GPU.A10.2", "2:30:00", "$24.00/h"):
        assert part in printed
    assert printed.count("not run") == len(STEPS) - 1
    assert printed.count("simulated") == 1
    assert "finetune: Job run artifact execution in progress." in printed
    assert max(len(line) for line in printed.splitlines()) <= width


@pytest.mark.parametrize("width", [80, 100])
def test_a_step_takes_one_line(width: int) -> None:
    console, stream = _console(terminal=False, width=width)
    console.print(progress(Run({"finetune": SIMULATED.changed(state="SUCCEEDED")}), START))
    assert len(stream.getvalue().splitlines()) == 1 + len(STEPS)


def test_a_failure_is_told_in_full() -> None:
    console, stream = _console(terminal=False, width=60)
    words = "Out of host capacity. " * 10
    console.print(
        progress(Run({"finetune": RUNNING.changed(state="FAILED", details=words)}), START)
    )
    assert "".join(stream.getvalue().split()).count("Outofhostcapacity.") == 10


def test_the_live_log_leaves_out_what_the_state_says() -> None:
    console, stream = _console(terminal=True)
    with view(console, OwnedClock(), Run({"finetune": SIMULATED})) as shown:
        line = "[node 0] [simulated by ocimock: no code ran] would start"
        shown.log("finetune", LogLine("1", "t", line))
        shown.show(SIMULATED)
    assert "finetune | [node 0] would start" in stream.getvalue()


METRIC = '{"metric": "train", "step": 10, "loss": 5.31, "tokens_per_second": 812.0}'


def test_plain_lines_put_figures_into_words() -> None:
    console, stream = _console(terminal=False)
    with view(console, OwnedClock(), Run()) as shown:
        shown.log("finetune", LogLine("1", "t", '{"event": "start", "steps": 40}'))
        shown.log("finetune", LogLine("2", "t", METRIC))
    assert stream.getvalue().splitlines() == [
        "12:00:00 finetune  start steps 40",
        "12:00:00 finetune  step 10/40 loss 5.31 812 tok/s",
    ]


def test_the_live_view_draws_the_loss_and_no_json() -> None:
    console, stream = _console(terminal=True)
    with view(console, OwnedClock(), Run()) as shown:
        for step, loss in ((10, 5.31), (20, 4.0)):
            text = METRIC.replace("10", str(step), 1).replace("5.31", str(loss))
            shown.log("finetune", LogLine(str(step), "t", text))
        shown.log("finetune", LogLine("e", "t", '{"event": "checkpoint", "step": 20}'))
        shown.show(RUNNING)
    drawn = stream.getvalue()
    assert "finetune: █▁  step 20 loss 4 812 tok/s" in drawn
    assert "finetune | checkpoint step 20" in drawn
    assert '{"' not in drawn


def test_a_local_run_says_so_once() -> None:
    console, stream = _console(terminal=False)
    local = RUNNING.changed(
        local=True, details="Job run in progress (run by ocimock on this machine)."
    )
    console.print(progress(Run({"finetune": local}), START + timedelta(hours=1)))
    printed = stream.getvalue()
    assert "IN_PROGRESS (on this machine)" in printed
    assert "finetune: Job run in progress." in printed
    assert "$24.00/h" in printed


def test_what_a_step_has_cost() -> None:
    later = START + timedelta(hours=2)
    assert spent(RUNNING, later) == "$48.00"
    assert spent(RUNNING.changed(finished=START + timedelta(hours=1)), later) == "$24.00"
    assert spent(RUNNING.changed(started=None), later) == ""
    assert spent(RUNNING.changed(shape="VM.Standard.E5.Flex"), later) == ""
    assert spent(RUNNING.changed(simulated=True), later) == "$24.00/h"
    assert spent(RUNNING.changed(local=True), later) == "$24.00/h"
    flexible = RUNNING.changed(shape="VM.Standard.E4.Flex", replicas=1, ocpus=4.0, memory_gb=64.0)
    assert spent(flexible, later) == "$0.39"


def test_the_live_view_tells_of_machines_nodes_and_money() -> None:
    console, stream = _console(terminal=True)
    clock = OwnedClock()
    with view(console, clock, Run({"finetune": RUNNING}), limit=500.0) as shown:
        for node in ("0", "1"):
            shown.log("finetune", LogLine(node, START.isoformat(), f"[node {node}] hi", node=node))
        use = GpuUse(START, 93.0, 12.0, 71.0)
        shown.machines("finetune", Machines((NodeGroup("node-group", "ACTIVE"),), use))
        clock.sleep(3600)
        shown.show(RUNNING)
    drawn = stream.getvalue()
    assert "Spent so far: $24.00 of $500.00." in drawn
    assert "finetune: node-group ACTIVE  GPU 93 % (lowest 12 %), memory 71 %" in drawn
    assert "finetune: last lines: n0 1:00:00, n1 1:00:00 ago" in drawn
    assert "finetune n1 | hi" in drawn


def test_the_live_view_counts_what_failed_before() -> None:
    """The run that was lost is paid as well as the one that stands."""
    console, stream = _console(terminal=False)
    clock = OwnedClock()
    lost = RUNNING.changed(key="a", state="FAILED", finished=START + timedelta(hours=1))
    stands = RUNNING.changed(key="b", started=START + timedelta(hours=1))
    submitted = [stands]
    live = LiveView(console, clock, Run({"finetune": lost}), 500.0, lambda: submitted)
    submitted.append(lost)
    live.show(stands)
    clock.sleep(2 * 3600)
    console.print(live._draw())
    assert "Spent so far: $48.00 of $500.00." in stream.getvalue()


def test_what_has_ended_has_no_machines() -> None:
    console, stream = _console(terminal=False)
    live = LiveView(console, OwnedClock(), Run({"finetune": RUNNING}))
    live.machines("finetune", Machines((NodeGroup("node-group", "ACTIVE"),)))
    console.print(live._draw())
    assert "node-group ACTIVE" in stream.getvalue()
    live.show(RUNNING.changed(state="SUCCEEDED"))
    stream.seek(0)
    stream.truncate()
    console.print(live._draw())
    assert "node-group" not in stream.getvalue()


def test_plain_lines_name_the_node_and_tell_of_the_machines() -> None:
    console, stream = _console(terminal=False)
    with view(console, OwnedClock(), Run()) as shown:
        shown.log("finetune", LogLine("1", "t", "[node 3 of node-group] hello", node="3"))
        shown.machines("finetune", Machines((NodeGroup("node-group", "ACTIVE"),)))
    assert stream.getvalue().splitlines() == [
        "12:00:00 finetune  n3 | hello",
        "12:00:00 finetune  node-group ACTIVE",
    ]
