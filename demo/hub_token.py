"""The hub's token: made up here, and put into the vault as a user does with a real one."""

from __future__ import annotations

import secrets

from .cases import Case
from .cloud import EmbeddedCloud
from .commands import jobs, run_quietly
from .places import FOLDER

_FILE = FOLDER / "hub-token"


def token() -> str:
    """A token that is good for no hub but the rehearsal's own; the same until the demo ends."""
    if not _FILE.exists():
        _FILE.touch(mode=0o600)
        _FILE.write_text(f"hf_{secrets.token_urlsafe(24)}\n")
    return _FILE.read_text().strip()


def store(case: Case, cloud: EmbeddedCloud) -> None:
    """From the vault the job takes it; where none is, preflight refuses to begin."""
    token()
    command = jobs(case, "secret", "set", "--file", str(_FILE))
    run_quietly("jobs secret set: the hub's token into the vault", command, cloud.environment)
