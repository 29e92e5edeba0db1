"""What is missing, in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .check import Finding, warned
from .policies import Missing

_TOLD = 3


def is_refused(lack: Missing) -> bool:
    """Whether no statement grants it, whatever may hold when the call is made."""
    return not (lack.denied_by or lack.perhaps or lack.endangered_by)


def uncertain(who: str, missing: list[Missing]) -> Iterator[Finding]:
    """What hangs on conditions that nobody knows before the call."""
    for word, texts_of in (("only by", "perhaps"), ("unless denied by", "endangered_by")):
        found = [lack for lack in missing if getattr(lack, texts_of)]
        if found:
            texts = dict.fromkeys(text for lack in found for text in getattr(lack, texts_of))
            yield warned(
                f"{who} may {folded(found)} {word} what hangs on a condition that is not known "
                f"before the call: {'; '.join(texts)}",
                "Look whether the condition will hold for them.",
            )


def folded(missing: Sequence[Missing]) -> str:
    """What the calls are for, and what they lack: ``submit a job (manage data-science-jobs)``."""
    purposes = list(dict.fromkeys(lack.call.purpose for lack in missing))
    told = ", ".join(purposes[:_TOLD])
    if len(purposes) > _TOLD:
        told += f" and {len(purposes) - _TOLD} more"
    return f"{told} ({', '.join(dict.fromkeys(lack.statement for lack in missing))})"
