"""The command that writes a pipeline's report."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from . import history, status, tenancy
from .console import clock, say
from .errors import JobsError, RecordError
from .gpu_metrics import GpuSeries
from .ledger import Ledger, PipelineRecord
from .metrics import Curve
from .options import FolderOption, TenancyOption
from .record import Entry, Run
from .session import ledger_of, sign_in_where


def report(
    to: Annotated[Path, typer.Option("--to", metavar="FILE", help="The HTML file to write.")],
    tenancy_file: TenancyOption = None,
    folder: FolderOption = None,
    number: Annotated[
        int | None, typer.Option("--pipeline", metavar="NUMBER", help="Default: the newest.")
    ] = None,
) -> None:
    """Write one HTML file of a pipeline: steps, failures, curves, cost; it loads nothing."""
    from .files import write_atomically
    from .report import Report, page

    chosen = tenancy.find(tenancy_file)
    ledger = ledger_of(chosen)
    pipeline = _pipeline(ledger, number)
    found = history.summary(ledger, pipeline, clock.now())
    definitions = folder or chosen.definitions
    missing: list[str] = []
    sign_in_where(*found.run.entries.values())
    made = Report(
        title=f"tunestack: {chosen.name}",
        written=clock.now(),
        summary=found,
        events=ledger.events(pipeline.number),
        training=_training(found.run, definitions, missing),
        gpus=tuple(_gpus(found.run, missing)),
        limit=status.spending_limit(definitions),
        missing=tuple(missing),
    )
    write_atomically(to, page(made))
    for each in missing:
        say(each)
    say(str(to))


def _pipeline(ledger: Ledger, number: int | None) -> PipelineRecord:
    found = ledger.pipelines()
    if not found:
        raise RecordError("Nothing was run yet.", "Start with 'python -m jobs run'.")
    wanted = found[0].number if number is None else number
    for pipeline in found:
        if pipeline.number == wanted:
            return pipeline
    raise RecordError(
        f"There is no pipeline {wanted}.", "'python -m jobs history' lists those that are."
    )


def _training(run: Run, definitions: Path, missing: list[str]) -> Curve | None:
    from .curves import curve_of

    entry = run.get("finetune")
    if entry is None:
        return None
    try:
        return curve_of(entry, definitions)
    except JobsError as error:
        missing.append(error.what.splitlines()[0])
        return None


def _gpus(run: Run, missing: list[str]) -> Iterator[tuple[str, tuple[GpuSeries, ...]]]:
    from . import gpu_metrics, machines, states

    for entry in run.entries.values():
        if not _had_gpus(entry) or entry.started is None:
            continue
        try:
            source = machines.source_of(states.job_run(entry))
            series = gpu_metrics.curves(source, entry.started, entry.finished)
        except JobsError as error:
            missing.append(error.what.splitlines()[0])
            continue
        if series:
            yield entry.step, tuple(series)


def _had_gpus(entry: Entry) -> bool:
    return "job_run" in entry.ids and "GPU" in entry.shape and not entry.simulated
