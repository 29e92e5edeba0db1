"""Figures and how they are shown."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version

from rich.console import Console
from rich.table import Table

console = Console(width=120, highlight=False)
_NONE = "-"


@dataclass(frozen=True)
class Plan:
    """How much is measured.

    :param moto: the interpreter that has moto; None where there is none.
    :param rounds: how often each figure is taken; the median is shown.
    :param seconds: how long one taking lasts.
    :param quick: smaller sizes: the whole way in a minute, figures of no worth.
    """

    moto: str | None
    rounds: int
    seconds: float
    quick: bool


@dataclass(frozen=True)
class Taken:
    """The figures of several takers, one of each a round."""

    figures: Mapping[str, Sequence[float]]

    def median(self, name: str) -> float | None:
        """None where nobody of that name took part."""
        return statistics.median(self.figures[name]) if name in self.figures else None

    def ratio(self, name: str, other: str) -> float | None:
        """How many times *other*'s figure *name*'s is: the median of the rounds' ratios.

        Both figures of a ratio were taken within a second or two, in the same weather.
        """
        if other not in self.figures:
            return None
        pairs = zip(self.figures[name], self.figures[other], strict=True)
        return statistics.median(one / two for one, two in pairs)


def in_turns(rounds: int, takers: Mapping[str, Callable[[], float]]) -> Taken:
    """Every taker's figures, taken A B C, C B A, A B C …: nobody always follows the same one."""
    taken: dict[str, list[float]] = {name: [] for name in takers}
    for number in range(rounds):
        for name in list(takers)[:: 1 if number % 2 == 0 else -1]:
            taken[name].append(takers[name]())
    return Taken(taken)


def table(title: str, *columns: str) -> Table:
    """An empty table whose first column is text and whose others are figures."""
    made = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
    for number, column in enumerate(columns):
        made.add_column(column, justify="left" if number == 0 else "right", no_wrap=True)
    return made


def verdict(holds: bool | None) -> str:
    """Whether a target holds; nothing where it was not measured."""
    if holds is None:
        return ""
    return "[green]holds[/]" if holds else "[red]FAILS[/]"


def rate(figure: float | None) -> str:
    """Calls a second."""
    if figure is None:
        return _NONE
    return f"{figure:,.0f}" if figure >= 20 else f"{figure:.1f}"


def percent(ratio: float | None) -> str:
    return _NONE if ratio is None else f"{ratio:.0%}"


def times(ratio: float | None) -> str:
    return _NONE if ratio is None else f"{ratio:.1f} x"


def reaches(ratio: float | None, least: float) -> bool | None:
    """Whether a target holds; None where it was not measured."""
    return None if ratio is None else ratio >= least


def milliseconds(seconds: float | None) -> str:
    return _NONE if seconds is None else f"{seconds * 1000:,.1f} ms"


def print_machine(plan: Plan) -> None:
    """What the figures were taken on."""
    load = os.getloadavg()[0]
    packages = ", ".join(f"{name} {version(name)}" for name in ("oci", "uvicorn", "httptools"))
    console.print(
        f"{os.cpu_count()} cores ({platform.machine()}, {platform.system()}), load {load:.1f}; "
        f"Python {platform.python_version()}, {packages}; "
        f"{plan.rounds} rounds of {plan.seconds} s"
    )
    if plan.quick:
        console.print("[yellow]--quick: sizes and times too small for the figures to mean much[/]")
