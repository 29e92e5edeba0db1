"""``make demo``: from nothing to an answer of the deployed model."""

from __future__ import annotations

import json
import sys
import time

from . import cloud as embedded
from .commands import capture, run_openly, run_quietly
from .deploy import choose_provider, deploy
from .places import FOLDER, TENANCY
from .summary import Outcome, print_summary
from .terminal import console

_DIALOGUE = (
    "Ana: Are the GPUs up?\n"
    "Ben: Six nodes, all green. Training starts at noon.\n"
    "Ana: Then I book the meeting for three."
)


def run(provider: str) -> None:
    """Do it all; what is done already is found done.

    :raises DemoError: a step failed.
    """
    started = time.monotonic()
    FOLDER.mkdir(exist_ok=True)
    console.rule("[bold]tunestack demo")
    found = embedded.running()
    cloud = found or embedded.start()
    console.print(
        f"[green]✓[/] embedded OCI (ocimock) {'found' if found else 'started'} at {cloud.url}; "
        "no call leaves this machine",
        highlight=False,
    )
    deploy(cloud, choose_provider(provider))
    jobs = [sys.executable, "-m", "jobs"]
    tenancy = ["--tenancy", str(TENANCY)]
    run_quietly("jobs emit: the definitions", [*jobs, "emit", *tenancy], cloud.environment)
    costs = capture("jobs check", [*jobs, "check", *tenancy], cloud.environment)
    run_openly("jobs run", [*jobs, "run", "--interval", "1", *tenancy], cloud.environment)
    answer = capture("jobs predict", [*jobs, "predict", _DIALOGUE, *tenancy], cloud.environment)
    status = [*jobs, "status", "--offline", "--json", *tenancy]
    record = json.loads(capture("jobs status", status, cloud.environment))
    seconds = time.monotonic() - started
    print_summary(Outcome(cloud, record, costs.strip(), answer.strip(), seconds))
