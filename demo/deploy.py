"""``cdktf deploy`` and ``cdktf destroy`` against the embedded OCI."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ocimock.terraform.choose import Kind, choose
from ocimock.terraform.mirror import environment, install

from .cases import Case
from .cloud import EmbeddedCloud
from .commands import run_quietly
from .errors import DemoError
from .places import PROVIDER_HOME, cdktf
from .terminal import console

# Terraform's lines, as cdktf passes them on: "oci_core_vcn.vcn: Creation complete after 1s".
_PROGRESS = re.compile(r"(?P<what>\boci_[\w.]+).*?: (?P<state>[A-Z][a-z]+)")
_DONE = {"Creation": "created", "Destruction": "destroyed", "Modifications": "modified"}


def choose_provider(forced: str) -> dict[str, str]:
    """What Terraform must export to find oracle/oci: nothing for the real one.

    :param forced: ``auto``, ``real`` or ``stand-in``.
    :raises DemoError: *forced* is none of these.
    """
    if forced not in ("auto", *Kind):
        raise DemoError(f"--provider {forced}: allowed are auto, {', '.join(Kind)}")
    choice = choose(None if forced == "auto" else Kind(forced))
    console.print(f"[green]✓[/] {choice.reason}", highlight=False)
    if choice.kind is Kind.REAL:
        return {}
    return environment(install(PROVIDER_HOME))


def deploy(case: Case, cloud: EmbeddedCloud, provider: Mapping[str, str]) -> None:
    """Synthesize and apply every stack of the case's tenancy file."""
    _cdktf("cdktf deploy '*'", ["deploy", "*", "--auto-approve"], case, cloud, provider)


def destroy(case: Case, cloud: EmbeddedCloud, provider: Mapping[str, str]) -> None:
    """Destroy every stack of the case's tenancy file."""
    _cdktf("cdktf destroy '*'", ["destroy", "*", "--auto-approve"], case, cloud, provider)


def _cdktf(
    title: str,
    arguments: list[str],
    case: Case,
    cloud: EmbeddedCloud,
    provider: Mapping[str, str],
) -> None:
    variables = {
        **cloud.terraform_environment(),
        **provider,
        "TUNESTACK_TENANCY": str(case.tenancy),
        "CI": "1",  # plain lines instead of a screen that redraws itself
        "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "20",
    }
    # The stand-in lies in a mirror without checksums of other platforms, and the demo's lock file
    # would be one more thing to leave behind.
    command = [str(cdktf()), *arguments, "--skip-provider-lock"]
    run_quietly(title, command, variables, note=_progress)


def _progress(line: str) -> str | None:
    if "Initializing" in line:
        return "terraform init"
    found = _PROGRESS.search(line)
    if found is None:
        return None
    state = found["state"]
    return f"{found['what']} {_DONE.get(state, state.lower())}"
