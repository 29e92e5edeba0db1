"""A tenancy on ocimock, its files, and a clock of its own: for breaking one thing at a time."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from jobs.clock import SystemClock
from ocimock import mock_oci
from ocimock.cloud import Settings
from ocimock.inprocess import MockedCloud
from tests.jobs import workbench
from tests.jobs.workbench import BUCKET, Faults

# What differs from run to run, and what stands for it in a table.
_VARYING = (
    (re.compile(r"\bocid1\.\w+\.oc1\.[\w.-]+"), "OCID"),
    (re.compile(r"(opc-request-id: )\w+"), r"\1ID"),
    (re.compile(r"(?<=-)[0-9a-f]{8}(?=')"), "KEY"),
    (re.compile(r"\S+'s process \d+ on \S+, since [\d:]+ UTC"), "SOMEBODY"),
)


@dataclass
class Broken:
    """What a failure is made with; *home* is the working folder of the commands."""

    cloud: MockedCloud
    home: Path
    patch: pytest.MonkeyPatch
    faults: Faults
    on_sleep: list[Callable[[], None]] = field(default_factory=list)
    held: list[object] = field(default_factory=list)  # as long as the tenancy

    def edit(self, name: str, old: str, new: str) -> None:
        """Change a definition, as a person would."""
        path = self.home / "definitions" / "demo" / name
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")

    def put(self, name: str) -> None:
        """An object of the bucket."""
        workbench.storage(self.cloud).put_object(self.cloud.namespace, BUCKET, name, b"{}")

    def objects(self, prefix: str) -> list[str]:
        """Names of the bucket's objects."""
        found = workbench.storage(self.cloud).list_objects(
            self.cloud.namespace, BUCKET, prefix=prefix
        )
        return [each.name for each in found.data.objects]

    @property
    def ledger(self) -> Path:
        return self.home / ".tunestack" / "demo" / "ledger.db"

    def runs(self) -> int:
        """How many job runs were started."""
        calls = [call for call in self.cloud.calls if call.operation == "create_job_run"]
        return sum(call.status < 300 for call in calls)


@contextmanager
def broken(
    home: Path,
    patch: pytest.MonkeyPatch,
    settings: Settings,
    *,
    versioned: bool = True,
    pace: float = 0.0,
) -> Iterator[Broken]:
    """A whole tenancy: what is wrong with it, whoever asks for it does."""
    with mock_oci(settings, pace=pace) as cloud:
        workbench.build(cloud, versioned=versioned).write(home / "definitions" / "demo")
        (home / "tenancies").mkdir()
        (home / "tenancies" / "demo.yaml").write_text("")
        patch.chdir(home)
        patch.delenv("TUNESTACK_TENANCY", raising=False)
        made = Broken(cloud, home, patch, Faults(patch))
        made.put("merged/config.json")
        _own_the_clock(patch, made)
        yield made


def plain(text: str) -> list[str]:
    """The lines without what differs from run to run."""
    for pattern, stand_in in _VARYING:
        text = pattern.sub(stand_in, text)
    return text.replace(str(Path.cwd()), "HOME").splitlines()


def _own_the_clock(patch: pytest.MonkeyPatch, made: Broken) -> None:
    """The commands' clock only moves by sleeping, from now on."""
    ahead = timedelta()
    began: datetime = SystemClock().now()

    def sleep(_clock: SystemClock, seconds: float) -> None:
        nonlocal ahead
        ahead += timedelta(seconds=seconds)
        for call in made.on_sleep:
            call()

    patch.setattr(SystemClock, "now", lambda _clock: began + ahead)
    patch.setattr(SystemClock, "sleep", sleep)
