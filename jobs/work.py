"""All that running one tenancy's pipeline needs in this process, for the command line and the API
alike: its definitions, its ledger, and its part in who leads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from .bucket_folder import BucketFolder
from .clock import Clock
from .definitions import Definition, read_all, read_pipeline, texts_in
from .errors import JobsError
from .following import Following
from .leading import Leadership
from .ledger import Ledger
from .mirror import Mirror
from .pipeline import Pipeline
from .publishing import publish
from .record import Entry, Run
from .runner import Runner
from .watch import Extras, View


@dataclass(frozen=True)
class Work:
    """One pipeline; *folder* holds its definitions. Whoever uses it is signed in."""

    folder: Path
    pipeline: Pipeline
    definitions: Mapping[str, Definition]
    ledger: Ledger
    leadership: Leadership
    clock: Clock

    def run(
        self, view: View, interval: float, *, fresh: bool = False, preflight: bool = True
    ) -> Run:
        """Run the pipeline, or follow the process that does, to its end.

        Raises:
            PreflightError: this process leads, and what is still to run would fail; nothing was
                submitted. Not looked at where *preflight* is not wanted.
            LeadError: another process runs it, and what that does was not asked for: a *fresh* one
                was.
            JobsError: it ended badly; see :meth:`Runner.run`.
        """
        if fresh:
            self.leadership.require()
        runner = self.runner(view, interval)

        looked = False

        def lead(followed: bool) -> Run:
            nonlocal looked
            anew = fresh and not followed
            if preflight and not looked:
                self._pass_gate(view, fresh=anew)
                looked = True
            self._publish()
            return runner.run(fresh=anew)

        return self._following(view, interval).lead_or_follow(lead)

    def submit(self, view: View, step: str, *, preflight: bool = True) -> Entry:
        """Submit one step.

        Raises:
            LeadError: another process leads.
            PreflightError: it would fail. Not looked at where *preflight* is not wanted.
        """
        with self.leadership:
            self.leadership.require()
            if preflight:
                self._pass_gate(view, only=step)
            return self.runner(view, 10.0).submit(step)

    def follow(self, view: View, interval: float) -> None:
        """Show what the leader does, until nobody leads."""
        self._following(view, interval).follow()

    def runner(self, view: View, interval: float) -> Runner:
        lead = self.leadership
        return Runner(
            self.pipeline, self.definitions, self.ledger, view, self.clock, interval,
            beat=lead.heartbeat, confirm=lead.confirm,
        )  # fmt: skip

    def _pass_gate(self, view: View, *, fresh: bool = False, only: str = "") -> None:
        """Raises :class:`PreflightError` where what is to be submitted would fail."""
        from .preflight import gate
        from .preflight.subject_of import subject_of

        if gate.is_wanted():
            subject = subject_of(
                self.pipeline, self.definitions, self.ledger, self.clock,
                fresh=fresh, asking=True, only=only,
            )  # fmt: skip
            gate.pass_gate(subject, view.say)

    def _publish(self) -> None:
        """Keep the definitions in the bucket, for machines without Terraform."""
        mirror = self.leadership.mirror
        if mirror is None or not self.leadership.mirrored:
            return
        try:
            publish(mirror.folder, texts_in(self.folder))
        except JobsError:  # the ledger's own mirror says that the bucket does not answer
            return

    def _following(self, view: View, interval: float) -> Following:
        from . import machines
        from .run_log import Reader

        def extras() -> Extras:
            return Extras(view, self.clock, Reader().new, machines.look)

        return Following(self.leadership, self.ledger, view, self.clock, interval, extras)


def open_work(folder: Path, path: Path, clock: Clock, say: Callable[[str], None]) -> Work:
    """The pipeline that the definitions in *folder* describe, with its ledger at *path*.

    Raises:
        DefinitionError: a definition is missing, or not in order.
    """
    pipeline, definitions = read_pipeline(folder), read_all(folder)
    mirror = Mirror(path, BucketFolder(pipeline.ledger), clock, say)
    leadership = Leadership(path.parent, mirror, clock, say)
    ledger = Ledger(path, clock, leadership.changed)
    return Work(folder, pipeline, definitions, ledger, leadership, clock)
