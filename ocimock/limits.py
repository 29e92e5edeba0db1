"""Service limits: what a tenancy may hold of something, and what it holds of it now.

A resource that counts says so once, with :meth:`Limits.claim`; it goes on counting for as long as
it is in one of the states that its kind counts in. The catalogue of names is in
:mod:`ocimock.services.limits.catalogue`.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from .identifiers import region_key
from .quotas import Quota, below, quotas
from .wire.errors import InvalidParameter, LimitExceeded, QuotaExceeded

if TYPE_CHECKING:
    from .cloud import Cloud
    from .services.limits.catalogue import Limit
    from .store import Record

# The kind of the records that hold the values that somebody set.
_VALUES = "ocimocklimit"
_CLAIMS = "claims"

# In which states a kind's resources count; a kind without states counts until it is deleted.
_COUNTING: dict[str, frozenset[str]] = {}


def counts_in(kind: str, *states: str) -> None:
    """Declare that resources of *kind* count, and in which states."""
    _COUNTING[kind] = frozenset(states)


def is_counting(record: Record) -> bool:
    """Whether *record* holds what it claimed."""
    if record.deleted:
        return False
    states = _COUNTING[record.kind]
    return not states or record.data["lifecycleState"] in states


class Limits:
    """The limits of one mocked tenancy."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        # What claimed something and may still hold it. Not asked of the store each time: that
        # would make each new job run as slow as the list of all that ever were.
        self._claimed: dict[str, Record] | None = None
        # What all of these claimed, of each limit in all regions: more is not in use.
        self._most: dict[str, int] = {}

    def set(self, name: str, value: int) -> None:
        """Let limit *name* be *value* from now on, in each region. What stands, stands.

        :raises InvalidParameter: no such limit, or not a whole number of 0 or more.
        """
        _find(name)
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise InvalidParameter(f"value: {value!r} is not a whole number of 0 or more")
        with self._cloud.transaction():
            self._cloud.store.add(_VALUES, name, {"value": value}, history=True)

    def clear(self) -> None:
        """Let every limit be what it is in a fresh mock."""
        with self._cloud.transaction():
            for record in list(self._cloud.store.live(_VALUES)):
                self._cloud.store.drop(_VALUES, record.id)

    def value(self, name: str) -> int:
        """What limit *name* is. :raises InvalidParameter: no such limit."""
        found = self._cloud.store.find(_VALUES, name)
        return int(found.data["value"]) if found else _find(name).value

    def used(self, name: str, region: str | None = None, within: str | None = None) -> int:
        """How much of limit *name* is in use, in *region* or by default in the mock's own; by the
        compartment *within* and those below it, or by all."""
        inside = None if within is None else below(self._cloud, within)
        return self._used(name, region or self._cloud.settings.region, inside=inside)

    def room(self, quota: Quota, name: str, region: str) -> int:
        """What a quota leaves of limit *name*; below 0 where more stands than it allows."""
        return quota.value - self.used(name, region, within=quota.compartment)

    def claim(self, record: Record, region: str, demand: Mapping[str, int]) -> None:
        """Count *record* for *demand* (limit name to amount), in place of what it claimed before.

        :raises LimitExceeded: a limit does not allow it; nothing is claimed then.
        :raises QuotaExceeded: a quota of its compartment, or of one above it, does not.
        """
        exceeded = [
            name
            for name, amount in demand.items()
            if amount and self._is_exceeded(name, amount, region, record)
        ]
        if exceeded:
            # The wording is that of OCI's limits service, shared by its services.
            raise LimitExceeded(
                f"The following service limits were exceeded: {', '.join(sorted(exceeded))}. "
                "Request a service limit increase from the service limits page in the console. "
            )
        self._check_quotas(record, region, demand)
        claimed = self.claimed()
        if record.id in claimed:
            self._forget(record)
        record.private[_CLAIMS] = dict(demand)
        self._keep(record)

    def claimed(self) -> dict[str, Record]:
        """The resources that hold what they claimed, by OCID."""
        if self._claimed is None:
            self._claimed = {}
            for kind in _COUNTING:
                for record in self._cloud.store.live(kind):
                    if _CLAIMS in record.private:
                        self._keep(record)
        return self._claimed

    def shown(self) -> list[dict[str, Any]]:
        """Every limit with its value and its use in the mock's own region."""
        return [
            {
                "service": limit.service,
                "name": limit.name,
                "value": self.value(limit.name),
                "used": self.used(limit.name),
            }
            for limit in _catalogue().values()
        ]

    def _is_exceeded(self, name: str, amount: int, region: str, record: Record) -> bool:
        """Whether limit *name* does not allow *record* to hold *amount* of it."""
        value = self.value(name)
        self.claimed()
        # Most of the time there is room for all that ever claimed, and nobody has to be asked.
        if self._most.get(name, 0) + amount <= value:
            return False
        return self._used(name, region, besides=record) + amount > value

    def _check_quotas(self, record: Record, region: str, demand: Mapping[str, int]) -> None:
        """:raises QuotaExceeded: a quota does not allow it."""
        compartment = record.data.get("compartmentId", "")
        exceeded = [
            f"{name} ({quota.value} in {quota.compartment})"
            for name, amount in demand.items()
            if amount
            for quota in quotas(self._cloud, _find(name), compartment, region)
            if self._used(name, region, record, below(self._cloud, quota.compartment)) + amount
            > quota.value
        ]
        if exceeded:
            raise QuotaExceeded(
                f"The following compartment quotas were exceeded: {', '.join(sorted(exceeded))}."
            )

    def _used(
        self,
        name: str,
        region: str,
        besides: Record | None = None,
        inside: Collection[str] | None = None,
    ) -> int:
        total = 0
        for record in list(self.claimed().values()):
            if not is_counting(record):
                # It claims again if it comes back (a notebook session that is activated).
                self._forget(record)
            elif inside is not None and record.data.get("compartmentId") not in inside:
                continue
            elif record is not besides and _is_in(record, region):
                total += record.private[_CLAIMS].get(name, 0)
        return total

    def _keep(self, record: Record) -> None:
        self.claimed()[record.id] = record
        for name, amount in record.private[_CLAIMS].items():
            self._most[name] = self._most.get(name, 0) + amount

    def _forget(self, record: Record) -> None:
        found = self.claimed().pop(record.id)
        for name, amount in found.private[_CLAIMS].items():
            self._most[name] -= amount


def show(limits: Limits) -> list[dict[str, Any]]:
    """``GET /ocimock/limits``."""
    return limits.shown()


def add(limits: Limits, body: bytes) -> dict[str, Any]:
    """``POST /ocimock/limits`` with ``{"name": …, "value": …}``: the limit as it is then.

    :raises InvalidParameter: no such limit, or not a value for one.
    """
    try:
        given = json.loads(body)
        name, value = given["name"], given["value"]
    except (ValueError, KeyError, TypeError):
        raise InvalidParameter('POST {"name": "ds-gpu-a10-count", "value": 4}') from None
    limits.set(name, value)
    return next(limit for limit in limits.shown() if limit["name"] == name)


def clear(limits: Limits) -> None:
    """``DELETE /ocimock/limits``."""
    limits.clear()


def _find(name: str) -> Limit:
    found = _catalogue().get(name) if isinstance(name, str) else None
    if found is None:
        raise InvalidParameter(
            f"name: ocimock knows no limit '{name}'; it knows {', '.join(sorted(_catalogue()))}"
        )
    return found


def _catalogue() -> dict[str, Limit]:
    from .services.limits.catalogue import by_name

    return by_name()


def _is_in(record: Record, region: str) -> bool:
    from .finding import place_of

    place = place_of(record.id)
    return not place or place in (region, region_key(region))
