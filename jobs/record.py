"""What was run for a tenancy: one entry a step. The ledger keeps them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import datetime
from typing import Any, Protocol

from .errors import RecordError

MAKES = {
    "stage": "job",
    "finetune": "job",
    "merge": "job",
    "register": "model",
    "deploy": "deployment",
    "smoke": "answer",
}
"""What each step makes in OCI; an answer stands only in the ledger."""

STEPS = tuple(MAKES)

# OCI's lifecycle states, as far as they end something.
SUCCEEDED = frozenset({"SUCCEEDED", "ACTIVE"})
FAILED = frozenset({"FAILED", "CANCELED", "DELETED", "INACTIVE"})


@dataclass(frozen=True)
class Entry:
    """One step: what was submitted, and what OCI said of it last.

    *ids* are OCIDs by what they name (job, job_run, model, deployment); *digest* is of the
    definition that was submitted; *state* and *details* are OCI's own words; a *simulated* step did
    not run at all, a *local* one ran for real, but on this machine; *ocpus* and *memory_gb* are
    those of a node of a flexible shape, else 0; *replaced* are the OCIDs of the jobs, models or
    deployments that the step made before: they stand, deployments cost, and the project can't be
    destroyed until they are deleted. *key* is the fingerprint that its resources carry in their
    tags, *attempt* counts the step's submissions, *definition* is the file that was submitted.
    """

    step: str
    state: str
    ids: Mapping[str, str]
    digest: str = ""
    title: str = ""
    details: str = ""
    simulated: bool = False
    local: bool = False
    shape: str = ""
    ocpus: float = 0
    memory_gb: float = 0
    replicas: int = 1
    submitted: datetime | None = None
    started: datetime | None = None
    finished: datetime | None = None
    url: str = ""
    replaced: tuple[str, ...] = ()
    key: str = ""
    attempt: int = 1
    definition: str = ""

    @property
    def done(self) -> bool:
        return self.state in SUCCEEDED

    @property
    def failed(self) -> bool:
        return self.state in FAILED

    @property
    def ended(self) -> bool:
        return self.done or self.failed

    @property
    def shown_state(self) -> str:
        """The state for a reader: what did not run in OCI says so."""
        if self.simulated:
            return f"{self.state} (simulated)"
        return f"{self.state} (on this machine)" if self.local else self.state

    @property
    def kind(self) -> str:
        """What the step makes: a job, model or deployment in OCI, or an answer."""
        return MAKES[self.step]

    @property
    def made(self) -> tuple[str, ...]:
        """The OCIDs of all that the step made, the last one first."""
        own = (self.ids[self.kind],) if self.kind in self.ids else ()
        return (*own, *self.replaced)

    def changed(self, **values: Any) -> Entry:
        return replace(self, **values)


@dataclass(frozen=True)
class Run:
    """The entries of a tenancy by step; a step that never ran has none."""

    entries: Mapping[str, Entry] = field(default_factory=dict)

    def get(self, step: str) -> Entry | None:
        return self.entries.get(step)

    def need(self, step: str) -> Entry:
        """The step's entry. Raises :class:`RecordError` if it never ran."""
        entry = self.get(step)
        if entry is None:
            raise RecordError(
                f"There is no record of '{step}'.", "Run 'python -m jobs run', or 'submit' it."
            )
        return entry


class Records(Protocol):
    """Where entries are kept."""

    def read(self) -> Run:
        """All entries."""

    def put(self, entry: Entry) -> None:
        """Keep *entry* as its step's; earlier ones of the same step are forgotten."""

    def forget(self, step: str) -> None:
        """Drop the step's entry, if there is one."""


def as_data(run: Run) -> dict[str, dict[str, Any]]:
    """The entries for JSON, in the order of the steps; times as ISO 8601."""
    return {
        step: {name: _plain(name, value) for name, value in asdict(run.entries[step]).items()}
        for step in STEPS
        if step in run.entries
    }


TIMES = ("submitted", "started", "finished")


def entry_of(values: dict[str, Any]) -> Entry:
    """An entry from what :func:`as_data` made of it; fields of later versions are dropped."""
    known = {each.name for each in fields(Entry)}
    chosen = {name: value for name, value in values.items() if name in known}
    for name in TIMES:
        if chosen.get(name):
            chosen[name] = datetime.fromisoformat(chosen[name])
    chosen["replaced"] = tuple(chosen.get("replaced", ()))
    return Entry(**chosen)


def _plain(name: str, value: Any) -> Any:
    return value.isoformat() if name in TIMES and value else value
