"""Registering the merged model: a catalog entry that points to a versioned bucket."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..auth import sign_in_ads, storage
from ..definitions import Definition, bucket_path
from ..errors import JobsError, StepFailedError, attempting
from ..record import Entry, Run
from . import provenance
from .provenance import Item

WEIGHTS = (".safetensors", ".bin")


def register(definitions: Mapping[str, Definition], run: Run) -> Entry:
    """Create the catalog entry of what the run's merge wrote.

    The merge left a manifest beside the weights; of a simulated run it is written here, which so
    has something to point to. A model that was created but could not be completed is deleted
    again: ADS leaves it ACTIVE and empty.

    Raises:
        StepFailedError: the merge left no weights, or the bucket keeps no versions.
        RefusedError: OCI refused.
    """
    definition, merge = definitions["model"], run.need("merge")
    artifact = str(definition.content["spec"]["artifact"])
    if not merge.simulated:
        _need_weights(artifact)
    left = None if merge.simulated else provenance.read(artifact)
    if left is None:
        left = provenance.manifest(definitions, run)
        provenance.put(artifact, left)

    sign_in_ads()
    from ads.model.datascience_model import DataScienceModel

    with attempting(f"read the model '{definition.title}'"):
        model: Any = DataScienceModel.from_yaml(definition.text)
    model.with_provenance_metadata(_provenance(definitions["finetune"], run))
    if not merge.simulated:
        model.with_custom_metadata_list(_metadata(provenance.items(left, definitions, run)))
    _create(model, definition.title, artifact)
    return Entry(
        step="register",
        state=str(model.lifecycle_state),
        ids={"model": model.id},
        digest=definition.digest,
        title=definition.title,
        details=artifact,
        simulated=merge.simulated,
        local=merge.local,
        submitted=model.dsc_model.time_created,
        started=model.dsc_model.time_created,
    )


def _provenance(finetune: Definition, run: Run) -> Any:
    from ads.model.model_metadata import ModelProvenanceMetadata

    git = finetune.runtime.get("git", {})
    return ModelProvenanceMetadata(
        repository_url=git.get("url"),
        git_commit=git.get("commit"),
        git_branch=git.get("branch"),
        training_id=run.need("finetune").ids["job_run"],
    )


def _metadata(items: Iterable[Item]) -> Any:
    from ads.model.model_metadata import ModelCustomMetadata

    found = ModelCustomMetadata()
    for item in items:
        found.add(item.key, item.value, category=item.category, description=item.description)
    return found


def _need_weights(artifact: str) -> None:
    """A merge can exit 0 and leave nothing, if its output was not on the mount."""
    from oci.pagination import list_call_get_all_results

    namespace, bucket, prefix = bucket_path(artifact)
    with attempting(f"list {artifact}"):
        listed = list_call_get_all_results(
            storage().list_objects, namespace, bucket, prefix=prefix, fields="name"
        ).data.objects
    if not any(each.name.endswith(WEIGHTS) for each in listed):
        raise StepFailedError(
            f"The merge succeeded, but {artifact} holds no weights "
            f"({len(listed)} objects, none ends in {' or '.join(WEIGHTS)}).",
            "Compare --output in merge.yaml with its storageMount and with the model's artifact.",
        )


def _create(model: Any, title: str, artifact: str) -> None:
    from ads.model import datascience_model as ads_errors

    try:
        with attempting(f"register the model '{title}'"):
            model.create(model_by_reference=True)
    except ads_errors.BucketNotVersionedError:
        raise StepFailedError(
            f"The model '{title}' could not be registered: the bucket of {artifact} keeps no "
            f"versions.{_take_back(model)}",
            "Set versioning to Enabled on the bucket (the storage stack does).",
        ) from None
    except ads_errors.ModelFileDescriptionError as error:
        raise StepFailedError(
            f"The model '{title}' could not be registered: {error}{_take_back(model)}"
        ) from None
    except JobsError as error:
        error.what += _take_back(model)
        raise


def _take_back(model: Any) -> str:
    if not model.id:
        return ""
    try:
        with attempting("delete the model"):
            model.dsc_model.client.delete_model(model.id)
    except JobsError:
        return f"\nThe model {model.id} is left without an artifact: delete it."
    return "\nThe incomplete catalog entry was deleted again."
