"""What a training tells of itself, out of its log."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from rich.console import Console

from jobs import cli, console, curves, log_commands
from jobs.clock import SystemClock
from jobs.ledger import Ledger
from jobs.metrics import EVAL, TRAIN, Event, Point, gather, parse, sparkline
from jobs.record import Entry
from jobs.run_log import LogLine
from tests.jobs.samples import entry, write_all


def train(step: int, loss: float, speed: float = 812.4) -> str:
    return json.dumps({"metric": "train", "step": step, "loss": loss, "tokens_per_second": speed})


def evaluated(step: int, loss: float) -> str:
    return json.dumps({"metric": "eval", "step": step, "loss": loss})


@pytest.mark.parametrize("before", ["", "[rank0]: ", "2026-11-22 12:00:00 - INFO - "])
def test_a_line_is_read_whatever_stands_before_it(before: str) -> None:
    found = parse(before + train(10, 5.31))
    assert isinstance(found, Point)
    assert (found.kind, found.step, found.loss, found.speed) == ("train", 10, 5.31, 812.4)


@pytest.mark.parametrize(
    "text",
    [
        "epoch 1: loss 5.31",
        '{"metric": "train", "step": 10, "loss": 5.3',
        '{"metric": "train", "step": "ten", "loss": 5.3}',
        '{"metric": "train", "step": 10}',
        '{"loss": 5.3, "step": 10}',
        "",
    ],
)
def test_what_is_no_figure_is_none(text: str) -> None:
    assert parse(text) is None


def test_an_event_is_no_figure() -> None:
    found = parse('{"event": "checkpoint", "step": 10, "uri": "oci://b@n/c", "time": 1.5}')
    assert isinstance(found, Event)
    assert gather([]).words(found) == "checkpoint step 10 uri oci://b@n/c"


def test_an_event_that_says_much_is_cut() -> None:
    found = parse(json.dumps({"event": "samples", "before": "word " * 100}))
    assert found is not None
    assert len(gather([]).words(found)) < 150


def test_words_for_a_reader() -> None:
    curve = gather(['{"event": "start", "steps": 40}', train(10, 5.3149)])
    [point] = curve.all()
    assert curve.words(point) == "step 10/40 loss 5.315 812 tok/s"
    told = parse(evaluated(20, 5.0))
    assert told is not None
    assert curve.words(told) == "step 20/40 eval loss 5"


def test_points_in_order_and_each_step_once() -> None:
    """A resumed run tells the steps after its checkpoint a second time."""
    curve = gather([train(20, 9.0), evaluated(10, 6.0), train(10, 7.0), "noise", train(20, 8.0)])
    assert [(point.kind, point.step, point.loss) for point in curve.all()] == [
        ("train", 10, 7.0),
        ("eval", 10, 6.0),
        ("train", 20, 8.0),
    ]
    assert [point.step for point in curve.of(TRAIN)] == [10, 20]
    assert [point.loss for point in curve.of(EVAL)] == [6.0]


def test_the_summary_is_curve_and_last_values() -> None:
    assert gather([]).summary() == ""
    curve = gather([train(1, 8.0), train(2, 4.0), train(3, 1.0), evaluated(3, 1.5)])
    assert curve.summary() == "█▄▁  step 3 loss 1 812 tok/s  eval loss 1.5"


@pytest.mark.parametrize(
    ("values", "width", "bars"),
    [
        ([], 5, ""),
        ([1.0], 5, "▁"),
        ([2.0, 2.0], 5, "▁▁"),
        ([8.0, 8.0, 1.0, 1.0], 2, "█▁"),
        ([float("nan"), 1.0, 8.0, float("inf")], 5, "▁█"),
        ([float(value) for value in range(100)], 8, "▁▂▃▄▅▆▇█"),
    ],
)
def test_a_sparkline(values: list[float], width: int, bars: str) -> None:
    assert sparkline(values, width) == bars


def test_the_figures_of_a_run_that_goes_on_are_in_its_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = ["pip install", train(10, 5.0)]
    monkeypatch.setattr(
        curves, "tail", lambda entry, limit: [LogLine(text, "t", text) for text in lines]
    )
    running = entry("finetune", "IN_PROGRESS")
    assert [point.step for point in curves.curve_of(running, tmp_path).all()] == [10]


@pytest.mark.parametrize("same", [True, False])
def test_a_file_of_another_run_is_not_taken(
    same: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from jobs.definitions import read_all

    read = read_all(write_all(tmp_path))
    done = entry("finetune", digest=read["finetune"].digest if same else "another")

    class Storage:
        def get_object(self, namespace: str, bucket: str, name: str) -> object:
            assert (namespace, bucket, name) == ("ocimock", "demo-bucket", "outputs/metrics.jsonl")
            body = type("Body", (), {"content": (train(1, 9.0) + "\n" + train(2, 8.0)).encode()})
            return type("Answer", (), {"data": body})

    monkeypatch.setattr(curves, "storage", Storage)
    monkeypatch.setattr(curves, "tail", lambda entry, limit: [LogLine("1", "t", train(2, 8.0))])
    steps = [point.step for point in curves.curve_of(done, tmp_path).all()]
    assert steps == ([1, 2] if same else [2])


def test_the_last_line_holds_the_whole_summary_on_a_narrow_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The demo shows that line: broken in two, its curve would be lost."""
    narrow = Console(width=60)
    for module in (console, log_commands):
        monkeypatch.setattr(module, "out", narrow)
    curve = gather([json.dumps({"metric": "train", "step": n, "loss": 9.0 / n}) for n in (1, 2)])
    curve.add(Point("eval", 2, 4.125, {}))
    monkeypatch.setattr(curves, "curve_of", lambda entry, folder: curve)
    monkeypatch.setattr(curve, "summary", lambda: "█" * 40 + "  step 2/2 loss 4.5  eval loss 4.125")
    monkeypatch.setattr(log_commands, "sign_in_where", lambda entry: None)
    monkeypatch.chdir(tmp_path)
    Path("tenancies").mkdir()
    Path("tenancies/demo.yaml").touch()
    ids = {"job": "j", "job_run": "r"}
    Ledger(Path(".tunestack/demo/ledger.db"), SystemClock()).put(
        Entry("finetune", "SUCCEEDED", ids)
    )
    assert cli.main(["metrics", "finetune"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == curve.summary()


def test_when_a_training_ends_is_told_by_its_last_steps() -> None:
    """A first step that compiled for a minute says nothing of those to come; nor does a pause for a
    checkpoint."""
    curve = gather(['{"event": "start", "steps": 100}'])
    times = [0.0, 60.0, *(60.0 + 2 * step + 30 * (step > 35) for step in range(1, 40))]
    for number, time in enumerate(times):
        values = {"metric": "train", "step": number, "loss": 1.0, "time": time}
        curve.add(Point("train", number, 1.0, values))
    assert curve.remaining() == timedelta(seconds=2 * (100 - 40))
    assert curve.summary().endswith("ends in 0:02:00")


@pytest.mark.parametrize("total", [None, 100])
def test_who_tells_too_little_has_no_end_in_sight(total: int | None) -> None:
    curve = gather([json.dumps({"metric": "train", "step": 1, "loss": 2.0, "time": 1.0})])
    curve.total = total
    assert curve.remaining() is None
