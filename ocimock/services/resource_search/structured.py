"""The structured query language, as far as one type and equal fields: what ADS asks with.

``query datasciencemodeldeployment resources where ModelId='ocid1…' && lifecycleState = 'ACTIVE'``
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ...store import Record
from ...wire.errors import InvalidParameter

_QUERY = re.compile(
    r"\s*query\s+(?P<type>\w+)\s+resources(?:\s+where\s+(?P<where>.+?))?\s*", re.IGNORECASE
)
_EQUALS = re.compile(r"\s*(?P<field>\w+)\s*=\s*(?P<quote>['\"])(?P<value>[^'\"]*)(?P=quote)\s*")


@dataclass(frozen=True)
class Query:
    """A type of resource (``all`` for every one) and the fields that must be equal."""

    type: str
    equal: tuple[tuple[str, str], ...]

    @classmethod
    def parse(cls, text: str) -> Query:
        """:raises InvalidParameter: it is not of this form."""
        found = _QUERY.fullmatch(text)
        if found is None:
            raise InvalidParameter(
                f"query '{text}': ocimock knows \"query TYPE resources where FIELD = 'VALUE'\", "
                "with further fields after &&"
            )
        equal = []
        for term in re.split(r"&&", found["where"]) if found["where"] else ():
            pair = _EQUALS.fullmatch(term)
            if pair is None:
                raise InvalidParameter(
                    f"query: '{term.strip()}' is not FIELD = 'VALUE', which is all ocimock knows"
                )
            equal.append((pair["field"].lower(), pair["value"]))
        return cls(found["type"].lower(), tuple(equal))

    def wants(self, record: Record, type_: str) -> bool:
        """Whether the query asks for *record*, which is of *type_* in search results."""
        if self.type not in ("all", type_.lower()):
            return False
        # What a service lets search find beside the fields that its API shows.
        known = {**record.data, **record.private.get("search", {}), "identifier": record.id}
        lower = {name.lower(): value for name, value in known.items()}
        return all(str(lower.get(name)) == value for name, value in self.equal)
