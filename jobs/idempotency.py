"""Submitting once: what marks the resources of an attempt, and what OCI knows a request by.

Whatever is created for a step carries its key in its tags and at the end of its name, so that it
is found again by whoever did not hear OCI's answer. Every POST carries an ``opc-retry-token``
made from the key: OCI does it once, however often it is sent.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import yaml

from .definitions import Definition
from .errors import RefusedError, attempting
from .fingerprints import SHORT

TENANCY_TAG = "tunestack-tenancy"
STEP_TAG = "tunestack-step"
KEY_TAG = "tunestack-key"
TAGS = (TENANCY_TAG, STEP_TAG, KEY_TAG)

# States of what is gone: nothing to go on with.
_GONE = frozenset({"DELETED", "DELETING"})


def _unheard(name: str, **details: Any) -> None:
    """Where nobody writes down what happens."""


@dataclass(frozen=True)
class Submission:
    """One attempt at a step; *note* writes down what is about to happen, and what has."""

    tenancy: str
    step: str
    key: str
    definition: Definition
    attempt: int = 1
    note: Callable[..., None] = _unheard

    @property
    def name(self) -> str:
        """The display name of all that is created: a list call finds it by that."""
        return f"{self.definition.title}-{self.key[:SHORT]}"

    @property
    def tags(self) -> dict[str, str]:
        return {TENANCY_TAG: self.tenancy, STEP_TAG: self.step, KEY_TAG: self.key}

    @property
    def compartment_id(self) -> str:
        return str(self.definition.infrastructure["compartmentId"])

    @property
    def project_id(self) -> str:
        return str(self.definition.infrastructure["projectId"])

    @property
    def text(self) -> str:
        """The definition with the name and the tags, as ADS reads it.

        A job's tags are the runtime's: ADS leaves out the infrastructure's beside them, and gives
        these to the job and to its run.
        """
        content = deepcopy(self.definition.content)
        spec = content["spec"]
        is_job = self.definition.kind == "job"
        spec["name" if is_job else "displayName"] = self.name
        tagged = spec["runtime"]["spec"] if is_job else spec
        tagged["freeformTags"] = {**(tagged.get("freeformTags") or {}), **self.tags}
        text: str = yaml.safe_dump(content, sort_keys=False, allow_unicode=True)
        return text

    def found(self, what: str, listing: Callable[..., Any]) -> Any | None:
        """Of what the SDK's *listing* knows by the name, the newest that carries the key and is
        not gone. *what* names its kind for a reader."""
        from oci.pagination import list_call_get_all_results

        with attempting(f"look for the {what} '{self.name}'"):
            listed = list_call_get_all_results(
                listing,
                self.compartment_id,
                project_id=self.project_id,
                display_name=self.name,
            ).data
        mine = [
            each
            for each in listed
            if (each.freeform_tags or {}).get(KEY_TAG) == self.key
            and each.lifecycle_state not in _GONE
        ]
        return max(mine, key=lambda each: each.time_created, default=None)

    @property
    def fields(self) -> dict[str, Any]:
        """What an entry keeps of it."""
        return {
            "step": self.step,
            "digest": self.definition.digest,
            "title": self.definition.title,
            "key": self.key,
            "attempt": self.attempt,
            "definition": self.definition.path.name,
            **self.definition.machine,
        }


_key: ContextVar[str] = ContextVar("key", default="")


@contextmanager
def submitting(key: str) -> Iterator[None]:
    """Meanwhile every POST of this thread carries a retry token of *key*, and nothing is deleted.

    ADS deletes a job whose artifact it could not upload. It is kept: the next try goes on with it,
    and whoever gives the attempt up deletes it.
    """
    _wrap_sdk()
    token = _key.set(key)
    try:
        yield
    finally:
        _key.reset(token)


def retry_token(key: str, method: str, path: str) -> str:
    """At most 64 characters, as OCI allows."""
    return hashlib.sha256(f"{key} {method} {path}".encode()).hexdigest()


def came_before(error: RefusedError) -> bool:
    """Whether OCI knows the retry token by another request: what it made then is there."""
    return error.status == 409 and "InvalidatedRetryToken" in error.what


@functools.cache
def _wrap_sdk() -> None:
    """Every client of the SDK calls this one method; ADS gives no way to hand it a header."""
    from oci.base_client import BaseClient
    from oci.response import Response

    original = BaseClient.call_api

    @functools.wraps(original)
    def call_api(self: Any, resource_path: str, method: str, *rest: Any, **named: Any) -> Any:
        key = _key.get()
        if key and method == "DELETE":
            return Response(204, {}, None, None)
        if key and method == "POST" and not rest:
            path = _filled(resource_path, named.get("path_params") or {})
            headers = dict(named.get("header_params") or {})
            named["header_params"] = {**headers, "opc-retry-token": retry_token(key, method, path)}
        return original(self, resource_path, method, *rest, **named)

    BaseClient.call_api = call_api


def _filled(path: str, parameters: Mapping[str, Any]) -> str:
    for name, value in parameters.items():
        path = path.replace(f"{{{name}}}", str(value))
    return path
