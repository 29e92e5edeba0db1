"""Whether there is room within the tenancy's limits and the compartment's quotas."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ...definitions import Definition
from ...errors import RefusedError
from ..check import Finding, failed, passed, warned
from ..limit_names import SERVICE, STORAGE, demand, held
from ..patience import every_page
from ..subject import Subject

STEPS = ("stage", "finetune", "merge", "deploy")
_INCREASE = "console: Governance > Limits, Quotas and Usage > 'Request a service limit increase'"
# The section of the tenancy file that a step's machines are in.
SECTION = {"stage": "stage", "finetune": "finetune", "merge": "merge", "deploy": "serving"}


@dataclass(frozen=True)
class _Room:
    """What is left of a limit; *quota* is what a compartment quota leaves, None without one."""

    available: float
    quota: float | None = None

    @property
    def left(self) -> float:
        return self.available if self.quota is None else min(self.available, self.quota)

    @property
    def by_quota(self) -> bool:
        return self.quota is not None and self.quota <= self.available


@dataclass(frozen=True)
class _Lack:
    """A limit that does not allow what a definition needs."""

    limit: str
    needed: int
    room: _Room

    def __str__(self) -> str:
        left = f"{max(self.room.left, 0):g}"
        if self.room.by_quota:
            return f"{self.needed} of {self.limit}, of which a compartment quota leaves {left}"
        return f"{self.needed} of {self.limit}, of which {left} are available"


class Limits:
    """Whether each step's machines fit into what the limits and quotas leave.

    Steps run one after another, so each is asked about by itself; what runs or stands already
    counts in what is left, but for the pipeline's own runs, which end before the next step begins.
    """

    name = "limits"
    question = "Do the service limits and quotas leave room for each step's machines?"
    right = "inspect limits in tenancy', and '… to inspect resource-availability in tenancy"
    offline = False
    after = ("compartment",)
    steps = STEPS

    def look(self, subject: Subject) -> Iterator[Finding]:
        listed = _listed(subject)
        for step in STEPS:
            if wanted := subject.of_step(step):
                yield from _step(subject, listed, step, wanted)


def _listed(subject: Subject) -> Mapping[str, Any]:
    """Every limit of Data Science in the region, by name."""
    from oci.limits import LimitsClient

    limits = subject.client(LimitsClient)
    found = subject.get(
        "list the limits of Data Science",
        every_page,
        limits.list_limit_definitions,
        subject.tenancy_id,
        service_name=SERVICE,
    )
    return {each.name: each for each in found}


def _step(
    subject: Subject, listed: Mapping[str, Any], step: str, wanted: list[Definition]
) -> Iterator[Finding]:
    """What is wanted first, else a fallback, must have room."""
    lacking = [list(_lacks(subject, listed, each)) for each in wanted]
    fits = next((number for number, lacks in enumerate(lacking) if not lacks), None)
    first = _machines(wanted[0])
    yield from _unknown(listed, step, wanted[0])
    if fits == 0:
        yield passed(f"room for {first} ({step}).")
    elif fits is not None:
        yield warned(
            f"{step}: {first} need {_all(lacking[0])}. Its fallback, {_machines(wanted[fits])}, "
            "has room.",
            _remedy(subject, step, lacking[0]),
        )
    else:
        tried = "" if len(wanted) == 1 else f" None of its {len(wanted) - 1} fallbacks has room."
        yield failed(
            f"{step}: {first} need {_all(lacking[0])}.{tried}",
            _remedy(subject, step, lacking[0]),
        )


def _lacks(subject: Subject, listed: Mapping[str, Any], definition: Definition) -> Iterator[_Lack]:
    own = [held(entry) for entry in subject.under_way]
    for limit, needed in demand(definition).items():
        if limit in listed and (room := _room(subject, listed[limit])) is not None:
            given_back = sum(each.get(limit, 0) for each in own)
            if needed > room.left + given_back:
                yield _Lack(limit, needed, room)


def _room(subject: Subject, limit: Any) -> _Room | None:
    """What is left in the compartment; None where OCI does not count that limit."""
    if not limit.is_resource_availability_supported:
        return None
    if limit.scope_type != "AD":
        return _asked(subject, limit.name)
    rooms = [_asked(subject, limit.name, domain) for domain in subject.domains()]
    found = [room for room in rooms if room is not None]
    return max(found, key=lambda room: room.left, default=None)


def _asked(subject: Subject, name: str, domain: str = "") -> _Room | None:
    from oci.limits import LimitsClient

    where = {"availability_domain": domain} if domain else {}
    try:
        found = subject.get(
            f"ask what is left of {name}{f' in {domain}' if domain else ''}",
            subject.client(LimitsClient).get_resource_availability,
            SERVICE,
            name,
            subject.pipeline.compartment_id,
            **where,
        )
    except RefusedError as error:
        # OCI's word for a limit of which it does not count the use.
        if error.status == 404 and name == STORAGE:
            return None
        raise
    available = math.inf if found.available is None else float(found.available)
    quota = found.effective_quota_value
    return _Room(available, None if quota is None else float(quota) - float(found.used or 0))


def _unknown(listed: Mapping[str, Any], step: str, definition: Definition) -> Iterator[Finding]:
    for name in demand(definition):
        if name not in listed and name != STORAGE:
            yield warned(
                f"{step}: OCI lists no limit '{name}' in the region, by which "
                f"{definition.shape} would count.",
                "The region may not have that shape for Data Science: 'oci data-science job-shape "
                "list --compartment-id …' lists those that it has.",
            )


def _remedy(subject: Subject, step: str, lacks: list[_Lack]) -> str:
    told = []
    for lack in lacks:
        if lack.room.by_quota:
            told.append(
                "Have the compartment's quota raised by the statement 'set data-science quota "
                f"{lack.limit} to {lack.needed} in compartment …' (console: Governance > Quota "
                "policies)."
            )
        else:
            told.append(
                f"Ask for an increase of {lack.limit} of Data Science in "
                f"{subject.pipeline.region} ({_INCREASE})."
            )
    section = SECTION[step]
    other = f"Or name another machine in the tenancy file: '{section}: shape'"
    if step == "finetune":
        other += ", fewer of them: 'finetune: replicas'"
    if step != "stage":
        other += f", or others to fall back on: '{section}: fallback_shapes'"
    return "\n".join([*told, f"{other}. Deletions free what stands: 'python -m jobs delete'."])


def _all(lacks: Iterable[_Lack]) -> str:
    return " and ".join(str(lack) for lack in lacks)


def _machines(definition: Definition) -> str:
    return f"{definition.replicas} x {definition.shape}"
