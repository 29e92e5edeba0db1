"""Progress for programs: one JSON object a line.

``{"at": …, "kind": "state" | "log" | "metric" | "event" | "machines" | "say" | "end", …}``
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from . import metrics
from .clock import Clock
from .machines import Machines
from .record import Entry
from .run_log import LogLine


class JsonView:
    """Writes a line for each change; *write* takes it without its end. *always* is in each."""

    def __init__(self, write: Callable[[str], None], clock: Clock, **always: str) -> None:
        self._write = write
        self._always = always
        self._clock = clock
        self._shown: dict[str, tuple[str, str, str]] = {}

    def show(self, entry: Entry) -> None:
        ocid = entry.ids.get("job_run") or entry.ids.get(entry.kind, "")
        now = (ocid, entry.state, entry.details)
        if self._shown.get(entry.step) == now:
            return
        self._shown[entry.step] = now
        self._line(
            "state",
            step=entry.step,
            state=entry.state,
            details=entry.details,
            id=ocid,
            attempt=entry.attempt,
            simulated=entry.simulated,
            local=entry.local,
        )

    def log(self, step: str, line: LogLine) -> None:
        found = metrics.parse(line.text)
        where = {"step": step, "time": line.time, "node": line.node}
        if found is None:
            self._line("log", **where, text=line.text)
            return
        kind = "event" if isinstance(found, metrics.Event) else "metric"
        self._line(kind, **where, values=metrics.for_json(found.values))

    def machines(self, step: str, found: Machines) -> None:
        groups = [{"name": each.name, "state": each.state} for each in found.groups]
        gpu = found.gpu
        used = gpu and {
            "at": gpu.at.isoformat(),
            "utilisation": gpu.utilisation,
            "lowest": gpu.lowest,
            "memory": gpu.memory,
        }
        self._line("machines", step=step, groups=groups, gpu=used)

    def say(self, text: str) -> None:
        self._line("say", text=text)

    def end(self, state: str, **figures: Any) -> None:
        """All is over."""
        self._line("end", state=state, **figures)

    def _line(self, kind: str, **values: Any) -> None:
        at = self._clock.now().isoformat(timespec="milliseconds")
        self._write(
            json.dumps({"at": at, "kind": kind, **self._always, **values}, ensure_ascii=False)
        )
