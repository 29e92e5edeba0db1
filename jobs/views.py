"""How progress looks: a table that lives on a terminal, plain lines anywhere else."""

from __future__ import annotations

import re
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from . import cost, metrics
from .clock import Clock
from .definitions import Definition
from .machines import Heard, Machines
from .record import STEPS, Entry, Run
from .run_log import LogLine
from .watch import View

STYLES = {"SUCCEEDED": "green", "ACTIVE": "green", "FAILED": "red", "CANCELED": "red"}
LOG_LINES = 8
Submitted = Callable[[], Iterable[Entry]]
# The state's column says this already.
PLAYED = re.compile(r"\s*[(\[](?:simulated by|run by ocimock) [^)\]]*[)\]]")
# Columns that take two lines where the terminal is narrow.
BREAKABLE = ("state", "on", "ran", "steps")


class PlainView:
    """One line for each change, with the time in UTC: for logs and pipes. *name* is in each."""

    def __init__(self, console: Console, clock: Clock, name: str = "") -> None:
        self._console = console
        self._name = f"{name} " if name else ""
        self._clock = clock
        self._shown: dict[str, tuple[str, str]] = {}
        self._curves: defaultdict[str, metrics.Curve] = defaultdict(metrics.Curve)

    def show(self, entry: Entry) -> None:
        now = (entry.shown_state, entry.details)
        if self._shown.get(entry.step) == now:
            return
        self._shown[entry.step] = now
        self._line(f"{entry.step:<9} {entry.shown_state}  {entry.details}".rstrip())

    def log(self, step: str, line: LogLine) -> None:
        found = metrics.parse(line.text)
        if found is None:
            self._line(f"{step:<9} {_labelled(line)} {line.said}")
            return
        curve = self._curves[step]
        curve.add(found)
        self._line(f"{step:<9} {curve.words(found)}")

    def machines(self, step: str, found: Machines) -> None:
        self._line(f"{step:<9} {found.words()}")

    def say(self, text: str) -> None:
        self._line(text)

    def _line(self, text: str) -> None:
        stamp = self._clock.now().strftime("%H:%M:%S")
        self._console.print(
            f"{stamp} {self._name}{text}", markup=False, highlight=False, soft_wrap=True
        )


class LiveView:
    """A table of the steps over the loss and the last lines of the log; it is gone when all is
    over."""

    def __init__(
        self,
        console: Console,
        clock: Clock,
        run: Run,
        limit: float | None = None,
        submitted: Submitted = tuple,
    ) -> None:
        self._submitted = submitted
        self._clock = clock
        self._limit = limit
        self._entries = dict(run.entries)
        self._earlier = self._failed_before()
        self._log: deque[str] = deque(maxlen=LOG_LINES)
        self._curves: defaultdict[str, metrics.Curve] = defaultdict(metrics.Curve)
        self._machines: dict[str, Machines] = {}
        self._heard: defaultdict[str, Heard] = defaultdict(Heard)
        self._live = Live(
            console=console, get_renderable=self._draw, refresh_per_second=2, transient=True
        )

    def __enter__(self) -> LiveView:
        self._live.__enter__()
        return self

    def __exit__(self, *exception: Any) -> None:
        self._live.__exit__(*exception)

    def show(self, entry: Entry) -> None:
        self._entries[entry.step] = entry
        self._earlier = self._failed_before()
        if entry.ended:
            self._machines.pop(entry.step, None)
            self._heard.pop(entry.step, None)
        self._live.refresh()

    def log(self, step: str, line: LogLine) -> None:
        self._heard[step].hear(line)
        found = metrics.parse(line.text)
        if found is None:
            text = PLAYED.sub("", f" {line.said}")
            self._log.append(f"{step} {_labelled(line)}{text}")
            return
        curve = self._curves[step]
        curve.add(found)
        if isinstance(found, metrics.Event):
            self._log.append(f"{step} | {curve.words(found)}")

    def machines(self, step: str, found: Machines) -> None:
        self._machines[step] = found

    def say(self, text: str) -> None:
        self._live.console.print(text, markup=False, highlight=False, soft_wrap=True)

    def _failed_before(self) -> list[Entry]:
        """What was submitted besides what stands: it is paid as well."""
        shown = {entry.key for entry in self._entries.values()}
        return [entry for entry in self._submitted() if entry.key not in shown]

    def _draw(self) -> Group:
        now = self._clock.now()
        bill = cost.bill(cost.total([*self._earlier, *self._entries.values()], now), self._limit)
        told = [bill] if bill else []
        told += [f"{step}: {found.words()}" for step, found in self._machines.items()]
        told += [
            f"{step}: {words}" for step, heard in self._heard.items() if (words := heard.words(now))
        ]
        told += [
            f"{step}: {words}" for step, curve in self._curves.items() if (words := curve.summary())
        ]
        return Group(
            progress(Run(self._entries), now),
            *(Text(line, style="cyan", overflow="ellipsis", no_wrap=True) for line in told),
            *(Text(line, style="dim", overflow="ellipsis", no_wrap=True) for line in self._log),
        )


@contextmanager
def view(
    console: Console,
    clock: Clock,
    run: Run,
    limit: float | None = None,
    submitted: Submitted = tuple,
) -> Iterator[View]:
    """The view that fits the console. *limit* is the spending limit, in US dollars; *submitted*
    gives all that the pipeline has submitted so far."""
    # A dumb terminal can't draw anew: a live table would show nothing on it.
    if not console.is_terminal or console.is_dumb_terminal:
        yield PlainView(console, clock)
        return
    with LiveView(console, clock, run, limit, submitted) as live:
        yield live


def progress(run: Run, now: datetime, attempts: Mapping[str, int] | None = None) -> Group:
    """The steps: state, time taken, what they run on, what that comes to; OCI's words on those
    that did not end well, or not yet, below. *attempts* count the submissions of a step."""
    drawn = grid("step", "state", "time", "on", "list price")
    for step in STEPS:
        entry = run.get(step)
        if entry is None:
            drawn.add_row(step, Text("not run", style="dim"))
            continue
        count = (attempts or {}).get(step, entry.attempt)
        drawn.add_row(
            f"{step} ({count})" if count > 1 else step,
            Text(entry.shown_state, style=STYLES.get(entry.state, "yellow")),
            _took(entry, now),
            f"{entry.replicas} x {entry.shape}" if entry.shape else "",
            spent(entry, now),
        )
    told = (
        Text(f"{entry.step}: {PLAYED.sub('', entry.details)}", style=STYLES.get(entry.state, ""))
        for entry in run.entries.values()
        if entry.details and not entry.done
    )
    return Group(drawn, *told)


def costs(definitions: Iterable[Definition]) -> Table:
    """What each definition would cost, as far as that is known."""
    drawn = grid("definition", "on", "list price", "takes", "comes to")
    for definition in definitions:
        found = cost.estimate(definition)
        drawn.add_row(
            definition.path.name,
            f"{found.replicas} x {found.shape}" if found.shape else "no compute",
            f"${found.per_hour:.2f}/h" if found.per_hour else "not known" if found.shape else "",
            f"{found.duration.hours:g} h" if found.duration else "",
            f"${found.total:.2f}" if found.total else "",
        )
    return drawn


def spent(entry: Entry, now: datetime) -> str:
    """What the step has cost so far by list price; the price alone where nobody is billed."""
    price = cost.per_hour(entry.shape, entry.replicas, ocpus=entry.ocpus, memory_gb=entry.memory_gb)
    if price is None or entry.started is None:
        return ""
    if entry.simulated or entry.local:
        return f"${price:.2f}/h"
    return f"${cost.spent(entry, now):.2f}"


def _labelled(line: LogLine) -> str:
    return f"{line.label} |" if line.label else "|"


def grid(*headings: str) -> Table:
    """A table without lines."""
    drawn = Table(box=None, pad_edge=False)
    for heading in headings:
        drawn.add_column(heading, no_wrap=heading not in BREAKABLE)
    return drawn


def _took(entry: Entry, now: datetime) -> str:
    if entry.submitted is None:
        return ""
    if entry.done and entry.finished is None:
        return "stands"
    seconds = max(0, int(((entry.finished or now) - entry.submitted).total_seconds()))
    return str(timedelta(seconds=seconds))
