"""What runs, deployments and the service itself do, and whether policies let them.

No code runs here, so a simulated run asks IAM for what its definition says that it would do: read
its job and its artifact, mount its buckets, fetch its secret, write its log. Without
``enforce_iam`` none of this is asked, and nothing changes.

Sources: OCI documentation, "Data Science Policies", "Job Runs: Resource Principals", "Model
Deployment Policies", "Large Model Artifacts"; ADS's driver for distributed jobs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from ...cloud import Cloud
from ...iam.enforcement import demand
from ...iam.principals import Principal, of_resource, of_service
from ...service import Call
from ...store import Record
from ...wire.errors import NotAuthorizedOrNotFound
from ..artifacts.images import repository_of
from ..objectstorage.base import BUCKET, bucket_key

_REFUSED = "Authorization failed or requested resource not found (404 NotAuthorizedOrNotFound)"
# The operations of Container Registry that a pull is made of, by OCI's names for conditions on
# request.operation. No SDK client has them.
_PULL = (
    "read_docker_repository_metadata",
    "read_docker_repository_manifest",
    "pull_docker_layer",
)


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


def service() -> Principal:
    """Data Science itself, as policies name it."""
    return of_service("datascience")


def object_storage(region: str) -> Principal:
    """Object Storage of *region* itself, as policies name it."""
    return of_service(f"objectstorage-{region}")


def principal(cloud: Cloud, record: Record) -> Principal:
    """The resource principal of a run, a session or a deployment."""
    return of_resource(cloud, record)


def use_subnet(cloud: Cloud, who: Principal, subnet_id: str) -> Act:
    """Attach a VNIC to a subnet: whoever creates what lives in it must be allowed to, and so must
    the service that does it."""
    subnet = cloud.store.find("subnet", subnet_id)
    return Act(
        f"attach a VNIC to subnet {subnet_id}",
        who,
        "core.attach_to_subnet",
        subnet.data["compartmentId"] if subnet else None,
        {"target.subnet.id": subnet_id},
    )


def require_subnet(call: Call, subnet_id: str | None) -> None:
    """:raises NotAuthorizedOrNotFound: the caller may not use the subnet that it names."""
    if subnet_id:
        require(call.cloud, call.region, [use_subnet(call.cloud, call.principal, subnet_id)])


def on_bucket(
    cloud: Cloud, who: Principal, region: str, name: str, operation: str, purpose: str, path: str
) -> Act:
    """*operation* of Object Storage on an object, or a prefix, *path* of a bucket."""
    bucket = cloud.store.find(BUCKET, bucket_key(region, name))
    context = {"target.bucket.name": name}
    if path:
        context["target.object.name"] = path
    compartment = bucket.data["compartmentId"] if bucket else None
    return Act(purpose, who, f"objectstorage.{operation}", compartment, context)


def write_log(cloud: Cloud, who: Principal, log_id: str) -> Act:
    """Write lines into a log."""
    log = cloud.store.find("log", log_id)
    group = cloud.store.find("loggroup", log.data["logGroupId"]) if log else None
    return Act(
        f"write to log {log_id}",
        who,
        "logging.put_logs",
        group.data["compartmentId"] if group else None,
        {"target.loggroup.id": group.id if group else "", "target.log.id": log_id},
    )


def pull(cloud: Cloud, who: Principal, image: str) -> Iterator[Act]:
    """Pull an image, if it is one of this tenancy's Container Registry."""
    name = repository_of(cloud, image)
    if name is None:
        return
    repository = next(
        (found for found in cloud.store.live("containerrepo") if found.data["displayName"] == name),
        None,
    )
    compartment = repository.data["compartmentId"] if repository else None
    for operation in _PULL:
        yield Act(
            f"pull image {image}",
            who,
            f"artifacts.{operation}",
            compartment,
            {"target.repo.name": name},
        )


def _allowed(cloud: Cloud, region: str, act: Act) -> bool:
    if act.compartment_id is None:
        return False
    name, operation = act.operation.split(".")
    try:
        demand(
            cloud,
            act.principal,
            name,
            operation,
            region=region,
            compartment_id=act.compartment_id,
            context=act.context,
        )
    except NotAuthorizedOrNotFound:
        return False
    return True
