"""What a kind of resource is: its names, states, references and rules."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from .service import Call
from .store import Record
from .wire.errors import AlreadyExists, Conflict, ServiceError


@dataclass(frozen=True)
class Lifecycle:
    """The states that a kind of resource passes through."""

    creating: str = "CREATING"
    active: str = "ACTIVE"
    deleting: str = "DELETING"
    deleted: str = "DELETED"
    updating: str = "UPDATING"

    def is_passing(self, state: str | None) -> bool:
        """Whether a resource in *state* is on its way to another one, and can't be changed now."""
        resting = {self.active, self.deleted}
        return state in {self.creating, self.updating, self.deleting} - resting


NETWORK_LIFECYCLE = Lifecycle("PROVISIONING", "AVAILABLE", "TERMINATING", "TERMINATED")

Hook = Callable[[Call, Record], None]


@dataclass(frozen=True)
class Kind:
    """A kind of resource.

    :param name: its name in OCIDs, and its table in the store (``subnet``).
    :param model: the SDK's model of what the API shows (``Subnet``).
    :param path_id: the path parameter that holds its OCID (``subnetId``).
    :param noun: its name in the SDK's operations (``subnet`` in ``create_subnet``).
    :param plural: the same in the list operation (``subnets``).
    :param unique: fields that no two live resources may share.
    :param defaults: what a field holds where the client set none.
    :param parents: fields of the body that must name a live resource, with its kind.
    :param children: kinds whose live records forbid deletion, with the field that names this one.
    :param create_seconds: how long one is being created at real pace.
    :param update_seconds: how long one is UPDATING; None where the API knows no such state.
    :param delete_seconds: how long one is being deleted; None where it is gone at once.
    :param collection: the list answers ``{"items": […]}`` (newer services), not a bare array.
    """

    name: str
    model: str
    path_id: str
    noun: str
    plural: str
    lifecycle: Lifecycle = Lifecycle()
    regional: bool = True
    unique: tuple[str, ...] = ()
    defaults: tuple[tuple[str, Any], ...] = ()
    parents: tuple[tuple[str, str], ...] = ()
    children: tuple[tuple[str, str], ...] = ()
    collection: bool = False
    create_seconds: float = 0.0
    update_seconds: float | None = None
    delete_seconds: float | None = None
    in_use: type[ServiceError] = Conflict
    duplicate: type[ServiceError] = AlreadyExists

    def with_(self, **changes: Any) -> Kind:
        return replace(self, **changes)
