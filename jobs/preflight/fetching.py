"""What the jobs of a pipeline fetch from outside of OCI, by their definitions."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from urllib.parse import urlsplit

from ..definitions import Definition

HUB = "https://huggingface.co"
PACKAGES = "the package index"
# Hosts that a service gateway leads to, or that are within the network itself.
_INSIDE = (".oraclecloud.com", ".oraclevcn.com", ".oci.customer-oci.com")
_STAGING = "recipes.stage"


def fetched(definition: Definition) -> list[str]:
    """The hosts outside of OCI that a job asks, in the order in which ADS's driver comes to them:
    its code's, those of its packages, and the hub of the staging."""
    return list(dict.fromkeys(_fetched(definition)))


def _fetched(definition: Definition) -> Iterator[str]:
    runtime, env = definition.runtime, definition.env
    yield from _outside(str((runtime.get("git") or {}).get("url", "")))
    if any((runtime.get("dependencies") or {}).values()):
        index = env.get("PIP_INDEX_URL", "")
        yield from _outside(index) if index else [PACKAGES]
    if _STAGING in str(runtime.get("command", "")):
        yield from _outside(env.get("HF_ENDPOINT", HUB))


def _outside(url: str) -> Iterator[str]:
    """The host of *url*, unless it is one within OCI or this network; nothing of a file."""
    host = urlsplit(url).hostname or _of_ssh(url)
    if not host or host == "localhost" or host.endswith(_INSIDE):
        return
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        yield host
        return
    if address.is_global:
        yield host


def _of_ssh(url: str) -> str:
    """The host of ``git@HOST:PATH``; '' of anything else."""
    before, colon, _ = url.partition(":")
    return before.rpartition("@")[2] if colon and "@" in before and "/" not in before else ""
