"""A mocked tenancy as tests see it, wherever it lives: in the process or behind a port."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Protocol

from .cloud import CallRecord, Cloud, Settings
from .credentials import PROFILE, Credentials
from .iam.decisions import Decision


class StandingFault(Protocol):
    """A fault rule: how many calls it matched so far, and how many of these it struck."""

    @property
    def matched(self) -> int: ...

    @property
    def struck(self) -> int: ...

    @property
    def spent(self) -> bool:
        """It will strike no more."""
        ...


class FaultRules(Protocol):
    """What goes wrong on demand; :mod:`ocimock.fault_rules` has the rules' language."""

    @property
    def rules(self) -> Sequence[StandingFault]: ...

    def add(self, rule: Any) -> StandingFault: ...

    def clear(self) -> None: ...


class MockedTenancy(ABC):
    """Credentials for the clients of one mocked tenancy, and a hand on its clock.

    *settings* are the tenancy's identifiers and timings.
    """

    def __init__(self, settings: Settings, credentials: Credentials) -> None:
        self.settings = settings
        self.credentials = credentials

    @property
    def config(self) -> dict[str, str]:
        """The dictionary that the constructors of OCI's SDK clients take."""
        return {
            "user": self.settings.user_id,
            "tenancy": self.settings.tenancy_id,
            "fingerprint": self.credentials.fingerprint,
            "key_file": str(self.credentials.key_file),
            "region": self.settings.region,
        }

    @property
    def profile(self) -> str:
        return PROFILE

    @property
    def tenancy_id(self) -> str:
        return self.settings.tenancy_id

    @property
    def compartment_id(self) -> str:
        return self.settings.compartment_id

    @property
    def user_id(self) -> str:
        return self.settings.user_id

    @property
    def namespace(self) -> str:
        """The tenancy's Object Storage namespace."""
        return self.settings.namespace

    @property
    @abstractmethod
    def calls(self) -> list[CallRecord]:
        """Every call that came, in order."""

    @property
    @abstractmethod
    def decisions(self) -> list[Decision]:
        """What IAM said to the last calls, where it is enforced: what was granted by which
        statement, and for a denial the statement that is missing."""

    @abstractmethod
    def standing(self) -> dict[str, int]:
        """How many resources of each kind stand, less those that a fresh tenancy holds."""

    @abstractmethod
    def bodies(self) -> int:
        """How many bodies of objects, parts and artifacts are kept."""

    @abstractmethod
    def user_config(self, user_id: str) -> dict[str, str]:
        """The configuration with which SDK clients call as another user of the tenancy.

        The user gets an API key for it, the same one each time.

        :raises ValueError: there is no such user, or it has as many keys as it can have.
        """

    @abstractmethod
    def resource_principal(self, resource_id: str) -> dict[str, str]:
        """The environment variables with which clients call as a resource of the tenancy.

        With them set, ``oci.auth.signers.get_resource_principals_signer()`` works as it does in
        that notebook session, job run or deployment.

        :raises ValueError: no such resource stands.
        """

    @property
    @abstractmethod
    def faults(self) -> FaultRules:
        """What goes wrong on demand: ``oci.faults.add("429 on every 3rd POST /jobRuns")``."""

    @abstractmethod
    def advance(self, seconds: float) -> None:
        """Let *seconds* pass on the mock's clock.

        :raises ValueError: they run backwards, or to where no date can be written any more.
        """


def standing(cloud: Cloud) -> dict[str, int]:
    """How many resources of each kind stand in *cloud*, less those of a fresh tenancy."""
    with cloud.lock:
        cloud.run_due_events()
        fresh = Cloud(cloud.settings).store.standing()
        found = cloud.store.standing()
    counts = {kind: count - fresh.get(kind, 0) for kind, count in found.items()}
    return {kind: count for kind, count in counts.items() if count}
