"""Identity, by the modules that answer its operations."""

from ... import work_requests
from . import (  # noqa: F401 - each registers its operations
    administrators,
    api_keys,
    compartments,
    memberships,
    policies,
    principals,
    regions,
)
from .base import SERVICE

__all__ = ["SERVICE"]

work_requests.register(SERVICE, entries=False)
