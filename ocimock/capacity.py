"""Hosts: what a region has none of, or few, when tests say so ("Out of host capacity")."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from .clock import format_time
from .limits import is_counting
from .places import availability_domains, region_names
from .wire.errors import InvalidParameter

if TYPE_CHECKING:
    from .cloud import Cloud
    from .store import Record

# The kind of the records that hold the rules.
_RULES = "ocimockcapacity"
_TAKEN = "hosts"
# Seconds: a hundred years. Times that far off are still dates.
_LONGEST = 100 * 365 * 86_400.0
_FIELDS = {
    "shape": (str,),
    "availabilityDomain": (str, type(None)),
    "hosts": (int,),
    "seconds": (int, float, type(None)),
}


@dataclass(frozen=True)
class Shortage:
    """A shape of which there are few hosts or none.

    :param availabilityDomain: where; None for everywhere. What may choose its domain, as Data
        Science does, fails only when no domain of its region has a host.
    :param hosts: how many are left. What starts takes them, and gives them back at its end.
    :param until: seconds since the epoch, on the mock's clock; None for no end.
    """

    shape: str
    availabilityDomain: str | None = None  # noqa: N815 - the name in JSON
    hosts: int = 0
    until: float | None = None


class Capacity:
    """The hosts of one mocked cloud: any number, but where a rule says otherwise."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def exhaust(
        self,
        shape: str,
        *,
        availability_domain: str | None = None,
        hosts: int = 0,
        seconds: float | None = None,
    ) -> None:
        """Let there be only *hosts* more hosts of *shape*, for *seconds* if given.

        A later rule for the same shape and domain replaces an earlier one.

        :raises InvalidParameter: no such shape or domain, a number below 0, or a time without end.
        """
        _check_shape(shape)
        _check_domain(availability_domain)
        if hosts < 0 or (seconds is not None and not 0 <= seconds <= _LONGEST):
            raise InvalidParameter(f"hosts and seconds are 0 or more, seconds up to {_LONGEST:.0f}")
        until = None if seconds is None else self._cloud.clock.now() + seconds
        rule = Shortage(shape, availability_domain, hosts, until)
        identifier = f"{shape}/{availability_domain or '*'}"
        # A key of its own: what was taken under an earlier rule is not counted in this one.
        data = {**asdict(rule), "key": self._cloud.ids.token(8)}
        with self._cloud.transaction():
            self._cloud.store.add(_RULES, identifier, data, history=True)

    def restore(self, shape: str | None = None) -> None:
        """Let there be any number of hosts again, of *shape* or of all shapes."""
        with self._cloud.transaction():
            for record in list(self._cloud.store.live(_RULES)):
                if shape in (None, record.data["shape"]):
                    self._cloud.store.drop(_RULES, record.id)

    @property
    def rules(self) -> list[Shortage]:
        """What is short now."""
        return [_rule(record) for record in self._standing()]

    def take(self, record: Record, region: str, hosts: Mapping[str, int]) -> str | None:
        """Take *hosts* (shape to number) for *record*; why not, if they are not to be had.

        :param region: where any domain will do.
        """
        rules = [found.data for found in self._standing()]
        taken: dict[str, int] = {}
        for shape, count in hosts.items():
            short = [rule for rule in rules if rule["shape"] == shape]
            place = self._place(short, region, count, record)
            if place is None:
                return f"Out of host capacity for shape {shape}"
            if place:
                taken[place] = taken.get(place, 0) + count
        record.private[_TAKEN] = taken
        return None

    def left(self, shape: str, availability_domain: str) -> int | None:
        """How many hosts of *shape* a domain has left; None for any number."""
        rules = (found.data for found in self._standing() if found.data["shape"] == shape)
        rule = next(
            (each for each in rules if each["availabilityDomain"] in (availability_domain, None)),
            None,
        )
        return None if rule is None else max(self._left(rule), 0)

    def shown(self) -> list[dict[str, Any]]:
        """The rules as JSON, with what is left now."""
        return [
            {
                **{name: value for name, value in rule.data.items() if name != "key"},
                "until": format_time(rule.data["until"]) if rule.data["until"] else None,
                "left": self._left(rule.data),
            }
            for rule in self._standing()
        ]

    def _place(
        self, short: list[dict[str, Any]], region: str, count: int, record: Record
    ) -> str | None:
        """The rule to take *count* hosts under, empty where none limits them; None: nowhere."""
        for domain in availability_domains(region):
            rule = next(
                (rule for rule in short if rule["availabilityDomain"] in (domain, None)), None
            )
            if rule is None:
                return ""
            if self._left(rule, besides=record) >= count:
                return str(rule["key"])
        return None

    def _left(self, rule: Mapping[str, Any], besides: Record | None = None) -> int:
        taken: int = sum(
            record.private.get(_TAKEN, {}).get(str(rule["key"]), 0)
            for record in self._cloud.limits.claimed().values()
            if record is not besides and is_counting(record)
        )
        return int(rule["hosts"]) - taken

    def _standing(self) -> Iterator[Record]:
        now = self._cloud.clock.now()
        for record in self._cloud.store.live(_RULES):
            if record.data["until"] is None or now < record.data["until"]:
                yield record


def show(capacity: Capacity) -> list[dict[str, Any]]:
    """``GET /ocimock/capacity``."""
    return capacity.shown()


def add(capacity: Capacity, body: bytes) -> list[dict[str, Any]]:
    """``POST /ocimock/capacity`` with ``{"shape", "availabilityDomain", "hosts", "seconds"}``.

    :raises InvalidParameter: a field is wrong; the message names it.
    """
    example = 'POST {"shape": "VM.GPU.A10.2", "hosts": 0, "seconds": 600}'
    try:
        given = json.loads(body)
    except ValueError:
        raise InvalidParameter(example) from None
    if not isinstance(given, dict) or "shape" not in given:
        raise InvalidParameter(example)
    for name, value in given.items():
        if name not in _FIELDS:
            raise InvalidParameter(f"'{name}' is not one of {', '.join(_FIELDS)}")
        if isinstance(value, bool) or not isinstance(value, _FIELDS[name]):
            raise InvalidParameter(f"{name}: {value!r} is not what it takes; {example}")
    capacity.exhaust(
        given["shape"],
        availability_domain=given.get("availabilityDomain"),
        hosts=given.get("hosts", 0),
        seconds=given.get("seconds"),
    )
    return capacity.shown()


def clear(capacity: Capacity) -> None:
    """``DELETE /ocimock/capacity``."""
    capacity.restore()


def _rule(record: Record) -> Shortage:
    fields = {name: value for name, value in record.data.items() if name != "key"}
    return Shortage(**fields)


def _check_domain(name: str | None) -> None:
    known = [domain for region in region_names() for domain in availability_domains(region)]
    if name is not None and name not in known:
        raise InvalidParameter(
            f"availabilityDomain: '{name}' is none; there is for instance {known[0]}"
        )


def _check_shape(shape: str) -> None:
    from .services.datascience.shapes import SHAPES

    names = [found.name for found in SHAPES]
    if shape not in names:
        raise InvalidParameter(f"shape: '{shape}' is not one of {', '.join(names)}")
