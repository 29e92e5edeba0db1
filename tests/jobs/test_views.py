"""How progress looks, on a terminal and in a pipe."""

from __future__ import annotations

import io
from datetime import timedelta

import pytest
from rich.console import Console

from jobs.record import Run
from jobs.steps.job import LogLine
from jobs.views import LiveView, PlainView, spent, table, view
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


@pytest.mark.parametrize("width", [80, 100, 200])
def test_a_table_shows_every_state_whole(width: int) -> None:
    console, stream = _console(terminal=False, width=width)
    simulated = RUNNING.changed(
        state="SUCCEEDED", simulated=True, finished=START + timedelta(hours=2.5),
        details="Job run artifact execution succeeded (simulated by ocimock: no code ran).",
    )  # fmt: skip
    console.print(table(Run({"finetune": simulated}), START))
    printed = stream.getvalue()
    assert "SUCCEEDED (simulated)" in printed
    assert "6 x VM.GPU.A10.2" in printed
    assert "2:30:00" in printed
    assert printed.count("not run") == 3
    assert printed.count("simulated") == 1


def test_what_a_step_has_cost() -> None:
    later = START + timedelta(hours=2)
    assert spent(RUNNING, later) == "$48.00"
    assert spent(RUNNING.changed(finished=START + timedelta(hours=1)), later) == "$24.00"
    assert spent(RUNNING.changed(started=None), later) == ""
    assert spent(RUNNING.changed(shape="VM.Standard.E5.Flex"), later) == ""
    assert spent(RUNNING.changed(simulated=True), later) == "($24.00 per hour)"
