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
    tag_defaults,
    tags,
    user_credentials,
)
from .base import SERVICE

__all__ = ["SERVICE"]

work_requests.register(SERVICE, entries=False)
work_requests.register(SERVICE, noun="tagging_work_request", about="TAG")
work_requests.register(SERVICE, noun="iam_work_request")
