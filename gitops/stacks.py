"""The synthesized stacks: where they lie, and which outputs of one another they read."""

from __future__ import annotations

import hashlib
import json
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import GitopsError, SynthesisError
from .processes import run

_OUT = Path("cdktf.out")
_CONFIGURATION = "cdk.tf.json"
# CDKTF's name for the data source through which a stack reads another's outputs.
_REFERENCE = re.compile(
    r"data\.terraform_remote_state\.cross-stack-reference-input-([\w.-]+?)\.outputs\.([\w-]+)"
)


@dataclass(frozen=True)
class Stack:
    """A stack as it was synthesized.

    :param folder: Terraform's working folder.
    :param backend: the kind of its backend: ``local``, ``oci``, ….
    :param reads: the outputs that it takes from others, by their stack's name.
    :param digest: of its configuration.
    """

    name: str
    folder: Path
    dependencies: tuple[str, ...]
    backend: str
    reads: Mapping[str, frozenset[str]]
    digest: str


def synthesize(tenancy: Path) -> list[Stack]:
    """Synthesize the stacks of a tenancy file; each comes after those that it depends on.

    Raises:
        SynthesisError: the tenancy file is wrong; the message is main.py's own.
    """
    done = run([sys.executable, "main.py"], environment={"TUNESTACK_TENANCY": str(tenancy)})
    if done.code:
        raise SynthesisError((done.said or done.printed).strip())
    return read(_OUT)


def read(folder: Path) -> list[Stack]:
    """The stacks of a synthesized app, in the order in which they can be applied."""
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    stacks = [_stack(folder, entry) for entry in manifest["stacks"].values()]
    return list(_ordered(stacks))


def lasting(tenancy: Path, *, kept: bool) -> list[Stack]:
    """The tenancy's stacks, synthesized, whose state does not end with the machine.

    :param kept: whether somebody said that the files of a local state are kept.

    Raises:
        GitopsError: the state is in files of this machine, or the stacks can't be synthesized.
    """
    stacks = synthesize(tenancy)
    need_lasting_state(stacks, tenancy, kept=kept)
    return stacks


def need_lasting_state(stacks: Iterable[Stack], tenancy: Path, *, kept: bool) -> None:
    """Raises :class:`GitopsError` for state in files of this machine, unless these are *kept*."""
    local = [stack.name for stack in stacks if stack.backend == "local"]
    if local and not kept:
        raise GitopsError(
            f"The Terraform state of {', '.join(local)} would be a file on this machine: the next "
            "run of the pipeline would know nothing of what stands, and build it a second time.",
            f"Give {tenancy} a 'state' section (tenancies/example.yaml), or say --local-state "
            "where this machine's files last. Another tenancy file is named by TUNESTACK_TENANCY.",
        )


def _stack(root: Path, entry: Mapping[str, Any]) -> Stack:
    text = (root / entry["synthesizedStackPath"]).read_text(encoding="utf-8")
    backends = json.loads(text)["terraform"].get("backend", {"local": {}})
    reads: dict[str, set[str]] = {}
    for stack, output in _REFERENCE.findall(text):
        reads.setdefault(stack, set()).add(output)
    return Stack(
        name=entry["name"],
        folder=root / entry["workingDirectory"],
        dependencies=tuple(entry["dependencies"]),
        backend=next(iter(backends)),
        reads={stack: frozenset(outputs) for stack, outputs in reads.items()},
        digest=hashlib.sha256(text.encode()).hexdigest(),
    )


def _ordered(stacks: list[Stack]) -> Iterable[Stack]:
    waiting = sorted(stacks, key=lambda stack: stack.name)
    placed: set[str] = set()
    while waiting:
        ready = next(stack for stack in waiting if placed.issuperset(stack.dependencies))
        waiting.remove(ready)
        placed.add(ready.name)
        yield ready
