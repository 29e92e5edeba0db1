"""Which repository of the tenancy an image lies in."""

from __future__ import annotations

from ...cloud import Cloud
from ...images import address_of


def repository_of(cloud: Cloud, image: str) -> str | None:
    """The repository of this tenancy that *image* lies in; None of an image from elsewhere."""
    place = address_of(image)
    if place is None or place.namespace != cloud.settings.namespace:
        return None
    return place.repository
