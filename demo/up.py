"""``make demo`` and ``make rehearse``: from nothing to an answer of the deployed model."""

from __future__ import annotations

import time

from . import cloud as embedded
from . import hub_token, rehearsal
from .cases import DEMO, REHEARSAL, Case, standing_case, write_down
from .commands import capture, jobs, run_openly, run_quietly
from .deploy import choose_provider, deploy
from .errors import OtherCaseError
from .places import FOLDER, forget
from .rehearsal import Server
from .summary import Outcome, heading, print_summary
from .terminal import console

REPORT = FOLDER / "report.html"


def choose(*, rehearse: bool, simulate: bool) -> Case:
    """What to show: the case in which jobs really run, where that is asked for or can be had."""
    if rehearse:
        return REHEARSAL
    if simulate:
        return DEMO
    if rehearsal.torch_is_there():
        console.print(
            "[green]✓[/] PyTorch is there (make rehearse installed it), so every job really runs, "
            "on a tiny model; make demo SIMULATE=1 plays the tutorial's case instead"
        )
        return REHEARSAL
    return DEMO


def run(case: Case, provider: str, server: Server | None) -> None:
    """Do it all; what is done already is found done.

    :param server: what serves the rehearsal's model; None takes what serves already.

    :raises DemoError: a step failed, or another case stands.
    """
    started = time.monotonic()
    FOLDER.mkdir(exist_ok=True)
    heading("tunestack rehearsal" if case.runs else "tunestack demo")
    cloud = _cloud(case, server)
    deploy(case, cloud, choose_provider(provider))
    hub_token.store(case, cloud)
    run_quietly("jobs emit: the definitions", jobs(case, "emit"), cloud.environment)
    costs = capture("jobs check", jobs(case, "check"), cloud.environment)
    heading("what ran")
    run_openly("jobs run", jobs(case, "run", "--interval", "1"), cloud.environment)
    curve = _curve(case, cloud)
    answer = capture("jobs predict", jobs(case, "predict", case.dialogue), cloud.environment)
    seconds = time.monotonic() - started
    print_summary(Outcome(case, cloud, costs.strip(), curve, answer.strip(), seconds))


def _cloud(case: Case, server: Server | None) -> embedded.EmbeddedCloud:
    found = embedded.running()
    if found is not None and standing_case() != case:
        raise OtherCaseError(standing_case().name)
    if found is None:
        _begin_anew()
    options = rehearsal.prepare(server, stands=found is not None) if case.runs else ()
    write_down(case)
    cloud = found or embedded.start(options)
    console.print(
        f"[green]✓[/] embedded OCI (ocimock) {'found' if found else 'started'} at {cloud.url}; "
        "no call leaves this machine",
        highlight=False,
    )
    return cloud


def _begin_anew() -> None:
    """Terraform would look for what stood in the embedded OCI, at an address that is no more."""
    if forget(standing_case().name):
        console.print(
            "[yellow]![/] the embedded OCI had ended without make demo-down, and all that stood in "
            "it is gone with it: beginning anew"
        )


def _curve(case: Case, cloud: embedded.EmbeddedCloud) -> str:
    """The loss as the terminal shows it; its picture goes into the report."""
    if not case.runs:
        return ""
    command = jobs(case, "report", "--to", str(REPORT))
    run_quietly("jobs report: the loss curve", command, cloud.environment)
    return capture("jobs metrics", jobs(case, "metrics", "finetune"), cloud.environment)
