"""``make demo-down``: destroy, check that nothing stands, stop the server, remove the files."""

from __future__ import annotations

import sys

from . import cloud as embedded
from .commands import run_quietly
from .deploy import choose_provider, destroy
from .errors import DemoError
from .places import FOLDER, NAME, ROOT, STACKS, TENANCY, leave_nothing
from .terminal import console


def run() -> None:
    """Remove everything that ``up`` made; running it twice does no harm.

    :raises DemoError: something still stands in the embedded OCI after the destroy.
    """
    cloud = embedded.running()
    if cloud is None:
        _forget()
        return
    if _was_deployed():
        jobs = [
            sys.executable,
            "-m",
            "jobs",
            "delete",
            "--weights",
            "--yes",
            "--tenancy",
            str(TENANCY),
        ]
        if (ROOT / "definitions" / NAME).is_dir():
            run_quietly("jobs delete: what ran", jobs, cloud.environment)
        destroy(cloud, choose_provider("auto"))
    if standing := cloud.standing():
        raise DemoError(f"still standing after the destroy: {standing}")
    console.print("[green]✓[/] nothing stands in the embedded OCI")
    embedded.stop(cloud)
    _forget()


def _was_deployed() -> bool:
    return any((ROOT / f"terraform.{NAME}-{stack}.tfstate").exists() for stack in STACKS)


def _forget() -> None:
    """The embedded OCI lives in its process alone: without it nothing stands, so files go."""
    had_files = FOLDER.exists() or _was_deployed()
    leave_nothing()
    console.print(
        "[green]✓[/] the embedded OCI is stopped, its files are removed"
        if had_files
        else "nothing to take down"
    )
