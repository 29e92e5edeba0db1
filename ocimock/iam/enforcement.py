"""``--enforce-iam``: what the tenancy's policies let a principal do.

Everything behind :func:`authorize` and :func:`demand` is imported when a policy is enforced for
the first time, so that mocks that enforce none pay nothing.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ..wire.errors import (
    BucketNotFound,
    NotAuthenticated,
    NotAuthorizedOrNotFound,
    NotImplementedByMock,
    ServiceError,
)
from .decisions import Decision

if TYPE_CHECKING:
    from ..cloud import Cloud
    from ..service import Call
    from ..store import Record
    from .evaluation import Ask
    from .principals import Principal
    from .rights import Rights

_LOG = logging.getLogger("ocimock.iam")
# Decisions that are kept, the latest ones.
_KEPT = 1000
_RIGHTS, _DECISIONS = "iam.rights", "iam.decisions"
# Operations that a bucket's publicAccessType lets anybody do.
# Source: OCI's API reference, Bucket.publicAccessType.
_PUBLIC = {
    "ObjectRead": ("get_object", "head_object", "list_objects"),
    "ObjectReadWithoutList": ("get_object", "head_object"),
}


def authorize(call: Call) -> None:
    """Let *call* pass if policy statements allow it.

    :raises NotAuthorizedOrNotFound, BucketNotFound: none do, told as OCI tells that there is no
        such thing; the mock's log says which statement is missing.
    :raises NotAuthenticated: nobody that is known asks.
    :raises NotImplementedByMock: the mock does not know what the operation needs.
    """
    from .evaluation import Ask
    from .needs import needs_of
    from .tag_targets import tag_namespaces
    from .targets import own_target, targets

    service, operation = call.operation.service, call.operation.name
    rights = _rights(call.cloud)
    if service == "identity" and call.request.method != "GET":
        # What this call is going to change counts from the next one on.
        forget(call.cloud)
    needs = needs_of(service, operation)
    if needs is None:
        raise NotImplementedByMock(
            f"ocimock does not know which permissions {service}.{operation} needs, so it can't "
            "be called while policies are enforced"
        )
    if needs.open or is_public(call):
        return
    if call.principal.kind == "anonymous":
        raise _nobody(call)
    if needs.free or (needs.own and call.path.get("userId") == call.principal.id):
        return
    asks = [
        Ask((need.permissions[not target.is_new],), target)
        if need.by_existence
        else Ask(need.permissions, target)
        for need in needs.needs
        for target in targets(call, need)
    ]
    asks += [Ask(("TAG_NAMESPACE_USE",), namespace) for namespace in tag_namespaces(call)]
    if not asks:
        # About nothing, or nothing that is there: so that this is no way to learn what is.
        target = own_target(call)
        asks = [Ask(need.permissions, target) for need in needs.needs if need.always]
    decision = _decide(call.cloud, rights, call.principal, service, operation, call.region, asks)
    if not decision.allowed:
        raise _refusal(call)


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

    Does nothing unless the mock's settings enforce IAM. What an operation needs only for what a
    call may add, such as a subnet, is not asked for.

    :param service, operation: as ocimock names them (``vault``, ``get_secret_bundle``), or one of
        the acts that no SDK client has, such as ``core`` and ``attach_to_subnet``
        (:data:`ocimock.iam.operations.ACTS`).
    :param compartment_id: where the target is.
    :param context: the target's variables for conditions, ``{"target.secret.name": "hf"}``;
        :func:`context_of` makes them of a record.
    :raises NotAuthorizedOrNotFound: no statement allows it; the log says which one is missing.
    :raises NotImplementedByMock: the mock does not know what the operation needs.
    """
    if not cloud.settings.enforce_iam:
        return
    from .evaluation import Ask
    from .needs import needs_of
    from .target import Target
    from .targets import object_is_new

    needs = needs_of(service, operation)
    if needs is None:
        raise NotImplementedByMock(f"ocimock does not know what {service}.{operation} needs")
    variables = {name.lower(): (value,) for name, value in context.items()}
    target = Target(compartment_id, variables)
    asks = []
    for need in (need for need in needs.needs if need.always):
        permissions = need.permissions
        if need.by_existence:
            permissions = (permissions[not object_is_new(cloud, region, context)],)
        asks.append(Ask(permissions, target))
    decision = _decide(cloud, _rights(cloud), principal, service, operation, region, asks)
    if not decision.allowed:
        raise NotAuthorizedOrNotFound("Authorization failed or requested resource not found")


def context_of(record: Record) -> dict[str, str]:
    """The variables of *record* for :func:`demand`."""
    from .targets import variables

    return {name: values[0] for name, values in variables(record).items()}


def may_inspect(call: Call, record: Record) -> bool:
    """Whether a search shows *record* to the caller: if it may list such resources where it is."""
    if not call.cloud.settings.enforce_iam:
        return True
    from .evaluation import Ask, decide
    from .inspection import INSPECTION
    from .needs import request_variables
    from .targets import of_record

    permission = INSPECTION.get(record.kind)
    if permission is None:
        return False
    rights = _rights(call.cloud)
    ask = Ask((permission,), of_record(call.cloud, record))
    request = request_variables("search_resources", call.region)
    asker = rights.asker(call.principal)
    return decide(rights, asker, "", [ask], request, call.cloud.clock.now()).allowed


def decisions(cloud: Cloud) -> deque[Decision]:
    """What IAM said last, the oldest first. Open, public and free calls are not asked about."""
    kept: deque[Decision] = cloud.derived.setdefault(_DECISIONS, deque(maxlen=_KEPT))
    return kept


def forget(cloud: Cloud) -> None:
    """Read the tenancy's policies, groups and compartments anew for the next decision."""
    cloud.derived.pop(_RIGHTS, None)


def _decide(
    cloud: Cloud,
    rights: Rights,
    principal: Principal,
    service: str,
    operation: str,
    region: str,
    asks: Sequence[Ask],
) -> Decision:
    from .evaluation import decide
    from .needs import request_variables

    asker = rights.asker(principal)
    request = request_variables(operation, region)
    label = f"{service}.{operation}"
    decision = decide(rights, asker, label, asks, request, cloud.clock.now())
    decisions(cloud).append(decision)
    if decision.allowed:
        _LOG.debug("%s by %s: allowed", label, principal.id)
    elif decision.denied_by:
        _LOG.warning("%s by %s: denied by '%s'", label, principal.id, decision.denied_by)
    else:
        _LOG.warning("%s by %s: missing: %s", label, principal.id, decision.missing)
    return decision


def _rights(cloud: Cloud) -> Rights:
    found: Rights | None = cloud.derived.get(_RIGHTS)
    if found is None:
        from .rights import Rights
        from .stored import directory_of

        found = cloud.derived[_RIGHTS] = Rights(directory_of(cloud))
    return found


def is_public(call: Call) -> bool:
    """Whether the bucket in the path lets anybody do this."""
    if call.operation.service != "objectstorage" or "bucketName" not in call.path:
        return False
    from ..services.objectstorage import service_packs
    from .targets import bucket_of

    if service_packs.is_meant(call):
        return call.operation.name in _PUBLIC["ObjectRead"]
    bucket = bucket_of(call)
    access = bucket.data.get("publicAccessType") if bucket else None
    return call.operation.name in _PUBLIC.get(access or "", ())


def _nobody(call: Call) -> ServiceError:
    if call.operation.service == "objectstorage":
        return _refusal(call)
    return NotAuthenticated(
        "The required information to complete authentication was not provided or was incorrect."
    )


def _refusal(call: Call) -> ServiceError:
    """What OCI answers whether there is no such thing or the caller may not have it."""
    from .targets import path_ocid

    if "bucketName" in call.path:
        return BucketNotFound(
            f"Either the bucket named '{call.path['bucketName']}' does not exist in the namespace "
            f"'{call.path['namespaceName']}' or you are not authorized to access it"
        )
    failed = "Authorization failed or requested resource not found"
    identifier = path_ocid(call)
    if identifier:
        verb, _, noun = call.operation.name.partition("_")
        if verb not in ("get", "update", "delete"):
            noun = identifier.split(".")[1]
        return NotAuthorizedOrNotFound(f"{failed}: {noun} {identifier}")
    compartment = call.query("compartmentId")
    if compartment is None and call.operation.body_model:
        compartment = call.body().get("compartmentId")
    if compartment is None:
        return NotAuthorizedOrNotFound(failed)
    return NotAuthorizedOrNotFound(f"{failed}: compartment {compartment}")
