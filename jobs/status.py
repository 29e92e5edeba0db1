"""How a tenancy's pipeline stands: its steps, what is waited for, what it has cost."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from . import cost, history
from .definitions import read_pipeline
from .errors import DefinitionError
from .history import Summary
from .lease import Leader
from .ledger import Ledger
from .pipeline import Pipeline
from .record import Run, as_data
from .views import STYLES, grid, progress


def pipeline_in(folder: Path) -> Pipeline | None:
    """What the ``pipeline.yaml`` in *folder* says; None where there is none, or it is not in
    order: how something stands can be told without."""
    try:
        return read_pipeline(folder)
    except DefinitionError:
        return None


def spending_limit(folder: Path) -> float | None:
    """The limit that the definitions in *folder* set, in US dollars; None without any."""
    found = pipeline_in(folder)
    return found.spending_limit if found else None


def current(ledger: Ledger, now: datetime) -> Summary | None:
    """The newest pipeline; None before the first."""
    pipeline = ledger.current()
    return None if pipeline is None else history.summary(ledger, pipeline, now)


def shown(
    found: Summary | None, limit: float | None, now: datetime, leader: Leader | None = None
) -> Group:
    """For a reader."""
    if found is None:
        return Group(progress(Run(), now))
    told: list[RenderableType] = [
        Text(heading(found, leader)),
        progress(found.run, now, found.attempts),
    ]
    told += [
        Text(f"{step}: waiting until {each.until:%H:%M:%S} UTC: {each.reason}", style="yellow")
        for step, each in found.waiting.items()
    ]
    if money := cost.bill(found.standing, limit):
        told.append(Text(money))
    return Group(*told)


def heading(found: Summary, leader: Leader | None = None) -> str:
    """``Pipeline 3: RUNNING, 1:02:03, led by …``."""
    led = f", led by {leader}" if leader else ""
    return f"Pipeline {found.pipeline.number}: {found.outcome}, {took(found.duration)}{led}"


def for_programs(
    name: str, found: Summary | None, limit: float | None, leader: Leader | None = None
) -> dict[str, Any]:
    """The same as JSON: the pipeline, and the steps by their names."""
    return {
        "tenancy": name,
        "pipeline": found.as_data() if found else None,
        "leader": str(leader) if leader else None,
        "spending_limit_usd": limit,
        "steps": as_data(found.run) if found else {},
    }


def of_all(found: dict[str, Summary | None]) -> RenderableType:
    """One line a tenancy."""
    drawn = grid("tenancy", "pipeline", "state", "time", "steps", "list price")
    for name, each in found.items():
        if each is None:
            drawn.add_row(name, "", Text("not run", style="dim"), "", "", "")
            continue
        steps = ", ".join(
            f"{entry.step} {entry.shown_state}"
            for entry in each.run.entries.values()
            if not entry.done
        )
        done = sum(entry.done for entry in each.run.entries.values())
        drawn.add_row(
            name,
            str(each.pipeline.number),
            Text(each.outcome, style=STYLES.get(each.pipeline.state, "yellow")),
            took(each.duration),
            f"{done} done{', ' if steps else ''}{steps}",
            f"${each.standing:,.2f}",
        )
    return drawn


def took(duration: timedelta) -> str:
    """Whole seconds: ``1:02:03``."""
    return str(timedelta(seconds=int(duration.total_seconds())))
