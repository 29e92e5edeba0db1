"""The JSON lines by which a training tells how it goes, read out of its log.

    {"metric": "train", "step": 10, "loss": 5.31, "tokens_per_second": 812.0, …}
    {"event": "checkpoint", "step": 10, "uri": "oci://…"}

A line may have something before it: the driver's time, or a rank.
"""

from __future__ import annotations

import itertools
import json
import math
import re
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

TRAIN, EVAL = "train", "eval"
BARS = "▁▂▃▄▅▆▇█"
_START = re.compile(r'\{"(?:metric|event)":')
# The event that a training begins with; its ``steps`` are those to come.
_BEGIN = "start"
_LONGEST = 120  # characters of an event's value
# Points by which the speed is told: a training slows down, and stops for its checkpoints.
_RECENT = 20


@dataclass(frozen=True)
class Point:
    """One measurement of the *kind* train or eval; *values* is the whole line."""

    kind: str
    step: int
    loss: float
    values: Mapping[str, Any]

    @property
    def speed(self) -> float | None:
        """Tokens a second, of all ranks together."""
        found = self.values.get("tokens_per_second")
        return float(found) if isinstance(found, int | float) else None

    @property
    def time(self) -> float | None:
        """When it was written, in seconds since the epoch."""
        found = self.values.get("time")
        return float(found) if isinstance(found, int | float) else None


def for_json(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a line for JSON, which has no NaN: a loss that is none is null."""
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in values.items()
    }


@dataclass(frozen=True)
class Event:
    """Something else that happened: a checkpoint, a resume."""

    name: str
    values: Mapping[str, Any]


def parse(text: str) -> Point | Event | None:
    """The measurement or event in a line of a log; None where it holds neither."""
    start = _START.search(text)
    if start is None:
        return None
    try:
        found = json.loads(text[start.start() :])
    except ValueError:
        return None
    return read(found)


def read(line: Any) -> Point | Event | None:
    """The same of a line that is decoded already."""
    if not isinstance(line, dict):
        return None
    if "event" in line:
        return Event(str(line["event"]), line)
    step, loss = line.get("step"), line.get("loss")
    if isinstance(step, int) and isinstance(loss, int | float) and "metric" in line:
        return Point(str(line["metric"]), step, float(loss), line)
    return None


@dataclass
class Curve:
    """What a training has told so far. A step that is told again, after a resume, replaces the
    first telling."""

    total: int | None = None
    _points: dict[tuple[str, int], Point] = field(default_factory=dict)

    def add(self, found: Point | Event) -> None:
        if isinstance(found, Point):
            self._points[found.kind, found.step] = found
            return
        total = found.values.get("steps") if found.name == _BEGIN else None
        self.total = total if isinstance(total, int) else self.total

    def of(self, kind: str) -> list[Point]:
        """The points of one kind, in the order of their steps."""
        found = (point for point in self._points.values() if point.kind == kind)
        return sorted(found, key=lambda point: point.step)

    def all(self) -> list[Point]:
        """All points by step; of one step the training's before the evaluation's."""
        found = self._points.values()
        return sorted(found, key=lambda point: (point.step, point.kind != TRAIN, point.kind))

    def remaining(self) -> timedelta | None:
        """How long the steps to come take at the speed of the last ones; None where the training
        has not told how many they are, or of too few."""
        timed = [(point.step, point.time) for point in self.of(TRAIN)[-_RECENT:]]
        paces = [
            (later - earlier) / (step - before)
            for (before, earlier), (step, later) in itertools.pairwise(timed)
            if earlier is not None and later is not None and later > earlier
        ]
        if self.total is None or not paces:
            return None
        return timedelta(seconds=max(0, self.total - timed[-1][0]) * statistics.median(paces))

    def words(self, found: Point | Event) -> str:
        """The line for a reader: ``step 10/40 loss 5.31 812 tok/s``."""
        if isinstance(found, Event):
            return _event(found)
        step = f"step {found.step}" + (f"/{self.total}" if self.total else "")
        kind = "" if found.kind == TRAIN else f"{found.kind} "
        speed = f" {found.speed:,.0f} tok/s" if found.speed is not None else ""
        return f"{step} {kind}loss {found.loss:.4g}{speed}"

    def summary(self, width: int = 30) -> str:
        """The last values and the curve of the loss; nothing before the first point."""
        train, evaluated = self.of(TRAIN), self.of(EVAL)
        if not train:
            return ""
        words = [sparkline([point.loss for point in train], width), self.words(train[-1])]
        if evaluated:
            words.append(f"eval loss {evaluated[-1].loss:.4g}")
        if left := self.remaining():
            words.append(f"ends in {timedelta(seconds=round(left.total_seconds()))}")
        return "  ".join(words)


def gather(lines: Iterable[str]) -> Curve:
    """The curve that the lines of a log, or of ``metrics.jsonl``, tell."""
    curve = Curve()
    for line in lines:
        if (found := parse(line)) is not None:
            curve.add(found)
    return curve


def sparkline(values: Sequence[float], width: int) -> str:
    """The values as bars, at most *width* of them: each then stands for the mean of several."""
    usable = [value for value in values if math.isfinite(value)]
    if not usable:
        return ""
    count = min(width, len(usable))
    edges = [index * len(usable) // count for index in range(count + 1)]
    means = [sum(usable[start:end]) / (end - start) for start, end in itertools.pairwise(edges)]
    low, high = min(means), max(means)
    scale = (len(BARS) - 1) / (high - low) if high > low else 0
    return "".join(BARS[round((mean - low) * scale)] for mean in means)


def _event(found: Event) -> str:
    said = (
        f"{name} {_short(value)}"
        for name, value in found.values.items()
        if name not in ("event", "time")
    )
    return " ".join([found.name, *said])


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    flat = " ".join(text.split())
    return flat if len(flat) <= _LONGEST else flat[: _LONGEST - 1] + "…"
