"""Where a pipeline stands, by its ledger: its fingerprints, its attempts, what is due."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from .attempts import BEGUN, Attempted, attempts, begun_details, next_number
from .decisions import Decision, decide
from .definitions import Definition
from .fingerprints import definition_of, key, pipeline_fingerprint, step_fingerprints, with_inputs
from .ledger import Ledger
from .pipeline import Pipeline, Step
from .record import Entry


@dataclass(frozen=True)
class Standing:
    """What the ledger says of a pipeline with these definitions."""

    pipeline: Pipeline
    definitions: Mapping[str, Definition]
    ledger: Ledger

    def begin(self, *, fresh: bool) -> None:
        """Be at the pipeline of these definitions: the current one, or a new one, which takes over
        what is done. A fresh one is written down before anything of it happens."""
        fingerprint = pipeline_fingerprint(self._steps)
        current = self.ledger.current()
        if current is None:
            self.ledger.begin(fingerprint)
        elif fresh or current.fingerprint != fingerprint:
            self.ledger.begin(fingerprint, current.generation + fresh)

    def is_now(self, state: str) -> None:
        """Write down that the pipeline is RUNNING, SUCCEEDED or FAILED."""
        current = self.ledger.current()
        if current is None or current.state == state:
            return
        if state == "RUNNING":
            self.ledger.reopen()
        else:
            self.ledger.end(state)

    def entry(self, step: Step) -> Entry | None:
        return self.ledger.read().get(step.name)

    def attempts(self, step: Step) -> list[Attempted]:
        """All attempts of a step, in all pipelines, the last one last."""
        return attempts(self.ledger.events_of(step.name))

    def own(self, step: Step) -> Entry | None:
        """The entry of the step's last attempt, unless that is over."""
        entry, found = self.entry(step), self.attempts(step)
        if entry is None or not found or found[-1].over:
            return None
        return entry if entry.key == found[-1].key else None

    def decide(self, step: Step) -> Decision:
        """What to do about a step."""
        return decide(
            self.entry(step), self.attempts(step), self._fingerprint(step), self._generation
        )

    def is_of_now(self, step: Step, attempted: Attempted) -> bool:
        """Whether the attempt is of these definitions, and of this generation."""
        return attempted.of(self._fingerprint(step), self._generation)

    def new_attempt(self, step: Step, definition: int) -> Attempted:
        """The next attempt, by the step's definition number *definition*; not written down yet."""
        fingerprint, generation = self._fingerprint(step), self._generation
        number = next_number(self.attempts(step), fingerprint, generation)
        chosen = definition_of(step, self.definitions, definition)
        return Attempted(
            fingerprint=fingerprint,
            generation=generation,
            number=number,
            key=key(fingerprint, generation, number),
            definition=definition,
            file=chosen.path.name,
            text=chosen.text,
        )

    def note_begun(self, step: Step, attempted: Attempted) -> None:
        """Write down that an attempt begins, or goes on."""
        self.ledger.note(BEGUN, step.name, **begun_details(attempted))

    @cached_property
    def _steps(self) -> dict[str, str]:
        return step_fingerprints(self.pipeline, self.definitions)

    @property
    def _generation(self) -> int:
        current = self.ledger.current()
        return current.generation if current else 0

    def _fingerprint(self, step: Step) -> str:
        """With the keys of what it builds on: a step that was taken anew takes those after it."""
        run = self.ledger.read()
        needed = (run.get(each) for each in step.needs)
        return with_inputs(self._steps[step.name], [entry.key for entry in needed if entry])
