"""Calls to the SDK: errors made readable, 404 made None, and the waiting in between."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from typing import Any, Final, TypeVar

from ocimock.terraform.clients import Clients, Service
from ocimock.terraform.exceptions import ServiceFailure, WaitError

T = TypeVar("T")

#: The waits between two looks, in seconds. The real provider begins at 0.2 s; ocimock is near.
_FIRST_WAIT: Final = 0.02
_LONGEST_WAIT: Final = 1.0
#: How long the real provider waits for a resource by default.
_PATIENCE_SECONDS: Final = 20 * 60
#: States that end in -ING are passing; these are passing too.
_PASSING: Final = frozenset({"ACCEPTED", "IN_PROGRESS"})
_FAILED_WORK: Final = frozenset({"FAILED", "CANCELED", "CANCELLED"})


class NotFoundFailure(ServiceFailure):
    """404: the resource is not there, or the caller may not know of it."""


class Calls:
    """SDK calls with the waiting that Terraform's model needs."""

    def __init__(
        self,
        clients: Clients,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clients = clients
        self._sleep = sleep
        self._clock = clock

    @property
    def tenancy(self) -> str:
        """The OCID of the tenancy that the credentials belong to."""
        return self._clients.tenancy

    def call(
        self, service: Service, operation: str, *arguments: Any, endpoint: str | None, **more: Any
    ) -> Any:
        """The SDK's response; ServiceFailure with all that the service said of an error."""
        import oci

        client = self._clients.client(service, endpoint)
        try:
            return getattr(client, operation)(*arguments, **more)
        except oci.exceptions.ServiceError as error:
            kind = NotFoundFailure if error.status == 404 else ServiceFailure
            raise kind(_describe(service, operation, error)) from None
        except (oci.exceptions.RequestException, oci.exceptions.ConnectTimeout) as error:
            raise ServiceFailure(
                f"{service.client}.{operation}: no answer from {client.base_client.endpoint} "
                f"({type(error).__name__}). Is ocimock running?"
            ) from None

    def or_none(self, action: Callable[[], T]) -> T | None:
        """What the action returns, or None where the service says 404."""
        try:
            return action()
        except NotFoundFailure:
            return None

    def settled(self, fetch: Callable[[], Any], failed: Collection[str]) -> Any:
        """The resource once its lifecycle state is no longer a passing one."""
        model = self._until(fetch, lambda found: not _passing(found))
        state = getattr(model, "lifecycle_state", None)
        if state in failed:
            details = getattr(model, "lifecycle_details", None) or "the service gives no details"
            raise WaitError(f"The resource is {state}: {details}")
        return model

    def gone(self, fetch: Callable[[], Any], gone_states: Collection[str]) -> None:
        """Wait until the resource is gone."""

        def look() -> Any:
            return self.or_none(fetch)

        model = self._until(look, lambda found: found is None or not _passing(found))
        state = getattr(model, "lifecycle_state", None)
        if model is not None and state not in gone_states:
            raise WaitError(f"The resource was deleted, yet it is still there, {state or 'whole'}")

    def finish(self, service: Service, response: Any, entity: str) -> str | None:
        """Wait for the work request that a response names, if it does.

        Returns the OCID of the entity that the work concerned, e.g. for "log".
        """
        headers = getattr(response, "headers", None) or {}
        identifier = headers.get("opc-work-request-id")
        if not identifier:
            return None

        def fetch() -> Any:
            return self.call(service, "get_work_request", identifier, endpoint=None).data

        work = self._until(fetch, lambda found: not _passing_status(found.status))
        if work.status in _FAILED_WORK:
            raise WaitError(f"Work request {identifier} ended {work.status}.")
        wanted = entity.replace("_", "")
        for touched in work.resources or []:
            if wanted in touched.entity_type.lower().replace("-", "").replace("_", ""):
                return str(touched.identifier)
        return None

    def _until(self, look: Callable[[], Any], done: Callable[[Any], bool]) -> Any:
        wait = _FIRST_WAIT
        deadline = self._clock() + _PATIENCE_SECONDS
        while True:
            found = look()
            if done(found):
                return found
            if self._clock() > deadline:
                state = getattr(found, "lifecycle_state", None) or getattr(found, "status", "?")
                raise WaitError(f"Still {state} after {_PATIENCE_SECONDS // 60} minutes")
            self._sleep(wait)
            wait = min(wait * 2, _LONGEST_WAIT)


def _passing(model: Any) -> bool:
    return _passing_status(getattr(model, "lifecycle_state", None))


def _passing_status(status: str | None) -> bool:
    return status is not None and (status.endswith("ING") or status in _PASSING)


def _describe(service: Service, operation: str, error: Any) -> str:
    """What the service said, one fact a line. `error` is an `oci.exceptions.ServiceError`."""
    return "\n".join(
        (
            f"{error.status} {error.code}: {error.message}",
            f"Service: {service.client}",
            f"Operation: {operation}",
            f"Endpoint: {error.request_endpoint}",
            f"opc-request-id: {error.request_id}",
        )
    )
