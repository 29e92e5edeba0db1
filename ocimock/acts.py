"""What resources and services do on their own, without an HTTP call that policies could stop.

A simulated job run reads no bucket and a service attaches no VNIC, but with ``enforce_iam`` each
asks IAM whether it could. Without, none of this is asked, and nothing changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from .cloud import Cloud
from .iam.enforcement import demand
from .iam.principals import Principal
from .wire.errors import NotAuthorizedOrNotFound

_REFUSED = "Authorization failed or requested resource not found (404 NotAuthorizedOrNotFound)"


@dataclass(frozen=True)
class Act:
    """Something that takes a right.

    :param purpose: what it is, in words, for who reads why it failed.
    :param operation: ``service.operation``, as :func:`ocimock.iam.enforcement.demand` names it.
    :param compartment_id: where its target is; None where there is no such target.
    :param context: the target's variables for conditions.
    """

    purpose: str
    principal: Principal
    operation: str
    compartment_id: str | None
    context: Mapping[str, str] = field(default_factory=dict)


def refusal(cloud: Cloud, region: str, acts: Iterable[Act]) -> str | None:
    """Why the first of *acts* that IAM refuses fails, in OCI's words; None if all may be done."""
    if not cloud.settings.enforce_iam:
        return None
    for act in acts:
        if not _allowed(cloud, region, act):
            return f"could not {act.purpose}: {_REFUSED}"
    return None


def require(cloud: Cloud, region: str, acts: Iterable[Act]) -> None:
    """:raises NotAuthorizedOrNotFound: one of *acts* is refused; the message says which."""
    if reason := refusal(cloud, region, acts):
        raise NotAuthorizedOrNotFound(reason)


def _allowed(cloud: Cloud, region: str, act: Act) -> bool:
    if act.compartment_id is None:
        return False
    service, operation = act.operation.split(".")
    try:
        demand(
            cloud,
            act.principal,
            service,
            operation,
            region=region,
            compartment_id=act.compartment_id,
            context=act.context,
        )
    except NotAuthorizedOrNotFound:
        return False
    return True
