"""Whether a ``where`` clause, or a matching rule, holds for given variables.

Sources: OCI documentation, "Conditions" and "Restricting Access to Resources Based on Time Frame".
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from datetime import UTC, datetime

from .syntax import Comparison, Condition, Junction, Operand

Values = tuple[str, ...]
Lookup = Callable[[str], Values | None]
"""The values of a variable, named in lower case; None where it does not apply to the request."""


def holds(condition: Condition | None, lookup: Lookup) -> bool:
    """Whether *condition* holds. Text is compared whatever its case.

    A comparison with a variable that does not apply, on either side, is false, ``!=`` too: OCI
    declines it. Of a variable with several values (``request.groups.id``) one must equal, and
    none may for ``!=``.
    """
    if condition is None:
        return True
    if isinstance(condition, Junction):
        parts = (holds(member, lookup) for member in condition.members)
        return all(parts) if condition.every else any(parts)
    values = lookup(condition.variable)
    if values is None:
        return False
    return _compare(condition, values, lookup)


def _compare(condition: Comparison, values: Values, lookup: Lookup) -> bool:
    operator, operands = condition.operator, condition.operands
    if operator == "present":
        return True
    if operator in ("before", "after"):
        return any(_is_beyond(value, operands[0], operator == "before") for value in values)
    if operator == "between":
        return any(_is_between(value, *operands) for value in values)
    named = [operand.value for operand in operands if operand.kind == "variable"]
    if any(lookup(name) is None for name in named):
        return False
    starred = condition.variable == "target.object.name"
    equal = any(
        _equals(value, operand, lookup, starred) for value in values for operand in operands
    )
    return equal != (operator == "!=")


def _equals(value: str, operand: Operand, lookup: Lookup, starred: bool) -> bool:
    if operand.kind == "variable":
        others = lookup(operand.value) or ()
        return value.casefold() in (other.casefold() for other in others)
    # Object names take patterns between quotes too (OCI documentation, "Managing Objects").
    if operand.kind == "pattern" or (starred and "*" in operand.value):
        return _pattern(operand.value).fullmatch(value) is not None
    return value.casefold() == operand.value.casefold()


@functools.lru_cache(maxsize=1024)
def _pattern(text: str) -> re.Pattern[str]:
    """``*`` stands for any characters, nothing else is special."""
    return re.compile(".*".join(re.escape(part) for part in text.split("*")), re.I | re.S)


def _is_beyond(value: str, operand: Operand, before: bool) -> bool:
    now, limit = _moment(value), _moment(operand.value)
    if now is None or limit is None:
        return False
    return now < limit if before else now > limit


def _is_between(value: str, first: Operand, last: Operand) -> bool:
    """Within a span of time; one of times of the day may run over midnight."""
    now, start, end = (_moment(text) for text in (value, first.value, last.value))
    if now is None or start is None or end is None:
        return False
    if start <= end:
        return start <= now <= end
    return now >= start or now <= end


@functools.lru_cache(maxsize=1024)
def _moment(text: str) -> datetime | None:
    """A date and time, a date, or a time of the day (on no day in particular), in UTC."""
    plain = text.upper().removesuffix("Z")
    if re.fullmatch(r"\d{1,2}:\d\d(:\d\d)?", plain):
        plain = f"2000-01-01T{plain.zfill(8 if plain.count(':') == 2 else 5)}"
    try:
        return datetime.fromisoformat(plain).replace(tzinfo=UTC)
    except ValueError:
        return None
