"""What a person reads at the end: what stands, what ran, what it would have cost, where to look."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rich.table import Table

from .cloud import EmbeddedCloud
from .places import FOLDER, NAME, ROOT, TENANCY
from .terminal import console

# What the embedded OCI calls its resources, for a reader. What is not named here is shown as is.
_NAMES = {
    "containerrepo": "container repository",
    "datasciencejob": "job",
    "datasciencejobrun": "job run",
    "datasciencemodel": "model in the catalog",
    "datasciencemodeldeployment": "model deployment",
    "datasciencenotebooksession": "notebook session",
    "datascienceproject": "Data Science project",
    "dhcpoptions": "DHCP options",
    "dynamicgroup": "dynamic group",
    "loggroup": "log group",
    "natgateway": "NAT gateway",
    "routetable": "route table",
    "securitylist": "security list",
    "servicegateway": "service gateway",
    "vcn": "VCN",
}


@dataclass(frozen=True)
class Outcome:
    """How the demo ended: the record of ``jobs status``, the lines of ``jobs check``."""

    cloud: EmbeddedCloud
    record: Mapping[str, Mapping[str, Any]]
    costs: str
    answer: str
    seconds: float


def print_summary(outcome: Outcome) -> None:
    """Print the summary."""
    console.rule("[bold]what stands")
    standing = outcome.cloud.standing()
    console.print(
        ", ".join(f"{count} {_NAMES.get(kind, kind)}" for kind, count in sorted(standing.items())),
        highlight=False,
    )
    console.rule("[bold]what ran")
    console.print(_steps(outcome.record))
    console.rule("[bold]what it would have cost")
    console.print(outcome.costs, highlight=False, markup=False)
    console.rule("[bold]what the endpoint said")
    console.print(outcome.answer, highlight=False, markup=False)
    console.rule("[bold]where to look")
    console.print(_places(), highlight=False)
    console.print(f"[bold green]done[/] in {outcome.seconds:.0f} s", highlight=False)


def _steps(record: Mapping[str, Mapping[str, Any]]) -> Table:
    table = Table(box=None, pad_edge=False)
    for column in ("step", "state", "on", "name"):
        table.add_column(column, no_wrap=column != "name")
    for step, entry in record.items():
        state = f"{entry['state']} (simulated)" if entry["simulated"] else entry["state"]
        shape = f"{entry['replicas']} x {entry['shape']}" if entry["shape"] else ""
        table.add_row(step, state, shape, entry["title"])
    return table


def _places() -> Table:
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    logs = FOLDER.relative_to(ROOT)
    rows = (
        (
            "definitions",
            f"definitions/{NAME}/ - finetune.yaml goes to 'ads opctl run -f' unchanged",
        ),
        ("job log", f"python -m jobs logs finetune --tenancy {TENANCY}"),
        ("set-up logs", f"{logs}/logs/, {logs}/ocimock.log"),
        ("talk to it", f'eval "$(python -m ocimock env --home {logs}/ocimock)"'),
        ("take it down", "make demo-down"),
    )
    for row in rows:
        table.add_row(*row)
    return table
