"""Quota policies; what they allow is :mod:`ocimock.quotas`."""

from __future__ import annotations

from ...quotas import QUOTA, check
from ...resources import Kind, Lifecycle, crud
from ...service import Call
from ...store import Record
from .base import SERVICE


def _check(call: Call, record: Record) -> None:
    check(call.cloud, record.data["statements"])


crud(
    SERVICE,
    Kind(
        name=QUOTA,
        model="Quota",
        path_id="quotaId",
        noun="quota",
        plural="quotas",
        regional=False,
        # A quota has no other state (source: API reference of Quota).
        lifecycle=Lifecycle("ACTIVE", "ACTIVE", "DELETED", "DELETED"),
        unique=("name",),
    ),
    on_create=_check,
    on_update=_check,
)
