"""Where a running server says that it is, for whoever looks for one. Imports no server."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

FILE = "server.json"


@dataclass(frozen=True)
class ServerFile:
    """What a running server leaves in its home for others to find it by."""

    pid: int
    url: str
    environment: dict[str, str]

    @classmethod
    def read(cls, home: Path) -> ServerFile | None:
        """The file of *home*; None where there is none, or it is not whole."""
        try:
            return cls(**json.loads((home / FILE).read_text()))
        except (OSError, ValueError, TypeError):
            return None
