"""Registering the merged model: a catalog entry that points to a versioned bucket."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ..auth import sign_in_ads, storage
from ..definitions import Definition, bucket_path
from ..errors import StepFailedError, attempting
from ..idempotency import Submission, submitting
from ..record import Entry, Run
from ..states import science
from . import provenance
from .provenance import Item

WEIGHTS = (".safetensors", ".bin")


def submit(submission: Submission, definitions: Mapping[str, Definition], run: Run) -> Entry:
    """The catalog entry of what the run's merge wrote: the one that OCI has, made whole, or new.

    The merge left a manifest beside the weights; of a simulated run it is written here, which so
    has something to point to.

    Raises:
        StepFailedError: the merge left no weights, or the bucket keeps no versions.
        RefusedError, UnreachableError: OCI refused, or did not answer. What was made stands, and
            the next try goes on with it; :func:`take_back` deletes it.
    """
    merge = run.need("merge")
    artifact = str(submission.definition.content["spec"]["artifact"])
    found = _found(submission)
    # What was just made a list may not show yet.
    whole = found is not None and _is_whole(found.id)
    model_id = found.id if found and whole else _make(submission, definitions, run, artifact)
    with attempting(f"read the model '{submission.name}'"):
        model = science().get_model(model_id).data
    return _entry(submission, model).changed(simulated=merge.simulated, local=merge.local)


def find(submission: Submission) -> Entry | None:
    """The submission's catalog entry, if OCI has it with its artifact."""
    found = _found(submission)
    if found is None or not _is_whole(found.id):
        return None
    return _entry(submission, found)


def take_back(submission: Submission) -> str:
    """Delete an entry that never got its artifact: OCI shows it ACTIVE, and it is empty. What was
    done, for a reader, or ''."""
    found = _found(submission)
    if found is None or _is_whole(found.id):
        return ""
    submission.note("deleting model", model=found.id)
    with attempting(f"delete the model {found.id}"):
        science().delete_model(found.id)
    return "The incomplete catalog entry was deleted again."


def _make(
    submission: Submission, definitions: Mapping[str, Definition], run: Run, artifact: str
) -> str:
    """Create the entry; or add what it lacks, where somebody was killed in the middle. Its OCID."""
    merge = run.need("merge")
    if not merge.simulated:
        _need_weights(artifact)
    left = None if merge.simulated else provenance.read(artifact)
    if left is None:
        submission.note("writing manifest", artifact=artifact)
        left = provenance.manifest(definitions, run)
        provenance.put(artifact, left)

    from ads.model.datascience_model import DataScienceModel

    sign_in_ads()
    with attempting(f"read the model '{submission.name}'"):
        model: Any = DataScienceModel.from_yaml(submission.text)
    model.with_provenance_metadata(_provenance(definitions["finetune"], run))
    if not merge.simulated:
        model.with_custom_metadata_list(_metadata(provenance.items(left, definitions, run)))
    found = _found(submission)
    name = "creating model" if found is None else "completing model"
    submission.note(name, model=found.id if found else "")
    with _explained(submission, artifact), submitting(submission.key):
        if found is None:
            model.create(model_by_reference=True)
        else:
            _complete(model, found.id)
    submission.note("model created", model=model.id)
    return str(model.id)


def _complete(model: Any, model_id: str) -> None:
    """The requests of ADS's ``create`` after its first."""
    from ads.model.service.oci_datascience_model import OCIDataScienceModel

    model.dsc_model = OCIDataScienceModel.from_id(model_id)
    if not _answers(lambda: science().get_model_provenance(model_id)):
        model.dsc_model.create_model_provenance(model.provenance_metadata._to_oci_metadata())
    model.upload_artifact(model_by_reference=True)


def _found(submission: Submission) -> Any | None:
    return submission.found("model", science().list_models)


def _is_whole(model_id: str) -> bool:
    """Whether the entry has its artifact, which is what ADS sends last."""
    with attempting(f"look for the artifact of the model {model_id}"):
        return _answers(lambda: science().head_model_artifact(model_id))


def _answers(read: Callable[[], Any]) -> bool:
    """Whether OCI has what *read* asks for."""
    from oci.exceptions import ServiceError

    try:
        read()
    except ServiceError as error:
        if error.status != 404:
            raise
        return False
    return True


def _entry(submission: Submission, model: Any) -> Entry:
    return Entry(
        state=str(model.lifecycle_state),
        ids={"model": model.id},
        details=str(submission.definition.content["spec"]["artifact"]),
        submitted=model.time_created,
        started=model.time_created,
        **submission.fields,
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


@contextmanager
def _explained(submission: Submission, artifact: str) -> Iterator[None]:
    """What ADS raises when it cannot point to the weights, for the reader."""
    from ads.model import datascience_model as ads_errors

    what = f"The model '{submission.name}' could not be registered"
    try:
        with attempting(f"register the model '{submission.name}'"):
            yield
    except ads_errors.BucketNotVersionedError:
        raise StepFailedError(
            f"{what}: the bucket of {artifact} keeps no versions.",
            "Set versioning to Enabled on the bucket (the storage stack does).",
        ) from None
    except ads_errors.ModelFileDescriptionError as error:
        raise StepFailedError(f"{what}: {error}") from None
    except KeyError:  # ADS lists the versions first, then the objects
        raise StepFailedError(
            f"{what}: an object in {artifact} was replaced meanwhile.",
            "See that nothing else writes there, then 'python -m jobs run' again.",
        ) from None
