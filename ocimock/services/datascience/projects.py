"""Projects."""

from __future__ import annotations

from ...resources import Kind, Lifecycle, crud, delete, get_live
from ...service import Call
from ...wire.message import Response
from . import work_requests
from .base import (
    DEPLOYMENT,
    JOB,
    JOB_RUN,
    MODEL,
    MODEL_GROUP,
    NOTEBOOK,
    PROJECT,
    SERVICE,
    VERSION_SET,
)

# How long a deletion takes at real pace.
_SECONDS = 0.5
_CHILDREN = (NOTEBOOK, JOB, JOB_RUN, MODEL, MODEL_GROUP, VERSION_SET, DEPLOYMENT)

KIND = Kind(
    name=PROJECT,
    model="Project",
    path_id="projectId",
    noun="project",
    plural="projects",
    lifecycle=Lifecycle("ACTIVE", "ACTIVE", "DELETING", "DELETED"),
    delete_seconds=_SECONDS,
    children=tuple((kind, "projectId") for kind in _CHILDREN),
)


@SERVICE.operation("delete_project")
def _delete(call: Call) -> Response:
    record = get_live(call, KIND)
    response = delete(call, KIND)
    response.headers["opc-work-request-id"] = work_requests.start(
        call, "PROJECT_DELETE", record, entity="project", seconds=_SECONDS
    )
    return response


crud(SERVICE, KIND, only=("create", "get", "list", "update", "move"))
