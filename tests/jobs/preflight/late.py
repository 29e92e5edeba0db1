"""The broken tenancies, run without preflight: how long after `jobs run` each fails, and at what
cost. Times pass on the mock's clock, at the durations of :data:`RUN_TIMES`; nobody waits.

    python -m tests.jobs.preflight.late        # writes the table of docs/preflight.md anew
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from unittest import mock

from jobs import cli, cost
from jobs.clock import SystemClock
from jobs.judging import spent_on
from jobs.ledger import Ledger
from jobs.record import STEPS, Entry
from ocimock.cloud import Settings
from tests.jobs.preflight.broken_tenancies import BROKEN, BrokenTenancy
from tests.jobs.preflight.whole import Neighbours, Whole, neighbours, whole

PAGE = Path(__file__).resolve().parents[3] / "docs" / "preflight.md"
BEGIN, END = "<!-- late: begin -->", "<!-- late: end -->"

# Seconds from the submission to the end. Of the training: the tutorial's 2.5 hours. Of the others,
# what a plan says of 26 GB of weights, and a quarter of an hour for the node to come up.
RUN_TIMES = ("-stage: 2400", "fine-tuning: 9000", "-merge: 1800")
DEPLOY_SECONDS = 1500.0
_LOOK = 120.0  # seconds between two looks of the runner
_LONGEST = timedelta(days=2)


@dataclass(frozen=True)
class Late:
    """How a run ended: the step at which, how long after the command was given, what was paid by
    then in US dollars at list prices, and what the command said."""

    broken: BrokenTenancy
    step: str
    after: timedelta
    dollars: float
    said: str

    @property
    def row(self) -> str:
        """A line of the table."""
        minutes = round(self.after.total_seconds() / 60)
        time = "at once" if minutes < 1 else f"{minutes // 60} h {minutes % 60:02} min"
        how = "planted" if self.broken.planted else "the mock"
        name, check = self.broken.name, self.broken.check
        return f"| {name} | {check} | {self.step} | {time} | ${self.dollars:,.2f} | {how} |"


def run_late(broken: BrokenTenancy, home: Path, around: Neighbours) -> Late:
    """Break the tenancy, and run the pipeline without preflight."""
    settings = Settings(
        enforce_iam=True,
        verify_signatures=True,
        enforce_network=True,
        run_times=(*_planted_time(broken), *RUN_TIMES),
        deploy_seconds=DEPLOY_SECONDS,
        fail_runs=(broken.planted,) if broken.planted else (),
    )
    with whole(home, around, settings) as made, _working_in(made) as passed:
        broken.breaks(made)
        made.cloud.cloud.clock.pace = 1.0  # until now, everything was done at once
        complaint = io.StringIO()
        with contextlib.redirect_stderr(complaint), contextlib.redirect_stdout(io.StringIO()):
            code = cli.main(["run", "--no-preflight", "--interval", str(_LOOK)])
        assert code == 1, f"{broken.name}: it ended with {code}\n{complaint.getvalue()}"
        said = " ".join(complaint.getvalue().split())
        dollars = sum(map(_dollars, _submitted(made)))
        return Late(broken, _failed_step(made), passed(), dollars, said)


def table(found: list[Late]) -> str:
    """The table of the page."""
    head = (
        "| what is broken | preflight's check | without it, fails at | after | paid by then | "
        "failed by |\n|---|---|---|---:|---:|---|"
    )
    return "\n".join([head, *(late.row for late in found)])


def main() -> int:
    """Write the page's table anew."""
    with tempfile.TemporaryDirectory() as folder, neighbours(Path(folder) / "hub") as around:
        found = [run_late(each, Path(folder) / str(n), around) for n, each in enumerate(BROKEN)]
    text = PAGE.read_text(encoding="utf-8")
    before, after = text.partition(BEGIN)[0], text.partition(END)[2]
    PAGE.write_text(f"{before}{BEGIN}\n{table(found)}\n{END}{after}", encoding="utf-8")
    for late in found:
        sys.stdout.write(f"{late.row}\n    {late.said[:300]}\n")
    return 0


@contextlib.contextmanager
def _working_in(made: Whole) -> Iterator[Callable[[], timedelta]]:
    """In its folder, with a clock that only waiting moves, and the mock's with it."""
    began, ahead = SystemClock().now(), timedelta()

    def sleep(_clock: SystemClock, seconds: float) -> None:
        nonlocal ahead
        ahead += timedelta(seconds=seconds)
        assert ahead < _LONGEST, "it never ends"
        made.cloud.advance(seconds)

    def now(_clock: SystemClock) -> datetime:
        return began + ahead

    (made.home / "tenancies").mkdir()
    (made.home / "tenancies" / "demo.yaml").write_text("")
    with (
        mock.patch.object(SystemClock, "sleep", sleep),
        mock.patch.object(SystemClock, "now", now),
        contextlib.chdir(made.home),
        mock.patch.dict(os.environ, {"COLUMNS": "200"}),
    ):
        yield lambda: ahead


def _planted_time(broken: BrokenTenancy) -> Iterator[str]:
    """A run that is to fail lasts until it does."""
    if broken.planted:
        yield f"{broken.planted.partition(': ')[0]}: {broken.minutes * 60}"


def _failed_step(made: Whole) -> str:
    """The first that has not ended well."""
    done = {entry.step for entry in _submitted(made) if entry.done}
    return next(step for step in STEPS if step not in done)


def _submitted(made: Whole) -> Iterator[Entry]:
    """Every attempt of every step."""
    path = made.home / ".tunestack" / "demo" / "ledger.db"
    if path.is_file():
        yield from spent_on(Ledger(path, SystemClock()))


def _dollars(entry: Entry) -> float:
    """As if it had not been simulated."""
    return cost.spent(entry.changed(simulated=False), SystemClock().now()) or 0.0


if __name__ == "__main__":
    sys.exit(main())
