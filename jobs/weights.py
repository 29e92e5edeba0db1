"""What a run left in the bucket: checkpoints, the training's output, the merged model; and what
was staged for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .auth import storage
from .definitions import Definition, bucket_path
from .errors import attempting
from .pipeline import Pipeline

# Destinations of the jobs' mounts that they write to; the others are read.
_WRITTEN = ("outputs", "merged")


@dataclass(frozen=True)
class Leftovers:
    """Object versions in one folder of the bucket, as (name, version id)."""

    uri: str
    versions: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        return f"{len(self.versions)} object versions below {self.uri}"


def folders(definitions: Mapping[str, Definition], *, staged: bool = False) -> tuple[str, ...]:
    """The folders that the definitions have the jobs write to, as ``oci://`` URIs.

    Those of the base model and the data set only when *staged* is set: another fine-tuning may
    read them, and they come from the hub again only with a stage.
    """
    finetune = definitions["finetune"]
    mounted = [definitions[step].mount(dest) for step in ("finetune", "merge") for dest in _WRITTEN]
    # Its last part is the way to train: those of other ways are nobody's any more.
    checkpoints = (finetune.argument("--checkpoints") or "").rpartition("/")[0]
    named = [finetune.runtime.get("outputUri"), checkpoints]
    if staged:
        named += [definitions["stage"].argument(flag) for flag in ("--model-to", "--dataset-to")]
    artifact = definitions["model"].content["spec"]["artifact"]
    found = (_folder(str(uri)) for uri in (*mounted, *named, artifact) if uri)
    return tuple(dict.fromkeys(found))


def find(definitions: Mapping[str, Definition], *, staged: bool = False) -> list[Leftovers]:
    """What lies in those folders now; folders that hold nothing are left out."""
    found = [Leftovers(uri, _versions(uri)) for uri in folders(definitions, staged=staged)]
    return [leftovers for leftovers in found if leftovers.versions]


def mirror(pipeline: Pipeline) -> Leftovers | None:
    """The ledger's mirror; None where there is none."""
    found = Leftovers(pipeline.ledger, _versions(pipeline.ledger))
    return found if found.versions else None


def again(leftovers: Leftovers) -> Leftovers:
    """What lies in the same folder now."""
    return Leftovers(leftovers.uri, _versions(leftovers.uri))


def delete(leftovers: Leftovers) -> None:
    """Delete every version: in a versioned bucket a plain delete would only hide the objects."""
    namespace, bucket, _ = bucket_path(leftovers.uri)
    client = storage()
    with attempting(f"delete what lies below {leftovers.uri}"):
        for name, version in leftovers.versions:
            client.delete_object(namespace, bucket, name, version_id=version)


def _versions(uri: str) -> tuple[tuple[str, str], ...]:
    from oci.pagination import list_call_get_all_results

    namespace, bucket, prefix = bucket_path(uri)
    with attempting(f"list {uri}"):
        listed = list_call_get_all_results(
            storage().list_object_versions, namespace, bucket, prefix=prefix
        ).data
    items = getattr(listed, "items", listed)
    return tuple((each.name, each.version_id) for each in items)


def _folder(uri: str) -> str:
    """Ending in a slash: ``base/7b`` shall not take ``base/7b-chat`` along."""
    return uri if uri.endswith("/") else f"{uri}/"
