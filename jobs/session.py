"""What a command needs before it can ask OCI; ADS is imported only here and behind."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from . import definitions, ocid, tenancy
from .console import clock, out
from .errors import RecordError
from .ledger import Ledger
from .record import MAKES, Entry
from .views import view

if TYPE_CHECKING:
    from .runner import Runner

JOBS = tuple(step for step, kind in MAKES.items() if kind == "job")


def ledger_of(chosen: tenancy.Tenancy) -> Ledger:
    """The ledger of a tenancy."""
    return Ledger(chosen.ledger, clock)


@contextmanager
def runner_of(chosen: tenancy.Tenancy, folder: Path | None, interval: float) -> Iterator[Runner]:
    """A runner for the checked definitions of a tenancy, signed in, with a view on its console."""
    from .auth import sign_in
    from .runner import Runner

    folder = folder or chosen.definitions
    pipeline = definitions.read_pipeline(folder)
    read = definitions.read_all(folder)
    sign_in(pipeline.region)
    ledger = ledger_of(chosen)
    with view(out, clock, ledger.read()) as shown:
        yield Runner(pipeline, read, ledger, shown, clock, interval)


def with_run(entry: Entry) -> Entry:
    """The entry, if it is of a job run. Raises :class:`RecordError` if it is not."""
    if "job_run" not in entry.ids:
        raise RecordError(f"'{entry.step}' is no job run.", f"These are: {', '.join(JOBS)}.")
    return entry


def sign_in_where(*entries: Entry) -> None:
    """Sign in to the region of the recorded resources."""
    regions = [ocid.region(each) for entry in entries for each in entry.ids.values()]
    sign_in_to(next((region for region in regions if region), ""))


def sign_in_to(region: str) -> None:
    """Sign in to a region, by its name or its three-letter key."""
    from .auth import sign_in

    sign_in(region)
