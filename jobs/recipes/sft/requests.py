"""Requests to stop that come by the checkpoints' folder: ``stop/<OCID of the run>``, as JSON.

Whoever started the run writes one when its maximum runtime is near, or a person wants the machines
back. A run looks only for its own name; so what was asked of another run stops nobody.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from ..buckets import BucketError
from .stores import Store

FOLDER = "stop"
"""Below the checkpoints' folder. Whoever asks has the same name for it."""
EVERY = 15.0
"""Seconds between two looks."""

_PATIENCE = 5.0  # seconds that a look may take at the end
# OCI tells each run its own OCID; ADS also the main one's, where each node is a run of its own.
_NAMES = ("MAIN_JOB_RUN_OCID", "JOB_RUN_OCID")
_UNKNOWN = "a request"


def run_ocid() -> str:
    """The OCID under which this run is known to whoever started it; '' outside of OCI."""
    return next((os.environ[name] for name in _NAMES if os.environ.get(name)), "")


class Requests:
    """Looks for a request beside the training, so that no step waits for a bucket.

    *heard* is called once, with who asks; from a thread of its own.
    """

    def __init__(
        self, store: Store, run: str, heard: Callable[[str], None], every: float = EVERY
    ) -> None:
        self._store = store
        self._name = f"{FOLDER}/{run}"
        self._heard = heard
        self._every = every
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="sft-requests", daemon=True)
        self._thread.start()

    def close(self) -> bool:
        """Listen no more; whether the thread has ended.

        A look that is under way is waited for, but not as long as a bucket may be silent. While it
        lasts, the process must not end in the ordinary way: where the interpreter goes from under
        a thread, PyTorch's C++ aborts the process (SIGABRT), and a run that was well is FAILED.
        """
        self._over.set()
        self._thread.join(_PATIENCE)
        return not self._thread.is_alive()

    def answer(self) -> None:
        """The request is followed: it can go. What remains of it would harm nobody."""
        with suppress(BucketError, OSError):
            self._store.delete(self._name)

    def _listen(self) -> None:
        while not self._over.is_set():
            content = self._look()
            if content is not None and not self._over.is_set():
                self._heard(_by(content))
                return
            self._over.wait(self._every)

    def _look(self) -> bytes | None:
        try:
            return self._store.read(self._name)
        except Exception:  # noqa: BLE001 (no training ends because nobody could ask it to)
            return None


def _by(content: bytes) -> str:
    """Who asks; anything but our own words is a request as well."""
    try:
        told: Any = json.loads(content)
        by = str(told["by"])
    except (ValueError, KeyError, TypeError):
        return _UNKNOWN
    return by if by.isprintable() and "(" not in by and ")" not in by else _UNKNOWN
