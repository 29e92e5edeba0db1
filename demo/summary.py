"""What a person reads at the end: what stands, what it would have cost, where to look."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass

from rich.table import Table

from .cases import Case
from .cloud import EmbeddedCloud
from .places import FOLDER, ROOT
from .standing import described
from .terminal import console


@dataclass(frozen=True)
class Outcome:
    """How the demo ended: what ``jobs check``, ``metrics`` and ``predict`` printed."""

    case: Case
    cloud: EmbeddedCloud
    costs: str
    curve: str
    answer: str
    seconds: float


def print_summary(outcome: Outcome) -> None:
    """Print the summary."""
    heading("what stands")
    console.print(_rows(described(outcome.cloud.standing())))
    if outcome.curve:
        heading("what it learnt")
        console.print(outcome.curve.splitlines()[-1], highlight=False, markup=False)
    heading("what it would have cost on Oracle Cloud")
    console.print(outcome.costs, highlight=False, markup=False)
    heading("what the endpoint said")
    for line in outcome.case.dialogue.splitlines():
        console.print(f"> {line}", highlight=False, markup=False, style="dim")
    console.print(outcome.answer, highlight=False, markup=False)
    if outcome.case.runs:
        console.print("A tiny model: expect its grammar, not sense.", style="dim")
    heading("where to look")
    console.print(_rows(_places(outcome.case)))
    console.print(f"[bold green]done[/] in {outcome.seconds:.0f} s", highlight=False)


def heading(text: str) -> None:
    """A line across the screen with *text* in it."""
    console.rule(f"[bold]{text}", characters="─")


def _places(case: Case) -> dict[str, str]:
    files = FOLDER.relative_to(ROOT)
    home = shlex.quote(f"{files}/ocimock")
    jobs = f"python -m jobs{{}}{f' --tenancy {case.tenancy}' if case.runs else ''}"
    report = {"report": f"{files}/report.html, with the loss curve"} if case.runs else {}
    return {
        "definitions": f"definitions/{case.name}/ (ads opctl run -f takes them as they are)",
        **report,
        "talk to it": '. .venv/bin/activate; eval "$(python -m ocimock env --home ' + home + ')"',
        "then": "; ".join([jobs.format(" status"), jobs.format(" logs finetune"), "oci os ns get"]),
        "logs of all this": f"{files}/logs/, {files}/ocimock.log",
        "take it down": "make demo-down",
    }


def _rows(content: Mapping[str, str]) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False, highlight=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, text in content.items():
        table.add_row(name, text)
    return table
