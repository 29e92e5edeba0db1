"""Which machine this host can be for nodes."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from .namespaces import NamespacedMachine
from .nodes import Machine
from .plain import PlainMachine
from .specs import Cause, NodeSpec

Isolation = Literal["auto", "namespaces", "none"]
"""How nodes are to be kept apart; ``auto``: as far as it goes here."""

# What people keep secret in their home.
_SECRETS = (
    ".oci", ".ssh", ".aws", ".azure", ".config", ".docker", ".kube", ".gnupg", ".netrc",
    ".git-credentials", ".pypirc", ".npmrc", ".pgpass", ".vault-token", ".terraform.d",
    ".password-store", ".local/share/keyrings", ".huggingface", ".cache/huggingface/token",
    ".cache/huggingface/stored_tokens",
)  # fmt: skip
_PROBE = ("/bin/sh", "-c", ":")


class IsolationError(Exception):
    """Nodes are to be kept apart, and can't be on this machine."""


def best_machine(isolation: Isolation, *, hidden: Sequence[Path] = ()) -> Machine:
    """The machine that keeps nodes apart best; its ``reason`` says why it is no better.

    Whether namespaces can be had is found out by starting a node that does nothing.

    :param hidden: folders and files of the host that no node is to see, where they can be hidden.
    :raises IsolationError: ``namespaces`` was asked for, and can't be had.
    """
    if isolation == "none":
        return PlainMachine()
    why_not = _why_no_namespaces()
    if not why_not:
        return NamespacedMachine(hidden)
    if isolation == "namespaces":
        raise IsolationError(
            f"nodes can't be kept apart by namespaces on this machine: {why_not}.\n"
            'Set isolation to "auto" or "none", and they run as plain processes.'
        )
    return PlainMachine(why_not)


def secret_places(home: Path) -> tuple[Path, ...]:
    """What of somebody's home no node should see."""
    return tuple(home / name for name in _SECRETS)


def _why_no_namespaces() -> str:
    if sys.platform != "linux":
        return f"{sys.platform} has none"
    with tempfile.TemporaryDirectory(prefix="ocimock-probe-") as folder:
        machine = NamespacedMachine()
        spec = NodeSpec(
            name="probe", folder=Path(folder), command=_PROBE, environment={},
            working_directory="/", network="probe", address="10.0.0.2",
        )  # fmt: skip
        try:
            end = machine.start(spec, lambda _: None).wait()
        except OSError as error:
            return str(error)
        finally:
            machine.close()
    if end is None or end.cause is not Cause.EXITED or end.exit_code:
        return end.message if end is not None else "the kernel did not say why"
    return ""
