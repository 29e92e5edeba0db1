"""Container repositories of OCI Registry."""

from __future__ import annotations

from ...resources import Kind, Lifecycle, crud
from ...service import Call, Service
from ...store import Record

SERVICE = Service("artifacts", ("oci.artifacts.ArtifactsClient",))

REPOSITORY = Kind(
    name="containerrepo",
    model="ContainerRepository",
    path_id="repositoryId",
    noun="container_repository",
    plural="container_repositories",
    lifecycle=Lifecycle("AVAILABLE", "AVAILABLE", "DELETING", "DELETED"),
    unique=("compartmentId", "displayName"),
    defaults=(
        ("isPublic", False),
        ("isImmutable", False),
        ("imageCount", 0),
        ("layerCount", 0),
        ("layersSizeInBytes", 0),
        ("billableSizeInGBs", 0),
    ),
    collection=True,
)


def _place(call: Call, record: Record) -> None:
    record.data["namespace"] = call.cloud.settings.namespace


crud(SERVICE, REPOSITORY, on_create=_place)
