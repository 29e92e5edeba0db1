"""Times as the real provider writes them into the state: as Go prints them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

#: Go's `time.Time.String()` for a time in UTC, e.g. `2026-11-22 12:00:00.5 +0000 UTC`.
_GO = re.compile(r"(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d{1,9})?) \+0000 UTC")
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")


def to_state(moment: datetime) -> str:
    """The state's form of a time, in UTC, without trailing zeros in the fraction."""
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    moment = moment.astimezone(UTC)
    fraction = f".{moment.microsecond:06d}".rstrip("0") if moment.microsecond else ""
    return f"{moment:%Y-%m-%d %H:%M:%S}{fraction} +0000 UTC"


def parse(text: str) -> datetime | None:
    """The time that a state or a configuration names, or None if the text is no time."""
    go = _GO.fullmatch(text)
    if go:
        return _moment(f"{go[1]}T{go[2]}+00:00")
    if _RFC3339.fullmatch(text) or _DATE.fullmatch(text):
        return _moment(text)
    return None


def _moment(text: str) -> datetime | None:
    # Python keeps microseconds; the nanoseconds of Go's form go.
    text = re.sub(r"(\.\d{6})\d+", r"\1", text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def from_http(text: str) -> str | None:
    """The state's form of an HTTP header's time, or None if the header is no time."""
    try:
        return to_state(parsedate_to_datetime(text))
    except ValueError:
        return None
