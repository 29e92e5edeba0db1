"""Projects."""

from __future__ import annotations

from ...resources import Kind, Lifecycle, crud
from .base import DEPLOYMENT, JOB, JOB_RUN, MODEL, NOTEBOOK, PROJECT, SERVICE, VERSION_SET

KIND = Kind(
    name=PROJECT,
    model="Project",
    path_id="projectId",
    noun="project",
    plural="projects",
    lifecycle=Lifecycle("ACTIVE", "ACTIVE", "DELETING", "DELETED"),
    delete_seconds=0.5,
    children=tuple(
        (kind, "projectId") for kind in (NOTEBOOK, JOB, JOB_RUN, MODEL, VERSION_SET, DEPLOYMENT)
    ),
)

crud(SERVICE, KIND, only=("create", "get", "list", "update", "move", "delete"))
