"""What runs, sessions, deployments and Data Science itself do on their own.

Sources: OCI documentation, "Data Science Policies", "Model Deployment Policies", "Creating Logs
for Model Deployments".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ...acts import Act, refusal
from ...cloud import Cloud
from ...iam.enforcement import context_of
from ...iam.principals import Principal, of_resource, of_service
from ...store import Record
from ..artifacts.images import repository_of
from ..objectstorage.acts import on_bucket

# The operations of Container Registry that a pull is made of.
_PULL = (
    "read_docker_repository_metadata",
    "read_docker_repository_manifest",
    "pull_docker_layer",
)


def service() -> Principal:
    """Data Science itself, as policies name it."""
    return of_service("datascience")


def use_subnet(cloud: Cloud, who: Principal, subnet_id: str) -> Act:
    """Attach a VNIC to a subnet."""
    subnet = cloud.store.find("subnet", subnet_id)
    return Act(
        f"attach a VNIC to subnet {subnet_id}",
        who,
        "core.attach_to_subnet",
        subnet.data["compartmentId"] if subnet else None,
    )


def write_log(cloud: Cloud, who: Principal, log_id: str) -> Act:
    """Write lines into a log."""
    log = cloud.store.find("log", log_id)
    group = cloud.store.find("loggroup", log.data["logGroupId"]) if log else None
    return Act(
        f"write to log {log_id}",
        who,
        "logging.put_logs",
        group.data["compartmentId"] if group else None,
        context_of(group) if group else {},
    )


def pull(cloud: Cloud, who: Principal, image: str) -> Iterator[Act]:
    """Pull an image, if it is one of this tenancy's Container Registry."""
    name = repository_of(cloud, image)
    if name is None:
        return
    found = [repo for repo in cloud.store.live("containerrepo") if repo.data["displayName"] == name]
    compartment = found[0].data["compartmentId"] if found else None
    context = context_of(found[0]) if found else {}
    for operation in _PULL:
        yield Act(f"pull image {image}", who, f"artifacts.{operation}", compartment, context)


def read_objects(
    cloud: Cloud, who: Principal, region: str, places: Iterable[dict[str, Any]]
) -> Iterator[Act]:
    """Read the objects that a model by reference names."""
    for place in places:
        bucket = str(place["bucketName"])
        path = str(place.get("prefix") or "")
        purpose = f"read the model's objects in bucket '{bucket}'"
        for operation in ("list_objects", "get_object"):
            yield on_bucket(cloud, who, region, bucket, operation, purpose, path)


def deployment_refusal(
    cloud: Cloud, record: Record, details: dict[str, Any], places: Iterable[dict[str, Any]]
) -> str | None:
    """Why a deployment can't come up, where policies forbid what it does then.

    :param details: its modelDeploymentConfigurationDetails.
    :param places: what its model names in Object Storage, for a model by reference.
    """
    region = record.private["region"]
    return refusal(cloud, region, _coming_up(cloud, record, details, places))


def deployment_may_log(cloud: Cloud, record: Record, log_id: str) -> bool:
    """Whether a line of the deployment reaches that log."""
    act = write_log(cloud, of_resource(cloud, record), log_id)
    return refusal(cloud, record.private["region"], [act]) is None


def _coming_up(
    cloud: Cloud, record: Record, details: dict[str, Any], places: Iterable[dict[str, Any]]
) -> Iterator[Act]:
    who = of_resource(cloud, record)
    instance = details["modelConfigurationDetails"]["instanceConfiguration"]
    if subnet := instance.get("subnetId"):
        yield use_subnet(cloud, service(), subnet)
    image = (details.get("environmentConfigurationDetails") or {}).get("image")
    yield from pull(cloud, who, image or "")
    yield from read_objects(cloud, who, record.private["region"], places)
    for log in (record.data.get("categoryLogDetails") or {}).values():
        yield write_log(cloud, who, log["logId"])
