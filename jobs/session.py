"""What a command needs before it can ask OCI; ADS is imported only here and behind."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from . import definitions, ocid, tenancy
from .console import clock, complain, out
from .errors import (
    CredentialsError,
    DefinitionError,
    RecordError,
    RefusedError,
    UnreachableError,
)
from .ledger import Ledger
from .record import MAKES, Entry
from .views import view

if TYPE_CHECKING:
    from .leading import Leadership
    from .pipeline import Pipeline
    from .watch import View
    from .work import Work

JOBS = tuple(step for step, kind in MAKES.items() if kind == "job")


def ledger_of(chosen: tenancy.Tenancy) -> Ledger:
    """The ledger of a tenancy; on a machine without one, what its mirror in the bucket says."""
    if not chosen.ledger.is_file():
        catch_up(chosen)
    return Ledger(chosen.ledger, clock)


def catch_up(chosen: tenancy.Tenancy, folder: Path | None = None) -> None:
    """Take over what other machines wrote into the mirror, where the definitions name one."""
    try:
        pipeline = definitions.read_pipeline(folder or chosen.definitions)
    except DefinitionError:
        return
    try:
        sign_in_to(pipeline.region)
        leadership_of(chosen, pipeline).pull()
    except (CredentialsError, RefusedError, UnreachableError) as error:
        complain(f"{error.what.splitlines()[0]} What other machines ran is not known here.")


def leadership_of(chosen: tenancy.Tenancy, pipeline: Pipeline | None) -> Leadership:
    """The lead of a tenancy's pipeline, to be looked at; among all machines where *pipeline* says
    in which bucket the ledger's mirror is."""
    from .bucket_folder import BucketFolder
    from .leading import Leadership
    from .mirror import Mirror

    mirror = None
    if pipeline is not None:
        mirror = Mirror(chosen.ledger, BucketFolder(pipeline.ledger), clock, complain)
    return Leadership(chosen.ledger.parent, mirror, clock, complain)


@contextmanager
def work_of(chosen: tenancy.Tenancy, folder: Path | None) -> Iterator[tuple[Work, View]]:
    """The checked pipeline of a tenancy, signed in, with a view on its console."""
    from .judging import spent_on
    from .work import open_work

    # What the ledger's mirror says goes through the view: a live table would be torn.
    told = Told()
    work = open_work(folder or chosen.definitions, chosen.ledger, clock, told.say)
    sign_in_to(work.pipeline.region)
    limit = work.pipeline.spending_limit
    submitted = partial(spent_on, work.ledger)
    with view(out, clock, work.ledger.read(), limit, submitted) as shown:
        told.view = shown
        yield work, shown


class Told:
    """Passes sentences on to a view that is there only later."""

    view: View | None = None

    def say(self, text: str) -> None:
        if self.view is not None:
            self.view.say(text)


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
