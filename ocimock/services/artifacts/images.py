"""Addresses of images in Container Registry."""

from __future__ import annotations

import re

from ...cloud import Cloud

# <region's key>.ocir.io or ocir.<region>.oci.oraclecloud.com, then namespace/repository:tag@digest
_IMAGE = re.compile(
    r"(?:[a-z]{3}\.ocir\.io|ocir\.[a-z0-9-]+\.oci\.oraclecloud\.com)/"
    r"(?P<namespace>[^/]+)/(?P<repository>[^:@]+)(?::[^@]+)?(?:@.+)?"
)


def repository_of(cloud: Cloud, image: str) -> str | None:
    """The repository of this tenancy that *image* lies in; None of an image from elsewhere.

    Source: OCI documentation, "Container Registry Concepts".
    """
    found = _IMAGE.fullmatch(image)
    if found is None or found["namespace"] != cloud.settings.namespace:
        return None
    return found["repository"]
