"""Definitions to try things on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from jobs.definitions import FILES, KINDS, Definition
from jobs.machines import Machines
from jobs.record import Entry
from jobs.run_log import LogLine

DATA = Path(__file__).parent / "data"
START = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def text(name: str) -> str:
    return (DATA / f"{name}.yaml").read_text(encoding="utf-8")


def definition(name: str, **replaced: str) -> Definition:
    """A sample; each keyword's value replaces the text in it that the keyword's name spells."""
    changed = text(name)
    for old, new in replaced.items():
        assert old in changed
        changed = changed.replace(old, new)
    return Definition(name, Path(f"{name}.yaml"), changed)


def all_definitions() -> dict[str, Definition]:
    return {name: definition(name) for name in KINDS}


def write_all(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        (folder / name).write_text(text(Path(name).stem), encoding="utf-8")
    return folder


def entry(step: str, state: str = "SUCCEEDED", **values: object) -> Entry:
    """An entry of *step*, with the digest of the sample that it submits."""
    ids = {
        "stage": {"job": "ocid1.datasciencejob.w", "job_run": "ocid1.datasciencejobrun.w"},
        "finetune": {"job": "ocid1.datasciencejob.x", "job_run": "ocid1.datasciencejobrun.x"},
        "merge": {"job": "ocid1.datasciencejob.y", "job_run": "ocid1.datasciencejobrun.y"},
        "register": {"model": "ocid1.datasciencemodel.x"},
        "deploy": {"deployment": "ocid1.datasciencemodeldeployment.x"},
    }[step]
    return Entry(step=step, state=state, ids=ids).changed(**values)


class OwnedClock:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.time = START
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += timedelta(seconds=seconds)


class Recorder:
    """A view that remembers."""

    def __init__(self) -> None:
        self.states: list[tuple[str, str]] = []
        self.lines: list[str] = []
        self.said: list[str] = []
        self.looks: list[tuple[str, Machines]] = []

    def show(self, entry: Entry) -> None:
        shown = (entry.step, entry.shown_state)
        if not self.states or self.states[-1] != shown:
            self.states.append(shown)

    def log(self, step: str, line: LogLine) -> None:
        self.lines.append(line.text)

    def machines(self, step: str, found: Machines) -> None:
        self.looks.append((step, found))

    def say(self, text: str) -> None:
        self.said.append(text)
