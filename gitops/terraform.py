"""The Terraform command, in a stack's folder."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .errors import TerraformError
from .processes import Done, run
from .stacks import Stack

# Somebody else's apply may hold the state: a pipeline waits rather than fail.
_LOCK_TIMEOUT = "-lock-timeout=300s"
_CHANGES = 2  # Terraform's exit code with -detailed-exitcode
_LOCK_FILE = ".terraform.lock.hcl"
_FETCHED = Path(".gitops/providers")
_SCREEN = 25  # lines

_ADVICE = {
    "state lock": "Another run holds the state. If none does, 'terraform force-unlock' frees it.",
    "plan is stale": "Something was applied since the plan was made: run the pipeline again, which "
    "plans anew.",
    "authentic": "Check the credentials that the pipeline signs in with (docs/gitops.md).",
}


def init(stack: Stack, like: Stack | None = None) -> None:
    """Fetch the provider and find the state. Not two at once: they share what was fetched.

    :param like: a stack that was initialized before. Its provider is taken, for Terraform uses what
        it has fetched once only where a lock file names it; and that is 100 MB a stack.
    """
    if like and lock_file(like).is_file() and not lock_file(stack).is_file():
        shutil.copyfile(lock_file(like), lock_file(stack))
    _checked(stack, "init", _terraform(stack, "init", "-input=false"))


def outputs(stack: Stack) -> dict[str, Any]:
    """The values of the outputs in the stack's state; none where nothing was applied."""
    done = _checked(stack, "output", _terraform(stack, "output", "-json"))
    return {name: output["value"] for name, output in json.loads(done.printed).items()}


def plan(stack: Stack, to: Path) -> dict[str, Any] | None:
    """Plan into the file *to*; the plan as ``terraform show -json`` tells it.

    None where it is empty: nothing is to be done, not even to an output.
    """
    options = ["-input=false", "-detailed-exitcode", _LOCK_TIMEOUT, f"-out={to.resolve()}"]
    done = _checked(stack, "plan", _terraform(stack, "plan", *options), fine=(0, _CHANGES))
    if done.code == 0:
        return None
    shown = _checked(stack, "show", _terraform(stack, "show", "-json", str(to.resolve())))
    document: dict[str, Any] = json.loads(shown.printed)
    return document


def apply(stack: Stack, planned: Path) -> None:
    """Apply a plan. Its progress goes to the terminal."""
    options = ("-input=false", _LOCK_TIMEOUT, str(planned.resolve()))
    done = _terraform(stack, "apply", *options, openly=True)
    if done.code:
        raise TerraformError(
            f"terraform apply of {stack.name} failed.",
            "What it said stands above; what it had done until then is in the state.",
            "Mend that and run it again: it goes on from there. 'Saved plan is stale' means that "
            "something was applied since the plan was made.",
        )


def lock_file(stack: Stack) -> Path:
    """The providers that ``init`` chose; a plan can be applied with the same ones only."""
    return stack.folder / _LOCK_FILE


def _terraform(stack: Stack, *arguments: str, openly: bool = False) -> Done:
    name = os.environ.get("TERRAFORM_BINARY_NAME", "terraform")  # the name that cdktf-cli reads
    command = [name, f"-chdir={stack.folder}", arguments[0], "-no-color", *arguments[1:]]
    return run(command, environment=_environment(), openly=openly)


def _environment() -> Mapping[str, str]:
    fixed = {"TF_IN_AUTOMATION": "1", "CHECKPOINT_DISABLE": "1"}
    if "TF_PLUGIN_CACHE_DIR" in os.environ:  # set, if only to nothing: there is to be none then
        return fixed
    _FETCHED.mkdir(parents=True, exist_ok=True)
    return {**fixed, "TF_PLUGIN_CACHE_DIR": str(_FETCHED.resolve())}


def _checked(stack: Stack, verb: str, done: Done, *, fine: tuple[int, ...] = (0,)) -> Done:
    if done.code in fine:
        return done
    said = _message(done.said or done.printed)
    advice = next((text for part, text in _ADVICE.items() if part in said.lower()), "")
    raise TerraformError(f"terraform {verb} of {stack.name} failed.", said, advice)


def _message(text: str) -> str:
    """Terraform's errors, without its warnings and the boxes that it draws."""
    lines = [re.sub(r"^[│╷╵]? ?", "", line).rstrip() for line in text.splitlines()]
    first = next((n for n, line in enumerate(lines) if line.startswith("Error: ")), None)
    chosen = lines[-_SCREEN:] if first is None else lines[first : first + _SCREEN]
    return "\n".join(line for line in chosen if line)
