"""What a model of the catalog is, for all modules that do something with models."""

from __future__ import annotations

from ...cloud import Cloud
from ...resources import Kind, Lifecycle
from ...store import Record
from ...wire.errors import IncorrectState
from . import artifacts
from .base import DEPLOYMENT, METADATA_ARTIFACT, MODEL, MODEL_GROUP, PROJECT, VERSION_SET

KIND = Kind(
    name=MODEL,
    model="Model",
    path_id="modelId",
    noun="model",
    plural="models",
    lifecycle=Lifecycle("ACTIVE", "ACTIVE", "DELETED", "DELETED"),
    parents=(("projectId", PROJECT), ("modelVersionSetId", VERSION_SET)),
    defaults=(
        ("lifecycleDetails", ""),
        ("category", "USER"),
        ("isModelByReference", False),
        ("customMetadataList", []),
        ("definedMetadataList", []),
    ),
)


def deployments_of(cloud: Cloud, model: Record) -> list[Record]:
    """The deployments that serve *model*."""
    return [
        deployment
        for deployment in cloud.store.live(DEPLOYMENT)
        if deployment.private["search"]["modelId"] == model.id
    ]


def groups_of(cloud: Cloud, model: Record) -> list[Record]:
    """The model groups that *model* is a member of."""
    return [
        group
        for group in cloud.store.live(MODEL_GROUP)
        if any(
            entry["modelId"] == model.id
            for entry in group.data["memberModelEntries"]["memberModelDetails"]
        )
    ]


def delete_artifacts(cloud: Cloud, model: Record) -> None:
    """Forget the artifact of *model* and those of its metadata."""
    artifacts.drop(cloud, model)
    for record in list(cloud.store.live(METADATA_ARTIFACT)):
        if record.data["modelId"] == model.id:
            artifacts.drop(cloud, record)
            cloud.store.drop(METADATA_ARTIFACT, record.id)


def readable(model: Record) -> Record:
    """:raises IncorrectState: the model's artifact is archived."""
    if model.private.get("archived"):
        raise IncorrectState(f"the artifact of {model.id} is archived; restore it first")
    return model
