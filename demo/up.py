"""``make demo``: from nothing to an answer of the deployed model."""

from __future__ import annotations

import time

from . import cloud as embedded
from .commands import capture, jobs, run_openly, run_quietly
from .deploy import choose_provider, deploy
from .places import FOLDER
from .summary import Outcome, heading, print_summary
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
    heading("tunestack demo")
    found = embedded.running()
    cloud = found or embedded.start()
    console.print(
        f"[green]✓[/] embedded OCI (ocimock) {'found' if found else 'started'} at {cloud.url}; "
        "no call leaves this machine",
        highlight=False,
    )
    deploy(cloud, choose_provider(provider))
    run_quietly("jobs emit: the definitions", jobs("emit"), cloud.environment)
    costs = capture("jobs check", jobs("check"), cloud.environment)
    heading("what ran")
    run_openly("jobs run", jobs("run", "--interval", "1"), cloud.environment)
    answer = capture("jobs predict", jobs("predict", _DIALOGUE), cloud.environment)
    seconds = time.monotonic() - started
    print_summary(Outcome(cloud, costs.strip(), _DIALOGUE, answer.strip(), seconds))
