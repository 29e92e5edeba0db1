"""The runner for notebooks and scripts: open a pipeline, then five calls.

    import jobs

    pipeline = jobs.open("tenancies/prod.yaml")
    pipeline.run(show=True)

It is the engine of the command line, with the same ledger, the same errors
(:class:`jobs.errors.JobsError`) and the same manners: one process leads and others follow, what is
done is not done again, and a call that was interrupted is gone on with by the next one. Nothing is
printed unless *show* asks for it.

In a notebook session there is no Terraform, so the definitions come from the bucket, where ``jobs
emit --publish`` and every ``jobs run`` keep them: open the pipeline by that folder,
``jobs.open("oci://BUCKET@NAMESPACE/ledger/TENANCY/")``. Requests are signed by the session's
resource principal.
"""

from __future__ import annotations

import html
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import auth, tenancy
from .clock import SystemClock
from .errors import RecordError, TenancyError
from .lease import Leader
from .predict import DIALOGUE, Prediction, predict
from .record import Entry
from .views import PlainView
from .watch import View
from .work import Work, open_work

INTERVAL = 10.0
"""Seconds between two looks."""


@dataclass(frozen=True)
class Status:
    """How a pipeline stands. *state* is RUNNING, SUCCEEDED, FAILED, or '' where nothing was run;
    *steps* are the entries of the steps that were submitted; *leader* is the process that runs the
    pipeline now, if another one does."""

    tenancy: str
    state: str
    steps: tuple[Entry, ...]
    leader: Leader | None = None

    def __getitem__(self, step: str) -> Entry:
        """The entry of a step. Raises :class:`KeyError` if it was not submitted."""
        for entry in self.steps:
            if entry.step == step:
                return entry
        raise KeyError(step)

    def __repr__(self) -> str:
        lines = [f"{self.tenancy}: {self.state or 'nothing was run yet'}"]
        lines += [f"  {each.step:<9} {each.shown_state}" for each in self.steps]
        return "\n".join([*lines, *([f"  led by {self.leader}"] if self.leader else [])])

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        rows = "".join(
            f"<tr><td>{html.escape(each.step)}</td><td>{html.escape(each.shown_state)}</td>"
            f"<td>{html.escape(each.details)}</td></tr>"
            for each in self.steps
        )
        heading = html.escape(f"{self.tenancy}: {self.state or 'nothing was run yet'}")
        led = f"<p>led by {html.escape(str(self.leader))}</p>" if self.leader else ""
        return f"<b>{heading}</b><table>{rows}</table>{led}"


class OpenPipeline:
    """A tenancy's pipeline. Its calls block until they are done; interrupting one leaves all
    whole, and what was submitted runs on."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def run(
        self,
        *,
        fresh: bool = False,
        interval: float = INTERVAL,
        show: bool = False,
        preflight: bool = True,
    ) -> Status:
        """Every step in order, from where the ledger stands; all of them anew when *fresh*.

        Where another process runs the pipeline, this one follows it to its outcome, and leads on
        if it dies.

        Raises:
            PreflightError: what is still to run would fail, for reasons that it tells; nothing was
                submitted. With ``preflight=False`` nothing is looked at.
            StepFailedError: a step ended badly.
            JobsError: anything else that the command line would say.
        """
        self._sign_in()
        self._work.run(_view(show=show), interval, fresh=fresh, preflight=preflight)
        return self._status()

    def status(self) -> Status:
        """How every step stands, as OCI says now."""
        from .states import refresh

        self._sign_in()
        self._work.leadership.pull()
        refresh(self._work.ledger)
        return self._status()

    def watch(self, *, interval: float = INTERVAL, show: bool = True) -> Status:
        """Follow what is under way to its end, and submit nothing.

        Raises:
            StepFailedError: it ended badly.
        """
        from .watch import require_success

        self._sign_in()
        view = _view(show=show)
        self._work.follow(view, interval)
        for entry in self._work.ledger.read().entries.values():
            if not entry.ended:
                require_success(self._work.runner(view, interval).follow(entry))
        return self._status()

    def cancel(self) -> Status:
        """Cancel the job runs that are under way. A deployment is deleted by ``jobs delete``.

        Raises:
            RecordError: none is.
        """
        from . import states

        status = self.status()
        running = [each for each in status.steps if each.kind == "job" and not each.ended]
        if not running:
            raise RecordError("No job run is under way.", "See status().")
        for entry in running:
            self._work.ledger.put(states.cancel(entry))
        return self._status()

    def predict(self, dialogue: str = DIALOGUE, *, timeout: float = 60.0) -> Prediction:
        """The deployed model's summary of *dialogue*; *timeout* is in seconds.

        Raises:
            RecordError: nothing was deployed.
            PredictionError: no answer, or none in time.
        """
        self._sign_in()
        return predict(self._work.ledger.read().need("deploy"), dialogue, timeout=timeout)

    def __repr__(self) -> str:
        return f"<pipeline of {self._work.pipeline.tenancy}, ledger {self._work.ledger.path}>"

    def _sign_in(self) -> None:
        auth.sign_in(self._work.pipeline.region)

    def _status(self) -> Status:
        current = self._work.ledger.current()
        return Status(
            tenancy=self._work.pipeline.tenancy,
            state=current.state if current else "",
            steps=tuple(self._work.ledger.read().entries.values()),
            leader=self._work.leadership.leader(),
        )


def open(place: str | Path = tenancy.DEFAULT) -> OpenPipeline:
    """The pipeline of a tenancy file, by the definitions that ``jobs emit`` wrote beside it; or
    the one whose ledger and definitions are in the bucket at ``oci://BUCKET@NAMESPACE/PREFIX/``.

    The ledger is kept in ``.tunestack`` of the working folder.

    Raises:
        TenancyError: no such tenancy file.
        DefinitionError: no definitions there, or they are not in order.
        CredentialsError, RefusedError, UnreachableError: the bucket can't be read.
    """
    if str(place).startswith("oci://"):
        chosen, folder = _fetched(str(place))
    else:
        chosen = tenancy.find(Path(place))
        folder = chosen.definitions
    return OpenPipeline(open_work(folder, chosen.ledger, SystemClock(), _say))


def _fetched(uri: str) -> tuple[tenancy.Tenancy, Path]:
    """The tenancy that the folder is of, and a folder here with its definitions."""
    from .publishing import fetch

    name = uri.rstrip("/").rsplit("/", 1)[-1]
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", name):
        raise TenancyError(
            f"'{uri}' does not end in a tenancy's name.",
            "It is the 'ledger' of pipeline.yaml: oci://BUCKET@NAMESPACE/ledger/TENANCY/.",
        )
    chosen = tenancy.Tenancy(name)
    auth.sign_in()
    return chosen, fetch(uri, chosen.ledger.parent / "definitions")


def _view(*, show: bool) -> View:
    return PlainView(_console(), SystemClock()) if show else Unseen()


def _console() -> Any:
    from rich.console import Console

    return Console(file=sys.stdout, force_jupyter=False, force_terminal=False)


def _say(text: str) -> None:
    """What the ledger's mirror has to say, where a program can hear it and nobody is disturbed."""
    import logging

    logging.getLogger("jobs").warning(text)


class Unseen:
    """A view that shows nothing."""

    def show(self, entry: Entry) -> None:
        """Not shown."""

    def log(self, step: str, line: Any) -> None:
        """Not shown."""

    def machines(self, step: str, found: Any) -> None:
        """Not shown."""

    def say(self, text: str) -> None:
        """Not shown."""
