"""``make demo-down``: destroy, check that nothing stands, stop the server, remove the files."""

from __future__ import annotations

from . import cloud as embedded
from . import hub_process
from .cases import Case, standing_case
from .commands import jobs, run_quietly
from .deploy import choose_provider, destroy
from .errors import LeftoversError, StepFailedError
from .places import FOLDER, ROOT, STACKS, leave_nothing
from .terminal import console

# What ran with all that it left, and what was staged for it: only an empty bucket can be destroyed.
_ALL = ("--weights", "--staged", "--cancel")


def run(*, force: bool = False) -> None:
    """Remove everything that ``up`` made; running it twice does no harm.

    :param force: destroy nothing, end the server with all that is in it.
    :raises LeftoversError: the destroy failed, or something stands in spite of it.
    """
    case = standing_case()
    cloud = embedded.running()
    if cloud is not None and not force:
        _destroy(case, cloud)
    if cloud is not None:
        embedded.stop(cloud)
    hub_process.stop()
    _forget(case)


def _destroy(case: Case, cloud: embedded.EmbeddedCloud) -> None:
    try:
        if (ROOT / "definitions" / case.name).is_dir():
            command = jobs(case, "delete", *_ALL, "--yes", "--interval", "1")
            run_quietly("jobs delete: what ran", command, cloud.environment)
        if _was_deployed(case):
            destroy(case, cloud, choose_provider("auto"))
    except StepFailedError as fault:
        raise LeftoversError(str(fault)) from None
    if standing := cloud.standing():
        found = ", ".join(f"{count} {kind}" for kind, count in standing.items())
        raise LeftoversError(f"still standing after the destroy: {found}")
    console.print("[green]✓[/] nothing stands in the embedded OCI")


def _was_deployed(case: Case) -> bool:
    return any((ROOT / f"terraform.{case.name}-{stack}.tfstate").exists() for stack in STACKS)


def _forget(case: Case) -> None:
    """The embedded OCI lives in its process alone: without it nothing stands, so files go."""
    had_files = FOLDER.exists() or _was_deployed(case)
    leave_nothing(case.name)
    console.print(
        "[green]✓[/] the embedded OCI is stopped, its files are removed"
        if had_files
        else "nothing to take down"
    )
