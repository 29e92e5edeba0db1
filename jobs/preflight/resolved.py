"""Lists that were found to resolve, kept for a week: so that a second preflight is quick.

Only success is kept. Under ``~/.cache/tunestack`` (``XDG_CACHE_HOME``), a file a list; nothing of
it is needed, so whatever can't be read or written is passed over.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from .resolving import Package, Resolution

KEPT = timedelta(days=7)
# The index decides too: another one may lack a package.
_VARIABLES = (
    *("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS"),
    *("UV_DEFAULT_INDEX", "UV_INDEX", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS"),
)


def recall(question: Mapping[str, Any], now: datetime) -> Resolution | None:
    """What was found to *question* in the last :data:`KEPT`; None where nothing was."""
    try:
        kept = json.loads(_path(question).read_text(encoding="utf-8"))
        if not timedelta(0) <= now - datetime.fromisoformat(kept["time"]) <= KEPT:
            return None
        packages = {name: Package(name, version) for name, version in kept["packages"].items()}
        return Resolution(packages, tuple(kept["sources"]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def keep(question: Mapping[str, Any], found: Resolution, now: datetime) -> None:
    """Keep what was found to *question*."""
    path = _path(question)
    content = {
        "time": now.isoformat(),
        "packages": {each.name: each.version for each in found.packages.values()},
        "sources": list(found.sources),
    }
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        half = path.with_suffix(f".{os.getpid()}")
        half.write_text(json.dumps(content), encoding="utf-8")
        half.replace(path)


def _path(question: Mapping[str, Any]) -> Path:
    asked = {**question, "indexes of this machine": [os.environ.get(name) for name in _VARIABLES]}
    digest = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "tunestack" / "resolved" / f"{digest[:32]}.json"
