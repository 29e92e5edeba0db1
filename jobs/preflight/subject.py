"""What the checks look at: a pipeline's definitions, and OCI as whoever is signed in sees it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from ..auth import client, session, tenancy_id
from ..clock import Clock, SystemClock
from ..definitions import Definition
from ..errors import attempting
from ..pipeline import Pipeline
from ..record import STEPS, Entry
from .patience import hurried

T = TypeVar("T")


@dataclass(frozen=True)
class Subject:
    """One pipeline. *steps* are those that are still to run; *spent* is in US dollars;
    *under_way* are its own job runs, which end before another step begins; *offline*: nobody is
    to be asked.

    Checks run side by side: what several of them ask for is asked once, by :meth:`once`.
    """

    pipeline: Pipeline
    definitions: Mapping[str, Definition]
    steps: frozenset[str] = frozenset(STEPS)
    spent: float = 0.0
    clock: Clock = field(default_factory=SystemClock)
    under_way: tuple[Entry, ...] = ()
    offline: bool = False
    # The token may be among it.
    _kept: dict[str, Any] = field(default_factory=dict, repr=False)
    _locks: dict[str, threading.Lock] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def once(self, name: str, ask: Callable[[], T]) -> T:
        """What *ask* answers, asked once a *name*; who comes meanwhile waits. An error is raised
        anew for each who asks."""
        with self._lock:
            lock = self._locks.setdefault(name, threading.Lock())
        with lock:
            if name not in self._kept:
                try:
                    self._kept[name] = (ask(), None)
                except Exception as error:  # noqa: BLE001 - raised below, for each
                    self._kept[name] = (None, error)
            found, failure = self._kept[name]
        if failure is not None:
            raise failure
        answer: T = found
        return answer

    def client(self, sdk_class: Any, region: str = "") -> Any:
        """A client of the SDK, signed in, one a class; in the pipeline's own region by default. It
        gives up sooner than others.
        """
        where = region or self.pipeline.region
        return self.once(
            f"client {sdk_class.__module__}.{sdk_class.__name__} {where}",
            lambda: hurried(client(sdk_class, where)),
        )

    @property
    def tenancy_id(self) -> str:
        """The OCID of the tenancy, by the credentials. Raises :class:`CredentialsError`."""
        return self.once("the tenancy's OCID", tenancy_id)

    def subscriptions(self) -> list[Any]:
        """The regions that the tenancy is subscribed to, asked in the credentials' own region.

        Raises RefusedError and UnreachableError.
        """
        from oci.identity import IdentityClient

        identity = self.client(IdentityClient, session().own_region)
        found: list[Any] = self.get(
            "list the tenancy's regions", identity.list_region_subscriptions, self.tenancy_id
        )
        return found

    def domains(self) -> list[str]:
        """The names of the region's availability domains.

        Raises RefusedError and UnreachableError.
        """
        from oci.identity import IdentityClient

        found = self.get(
            "list the availability domains",
            self.client(IdentityClient).list_availability_domains,
            self.tenancy_id,
        )
        return [str(each.name) for each in found]

    def get(self, what: str, call: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        """The data of one GET, asked once.

        Raises RefusedError ("Could not <what>: …", with OCI's status) and UnreachableError.
        """

        def ask() -> Any:
            with attempting(what):
                return call(*arguments, **options).data

        return self.once(what, ask)

    def of_step(self, name: str) -> list[Definition]:
        """What a step may submit, its fallbacks too; nothing where it is not still to run, or the
        pipeline has no such step."""
        if name not in self.steps or name not in {step.name for step in self.pipeline}:
            return []
        files = self.pipeline.step(name).definitions
        return [self.definitions[file.removesuffix(".yaml")] for file in files]
