"""One page of what ran: the steps, the loss curve as a picture, all in a single HTML file.

It loads nothing: style and picture are in it, so that it can be mailed, or kept by a pipeline.
"""

from __future__ import annotations

import html
import io
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from .record import STEPS, Entry, Run

# Colours that people who confuse red and green tell apart. Source: Okabe and Ito, 2008.
_TRAIN, _EVAL = "#0072B2", "#D55E00"

# What matplotlib would write into the picture: when and by what it was made.
_METADATA = ("Date", "Creator", "Format", "Type")

_PAGE = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>{title}</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif }}
body {{ margin: 2rem auto; max-width: 60rem; padding: 0 1rem }}
table {{ border-collapse: collapse; width: 100% }}
th, td {{ text-align: left; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid #ccc }}
td.ocid {{ font: 12px ui-monospace, monospace; overflow-wrap: anywhere }}
figure {{ margin: 2rem 0 }} svg {{ max-width: 100%; height: auto }}
pre {{ background: #f4f4f4; padding: .8rem; white-space: pre-wrap }}
@media (prefers-color-scheme: dark) {{ body {{ background: #111; color: #eee }}
svg {{ background: #fff }} pre {{ background: #222 }} }}
</style>
<h1>{title}</h1>
<p>Written {written} UTC.</p>
<table>
<tr><th>step<th>state<th>time<th>on<th>what it made</tr>
{rows}
</table>
{curve}
"""


def page(title: str, run: Run, points: Sequence[Mapping[str, Any]], written: datetime) -> str:
    """The whole page as HTML.

    :param points: metrics of the fine-tuning as its recipe prints them: ``metric`` (train or eval),
        ``step``, ``loss``.
    """
    rows = "\n".join(_row(entry) for step in STEPS if (entry := run.get(step)) is not None)
    figure = f"<figure>{picture(points)}</figure>" if points else ""
    return _PAGE.format(
        title=html.escape(title),
        written=written.strftime("%Y-%m-%d %H:%M"),
        rows=rows,
        curve=figure or "<p>The fine-tuning left no metrics.</p>",
    )


def picture(points: Sequence[Mapping[str, Any]]) -> str:
    """The loss over the steps as an SVG."""
    import matplotlib as mpl

    # Not pyplot, which holds on to every figure and looks for a screen.
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4), layout="constrained")
    FigureCanvasSVG(figure)
    axes = figure.add_subplot()
    for metric, colour, mark in (("train", _TRAIN, ""), ("eval", _EVAL, "o")):
        chosen = [point for point in points if point.get("metric") == metric]
        if chosen:
            steps, losses = zip(*((each["step"], each["loss"]) for each in chosen), strict=True)
            axes.plot(steps, losses, color=colour, marker=mark, label=f"{metric} loss")
    axes.set_xlabel("step")
    axes.set_ylabel("loss (nats per token)")
    axes.grid(visible=True, alpha=0.3)
    axes.legend()
    drawn = io.StringIO()
    # No date, and names of its parts that are no random ones: the same run gives the same file.
    with mpl.rc_context({"svg.hashsalt": "tunestack"}):
        figure.savefig(drawn, format="svg", metadata=dict.fromkeys(_METADATA))
    return drawn.getvalue().partition("?>")[2].partition('.dtd">')[2].strip()


def _row(entry: Entry) -> str:
    made = "<br>".join(html.escape(f"{name} {ocid}") for name, ocid in entry.ids.items())
    on = f"{entry.replicas} x {entry.shape}" if entry.shape else ""
    cells = (entry.step, entry.shown_state, _took(entry), on)
    shown = "".join(f"<td>{html.escape(cell)}" for cell in cells)
    return f"<tr>{shown}<td class=ocid>{made}</tr>"


def _took(entry: Entry) -> str:
    if entry.submitted is None or entry.finished is None:
        return "stands" if entry.done else ""
    return str(timedelta(seconds=max(0, int((entry.finished - entry.submitted).total_seconds()))))
