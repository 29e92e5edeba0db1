"""A server whose job runs really run, and what tests do with it.

What stands for a conda environment is the one that the tests run in: no PyTorch is in it.
"""

from __future__ import annotations

import io
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ocimock import ServedCloud
from ocimock.server.announcement import ServerFile
from tests.ocimock.workbench import M, Workbench, workbench
from tests.servers import running_server

RAN = "run by ocimock on this machine"
# Seconds after which a run that does not end is a fault of the mock.
_PATIENCE = 60.0
_ENDS = ("SUCCEEDED", "FAILED", "CANCELED")

EXECUTION = f"""
isolation = "auto"
stop_seconds = 5
[environments]
"no-such-*" = "{sys.prefix}"
"" = "{sys.prefix}"
"tests" = "{sys.prefix}"
[images."fra.ocir.io/ocimock/known:*"]
environment = "{sys.prefix}"
[images."fra.ocir.io/ocimock/known:*".variables]
OF_THE_IMAGE = "yes"
OF_BOTH = "image"
[limits]
memory = "1 GB"
disk = "1 GB"
"""


@contextmanager
def executing_server(folder: Path, *options: str, text: str = EXECUTION) -> Iterator[ServerFile]:
    """A running server that executes, by an execution file of that *text*."""
    file = folder / "execution.toml"
    file.write_text(text)
    with running_server(folder / "home", "--execute", str(file), *options) as found:
        yield found


@contextmanager
def bench_at(server: ServerFile) -> Iterator[Bench]:
    """A fresh tenancy of *server*, as its environment's clients see it."""
    served = ServedCloud(server)
    served.reset()
    with pytest.MonkeyPatch.context() as patch:
        for name, text in served.environment.items():
            patch.setenv(name, text)
        yield Bench(served, workbench(served))
    # A test may have ended the server.
    if server.is_up():
        served.reset()


@dataclass(frozen=True)
class Bench:
    """A tenancy, and jobs in it."""

    served: ServedCloud
    work: Workbench

    def job(
        self,
        artifact: bytes | str,
        name: str = "script.py",
        variables: dict[str, str] | None = None,
        **changes: Any,
    ) -> Any:
        """A job of one node. *changes* are fields of its configuration, or of its own."""
        configuration = {
            found: changes.pop(found)
            for found in ("command_line_arguments", "maximum_runtime_in_minutes")
            if found in changes
        }
        details = M.DefaultJobConfigurationDetails(
            environment_variables=variables or {}, **configuration
        )
        made = self.work.science.create_job(
            self.work.job_details(
                **{"job_configuration_details": details, **changes},
            )
        ).data
        return self.upload(made, artifact, name)

    def nodes_job(self, artifact: bytes | str, replicas: int, **changes: Any) -> Any:
        """A job of several nodes."""
        details = self.work.nodes_details(replicas, **changes)
        return self.upload(self.work.science.create_job(details).data, artifact, "script.py")

    def upload(self, job: Any, artifact: bytes | str, name: str) -> Any:
        self.work.science.create_job_artifact(
            job.id,
            artifact.encode() if isinstance(artifact, str) else artifact,
            content_disposition=f"attachment; filename={name}",
        )
        return job

    def run(self, job: Any, **changes: Any) -> Any:
        """A run that has ended."""
        return self.ended(self.work.run(job, **changes))

    def get(self, run: Any) -> Any:
        return self.work.science.get_job_run(run.id).data

    def ended(self, run: Any) -> Any:
        return self.until(run, lambda: self.get(run).lifecycle_state in _ENDS)

    def until_line(self, run: Any, text: str) -> Any:
        """The run, when *text* is among its lines."""
        return self.until(run, lambda: text in self.lines(run))

    def until(self, run: Any, is_so: Callable[[], bool]) -> Any:
        deadline = time.monotonic() + _PATIENCE
        while not is_so():
            assert time.monotonic() < deadline, (self.get(run), self.work.lines(run.id))
            time.sleep(0.03)
        return self.get(run)

    def lines(self, run: Any) -> list[str]:
        """What its code printed."""
        return [line for line in self.work.lines(run.id) if f"[{RAN}]" not in line]

    def own_lines(self, run: Any) -> list[str]:
        """What the mock itself wrote into its log."""
        return [line for line in self.work.lines(run.id) if f"[{RAN}]" in line]


class Process:
    """A process of this machine, told from a later one of its number."""

    def __init__(self, pid: int) -> None:
        self._stat = Path(f"/proc/{pid}/stat")
        self._began = self._read()[19]

    def is_gone(self) -> bool:
        try:
            found = self._read()
        except OSError:
            return True
        return found[0] == "Z" or found[19] != self._began

    def wait_until_gone(self) -> None:
        deadline = time.monotonic() + _PATIENCE
        while not self.is_gone():
            assert time.monotonic() < deadline, self._stat
            time.sleep(0.03)

    def _read(self) -> list[str]:
        """What follows the command's name: the state first, when it began as the 20th."""
        return self._stat.read_text().rpartition(")")[2].split()


def zipped(files: dict[str, str], modes: dict[str, int] | None = None) -> bytes:
    """A zip of those files."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, text in files.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = (modes or {}).get(name, 0o644) << 16
            archive.writestr(info, text)
    return made.getvalue()
