"""Images of the tenancy's Container Registry: known by what tests push, as the mock has no registry
that Docker could push to.

Where nothing was ever pushed, the mock knows nothing of images, and takes any for there.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .wire.errors import InvalidParameter

if TYPE_CHECKING:
    from .cloud import Cloud
    from .store import Record

IMAGE, REPOSITORY = "containerimage", "containerrepo"
# <region's key>.ocir.io or ocir.<region>.oci.oraclecloud.com, then namespace/repository:tag@digest
_ADDRESS = re.compile(
    r"(?:[a-z]{3}\.ocir\.io|ocir\.[a-z0-9-]+\.oci\.oraclecloud\.com)/"
    r"(?P<namespace>[^/]+)/(?P<repository>[^:@]+)(?::(?P<tag>[^@]+))?(?:@(?P<digest>.+))?"
)
_EXAMPLE = 'POST {"image": "fra.ocir.io/<namespace>/<repository>:<tag>"}'


@dataclass(frozen=True)
class Address:
    """An image's, taken apart. Without a tag, Docker takes ``latest``."""

    namespace: str
    repository: str
    tag: str
    digest: str = ""


def address_of(image: str) -> Address | None:
    """None of an image that is not in OCI's registry.

    Source: OCI documentation, "Container Registry Concepts".
    """
    found = _ADDRESS.fullmatch(image)
    if found is None:
        return None
    tag = found["tag"] or ("" if found["digest"] else "latest")
    return Address(found["namespace"], found["repository"], tag, found["digest"] or "")


class Images:
    """The images of one mocked tenancy."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def push(self, image: str) -> str:
        """Let *image* (``fra.ocir.io/<namespace>/<repository>:<tag>``) be there; its OCID.

        :raises InvalidParameter: no such address, or its repository is not there.
        """
        place = address_of(image) if isinstance(image, str) else None
        if place is None or place.namespace != self._cloud.settings.namespace or place.digest:
            raise InvalidParameter(f"image: '{image}' is no image of this tenancy; {_EXAMPLE}")
        with self._cloud.transaction():
            repository = self._repository(place.repository)
            if repository is None:
                raise InvalidParameter(f"image: there is no repository '{place.repository}'")
            for old in self._of(repository):
                if old.data["version"] == place.tag:
                    return old.id
            made = self._add(repository, place)
        return made.id

    def clear(self) -> None:
        """Forget all images."""
        with self._cloud.transaction():
            for record in list(self._cloud.store.live(IMAGE)):
                self._cloud.store.drop(IMAGE, record.id)
            for repository in list(self._cloud.store.live(REPOSITORY)):
                self._count(repository.id, 0)

    def forget(self, repository: Record) -> None:
        """Forget those of *repository*: they go with it."""
        for record in self._of(repository):
            self._cloud.store.drop(IMAGE, record.id)

    def lacking(self, image: str) -> bool:
        """Whether *image* is one of this tenancy's, and known not to be there."""
        place = address_of(image)
        if place is None or place.namespace != self._cloud.settings.namespace:
            return False
        known = list(self._cloud.store.live(IMAGE))
        if not known:
            return False
        return not any(_is(record, place) for record in known)

    def shown(self) -> list[dict[str, Any]]:
        """All of them, as JSON."""
        return [dict(record.data) for record in self._cloud.store.live(IMAGE)]

    def _add(self, repository: Record, place: Address) -> Record:
        cloud = self._cloud
        region = cloud.settings.region
        name = f"{place.repository}:{place.tag}"
        data = {
            "id": cloud.ids.new(IMAGE, region),
            "compartmentId": repository.data["compartmentId"],
            "createdBy": cloud.settings.user_id,
            "digest": f"sha256:{hashlib.sha256(name.encode()).hexdigest()}",
            "displayName": name,
            "layers": [],
            "layersSizeInBytes": 0,
            "lifecycleState": "AVAILABLE",
            "manifestSizeInBytes": 0,
            "pullCount": 0,
            "repositoryId": repository.id,
            "repositoryName": place.repository,
            "timeCreated": cloud.clock.timestamp(),
            "version": place.tag,
            "versions": [],
            "freeformTags": {},
            "definedTags": {},
            "systemTags": {},
        }
        self._count(repository.id, len(self._of(repository)) + 1)
        return cloud.store.add(IMAGE, data["id"], data)

    def _count(self, repository_id: str, images: int) -> None:
        # To be changed, unlike what lives.
        taken = self._cloud.store.find(REPOSITORY, repository_id)
        if taken is not None:
            taken.data["imageCount"] = images

    def _repository(self, name: str) -> Record | None:
        found = self._cloud.store.live(REPOSITORY)
        return next((each for each in found if each.data["displayName"] == name), None)

    def _of(self, repository: Record) -> list[Record]:
        found = self._cloud.store.live(IMAGE)
        return [each for each in found if each.data["repositoryId"] == repository.id]


def show(images: Images) -> list[dict[str, Any]]:
    """``GET /ocimock/images``."""
    return images.shown()


def add(images: Images, body: bytes) -> list[dict[str, Any]]:
    """``POST /ocimock/images`` with ``{"image": …}``: all that are there then.

    :raises InvalidParameter: no image of this tenancy, or no such repository.
    """
    try:
        given = json.loads(body)["image"]
    except (ValueError, KeyError, TypeError):
        raise InvalidParameter(_EXAMPLE) from None
    images.push(given)
    return images.shown()


def clear(images: Images) -> None:
    """``DELETE /ocimock/images``."""
    images.clear()


def _is(record: Record, place: Address) -> bool:
    data = record.data
    if data["repositoryName"] != place.repository:
        return False
    return (not place.tag or data["version"] == place.tag) and (
        not place.digest or data["digest"] == place.digest
    )
