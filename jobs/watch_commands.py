"""The command that follows what was submitted, as it goes."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from . import status, tenancy
from .console import clock, out, say
from .errors import RecordError, RefusedError, StepFailedError, UnreachableError
from .json_view import JsonView
from .judging import spent_on
from .ledger import Ledger
from .options import FolderOption, IntervalOption, Step, TenancyOption
from .session import leadership_of, ledger_of, sign_in_to, sign_in_where
from .views import PlainView, view
from .watch import View

if TYPE_CHECKING:
    from .leading import Leadership


def watch(
    step: Annotated[Step | None, typer.Argument(help="Default: all steps.")] = None,
    tenancy_file: TenancyOption = None,
    folder: FolderOption = None,
    every: Annotated[
        bool, typer.Option("--all", help="Of all tenancies in this folder; states only.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    interval: IntervalOption = 10.0,
) -> None:
    """Follow the pipeline to its end, with the steps that a 'run' elsewhere submits: states, the
    log of all nodes, loss, GPUs; exits 0 when it ends well and 1 when it does not."""
    if every:
        _watch_all(interval, as_json=as_json)
        return
    chosen = tenancy.find(tenancy_file)
    ledger = ledger_of(chosen)
    pipeline = status.pipeline_in(folder or chosen.definitions)
    _need_something(ledger, step)
    if pipeline is None:
        sign_in_where(*ledger.read().entries.values())
    else:
        sign_in_to(pipeline.region)
    limit = pipeline.spending_limit if pipeline else None
    watching = partial(_watch, ledger, step, interval, partial(_Leads(folder), chosen.name))
    if as_json:
        shown_json = JsonView(say, clock)
        _ending(shown_json, partial(watching, shown_json), partial(_spent, ledger, limit))
        return
    with view(out, clock, ledger.read(), limit, partial(spent_on, ledger)) as shown:
        watching(shown)
    out.print(status.shown(status.current(ledger, clock.now()), limit, clock.now()))


def _need_something(ledger: Ledger, step: Step | None) -> None:
    if step is not None:
        ledger.read().need(step.value)
    elif not ledger.pipelines():
        raise RecordError("Nothing was run yet.", "Start with 'python -m jobs run'.")


def _watch(
    ledger: Ledger, step: Step | None, interval: float, led: Callable[[], bool], shown: View
) -> None:
    from .overview import Observer
    from .pipeline_watch import PipelineWatch

    PipelineWatch(
        ledger=ledger,
        view=shown,
        clock=clock,
        observe=Observer(clock, interval).observe,
        led=led,
        interval=interval,
        step=step.value if step else "",
    ).watch()


def _ending(
    shown: JsonView, watching: Callable[[], None], figures: Callable[[], dict[str, float | None]]
) -> None:
    """The last line says how it ended, and what it has cost."""
    try:
        watching()
    except StepFailedError as error:
        shown.end("FAILED", reason=error.what, **figures())
        raise
    shown.end("SUCCEEDED", **figures())


def _spent(ledger: Ledger, limit: float | None) -> dict[str, float | None]:
    found = status.current(ledger, clock.now())
    return {"spent_usd": round(found.standing, 2) if found else 0.0, "spending_limit_usd": limit}


def _watch_all(interval: float, *, as_json: bool) -> None:
    from .overview import ledgers
    from .watch_all import WatchAll

    found = ledgers(clock)
    sign_in_where(*(entry for each in found.values() for entry in each.read().entries.values()))

    def shown(name: str) -> View:
        return JsonView(say, clock, tenancy=name) if as_json else PlainView(out, clock, name)

    def spent() -> dict[str, float | None]:
        return {"spent_usd": sum(_spent(each, None)["spent_usd"] or 0.0 for each in found.values())}

    watching = WatchAll(found, shown, clock, _Leads(), interval).watch
    if as_json:
        _ending(JsonView(say, clock), watching, spent)
    else:
        watching()


class _Leads:
    """Whether a process leads the pipeline of a tenancy: one of another machine too, whose news
    are then taken over from the ledger's mirror."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._known: dict[str, Leadership] = {}

    def __call__(self, name: str) -> bool:
        chosen = tenancy.Tenancy(name)
        if name not in self._known:
            found = status.pipeline_in(self._folder or chosen.definitions)
            self._known[name] = leadership_of(chosen, found)
        if self._known[name].leader() is None:
            return False
        with suppress(RefusedError, UnreachableError):
            self._known[name].pull()
        return True
