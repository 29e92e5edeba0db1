"""One page of a pipeline: its steps, what went wrong and what was done, its curves, its cost.

A single HTML file that loads nothing: style and pictures are in it, so that it can be mailed, or
kept by a pipeline. The only links lead to OCI's console.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from . import cost, history
from .charts import Curve as Line
from .charts import chart
from .console_links import console_link
from .gpu_metrics import MEMORY, UTILISATION, GpuSeries
from .history import Summary
from .ledger import Event
from .metrics import EVAL, TRAIN, Curve, Point
from .record import Entry

_PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif }}
body {{ margin: 2rem auto; max-width: 64rem; padding: 0 1rem }}
table {{ border-collapse: collapse; width: 100% }}
caption {{ text-align: left; font-weight: bold }}
th, td {{ text-align: left; vertical-align: top }}
th, td {{ padding: .3rem .8rem .3rem 0; border-bottom: 1px solid #8888 }}
.ocid {{ font: 12px ui-monospace, monospace; overflow-wrap: anywhere }}
figure {{ margin: 2rem 0 }} svg {{ max-width: 100%; height: auto; background: #fff }}
pre {{ background: #8882; padding: .8rem; white-space: pre-wrap; overflow-wrap: anywhere }}
details {{ margin: .5rem 0 }}
@media print {{ body {{ margin: 0; max-width: none }} figure, tr {{ break-inside: avoid }} }}
</style>
</head>
<body>
<main>
<h1>{title}</h1>
<p>{about}</p>
{body}
</main>
</body>
</html>
"""

# Rows of the table beside a curve; the curve has all points.
_ROWS = 200


@dataclass(frozen=True)
class Report:
    """What the page shows. *gpus* are curves by step; *limit* is the spending limit in US dollars;
    *missing* says what could not be read."""

    title: str
    written: datetime
    summary: Summary
    events: Sequence[Event] = ()
    training: Curve | None = None
    gpus: tuple[tuple[str, tuple[GpuSeries, ...]], ...] = ()
    limit: float | None = None
    missing: tuple[str, ...] = ()


def page(report: Report) -> str:
    """The whole page as HTML."""
    found = report.summary
    about = (
        f"Pipeline {found.pipeline.number}: {found.outcome}, began "
        f"{found.pipeline.began:%Y-%m-%d %H:%M} UTC, {_time(found.duration)}. "
        f"{cost.bill(found.standing, report.limit)} "
        f"Written {report.written:%Y-%m-%d %H:%M} UTC."
    )
    parts = [
        _steps(found, report.written),
        *_training(report.training),
        *(each for step, series in report.gpus for each in _gpus(step, series)),
        _events(report.events),
        *(f"<p>{_text(each)}</p>" for each in report.missing),
        f"<p>{_text(cost.price_note())}</p>",
    ]
    return _PAGE.format(
        title=_text(report.title), about=_text(" ".join(about.split())), body="\n".join(parts)
    )


def _steps(found: Summary, now: datetime) -> str:
    rows = []
    for entry in found.run.entries.values():
        told = (
            entry.step,
            entry.shown_state,
            str(found.attempts.get(entry.step, entry.attempt)),
            _took(entry),
            f"{entry.replicas} x {entry.shape}" if entry.shape else "",
            _money(entry, now),
        )
        cells = "".join(f"<td>{_text(cell)}</td>" for cell in told)
        rows.append(f'<tr>{cells}<td class="ocid">{_made(entry)}</td></tr>')
    headings = ("step", "state", "attempts", "time", "on", "list price", "what it made")
    return _table("Steps", headings, rows)


def _made(entry: Entry) -> str:
    """The OCIDs, each with a link to its page in the console; none to what OCI does not have."""
    told = []
    for kind, identifier in entry.ids.items():
        link = "" if entry.simulated or entry.local else console_link(kind, identifier)
        shown = _text(identifier)
        told.append(
            f"{_text(kind)} " + (f'<a href="{html.escape(link)}">{shown}</a>' if link else shown)
        )
    return "<br>".join(told)


def _training(curve: Curve | None) -> list[str]:
    points = curve.all() if curve else []
    if curve is None or not points:
        return ["<p>The fine-tuning left no metrics.</p>"]
    losses = [
        Line(f"{kind} loss", tuple((point.step, point.loss) for point in curve.of(kind)), marked)
        for kind, marked in ((TRAIN, False), (EVAL, True))
        if curve.of(kind)
    ]
    rows = [
        _row(str(point.step), point.kind, f"{point.loss:.4f}", _speed(point.speed))
        for point in _thinned(points)
    ]
    figures = _table("Loss by step", ("step", "of", "loss", "tokens a second"), rows)
    told = [
        _figure("loss", "Loss", "step", "loss (nats per token)", losses, figures),
    ]
    speeds = tuple(
        (point.step, point.speed) for point in curve.of(TRAIN) if point.speed is not None
    )
    if speeds:
        line = Line("all ranks together", speeds)
        told.append(_figure("speed", "Speed", "step", "tokens a second", [line]))
    return told


def _thinned(points: Sequence[Point]) -> list[Point]:
    """Evenly chosen ones, where there are more than a reader wants; the last among them, and every
    evaluation."""
    apart = -(-len(points) // _ROWS)
    last = len(points) - 1
    return [
        point
        for number, point in enumerate(points)
        if (last - number) % apart == 0 or point.kind != TRAIN
    ]


def _gpus(step: str, series: Iterable[GpuSeries]) -> Iterable[str]:
    """One picture a quantity: a curve for each slot, the mean of all nodes' GPUs in it."""
    series = list(series)
    begin = min((at for each in series for at, _ in each.points), default=None)
    for quantity in (UTILISATION, MEMORY):
        chosen = [each for each in series if each.quantity == quantity]
        if not chosen or begin is None:
            continue
        lines = [
            Line(
                each.gpu or "all GPUs",
                tuple(((at - begin).total_seconds() / 60, value) for at, value in each.points),
            )
            for each in chosen
        ]
        rows = [
            _row(each.gpu or "all GPUs", *(f"{value:.0f}" for value in _extremes(each)))
            for each in chosen
        ]
        name = f"GPU {quantity} of {step}"
        figures = _table(name, ("GPU", "lowest", "mean", "highest"), rows)
        yield _figure(f"gpu-{step}-{quantity}", name, "minutes", "percent", lines, figures)


def _extremes(series: GpuSeries) -> tuple[float, float, float]:
    values = [value for _, value in series.points]
    return min(values), sum(values) / len(values), max(values)


def _events(events: Iterable[Event]) -> str:
    """What happened, in its order; of a failure with the lines of the log that say why."""
    rows = []
    for event in events:
        lines = [str(line) for line in event.details.get("lines", ())]
        advice = str(event.details.get("advice", ""))
        told = _text(history.words(event))
        told += f"<br>{_text(advice)}" if advice else ""
        told += f"<pre>{_text(chr(10).join(lines))}</pre>" if lines else ""
        rows.append(
            f"<tr><td>{event.at:%Y-%m-%d %H:%M:%S}</td><td>{_text(event.step)}</td>"
            f"<td>{told}</td></tr>"
        )
    return _table("What happened", ("UTC", "step", "what"), rows) if rows else ""


def _figure(name: str, title: str, x: str, y: str, lines: Sequence[Line], table: str = "") -> str:
    drawn = chart(name, _text(title), x, y, lines)
    figures = f"<details><summary>Its figures</summary>{table}</details>" if table else ""
    return f"<figure><figcaption>{_text(title)}</figcaption>{drawn}{figures}</figure>"


def _table(caption: str, headings: Iterable[str], rows: Iterable[str]) -> str:
    head = "".join(f'<th scope="col">{_text(each)}</th>' for each in headings)
    return (
        f"<table><caption>{_text(caption)}</caption><thead><tr>{head}</tr></thead>"
        f"<tbody>\n{chr(10).join(rows)}\n</tbody></table>"
    )


def _row(*cells: str) -> str:
    return f"<tr>{''.join(f'<td>{_text(cell)}</td>' for cell in cells)}</tr>"


def _text(text: str) -> str:
    return html.escape(text)


def _money(entry: Entry, now: datetime) -> str:
    spent = cost.spent(entry, now)
    if spent is None:
        return "not known"
    return f"${spent:,.2f}" if entry.shape else ""


def _speed(speed: float | None) -> str:
    return f"{speed:,.0f}" if speed is not None else ""


def _took(entry: Entry) -> str:
    if entry.submitted is None or entry.finished is None:
        return "stands" if entry.done else ""
    return _time(entry.finished - entry.submitted)


def _time(duration: timedelta) -> str:
    return str(timedelta(seconds=max(0, int(duration.total_seconds()))))
