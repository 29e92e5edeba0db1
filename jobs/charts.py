"""Curves as SVG, to stand in an HTML page: they load nothing, and the same figures give the same
picture."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass

# Colours that people who confuse red and green tell apart. Source: Okabe and Ito, 2008.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
# What matplotlib would write into the picture: when and by what it was made.
_METADATA = ("Date", "Creator", "Format", "Type")
# Names of the picture's parts, and what points to them.
_NAMES = re.compile(r'(\bid="|url\(#|href="#)')


@dataclass(frozen=True)
class Curve:
    """One curve; *marked* shows its points."""

    label: str
    points: tuple[tuple[float, float], ...]
    marked: bool = False


def chart(name: str, title: str, x: str, y: str, curves: Sequence[Curve]) -> str:
    """The curves as an SVG. *name* tells its parts from another picture's on the same page."""
    import matplotlib as mpl

    # Not pyplot, which holds on to every figure and looks for a screen.
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 3.5), layout="constrained")
    FigureCanvasSVG(figure)
    axes = figure.add_subplot()
    for number, curve in enumerate(curves):
        xs, ys = zip(*curve.points, strict=True)
        mark = "o" if curve.marked or len(xs) == 1 else ""
        axes.plot(xs, ys, color=COLOURS[number % len(COLOURS)], marker=mark, label=curve.label)
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.grid(visible=True, alpha=0.3)
    axes.legend()
    drawn = io.StringIO()
    # No date, and names of its parts that are no random ones.
    with mpl.rc_context({"svg.hashsalt": "tunestack"}):
        figure.savefig(drawn, format="svg", metadata=dict.fromkeys(_METADATA))
    svg = drawn.getvalue().partition("?>")[2].partition('.dtd">')[2].strip()
    labelled = svg.replace("<svg ", f'<svg role="img" aria-label="{title}" ', 1)
    return _NAMES.sub(rf"\g<1>{name}-", labelled)
