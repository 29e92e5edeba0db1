"""A call that a pipeline will make: who makes it, of which operation, on what."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from ..definitions import Definition, bucket_path
from .iam_places import On, Places

# <region's key>.ocir.io or ocir.<region>.oci.oraclecloud.com, then namespace/repository:tag@digest.
# Source: OCI documentation, "Container Registry Concepts".
IMAGE = re.compile(
    r"(?:[a-z]{3}\.ocir\.io|ocir\.[a-z0-9-]+\.oci\.oraclecloud\.com)/"
    r"(?P<namespace>[^/]+)/(?P<repository>[^:@]+)(?::[^@]+)?(?:@.+)?"
)


class Who(Enum):
    """Who makes a call, in words."""

    SUBMITTER = "whoever submits"
    RUN = "the job runs"
    DEPLOYMENT = "the deployment"
    DATA_SCIENCE = "service datascience"
    OBJECT_STORAGE = "service objectstorage"


@dataclass(frozen=True)
class Call:
    """One call.

    *purpose* ends a sentence that begins with "may not". *operation* is ``service.operation``, with
    the names of the SDK's methods; *also* are permissions that it needs on other things, each with
    what. *spared*: why the pipeline goes on without it; '' where it does not.
    """

    who: Who
    purpose: str
    operation: str
    on: On
    also: tuple[tuple[str, On], ...] = ()
    spared: str = ""


def repository_of(image: str) -> str:
    """The repository of Container Registry that *image* lies in; '' of one from elsewhere."""
    found = IMAGE.fullmatch(image)
    return found["repository"] if found else ""


def on_science(who: Who, what: str, definition: Definition, *operations: str) -> Iterator[Call]:
    """*operations* of Data Science, in the compartment that *definition* names."""
    on = On(str(definition.infrastructure["compartmentId"]))
    for operation in operations:
        yield Call(who, what, f"datascience.{operation}", on)


def on_objects(
    who: Who, what: str, uri: str, places: Places, *operations: str, spared: str = ""
) -> Iterator[Call]:
    """*operations* of Object Storage on what lies under *uri*."""
    _, bucket, _ = bucket_path(uri)
    for operation in operations:
        on = places.objects(uri)
        yield Call(who, f"{what} '{bucket}'", f"objectstorage.{operation}", on, spared=spared)


def log_of(definition: Definition) -> tuple[str, str] | None:
    """The log group and the log of a job's runs."""
    return _log(definition.infrastructure)


def logs_of_deployment(definition: Definition) -> list[tuple[str, str]]:
    """The log groups and the logs of who asks a deployment, and of what it answers."""
    found = (definition.infrastructure.get(name) or {} for name in ("accessLog", "predictLog"))
    return [log for log in map(_log, found) if log is not None]


def _log(spec: Mapping[str, Any]) -> tuple[str, str] | None:
    if not spec.get("logId"):
        return None
    return str(spec.get("logGroupId") or ""), str(spec["logId"])
