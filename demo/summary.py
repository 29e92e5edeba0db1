"""What a person reads at the end: what stands, what it would have cost, where to look."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass

from rich.table import Table

from .cloud import EmbeddedCloud
from .places import FOLDER, NAME, ROOT
from .standing import described
from .terminal import console


@dataclass(frozen=True)
class Outcome:
    """How the demo ended: what ``jobs check`` and ``jobs predict`` printed."""

    cloud: EmbeddedCloud
    costs: str
    question: str
    answer: str
    seconds: float


def print_summary(outcome: Outcome) -> None:
    """Print the summary."""
    heading("what stands")
    console.print(_rows(described(outcome.cloud.standing())))
    heading("what it would have cost on Oracle Cloud")
    console.print(outcome.costs, highlight=False, markup=False)
    heading("what the endpoint said")
    for line in outcome.question.splitlines():
        console.print(f"> {line}", highlight=False, markup=False, style="dim")
    console.print(outcome.answer, highlight=False, markup=False)
    heading("where to look")
    console.print(_rows(_places()))
    console.print(f"[bold green]done[/] in {outcome.seconds:.0f} s", highlight=False)


def heading(text: str) -> None:
    """A line across the screen with *text* in it."""
    console.rule(f"[bold]{text}", characters="─")


def _places() -> dict[str, str]:
    files = FOLDER.relative_to(ROOT)
    home = shlex.quote(f"{files}/ocimock")
    return {
        "definitions": f"definitions/{NAME}/ (ads opctl run -f takes them as they are)",
        "talk to it": '. .venv/bin/activate; eval "$(python -m ocimock env --home ' + home + ')"',
        "then": "python -m jobs status; python -m jobs logs finetune; oci os ns get",
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
