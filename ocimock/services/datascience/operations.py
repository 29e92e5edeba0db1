"""Data Science, by the modules that answer its operations."""

from . import (  # noqa: F401 - each registers its operations
    containers,
    deployments,
    job_runs,
    jobs,
    metadata_artifacts,
    model_groups,
    model_retention,
    model_transfers,
    models,
    notebooks,
    predict,
    private_endpoints,
    projects,
    shapes,
    version_sets,
    work_requests,
)
from .base import SERVICE

__all__ = ["SERVICE"]
