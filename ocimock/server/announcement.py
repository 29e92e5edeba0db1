"""Where a running server says that it is, for whoever looks for one. Imports no server."""

from __future__ import annotations

import json
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from urllib.parse import urlsplit

FILE = "server.json"

_PATIENCE = 2.0  # seconds


@dataclass(frozen=True)
class ServerFile:
    """What a running server leaves in its home for others to find it by."""

    pid: int
    url: str
    environment: dict[str, str]

    def is_up(self) -> bool:
        """Whether it still runs: a server that was killed leaves its file behind."""
        connection = HTTPConnection(urlsplit(self.url).netloc, timeout=_PATIENCE)
        try:
            connection.request("GET", "/ocimock/health")
            return b"ocimock" in connection.getresponse().read()
        except TimeoutError:
            return True  # it has much to do
        except (OSError, HTTPException):
            return False
        finally:
            connection.close()

    @classmethod
    def read(cls, home: Path) -> ServerFile | None:
        """The file of *home*; None where there is none, or it is not whole."""
        try:
            return cls(**json.loads((home / FILE).read_text()))
        except (OSError, ValueError, TypeError):
            return None
