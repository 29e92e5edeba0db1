"""What others do with buckets on their own, and what Object Storage itself does."""

from __future__ import annotations

from ...acts import Act
from ...cloud import Cloud
from ...iam.enforcement import context_of
from ...iam.principals import Principal, of_service
from .base import BUCKET, bucket_key


def service(region: str) -> Principal:
    """Object Storage of *region*, as policies name it.

    It copies objects in its own name. Source: OCI documentation, "Copying Objects", "Service
    Permissions".
    """
    return of_service(f"objectstorage-{region}")


def on_bucket(
    cloud: Cloud, who: Principal, region: str, name: str, operation: str, purpose: str, path: str
) -> Act:
    """*operation* of Object Storage on an object, or a prefix, *path* of a bucket of *region*."""
    bucket = cloud.store.find(BUCKET, bucket_key(region, name))
    context = {"target.bucket.name": name}
    if bucket and cloud.settings.enforce_iam:
        context = context_of(bucket)
    if path:
        context["target.object.name"] = path
    compartment = bucket.data["compartmentId"] if bucket else None
    return Act(purpose, who, f"objectstorage.{operation}", compartment, context)
