"""What the steps run in: the jobs' conda environments, the deployment's image."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sizing.shapes import gpu_shapes

from ... import auth
from ...definitions import Definition, bucket_path
from ...errors import DefinitionError, RefusedError
from .. import environments, images
from ..check import Finding, failed, passed, warned
from ..environments import Conda, conda_of
from ..images import SERVICE_MANAGED, Registered
from ..subject import Subject

JOBS = ("stage", "finetune", "merge")
_AGAIN = "deploy, 'python -m jobs emit', and look again"
_EXPLORER = "Environment Explorer of a notebook session lists those of your region"
_NOT_FOUND = 404


class CondaEnvironments:
    """Whether the environments that the jobs name can be had, and go with their shapes."""

    name = "conda"
    question = "Can the jobs have their conda environments?"
    offline = False
    after = ("compartment",)
    steps = JOBS

    def look(self, subject: Subject) -> list[Finding]:
        wanted: dict[tuple[Conda, bool], list[Definition]] = {}
        for step in JOBS:
            for job in subject.of_step(step):
                # The staging needs no GPU, whatever it runs on.
                on_gpu = step != "stage" and job.shape in gpu_shapes()
                wanted.setdefault((conda_of(job), on_gpu), []).append(job)
        found = [
            finding
            for (conda, on_gpu), jobs in wanted.items()
            for finding in _environment(subject, conda, on_gpu, jobs)
        ]
        return list(dict.fromkeys(found)) or [passed("No job names a conda environment.")]


class Image:
    """Whether the container that the deployment names can be pulled."""

    name = "image"
    question = "Can the deployment have its image?"
    offline = False
    after = ("compartment",)
    steps = ("deploy",)

    def look(self, subject: Subject) -> list[Finding]:
        named = {str(each.runtime.get("image") or ""): each for each in subject.of_step("deploy")}
        return [_image(subject, image, each) for image, each in named.items()]


def _environment(
    subject: Subject, conda: Conda, on_gpu: bool, jobs: list[Definition]
) -> Iterator[Finding]:
    names = ", ".join(job.path.name for job in jobs)
    if not conda.name:
        yield passed(f"{names}: no conda environment.")
        return
    if conda.kind == "published":
        yield _published(subject, conda, names)
        return
    known = conda.known
    if on_gpu and (not known.gpu if known else "_cpu_" in conda.slug):
        yield failed(
            f"{names}: {conda.slug} is for CPUs, without a GPU's libraries; {jobs[0].shape} has "
            "GPUs.",
            f"Set 'finetune: conda: {environments.active(gpu=True)}' in the tenancy file, or leave "
            f"it out; then {_AGAIN}.",
        )
    elif known is None:
        near = environments.nearest(conda.slug)
        did_you = f"Did you mean {near}? " if near else ""
        yield warned(
            f"{names}: {conda.slug} is none of the environments that were known on "
            f"{environments.dated()}.",
            f"{did_you}{_EXPLORER}.",
        )
    elif known.state != "active":
        yield warned(
            f"{names}: {conda.slug} is {known.state}: Oracle hides it from tenancies that did not "
            "use it before.",
            f"{_EXPLORER}; if it is not there, leave 'finetune: recipe' and 'conda' at their "
            f"defaults ({environments.active(gpu=True)}).",
        )
    else:
        yield passed(f"{names}: {conda.slug}, Python {known.python}.")


def _published(subject: Subject, conda: Conda, names: str) -> Finding:
    """One of the tenancy's own: an archive in a bucket."""
    from oci.object_storage import ObjectStorageClient

    try:
        namespace, bucket, name = bucket_path(conda.name)
    except DefinitionError as error:
        return failed(f"{names}: {error.what}", "Write it as oci://BUCKET@NAMESPACE/PATH.")
    client = subject.client(ObjectStorageClient)
    try:
        subject.get(f"look for {conda.name}", client.head_object, namespace, bucket, name)
    except RefusedError as error:
        if error.status != _NOT_FOUND:
            raise
        return failed(
            f"{names}: there is no {conda.name}, or it may not be seen.",
            "Publish it from a notebook session ('odsc conda publish -s SLUG'), or name another.",
        )
    return passed(f"{names}: {conda.name} is there.")


def _image(subject: Subject, image: str, deployment: Definition) -> Finding:
    if image.startswith(SERVICE_MANAGED):
        name, _, tag = image.removeprefix(SERVICE_MANAGED).partition(":")
        return _managed(subject, image, name, tag)
    place = images.registered(image)
    if place is None:
        return failed(
            f"{deployment.path.name}: {image or 'no image'} is not in OCI's registry, and "
            "deployments pull from nowhere else.",
            "Push it to <region's key>.ocir.io/<namespace>/<repository>:<tag> (docs/serving.md), "
            f"and set 'serving: image' in the tenancy file; then {_AGAIN}.",
        )
    return _registered(subject, image, place)


def _managed(subject: Subject, image: str, name: str, tag: str) -> Finding:
    """One of Oracle's own: by OCI's list of them, else by our table."""
    listed = _listed(subject)
    known = images.managed()
    names = sorted(listed) if listed else [each.name for each in known.values() if each.serves]
    if name not in names and not (name in known and known[name].serves and not listed):
        return failed(
            f"{image}: there is no service-managed container '{name}' that serves.",
            f"Set 'serving: image' in the tenancy file to one of {', '.join(names)}; then "
            f"{_AGAIN}.",
        )
    tags = listed.get(name, ()) if listed else known[name].tags
    if tag in tags:
        return passed(f"{image} is one of Oracle's.")
    newest = f"{SERVICE_MANAGED}{name}:{tags[0]}" if tags else ""
    if listed:
        return failed(
            f"{image}: OCI has no tag '{tag}' of it.",
            f"Set 'serving: image: {newest}' in the tenancy file; then {_AGAIN}.",
        )
    return warned(
        f"{image}: tag '{tag}' is none of those that were known on {images.dated()}, and OCI's "
        "list of containers could not be read.",
        f"{newest} is known; AI Quick Actions lists those of your region.",
    )


def _listed(subject: Subject) -> dict[str, tuple[str, ...]]:
    """Name → tags of the containers that OCI offers deployments, the newest first; nothing where it
    does not say."""
    from oci.data_science import DataScienceClient
    from oci.pagination import list_call_get_all_results

    client = subject.client(DataScienceClient)
    try:
        found = subject.get(
            "list the service-managed containers",
            list_call_get_all_results,
            client.list_containers,
            target_workload="MODEL_DEPLOYMENT",
            lifecycle_state="ACTIVE",
        )
    except RefusedError:
        return {}
    tags: dict[str, list[str]] = {}
    for each in sorted(found, key=lambda one: not one.is_latest):
        tags.setdefault(str(each.container_name), []).append(str(each.tag))
    return {name: tuple(each) for name, each in tags.items()}


def _registered(subject: Subject, image: str, place: Registered) -> Finding:
    own, _, _ = bucket_path(subject.pipeline.ledger)
    if place.namespace != own:
        return warned(
            f"{image} lies in the namespace {place.namespace}, not in this tenancy's ({own}): it "
            "can't be looked for.",
            f"Deployments pull from their own tenancy: push it to {own} (docs/serving.md).",
        )
    if not _is_there(subject, place):
        return failed(
            f"{image}: the registry has no {place.name}.",
            f"Push it: docker push {image} (docs/serving.md); or set 'serving: image' in the "
            f"tenancy file to one that is there, then {_AGAIN}.",
        )
    region = auth.full_region(place.region)
    if region != auth.full_region(subject.pipeline.region):
        return warned(
            f"{image} is there, in {region}: the deployment pulls it from another region.",
            f"Push it to the registry of {subject.pipeline.region}, which is nearer.",
        )
    return passed(f"{image} is there.")


def _is_there(subject: Subject, place: Registered) -> bool:
    """In the pipeline's compartment; where even its repository is not, anywhere in the tenancy.

    Raises RefusedError: one who may not list all of the tenancy can't tell.
    """
    own = subject.pipeline.compartment_id
    if _images(subject, place, own):
        return True
    return not _has_repository(subject, place, own) and _images(
        subject, place, subject.tenancy_id, compartment_id_in_subtree=True
    )


def _images(subject: Subject, place: Registered, compartment: str, **options: Any) -> bool:
    named = {"version": place.tag, "image_digest": place.digest}
    found = subject.get(
        f"list the images {place.name} in {compartment}",
        _registry(subject, place).list_container_images,
        compartment,
        repository_name=place.repository,
        lifecycle_state="AVAILABLE",
        **{field: value for field, value in named.items() if value},
        **options,
    )
    # A name with a star in it would find others.
    return any(
        each.repository_name == place.repository
        and (not place.tag or each.version == place.tag)
        and (not place.digest or each.digest == place.digest)
        for each in found.items
    )


def _has_repository(subject: Subject, place: Registered, compartment: str) -> bool:
    found = subject.get(
        f"list the repositories {place.repository} in {compartment}",
        _registry(subject, place).list_container_repositories,
        compartment,
        display_name=place.repository,
    )
    return bool(found.items)


def _registry(subject: Subject, place: Registered) -> Any:
    from oci.artifacts import ArtifactsClient

    return subject.client(ArtifactsClient, auth.full_region(place.region))
