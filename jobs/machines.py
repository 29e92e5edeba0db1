"""How the machines of a job run are doing: its node groups' states, how busy its GPUs are, and when
each node was last heard."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from .errors import attempting
from .gpu_metrics import GpuUse, Source, latest
from .record import Entry
from .run_log import LogLine, moment

# The variable of the job by which ADS's driver knows where to post how busy the GPUs are.
_NAMESPACE = "OCI__METRICS_NAMESPACE"
# By the OCID of the run: a job does not change while it runs.
_sources: dict[str, Source] = {}


@dataclass(frozen=True)
class NodeGroup:
    """Nodes of one kind. OCI tells the state of a group, not of each of its nodes."""

    name: str
    state: str
    details: str = ""


@dataclass(frozen=True)
class Machines:
    """What OCI says of them now; *gpu* is None where nothing was posted."""

    groups: tuple[NodeGroup, ...] = ()
    gpu: GpuUse | None = None

    def words(self) -> str:
        """For a reader; '' where nothing is known."""
        groups = [f"{group.name} {group.state}" for group in self.groups]
        return "  ".join([*groups, *([self.gpu.words()] if self.gpu else [])])


@dataclass
class Heard:
    """When each node of a run last wrote a line. One that is silent may be well: in a training
    only rank 0 tells how it goes."""

    _last: dict[str, datetime] = field(default_factory=dict)

    def hear(self, line: LogLine) -> None:
        at = moment(line.time)
        if line.node and at is not None:
            self._last[line.node] = max(at, self._last.get(line.node, at))

    def words(self, now: datetime) -> str:
        """``last lines: n0 0:00:05, n1 0:12:00 ago``; nothing of a single node."""
        if len(self._last) < 2:
            return ""
        told = [
            f"n{node} {timedelta(seconds=max(0, int((now - at).total_seconds())))}"
            for node, at in sorted(self._last.items(), key=lambda item: int(item[0]))
        ]
        return f"last lines: {', '.join(told)} ago"


def look(entry: Entry) -> Machines:
    """How the machines of *entry*'s run are doing.

    Raises:
        RefusedError, UnreachableError: the run, its job or its metrics can't be read.
    """
    from .states import job_run

    run = job_run(entry)
    groups = tuple(
        NodeGroup(group.name, group.lifecycle_state, group.lifecycle_details or "")
        for group in run.node_group_details_list or ()
    )
    if "GPU" not in entry.shape:
        return Machines(groups)
    return Machines(groups, latest(source_of(run)))


def source_of(run: Any) -> Source:
    """Where the GPU metrics of the SDK's ``JobRun`` are."""
    from .states import science

    if run.id not in _sources:
        with attempting(f"read the job of {run.id}"):
            job = science().get_job(run.job_id).data
        namespace = _environment(job).get(_NAMESPACE, "")
        _sources[run.id] = Source(run.compartment_id, run.id, namespace)
    return _sources[run.id]


def _environment(job: Any) -> dict[str, str]:
    nodes = job.job_node_configuration_details
    groups = nodes.job_node_group_configuration_details_list or () if nodes else ()
    found: dict[str, str] = {}
    for part in (*groups, job):
        details = part.job_configuration_details
        found |= getattr(details, "environment_variables", None) or {}
    return found
