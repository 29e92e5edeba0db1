"""What a permission is needed on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .conditions import Values


@dataclass(frozen=True)
class Target:
    """One thing that a permission is needed on.

    :param compartment: its compartment's OCID; the tenancy's where there is no such thing, so
        that whoever may do it everywhere learns what is wrong.
    :param variables: by name in lower case, for conditions.
    :param is_new: an object that is not there yet.
    """

    compartment: str
    variables: Mapping[str, Values] = field(default_factory=dict)
    is_new: bool = False
