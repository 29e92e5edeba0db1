"""What the deployment runs: a container of Oracle's, or one in the tenancy's registry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ... import auth
from ...definitions import Definition, bucket_path
from ...errors import RefusedError
from .. import images
from ..check import AGAIN, Finding, failed, passed, warned
from ..images import SERVICE_MANAGED, Registered
from ..patience import every_page
from ..subject import Subject


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
            f"and set 'serving: image' in the tenancy file; then {AGAIN}.",
        )
    return _registered(subject, image, place)


def _managed(subject: Subject, image: str, name: str, tag: str) -> Finding:
    """One of Oracle's own: by OCI's list of them, else by our table."""
    listed = _listed(subject)
    offered = listed or {each.name: each.tags for each in images.managed().values() if each.serves}
    if name not in offered:
        return failed(
            f"{image}: there is no service-managed container '{name}' that serves.",
            f"Set 'serving: image' in the tenancy file to one of {', '.join(sorted(offered))}; "
            f"then {AGAIN}.",
        )
    tags = offered[name]
    if tag in tags:
        return passed(f"{image} is one of Oracle's.")
    newest = f"{SERVICE_MANAGED}{name}:{tags[0]}" if tags else ""
    if listed:
        return failed(
            f"{image}: OCI has no tag '{tag}' of it.",
            f"Set 'serving: image: {newest}' in the tenancy file; then {AGAIN}.",
        )
    return warned(
        f"{image}: tag '{tag}' is none of those that were known on {images.dated()}, and OCI's "
        "list of containers could not be read.",
        f"{newest} is known; AI Quick Actions lists those of your region.",
    )


def _listed(subject: Subject) -> Mapping[str, tuple[str, ...]]:
    """Name → tags of the containers that OCI offers deployments, the newest first; nothing where it
    does not say."""
    from oci.data_science import DataScienceClient

    client = subject.client(DataScienceClient)
    try:
        found = subject.get(
            "list the service-managed containers",
            every_page,
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
    try:
        is_there = _is_there(subject, place)
    except RefusedError as error:
        return warned(
            f"{image} could not be looked for. {error.what.partition(chr(10))[0]}",
            "To look, one needs 'Allow group <yours> to inspect repos in compartment id "
            f"{subject.pipeline.compartment_id}', or of the repository's compartment.",
        )
    if not is_there:
        return failed(
            f"{image}: the registry has no {place.name}.",
            f"Push it: docker push {image} (docs/serving.md); or set 'serving: image' in the "
            f"tenancy file to one that is there, then {AGAIN}.",
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
    if place.tag:
        options["version"] = place.tag
    found = subject.get(
        f"list the images {place.name} in {compartment}",
        every_page,
        _registry(subject, place).list_container_images,
        compartment,
        repository_name=place.repository,
        lifecycle_state="AVAILABLE",
        **options,
    )
    # A name with a star in it would find others.
    return any(
        each.repository_name == place.repository
        and (not place.tag or each.version == place.tag)
        and (not place.digest or each.digest == place.digest)
        for each in found
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
