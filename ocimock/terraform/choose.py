"""Which provider a demo uses: Oracle's own where Terraform can get it, else the stand-in.

Only a demo or a test may ask: a deploy to a real tenancy never comes by here.
"""

from __future__ import annotations

import os
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from ocimock.terraform import HOST, SOURCE, VERSION
from ocimock.terraform.mirror import plugin_path

_PROBE_SECONDS: Final = 3.0
#: A registry answers here to whoever asks what it offers.
_DISCOVERY: Final = f"https://{HOST}/.well-known/terraform.json"


class Kind(StrEnum):
    REAL = "real"
    STAND_IN = "stand-in"


@dataclass(frozen=True)
class Choice:
    kind: Kind
    #: Why, in a sentence to print.
    reason: str


def choose(
    forced: Kind | None = None,
    folders: Iterable[Path] | None = None,
    registry_answers: Callable[[], bool] | None = None,
) -> Choice:
    """Decide. `folders` are mirrors and caches to look in, `registry_answers` the probe."""
    if forced is not None:
        return Choice(forced, f"{forced} provider: asked for.")
    for folder in plugin_folders(os.environ) if folders is None else folders:
        if _is_real(plugin_path(folder)):
            return Choice(Kind.REAL, f"real provider: {SOURCE} {VERSION} is in {folder}.")
    if (registry_answers or ask_registry)():
        return Choice(Kind.REAL, f"real provider: {HOST} answers.")
    return Choice(
        Kind.STAND_IN,
        f"stand-in provider: {SOURCE} {VERSION} is in no local mirror or cache, and {HOST} "
        f"does not answer within {_PROBE_SECONDS:.0f} s.",
    )


def plugin_folders(environment: Mapping[str, str]) -> list[Path]:
    """Where Terraform finds a provider without a network, if somebody put it there."""
    home = Path(environment.get("HOME", "/"))
    cache = environment.get("TF_PLUGIN_CACHE_DIR")
    return [
        *([Path(cache)] if cache else []),
        home / ".terraform.d" / "plugin-cache",
        home / ".terraform.d" / "plugins",
        Path("/usr/local/share/terraform/plugins"),
    ]


def ask_registry() -> bool:
    """Whether the registry answers within three seconds."""
    try:
        with urllib.request.urlopen(_DISCOVERY, timeout=_PROBE_SECONDS) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _is_real(plugin: Path) -> bool:
    """Whether there is a plugin that is a program; the stand-in's is a script."""
    try:
        with plugin.open("rb") as file:
            return file.read(2) not in (b"", b"#!")
    except OSError:
        return False
